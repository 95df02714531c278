//! Where Rackspace's exports go, and what they make.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A target, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// A Rackspace Cloud Files container.
    CloudFiles {
        /// Name of the container.
        container: String,
    },
}

impl crate::provider::Destination for Destination {
    fn place(&self) -> Option<&str> {
        let Destination::CloudFiles { container } = self;
        Some(container)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination::CloudFiles { container } = self;
        f.write_str(container)
    }
}

/// A kind of artifact, as JSON names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// An object in Rackspace Cloud Files.
    CloudFiles,
}
