//! Flags over environment over profile over defaults.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use console::Term;
use directories::{BaseDirs, ProjectDirs};

use super::{Config, Env, ProfileChoice, Sources, open_file_warning};
use crate::cli::{Global, Output, When, parse_interval};
use crate::error::{Error, Result};
use crate::journal::{Journal, Opened};
use crate::provider::http::Http;
use crate::provider::{Entry, Provider};
use crate::report::{Printer, Terminal};
#[cfg(feature = "sandbox")]
use crate::sandbox::{self, Sandbox};

/// What every command works with.
pub struct Context {
    /// Where providers draw their settings from.
    pub sources: Sources,
    /// The client all providers share.
    pub http: Http,
    /// The pace from the environment, for commands without one of their own.
    pub interval: Option<Duration>,
    /// How long a new task may be missing from a provider's lists, where that is not what the provider is known for.
    pub visibility: Option<Duration>,
    /// Where the journal is; `None` with `--no-journal`, and where there is no place for one.
    pub journal_path: Option<PathBuf>,
    global: Global,
    terminal: Terminal,
    #[cfg(feature = "sandbox")]
    _sandbox: Option<Sandbox>,
}

/// The user's places for configuration, state and cache.
struct Places {
    config: Option<PathBuf>,
    state: Option<PathBuf>,
    cache: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Context {
    /// Resolves everything once. Starts the sandbox if it is asked for.
    #[cfg_attr(not(feature = "sandbox"), allow(unused_mut))]
    pub async fn resolve(mut global: Global, mut env: Env) -> Result<Self> {
        complete(&mut global, &env)?;
        let places = places(&env);
        let config_file = global
            .config
            .clone()
            .or_else(|| Some(places.config?.join("config.toml")));
        let mut open_config = None;
        let config = match config_file {
            Some(path) if global.config.is_some() && !path.exists() => {
                return Err(Error::usage(format!(
                    "The configuration file {} does not exist",
                    path.display()
                )));
            }
            Some(path) => {
                let config = Config::read(&path)?;
                open_config = open_file_warning(&path).filter(|_| config.has_secret());
                config
            }
            None => Config::default(),
        };
        let default_profile = config.default_profile.clone();
        let profile = match global.profile.clone() {
            Some(name) => Some(ProfileChoice {
                name,
                is_explicit: true,
            }),
            None => default_profile.map(|name| ProfileChoice {
                name,
                is_explicit: false,
            }),
        };
        let terminal = terminal(&global, &env);
        let mut state = places.state;
        let mut sources = Sources {
            home: places.home,
            profile,
            region: global.region.clone(),
            config,
            cache_dir: places.cache,
            ..Sources::default()
        };
        #[cfg(feature = "sandbox")]
        let sandbox = if global.sandbox {
            // Simulated tasks have a journal of their own: a real cloud must never be asked about them.
            state = state.map(|state| state.join("sandbox"));
            let sandbox = start_sandbox(&env, state.as_ref()).await?;
            env = sandbox
                .variables()
                .into_iter()
                .chain(
                    env.get("SNAPEXPORT_INTERVAL")
                        .map(|i| ("SNAPEXPORT_INTERVAL", i.to_owned())),
                )
                .collect();
            sources.home = None;
            sources.profile = None;
            sources.config = Config::default();
            sources.cache_dir = None;
            Some(sandbox)
        } else {
            None
        };
        #[cfg(not(feature = "sandbox"))]
        if global.sandbox {
            return Err(Error::usage("This build has no sandbox"));
        }
        let interval = pause(&env, "SNAPEXPORT_INTERVAL")?;
        let visibility = pause(&env, "SNAPEXPORT_VISIBILITY")?;
        sources.env = env;
        let is_used = !global.sandbox;
        let context = Context {
            terminal,
            http: Http::new(global.allow_http),
            interval,
            visibility,
            journal_path: state
                .filter(|_| !global.no_journal)
                .map(|state| state.join("journal.db")),
            sources,
            global,
            #[cfg(feature = "sandbox")]
            _sandbox: sandbox,
        };
        if let Some(warning) = open_config.filter(|_| is_used) {
            context.printer(Output::Table).warn(&warning);
        }
        Ok(context)
    }

    /// The output that was asked for, else the command's own default.
    pub fn output(&self, default: Output) -> Output {
        match self.global.output {
            Some(output) => output,
            None if self.global.quiet => Output::Id,
            None => default,
        }
    }

    /// The printer for a command whose results are `default` unless something else is asked for.
    pub fn printer(&self, default: Output) -> Printer {
        let Global {
            quiet,
            raw,
            progress,
            verbose,
            ..
        } = self.global;
        let progress = progress.unwrap_or_default();
        Printer::new(
            self.output(default),
            quiet,
            raw,
            progress,
            verbose > 0,
            self.terminal,
        )
    }

    /// Whether the simulated clouds are used.
    pub fn is_sandbox(&self) -> bool {
        self.global.sandbox
    }

    /// Whether only errors may be said.
    pub fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// How much to log.
    pub fn verbosity(&self) -> u8 {
        self.global.verbose
    }

    /// The profile that was asked for, to be remembered with what is started.
    pub fn profile(&self) -> Option<&str> {
        self.global.profile.as_deref()
    }

    /// A client for a cloud; what was remembered of a task fills in what was not asked for.
    pub async fn connect(
        &self,
        entry: &Entry,
        remembered_profile: Option<&str>,
        remembered_region: Option<&str>,
    ) -> Result<Arc<dyn Provider>> {
        let mut sources = self.sources.clone();
        if !sources.is_profile_explicit()
            && let Some(name) = remembered_profile
        {
            sources.profile = Some(ProfileChoice {
                name: name.to_owned(),
                is_explicit: true,
            });
        }
        if sources.region.is_none() {
            sources.region = remembered_region.map(str::to_owned);
        }
        (entry.connect)(&sources, self.http.clone()).await
    }

    /// The journal, made if need be; `None` with `--no-journal`, or with a warning where it cannot be used:
    /// that must keep nobody from their exports. `meanwhile` says what is done without it.
    ///
    /// For whoever starts exports: it is read from end to end first.
    pub fn journal(&self, meanwhile: &str) -> Option<Journal> {
        self.opened(
            Journal::open_whole(self.journal_path.as_deref()?),
            meanwhile,
        )
    }

    /// The journal, if it exists already: what only reads does not make one.
    pub fn existing_journal(&self) -> Option<Journal> {
        let path = self.journal_path.as_deref().filter(|path| path.exists())?;
        self.opened(Journal::open(path), WITHOUT_JOURNAL)
    }

    /// Whether there is a journal, be it usable or not.
    pub fn has_journal(&self) -> bool {
        self.journal_path.as_deref().is_some_and(Path::exists)
    }

    /// What to do about a journal that could be opened but not read: said, and moved aside if it is damaged.
    /// Gives whether it was moved.
    pub fn give_up_journal(&self, journal: &Journal, error: &Error) -> bool {
        let printer = self.printer(Output::Table);
        if let Ok(Some(aside)) = journal.discard_if_damaged() {
            printer.warn(&moved(&aside));
            return true;
        }
        printer.warn(&format!("{}; {WITHOUT_JOURNAL}", error.one_line()));
        false
    }

    fn opened(&self, opened: Result<Opened>, meanwhile: &str) -> Option<Journal> {
        let printer = self.printer(Output::Table);
        match opened {
            Ok(Opened { journal, moved_to }) => {
                if let Some(aside) = moved_to {
                    printer.warn(&moved(&aside));
                }
                Some(journal)
            }
            Err(error) => {
                printer.warn(&format!("{}; {meanwhile}", error.one_line()));
                None
            }
        }
    }
}

/// What works without the journal.
const WITHOUT_JOURNAL: &str = "what you started is not known now, but exports can be named by id";

fn moved(aside: &Path) -> String {
    format!(
        "The journal was damaged and is now {}; a new one was begun. Exports can still be named by id: snapexport status --remote",
        aside.display()
    )
}

/// The output form that a command line or the environment names, for errors that come before anything is parsed.
pub fn stated_output(args: &[String], env: &Env) -> Option<Output> {
    let mut stated = env.get("SNAPEXPORT_OUTPUT");
    for (index, arg) in args.iter().enumerate() {
        match arg.as_str() {
            "--" => break,
            "-o" | "--output" => stated = args.get(index + 1).map(String::as_str),
            other => {
                let attached = other
                    .strip_prefix("--output=")
                    .or_else(|| other.strip_prefix("-o"));
                stated = attached
                    .map(|value| value.trim_start_matches('='))
                    .or(stated);
            }
        }
    }
    stated.filter(|text| *text == "json").map(|_| Output::Json)
}

/// Fills what was not typed from the environment.
fn complete(global: &mut Global, env: &Env) -> Result<()> {
    let text = |name: &str| env.get(name).map(str::to_owned);
    global.profile = global.profile.take().or_else(|| text("SNAPEXPORT_PROFILE"));
    global.region = global.region.take().or_else(|| text("SNAPEXPORT_REGION"));
    global.config = global
        .config
        .take()
        .or_else(|| text("SNAPEXPORT_CONFIG").map(PathBuf::from));
    global.output = global.output.or(choice(env, "SNAPEXPORT_OUTPUT")?);
    global.progress = global.progress.or(choice(env, "SNAPEXPORT_PROGRESS")?);
    global.color = global.color.or(choice(env, "SNAPEXPORT_COLOR")?);
    global.quiet |= switch(env, "SNAPEXPORT_QUIET")?;
    global.raw |= switch(env, "SNAPEXPORT_RAW")?;
    global.sandbox |= switch(env, "SNAPEXPORT_SANDBOX")?;
    global.no_journal |= switch(env, "SNAPEXPORT_NO_JOURNAL")?;
    global.allow_http |= switch(env, "SNAPEXPORT_ALLOW_HTTP")?;
    if global.verbose == 0
        && let Some(level) = env.get("SNAPEXPORT_VERBOSE")
    {
        global.verbose = match level.parse() {
            Ok(level) => level,
            Err(_) => u8::from(switch(env, "SNAPEXPORT_VERBOSE")?),
        };
    }
    for (name, value) in [("--profile", &global.profile), ("--region", &global.region)] {
        if value
            .as_deref()
            .is_some_and(|value| value.trim().is_empty())
        {
            return Err(Error::usage(format!("The value of {name} is empty")));
        }
    }
    Ok(())
}

fn choice<T: clap::ValueEnum>(env: &Env, name: &'static str) -> Result<Option<T>> {
    let Some(text) = env.get(name) else {
        return Ok(None);
    };
    T::from_str(text, true).map(Some).map_err(|_| {
        let words: Vec<String> = T::value_variants()
            .iter()
            .filter_map(|variant| Some(variant.to_possible_value()?.get_name().to_owned()))
            .collect();
        bad_variable(
            name,
            text,
            &format!("it takes one of: {}", words.join(", ")),
        )
    })
}

fn switch(env: &Env, name: &'static str) -> Result<bool> {
    match env.get(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("0" | "false" | "no" | "off") => Ok(false),
        Some("1" | "true" | "yes" | "on") => Ok(true),
        Some(other) => Err(bad_variable(name, other, "it takes 1 or 0")),
    }
}

fn pause(env: &Env, name: &'static str) -> Result<Option<Duration>> {
    let Some(text) = env.get(name) else {
        return Ok(None);
    };
    parse_interval(text)
        .map(Some)
        .map_err(|why| bad_variable(name, text, &why))
}

fn bad_variable(name: &str, value: &str, why: &str) -> Error {
    Error::usage(format!(
        "The variable {name} has the value '{value}', which cannot be used: {why}"
    ))
}

/// `SNAPEXPORT_*_DIR`, else XDG on every Unix system, else the platform's own.
fn places(env: &Env) -> Places {
    let project = ProjectDirs::from("", "", "snapexport");
    let own = |name: &str| env.get(name).map(PathBuf::from);
    let xdg = |name: &str| {
        let base = env
            .get(name)
            .map(PathBuf::from)
            .filter(|path| cfg!(unix) && path.is_absolute())?;
        Some(base.join("snapexport"))
    };
    let platform = |pick: fn(&ProjectDirs) -> PathBuf| project.as_ref().map(pick);
    Places {
        config: own("SNAPEXPORT_CONFIG_DIR")
            .or_else(|| xdg("XDG_CONFIG_HOME"))
            .or_else(|| platform(|dirs| dirs.config_dir().to_owned())),
        state: own("SNAPEXPORT_STATE_DIR")
            .or_else(|| xdg("XDG_STATE_HOME"))
            .or_else(|| {
                platform(|dirs| {
                    dirs.state_dir()
                        .unwrap_or_else(|| dirs.data_local_dir())
                        .to_owned()
                })
            }),
        cache: own("SNAPEXPORT_CACHE_DIR")
            .or_else(|| xdg("XDG_CACHE_HOME"))
            .or_else(|| platform(|dirs| dirs.cache_dir().to_owned())),
        home: BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
    }
}

fn terminal(global: &Global, env: &Env) -> Terminal {
    let is_dumb = env.get("TERM") == Some("dumb");
    let stdout = std::io::stdout().is_terminal();
    let stderr = std::io::stderr().is_terminal();
    let color = |is_terminal: bool| match global.color.unwrap_or_default() {
        When::Always => true,
        When::Never => false,
        When::Auto if env.get("NO_COLOR").is_some() => false,
        When::Auto if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto => is_terminal && !is_dumb,
    };
    Terminal {
        stdout_width: stdout.then(|| Term::stdout().size().1),
        is_stderr_capable: stderr && !is_dumb,
        stdout_color: color(stdout),
        stderr_color: color(stderr),
    }
}

#[cfg(feature = "sandbox")]
async fn start_sandbox(env: &Env, state: Option<&PathBuf>) -> Result<Sandbox> {
    let duration = pause(env, "SNAPEXPORT_SANDBOX_DURATION")?.unwrap_or(sandbox::DEFAULT_DURATION);
    let state_file = state.map(|state| state.join("world.json"));
    Sandbox::start(sandbox::Options {
        duration,
        state_file,
        ..sandbox::Options::default()
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_wins_over_the_environment() {
        let env: Env = [
            ("SNAPEXPORT_REGION", "eu-west-2"),
            ("SNAPEXPORT_OUTPUT", "json"),
        ]
        .into_iter()
        .collect();
        let mut global = Global {
            region: Some("us-east-2".into()),
            ..Global::default()
        };
        complete(&mut global, &env).expect("good values");
        assert_eq!(global.region.as_deref(), Some("us-east-2"));
        assert_eq!(global.output, Some(Output::Json));
    }

    #[test]
    fn a_variable_with_a_value_that_means_nothing_is_refused() {
        for (name, value) in [
            ("SNAPEXPORT_OUTPUT", "xml"),
            ("SNAPEXPORT_SANDBOX", "perhaps"),
        ] {
            let env: Env = [(name, value)].into_iter().collect();
            let error = complete(&mut Global::default(), &env).expect_err("a bad value");
            assert!(error.message.contains(name), "{}", error.message);
        }
    }

    #[test]
    fn json_output_is_recognised_before_the_command_line_is_parsed() {
        let env = Env::default();
        let stated = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            stated_output(&args, &env)
        };
        for args in [
            &["-o", "json"][..],
            &["-ojson"],
            &["--output=json"],
            &["x", "--output", "json"],
        ] {
            assert_eq!(stated(args), Some(Output::Json), "{args:?}");
        }
        for args in [&["-o", "table"][..], &["json"], &["--", "-ojson"]] {
            assert_eq!(stated(args), None, "{args:?}");
        }
    }
}
