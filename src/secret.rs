//! Secrets that cannot be printed, and the one masker: what is secret by its name, by its value, or in a URL.

mod clean;
mod known;
mod names;
mod plain;
mod redact;
mod url;

use std::fmt;

use serde::Deserialize;

pub use self::clean::{clean, clean_lines, escape_json};
pub use self::known::Known;
pub use self::plain::plain;
pub use self::redact::{redact_header, redact_json, redact_text, secrets_in};
pub use self::url::Url;

/// Keeps this process's memory out of core dumps, as far as the system lets it; commands it runs are not touched.
#[cfg(target_os = "linux")]
pub fn keep_out_of_core_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // A precaution: without it the program is as good as any other.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Keeps this process's memory out of core dumps, as far as the system lets it.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn keep_out_of_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    let _ = setrlimit(Resource::Core, none);
}

/// Elsewhere there is nothing to be asked for.
#[cfg(not(unix))]
pub fn keep_out_of_core_dumps() {}

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A secret: no `Display`, and `Debug` shows only a mask.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Secret(secret.into())
    }

    /// A number that differs when the secret does, within this process. See [`crate::provider::Provider::credentials_tag`].
    pub fn tag(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests;
