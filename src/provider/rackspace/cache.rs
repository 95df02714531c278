//! Tokens kept between runs, as Rackspace asks its clients to (logins are rate-limited): one file a login.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use aws_sigv4::sign::v4::calculate_signature;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::grant::{Endpoint, Grant};
use super::identity::IdentityUrl;
use super::login::{IdOrName, Login};
use crate::secret::Secret;
use crate::settings::private_file::{is_private, private_file, private_folders};

/// Where one login's token is kept.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    path: PathBuf,
    key: String,
    secret: Secret,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    /// See [`proof`].
    proof: String,
    token: String,
    renew_at: Timestamp,
    tenant: Option<String>,
    default_region: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    endpoints: Vec<Endpoint>,
}

impl Cache {
    /// The place for a login's token in this directory: by URL, user and tenant.
    pub(super) fn of(directory: &Path, identity: &IdentityUrl, login: &Login) -> Self {
        let tenant = login.tenant.as_ref().map_or("", IdOrName::as_str);
        let named = |it: &Option<IdOrName>| it.as_ref().map_or("", IdOrName::as_str).to_owned();
        let domains = [&login.domain, &login.project_domain].map(named).join("/");
        let key = [identity.base.as_str(), &login.user, tenant, &domains].join("\n");
        Cache {
            path: directory.join(format!("rackspace-{:016x}.json", fnv1a(&key))),
            key,
            secret: login.proof.secret().clone(),
        }
    }

    /// The token, if there is one that only its owner can read, that this login's secret got, and that need not be replaced yet.
    pub(super) fn load(&self, now: Timestamp) -> Option<Grant> {
        let text = self.read_private()?;
        let Ok(kept) = serde_json::from_str::<Kept>(&text) else {
            tracing::info!(
                "rackspace: the kept token in {} is damaged",
                self.path.display()
            );
            return None;
        };
        if kept.key != self.key || now >= kept.renew_at {
            return None;
        }
        if kept.proof != proof(&kept.token, &self.secret) {
            tracing::info!(
                "rackspace: the token in {} was got with another secret",
                self.path.display()
            );
            return None;
        }
        tracing::info!("rackspace: token from {}", self.path.display());
        Some(Grant {
            token: Secret::new(kept.token),
            renew_at: Some(kept.renew_at),
            tenant: kept.tenant,
            default_region: kept.default_region,
            roles: kept.roles,
            endpoints: kept.endpoints,
            is_kept: true,
        })
    }

    /// Keeps a token whose end is known. A failure only costs the next run a login.
    pub(super) fn store(&self, grant: &Grant) {
        if let Err(error) = self.try_store(grant) {
            tracing::info!(
                "rackspace: the token cannot be kept in {}: {error}",
                self.path.display()
            );
        }
    }

    fn try_store(&self, grant: &Grant) -> std::io::Result<()> {
        let Some(renew_at) = grant.renew_at else {
            return Ok(());
        };
        let kept = Kept {
            key: self.key.clone(),
            proof: proof(grant.token.expose(), &self.secret),
            token: grant.token.expose().to_owned(),
            renew_at,
            tenant: grant.tenant.clone(),
            default_region: grant.default_region.clone(),
            roles: grant.roles.clone(),
            endpoints: grant.endpoints.clone(),
        };
        if let Some(directory) = self.path.parent() {
            private_folders().create(directory)?;
        }
        // Another process may do the same: a name of our own, then one step into place.
        let new = self
            .path
            .with_extension(format!("{}.new", std::process::id()));
        let _ = std::fs::remove_file(&new);
        let mut file = private_file().create_new(true).open(&new)?;
        file.write_all(serde_json::to_string(&kept)?.as_bytes())?;
        std::fs::rename(&new, &self.path)
    }

    fn read_private(&self) -> Option<String> {
        let mut file = File::open(&self.path).ok()?;
        if !is_private(&file) {
            tracing::info!(
                "rackspace: {} can be read by others and is not used",
                self.path.display()
            );
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        Some(text)
    }
}

/// By which secret a token was got: a wrong or a replaced one must not pass because a token is kept.
///
/// HMAC-SHA256 with the token as its key, which is as good as a random salt. Cut to 16 bits, so that whoever comes by the
/// file cannot find a password by trying: thousands would fit.
fn proof(token: &str, secret: &Secret) -> String {
    let mut proof = calculate_signature(token, secret.expose().as_bytes());
    proof.truncate(4);
    proof
}

/// A hash that stays the same between versions of the compiler (FNV-1a, 64 bit). The key inside the file guards against collisions.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
