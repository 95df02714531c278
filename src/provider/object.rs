//! What an export made, as it can be read.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::error::{Error, Reason, Result};
use crate::http::Flow;
use crate::secret::clean;

/// What an export made: one disk, or all of an instance.
pub struct Image {
    /// Where it lies, as a task's `artifact.uri` says it.
    pub uri: String,
    /// What it is called, where it has several disks.
    pub name: String,
    /// Its disks; never none.
    pub disks: Vec<Object>,
    /// What it costs to read it, if it does.
    pub price: Option<String>,
}

impl Image {
    /// Of one object.
    pub fn of(object: Object) -> Self {
        Image {
            uri: object.uri.clone(),
            name: object.name.clone(),
            disks: vec![object],
            price: None,
        }
    }
}

/// An object in a store: what is known of it before it is read, and the way to read it.
pub struct Object {
    /// Where it lies, as a task's `artifact.uri` says it.
    pub uri: String,
    /// What it is called there, without folders.
    pub name: String,
    /// The device it was, such as `/dev/sda1`, where there are several.
    pub device: Option<String>,
    /// Its size as stored, in bytes.
    pub size: u64,
    /// Its ETag as the store gave it, quotes included.
    pub etag: Option<String>,
    /// `qcow2`, `vhd`, …: of a packed one, what is in it.
    pub format: Option<String>,
    /// The sums that the store gives of its pieces.
    pub sums: Sums,
    /// The hashes of the whole object that its cloud keeps beside those.
    pub hashes: Vec<Hash>,
    /// How large the disk in a packed one is, in bytes; `None` where nobody says.
    pub disk_size: Option<u64>,
    /// The requests that told all this, and read it.
    pub requests: RequestIds,
    /// Who reads it.
    pub reader: Box<dyn Reader>,
}

/// The sums of pieces that follow each other from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sums {
    /// None, and why.
    None(&'static str),
    /// An MD5 for each: one for a plain object, one for each segment of a large one.
    Pieces(Vec<Sum>),
    /// One MD5 of the MD5s of all.
    Multipart(Multipart),
    /// The reader holds each block against a sum of its own.
    Blocks,
}

/// What the ETag of an object of S3 tells that was uploaded in parts: `MD5-COUNT`, where the MD5 is that of the parts' MD5s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// Small hexadecimal digits.
    pub md5: String,
    /// How many parts.
    pub count: u64,
    /// How large each may be but the last, in bytes.
    pub sizes: Vec<u64>,
    /// Whether the store says that size.
    pub is_size_told: bool,
}

/// The provider's ids of requests, as the replies gave them: the first thousand.
#[derive(Clone, Debug, Default)]
pub struct RequestIds(Arc<Mutex<Vec<String>>>);

/// Ids that are kept: an image of a terabyte is read in a hundred thousand parts.
const MOST_IDS: usize = 1000;

impl RequestIds {
    /// Notes that of a reply, if it has one.
    pub(crate) fn note(&self, id: Option<&str>) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = id.filter(|_| ids.len() < MOST_IDS) {
            ids.push(clean(id));
        }
    }

    /// In the order in which the replies came.
    pub fn list(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The MD5 of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Bytes of the piece.
    pub size: u64,
    /// Its MD5 in small hexadecimal digits.
    pub md5: String,
}

/// The hash of a whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// The cloud's name of its kind, such as `sha512`.
    pub name: String,
    /// Its small hexadecimal digits.
    pub value: String,
}

/// Reads an object in parts.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Sends one request for `length` bytes from `first` on, for an object that is still the same. Gives what was answered:
    /// the caller holds status, place and length against what it asked for. A refusal is an error.
    async fn part(&self, first: u64, length: u64) -> Result<Answer<'_>>;
}

/// What a reader gives for a part.
pub enum Answer<'r> {
    /// A reply whose bytes are still to come.
    Coming(Box<Flow>),
    /// Blocks in their order, each right as far as the reader can tell.
    Blocks(BoxStream<'r, Result<Block>>),
}

/// A piece of an object.
pub enum Block {
    /// Its bytes.
    Data(Bytes),
    /// So many zeros.
    Zeros(u64),
}

/// The value of a `Range` header.
pub(crate) fn range(first: u64, length: u64) -> String {
    format!("bytes={first}-{}", first + length.saturating_sub(1))
}

/// The MD5 that an ETag is: 32 hexadecimal digits. A multipart one has a dash and a number behind.
pub(crate) fn md5_of(etag: &str) -> Option<String> {
    let text = etag.trim_matches('"').to_ascii_lowercase();
    let is_md5 = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then_some(text)
}

/// The parts' sizes that people's tools use, in MiB (AWS's tools 8, rclone 5, MinIO 16, s5cmd 50, …).
const USUAL: [u64; 15] = [
    5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512, 1024,
];

/// What an ETag tells of an object of this size: its MD5, or that of its parts. `first` is the size of the first part, where
/// the store says it.
pub(crate) fn sums_of(etag: Option<&str>, size: u64, first: Option<u64>) -> Sums {
    let etag = etag.unwrap_or_default();
    if let Some(md5) = md5_of(etag) {
        return Sums::Pieces(vec![Sum { size, md5 }]);
    }
    let Some((md5, count)) = multipart_of(etag) else {
        return Sums::None("the object's ETag is no MD5");
    };
    let is_possible = |part: &u64| *part > 0 && size.div_ceil(*part) == count;
    let told = match count {
        1 => Some(size),
        _ => first,
    };
    let told = told.filter(is_possible);
    let mut sizes: Vec<u64> = match told {
        Some(told) => vec![told],
        None => USUAL
            .map(|mib| mib << 20)
            .into_iter()
            .filter(is_possible)
            .collect(),
    };
    if sizes.is_empty() {
        // Another whole number of MiB, if only one fits.
        let least = size.div_ceil(count).div_ceil(1 << 20) << 20;
        let fits = is_possible(&least) && !is_possible(&(least + (1 << 20)));
        sizes.extend(fits.then_some(least));
    }
    Sums::Multipart(Multipart {
        md5,
        count,
        sizes,
        is_size_told: told.is_some(),
    })
}

/// The MD5 and the count of a multipart ETag.
pub(crate) fn multipart_of(etag: &str) -> Option<(String, u64)> {
    let (md5, count) = etag.trim_matches('"').split_once('-')?;
    let count = count.parse().ok().filter(|count| *count > 0)?;
    Some((md5_of(md5)?, count))
}

/// The refusal of a request for a part: what it means for the object.
pub(crate) fn refused_part(status: u16, error: Error) -> Error {
    match status {
        412 => error.because(Reason::ObjectChanged),
        416 => error.because(Reason::BadPart),
        _ => error,
    }
}
