//! What was typed, set and configured, resolved once. Nothing else reads the environment.

mod glance;
mod resolve;
mod secret_command;
mod terminal;
mod variables;

pub use glance::Glance;
pub use resolve::{Context, with_near_profile};
pub use secret_command::profile_secret;
pub use variables::stated_output;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::provider::{lightsail, outscale, rackspace};

/// A snapshot of the environment. An empty variable counts as not set.
#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The process's own. Values that are not UTF-8 are left out.
    pub fn from_process() -> Self {
        Env(std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect())
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The same without the variables whose names begin so.
    #[must_use]
    pub fn without(&self, prefix: &str) -> Self {
        let others = self.0.iter().filter(|(name, _)| !name.starts_with(prefix));
        others.collect()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Env(pairs
            .into_iter()
            .map(|(k, v)| (k.into(), v.into()))
            .collect())
    }
}

/// `config.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The profile used when no other is named.
    pub default_profile: Option<String>,
    /// Profiles by name.
    #[serde(default)]
    pub profile: BTreeMap<String, Profile>,
}

/// A profile of `config.toml`: a section for each cloud.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `[profile.NAME.outscale]`
    pub outscale: Option<outscale::Profile>,
    /// `[profile.NAME.lightsail]`
    pub lightsail: Option<lightsail::Profile>,
    /// `[profile.NAME.rackspace]`
    pub rackspace: Option<rackspace::Profile>,
}

impl Config {
    /// Reads a configuration file. One that does not exist is empty; one that is malformed is a `usage` error that names the line.
    pub fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Config::parse(&text, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(Error::usage(format!(
                "The configuration file {} cannot be read",
                path.display()
            ))
            .cause(error.to_string())),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            // The message alone: the full rendering quotes the line, and the line may hold a secret.
            Error::usage(format!("{} has a mistake in line {line}", path.display()))
                .cause(without_value(&error.message().replace('\n', " ")))
                .hint("docs/configuration.md lists the keys of the file; nothing was sent")
        })
    }

    /// Whether a secret stands in it.
    pub fn has_secret(&self) -> bool {
        self.profile.values().any(|profile| {
            let outscale = profile
                .outscale
                .iter()
                .map(|own| [own.secret_key.as_ref(), None]);
            let lightsail = profile
                .lightsail
                .iter()
                .map(|own| [own.secret_key.as_ref(), own.session_token.as_ref()]);
            let rackspace = profile
                .rackspace
                .iter()
                .map(|own| [own.api_key.as_ref(), own.password.as_ref()]);
            outscale
                .chain(lightsail)
                .chain(rackspace)
                .flatten()
                .any(|secret| secret.is_some())
        })
    }
}

/// A message about a value of the wrong type, without the value: `invalid type: string, expected a sequence`.
fn without_value(message: &str) -> String {
    match (message.split_once(": "), message.rfind(", expected ")) {
        (Some((what @ ("invalid type" | "invalid value"), rest)), Some(end)) => {
            let kind = rest.split([' ', '`', '"', ',']).next().unwrap_or_default();
            format!("{what}: {kind}{}", &message[end..])
        }
        _ => message.to_owned(),
    }
}

/// The warning that is due for a file with secrets that others may read; `None` where it is private, or not there.
#[cfg(unix)]
pub fn open_file_warning(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "{} holds secrets and others may read it (chmod 600 closes it)",
            path.display()
        )
    })
}

/// Elsewhere the user's own folders are private by their place.
#[cfg(not(unix))]
pub fn open_file_warning(_path: &Path) -> Option<String> {
    None
}

/// Warns of a provider's own file with secrets that others may read.
pub fn warn_if_open(path: &Path) {
    if let Some(warning) = open_file_warning(path) {
        tracing::warn!("{warning}");
    }
}

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
    /// `--bucket-profile`: the profile whose key pair opens a bucket in another account (OUTSCALE).
    pub bucket_profile: Option<String>,
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
        self.config.profile.get(&self.profile.as_ref()?.name)
    }

    /// Whether the profile was asked for, and so wins over credentials in the environment.
    pub fn is_profile_explicit(&self) -> bool {
        self.profile
            .as_ref()
            .is_some_and(|profile| profile.is_explicit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_value_of_the_wrong_type_is_not_quoted() {
        for (line, said) in [
            (
                "secret_key_command = \"hunter2\"",
                "invalid type: string, expected a sequence",
            ),
            (
                "secret_key = 70368744177664",
                "invalid type: integer, expected a string",
            ),
            (
                "secret_key = [\"hunter2\"]",
                "invalid type: sequence, expected a string",
            ),
            ("secret_key = hunter2", ""),
            ("secret_key = \"hunter2", ""),
        ] {
            let text = format!("[profile.a.outscale]\n{line}\n");
            let error = Config::parse(&text, Path::new("config.toml")).expect_err("a mistake");
            let shown = format!("{} {:?}", error.one_line(), error.details.hints);
            assert!(shown.contains(said), "{line}: {shown}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("7036874"),
                "{line}: {shown}"
            );
        }
    }

    #[test]
    fn a_malformed_file_names_the_line_and_shows_no_value() {
        let text = "default_profile = \"a\"\n[profile.a.outscale]\nsecret_kye = \"hunter2\"\n";
        let error = Config::parse(text, Path::new("config.toml")).expect_err("an unknown key");
        assert_eq!(error.kind, Kind::Usage);
        assert_eq!(error.message, "config.toml has a mistake in line 3");
        assert!(
            !error.one_line().contains("hunter2"),
            "{}",
            error.one_line()
        );
        assert!(
            error.one_line().contains("secret_kye"),
            "{}",
            error.one_line()
        );
    }
}
