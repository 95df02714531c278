//! OUTSCALE Object Storage (OOS): S3, path-style, signed with the same kind of key pair as the API.

use std::time::SystemTime;

use async_trait::async_trait;
use aws_smithy_types::base64;
use jiff::Timestamp;
use reqwest::Method;

use super::sign::{self, Keys};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Reply, Request, strip_tags};
use crate::provider::object::{multipart_of, range, refused_part, sums_of};
use crate::provider::{Answer, Hash, Reader, RequestIds, Sums};
use crate::secret::Url;

/// The largest page of a list.
const PAGE: usize = 1000;

/// The object store of one region, for one key pair.
#[derive(Clone)]
pub(super) struct ObjectStore {
    http: Http,
    keys: Keys,
    region: String,
    endpoint: Url,
}

/// An object as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub key: String,
    /// As stored, in bytes.
    pub size: Option<u64>,
    /// When it was written.
    pub modified_at: Option<Timestamp>,
}

impl ObjectStore {
    pub(super) fn new(http: Http, keys: Keys, region: String, endpoint: Url) -> Self {
        ObjectStore {
            http,
            keys,
            region,
            endpoint,
        }
    }

    /// Where it is, without a slash at the end.
    pub(super) fn endpoint(&self) -> String {
        self.endpoint.to_string().trim_end_matches('/').to_owned()
    }

    /// The first objects (at most ten) whose keys begin like this. An empty prefix asks whether the bucket can be read.
    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Object>> {
        let query = format!("list-type=2&max-keys=10&prefix={}", encode(prefix));
        Ok(self.page(bucket, &query).await?.0)
    }

    /// The objects of a bucket whose keys begin so and lie behind `after`, up to the first one behind `last`; and whether
    /// that is all, which it is not where it takes more pages than `pages`.
    pub(super) async fn between(
        &self,
        (bucket, prefix): (&str, &str),
        (after, last): (&str, &str),
        pages: usize,
    ) -> Result<(Vec<Object>, bool)> {
        let mut objects: Vec<Object> = Vec::new();
        let mut after = after.to_owned();
        for _ in 0..pages {
            let query = format!(
                "list-type=2&max-keys={PAGE}&prefix={}&start-after={}",
                encode(prefix),
                encode(&after)
            );
            let (page, is_last) = self.page(bucket, &query).await?;
            let end = page.last().map(|object| object.key.clone());
            objects.extend(page);
            match end.filter(|end| !is_last && end.as_str() <= last && *end > after) {
                Some(end) => after = end,
                None => return Ok((objects, true)),
            }
        }
        Ok((objects, false))
    }

    /// A page of a list, and whether it is the last one.
    async fn page(&self, bucket: &str, query: &str) -> Result<(Vec<Object>, bool)> {
        let mut url = self.endpoint.clone();
        url.set_path(&format!(
            "{}/{bucket}",
            self.endpoint.path().trim_end_matches('/')
        ));
        // Encoded by hand: the plus sign that forms use for a space is signed differently from what is sent.
        url.set_query(Some(query));
        self.http
            .read(
                || self.request("ListObjectsV2", url.clone()),
                |reply| {
                    if !reply.is_success() {
                        return Err(refused(&reply, bucket));
                    }
                    let xml = String::from_utf8_lossy(&reply.body);
                    let is_cut = elements(&xml, "IsTruncated").next() == Some("true");
                    Ok((read_list(&reply)?, !is_cut))
                },
            )
            .await
    }

    /// What the store says of one object.
    pub(super) async fn head(&self, bucket: &str, key: &str) -> Result<Seen> {
        let requests = RequestIds::default();
        let whole = self.look(bucket, self.url(bucket, key), &requests).await?;
        let etag = whole.header("etag").map(str::to_owned);
        let size = length(&whole).ok_or_else(|| {
            let sentence = format!("The object store does not say how large {key} is");
            Error::new(Kind::Provider, sentence)
        })?;
        let sums = match etag.as_deref().and_then(multipart_of) {
            _ if is_sealed(&whole) => Sums::None("the object is encrypted, and its ETag is no MD5"),
            Some((_, 2..)) => {
                let mut url = self.url(bucket, key);
                url.set_query(Some("partNumber=1"));
                // Not every store knows this, and none has to.
                let first = self.look(bucket, url, &requests).await;
                sums_of(etag.as_deref(), size, first.ok().as_ref().and_then(length))
            }
            _ => sums_of(etag.as_deref(), size, None),
        };
        Ok(Seen {
            size,
            hashes: hashes(&whole),
            sums,
            etag,
            requests,
        })
    }

    async fn look(&self, bucket: &str, url: Url, requests: &RequestIds) -> Result<Reply> {
        let build = || {
            let request = Request::new("HeadObject", Method::HEAD, url.clone());
            self.signed(request.header("x-amz-checksum-mode", "ENABLED")?)
        };
        let read = |reply: Reply| match reply.is_success() {
            true => Ok(reply),
            false => Err(refused(&reply, bucket)),
        };
        let reply = self.http.read(build, read).await?;
        requests.note(reply.request_id());
        Ok(reply)
    }

    /// Reads an object in parts, as long as it has this ETag.
    pub(super) fn reader(&self, bucket: &str, key: &str, etag: Option<String>) -> Parts {
        Parts {
            store: self.clone(),
            bucket: bucket.to_owned(),
            url: self.url(bucket, key),
            etag,
        }
    }

    fn url(&self, bucket: &str, key: &str) -> Url {
        let mut url = self.endpoint.clone();
        let key: Vec<String> = key.split('/').map(encode).collect();
        url.set_path(&format!(
            "{}/{bucket}/{}",
            self.endpoint.path().trim_end_matches('/'),
            key.join("/")
        ));
        url
    }

    fn signed(&self, request: Request) -> Result<Request> {
        let (keys, region) = (&self.keys, &self.region);
        sign::sign(request, keys, region, sign::OBJECT_STORE, SystemTime::now())
    }

    /// The names of the account's buckets.
    pub(super) async fn buckets(&self) -> Result<Vec<String>> {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{}/", self.endpoint.path().trim_end_matches('/')));
        self.http
            .read(
                || self.request("ListBuckets", url.clone()),
                |reply| {
                    let xml = String::from_utf8_lossy(&reply.body);
                    let names = elements(&xml, "Bucket")
                        .filter_map(|bucket| Some(unescape(elements(bucket, "Name").next()?)));
                    Ok(names.collect())
                },
            )
            .await
    }

    /// A read of the object store, signed now.
    fn request(&self, name: &'static str, url: Url) -> Result<Request> {
        self.signed(Request::new(name, Method::GET, url))
    }
}

/// What the store says of one object.
pub(super) struct Seen {
    pub size: u64,
    pub etag: Option<String>,
    pub sums: Sums,
    pub hashes: Vec<Hash>,
    pub requests: RequestIds,
}

fn length(reply: &Reply) -> Option<u64> {
    reply.header("content-length")?.parse().ok()
}

/// With a key of its owner's or of KMS: then S3's ETags are no MD5.
fn is_sealed(reply: &Reply) -> bool {
    let kind = reply.header("x-amz-server-side-encryption");
    kind.is_some_and(|kind| kind.starts_with("aws:kms"))
        || reply
            .header("x-amz-server-side-encryption-customer-algorithm")
            .is_some()
}

/// The checksums that S3 keeps of whole objects, in base64. One of parts has a dash and their count behind.
fn hashes(reply: &Reply) -> Vec<Hash> {
    const KINDS: [(&str, &str); 5] = [
        ("sha256", "x-amz-checksum-sha256"),
        ("crc64nvme", "x-amz-checksum-crc64nvme"),
        ("crc32c", "x-amz-checksum-crc32c"),
        ("crc32", "x-amz-checksum-crc32"),
        ("sha1", "x-amz-checksum-sha1"),
    ];
    let is_of_parts = reply.header("x-amz-checksum-type") == Some("COMPOSITE");
    let hash = |(name, header): &(&str, &str)| {
        let text = reply.header(header)?;
        if is_of_parts {
            // Of a kind that is not known, which is said.
            let name = format!("{name} of parts");
            let value = text.to_owned();
            return Some(Hash { name, value });
        }
        let bytes = base64::decode(text).ok()?;
        Some(Hash {
            name: (*name).to_owned(),
            value: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    };
    KINDS.iter().filter_map(hash).collect()
}

/// One object, read in parts.
pub(super) struct Parts {
    store: ObjectStore,
    bucket: String,
    url: Url,
    etag: Option<String>,
}

#[async_trait]
impl Reader for Parts {
    async fn part(&self, first: u64, length: u64) -> Result<Answer<'_>> {
        let request = Request::new("GetObject", Method::GET, self.url.clone());
        let mut request = request.header("range", &range(first, length))?;
        if let Some(etag) = &self.etag {
            request = request.header("if-match", etag)?;
        }
        let flow = self.store.http.flow(self.store.signed(request)?).await?;
        match flow.status() {
            200..=299 => Ok(Answer::Coming(Box::new(flow))),
            status => {
                let error = refused(&flow.refusal().await, &self.bucket);
                Err(refused_part(status, error))
            }
        }
    }
}

/// Percent-encoding of all but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

pub(super) fn read_list(reply: &Reply) -> Result<Vec<Object>> {
    let xml = String::from_utf8_lossy(&reply.body);
    if !xml.contains("<ListBucketResult") {
        return Err(Error::new(
            Kind::Provider,
            "The reply to ListObjectsV2 is not what the object store promises",
        )
        .cause(reply.excerpt())
        .hint("check OSC_ENDPOINT_OOS or the profile's object_endpoint (-v shows it)"));
    }
    Ok(elements(&xml, "Contents")
        .filter_map(|object| {
            Some(Object {
                key: unescape(elements(object, "Key").next()?),
                size: elements(object, "Size")
                    .next()
                    .and_then(|size| size.trim().parse().ok()),
                modified_at: elements(object, "LastModified")
                    .next()
                    .and_then(|time| time.trim().parse().ok()),
            })
        })
        .collect())
}

/// The insides of all elements of this name. S3's lists nest none in itself and give those that are read here no attributes.
fn elements<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let start = rest.find(&open)? + open.len();
        let end = start + rest[start..].find(&close)?;
        let inside = &rest[start..end];
        rest = &rest[end + close.len()..];
        Some(inside)
    })
}

/// `&#1114111;` is the longest entity that means a character.
const LONGEST_ENTITY: usize = 10;

/// XML text with its entities and character references resolved; what is malformed stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        // No entity is longer: a text of ampersands alone must not be searched to its end for each of them.
        let end = rest.bytes().take(LONGEST_ENTITY).position(|b| b == b';');
        let resolved = end.and_then(|end| {
            let c = match &rest[1..end] {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                entity => {
                    let digits = entity.strip_prefix('#')?;
                    let number = match digits.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => digits.parse().ok()?,
                    };
                    char::from_u32(number)?
                }
            };
            Some((c, end + 1))
        });
        let (c, length) = resolved.unwrap_or(('&', 1));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// A refusal of the object store as an error about the bucket.
pub(super) fn refused(reply: &Reply, bucket: &str) -> Error {
    let xml = String::from_utf8_lossy(&reply.body);
    let part = |name: &str| elements(&xml, name).next().map(unescape);
    let code = part("Code");
    let (kind, reason) = match (reply.status, code.as_deref()) {
        (_, Some("InvalidAccessKeyId" | "SignatureDoesNotMatch")) => (
            Kind::Credentials,
            "the object store does not accept the key pair",
        ),
        (_, Some("RequestTimeTooSkewed")) => (Kind::Credentials, "this machine's clock is wrong"),
        (401, _) => (
            Kind::Credentials,
            "the object store does not accept the key pair",
        ),
        (403, _) => (Kind::Permission, "the key pair may not read it"),
        (404, Some("NoSuchBucket")) => (Kind::NotFound, "it does not exist"),
        (404, Some("NoSuchKey")) => (Kind::NotFound, "the object is not in it"),
        (429, _) | (503, Some("SlowDown")) => (Kind::RateLimited, "too many requests"),
        (500.., _) => (Kind::Unavailable, "the object store is out of order"),
        _ => (Kind::Provider, "the object store refused"),
    };
    let said = Some(strip_tags(&reply.excerpt())).filter(|said| !said.trim().is_empty());
    let said = part("Message").or(said);
    let error = Error::new(
        kind,
        format!("The bucket {bucket} cannot be read: {reason}"),
    )
    .cause(said.unwrap_or_else(|| format!("HTTP {}", reply.status)))
    .request_id(part("RequestId").or_else(|| reply.request_id().map(str::to_owned)))
    .retry_after(reply.retry_after());
    match code {
        Some(code) => error.code(code),
        None => error,
    }
}

#[cfg(test)]
mod tests;
