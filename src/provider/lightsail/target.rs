//! Where Lightsail's exports go, and what they make.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A target, as JSON shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// Amazon EC2, in the region of the snapshot.
    Ec2,
}

impl crate::provider::Destination for Destination {
    fn place(&self) -> Option<&str> {
        None
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EC2")
    }
}

/// A kind of artifact, as JSON names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// An EC2 machine image.
    Ami,
    /// An EBS snapshot.
    EbsSnapshot,
}
