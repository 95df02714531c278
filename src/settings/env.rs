//! The environment, taken once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::text;
use crate::error::{Error, Result};

/// A snapshot of the environment. A variable that is empty, or white space alone, counts as not set.
///
/// A value that cannot be used is an error only where somebody asks for it, and the first such error is kept: whoever has
/// asked for several variables ends with [`Env::check`].
#[derive(Clone, Debug, Default)]
pub struct Env {
    values: BTreeMap<String, OsString>,
    unusable: Arc<OnceLock<Error>>,
}

impl Env {
    /// The process's own.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect()
    }

    /// The value of a variable that is set, without white space around it. `None` also where it cannot be used.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = text::variable(name, self.values.get(name)?);
        self.kept(value).filter(|value| !value.is_empty())
    }

    /// The path that a variable names; bytes that are no text stay as they are. `None` also where it cannot be used.
    pub fn path(&self, name: &str, home: Option<&Path>) -> Option<PathBuf> {
        let value = self.values.get(name)?;
        let path = text::path(value, home).map_err(|error| {
            let sentence = format!("The value of {name} cannot be used");
            error.context(sentence)
        });
        self.kept(path).filter(|path| !path.as_os_str().is_empty())
    }

    /// Whether a variable switches something on. One that is not set does not; kind `usage` for a value that says neither.
    pub fn switch(&self, name: &str) -> Result<bool> {
        let Some(value) = self.get(name) else {
            return Ok(false);
        };
        match value.to_ascii_lowercase().as_str() {
            "0" | "false" | "no" | "off" => Ok(false),
            "1" | "true" | "yes" | "on" => Ok(true),
            _ => Err(bad_variable(name, value, "it takes 1 or 0")),
        }
    }

    /// The first error among the values that were asked for: nothing may be sent with the others.
    pub fn check(&self) -> Result<()> {
        self.unusable.get().cloned().map_or(Ok(()), Err)
    }

    /// Keeps what is wrong with a value for [`Env::check`].
    pub(super) fn kept<T>(&self, value: Result<T>) -> Option<T> {
        value
            .map_err(|error| self.unusable.get_or_init(|| error))
            .ok()
    }

    /// The same environment, of which nobody has asked for anything.
    #[must_use]
    pub fn anew(&self) -> Self {
        Env {
            values: self.values.clone(),
            unusable: Arc::default(),
        }
    }

    /// The same without the variables whose names begin so.
    #[must_use]
    pub fn without(&self, prefix: &str) -> Self {
        let mut others = self.clone();
        others.values.retain(|name, _| !name.starts_with(prefix));
        others
    }
}

/// The refusal of a variable's value; `why` says what it takes.
pub(crate) fn bad_variable(name: &str, value: &str, why: &str) -> Error {
    Error::usage(format!(
        "The variable {name} has the value '{value}', which cannot be used: {why}"
    ))
}

impl<K: Into<String>, V: Into<OsString>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Env {
            values: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            unusable: Arc::default(),
        }
    }
}
