//! 3DS OUTSCALE.

use serde::Deserialize;

use super::{Entry, Shape};
use crate::error::{Error, Kind};
use crate::task::ProviderId;

/// This cloud's word on the command line and in JSON.
pub const ID: ProviderId = ProviderId("outscale");

/// This cloud in the registry.
pub const ENTRY: Entry = Entry {
    id: ID,
    title: "3DS OUTSCALE",
    shape: |_| Shape::No,
    connect: |_, _| Box::pin(async { Err(Error::new(Kind::Internal, "placeholder")) }),
};

/// `[profile.NAME.outscale]` of config.toml.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {}
