//! What a login grants: a token, how long it is good, and the services it opens.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::secret::{Secret, clean};

/// How long before its end a token is replaced.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// A token that is said to live shorter than this, or to have ended already, is used until it is refused.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_mins(1);

/// What a login grants.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// Goes with every request.
    pub token: Secret,
    /// By our clock, from when on the token is better replaced; `None`: once it is refused.
    pub renew_at: Option<Timestamp>,
    /// The account number or project.
    pub tenant: Option<String>,
    /// The region of those who name none.
    pub default_region: Option<String>,
    /// What the user may do, by the names of its roles; empty where that was not told.
    pub roles: Vec<String>,
    /// The services we use.
    pub endpoints: Vec<Endpoint>,
    /// Whether it is from an earlier run, without a login in this one.
    pub is_kept: bool,
}

/// A service in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Endpoint {
    /// `image` or `object-store`.
    pub kind: String,
    /// The service's name, such as `cloudImages`.
    pub name: String,
    /// Its region; some have none.
    pub region: Option<String>,
    /// Its public address.
    pub url: String,
    /// Its address within the cloud's own network (ServiceNet), where it has one.
    #[serde(default)]
    pub internal: Option<String>,
}

impl Grant {
    /// A token that somebody else got.
    pub(super) fn of_token(token: Secret, tenant: Option<String>) -> Self {
        Grant {
            token,
            renew_at: None,
            tenant,
            default_region: None,
            roles: Vec::new(),
            endpoints: Vec::new(),
            is_kept: false,
        }
    }

    /// Whether the token has enough of its life before it. An export goes on writing with it.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.renew_at.is_none_or(|renew_at| now < renew_at)
    }

    /// The grant, good until `expires`. That is by the server's clock, which need not go as ours does: only the span counts.
    pub(super) fn ending(
        mut self,
        expires: Option<Timestamp>,
        server: Timestamp,
        ours: Timestamp,
    ) -> Self {
        self.renew_at = expires.and_then(|expires| {
            let life = expires.duration_since(server);
            if life < SHORTEST_LIFE {
                return None;
            }
            // A token that lives for minutes is used for half its life, not never.
            let use_for = life.checked_sub(RENEW_BEFORE.min(life / 2))?;
            ours.checked_add(use_for).ok()
        });
        self
    }

    /// The region of those who name none: the account's default, or the only one with images.
    pub(super) fn usual_region(&self) -> Result<String> {
        if let Some(region) = &self.default_region {
            return Ok(region.clone());
        }
        let images = self.endpoints.iter().filter(|e| e.kind == "image");
        let mut regions: Vec<&str> = images.filter_map(|e| e.region.as_deref()).collect();
        regions.sort_unstable();
        regions.dedup();
        match regions[..] {
            [only] => Ok(only.to_owned()),
            _ => Err(
                Error::usage("The region is not known: the account has no default one")
                    .hint(format!("use --region with one of: {}", regions.join(", "))),
            ),
        }
    }

    /// The endpoint of a service in a region: by type and name, else by type. `None` without any of this type.
    ///
    /// A region that none of them is in is a `usage` error that names those there are.
    pub(super) fn endpoint(
        &self,
        kind: &str,
        name: &str,
        region: &str,
    ) -> Result<Option<&Endpoint>> {
        let of_kind: Vec<&Endpoint> = self.endpoints.iter().filter(|e| e.kind == kind).collect();
        let mut chosen: Vec<&Endpoint> =
            of_kind.iter().copied().filter(|e| e.name == name).collect();
        if chosen.is_empty() {
            chosen = of_kind;
        }
        let is_here = |e: &&&Endpoint| {
            e.region
                .as_deref()
                .is_some_and(|r| r.eq_ignore_ascii_case(region))
        };
        let everywhere = || chosen.iter().find(|e| e.region.is_none());
        if let Some(endpoint) = chosen.iter().find(is_here).or_else(everywhere) {
            return Ok(Some(endpoint));
        }
        if chosen.is_empty() {
            return Ok(None);
        }
        let mut regions: Vec<&str> = chosen.iter().filter_map(|e| e.region.as_deref()).collect();
        regions.sort_unstable();
        regions.dedup();
        Err(Error::usage(format!(
            "This account has no {kind} service in the region '{}'",
            clean(region)
        ))
        .hint(format!("its regions are: {}", regions.join(", "))))
    }
}

impl Grant {
    /// Takes up an endpoint of a service of the catalogue, if it is of those we use.
    pub(super) fn add(
        &mut self,
        service: &Value,
        region: Option<String>,
        url: Option<String>,
        internal: Option<String>,
    ) {
        let kind = text(service, "type").unwrap_or_default();
        let Some(url) = url.filter(|_| ["image", "object-store"].contains(&kind.as_str())) else {
            return;
        };
        let name = text(service, "name").unwrap_or_default();
        self.endpoints.push(Endpoint {
            kind,
            name,
            region,
            url,
            internal,
        });
    }
}

/// A member that is text and not empty.
pub(super) fn text(value: &Value, member: &str) -> Option<String> {
    let text = value.get(member)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
