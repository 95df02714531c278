//! Settings that are in force, each with where it came from.

use std::fmt::Display;

use serde::Serialize;

/// A setting that is in force, as `doctor` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// What it is: `credentials`, `region`, `endpoint`, `object endpoint`, …
    pub name: &'static str,
    /// Its value; of credentials, who they are and never the secret.
    pub value: String,
    /// Where it came from: a flag, a variable, a file and the profile in it, or a rule such as "the region".
    pub origin: String,
}

impl Setting {
    /// A setting, also said to those who asked for more (`-v`).
    pub fn new(name: &'static str, value: impl Into<String>, origin: impl Display) -> Self {
        let (value, origin) = (value.into(), origin.to_string());
        tracing::info!("{name}: {value} from {origin}");
        Setting {
            name,
            value,
            origin,
        }
    }
}
