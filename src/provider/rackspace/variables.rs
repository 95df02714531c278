//! Credentials in the environment, in the names of the tools that people come from.

use super::credentials::{Access, IdOrName, Login, Proof};
use super::openrc;
use super::origins::{Found, Place, half};
use crate::error::Result;
use crate::secret::Secret;
use crate::settings::Sources;

/// Pairs of token and image endpoint: the names of Rackspace's guide, then those of the glance client.
pub(super) const TOKEN_PAIRS: [(&str, &str); 2] = [
    ("AUTH_TOKEN", "API_ENDPOINT"),
    ("OS_AUTH_TOKEN", "OS_IMAGE_URL"),
];

/// The names that one tool uses for a login.
struct Family {
    user: &'static str,
    secrets: &'static [&'static str],
    /// Its own name for the region, before the common ones.
    region: &'static str,
    /// Its own name for where to log in.
    auth_url: Option<&'static str>,
}

/// Ansible and pyrax; OpenStack's clients; Rackspace's `rack`; swiftly.
const FAMILIES: [Family; 4] = [
    Family {
        user: "RAX_USERNAME",
        secrets: &["RAX_API_KEY"],
        region: "RAX_REGION",
        auth_url: None,
    },
    Family {
        user: "OS_USERNAME",
        secrets: &["OS_API_KEY", "OS_PASSWORD"],
        region: "RAX_REGION",
        auth_url: None,
    },
    Family {
        user: "RS_USERNAME",
        secrets: &["RS_API_KEY"],
        region: "RS_REGION_NAME",
        auth_url: Some("RS_AUTH_URL"),
    },
    Family {
        user: "CF_USERNAME",
        secrets: &["CF_API_KEY"],
        region: "CF_REGION",
        auth_url: None,
    },
];

/// The region that goes with credentials of the environment, and its variable.
pub fn region(sources: &Sources, own: &'static str) -> Option<(String, String)> {
    let names = [own, "RAX_REGION", "OS_REGION_NAME", "CLOUD_REGION"];
    let (name, region) = sources.first_var(&names)?;
    Some((region.to_owned(), name.to_owned()))
}

/// A token with its endpoint, else a login.
pub fn find(sources: &Sources) -> Result<Option<Found>> {
    for (token, endpoint) in TOKEN_PAIRS {
        if let (Some(secret), Some(url)) = (sources.var(token), sources.var(endpoint)) {
            let place = place_of(token);
            let sources = &*place.own(sources);
            let tenant = sources.first_var(&["TENANT_ID", "OS_TENANT_ID", "OS_PROJECT_ID"]);
            let tenant = tenant.map(|(_, tenant)| tenant.to_owned());
            let access = Access::Token(Secret::new(secret), tenant);
            let mut found = Found::new(access, format!("{token} and {endpoint}"), place);
            found.images = Some((url.to_owned(), endpoint.to_owned()));
            found.region = region(sources, "RAX_REGION");
            return Ok(Some(found));
        }
    }
    for family in &FAMILIES {
        if let Some(found) = family.find(sources)? {
            return Ok(Some(found));
        }
    }
    // Only now: a token's name is so common that it may belong to something else.
    for (token, endpoint) in TOKEN_PAIRS {
        if sources.var(token).is_some() {
            return Err(half(token, endpoint, "the environment"));
        }
    }
    Ok(None)
}

impl Family {
    fn find(&self, sources: &Sources) -> Result<Option<Found>> {
        let secret = sources.first_var(self.secrets);
        let (user, (name, secret)) = match (sources.var(self.user), secret) {
            (Some(user), Some(secret)) => (user, secret),
            (Some(_), None) => {
                let lacks = self.secrets.join(" or ");
                return Err(half(self.user, &lacks, "the environment"));
            }
            (None, Some((name, _))) => return Err(half(name, self.user, "the environment")),
            (None, None) => return Ok(None),
        };
        let secret = Secret::new(secret);
        let place = place_of(self.user);
        let sources = &*place.own(sources);
        let proof = match name {
            "OS_PASSWORD" if sources.var("OS_AUTH_SYSTEM") == Some("rackspace") => {
                Proof::Either(secret)
            }
            "OS_PASSWORD" => Proof::Password(secret),
            _ => Proof::ApiKey(secret),
        };
        let login = Login {
            user: user.to_owned(),
            proof,
            tenant: either(
                sources,
                &["OS_TENANT_ID", "OS_PROJECT_ID"],
                &["OS_TENANT_NAME", "OS_PROJECT_NAME"],
            ),
            domain: either(sources, &["OS_USER_DOMAIN_ID"], &["OS_USER_DOMAIN_NAME"]),
            project_domain: either(
                sources,
                &["OS_PROJECT_DOMAIN_ID"],
                &["OS_PROJECT_DOMAIN_NAME"],
            ),
        };
        let mut found = Found::new(
            Access::Login(login),
            format!("{} and {name}", self.user),
            place,
        );
        found.region = region(sources, self.region);
        found.own_auth_url = self
            .auth_url
            .and_then(|name| Some((sources.var(name)?.to_owned(), name.to_owned())));
        Ok(Some(found))
    }
}

/// OpenStack's names have its prefix, and no other tool's do.
fn place_of(variable: &str) -> Place {
    if variable.starts_with(openrc::PREFIX) {
        Place::Openrc
    } else {
        Place::Environment
    }
}

/// An id, else a name: sending both is refused.
fn either(sources: &Sources, ids: &[&'static str], names: &[&'static str]) -> Option<IdOrName> {
    let id = sources.first_var(ids);
    let id = id.map(|(_, text)| IdOrName::Id(text.to_owned()));
    id.or_else(|| {
        let name = sources.first_var(names);
        name.map(|(_, text)| IdOrName::Name(text.to_owned()))
    })
}
