//! EBS direct APIs (2019-11-02): the blocks of a snapshot, each with a SHA-256 of its own. The only way to what an export made:
//! EC2 exports no image that has come from Lightsail.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_smithy_types::base64;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex;

use super::errors::of_credentials;
use super::expiry::Watched;
use crate::error::{Error, Kind, Reason, Result};
use crate::http::{Flow, Http, Reply, Request};
use crate::pace::limit;
use crate::provider::{Answer, Block, Reader, RequestIds, sigv4};
use crate::secret::Url;

/// Bytes of a block.
const BLOCK: u64 = 512 << 10;
/// Blocks of a list's page, at most.
const PAGE: u32 = 10_000;
/// Pages of tokens that are kept: parts are asked for in about their order.
const KEPT: usize = 4;
/// Pages without a block that are read past.
const EMPTY: usize = 1000;
/// Blocks of one part that are under way at once.
const PARALLEL: usize = 2;
/// A snapshot that is just complete may not be found for a while (awslabs/coldsnap #141).
const LATE: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
];

/// The pauses before a block is asked for again.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// A longer one that is asked for is for the user to plan.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The direct APIs of a region, for one caller.
#[derive(Clone)]
pub(super) struct Ebs {
    http: Http,
    credentials: Watched,
    region: String,
    endpoint: Url,
    requests: RequestIds,
}

/// A snapshot that can be read.
pub(super) struct Disk {
    ebs: Ebs,
    snapshot: String,
    /// Bytes of the whole disk.
    pub size: u64,
    /// What the replies of lists and blocks were called.
    pub requests: RequestIds,
    /// Tokens by the blocks that they are for.
    pages: Mutex<Vec<Arc<Page>>>,
}

/// A stretch of blocks: those that were ever written have a token, the others are zeros.
struct Page {
    first: u32,
    /// The first block that it tells nothing of.
    end: u32,
    tokens: BTreeMap<u32, String>,
}

/// One reply of a list.
struct Listed {
    tokens: BTreeMap<u32, String>,
    next: Option<String>,
    /// In GiB.
    volume: u64,
}

impl Ebs {
    pub(super) fn new(http: Http, credentials: Watched, region: String, endpoint: Url) -> Self {
        Ebs {
            http,
            credentials,
            region,
            endpoint,
            requests: RequestIds::default(),
        }
    }

    /// A snapshot, ready to be read.
    pub(super) async fn open(&self, snapshot: &str) -> Result<Disk> {
        let ebs = Ebs {
            requests: RequestIds::default(),
            ..self.clone()
        };
        let mut pauses = LATE.into_iter();
        let (page, volume) = loop {
            match ebs.page(snapshot, 0).await {
                Err(error) if error.kind == Kind::NotFound || error.is_because(Reason::BadPart) => {
                    match pauses.next() {
                        Some(pause) => tokio::time::sleep(limit(pause)).await,
                        None => return Err(error),
                    }
                }
                listed => break listed?,
            }
        };
        let size = volume.checked_mul(1 << 30).filter(|size| *size > 0);
        let unsaid = || {
            let sentence =
                format!("The reply to ListSnapshotBlocks does not say how large {snapshot} is");
            Error::new(Kind::Provider, sentence)
        };
        Ok(Disk {
            requests: ebs.requests.clone(),
            ebs,
            snapshot: snapshot.to_owned(),
            size: size.ok_or_else(unsaid)?,
            pages: Mutex::new(vec![Arc::new(page)]),
        })
    }

    /// The blocks from one on, as many as a page tells; and the size of the volume in GiB.
    async fn page(&self, snapshot: &str, first: u32) -> Result<(Page, u64)> {
        let mut token = None;
        for _ in 0..EMPTY {
            let listed = self.list(snapshot, first, token.as_deref()).await?;
            let last = listed.tokens.keys().next_back().copied();
            match (last, listed.next) {
                (Some(last), Some(_)) => {
                    let page = Page {
                        first,
                        end: last + 1,
                        tokens: listed.tokens,
                    };
                    return Ok((page, listed.volume));
                }
                // An empty page with a token happens: only one without ends the list.
                (None, Some(next)) => token = Some(next),
                (_, None) => {
                    let page = Page {
                        first,
                        end: u32::MAX,
                        tokens: listed.tokens,
                    };
                    return Ok((page, listed.volume));
                }
            }
        }
        let sentence = format!("The blocks of {snapshot} do not end");
        Err(Error::new(Kind::Provider, sentence).cause(format!("{EMPTY} empty pages in a row")))
    }

    async fn list(&self, snapshot: &str, first: u32, token: Option<&str>) -> Result<Listed> {
        const CALL: &str = "ListSnapshotBlocks";
        let mut url = self.url(&["snapshots", snapshot, "blocks"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("maxResults", &PAGE.to_string());
            match token {
                Some(token) => query.append_pair("pageToken", token),
                None => query.append_pair("startingBlockIndex", &first.to_string()),
            };
        }
        let credentials = self.credentials.current().await;
        let credentials = credentials.map_err(|error| of_credentials(&error))?;
        let build = || {
            let request = Request::new(CALL, Method::GET, url.clone());
            sigv4::sign(
                request,
                credentials.clone(),
                &self.region,
                "ebs",
                SystemTime::now(),
            )
        };
        let read = |reply: Reply| {
            if !reply.is_success() {
                return Err(refused(&reply, snapshot));
            }
            self.requests.note(reply.request_id());
            // What is no list now may be one the next time.
            let body: Value = reply
                .json()
                .map_err(|error| error.because(Reason::BadPart))?;
            let block = |block: &Value| {
                let index = u32::try_from(block["BlockIndex"].as_u64()?).ok()?;
                Some((index, block["BlockToken"].as_str()?.to_owned()))
            };
            let odd = || {
                let sentence = format!("The reply to {CALL} is no list of blocks");
                Error::new(Kind::Provider, sentence).because(Reason::BadPart)
            };
            // What is not listed is zeros: what is no list must not pass for an empty one.
            let blocks = body["Blocks"].as_array().ok_or_else(odd)?;
            let volume = body["VolumeSize"].as_u64().unwrap_or_default();
            let end = volume.saturating_mul(1 << 30) / BLOCK;
            let tokens: Option<BTreeMap<u32, String>> = blocks.iter().map(block).collect();
            let tokens = tokens.ok_or_else(odd)?;
            // What is before the place that was asked for would hide that something is missing.
            let is_there = |index: &u32| *index >= first && u64::from(*index) < end;
            if volume == 0 || !tokens.keys().all(is_there) {
                return Err(odd());
            }
            Ok(Listed {
                tokens,
                next: body["NextToken"].as_str().map(str::to_owned),
                volume,
            })
        };
        self.http.read(build, read).await
    }

    /// One block, held against its checksum.
    async fn block(&self, snapshot: &str, index: u32, token: &str) -> Result<Bytes> {
        const CALL: &str = "GetSnapshotBlock";
        let mut url = self.url(&["snapshots", snapshot, "blocks", &index.to_string()]);
        // Tokens are base64, and a plus sign in a form would be a space.
        url.set_query(Some(&format!("blockToken={}", encode(token))));
        let credentials = self.credentials.current().await;
        let credentials = credentials.map_err(|error| of_credentials(&error))?;
        let request = Request::new(CALL, Method::GET, url);
        let request = sigv4::sign(request, credentials, &self.region, "ebs", SystemTime::now())?;
        let mut flow = self.http.flow(request).await?;
        if flow.status() != 200 {
            return Err(refused(&flow.refusal().await, snapshot));
        }
        self.requests.note(flow.request_id());
        let told = |flow: &Flow, name| flow.header(name).map(str::to_owned);
        let (kind, sum) = (
            told(&flow, "x-amz-checksum-algorithm"),
            told(&flow, "x-amz-checksum"),
        );
        let bad = |why: &str| {
            let sentence = format!("The block {index} of {snapshot} did not come right");
            Error::new(Kind::Provider, sentence)
                .cause(why)
                .because(Reason::BadPart)
        };
        let mut data = Vec::with_capacity(BLOCK as usize);
        while let Some(piece) = flow.piece().await? {
            data.extend_from_slice(&piece);
            if data.len() as u64 > BLOCK {
                return Err(bad("it is longer than a block"));
            }
        }
        if data.len() as u64 != BLOCK {
            return Err(bad(&format!("{} bytes", data.len())));
        }
        // Beside the network, which goes on meanwhile.
        let hashed = tokio::task::spawn_blocking(move || {
            let own = ring::digest::digest(&ring::digest::SHA256, &data);
            (Bytes::from(data), base64::encode(own))
        });
        let died = |_| Error::new(Kind::Internal, "A thread has died");
        let (data, own) = hashed.await.map_err(died)?;
        match (kind.as_deref(), sum) {
            (Some("SHA256"), Some(sum)) if sum == own => Ok(data),
            (Some("SHA256"), Some(_)) => Err(bad("its SHA-256 is another")),
            _ => Err(bad("it has no SHA-256")),
        }
    }

    fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

impl Disk {
    /// What is known of a block's stretch, listed if need be. One list is under way at a time.
    async fn page_of(&self, index: u32) -> Result<Arc<Page>> {
        let mut pages = self.pages.lock().await;
        let has = |page: &&Arc<Page>| (page.first..page.end).contains(&index);
        if let Some(page) = pages.iter().find(has) {
            return Ok(page.clone());
        }
        let (page, volume) = self.ebs.page(&self.snapshot, index).await?;
        if volume.checked_mul(1 << 30) != Some(self.size) {
            let sentence = format!("{} is of another size than it was", self.snapshot);
            return Err(Error::new(Kind::Provider, sentence).because(Reason::BadPart));
        }
        let page = Arc::new(page);
        if pages.len() == KEPT {
            pages.remove(0);
        }
        pages.push(page.clone());
        Ok(page)
    }

    /// One block, asked for again as long as what goes wrong may pass: it costs no other block.
    async fn one(&self, index: u32) -> Result<Option<Bytes>> {
        let mut pauses = AGAIN.into_iter();
        loop {
            let page = self.page_of(index).await?;
            let Some(token) = page.tokens.get(&index) else {
                return Ok(None);
            };
            let error = match self.ebs.block(&self.snapshot, index, token).await {
                Ok(block) => return Ok(Some(block)),
                Err(error) => error,
            };
            let is_bad = error.is_because(Reason::BadPart);
            let pause = pauses
                .next()
                .filter(|_| is_bad || error.kind.is_transient());
            let asked = error.details.retry_after;
            let is_long = asked.is_some_and(|asked| asked > LONGEST_PAUSE);
            let Some(pause) = pause.filter(|_| !is_long) else {
                return Err(error);
            };
            if is_bad {
                // Its token may be too old.
                let mut pages = self.pages.lock().await;
                pages.retain(|other| !Arc::ptr_eq(other, &page));
            }
            tokio::time::sleep(asked.unwrap_or(limit(pause))).await;
        }
    }
}

#[async_trait]
impl Reader for Disk {
    async fn part(&self, first: u64, length: u64) -> Result<Answer<'_>> {
        let end = first + length;
        let blocks = (first / BLOCK)..end.div_ceil(BLOCK);
        let read = stream::iter(blocks).map(move |index| async move {
            // What is asked for may begin or end within a block.
            let start = index * BLOCK;
            let (from, to) = (first.max(start) - start, end.min(start + BLOCK) - start);
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            Ok(match self.one(number).await? {
                Some(block) => Block::Data(block.slice(from as usize..to as usize)),
                None => Block::Zeros(to - from),
            })
        });
        Ok(Answer::Blocks(read.buffered(PARALLEL).boxed()))
    }
}

/// Percent-encoding of what base64 has beside letters and digits.
fn encode(token: &str) -> String {
    url::form_urlencoded::byte_serialize(token.as_bytes()).collect()
}

fn refused(reply: &Reply, snapshot: &str) -> Error {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let said = reply
        .header("x-amzn-errortype")
        .map(str::to_owned)
        .or_else(|| text("__type"));
    let kind_of = said.as_deref().map(|said| {
        let name = said.split([':', ';']).next().unwrap_or_default();
        name.rsplit('#').next().unwrap_or_default()
    });
    let reason = text("Reason").filter(|reason| !reason.is_empty());
    let is_token = matches!(
        reason.as_deref(),
        Some("INVALID_BLOCK_TOKEN" | "INVALID_PAGE_TOKEN")
    );
    let kind = match (kind_of, reply.status) {
        (Some("RequestThrottledException"), _) | (_, 429) => Kind::RateLimited,
        (Some("AccessDeniedException"), _) => Kind::Permission,
        (Some("ResourceNotFoundException"), _) => Kind::NotFound,
        (Some("ServiceQuotaExceededException"), _) => Kind::Quota,
        (Some("ExpiredTokenException" | "UnrecognizedClientException"), _) | (_, 401 | 403) => {
            Kind::Credentials
        }
        (_, 500..) => Kind::Unavailable,
        _ => Kind::Provider,
    };
    let message = text("Message")
        .or_else(|| text("message"))
        .unwrap_or_else(|| reply.excerpt());
    let mut error = Error::new(
        kind,
        format!("The snapshot {snapshot} cannot be read ({})", reply.name),
    )
    .cause(message)
    .request_id(reply.request_id().map(str::to_owned))
    .retry_after(reply.retry_after());
    if let Some(code) = reason.or(kind_of.map(str::to_owned)) {
        error = error.code(code);
    }
    if kind == Kind::Permission {
        let call = reply.name;
        return error.hint(format!("allow ebs:{call} on arn:aws:ec2:*::snapshot/{snapshot} to this user or role, and kms:Decrypt on the key of an encrypted one"));
    }
    match is_token {
        true => error.because(Reason::BadPart),
        false => error,
    }
}
