//! Logging in: Identity v2.0 and Keystone v3.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::errors::{parse_time, refusal};
use super::grant::{Endpoint, Grant, text};
use super::login::{IdOrName, Login, Proof};
use crate::error::{Error, Hint, Kind, Reason, Result};
use crate::http::{Http, Reply, Request};
use crate::secret::{Secret, Url};

/// Which protocol an identity service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Rackspace's own.
    V2,
    /// OpenStack's.
    V3,
}

/// Where to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdentityUrl {
    /// Ends in `/v2.0` or `/v3`.
    pub base: Url,
    /// The protocol.
    pub version: Version,
}

impl IdentityUrl {
    /// Makes one form of the many that people write: with or without version, `/tokens`, trailing slash.
    pub(super) fn normalise(mut base: Url, prefers_v3: bool) -> Self {
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
    pub(super) fn is_rackspace(&self) -> bool {
        is_rackspace(&self.base)
    }
}

/// Whether a URL's host is one of Rackspace's.
pub(super) fn is_rackspace(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host.ends_with(".rackspacecloud.com"))
}

/// Logs in. A transient failure is tried again a few times; nothing is executed by a login.
pub(super) async fn login(http: &Http, identity: &IdentityUrl, login: &Login) -> Result<Grant> {
    let (first, second) = match &login.proof {
        // One is often put where the other belongs; pyrax tries both.
        Proof::ApiKey(secret) | Proof::Either(secret) => {
            (Form::ApiKey(secret), Some(Form::Password(secret)))
        }
        Proof::Password(secret) => (Form::Password(secret), Some(Form::ApiKey(secret))),
        Proof::Token(secret) => (Form::Token(secret), None),
        Proof::Application { secret, name } if identity.version == Version::V3 => {
            (Form::Application(secret, name.as_deref()), None)
        }
        Proof::Application { .. } => {
            return Err(Error::usage(format!(
                "An application credential is for Keystone v3, and {} is not",
                identity.base
            ))
            .hint("let auth_url end in /v3"));
        }
    };
    let result = send(http, identity, login, &first).await;
    let result = match (result, second) {
        (Err(error), Some(second))
            if error.is_because(Reason::WrongSecret) && identity.version == Version::V2 =>
        {
            let again = send(http, identity, login, &second).await;
            // Of the two, the refusal is what is to be mended.
            again.map_err(|again| match again.kind {
                Kind::Credentials => error.cause(format!(
                    "it was sent as {} and as {}",
                    first.what(),
                    second.what()
                )),
                _ => error,
            })
        }
        (result, _) => result,
    };
    result.map_err(|mut error| {
        // Whatever wanted to log in has not been sent.
        error.details.maybe_executed = false;
        error
    })
}

/// A secret in one of the forms that identity services take.
enum Form<'a> {
    ApiKey(&'a Secret),
    Password(&'a Secret),
    Token(&'a Secret),
    /// With its name, where the user is not its id. Keystone v3 only.
    Application(&'a Secret, Option<&'a str>),
}

impl Form<'_> {
    fn what(&self) -> &'static str {
        match self {
            Form::ApiKey(_) => "an API key",
            Form::Password(_) => "a password",
            Form::Token(_) => "a token",
            Form::Application(..) => "an application credential",
        }
    }
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
            Version::V3 => {
                let grant = v3_grant(&reply)?;
                // A user who has a project of its own is logged in to that.
                let is_adrift = grant.tenant.is_none() && login.names_no_project();
                if grant.endpoints.is_empty() && is_adrift {
                    return Err(no_project(&login.user));
                }
                Ok(grant)
            }
        }
    };
    http.read(|| post(identity, &body), parse).await
}

/// Keystone v3 knows whose the login is, and not what it is for: its answer has no services.
fn no_project(user: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("The login of '{user}' named no project, so the cloud says nothing of its services"),
    )
    .hint("name one: OS_PROJECT_NAME (or OS_PROJECT_ID) in the environment, project_name below auth in clouds.yaml")
}

/// The catalogue that belongs to a token one already has (Identity v2.0 only).
pub(super) async fn catalogue_of(
    http: &Http,
    identity: &IdentityUrl,
    token: &Secret,
    tenant: &str,
) -> Result<Vec<Endpoint>> {
    let body = json!({"auth": {"tenantId": tenant, "token": {"id": token.expose()}}});
    let parse = |reply: Reply| {
        if !reply.is_success() {
            let sentence = "The token's service catalogue cannot be read";
            return Err(refusal(&reply, sentence));
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
    let outcome = match reply.status {
        413 | 429 | 500..=599 => "could not be done now",
        _ => "was refused",
    };
    let mut error = refusal(reply, format!("The login of '{user}' {outcome}"));
    match reply.status {
        // Such as a disabled user: no role will help.
        403 if error.kind == Kind::Permission => {
            error.kind = Kind::Credentials;
            error.details.hints.clear();
        }
        404 => {
            error.kind = Kind::Provider;
            error.details.hints.clear();
            return error.hint(format!(
                "there is no identity service at {}; set OS_AUTH_URL (one that ends in /v3 speaks Keystone v3)",
                identity.base
            ));
        }
        _ => {}
    }
    if reply.status == 401 && error.details.hints.is_empty() {
        error = error.because(Reason::WrongSecret);
    }
    if error.kind == Kind::Credentials && error.details.hints.is_empty() {
        return error.hint(
            Hint::say("check user name, key and OS_AUTH_URL; ")
                .and_run("snapexport list rackspace -v")
                .and(" shows where they come from"),
        );
    }
    error
}

fn v2_body(login: &Login, form: &Form) -> Value {
    let mut auth = match form {
        Form::ApiKey(key) => {
            json!({"RAX-KSKEY:apiKeyCredentials": {"username": login.user, "apiKey": key.expose()}})
        }
        Form::Password(word) | Form::Application(word, _) => {
            json!({"passwordCredentials": {"username": login.user, "password": word.expose()}})
        }
        Form::Token(token) => json!({"token": {"id": token.expose()}}),
    };
    match &login.tenant {
        Some(IdOrName::Id(id)) => auth["tenantId"] = json!(id),
        Some(IdOrName::Name(name)) => auth["tenantName"] = json!(name),
        None => {}
    }
    json!({"auth": auth})
}

fn v3_body(login: &Login, form: &Form, is_rackspace: bool) -> Value {
    let usual = if is_rackspace {
        "rackspace_cloud_domain"
    } else {
        "Default"
    };
    let usual = json!({"name": usual});
    let domain = login.domain.as_ref().map_or(usual, reference);
    let owner = json!({"name": login.user, "domain": domain});
    let (method, proof) = match form {
        Form::ApiKey(secret) | Form::Password(secret) => {
            let mut user = owner;
            user["password"] = json!(secret.expose());
            ("password", json!({"user": user}))
        }
        Form::Token(token) => ("token", json!({"id": token.expose()})),
        Form::Application(secret, None) => (
            "application_credential",
            json!({"id": login.user, "secret": secret.expose()}),
        ),
        Form::Application(secret, Some(name)) => (
            "application_credential",
            json!({"name": name, "secret": secret.expose(), "user": owner}),
        ),
    };
    let mut auth = json!({"identity": {"methods": [method], method: proof}});
    let domain = login.project_domain.as_ref().map_or(domain, reference);
    match &login.tenant {
        Some(IdOrName::Id(id)) => auth["scope"] = json!({"project": {"id": id}}),
        Some(IdOrName::Name(name)) => {
            auth["scope"] = json!({"project": {"name": name, "domain": domain}});
        }
        None => {}
    }
    json!({"auth": auth})
}

/// A domain as Keystone v3 writes it.
fn reference(domain: &IdOrName) -> Value {
    match domain {
        IdOrName::Id(id) => json!({"id": id}),
        IdOrName::Name(name) => json!({"name": name}),
    }
}

pub(super) fn v2_grant(reply: &Reply) -> Result<Grant> {
    let body = json_of(reply)?;
    let access = &body["access"];
    let token = text(&access["token"], "id").ok_or_else(|| strange(reply))?;
    let mut grant = Grant::of_token(Secret::new(token), text(&access["token"]["tenant"], "id"));
    grant.default_region = text(&access["user"], "RAX-AUTH:defaultRegion");
    grant.roles = roles(&access["user"]);
    for service in list(&access["serviceCatalog"]) {
        for endpoint in list(&service["endpoints"]) {
            grant.add(
                service,
                text(endpoint, "region"),
                text(endpoint, "publicURL"),
                text(endpoint, "internalURL"),
            );
        }
    }
    Ok(grant.ending(
        text(&access["token"], "expires").and_then(|t| parse_time(&t)),
        clock(reply),
        Timestamp::now(),
    ))
}

pub(super) fn v3_grant(reply: &Reply) -> Result<Grant> {
    let body = json_of(reply)?;
    let id = reply
        .header("x-subject-token")
        .ok_or_else(|| strange(reply))?;
    let token = &body["token"];
    let mut grant = Grant::of_token(Secret::new(id), text(&token["project"], "id"));
    grant.roles = roles(token);
    for service in list(&token["catalog"]) {
        for endpoint in list(&service["endpoints"]) {
            if endpoint["interface"] == "public" {
                let region = v3_region(endpoint);
                let is_internal =
                    |other: &&Value| other["interface"] == "internal" && v3_region(other) == region;
                let internal = list(&service["endpoints"]).iter().find(is_internal);
                let internal = internal.and_then(|endpoint| text(endpoint, "url"));
                grant.add(service, region, text(endpoint, "url"), internal);
            }
        }
    }
    Ok(grant.ending(
        text(token, "expires_at").and_then(|t| parse_time(&t)),
        clock(reply),
        Timestamp::now(),
    ))
}

fn v3_region(endpoint: &Value) -> Option<String> {
    text(endpoint, "region_id").or_else(|| text(endpoint, "region"))
}

fn roles(holder: &Value) -> Vec<String> {
    let roles = list(&holder["roles"]).iter();
    roles.filter_map(|role| text(role, "name")).collect()
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

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
