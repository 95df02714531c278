//! The cloud's word, and its section of `config.toml`.

use serde::Deserialize;

use crate::secret::Secret;
use crate::task::ProviderId;

/// This cloud's word on the command line and in JSON.
pub const ID: ProviderId = ProviderId("lightsail");

/// `[profile.NAME.lightsail]` of config.toml: `aws_profile`, or a key pair of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Such as `eu-west-3`.
    pub(crate) region: Option<String>,
    /// A profile of the shared AWS files.
    pub(crate) aws_profile: Option<String>,
    /// Access key id.
    pub(crate) access_key: Option<String>,
    /// Secret access key.
    pub(crate) secret_key: Option<Secret>,
    /// A command that prints the secret access key.
    pub(crate) secret_key_command: Option<Vec<String>>,
    /// Session token of temporary keys.
    pub(crate) session_token: Option<Secret>,
    /// Another address than the region's own.
    pub(crate) endpoint: Option<String>,
}
