//! Where OUTSCALE's exports go, and what they make.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A target, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// An OUTSCALE Object Storage bucket.
    Oos {
        /// Name of the bucket.
        bucket: String,
        /// Put before the object's name as it is; empty for none.
        prefix: Option<String>,
        /// Disk image format: `qcow2`, `raw`, `vdi` or `vmdk`.
        format: String,
    },
}

impl crate::provider::Destination for Destination {
    fn place(&self) -> Option<&str> {
        let Destination::Oos { bucket, .. } = self;
        Some(bucket)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination::Oos { bucket, prefix, .. } = self;
        write!(f, "{bucket}/{}", prefix.as_deref().unwrap_or(""))
    }
}

/// A kind of artifact, as JSON names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// An object in OUTSCALE Object Storage.
    Oos,
}

/// The API's name of what a start may say beside its target: a URL that is sent and never told again.
pub const MANIFEST_URL: &str = "OsuManifestUrl";

#[cfg(test)]
mod tests;
