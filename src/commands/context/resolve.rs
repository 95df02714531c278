//! Flags over environment over profile over defaults.

use std::path::{Path, PathBuf};
#[cfg(feature = "sandbox")]
use std::time::Duration;

#[cfg(feature = "sandbox")]
use snapexport_sandbox::{Fault, Options, Sandbox};

use super::Context;
use super::terminal::terminal;
use super::variables::{complete, haste, pause};
use crate::error::{Error, Result};
use crate::http::{Http, Network};
use crate::options::{Global, Output};
use crate::pace;
use crate::provider;
#[cfg(feature = "sandbox")]
use crate::settings::private_file::private_folders;
use crate::settings::{Config, Env, Origin, Places, ProfileChoice, Sources, Us, open_file_warning};

/// Set by `sandbox` for what runs inside it.
pub(crate) const INSIDE: &str = "SNAPEXPORT_INSIDE_SANDBOX";

impl Context {
    /// Resolves everything once. Starts the sandbox if it is asked for.
    pub async fn resolve(mut global: Global, env: Env) -> Result<Self> {
        let is_profile_typed = global.profile.is_some();
        let region_origin = match global.region {
            Some(_) => Origin::Flag("--region"),
            None => Origin::Variable("SNAPEXPORT_REGION"),
        };
        let Places {
            config,
            state,
            cache,
            home,
        } = Places::of(&env);
        complete(&mut global, &env, home.as_deref())?;
        pace::hasten(haste(&env)?);
        let us = Us::of(&env)?;
        env.check()?;
        // What the terminal is like is nobody's input: what cannot be read of it is not known.
        let terminal = terminal(&global, &env.anew());
        let configuration = Configuration::read(&global, config)?;
        let open_file = configuration.open_file();
        let mut clouds = if global.sandbox && env.get(INSIDE).is_some() {
            // The variables lead to simulated clouds already, and what was started is known there.
            let sources = Sources {
                env,
                ..Sources::default()
            };
            Clouds::real(sources, state)
        } else if global.sandbox {
            Clouds::simulated(&env, state, home.as_deref()).await?
        } else {
            let sources = Sources {
                env,
                home,
                profile: configuration.profile(&global),
                config: configuration.config,
                cache_dir: cache,
                ..Sources::default()
            };
            Clouds::real(sources, state)
        };
        clouds.sources.region = global.region.clone().map(|region| (region, region_origin));
        let env = &clouds.sources.env;
        let network = Network::of(env, clouds.sources.home.as_deref());
        let http = Http::new(global.allow_http).over(network);
        let context = Context {
            http: if global.raw { http.whole() } else { http },
            interval: pause(env, "SNAPEXPORT_INTERVAL")?,
            visibility: pause(env, "SNAPEXPORT_VISIBILITY")?,
            start_pause: pause(env, "SNAPEXPORT_START_PAUSE")?,
            journal_path: clouds
                .state
                .filter(|_| !global.no_journal)
                .map(|state| state.join("journal.db")),
            us,
            config_path: configuration.path,
            is_config_secret: configuration.has_secret && !global.sandbox,
            sources: clouds.sources,
            terminal,
            is_profile_typed,
            global,
            #[cfg(feature = "sandbox")]
            _sandbox: clouds.sandbox,
        };
        context.sources.env.check()?;
        if let Some(warning) = open_file.filter(|_| context.is_config_secret) {
            context.printer(Output::Table).warn(&warning);
        }
        Ok(context)
    }
}

/// Our own configuration, and where it is, whether there is one or not.
struct Configuration {
    path: Option<PathBuf>,
    config: Config,
    has_secret: bool,
}

impl Configuration {
    /// The file that was asked for, which must exist, or the one in the usual folder. Every section is read by its cloud.
    fn read(global: &Global, folder: Option<PathBuf>) -> Result<Self> {
        if let Some(path) = global.config.as_ref().filter(|path| !path.exists()) {
            return Err(Error::usage(format!(
                "The configuration file {} does not exist",
                path.display()
            )));
        }
        let usual = || Some(folder?.join("config.toml"));
        let path = global.config.clone().or_else(usual);
        let config = path.as_deref().map(Config::read).transpose()?;
        let config = config.unwrap_or_default();
        let sections = provider::read_sections(&config)?;
        Ok(Configuration {
            path,
            config,
            has_secret: sections.iter().any(|section| section.has_secret),
        })
    }

    /// The profile that was asked for, else the one that the file calls the default.
    fn profile(&self, global: &Global) -> Option<ProfileChoice> {
        let asked = global.profile.clone();
        let is_explicit = asked.is_some();
        let name = asked.or_else(|| self.config.default_profile.clone())?;
        Some(ProfileChoice { name, is_explicit })
    }

    /// The warning that is due where others may read it.
    fn open_file(&self) -> Option<String> {
        open_file_warning(self.path.as_deref()?)
    }
}

/// Where the clouds' settings come from, and where what is started there is remembered.
struct Clouds {
    sources: Sources,
    state: Option<PathBuf>,
    #[cfg(feature = "sandbox")]
    sandbox: Option<Sandbox>,
}

impl Clouds {
    fn real(sources: Sources, state: Option<PathBuf>) -> Self {
        Clouds {
            sources,
            state,
            #[cfg(feature = "sandbox")]
            sandbox: None,
        }
    }

    /// The simulated clouds. Simulated tasks have a journal of their own: a real cloud must never be asked about them.
    #[cfg(feature = "sandbox")]
    async fn simulated(env: &Env, state: Option<PathBuf>, home: Option<&Path>) -> Result<Self> {
        let options = sandbox_options(env, home, None, None)?;
        let state = state.map(|state| state.join("sandbox"));
        if let Some(state) = &state {
            // The journal makes its folders private and finds these made. Where they cannot be, the sandbox says so.
            let _ = private_folders().create(state);
        }
        let sandbox = Sandbox::start(Options {
            state_file: state.as_ref().map(|state| state.join("world.json")),
            ..options
        })
        .await?;
        // The user's own pace and patience count.
        let own = [
            "SNAPEXPORT_INTERVAL",
            "SNAPEXPORT_VISIBILITY",
            "SNAPEXPORT_START_PAUSE",
        ]
        .into_iter()
        .filter_map(|name| Some((name, env.get(name)?.to_owned())));
        let sources = Sources {
            env: sandbox.variables().into_iter().chain(own).collect(),
            ..Sources::default()
        };
        Ok(Clouds {
            sources,
            state,
            sandbox: Some(sandbox),
        })
    }

    #[cfg(not(feature = "sandbox"))]
    async fn simulated(_env: &Env, _state: Option<PathBuf>, _home: Option<&Path>) -> Result<Self> {
        Err(Error::usage("This build has no sandbox"))
    }
}

/// How the simulated clouds are to behave: as typed, else as the environment says.
#[cfg(feature = "sandbox")]
pub(crate) fn sandbox_options(
    env: &Env,
    home: Option<&Path>,
    duration: Option<Duration>,
    faults: Option<PathBuf>,
) -> Result<Options> {
    let usual = Options::default();
    let set = pause(env, "SNAPEXPORT_SANDBOX_DURATION")?;
    let file = faults.or_else(|| env.path("SNAPEXPORT_SANDBOX_FAULTS", home));
    env.check()?;
    let faults = file.map(|path| Fault::read_file(&path)).transpose()?;
    Ok(Options {
        duration: duration.or(set).unwrap_or(usual.duration),
        faults: faults.unwrap_or_default(),
        ..usual
    })
}
