//! OUTSCALE Object Storage: S3, path-style. What lies there follows from the export tasks.

mod list;

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};

use crate::blob::{Blob, md5_hex};
use crate::clock::Moment;
use crate::disk::packed;
use crate::ids::random_hex;
use crate::outscale::{State, Task, key};
use crate::shape::Shape;
use crate::signature::{AWS4, claim};
use crate::wire::{Request, Response, range};
use crate::{World, disk};

/// S3 refuses dates that are further off.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// What else of a bucket S3 clients ask for in the query. It is not simulated, and not to be taken for a list.
const SUBRESOURCES: [&str; 8] = [
    "acl",
    "cors",
    "lifecycle",
    "location",
    "policy",
    "tagging",
    "uploads",
    "versioning",
];

/// Answers a request to the object store.
pub(crate) fn handle(world: &mut World, request: &Request, moment: &Moment) -> Response {
    serve(&mut world.outscale, request, moment)
        .unwrap_or_else(|refusal| refusal)
        .header("x-amz-request-id", random_hex(16).to_uppercase())
}

fn serve(state: &mut State, request: &Request, moment: &Moment) -> Result<Response, Response> {
    let account = authenticate(request, moment)?;
    let path = request.decoded_path();
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
    let method = request.method.as_str();
    if bucket.is_empty() {
        return match method {
            "GET" => Ok(list_buckets(state, account)),
            _ => Err(not_allowed()),
        };
    }
    if object.is_empty() && method == "PUT" {
        return create_bucket(state, account, bucket);
    }
    match state.buckets.get(bucket) {
        None => {
            return Err(refuse(
                404,
                "NoSuchBucket",
                "The specified bucket does not exist",
            ));
        }
        Some(owner) if owner != account => {
            return Err(refuse(403, "AccessDenied", "Access Denied"));
        }
        Some(_) => {}
    }
    if SUBRESOURCES
        .iter()
        .any(|name| request.param(name).is_some())
    {
        let message = "A header you provided implies functionality that is not implemented";
        return Err(refuse(501, "NotImplemented", message));
    }
    match (method, object) {
        ("HEAD", "") => Ok(Response::new(200)),
        ("GET", "") => list::list(bucket, objects(state, bucket, moment), request, moment),
        ("HEAD" | "GET", _) => get_object(state, bucket, object, request, moment),
        _ => Err(not_allowed()),
    }
}

/// The account whose key signed the request.
fn authenticate(request: &Request, moment: &Moment) -> Result<&'static str, Response> {
    let claim = claim(request, &[AWS4])
        .filter(|claim| claim.service == "s3")
        .ok_or_else(|| refuse(403, "AccessDenied", "Access Denied"))?;
    let (account, secret) = key(&claim.access_key).ok_or_else(|| {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        refuse(403, "InvalidAccessKeyId", message)
    })?;
    if request.header("x-amz-content-sha256").is_none() {
        let message = "Missing required header for this request: x-amz-content-sha256";
        return Err(refuse(400, "InvalidRequest", message));
    }
    if !claim.is_signed_with(secret, request) {
        let message =
            "The request signature we calculated does not match the signature you provided.";
        return Err(refuse(403, "SignatureDoesNotMatch", message));
    }
    if moment.ahead(claim.signed_at).abs() > MAX_SKEW {
        let message = "The difference between the request time and the current time is too large.";
        return Err(refuse(403, "RequestTimeTooSkewed", message));
    }
    Ok(account)
}

fn list_buckets(state: &State, account: &str) -> Response {
    let buckets: String = state
        .buckets
        .iter()
        .filter(|(_, owner)| *owner == account)
        .map(|(name, _)| {
            let date = "2026-01-10T02:00:00.000Z";
            format!("<Bucket><Name>{name}</Name><CreationDate>{date}</CreationDate></Bucket>")
        })
        .collect();
    let owner = format!("<Owner><ID>{account}</ID><DisplayName>{account}</DisplayName></Owner>");
    let inside = format!("{owner}<Buckets>{buckets}</Buckets>");
    xml(200, document("ListAllMyBucketsResult", &inside))
}

fn create_bucket(state: &mut State, account: &str, bucket: &str) -> Result<Response, Response> {
    let is_good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_good) {
        let message = "The specified bucket is not valid.";
        return Err(refuse(400, "InvalidBucketName", message));
    }
    match state.buckets.get(bucket) {
        Some(owner) if owner == account => Err(refuse(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        )),
        Some(_) => Err(refuse(
            409,
            "BucketAlreadyExists",
            "The requested bucket name is not available.",
        )),
        None => {
            state.buckets.insert(bucket.to_owned(), account.to_owned());
            Ok(Response::new(200).header("location", format!("/{bucket}")))
        }
    }
}

/// The tasks whose objects lie in a bucket, by key: those that are completed.
fn objects<'s>(state: &'s State, bucket: &str, moment: &Moment) -> Vec<(String, &'s Task)> {
    let mut objects: Vec<(String, &Task)> = state
        .tasks
        .iter()
        .filter(|task| task.bucket == bucket && task.at(moment).state == "completed")
        .map(|task| (task.key(), task))
        .collect();
    objects.sort_by(|(a, _), (b, _)| a.cmp(b));
    objects
}

/// `HeadObject` and `GetObject`, with `Range`, `If-Match` and `If-Range`.
fn get_object(
    state: &State,
    bucket: &str,
    name: &str,
    request: &Request,
    moment: &Moment,
) -> Result<Response, Response> {
    let objects = objects(state, bucket, moment);
    let Some((_, task)) = objects.iter().find(|(key, _)| key == name) else {
        return Err(refuse(
            404,
            "NoSuchKey",
            "The specified key does not exist.",
        ));
    };
    let content = content(task, &moment.shape);
    let etag = moment.shape.etag.as_deref().unwrap_or(&content.etag);
    let bare = |text: &str| text.trim_matches('"').to_owned();
    let is_this = |value: &str| value == "*" || bare(value) == bare(etag);
    // What has quotes already is meant as it is: a weak one, say.
    let etag = match etag.contains('"') {
        true => etag.to_owned(),
        false => format!("\"{etag}\""),
    };
    if request
        .header("if-match")
        .is_some_and(|value| !is_this(value))
    {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(refuse(412, "PreconditionFailed", message));
    }
    let modified = ended_at(task, moment).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let response = |status| {
        Response::new(status)
            .header("content-type", "application/octet-stream")
            .header("accept-ranges", "bytes")
            .header("etag", etag.clone())
            .header("last-modified", modified.to_string())
    };
    let total = content.blob.len();
    let asked = request.header("range");
    let asked = asked.filter(|_| request.header("if-range").is_none_or(is_this));
    let asked = asked.and_then(|text| range(text, total));
    match moment.shape.range(asked, total) {
        None => Ok(response(200).body(content.blob.clone())),
        Some(Err(())) => Err(unsatisfiable().header("content-range", format!("bytes */{total}"))),
        Some(Ok((first, last))) => Ok(response(206)
            .header("content-range", format!("bytes {first}-{last}/{total}"))
            .body(content.blob.slice(first..last + 1))),
    }
}

/// The refusal of a range.
fn unsatisfiable() -> Response {
    refuse(
        416,
        "InvalidRange",
        "The requested range is not satisfiable",
    )
}

/// When a completed task's object was finished.
fn ended_at(task: &Task, moment: &Moment) -> Timestamp {
    moment.at(task.started_at, 1.0)
}

/// An object's bytes and its ETag.
struct Content {
    blob: Blob,
    etag: String,
}

/// The compressed disk image of a task: the same for the same snapshot, format and shape, so made once.
fn content(task: &Task, shape: &Shape) -> Arc<Content> {
    type Made = Mutex<HashMap<(String, bool, Option<u64>), Arc<Content>>>;
    static MADE: LazyLock<Made> = LazyLock::new(Made::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let (label, is_raw) = (shape.label(&task.snapshot), task.format == "raw");
    let name = (label.clone(), is_raw, shape.object_size);
    let content = made.entry(name).or_insert_with(|| {
        let (blob, etag) = match shape.object_size {
            Some(size) => packed::packed(&label, is_raw, size),
            None => {
                let image = match is_raw {
                    true => disk::raw(&label),
                    false => disk::qcow2(&label),
                };
                let bytes = gzip(&image);
                let etag = md5_hex(&bytes);
                (bytes.into(), etag)
            }
        };
        Arc::new(Content { blob, etag })
    });
    content.clone()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail; were it to, the object would be empty and every check of it would say so.
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .unwrap_or_default()
}

fn not_allowed() -> Response {
    let message = "The specified method is not allowed against this resource.";
    refuse(405, "MethodNotAllowed", message)
}

/// An error in S3's form.
pub(crate) fn refuse(status: u16, code: &str, message: &str) -> Response {
    let id = random_hex(16).to_uppercase();
    let inside = format!(
        "<Code>{code}</Code><Message>{}</Message><RequestId>{id}</RequestId>",
        escape(message)
    );
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{inside}</Error>");
    xml(status, text)
}

fn document(name: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inside}</{name}>"
    )
}

fn xml(status: u16, text: String) -> Response {
    Response::new(status)
        .header("content-type", "application/xml")
        .body(text)
}

fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            c if c.is_control() => format!("&#{};", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
