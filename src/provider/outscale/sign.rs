//! A key pair of OUTSCALE, and what is signed with it.

use std::time::SystemTime;

use aws_credential_types::Credentials;

use crate::error::Result;
use crate::http::Request;
use crate::provider::sigv4;
use crate::secret::Secret;

/// The service name in the scope of API calls. The cloud does not pin it; this is what the official command line sends.
pub(super) const API: &str = "api";
/// The service name of the object store.
pub(super) const OBJECT_STORE: &str = sigv4::OBJECT_STORE;

/// An access key and its secret.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keys {
    /// Access key id, 20 characters. Not a secret.
    pub id: String,
    /// Secret key, 40 characters.
    pub secret: Secret,
}

/// The request with its `Authorization`. Every header it carries is signed, `Content-Type` too.
pub(super) fn sign(
    request: Request,
    keys: &Keys,
    region: &str,
    service: &str,
    at: SystemTime,
) -> Result<Request> {
    let identity = Credentials::new(&keys.id, keys.secret.expose(), None, None, "snapexport");
    sigv4::sign(request, identity, region, service, at)
}

#[cfg(test)]
mod tests;
