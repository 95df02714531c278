//! Identity v2.0 as Rackspace runs it, and as much of Keystone v3 as clients need to log in.

use serde_json::{Map, Value, json};

use super::{
    API_KEY, FILES_TENANT, Moment, PASSWORD, REGION, State, TENANT, USER_ID, USERNAME, json_object,
    origin, stamp,
};
use crate::ids::random_uuid;
use crate::wire::{Request, Response};

/// `POST /v2.0/tokens`: by API key, by password, or the catalogue for a token.
pub(crate) fn v2(state: &mut State, request: &Request, moment: &Moment) -> Response {
    if request.method != "POST" {
        return fault(405, "badMethod", "Method Not Allowed");
    }
    let Some(auth) = json_object(&request.body).and_then(|body| match body.get("auth") {
        Some(Value::Object(auth)) if body.len() == 1 => Some(auth.clone()),
        _ => None,
    }) else {
        return unreadable();
    };
    let tenant = match (auth.get("tenantId"), auth.get("tenantName")) {
        (Some(_), Some(_)) => {
            return fault(
                400,
                "badRequest",
                "Invalid request. Specify tenantId OR tenantName, not both.",
            );
        }
        (id, name) => id.or(name),
    };
    if let Some(tenant) = tenant.filter(|tenant| *tenant != TENANT && *tenant != FILES_TENANT) {
        let name = tenant.as_str().unwrap_or_default();
        return fault(
            401,
            "unauthorized",
            &format!(
                "Tenant with Name/Id: '{name}' is not valid for User '{USERNAME}' (id: '{USER_ID}')"
            ),
        );
    }
    let way = match proof(&auth) {
        Some(Proof::Token(token)) if state.is_good_token(token, moment.now) => "PASSWORD",
        Some(Proof::Key(USERNAME, API_KEY)) => "APIKEY",
        Some(Proof::Password(USERNAME, PASSWORD)) => "PASSWORD",
        Some(Proof::Token(_)) => return fault(404, "itemNotFound", "Token not found."),
        Some(_) => {
            return fault(
                401,
                "unauthorized",
                "Unable to authenticate user with credentials provided.",
            );
        }
        None => return unreadable(),
    };
    let (token, expires) = state.token(moment.now);
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    Response::json(
        200,
        &json!({"access": {
            "token": {
                "id": token, "expires": expires, "tenant": {"id": TENANT, "name": TENANT},
                "RAX-AUTH:authenticatedBy": [way],
            },
            "serviceCatalog": catalogue_v2(&origin(request)),
            "user": {
                "id": USER_ID, "name": USERNAME, "RAX-AUTH:defaultRegion": REGION,
                "roles": [
                    {"id": "3", "name": "identity:user-admin", "description": "User Admin Role."},
                    {"id": "5", "name": "object-store:default", "tenantId": FILES_TENANT,
                     "description": "A Role that allows a user access to keystone Service methods"},
                ],
            },
        }}),
    )
}

/// How a request wants to prove who it is.
enum Proof<'a> {
    Key(&'a str, &'a str),
    Password(&'a str, &'a str),
    Token(&'a str),
}

fn proof(auth: &Map<String, Value>) -> Option<Proof<'_>> {
    let texts = |member: &str, first: &str, second: &str| {
        let object = auth.get(member)?.as_object()?;
        Some((object.get(first)?.as_str()?, object.get(second)?.as_str()?))
    };
    let key = texts("RAX-KSKEY:apiKeyCredentials", "username", "apiKey");
    let password = texts("passwordCredentials", "username", "password");
    match (key, password, auth.get("token")) {
        (Some((user, key)), None, None) => Some(Proof::Key(user, key)),
        (None, Some((user, password)), None) => Some(Proof::Password(user, password)),
        // Rackspace's form needs the tenant beside the token.
        (None, None, Some(token))
            if auth.contains_key("tenantId") || auth.contains_key("tenantName") =>
        {
            Some(Proof::Token(token.get("id")?.as_str()?))
        }
        _ => None,
    }
}

fn catalogue_v2(origin: &str) -> Value {
    let images = format!("{origin}/v2");
    let files = format!("{origin}/v1/{FILES_TENANT}");
    json!([
        {"name": "cloudServersOpenStack", "type": "compute", "endpoints": [
            {"region": REGION, "tenantId": TENANT, "publicURL": format!("{origin}/compute/{TENANT}")}]},
        {"name": "cloudServers", "type": "compute", "endpoints": [
            {"tenantId": TENANT, "publicURL": format!("{origin}/first-generation/{TENANT}")}]},
        {"name": "cloudImages", "type": "image", "endpoints": [
            {"region": REGION, "tenantId": TENANT, "publicURL": images}]},
        {"name": "cloudFilesCDN", "type": "rax:object-cdn", "endpoints": [
            {"region": REGION, "tenantId": FILES_TENANT, "publicURL": format!("{origin}/cdn/{FILES_TENANT}")}]},
        {"name": "cloudFiles", "type": "object-store", "endpoints": [
            {"region": REGION, "tenantId": FILES_TENANT, "publicURL": files,
             // From outside its region it leads nowhere.
             "internalURL": format!("https://snet-storage101.dfw1.invalid/v1/{FILES_TENANT}")}]},
    ])
}

/// `POST /v3/auth/tokens`: by password (an API key counts as one), or by token.
pub(crate) fn v3(state: &mut State, request: &Request, moment: &Moment) -> Response {
    if request.method != "POST" {
        return keystone_error(405, "Method Not Allowed", "The method is not allowed.");
    }
    let Some(body) = json_object(&request.body).map(Value::Object) else {
        return keystone_error(
            400,
            "Bad Request",
            "Expecting to find valid JSON in request body.",
        );
    };
    let identity = &body["auth"]["identity"];
    let user = &identity["password"]["user"];
    let is_user = user["name"] == USERNAME
        && (user["domain"]["name"].is_string() || user["domain"]["id"].is_string())
        || user["id"] == USER_ID;
    let secret = user["password"].as_str().unwrap_or_default();
    let project = &body["auth"]["scope"]["project"];
    let is_project =
        project.is_null() || [&project["id"], &project["name"]].contains(&&json!(TENANT));
    let is_known = match identity["methods"][0].as_str() {
        Some("password") => is_user && [API_KEY, PASSWORD].contains(&secret),
        Some("token") => identity["token"]["id"]
            .as_str()
            .is_some_and(|token| state.is_good_token(token, moment.now)),
        _ => false,
    };
    if !is_known || !is_project {
        let uri = format!("Keystone uri=\"{}/v3\"", origin(request));
        return keystone_error(
            401,
            "Unauthorized",
            "The request you have made requires authentication.",
        )
        .header("www-authenticate", uri);
    }
    let (token, expires) = state.token(moment.now);
    let origin = origin(request);
    let endpoint = |url: String| {
        json!([{"id": "367eb89f9bfa4338a6b65215fb4acf4f", "interface": "public", "region_id": REGION,
                "url": url, "region": REGION}])
    };
    let domain = json!({"id": "default", "name": "Default"});
    let body = json!({"token": {
        "methods": identity["methods"],
        "user": {"domain": domain, "id": USER_ID, "name": USERNAME, "password_expires_at": null},
        "audit_ids": ["ZzZzZzZzQ0aKkKkKkKkKkA"],
        "expires_at": stamp(expires).replace('Z', ".000000Z"),
        "issued_at": stamp(moment.now).replace('Z', ".000000Z"),
        "project": {"domain": domain, "id": TENANT, "name": TENANT},
        "is_domain": false,
        "roles": [{"id": "83cdb202e91e4583b744077f13750436", "name": "member"}],
        "catalog": [
            {"type": "identity", "name": "keystone", "id": "06ba8a15e2f34c63ae88583900b6ca51",
             "endpoints": endpoint(format!("{origin}/v3"))},
            // Stock OpenStack leaves the version out.
            {"type": "image", "name": "cloudImages", "id": "1ddfe6ee82194bd2a5c6d6413fa38030",
             "endpoints": endpoint(origin.clone())},
            {"type": "object-store", "name": "cloudFiles", "id": "7dfda22418e34132a4e1d937f76bc3cb",
             "endpoints": endpoint(format!("{origin}/v1/{FILES_TENANT}"))},
        ],
    }});
    keystone(Response::json(201, &body)).header("x-subject-token", token)
}

/// The version documents that clients look at before they log in.
pub(crate) fn version(request: &Request, id: &str) -> Response {
    let href = format!("{}/{id}/", origin(request));
    let (number, status) = match id {
        "v3" => ("v3.14", "stable"),
        other => (other, "CURRENT"),
    };
    keystone(Response::json(
        200,
        &json!({"version": {
            "id": number, "status": status, "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": href}],
            "media-types": [{"base": "application/json", "type": format!("application/vnd.openstack.identity-{id}+json")}],
        }}),
    ))
}

/// What stands behind none of the services.
pub(crate) fn unknown_path() -> Response {
    Response::new(404)
        .header("content-type", "text/html; charset=utf-8")
        .body("<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n")
}

fn unreadable() -> Response {
    fault(
        400,
        "badRequest",
        "Invalid request body: unable to parse Auth data. Please review XML or JSON formatting.",
    )
}

/// A refusal in the form of Identity v2.0 and of the proxy before it.
pub(crate) fn fault(status: u16, name: &str, message: &str) -> Response {
    Response::json(status, &json!({name: {"code": status, "message": message}}))
}

fn keystone_error(status: u16, title: &str, message: &str) -> Response {
    keystone(Response::json(
        status,
        &json!({"error": {"code": status, "message": message, "title": title}}),
    ))
}

fn keystone(response: Response) -> Response {
    response
        .header("vary", "X-Auth-Token")
        .header("x-openstack-request-id", format!("req-{}", random_uuid()))
}
