//! What was set and configured, and where each value came from. Names no cloud: a cloud reads its own section of a
//! profile and its own variables and files.

mod config;
mod env;
mod in_force;
mod places;
pub(crate) mod private_file;
mod secret_command;

pub use config::{Config, Profile, Section};
pub use env::Env;
pub use in_force::{Setting, overriding};
pub use places::Places;
pub use private_file::{open_file_warning, warn_if_open};
pub use secret_command::profile_secret;

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::error::Result;

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
    /// `--region` or `SNAPEXPORT_REGION`, before everything else.
    pub region: Option<String>,
    /// Where that region is from, in words.
    pub region_origin: &'static str,
    /// The profile whose key pair opens the target of an export, where that is in another account.
    pub target_profile: Option<String>,
    /// Our configuration file.
    pub config: Config,
    /// Where tokens are kept between runs; `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
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

    /// A path below the user's home directory.
    pub fn in_home(&self, relative: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(relative))
    }

    /// The chosen profile of our own configuration, if it has one of that name.
    pub fn own_profile(&self) -> Option<&Profile> {
        self.config.profiles.get(&self.profile.as_ref()?.name)
    }

    /// What the chosen profile says about a cloud, in that cloud's own form.
    pub fn own_section<T: DeserializeOwned>(&self, cloud: &str) -> Result<Option<T>> {
        let section = self.own_profile().and_then(|own| own.section(cloud));
        section.map(Section::read).transpose()
    }

    /// Whether the profile was asked for, and so wins over credentials in the environment.
    pub fn is_profile_explicit(&self) -> bool {
        self.profile
            .as_ref()
            .is_some_and(|profile| profile.is_explicit)
    }
}
