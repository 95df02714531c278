//! The variables of OpenStack's clients, which an `openrc` file sets together: whether they go with credentials from elsewhere.

use std::borrow::Cow;

use super::identity::is_rackspace;
use super::login::Found;
use super::names::*;
use crate::http::is_loopback;
use crate::secret::Url;
use crate::settings::Sources;

/// How their names begin.
const PREFIX: &str = "OS_";
/// Any of them says who logs in at `OS_AUTH_URL`.
const LOGINS: [&str; 5] = [
    OS_USERNAME,
    OS_USER_ID,
    OS_APPLICATION_CREDENTIAL_ID,
    OS_TOKEN,
    OS_AUTH_TOKEN,
];

/// Where credentials are from, as far as it matters for which variables go with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    /// The variables of OpenStack's clients.
    Openrc,
    /// Other variables.
    Environment,
    /// A profile or a file.
    File,
}

/// The settings that go with credentials from there.
pub(super) fn own(sources: &Sources, kin: Kin) -> Cow<'_, Sources> {
    match kin {
        Kin::Openrc => Cow::Borrowed(sources),
        Kin::Environment | Kin::File => apart(sources),
    }
}

/// The settings without these variables, where they are another cloud's. A secret that is not theirs must not be sent there,
/// and what they say of projects, regions and addresses is not meant for it.
pub(super) fn apart(sources: &Sources) -> Cow<'_, Sources> {
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
    let text = sources.var(OS_AUTH_URL)?.trim();
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
pub(super) fn warn_of_auth_url(sources: &Sources, found: &Found) {
    let bare = |url: &str| url.trim().trim_end_matches('/').to_owned();
    let own = found.own_auth_url.as_ref().or(found.auth_url.as_ref());
    let is_decisive = match (sources.var(OS_AUTH_URL), own) {
        (Some(url), Some((own, _))) => found.own_auth_url.is_none() && bare(url) != bare(own),
        (url, None) => url.is_some(),
        (None, Some(_)) => false,
    };
    let kin = found.kin;
    if !is_decisive || kin == Kin::Openrc {
        return;
    }
    match (foreign_login(sources), kin) {
        (Some(login), _) => tracing::warn!(
            "{OS_AUTH_URL} and the other {PREFIX} variables are not used: with {login} they are another cloud's, and the \
             credentials are from {} (unset {login} if {OS_AUTH_URL} is meant for them)",
            found.origin
        ),
        (None, Kin::File) => tracing::warn!(
            "the credentials from {} are sent where {OS_AUTH_URL} says",
            found.origin
        ),
        (None, _) => {}
    }
}
