//! Logging in: Identity v2.0 and Keystone v3, and what a login grants.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::credentials::{Login, Proof, Tenant};
use super::errors::{parse_time, refusal};
use crate::error::{Error, Kind, Result};
use crate::provider::http::{Http, Reply, Request};
use crate::secret::Secret;

/// How long before its end a token is replaced.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// Which protocol an identity service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Rackspace's own.
    V2,
    /// OpenStack's.
    V3,
}

/// Where to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityUrl {
    /// Ends in `/v2.0` or `/v3`.
    pub base: Url,
    /// The protocol.
    pub version: Version,
}

impl IdentityUrl {
    /// Makes one form of the many that people write: with or without version, `/tokens`, trailing slash.
    pub fn normalise(mut base: Url, prefers_v3: bool) -> Self {
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix("/tokens").unwrap_or(path);
        let path = path.strip_suffix("/auth").unwrap_or(path).to_owned();
        let (path, version) = if path.ends_with("/v3") {
            (path, Version::V3)
        } else if path.ends_with("/v2.0") {
            (path, Version::V2)
        } else if prefers_v3 {
            (format!("{path}/v3"), Version::V3)
        } else {
            (format!("{path}/v2.0"), Version::V2)
        };
        base.set_path(&path);
        base.set_query(None);
        IdentityUrl { base, version }
    }

    fn tokens(&self) -> Url {
        let mut url = self.base.clone();
        let call = match self.version {
            Version::V2 => "tokens",
            Version::V3 => "auth/tokens",
        };
        url.set_path(&format!("{}/{call}", self.base.path()));
        url
    }

    /// Whether Rackspace runs it.
    pub fn is_rackspace(&self) -> bool {
        is_rackspace(&self.base)
    }
}

/// Whether a URL's host is one of Rackspace's.
pub fn is_rackspace(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host.ends_with(".rackspacecloud.com"))
}

/// What a login grants.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Goes with every request.
    pub token: Secret,
    /// From when on the token is better replaced; `None`: never, it is not ours.
    pub renew_at: Option<Timestamp>,
    /// When the token ends.
    pub expires: Option<Timestamp>,
    /// The account number or project.
    pub tenant: Option<String>,
    /// The region of those who name none.
    pub default_region: Option<String>,
    /// The services we use.
    pub endpoints: Vec<Endpoint>,
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
            expires: None,
            tenant,
            default_region: None,
            endpoints: Vec::new(),
        }
    }

    /// Whether the token has enough of its life before it. An export goes on writing with it.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.renew_at.is_none_or(|renew_at| now < renew_at)
    }

    fn ending(mut self, expires: Option<Timestamp>, now: Timestamp) -> Self {
        self.expires = expires;
        self.renew_at = expires.map(|expires| {
            // A token that lives for minutes is used for half its life, not never.
            let life = expires.duration_since(now);
            expires - RENEW_BEFORE.min(life / 2).max(SignedDuration::ZERO)
        });
        self
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
            crate::secret::clean(region)
        ))
        .hint(format!("its regions are: {}", regions.join(", "))))
    }
}

/// Logs in. A transient failure is tried again a few times; nothing is executed by a login.
pub async fn login(http: &Http, identity: &IdentityUrl, login: &Login) -> Result<Grant> {
    let (first, second) = match &login.proof {
        Proof::ApiKey(secret) => (Form::ApiKey(secret), None),
        Proof::Password(secret) => (Form::Password(secret), None),
        Proof::Either(secret) => (Form::ApiKey(secret), Some(Form::Password(secret))),
    };
    let result = send(http, identity, login, &first).await;
    let result = match (result, second) {
        (Err(error), Some(second))
            if error.kind == Kind::Credentials && identity.version == Version::V2 =>
        {
            send(http, identity, login, &second).await
        }
        (result, _) => result,
    };
    result.map_err(|mut error| {
        // Whatever wanted to log in has not been sent.
        error.details.maybe_executed = false;
        error
    })
}

/// A secret in one of the forms of Identity v2.0.
enum Form<'a> {
    ApiKey(&'a Secret),
    Password(&'a Secret),
}

async fn send(
    http: &Http,
    identity: &IdentityUrl,
    login: &Login,
    form: &Form<'_>,
) -> Result<Grant> {
    let body = match identity.version {
        Version::V2 => v2_body(login, form),
        Version::V3 => v3_body(login, form, identity.is_rackspace()),
    };
    let parse = |reply: Reply| {
        if !reply.is_success() {
            return Err(refused(&reply, identity, &login.user));
        }
        match identity.version {
            Version::V2 => v2_grant(&reply),
            Version::V3 => v3_grant(&reply),
        }
    };
    http.read(|| post(identity, &body), parse).await
}

/// The catalogue that belongs to a token one already has (Identity v2.0 only).
pub async fn catalogue_of(
    http: &Http,
    identity: &IdentityUrl,
    token: &Secret,
    tenant: &str,
) -> Result<Vec<Endpoint>> {
    let body = json!({"auth": {"tenantId": tenant, "token": {"id": token.expose()}}});
    let parse = |reply: Reply| {
        if !reply.is_success() {
            return Err(refusal(&reply, "The token's service catalogue was refused"));
        }
        v2_grant(&reply).map(|grant| grant.endpoints)
    };
    http.read(|| post(identity, &body), parse).await
}

fn post(identity: &IdentityUrl, body: &Value) -> Result<Request> {
    Ok(Request::new("login", Method::POST, identity.tokens())
        .header("content-type", "application/json")?
        .header("accept", "application/json")?
        .body(body.to_string()))
}

fn refused(reply: &Reply, identity: &IdentityUrl, user: &str) -> Error {
    let mut error = refusal(reply, format!("The login of '{user}' was refused"));
    match reply.status {
        // Such as a disabled user: no role will help.
        403 => {
            error.kind = Kind::Credentials;
            error.details.hints.clear();
        }
        404 => {
            error.kind = Kind::Provider;
            return error.hint(format!(
                "there is no identity service at {}; set OS_AUTH_URL (one that ends in /v3 speaks Keystone v3)",
                identity.base
            ));
        }
        _ => {}
    }
    if error.kind == Kind::Credentials && error.details.hints.is_empty() {
        return error.hint("check user name, key and OS_AUTH_URL; snapexport list rackspace -v shows where they come from");
    }
    error
}

fn v2_body(login: &Login, form: &Form) -> Value {
    let mut auth = match form {
        Form::ApiKey(key) => {
            json!({"RAX-KSKEY:apiKeyCredentials": {"username": login.user, "apiKey": key.expose()}})
        }
        Form::Password(word) => {
            json!({"passwordCredentials": {"username": login.user, "password": word.expose()}})
        }
    };
    match &login.tenant {
        Some(Tenant::Id(id)) => auth["tenantId"] = json!(id),
        Some(Tenant::Name(name)) => auth["tenantName"] = json!(name),
        None => {}
    }
    json!({"auth": auth})
}

fn v3_body(login: &Login, form: &Form, is_rackspace: bool) -> Value {
    let (Form::ApiKey(secret) | Form::Password(secret)) = form;
    let usual = if is_rackspace {
        "rackspace_cloud_domain"
    } else {
        "Default"
    };
    let domain = json!({"name": login.domain.as_deref().unwrap_or(usual)});
    let user = json!({"name": login.user, "domain": domain, "password": secret.expose()});
    let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
    match &login.tenant {
        Some(Tenant::Id(id)) => auth["scope"] = json!({"project": {"id": id}}),
        Some(Tenant::Name(name)) => {
            auth["scope"] = json!({"project": {"name": name, "domain": domain}});
        }
        None => {}
    }
    json!({"auth": auth})
}

pub(super) fn v2_grant(reply: &Reply) -> Result<Grant> {
    let body = json_of(reply)?;
    let access = &body["access"];
    let token = text(&access["token"], "id").ok_or_else(|| strange(reply))?;
    let mut grant = Grant::of_token(Secret::new(token), text(&access["token"]["tenant"], "id"));
    grant.default_region = text(&access["user"], "RAX-AUTH:defaultRegion");
    for service in list(&access["serviceCatalog"]) {
        for endpoint in list(&service["endpoints"]) {
            grant.add(
                service,
                text(endpoint, "region"),
                text(endpoint, "publicURL"),
            );
        }
    }
    Ok(grant.ending(
        text(&access["token"], "expires").and_then(|t| parse_time(&t)),
        clock(reply),
    ))
}

pub(super) fn v3_grant(reply: &Reply) -> Result<Grant> {
    let body = json_of(reply)?;
    let id = reply
        .header("x-subject-token")
        .ok_or_else(|| strange(reply))?;
    let token = &body["token"];
    let mut grant = Grant::of_token(Secret::new(id), text(&token["project"], "id"));
    for service in list(&token["catalog"]) {
        for endpoint in list(&service["endpoints"]) {
            if endpoint["interface"] == "public" {
                let region = text(endpoint, "region_id").or_else(|| text(endpoint, "region"));
                grant.add(service, region, text(endpoint, "url"));
            }
        }
    }
    Ok(grant.ending(
        text(token, "expires_at").and_then(|t| parse_time(&t)),
        clock(reply),
    ))
}

impl Grant {
    fn add(&mut self, service: &Value, region: Option<String>, url: Option<String>) {
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

/// The server's clock, against which it counts a token's life.
fn clock(reply: &Reply) -> Timestamp {
    reply.date().unwrap_or_else(Timestamp::now)
}

fn json_of(reply: &Reply) -> Result<Value> {
    serde_json::from_slice(&reply.body).map_err(|_| strange(reply))
}

fn strange(reply: &Reply) -> Error {
    // The body may hold a token: it is not quoted.
    Error::new(Kind::Provider, "The answer to the login holds no token")
        .cause(format!("HTTP {}", reply.status))
        .hint("check OS_AUTH_URL; a proxy may stand before it")
}

fn text(value: &Value, member: &str) -> Option<String> {
    let text = value.get(member)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_urls_are_accepted_in_every_form_people_write() {
        for (written, prefers_v3, base, version) in [
            ("https://h/v2.0", false, "https://h/v2.0", Version::V2),
            ("https://h/v2.0/", false, "https://h/v2.0", Version::V2),
            (
                "https://h/v2.0/tokens",
                false,
                "https://h/v2.0",
                Version::V2,
            ),
            ("https://h", false, "https://h/v2.0", Version::V2),
            ("https://h/", true, "https://h/v3", Version::V3),
            ("https://h/v3", false, "https://h/v3", Version::V3),
            (
                "https://h/identity/v3/auth/tokens",
                false,
                "https://h/identity/v3",
                Version::V3,
            ),
        ] {
            let url = IdentityUrl::normalise(Url::parse(written).expect("a URL"), prefers_v3);
            assert_eq!(
                (url.base.as_str(), url.version),
                (base, version),
                "{written}"
            );
        }
    }

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
        assert_eq!(error.details.hints, ["its regions are: DFW, IAD"]);
    }

    #[test]
    fn a_token_is_replaced_in_its_last_hour_and_a_short_one_halfway() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |minutes: i64| now + SignedDuration::from_mins(minutes);
        for (life, fresh_at, stale_at) in [(24 * 60, 22 * 60, 23 * 60), (30, 14, 15)] {
            let grant = grant(&[]).ending(Some(after(life)), now);
            assert!(grant.is_fresh(after(fresh_at)), "life of {life} min");
            assert!(!grant.is_fresh(after(stale_at)), "life of {life} min");
        }
        assert!(
            grant(&[]).is_fresh(after(i64::from(i32::MAX))),
            "a token that is not ours"
        );
    }
}
