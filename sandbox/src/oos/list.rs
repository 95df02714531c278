//! What lies in a bucket, page by page: `ListObjectsV2`, and `ListObjects` for clients that still ask that way.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::{Task, content, document, ended_at, escape, refuse, xml};
use crate::clock::Moment;
use crate::signature::encode;
use crate::wire::{Request, Response};

/// The largest page of a list.
const MAX_KEYS: usize = 1000;

/// A line of a list: an object, or what several keys have in common up to a delimiter.
enum Entry<'t> {
    Object(String, &'t Task),
    CommonPrefix(String),
}

impl Entry<'_> {
    fn name(&self) -> &str {
        match self {
            Entry::Object(name, _) | Entry::CommonPrefix(name) => name,
        }
    }
}

/// Answers for a bucket with these objects, which are sorted by key.
pub(crate) fn list(
    bucket: &str,
    objects: Vec<(String, &Task)>,
    request: &Request,
    moment: &Moment,
) -> Result<Response, Response> {
    let is_second_version = request.param("list-type").as_deref() == Some("2");
    let is_encoded = request.param("encoding-type").as_deref() == Some("url");
    let prefix = request.param("prefix").unwrap_or_default();
    let delimiter = request.param("delimiter").unwrap_or_default();
    let max_keys = max_keys(request)?;
    let after = match is_second_version {
        true => start(request)?,
        false => request.param("marker").unwrap_or_default(),
    };
    let mut found = entries(objects, &prefix, &delimiter);
    found.retain(|entry| *entry.name() > *after);
    let is_truncated = found.len() > max_keys && max_keys > 0;
    found.truncate(max_keys);

    let text = |name: &str| match is_encoded {
        true => encode(name, true),
        false => escape(name),
    };
    let mut inside = element("Name", bucket) + &element("Prefix", &text(&prefix));
    if !delimiter.is_empty() {
        inside += &element("Delimiter", &text(&delimiter));
    }
    if is_encoded {
        inside += &element("EncodingType", "url");
    }
    inside += &match is_second_version {
        true => element("KeyCount", &found.len().to_string()),
        false => element("Marker", &text(&after)),
    };
    inside += &element("MaxKeys", &max_keys.to_string());
    inside += &element("IsTruncated", &is_truncated.to_string());
    if let Some(last) = found.last().filter(|_| is_truncated) {
        if is_second_version {
            inside += &element(
                "NextContinuationToken",
                &BASE64_STANDARD.encode(last.name()),
            );
        } else if !delimiter.is_empty() {
            // Without a delimiter the last key is the marker, and S3 leaves it at that.
            inside += &element("NextMarker", &text(last.name()));
        }
    }
    for entry in &found {
        inside += &match entry {
            Entry::Object(key, task) => contents(&text(key), task, moment),
            Entry::CommonPrefix(name) => element("CommonPrefixes", &element("Prefix", &text(name))),
        };
    }
    Ok(xml(200, document("ListBucketResult", &inside)))
}

fn entries<'t>(objects: Vec<(String, &'t Task)>, prefix: &str, delimiter: &str) -> Vec<Entry<'t>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (key, task) in objects {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        let cut = rest.find(delimiter).filter(|_| !delimiter.is_empty());
        let Some(at) = cut else {
            entries.push(Entry::Object(key, task));
            continue;
        };
        let common = &key[..prefix.len() + at + delimiter.len()];
        if entries.last().is_none_or(|entry| entry.name() != common) {
            entries.push(Entry::CommonPrefix(common.to_owned()));
        }
    }
    entries
}

fn max_keys(request: &Request) -> Result<usize, Response> {
    let Some(text) = request.param("max-keys") else {
        return Ok(MAX_KEYS);
    };
    let number: Option<usize> = text.parse().ok();
    let number = number
        .ok_or_else(|| invalid("Provided max-keys not an integer or within integer range"))?;
    Ok(number.min(MAX_KEYS))
}

/// The name behind which a page of the second version starts.
fn start(request: &Request) -> Result<String, Response> {
    let Some(token) = request.param("continuation-token") else {
        return Ok(request.param("start-after").unwrap_or_default());
    };
    BASE64_STANDARD
        .decode(&token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| invalid("The continuation token provided is incorrect"))
}

fn invalid(message: &str) -> Response {
    refuse(400, "InvalidArgument", message)
}

fn contents(key: &str, task: &Task, moment: &Moment) -> String {
    let content = content(task, &moment.shape);
    let etag = moment.shape.etag.as_deref().unwrap_or(&content.etag);
    let etag = escape(etag);
    let modified = ended_at(task, moment).strftime("%Y-%m-%dT%H:%M:%S.000Z");
    let inside = [
        element("Key", key),
        element("LastModified", &modified.to_string()),
        element("ETag", &format!("&quot;{etag}&quot;")),
        element("Size", &content.blob.len().to_string()),
        element("StorageClass", "STANDARD"),
    ];
    element("Contents", &inside.concat())
}

fn element(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}
