//! Cloud Files: one Swift account with containers, plain objects and dynamic large objects.
//!
//! Answers follow Swift 2.38. Of an exported disk image only its label is kept; its bytes are made when asked for.

mod listing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::listing::listing;
use super::vhd::vhd;
use super::wire::{Request, Response, percent_decode};
use super::{Moment, random_hex};

/// The size of a segment of a large export. Real ones are a thousand times larger.
const SEGMENT: usize = 512 * 1024;

/// Containers by name, each with its objects by name.
pub type Containers = BTreeMap<String, BTreeMap<String, Object>>;

/// Everything in an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The account's name in URLs.
    pub name: String,
    /// What it holds.
    pub containers: Containers,
}

/// An object, maybe one that is still being written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    content: Content,
    bytes: u64,
    hash: String,
    content_type: String,
    /// From when on it can be seen.
    stored_at: Timestamp,
}

/// Where an object's bytes come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Content {
    /// Uploaded.
    Bytes(Vec<u8>),
    /// A stretch of a disk image.
    Disk {
        label: String,
        blocks: usize,
        start: usize,
    },
    /// Nothing of its own: the objects of this container and prefix, joined.
    Manifest { container: String, prefix: String },
}

impl Object {
    /// Uploaded bytes.
    pub fn uploaded(bytes: Vec<u8>, content_type: &str, stored_at: Timestamp) -> Self {
        Object {
            bytes: bytes.len() as u64,
            hash: md5_hex(&bytes),
            content: Content::Bytes(bytes),
            content_type: content_type.to_owned(),
            stored_at,
        }
    }

    fn read(&self) -> Vec<u8> {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Disk {
                label,
                blocks,
                start,
            } => vhd(label, *blocks)[*start..*start + self.bytes as usize].to_vec(),
            Content::Manifest { .. } => Vec::new(),
        }
    }
}

impl Account {
    /// An account with these empty containers.
    pub fn with_containers(name: &str, containers: &[&str]) -> Self {
        Account {
            name: name.to_owned(),
            containers: containers
                .iter()
                .map(|name| ((*name).to_owned(), BTreeMap::new()))
                .collect(),
        }
    }

    /// Whether something of this name is stored or being written.
    pub fn holds(&self, container: &str, object: &str) -> bool {
        self.containers
            .get(container)
            .is_some_and(|objects| objects.contains_key(object))
    }

    /// Writes a disk image of so many blocks under this name, done at `end`: whole if it fits a segment,
    /// else as segments that appear one by one from `start` on, and a manifest at the end.
    pub fn export(
        &mut self,
        container: &str,
        name: &str,
        disk: (&str, usize),
        (start, end): (Timestamp, Timestamp),
    ) {
        let Some(objects) = self.containers.get_mut(container) else {
            return;
        };
        let (label, blocks) = disk;
        let image = vhd(label, blocks);
        let object = |start: usize, part: &[u8], stored_at| Object {
            content: Content::Disk {
                label: label.to_owned(),
                blocks,
                start,
            },
            bytes: part.len() as u64,
            hash: md5_hex(part),
            content_type: "application/octet-stream".into(),
            stored_at,
        };
        if image.len() <= SEGMENT {
            objects.insert(name.to_owned(), object(0, &image, end));
            return;
        }
        let count = image.len().div_ceil(SEGMENT);
        let step = end.duration_since(start).checked_div(count as i32 + 1);
        let step = step.unwrap_or_default();
        for (index, part) in image.chunks(SEGMENT).enumerate() {
            let stored_at = start
                .checked_add(step * (index as i32 + 1))
                .unwrap_or(end)
                .min(end);
            objects.insert(
                format!("{name}-{:05}", index + 1),
                object(index * SEGMENT, part, stored_at),
            );
        }
        let mut manifest = Object::uploaded(Vec::new(), "application/octet-stream", end);
        manifest.content = Content::Manifest {
            container: container.to_owned(),
            prefix: format!("{name}-"),
        };
        objects.insert(name.to_owned(), manifest);
    }

    /// The segments that a manifest joins now.
    fn segments(&self, container: &str, prefix: &str, now: Timestamp) -> Vec<&Object> {
        self.containers
            .get(container)
            .into_iter()
            .flatten()
            .filter(|(name, object)| name.starts_with(prefix) && object.stored_at <= now)
            .map(|(_, object)| object)
            .collect()
    }
}

/// Answers a request below `/v1/<account>` whose token is good; `rest` is what follows, still percent-encoded.
pub fn handle(account: &mut Account, rest: &str, request: &Request, moment: &Moment) -> Response {
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
pub fn refusal(status: u16) -> Response {
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
pub fn traced(response: Response) -> Response {
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
    let modified = object
        .stored_at
        .strftime("%Y-%m-%dT%H:%M:%S.%6f")
        .to_string();
    json!({
        "bytes": object.bytes, "hash": object.hash, "name": name, "content_type": object.content_type,
        "last_modified": modified,
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
    let manifest = match &object.content {
        Content::Manifest { container, prefix } => Some((container.as_str(), prefix.as_str())),
        _ => None,
    };
    let is_raw = request.param("multipart-manifest").as_deref() == Some("get");
    let (bytes, etag) = match manifest.filter(|_| !is_raw) {
        None => (object.read(), object.hash.clone()),
        Some((container, prefix)) => {
            let segments = account.segments(container, prefix, moment.now);
            let hashes: String = segments.iter().map(|s| s.hash.as_str()).collect();
            let bytes: Vec<u8> = segments.iter().flat_map(|s| s.read()).collect();
            (bytes, format!("\"{}\"", md5_hex(hashes.as_bytes())))
        }
    };
    let with_manifest = |response: Response| match manifest {
        Some((container, prefix)) => {
            response.header("x-object-manifest", format!("{container}/{prefix}"))
        }
        None => response,
    };
    let modified = object
        .stored_at
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let describe = |response: Response| {
        with_manifest(response)
            .header("etag", etag.clone())
            .header("last-modified", modified.clone())
            .header("accept-ranges", "bytes")
    };
    let unquoted = etag.trim_matches('"');
    if let Some(wanted) = request.header("if-match")
        && wanted != "*"
        && wanted.trim_matches('"') != unquoted
    {
        return describe(html(412, String::new()));
    }
    let total = bytes.len();
    match request.header("range").and_then(|text| range(text, total)) {
        Some(Ok((from, to))) => describe(Response::new(206))
            .header("content-type", object.content_type.clone())
            .header("content-range", format!("bytes {from}-{to}/{total}"))
            .body(&bytes[from..=to]),
        Some(Err(())) => refusal(416).header("content-range", format!("bytes */{total}")),
        None => describe(Response::new(200))
            .header("content-type", object.content_type.clone())
            .body(bytes),
    }
}

/// First and last byte of a single range; `Err` for one past the end, `None` for what is answered whole.
fn range(text: &str, total: usize) -> Option<Result<(usize, usize), ()>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    if to.contains(',') {
        return None;
    }
    let last = total.checked_sub(1);
    Some(match (from.parse::<usize>(), to.parse::<usize>(), last) {
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

fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_swift() {
        for (text, expected) in [
            ("bytes=8-12", Some(Ok((8, 12)))),
            ("bytes=8-", Some(Ok((8, 29)))),
            ("bytes=-4", Some(Ok((26, 29)))),
            ("bytes=20-99", Some(Ok((20, 29)))),
            ("bytes=100-120", Some(Err(()))),
            ("bytes=100-", Some(Err(()))),
            ("bytes=0-1,4-5", None),
            ("bytes=9-3", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(range(text, 30), expected, "{text}");
        }
    }

    #[test]
    fn every_listing_goes_on_after_its_marker() {
        let now = Timestamp::now();
        let mut account = Account::with_containers("a", &["demo", "exports"]);
        account.export("exports", "x.vhd", ("big", 24), (now, now));
        let moment = Moment {
            now,
            duration: super::super::DEFAULT_DURATION,
        };
        for (path, query, names) in [
            ("", "", "demo\nexports\n"),
            ("", "marker=demo", "exports\n"),
            ("", "marker=exports", ""),
            ("exports", "limit=2", "x.vhd\nx.vhd-00001\n"),
            (
                "exports",
                "prefix=x.vhd-&marker=x.vhd-00003",
                "x.vhd-00004\n",
            ),
        ] {
            let request = Request {
                method: "GET".into(),
                path: String::new(),
                query: query.into(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            let listed = handle(&mut account, path, &request, &moment);
            assert_eq!(
                String::from_utf8_lossy(&listed.body),
                names,
                "{path}?{query}"
            );
        }
    }

    #[test]
    fn a_large_export_is_a_manifest_over_segments() {
        let now = Timestamp::now();
        let mut account = Account::with_containers("a", &["exports"]);
        account.export("exports", "x.vhd", ("big", 24), (now, now));
        let moment = Moment {
            now,
            duration: super::super::DEFAULT_DURATION,
        };
        let get = |query: &str, account: &mut Account| {
            let request = Request {
                method: "GET".into(),
                path: String::new(),
                query: query.into(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            handle(account, "exports/x.vhd", &request, &moment)
        };
        let whole = get("", &mut account);
        assert_eq!(whole.body, vhd("big", 24));
        let raw = get("multipart-manifest=get", &mut account);
        assert!(raw.body.is_empty());
        assert!(
            account.containers["exports"].len() > 3,
            "segments and manifest"
        );
        let objects = account.containers.get_mut("exports").expect("a container");
        objects.remove("x.vhd-00002").expect("a second segment");
        let corrupt = get("", &mut account);
        assert_eq!(
            corrupt.status, 200,
            "a lost segment is not noticed by Swift"
        );
        assert!(corrupt.body.len() < whole.body.len());
    }
}
