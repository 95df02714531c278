//! A shell in a home of its own, whose clouds are simulated.

use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::markdown::Block;
use crate::program::{Clouds, User, program};

/// What a page calls by a name that stands for the reader's own.
const STAND_INS: &[(&str, &str)] = &[
    ("snap-12345678", "snap-0a1b2c3d"),
    ("IMAGE-UUID", "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21"),
];

/// Scripts of the reader's own that pages call.
const OWN_SCRIPTS: &[&str] = &["backup.sh", "my-script"];

/// The scripts of a block: the block itself, or what stands in a CI service's file.
pub fn scripts(block: &Block) -> Vec<String> {
    if block.is_left_out() {
        return Vec::new();
    }
    match block.kind() {
        "sh" => vec![without_cargo(&block.text)],
        "yaml" => vec![of_yaml(block)],
        "groovy" => parts(&block.text, "'''"),
        "ini" => after(&block.text, "ExecStart="),
        "crontab" => of_crontab(&block.text),
        _ => Vec::new(),
    }
    .into_iter()
    .filter(|script| !script.trim().is_empty())
    .collect()
}

/// A test does not build the program that it tests; another one sees to these lines.
fn without_cargo(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("cargo "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Every `run` and `script`, in order, as one script: a step goes on with what the one before left.
fn of_yaml(block: &Block) -> String {
    let value: Value = serde_saphyr::from_str(&block.text).expect("it is YAML");
    let mut found = Vec::new();
    collect(&value, &mut found);
    // GitHub hands on in files.
    let read = "\nset -a; . \"$GITHUB_ENV\"; set +a\n";
    found.join(read)
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("run", Value::String(text)) => found.push(text.clone()),
                    ("script", Value::Array(lines)) => {
                        let lines = lines.iter().map(|line| line.as_str().expect("a line"));
                        found.push(lines.collect::<Vec<_>>().join("\n"));
                    }
                    _ => collect(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Every second part between marks.
fn parts(text: &str, mark: &str) -> Vec<String> {
    let inside = text.split(mark).skip(1).step_by(2);
    inside.map(str::to_owned).collect()
}

fn after(text: &str, mark: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(mark));
    lines.map(str::to_owned).collect()
}

/// The commands of a crontab: what stands behind five fields. A profile there is the reader's own.
fn of_crontab(text: &str) -> Vec<String> {
    let is_command = |line: &&str| line.split(' ').count() > 6;
    let command = |line: &str| line.splitn(6, ' ').last().map(str::to_owned);
    text.lines()
        .filter(is_command)
        .filter_map(command)
        .collect()
}

/// A shell for one script.
pub struct Shell {
    user: User,
    _clouds: Clouds,
}

impl Shell {
    pub fn new() -> Self {
        let clouds = Clouds::start(Duration::from_secs(1));
        let user = User::of(&clouds)
            .with("SNAPEXPORT_SANDBOX_DURATION", "1s")
            .with("GITHUB_ENV", "github-env")
            .with("GITHUB_STEP_SUMMARY", "github-summary");
        let shell = Shell {
            user,
            _clouds: clouds,
        };
        let write = |name: &str, text: &str| {
            std::fs::write(shell.home().join(name), text).expect("written");
        };
        write("github-env", "");
        write("faults.toml", "");
        for name in OWN_SCRIPTS {
            write(
                name,
                "#!/bin/sh\nsnapexport export outscale snap-12345678 --bucket backups --wait || [ $? -eq 6 ]\n",
            );
            run_ok(Command::new("chmod").arg("+x").arg(shell.home().join(name)));
        }
        shell.fill_ids();
        shell
    }

    fn home(&self) -> PathBuf {
        self.user.home.path().to_owned()
    }

    /// The file `ids`, of which the README speaks.
    fn fill_ids(&self) {
        let ran = self.user.run(&["export", "lightsail", "data-1"]);
        std::fs::write(self.home().join("ids"), format!("{}\n", ran.id())).expect("written");
    }

    /// Whether what the script calls is installed here. CI must have it.
    pub fn has_tools(&self, script: &str) -> bool {
        let has_jq = !script.contains("jq ") || self.run("command -v jq").status.success();
        assert!(
            has_jq || std::env::var_os("CI").is_none(),
            "jq is not installed"
        );
        has_jq
    }

    /// Runs it as CI services do: to its first failure.
    pub fn run(&self, script: &str) -> Output {
        self.bash(&["-euo", "pipefail"], script)
    }

    /// Runs it as somebody types it: the last command counts.
    pub fn run_loosely(&self, script: &str) -> Output {
        self.bash(&[], script)
    }

    fn bash(&self, options: &[&str], script: &str) -> Output {
        let script = STAND_INS
            .iter()
            .fold(script.to_owned(), |text, (from, to)| text.replace(from, to));
        let mut command = Command::new("bash");
        let own = self.user.command(&[]);
        command
            .args(options)
            .args(["-c", &script])
            .env_clear()
            .envs(own.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .env("PATH", path())
            .current_dir(self.home())
            .stdin(Stdio::null());
        command.output().expect("bash runs")
    }
}

/// The program's own directory first.
fn path() -> std::ffi::OsString {
    let own = program().parent().expect("a directory").to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(own).chain(std::env::split_paths(&rest));
    std::env::join_paths(all).expect("a path")
}

fn run_ok(command: &mut Command) {
    assert!(command.status().expect("it runs").success());
}

/// Everything that was printed.
pub fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// The code that a shell shows: a death by a signal is 128 and its number.
pub fn code(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(128 + signal);
    }
    status.code()
}
