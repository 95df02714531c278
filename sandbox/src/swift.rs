//! Cloud Files: one Swift account with containers, plain objects, dynamic and static large objects. Answers follow Swift 2.38.

mod account;

mod listing;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::listing::listing;
use crate::blob::{Blob, md5_hex};
use crate::clock::Moment;
use crate::ids::random_hex;
use crate::shape::Range;
use crate::wire::{Request, Response, percent_decode};

pub(crate) use self::account::{Account, Object};
use self::account::{Content, Missing, manifest};

/// Answers a request below `/v1/<account>` whose token is good; `rest` is what follows, still percent-encoded.
pub(crate) fn handle(
    account: &mut Account,
    rest: &str,
    request: &Request,
    moment: &Moment,
) -> Response {
    let (container, object) = match rest.split_once('/') {
        Some((container, object)) => (percent_decode(container), percent_decode(object)),
        None => (percent_decode(rest), String::new()),
    };
    let response = match (container.is_empty(), object.is_empty()) {
        (true, _) => on_account(account, request, moment),
        (_, true) => on_container(account, &container, request, moment),
        _ => on_object(account, (&container, &object), request, moment),
    };
    traced(response)
}

/// A refusal in Swift's form.
pub(crate) fn refusal(status: u16) -> Response {
    let (title, text) = match status {
        401 => (
            "Unauthorized",
            "This server could not verify that you are authorized to access the document you requested.",
        ),
        403 => ("Forbidden", "Access was denied to this resource."),
        404 => ("Not Found", "The resource could not be found."),
        405 => (
            "Method Not Allowed",
            "The method is not allowed for this resource.",
        ),
        409 => (
            "Conflict",
            "There was a conflict when trying to complete your request.",
        ),
        412 => (
            "Precondition Failed",
            "A precondition for this request was not met.",
        ),
        416 => (
            "Requested Range Not Satisfiable",
            "The Range requested is not available.",
        ),
        500.. => (
            "Service Unavailable",
            "The server is currently unavailable. Please try again at a later time.",
        ),
        _ => ("Accepted", "The request is accepted for processing."),
    };
    html(
        status,
        format!("<html><h1>{title}</h1><p>{text}</p></html>"),
    )
}

/// Adds the transaction id.
pub(crate) fn traced(response: Response) -> Response {
    let id = format!("tx{}-{}", random_hex(21), random_hex(10));
    response
        .header("x-trans-id", id.clone())
        .header("x-openstack-request-id", id)
}

fn html(status: u16, body: String) -> Response {
    Response::new(status)
        .header("content-type", "text/html; charset=UTF-8")
        .body(body)
}

/// A missing thing: with HEAD the body is empty, and so is its announced length.
fn not_found(request: &Request) -> Response {
    if request.method == "HEAD" {
        html(404, String::new())
    } else {
        refusal(404)
    }
}

/// What a container holds at a moment, and how many bytes that is.
fn seen<'a>(
    objects: &'a BTreeMap<String, Object>,
    moment: &Moment,
) -> (Vec<(&'a String, &'a Object)>, u64) {
    let seen: Vec<_> = objects
        .iter()
        .filter(|(_, object)| object.stored_at <= moment.now)
        .collect();
    let bytes = seen.iter().map(|(_, object)| object.bytes).sum();
    (seen, bytes)
}

fn on_account(account: &Account, request: &Request, moment: &Moment) -> Response {
    let (mut all_objects, mut all_bytes, mut containers) = (0, 0, Vec::new());
    for (name, objects) in &account.containers {
        let (seen, bytes) = seen(objects, moment);
        all_objects += seen.len();
        all_bytes += bytes;
        let item = json!({"name": name, "count": seen.len(), "bytes": bytes});
        containers.push((name.as_str(), item));
    }
    let count = containers.len();
    let response = match request.method.as_str() {
        "HEAD" => Response::new(204).header("content-type", "text/plain; charset=utf-8"),
        "GET" => listing(containers.into_iter(), request),
        _ => return refusal(405),
    };
    response
        .header("x-account-container-count", count.to_string())
        .header("x-account-object-count", all_objects.to_string())
        .header("x-account-bytes-used", all_bytes.to_string())
}

fn on_container(account: &mut Account, name: &str, request: &Request, moment: &Moment) -> Response {
    match (request.method.as_str(), account.containers.get(name)) {
        ("PUT", Some(_)) => refusal(202),
        ("PUT", None) => {
            account.containers.insert(name.to_owned(), BTreeMap::new());
            html(201, String::new())
        }
        (_, None) => not_found(request),
        ("POST", Some(_)) => html(204, String::new()),
        ("DELETE", Some(objects)) if !objects.is_empty() => refusal(409),
        ("DELETE", Some(_)) => {
            account.containers.remove(name);
            html(204, String::new())
        }
        ("HEAD" | "GET", Some(objects)) => {
            let (seen, bytes) = seen(objects, moment);
            let response = if request.method == "HEAD" {
                Response::new(204).header("content-type", "text/plain; charset=utf-8")
            } else {
                listing(
                    seen.iter()
                        .map(|(name, object)| (name.as_str(), item(name, object))),
                    request,
                )
            };
            response
                .header("x-container-object-count", seen.len().to_string())
                .header("x-container-bytes-used", bytes.to_string())
                .header("accept-ranges", "bytes")
                .header("x-storage-policy", "Policy-0")
        }
        _ => refusal(405),
    }
}

fn item(name: &str, object: &Object) -> Value {
    json!({
        "bytes": object.bytes, "hash": object.hash, "name": name, "content_type": object.content_type,
        "last_modified": object.modified(),
    })
}

fn on_object(
    account: &mut Account,
    (container, name): (&str, &str),
    request: &Request,
    moment: &Moment,
) -> Response {
    let Some(objects) = account.containers.get_mut(container) else {
        return not_found(request);
    };
    let is_there = objects
        .get(name)
        .is_some_and(|object| object.stored_at <= moment.now);
    match request.method.as_str() {
        "PUT" => {
            let content_type = request
                .header("content-type")
                .unwrap_or("application/octet-stream");
            let object = Object::uploaded(request.body.clone(), content_type, moment.now);
            let etag = object.hash.clone();
            objects.insert(name.to_owned(), object);
            html(201, String::new()).header("etag", etag)
        }
        _ if !is_there => not_found(request),
        "DELETE" => {
            objects.remove(name);
            html(204, String::new())
        }
        "HEAD" | "GET" => download(account, (container, name), request, moment),
        _ => refusal(405),
    }
}

fn download(
    account: &Account,
    (container, name): (&str, &str),
    request: &Request,
    moment: &Moment,
) -> Response {
    let object = &account.containers[container][name];
    let modified = object
        .stored_at
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let describe = |response: Response| {
        let response = match &object.content {
            Content::Manifest { container, prefix } => {
                response.header("x-object-manifest", format!("{container}/{prefix}"))
            }
            Content::Static(_) => response
                .header("x-static-large-object", "True")
                .header("x-manifest-etag", object.hash.clone()),
            _ => response,
        };
        response
            .header("last-modified", modified.clone())
            .header("accept-ranges", "bytes")
    };
    let is_raw = request.param("multipart-manifest").as_deref() == Some("get");
    let mut content_type = object.content_type.clone();
    let (blob, etag) = match account.segments(object, moment.now) {
        None => (object.read(), object.hash.clone()),
        Some(Err(Missing)) => return describe(refusal(409)),
        Some(Ok(segments)) if is_raw => match object.content {
            Content::Static(_) => {
                content_type = "application/json; charset=utf-8".to_owned();
                let manifest = manifest(&segments).to_string();
                let etag = md5_hex(manifest.as_bytes());
                (Blob::from(manifest), etag)
            }
            _ => (object.read(), object.hash.clone()),
        },
        Some(Ok(segments)) => {
            let hashes: String = segments.iter().map(|(_, s)| s.hash.as_str()).collect();
            let parts = segments.iter().map(|(_, segment)| segment.read());
            let etag = format!("\"{}\"", md5_hex(hashes.as_bytes()));
            (Blob::join(parts.collect()), etag)
        }
    };
    let etag = moment.shape.etag.clone().unwrap_or(etag);
    let describe = |response: Response| describe(response).header("etag", etag.clone());
    let unquoted = etag.trim_matches('"');
    if let Some(wanted) = request.header("if-match")
        && wanted != "*"
        && wanted.trim_matches('"') != unquoted
    {
        return describe(html(412, String::new()));
    }
    // If-Range is not looked at, as in Swift itself.
    let total = blob.len();
    let asked = request.header("range").and_then(|text| range(text, total));
    match moment.shape.range(asked, total) {
        Some(Ok((from, to))) => describe(Response::new(206))
            .header("content-type", content_type)
            .header("content-range", format!("bytes {from}-{to}/{total}"))
            .body(blob.slice(from..to + 1)),
        Some(Err(())) => refusal(416).header("content-range", format!("bytes */{total}")),
        None => describe(Response::new(200))
            .header("content-type", content_type)
            .body(blob),
    }
}

/// First and last byte of a single range; `Err` for one past the end, `None` for what is answered whole.
fn range(text: &str, total: u64) -> Range {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    if to.contains(',') {
        return None;
    }
    let last = total.checked_sub(1);
    Some(match (from.parse::<u64>(), to.parse::<u64>(), last) {
        (Ok(from), Ok(to), Some(last)) if from <= to && from <= last => Ok((from, to.min(last))),
        (Ok(from), Err(_), Some(last)) if to.is_empty() && from <= last => Ok((from, last)),
        (Err(_), Ok(count), Some(last)) if from.is_empty() && count > 0 => {
            Ok((total.saturating_sub(count), last))
        }
        (Ok(from), Ok(to), _) if from > to => return None,
        (Err(_), Err(_), _) => return None,
        _ => Err(()),
    })
}

#[cfg(test)]
mod tests;
