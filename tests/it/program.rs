//! The program as its users run it: the built binary, in a home of its own, against a sandbox of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use snapexport_sandbox::{Fault, Options, Sandbox, World};

/// A sandbox on a thread of its own, so that a test may block.
pub struct Clouds {
    sandbox: std::sync::Arc<Sandbox>,
    _stop: mpsc::Sender<()>,
}

impl Clouds {
    /// Clouds where an export takes this long.
    pub fn start(duration: Duration) -> Self {
        Self::start_with(Options {
            duration,
            ..Options::default()
        })
    }

    /// Clouds that behave like this.
    pub fn start_with(options: Options) -> Self {
        let (ready, made) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let sandbox =
                    std::sync::Arc::new(Sandbox::start(options).await.expect("it starts"));
                ready.send(sandbox.clone()).expect("the test waits for it");
                // Ends when the test drops its end of the channel.
                while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        });
        Clouds {
            sandbox: made.recv().expect("the sandbox"),
            _stop: stop,
        }
    }

    pub fn variables(&self) -> Vec<(&'static str, String)> {
        self.sandbox.variables()
    }

    /// The key pair of the account that owns the bucket `partner`.
    pub fn partner_variables(&self) -> [(&'static str, String); 2] {
        self.sandbox.partner_variables()
    }

    /// Lets this go wrong from now on.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.sandbox.set_faults(faults);
    }

    /// Lets this much time pass at once, for these clouds and for their user: by neither clock is anything as young as before.
    pub fn later(&self, user: &User, by: Duration) {
        self.sandbox.advance(by);
        user.age(by);
    }

    pub fn world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        self.sandbox.with_world(f).expect("the world")
    }
}

/// A user with an empty home.
pub struct User {
    pub home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl User {
    /// Without any account.
    pub fn new() -> Self {
        User {
            home: tempfile::tempdir().expect("a directory"),
            variables: Vec::new(),
        }
    }

    /// With accounts on these clouds.
    pub fn of(clouds: &Clouds) -> Self {
        let variables = clouds
            .variables()
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect();
        User {
            variables,
            ..User::new()
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self
    }

    /// One for whom every limit is ten times shorter.
    #[must_use]
    pub fn in_haste(self) -> Self {
        self.with("SNAPEXPORT_HASTE", "10")
    }

    /// The journal's place.
    pub fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// Lets what the journal has of this user's starts be this much older.
    fn age(&self, by: Duration) {
        let journal =
            rusqlite::Connection::open(self.state().join("journal.db")).expect("it opens");
        let earlier = format!("-{} seconds", by.as_secs_f64());
        for (table, column) in [("intent", "made_at"), ("task", "started_at")] {
            let sql = format!(
                "UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?1) WHERE {column} IS NOT NULL"
            );
            journal.execute(&sql, [&earlier]).expect("it writes");
        }
    }

    /// The command, ready to run in nothing but this user's environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(args)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SNAPEXPORT_STATE_DIR", self.state())
            .env("SNAPEXPORT_CACHE_DIR", self.home.path().join("cache"))
            .env("SNAPEXPORT_CONFIG_DIR", self.home.path().join("config"))
            .envs(self.variables.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().expect("the program runs"), args)
    }

    /// Runs it with something on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        use std::io::Write;
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(input.as_bytes())
            .expect("it reads");
        Ran::from(child.wait_with_output().expect("it ends"), args)
    }
}

/// The program that this test run built.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_snapexport"))
}

/// What a run left: for assertions, and as one value for snapshots.
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
    args: Vec<String>,
}

impl Ran {
    /// What it wrote is held against the contract.
    pub fn from(output: Output, args: &[&str]) -> Self {
        let ran = Ran::unchecked(output, args);
        crate::contract::check(&ran.args, &ran.stdout, &ran.stderr);
        ran
    }

    /// Of a program with another cloud than those that the contract names.
    pub fn unchecked(output: Output, args: &[&str]) -> Self {
        Ran {
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
            code: output.status.code(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        }
    }

    /// Standard output, standard error and exit code as one value.
    pub fn all(&self) -> String {
        let code = self
            .code
            .map_or_else(|| "none (a signal)".into(), |code| code.to_string());
        format!(
            "$ snapexport {}\n{}--- stderr\n{}--- exit code {code}\n",
            self.args.join(" "),
            self.stdout,
            self.stderr
        )
    }

    /// The last line of standard output: an id, mostly.
    pub fn id(&self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.all());
        self.stdout.lines().last().expect("a line").to_owned()
    }

    /// Each line of standard output as JSON.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The error object on the last line of standard error.
    pub fn json_error(&self) -> serde_json::Value {
        let line = self.stderr.lines().last().expect("a last line");
        let object: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(object["schema"], 1);
        object["error"].clone()
    }
}

/// Compares with the snapshot; what differs from run to run is replaced by its kind.
macro_rules! assert_seen {
    ($ran:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        for (pattern, name) in crate::program::FILTERS {
            settings.add_filter(pattern, *name);
        }
        settings.bind(|| insta::assert_snapshot!($ran.all()));
    }};
}
pub(crate) use assert_seen;

/// What differs from run to run.
pub const FILTERS: &[(&str, &str)] = &[
    (r"snap-export-[0-9a-f]{8}", "snap-export-HEX"),
    (r"(snap-[0-9a-f]{8})-[0-9a-f]{8}\.", "$1-HEX."),
    (r"ami-[0-9a-f]{17}", "ami-HEX"),
    (r"snap-[0-9a-f]{17}", "snap-HEX17"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"request (tx)?[0-9a-fA-F-]{20,}", "request ID"),
    (r#""request_id":"[^"]+""#, r#""request_id":"ID""#),
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "UUID",
    ),
    (r"/tmp/[^/ ]+/", "/TMP/"),
    (r"\[\d+s\]", "[TIME]"),
];
