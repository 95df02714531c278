//! EBS direct APIs (version 2019-11-02): the blocks of the snapshots that exports leave behind. They answer where Lightsail does.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{Context, SHA256};
use ring::hmac;
use serde_json::json;

use super::state::State;
use super::{ec2, front};
use crate::blob::Blob;
use crate::clock::Moment;
use crate::disk::{self, CHUNK, DISK_SIZE};
use crate::ids::random_uuid;
use crate::shape::{MORE, Portion, Shape};
use crate::wire::{Request, Response};

/// Blocks of a page unless it is said otherwise, and of the first page at most: no list of ours is a single page.
const PAGE: usize = 10_000;
const FIRST_PAGE: usize = 5;
/// How long tokens are good.
const BLOCK_TOKEN: SignedDuration = SignedDuration::from_hours(7 * 24);
const PAGE_TOKEN: SignedDuration = SignedDuration::from_mins(60);
/// Blocks of a small sample behind the beginning of its disk.
const SAMPLE: u64 = 4;
/// Where these begin.
const START_BLOCKS: u64 = (DISK_SIZE / CHUNK) as u64;
/// Of the beginning those that were written: boot sector, noise, and one that was written with zeros.
const WRITTEN: [u64; 3] = [0, 2, 4];

/// Whether a request is meant for these.
pub(crate) fn is_meant(request: &Request) -> bool {
    request.path.starts_with("/snapshots/")
}

/// The call's name; empty for what is none.
pub(crate) fn call(request: &Request) -> &'static str {
    let path: Vec<&str> = request.path.split('/').collect();
    match (request.method.as_str(), &path[..]) {
        ("GET", ["", "snapshots", _, "blocks"]) => "ListSnapshotBlocks",
        ("GET", ["", "snapshots", _, "blocks", _]) => "GetSnapshotBlock",
        _ => "",
    }
}

/// Answers a request.
pub(crate) fn handle(state: &State, request: &Request, moment: &Moment) -> Response {
    answer(state, request, moment).unwrap_or_else(|refusal| refusal)
}

/// A refusal: its name and, where there is one, its reason.
pub(crate) fn refusal(status: u16, kind: &str, reason: &str, message: &str) -> Response {
    let mut body = json!({"Message": message});
    if !reason.is_empty() {
        body["Reason"] = reason.into();
    }
    described(Response::json(status, &body).header("x-amzn-errortype", kind))
}

/// The refusal of a value.
fn invalid(reason: &str, message: &str) -> Response {
    refusal(400, "ValidationException", reason, message)
}

fn described(response: Response) -> Response {
    response.header("x-amzn-RequestId", random_uuid())
}

fn answer(state: &State, request: &Request, moment: &Moment) -> Result<Response, Response> {
    front::authenticate(request, moment, "ebs")
        .map_err(|fault| refusal(403, fault.kind, "", &fault.message))?;
    let path = request.decoded_path();
    let path: Vec<&str> = path.split('/').collect();
    let (id, block) = match (call(request), &path[..]) {
        ("ListSnapshotBlocks", [_, _, id, _]) => (*id, None),
        ("GetSnapshotBlock", [_, _, id, _, block]) => (*id, Some(*block)),
        _ => return Err(refusal(404, "UnknownOperationException", "", "")),
    };
    let hex = id.strip_prefix("snap-").unwrap_or_default();
    if hex.is_empty()
        || hex
            .bytes()
            .any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(invalid("INVALID_SNAPSHOT_ID", "The snapshot ID is invalid"));
    }
    // One that is not whole yet is not found either.
    let (label, gib) = ec2::disk(state, id, moment).ok_or_else(|| {
        let message = format!("The snapshot '{id}' does not exist.");
        refusal(
            404,
            "ResourceNotFoundException",
            "SNAPSHOT_NOT_FOUND",
            &message,
        )
    })?;
    let volume = Volume {
        id: id.to_owned(),
        label,
        gib: gib.into(),
        shape: moment.shape.clone(),
    };
    match block {
        None => list(&volume, request, moment.now),
        Some(block) => get(&volume, block, request, moment.now),
    }
}

/// What a snapshot was taken of.
struct Volume {
    id: String,
    label: String,
    gib: u64,
    shape: Shape,
}

impl Volume {
    fn bytes(&self) -> u64 {
        self.gib << 30
    }

    /// How many blocks lie behind the beginning of the disk.
    fn pieces(&self) -> u64 {
        let size = self.shape.object_size;
        let wanted = size.map_or(SAMPLE, |size| size.div_ceil(CHUNK as u64));
        wanted.min(self.bytes() / CHUNK as u64 - START_BLOCKS)
    }

    /// The blocks that were written.
    fn written(&self) -> impl Iterator<Item = u64> {
        let pieces = START_BLOCKS..START_BLOCKS + self.pieces();
        WRITTEN.into_iter().chain(pieces)
    }

    /// A block's bytes, and their SHA-256 in base64.
    fn block(&self, index: u64) -> (Blob, String) {
        static ALIKE: LazyLock<Context> = LazyLock::new(|| {
            let mut hash = Context::new(&SHA256);
            disk::alike().pieces().for_each(|piece| hash.update(&piece));
            hash
        });
        let (blob, mut hash, rest) = match index.checked_sub(START_BLOCKS) {
            Some(number) => {
                let stamp = disk::stamp(&self.label, number);
                let blob = Blob::join(vec![disk::alike(), stamp.clone().into()]);
                (blob, ALIKE.clone(), stamp)
            }
            None => {
                let start = disk::start(&self.label, self.bytes());
                let bytes = start[index as usize * CHUNK..][..CHUNK].to_vec();
                (bytes.clone().into(), Context::new(&SHA256), bytes)
            }
        };
        hash.update(&rest);
        (blob, BASE64_STANDARD.encode(hash.finish()))
    }
}

fn list(volume: &Volume, request: &Request, now: Timestamp) -> Result<Response, Response> {
    let bad = |name: &str| {
        let message = format!("The value of {name} is invalid");
        invalid("INVALID_PARAMETER_VALUE", &message)
    };
    let number = |name: &str| {
        let text = request.param(name);
        text.map(|text| text.parse::<u64>().map_err(|_| bad(name)))
            .transpose()
    };
    let most = match number("maxResults")? {
        None => PAGE,
        Some(most @ 100..=10_000) => most as usize,
        Some(_) => return Err(bad("maxResults")),
    };
    let first = number("startingBlockIndex")?.unwrap_or(0);
    let token = request.param("pageToken").filter(|token| !token.is_empty());
    let (kind, from) = match token {
        None => ("first", first),
        Some(token) => ["empty", "page"]
            .into_iter()
            .find_map(|kind| Some((kind, open(&token, kind, &volume.id, PAGE_TOKEN, now)?)))
            .ok_or_else(|| stale("ListSnapshotBlocks"))?,
    };
    // After the first page comes one that is empty and has a token, as it happens.
    let (most, next_kind) = match kind {
        "first" => (most.min(FIRST_PAGE), "empty"),
        "empty" => (0, "page"),
        _ => (most, "page"),
    };
    let mut left = volume.written().filter(|index| *index >= from).peekable();
    let mut blocks = Vec::new();
    while let Some(index) = left.next_if(|_| blocks.len() < most) {
        let token = seal("block", &volume.id, index, now);
        blocks.push(json!({"BlockIndex": index, "BlockToken": token}));
    }
    let expires = now.checked_add(BLOCK_TOKEN).unwrap_or(Timestamp::MAX);
    let mut page = json!({
        "Blocks": blocks, "BlockSize": CHUNK, "VolumeSize": volume.gib,
        "ExpiryTime": expires.as_millisecond() as f64 / 1000.0,
    });
    if let Some(next) = left.peek() {
        page["NextToken"] = seal(next_kind, &volume.id, *next, now).into();
    }
    Ok(described(Response::json(200, &page)))
}

fn get(
    volume: &Volume,
    block: &str,
    request: &Request,
    now: Timestamp,
) -> Result<Response, Response> {
    let index = block.parse().ok();
    let index: u64 = index
        .filter(|index| *index < volume.bytes() / CHUNK as u64)
        .ok_or_else(|| invalid("INVALID_BLOCK", "The block index is invalid"))?;
    let token = request.param("blockToken").unwrap_or_default();
    if open(&token, "block", &volume.id, BLOCK_TOKEN, now) != Some(index) {
        return Err(stale("GetSnapshotBlock"));
    }
    let (blob, checksum) = volume.block(index);
    let response = Response::new(200)
        .header("content-type", "application/octet-stream")
        .header("x-amz-Data-Length", blob.len().to_string())
        .header("x-amz-Checksum", checksum)
        .header("x-amz-Checksum-Algorithm", "SHA256");
    // A block is always whole; that of a fault is not.
    let portion = match volume.shape.portion {
        Portion::Longer => Blob::join(vec![blob, vec![0; MORE as usize].into()]),
        Portion::Shorter => blob.slice(0..blob.len() / 2),
        _ => blob,
    };
    Ok(described(response.body(portion)))
}

/// The refusal of a token that is another's or has expired.
pub(crate) fn stale(call: &str) -> Response {
    match call {
        "GetSnapshotBlock" => invalid(
            "INVALID_BLOCK_TOKEN",
            "The block token is invalid or expired",
        ),
        _ => invalid("INVALID_PAGE_TOKEN", "The page token is invalid or expired"),
    }
}

/// Nobody outside can make a token, and each has the letters of base64 that must be encoded in a query.
fn seal(kind: &str, snapshot: &str, number: u64, now: Timestamp) -> String {
    let text = format!("{kind} {snapshot} {number} {}", now.as_second());
    let tag = hmac::sign(&key(), text.as_bytes());
    let sealed = [b"\xfb\xef\xff", &tag.as_ref()[..15], text.as_bytes()].concat();
    BASE64_STANDARD.encode(sealed)
}

/// The number in a token of this kind and snapshot that is not older than `life`.
fn open(
    token: &str,
    kind: &str,
    snapshot: &str,
    life: SignedDuration,
    now: Timestamp,
) -> Option<u64> {
    let bytes = BASE64_STANDARD.decode(token).ok()?;
    let text = std::str::from_utf8(bytes.get(18..)?).ok()?;
    let words: Vec<&str> = text.split(' ').collect();
    let [of_kind, of_snapshot, number, made_at] = words[..] else {
        return None;
    };
    let made_at = Timestamp::from_second(made_at.parse().ok()?).ok()?;
    let number = number.parse().ok()?;
    let is_ours = seal(of_kind, of_snapshot, number, made_at) == token;
    let is_meant = of_kind == kind && of_snapshot == snapshot;
    (is_ours && is_meant && now.duration_since(made_at) <= life).then_some(number)
}

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, b"the sandbox's tokens")
}

#[cfg(test)]
mod tests;
