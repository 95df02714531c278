//! Credentials in the environment, in the names of the tools that people come from.

use super::login::{Access, Found, IdOrName, Login, Place, Proof, half};
use super::names::*;
use super::openrc::{self, Kin};
use crate::error::Result;
use crate::secret::Secret;
use crate::settings::{Origin, Sources};

/// Where half of a pair is.
const ENVIRONMENT: Origin = Origin::Rule("the environment");

/// Pairs of token and image endpoint: the names of Rackspace's guide, then those of the glance client.
const TOKEN_PAIRS: [(&str, &str, Kin); 2] = [
    (AUTH_TOKEN, API_ENDPOINT, Kin::Environment),
    (OS_AUTH_TOKEN, OS_IMAGE_URL, Kin::Openrc),
];

/// The names that one tool uses for a login.
struct Family {
    kin: Kin,
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
        kin: Kin::Environment,
        user: RAX_USERNAME,
        secrets: &[RAX_API_KEY],
        region: RAX_REGION,
        auth_url: None,
    },
    Family {
        kin: Kin::Openrc,
        user: OS_USERNAME,
        secrets: &[OS_API_KEY, OS_PASSWORD],
        region: RAX_REGION,
        auth_url: None,
    },
    Family {
        kin: Kin::Environment,
        user: RS_USERNAME,
        secrets: &[RS_API_KEY],
        region: RS_REGION_NAME,
        auth_url: Some(RS_AUTH_URL),
    },
    Family {
        kin: Kin::Environment,
        user: CF_USERNAME,
        secrets: &[CF_API_KEY],
        region: CF_REGION,
        auth_url: None,
    },
];

/// The region that goes with credentials of the environment, and its variable.
pub(super) fn region(sources: &Sources, own: &'static str) -> Option<(String, Origin)> {
    let names = [own, RAX_REGION, OS_REGION_NAME, CLOUD_REGION];
    let (name, region) = sources.first_var(&names)?;
    Some((region.to_owned(), Origin::Variable(name)))
}

/// Tokens with their endpoints, then logins, then what is only a token: its name is so common that it may belong to something else.
pub(super) fn places(sources: &Sources) -> impl Iterator<Item = Place<'_>> {
    let tokens = TOKEN_PAIRS.into_iter();
    let tokens =
        tokens.filter_map(|(token, endpoint, kin)| of_token(sources, token, endpoint, kin));
    let logins = FAMILIES.iter().filter_map(|family| family.place(sources));
    let halves = TOKEN_PAIRS.into_iter().filter_map(|(token, endpoint, _)| {
        sources.var(token)?;
        let error = half(token, endpoint, ENVIRONMENT);
        Some(Place::broken(Origin::Variable(token), error))
    });
    tokens.chain(logins).chain(halves)
}

fn of_token<'s>(
    sources: &'s Sources,
    token: &'static str,
    endpoint: &'static str,
    kin: Kin,
) -> Option<Place<'s>> {
    let (secret, url) = (sources.var(token)?, sources.var(endpoint)?);
    let origin = Origin::Pair(token, endpoint);
    let who = Some("a token".to_owned());
    Some(Place::new(origin.clone(), who, move || {
        let sources = &*openrc::own(sources, kin);
        let tenant = sources.first_var(&[TENANT_ID, OS_TENANT_ID, OS_PROJECT_ID]);
        let tenant = tenant.map(|(_, tenant)| tenant.to_owned());
        Ok(Found {
            kin,
            images: Some((url.to_owned(), Origin::Variable(endpoint))),
            region: region(sources, RAX_REGION),
            ..Found::new(Access::Token(Secret::new(secret), tenant), origin)
        })
    }))
}

impl Family {
    fn place<'s>(&'static self, sources: &'s Sources) -> Option<Place<'s>> {
        let names = self.secrets.iter().chain([&self.user]);
        names.copied().find_map(|name| sources.var(name))?;
        if self.kin == Kin::Openrc && is_secret_of_cloud(sources) {
            return None;
        }
        let user = sources.var(self.user).map(str::to_owned);
        let origin = Origin::Variable(self.user);
        Some(Place::new(origin, user, || self.load(sources)))
    }

    fn load(&self, sources: &Sources) -> Result<Found> {
        let secret = sources.first_var(self.secrets);
        let (user, (name, secret)) = match (sources.var(self.user), secret) {
            (Some(user), Some(secret)) => (user, secret),
            (None, Some((name, _))) => return Err(half(name, self.user, ENVIRONMENT)),
            (_, None) => return Err(half(self.user, &self.secrets.join(" or "), ENVIRONMENT)),
        };
        let secret = Secret::new(secret);
        let origin = Origin::Pair(self.user, name);
        let sources = &*openrc::own(sources, self.kin);
        let proof = match name {
            OS_PASSWORD if sources.var(OS_AUTH_SYSTEM) == Some("rackspace") => {
                Proof::Either(secret)
            }
            OS_PASSWORD => Proof::Password(secret),
            _ => Proof::ApiKey(secret),
        };
        let either = |ids: &[&'static str], names| either(sources, ids, names);
        let login = Login {
            user: user.to_owned(),
            proof,
            tenant: either(
                &[OS_TENANT_ID, OS_PROJECT_ID],
                &[OS_TENANT_NAME, OS_PROJECT_NAME],
            ),
            domain: either(
                &[OS_USER_DOMAIN_ID, OS_DOMAIN_ID],
                &[OS_USER_DOMAIN_NAME, OS_DOMAIN_NAME],
            ),
            project_domain: either(
                &[OS_PROJECT_DOMAIN_ID, OS_DOMAIN_ID],
                &[OS_PROJECT_DOMAIN_NAME, OS_DOMAIN_NAME],
            ),
        };
        let auth_url = |name| Some((sources.var(name)?.to_owned(), Origin::Variable(name)));
        Ok(Found {
            kin: self.kin,
            region: region(sources, self.region),
            own_auth_url: self.auth_url.and_then(auth_url),
            ..Found::new(Access::Login(login), origin)
        })
    }
}

/// The cloud that `OS_CLOUD` names. Python's clients take `envvars` for the variables themselves.
pub(super) fn cloud_variable(sources: &Sources) -> Option<&str> {
    sources.var(OS_CLOUD).filter(|name| *name != "envvars")
}

/// Whether what stands in `OS_PASSWORD` belongs to a cloud of `clouds.yaml`: one is named, and no user beside it.
pub(super) fn is_secret_of_cloud(sources: &Sources) -> bool {
    sources.var(OS_USERNAME).is_none() && cloud_variable(sources).is_some()
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
