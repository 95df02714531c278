//! What was set and configured, and where each value came from. Names no cloud: a cloud reads its own section of a
//! profile and its own variables and files.

mod config;
mod env;
mod in_force;
mod origin;
mod ours;
mod places;
pub(crate) mod private_file;
mod secret_command;
pub(crate) mod text;

pub use config::{Config, Profile, Section};
pub use env::Env;
pub(crate) use env::bad_variable;
pub use in_force::Setting;
pub use origin::Origin;
pub(crate) use ours::Flaw;
pub use ours::Us;
pub use places::Places;
pub use private_file::{open_file_warning, warn_if_open};
pub use secret_command::profile_secret;

use std::path::{Path, PathBuf};

use crate::deadline::Deadline;

/// Which profile to use, and whether the user asked for it by flag or `SNAPEXPORT_PROFILE`
/// (then it wins over credentials in the environment) or it is the configured default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    /// The name.
    pub name: String,
    /// Asked for, not the default.
    pub is_explicit: bool,
}

/// Everything a provider may draw credentials, region and endpoint from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The environment.
    pub env: Env,
    /// The user's home directory; `None` also keeps the providers' own files out (in the sandbox).
    pub home: Option<PathBuf>,
    /// The chosen profile.
    pub profile: Option<ProfileChoice>,
    /// The region that counts before every other, and who says so: an option, a variable of ours, or the task.
    pub region: Option<(String, Origin)>,
    /// The profile whose key pair opens the target of an export, where that is in another account.
    pub target_profile: Option<String>,
    /// Our configuration file.
    pub config: Config,
    /// Where tokens are kept between runs; `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
    /// When commands that tell secrets are to have ended.
    pub deadline: Option<Deadline>,
}

impl Sources {
    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name)
    }

    /// The first of several variables that is set, with its name.
    pub fn first_var<'s>(&'s self, names: &[&'static str]) -> Option<(&'static str, &'s str)> {
        names.iter().find_map(|name| Some((*name, self.var(name)?)))
    }

    /// A path that a person wrote: `~/` is the home directory. One that cannot be used is kept for [`Env::check`].
    pub fn path(&self, typed: impl AsRef<Path>) -> PathBuf {
        let typed = typed.as_ref();
        let path = text::path(typed.as_os_str(), self.home.as_deref());
        self.env.kept(path).unwrap_or_else(|| typed.to_owned())
    }

    /// The file that a variable names.
    pub fn file_of(&self, variable: &str) -> Option<PathBuf> {
        self.env.path(variable, self.home.as_deref())
    }

    /// The file that the first of these variables names.
    pub fn named_file(&self, variables: &[&'static str]) -> Option<PathBuf> {
        variables.iter().find_map(|name| self.file_of(name))
    }

    /// A file of a cloud's own tools in its usual place; `~/.config` is `XDG_CONFIG_HOME` where that is set. `None`
    /// without a home (in the sandbox): then nothing of this machine is meant.
    pub fn usual_file(&self, text: &str) -> Option<PathBuf> {
        self.home.as_ref()?;
        let in_config = text.strip_prefix("~/.config/");
        Some(match in_config.zip(self.file_of("XDG_CONFIG_HOME")) {
            Some((rest, folder)) => folder.join(rest),
            None => self.path(text),
        })
    }

    /// The chosen profile of our own configuration, if it has one of that name.
    pub fn own_profile(&self) -> Option<&Profile> {
        self.config.profiles.get(&self.profile.as_ref()?.name)
    }

    /// Whether the profile was asked for, and so wins over credentials in the environment.
    pub fn is_profile_explicit(&self) -> bool {
        self.profile
            .as_ref()
            .is_some_and(|profile| profile.is_explicit)
    }
}
