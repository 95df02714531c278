//! The cloud's word, and its section of `config.toml`.

use serde::Deserialize;

use crate::secret::Secret;
use crate::task::ProviderId;

/// This cloud's word on the command line and in JSON.
pub const ID: ProviderId = ProviderId("rackspace");

/// `[profile.NAME.rackspace]` of config.toml.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Such as `DFW`; without it, the account's default.
    pub(crate) region: Option<String>,
    /// Who logs in.
    pub(crate) username: Option<String>,
    /// With this API key,
    pub(crate) api_key: Option<Secret>,
    /// or the one this command prints,
    pub(crate) api_key_command: Option<Vec<String>>,
    /// or this password,
    pub(crate) password: Option<Secret>,
    /// or the one this command prints.
    pub(crate) password_command: Option<Vec<String>>,
    /// Another identity service than Rackspace's; one that ends in `/v3` speaks Keystone v3.
    pub(crate) auth_url: Option<String>,
    /// `internal`: objects are read within Rackspace's own network (ServiceNet).
    pub(crate) interface: Option<String>,
}
