//! The variables of OpenStack's clients, which an `openrc` file sets together: whether they go with credentials from elsewhere.

use std::borrow::Cow;

use super::identity::is_rackspace;
use super::origins::{Found, Place};
use crate::http::is_loopback;
use crate::secret::Url;
use crate::settings::Sources;

/// How their names begin.
pub const PREFIX: &str = "OS_";
/// Where to log in.
pub const AUTH_URL: &str = "OS_AUTH_URL";
/// Any of them says who logs in there.
const LOGINS: [&str; 5] = [
    "OS_USERNAME",
    "OS_USER_ID",
    "OS_APPLICATION_CREDENTIAL_ID",
    "OS_TOKEN",
    "OS_AUTH_TOKEN",
];

impl Place {
    /// The settings that go with credentials from here.
    pub fn own(self, sources: &Sources) -> Cow<'_, Sources> {
        match self {
            Place::Openrc => Cow::Borrowed(sources),
            Place::Environment | Place::File => apart(sources),
        }
    }
}

/// The settings without these variables, where they are another cloud's. A secret that is not theirs must not be sent there,
/// and what they say of projects, regions and addresses is not meant for it.
pub fn apart(sources: &Sources) -> Cow<'_, Sources> {
    if foreign_login(sources).is_none() {
        return Cow::Borrowed(sources);
    }
    Cow::Owned(Sources {
        env: sources.env.without(PREFIX),
        ..sources.clone()
    })
}

/// The variable that names the user of another cloud, whose address `OS_AUTH_URL` is. Without such a user the address is an
/// override by itself. On this machine stand simulations and proxies.
fn foreign_login(sources: &Sources) -> Option<&'static str> {
    let text = sources.var(AUTH_URL)?.trim();
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let is_ours = Url::parse(&full).is_ok_and(|url| is_rackspace(&url) || is_loopback(&url));
    let (name, _) = sources.first_var(&LOGINS).filter(|_| !is_ours)?;
    Some(name)
}

/// Says where credentials from elsewhere go because of `OS_AUTH_URL`, or why they do not.
pub fn warn_of_auth_url(sources: &Sources, found: &Found) {
    let bare = |url: &str| url.trim().trim_end_matches('/').to_owned();
    let own = found.own_auth_url.as_ref().or(found.auth_url.as_ref());
    let is_decisive = match (sources.var(AUTH_URL), own) {
        (Some(url), Some((own, _))) => found.own_auth_url.is_none() && bare(url) != bare(own),
        (url, None) => url.is_some(),
        (None, Some(_)) => false,
    };
    if !is_decisive || found.place == Place::Openrc {
        return;
    }
    match (foreign_login(sources), found.place) {
        (Some(login), _) => tracing::warn!(
            "{AUTH_URL} and the other {PREFIX} variables are not used: with {login} they are another cloud's, and the \
             credentials are from {} (unset {login} if {AUTH_URL} is meant for them)",
            found.origin
        ),
        (None, Place::File) => tracing::warn!(
            "the credentials from {} are sent where {AUTH_URL} says",
            found.origin
        ),
        (None, _) => {}
    }
}
