//! The cloud's word, and its section of `config.toml`.

use serde::Deserialize;

use crate::secret::Secret;
use crate::task::ProviderId;

/// This cloud's word on the command line and in JSON.
pub const ID: ProviderId = ProviderId("outscale");

/// `[profile.NAME.outscale]` of config.toml.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Such as `eu-west-2`.
    pub(crate) region: Option<String>,
    /// Access key id.
    pub(crate) access_key: Option<String>,
    /// Secret key; or see `secret_key_command`.
    pub(crate) secret_key: Option<Secret>,
    /// A command whose first line of output is the secret key.
    pub(crate) secret_key_command: Option<Vec<String>>,
    /// The API, with or without scheme and `/api/v1`.
    pub(crate) endpoint: Option<String>,
    /// The object store.
    pub(crate) object_endpoint: Option<String>,
}
