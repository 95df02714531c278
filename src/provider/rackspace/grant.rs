//! What a login grants: a token, how long it is good, and the services it opens.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identity::text;
use crate::error::{Error, Result};
use crate::secret::{Secret, clean};

/// How long before its end a token is replaced.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// A token that is said to live shorter than this, or to have ended already, is used until it is refused.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_mins(1);

/// What a login grants.
#[derive(Clone, Debug)]
pub struct Grant {
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
pub struct Endpoint {
    /// `image` or `object-store`.
    pub kind: String,
    /// The service's name, such as `cloudImages`.
    pub name: String,
    /// Its region; some have none.
    pub region: Option<String>,
    /// Its public address.
    pub url: String,
}

impl Grant {
    /// A token that somebody else got.
    pub fn of_token(token: Secret, tenant: Option<String>) -> Self {
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
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.renew_at.is_none_or(|renew_at| now < renew_at)
    }

    /// The grant, good until `expires`. That is by the server's clock, which need not go as ours does: only the span counts.
    pub fn ending(
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
    pub fn usual_region(&self) -> Result<String> {
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

    /// The address of a service in a region: by type and name, else by type. `None` without any of this type.
    ///
    /// A region that none of them is in is a `usage` error that names those there are.
    pub fn endpoint(&self, kind: &str, name: &str, region: &str) -> Result<Option<&str>> {
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
            return Ok(Some(&endpoint.url));
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
    pub fn add(&mut self, service: &Value, region: Option<String>, url: Option<String>) {
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
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn grant(endpoints: &[(&str, &str, Option<&str>, &str)]) -> Grant {
        let mut grant = Grant::of_token(Secret::new("t"), None);
        grant.endpoints = endpoints
            .iter()
            .map(|(kind, name, region, url)| Endpoint {
                kind: (*kind).into(),
                name: (*name).into(),
                region: region.map(str::to_owned),
                url: (*url).into(),
            })
            .collect();
        grant
    }

    #[test]
    fn services_are_found_by_type_and_name_and_region() {
        let grant = grant(&[
            ("image", "other", Some("DFW"), "wrong"),
            ("image", "cloudImages", Some("DFW"), "dfw"),
            ("image", "cloudImages", Some("IAD"), "iad"),
            ("object-store", "swift", None, "files"),
        ]);
        for (kind, name, region, url) in [
            ("image", "cloudImages", "dfw", Some("dfw")),
            ("image", "cloudImages", "IAD", Some("iad")),
            ("image", "glance", "DFW", Some("wrong")),
            ("object-store", "cloudFiles", "DFW", Some("files")),
            ("compute", "nova", "DFW", None),
        ] {
            let found = grant
                .endpoint(kind, name, region)
                .expect("a region there is");
            assert_eq!(found, url, "{kind} {name} {region}");
        }
        let error = grant
            .endpoint("image", "cloudImages", "LON")
            .expect_err("a UK region");
        assert_eq!(error.kind, Kind::Usage);
        assert_eq!(error.details.hints, ["its regions are: DFW, IAD".into()]);
    }

    #[test]
    fn a_token_is_replaced_in_its_last_hour_and_a_short_one_halfway() {
        let ours = Timestamp::UNIX_EPOCH;
        let after = |minutes: i64| ours + SignedDuration::from_mins(minutes);
        for skew in [0, -3 * 24 * 60, 3 * 24 * 60] {
            for (life, fresh_at, stale_at) in [(24 * 60, 22 * 60, 23 * 60), (30, 14, 15)] {
                let expires = Some(after(skew + life));
                let grant = grant(&[]).ending(expires, after(skew), ours);
                assert!(grant.is_fresh(after(fresh_at)), "{life} min, clock {skew}");
                assert!(!grant.is_fresh(after(stale_at)), "{life} min, clock {skew}");
            }
        }
        let is_kept = |grant: &Grant| grant.is_fresh(after(i64::from(i32::MAX)));
        assert!(is_kept(&grant(&[])), "a token that is not ours");
    }

    #[test]
    fn a_token_whose_end_makes_no_sense_is_good_until_it_is_refused() {
        let now = Timestamp::now();
        for (expires, server) in [
            (Some(Timestamp::MIN), now),
            (Some(Timestamp::MIN), Timestamp::MAX),
            (Some(Timestamp::MAX), Timestamp::MIN),
            (Some(now), now),
            (None, now),
        ] {
            let grant = grant(&[]).ending(expires, server, now);
            assert_eq!(grant.renew_at, None, "{expires:?} by {server}");
        }
    }

    #[test]
    fn the_usual_region_is_the_accounts_or_the_only_one() {
        let both = [
            ("image", "cloudImages", Some("DFW"), "dfw"),
            ("image", "cloudImages", Some("IAD"), "iad"),
        ];
        assert_eq!(grant(&both[..1]).usual_region(), Ok("DFW".to_owned()));
        let error = grant(&both).usual_region().expect_err("two");
        assert_eq!(error.kind, Kind::Usage);
        assert!(
            error.details.hints[0].to_string().ends_with("DFW, IAD"),
            "{error:?}"
        );
        let mut told = grant(&both);
        told.default_region = Some("IAD".into());
        assert_eq!(told.usual_region(), Ok("IAD".to_owned()));
    }
}
