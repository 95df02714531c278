//! Flags over environment over profile over defaults.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use directories::{BaseDirs, ProjectDirs};
use jiff::Timestamp;

use super::terminal::terminal;
use super::variables::{complete, pause};
use super::{Config, Env, ProfileChoice, Sources, open_file_warning};
use crate::cli::{Global, Output};
use crate::error::{Error, Kind, Result};
use crate::journal::{Journal, Opened};
use crate::poll::Renew;
use crate::provider::http::{Http, Network};
use crate::provider::{Entry, Provider};
use crate::report::{Printer, Terminal};
#[cfg(feature = "sandbox")]
use crate::sandbox::{self, Sandbox};
use crate::suggest;
use crate::task::Source;

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
    /// Where our own configuration is, whether there is one or not.
    pub config_path: Option<PathBuf>,
    global: Global,
    terminal: Terminal,
    is_profile_typed: bool,
    #[cfg(feature = "sandbox")]
    _sandbox: Option<Sandbox>,
}

/// The user's places for configuration, state and cache.
pub(super) struct Places {
    pub config: Option<PathBuf>,
    pub state: Option<PathBuf>,
    pub cache: Option<PathBuf>,
    pub home: Option<PathBuf>,
}

impl Context {
    /// Resolves everything once. Starts the sandbox if it is asked for.
    pub async fn resolve(
        mut global: Global,
        #[cfg_attr(not(feature = "sandbox"), expect(unused_mut))] mut env: Env,
    ) -> Result<Self> {
        let is_profile_typed = global.profile.is_some();
        let region_origin = match global.region {
            Some(_) => "--region",
            None => "SNAPEXPORT_REGION",
        };
        complete(&mut global, &env)?;
        let places = places(&env);
        let config_file = global
            .config
            .clone()
            .or_else(|| Some(places.config?.join("config.toml")));
        let mut open_config = None;
        let config_path = config_file.clone();
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
        #[cfg_attr(not(feature = "sandbox"), expect(unused_mut))]
        let mut state = places.state;
        let mut sources = Sources {
            home: places.home,
            profile,
            region: global.region.clone(),
            region_origin,
            config,
            cache_dir: places.cache,
            ..Sources::default()
        };
        #[cfg(feature = "sandbox")]
        let sandbox = if global.sandbox {
            // Simulated tasks have a journal of their own: a real cloud must never be asked about them.
            state = state.map(|state| state.join("sandbox"));
            let sandbox = start_sandbox(&env, state.as_ref()).await?;
            // The user's own pace and patience count.
            let own = ["SNAPEXPORT_INTERVAL", "SNAPEXPORT_VISIBILITY"]
                .into_iter()
                .filter_map(|name| Some((name, env.get(name)?.to_owned())));
            env = sandbox.variables().into_iter().chain(own).collect();
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
            config_path,
            terminal,
            is_profile_typed,
            http: Http::new(global.allow_http).over(Network::of(&sources.env)),
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

    /// A client that shares nothing with the others: what it learns concerns one cloud.
    pub fn new_client(&self) -> Http {
        self.http.over(self.http.network().clone())
    }

    /// Whether only errors may be said.
    pub fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// How much to log.
    pub fn verbosity(&self) -> u8 {
        self.global.verbose
    }

    /// The options that lead to the same account, as they would be typed again.
    pub fn typed_account(&self) -> String {
        let mut text = String::new();
        let config = self
            .global
            .config
            .as_ref()
            .map(|path| path.display().to_string());
        let typed = [
            ("--config", config.as_deref()),
            ("--profile", self.global.profile.as_deref()),
            ("--region", self.global.region.as_deref()),
        ];
        for (name, value) in typed {
            if let Some(value) = value {
                text += &format!(" {name} {value}");
            }
        }
        text
    }

    /// Whether the providers' own objects are wanted.
    pub fn with_raw(&self) -> bool {
        self.global.raw
    }

    /// The profile that was asked for, to be remembered with what is started.
    pub fn profile(&self) -> Option<&str> {
        // The simulated clouds have no profiles.
        self.global
            .profile
            .as_deref()
            .filter(|_| !self.global.sandbox)
    }

    /// A client for a cloud; what was remembered of a task fills in what was not asked for.
    pub async fn connect(
        &self,
        entry: &Entry,
        remembered_profile: Option<&str>,
        remembered_region: Option<&str>,
    ) -> Result<Arc<dyn Provider>> {
        let mut sources = self.sources.clone();
        if !self.is_profile_typed
            && !self.global.sandbox
            && let Some(name) = remembered_profile
        {
            sources.profile = Some(ProfileChoice {
                name: name.to_owned(),
                is_explicit: true,
            });
        }
        // A task exists in its own region only, whatever is set for others.
        if let Some(region) = remembered_region {
            sources.region = Some(region.to_owned());
            sources.region_origin = "the task";
        }
        (entry.connect)(&sources, self.http.clone())
            .await
            .map_err(|error| with_near_profile(&sources, error))
    }

    /// How to connect again, for a wait during which credentials may be changed where they come from.
    pub fn renew(
        &self,
        entry: &'static Entry,
        profile: Option<String>,
        region: Option<String>,
    ) -> Renew<'_> {
        Rc::new(move || {
            let (profile, region) = (profile.clone(), region.clone());
            Box::pin(async move {
                self.connect(entry, profile.as_deref(), region.as_deref())
                    .await
            })
        })
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
        let path = self
            .journal_path
            .as_deref()
            .filter(|_| self.has_journal())?;
        self.opened(Journal::open(path), WITHOUT_JOURNAL)
    }

    /// Keeps what was listed, for completion. Nobody misses it where there is no place for it.
    pub fn remember_sources(&self, sources: &[Source]) {
        let Some(path) = self.journal_path.as_deref() else {
            return;
        };
        let kept = Journal::open(path).and_then(|Opened { journal, moved_to }| {
            if let Some(aside) = moved_to {
                self.printer(Output::Table).warn(&moved(&aside));
            }
            journal.record_sources(sources, Timestamp::now())
        });
        if let Err(error) = kept {
            tracing::info!("{}", error.one_line());
        }
    }

    /// Whether there is a journal, be it usable or not. One whose place cannot be looked at may be there.
    pub fn has_journal(&self) -> bool {
        self.journal_path
            .as_deref()
            .is_some_and(|path| !matches!(path.try_exists(), Ok(false)))
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

/// Adds the profile that may have been meant by one that config.toml does not have.
/// Adds the hint at a profile of ours that may have been meant.
pub fn with_near_profile(sources: &Sources, mut error: Error) -> Error {
    let is_unknown = error.kind == Kind::Credentials
        && sources.is_profile_explicit()
        && sources.own_profile().is_none();
    if let Some(choice) = sources.profile.as_ref().filter(|_| is_unknown) {
        let names = sources.config.profile.keys().map(String::as_str);
        error
            .details
            .hints
            .splice(0..0, suggest::hint(&choice.name, names));
    }
    error
}

/// What works without the journal.
const WITHOUT_JOURNAL: &str = "what you started is not known now, but exports can be named by id";

fn moved(aside: &Path) -> String {
    format!(
        "The journal was damaged and is now {}; a new one was begun. Exports can still be named by id. A start whose outcome was not known is forgotten: before you start it again, look at snapexport status --remote",
        aside.display()
    )
}

/// `SNAPEXPORT_*_DIR`, else XDG on every Unix system, else the platform's own.
pub(super) fn places(env: &Env) -> Places {
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

#[cfg(feature = "sandbox")]
async fn start_sandbox(env: &Env, state: Option<&PathBuf>) -> Result<Sandbox> {
    let duration = pause(env, "SNAPEXPORT_SANDBOX_DURATION")?.unwrap_or(sandbox::DEFAULT_DURATION);
    let faults = match env.get("SNAPEXPORT_SANDBOX_FAULTS") {
        Some(path) => sandbox::faults::read_file(path.as_ref())?,
        None => Vec::new(),
    };
    let state_file = state.map(|state| state.join("world.json"));
    Sandbox::start(sandbox::Options {
        duration,
        state_file,
        faults,
        ..sandbox::Options::default()
    })
    .await
}
