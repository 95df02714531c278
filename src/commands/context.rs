//! The context of a run: what was typed, set and configured, resolved once.

mod journal;
mod resolve;
mod terminal;
mod variables;

pub(crate) use resolve::INSIDE;
#[cfg(feature = "sandbox")]
pub(crate) use resolve::sandbox_options;
pub use variables::stated_output;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sandbox")]
use snapexport_sandbox::Sandbox;

use crate::error::{Command, Error, Hint, Kind, Result};
use crate::http::Http;
use crate::options::{Global, Output};
use crate::poll::Renew;
use crate::provider::{Entry, Provider};
use crate::report::{Printer, Terminal};
use crate::settings::{Origin, ProfileChoice, Sources, Us};
use crate::suggest;

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
    /// The time between two starts on one account, where that is not what the cloud is known for.
    pub start_pause: Option<Duration>,
    /// Where the journal is; `None` with `--no-journal`, and where there is no place for one.
    pub journal_path: Option<PathBuf>,
    /// Whose files are believed.
    pub us: Us,
    /// Where our own configuration is, whether there is one or not.
    pub config_path: Option<PathBuf>,
    /// Whether a secret stands in it.
    pub is_config_secret: bool,
    global: Global,
    terminal: Terminal,
    is_profile_typed: bool,
    #[cfg(feature = "sandbox")]
    _sandbox: Option<Sandbox>,
}

impl Context {
    /// The output that was asked for, else the command's own default.
    pub fn output(&self, default: Output) -> Output {
        match self.global.output {
            Some(output) => output,
            None if self.global.quiet => Output::Id,
            None => default,
        }
    }

    /// The printer for a command whose results are `default` unless something else is asked for.
    pub(crate) fn printer(&self, default: Output) -> Printer {
        let Global {
            quiet,
            raw,
            progress,
            verbose,
            ..
        } = self.global;
        let progress = progress.unwrap_or_default();
        let printer = Printer::new(
            self.output(default),
            quiet,
            raw,
            progress,
            verbose > 0,
            self.terminal,
        );
        if self.is_sandbox() {
            printer.simulated()
        } else {
            printer
        }
    }

    /// Whether the simulated clouds are used.
    pub fn is_sandbox(&self) -> bool {
        self.global.sandbox
    }

    /// A client that shares nothing with the others: what it learns concerns one cloud.
    pub fn new_client(&self) -> Http {
        self.http.apart()
    }

    /// Whether only errors may be said.
    pub fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// How much to log.
    pub fn verbosity(&self) -> u8 {
        self.global.verbose
    }

    /// The command with the options that lead to the same account, as they would be typed again.
    pub fn with_account(&self, mut command: Command) -> Command {
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
                command = command.and(name).arg(value);
            }
        }
        command
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
            sources.region = Some((region.to_owned(), Origin::Task));
        }
        entry
            .client(&sources, self.http.clone())
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
}

/// Adds the hint at a profile of ours that may have been meant.
pub(crate) fn with_near_profile(sources: &Sources, mut error: Error) -> Error {
    let is_unknown = error.kind == Kind::Credentials
        && sources.is_profile_explicit()
        && sources.own_profile().is_none();
    if let Some(choice) = sources.profile.as_ref().filter(|_| is_unknown) {
        let names = sources.config.profiles.keys().map(String::as_str);
        error
            .details
            .hints
            .splice(0..0, suggest::hint(&choice.name, names).map(Hint::from));
    }
    error
}
