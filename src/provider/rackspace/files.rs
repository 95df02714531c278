//! An exported image in Cloud Files: a plain object, or one whose bytes lie in segments (Swift's dynamic and static large
//! objects).

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;

use super::errors::files_refusal;
use super::session::{Service, Session};
use super::urls::below;
use crate::error::{Error, Kind, Result};
use crate::http::Reply;
use crate::provider::object::{md5_of, range, refused_part};
use crate::provider::{Answer, Object, Reader, RequestIds, Sum, Sums};
use crate::secret::Url;
use crate::task::Artifact;

/// Segments that are listed at once; a dynamic large object with more has no sums.
const MOST_SEGMENTS: usize = 10_000;

/// What the store says of an object before it is read.
struct Head {
    size: u64,
    etag: Option<String>,
    /// Container and prefix of the segments of a dynamic large object.
    dynamic: Option<String>,
    is_static: bool,
}

/// An artifact that was located, ready to be read.
pub(super) async fn open(session: &Arc<Session>, artifact: Artifact) -> Result<Object> {
    let name = artifact.id.clone().unwrap_or_default();
    let url =
        Url::parse(&artifact.uri).map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    let url = session.inward(url).await?;
    let refused =
        |reply: &Reply| files_refusal(reply, format!("The object {name} cannot be looked at"));
    let requests = RequestIds::default();
    let head = |reply: Reply| {
        requests.note(reply.request_id());
        if !reply.is_success() {
            return Err(refused(&reply));
        }
        let size = reply
            .header("content-length")
            .and_then(|size| size.parse().ok());
        let unsaid = || Error::new(Kind::Provider, format!("Nobody says how large {name} is"));
        let is_true = |text: &str| text.eq_ignore_ascii_case("true");
        Ok(Head {
            size: size.ok_or_else(unsaid)?,
            etag: reply.header("etag").map(str::to_owned),
            dynamic: reply.header("x-object-manifest").map(str::to_owned),
            is_static: reply.header("x-static-large-object").is_some_and(is_true),
        })
    };
    let head = session
        .read("look at object", Method::HEAD, &url, head)
        .await?;
    let sums = match (&head.dynamic, head.is_static) {
        (Some(manifest), _) => dynamic_sums(session, manifest).await?,
        (None, true) => static_sums(session, &url).await?,
        (None, false) => {
            let md5 = head.etag.as_deref().and_then(md5_of);
            let size = head.size;
            md5.map(|md5| Sum { size, md5 }).into_iter().collect()
        }
    };
    // Segments that do not make up the object were listed at another time, or not all of them.
    let whole = sums
        .iter()
        .fold(0_u64, |all, sum| all.saturating_add(sum.size));
    let is_whole = whole == head.size && !sums.is_empty();
    Ok(Object {
        uri: artifact.uri,
        name: name.clone(),
        size: head.size,
        sums: match is_whole {
            true => Sums::Pieces(sums),
            false => Sums::None("the store gives no MD5 of all its parts"),
        },
        format: artifact.format,
        device: None,
        hashes: Vec::new(),
        disk_size: None,
        requests,
        reader: Box::new(Parts::new(
            session,
            format!("the object {name}"),
            url,
            head.etag.clone(),
            files_refusal,
        )),
        etag: head.etag,
    })
}

/// The segments of a dynamic large object are what its prefix lists, in that order.
async fn dynamic_sums(session: &Session, manifest: &str) -> Result<Vec<Sum>> {
    let manifest = percent_decoded(manifest);
    let Some((container, prefix)) = manifest.split_once('/') else {
        return Ok(Vec::new());
    };
    let files = session.base(Service::Files, None).await?;
    let mut url = session.inward(below(&files, &[container])).await?;
    url.query_pairs_mut()
        .append_pair("format", "json")
        .append_pair("limit", &MOST_SEGMENTS.to_string())
        .append_pair("prefix", prefix);
    sums(session, "list segments", &url, |segment| {
        Some((segment["bytes"].as_u64()?, segment["hash"].as_str()?))
    })
    .await
}

/// A static large object says its segments itself.
async fn static_sums(session: &Session, object: &Url) -> Result<Vec<Sum>> {
    let mut url = object.clone();
    url.query_pairs_mut()
        .append_pair("multipart-manifest", "get")
        .append_pair("format", "json");
    sums(session, "read manifest", &url, |segment| {
        // A segment of which a range counts has no sum of that.
        if !segment["range"].is_null() {
            return None;
        }
        Some((segment["bytes"].as_u64()?, segment["hash"].as_str()?))
    })
    .await
}

/// None, where one of them does not say its own, or the store does not let them be looked at.
async fn sums(
    session: &Session,
    call: &'static str,
    url: &Url,
    read: impl Fn(&Value) -> Option<(u64, &str)> + Send + Sync,
) -> Result<Vec<Sum>> {
    let parse = |reply: Reply| {
        if !reply.is_success() {
            return Err(files_refusal(&reply, "The segments cannot be looked at"));
        }
        let segments: Vec<Value> = reply.json()?;
        let sum = |segment| {
            let (size, md5) = read(segment)?;
            let md5 = md5_of(md5)?;
            Some(Sum { size, md5 })
        };
        let all: Option<Vec<Sum>> = segments.iter().map(sum).collect();
        Ok(all.unwrap_or_default())
    };
    match session.read(call, Method::GET, url, parse).await {
        Err(error)
            if matches!(
                error.kind,
                Kind::Permission | Kind::NotFound | Kind::Provider
            ) =>
        {
            tracing::info!("rackspace: {}", error.one_line());
            Ok(Vec::new())
        }
        listed => listed,
    }
}

fn percent_decoded(text: &str) -> String {
    // The header is encoded as a path is; a plus sign in it is one.
    let text = text.replace('+', "%2B");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

/// One object, read in parts.
pub(super) struct Parts {
    session: Arc<Session>,
    what: String,
    url: Url,
    etag: Option<String>,
    refused: fn(&Reply, String) -> Error,
}

impl Parts {
    /// Of this address; `what` names it in errors, which are made of refusals so.
    pub(super) fn new(
        session: &Arc<Session>,
        what: String,
        url: Url,
        etag: Option<String>,
        refused: fn(&Reply, String) -> Error,
    ) -> Self {
        Parts {
            session: session.clone(),
            what,
            url,
            etag,
            refused,
        }
    }
}

#[async_trait]
impl Reader for Parts {
    async fn part(&self, first: u64, length: u64) -> Result<Answer<'_>> {
        let mut headers = vec![("range", range(first, length))];
        headers.extend(self.etag.clone().map(|etag| ("if-match", etag)));
        let flow = self.session.flow("get object", &self.url, &headers).await?;
        match flow.status() {
            200..=299 => Ok(Answer::Coming(Box::new(flow))),
            status => {
                let sentence = format!("A part of {} cannot be read", self.what);
                let error = (self.refused)(&flow.refusal().await, sentence);
                Err(refused_part(status, error))
            }
        }
    }
}
