//! What an export made, as it can be read.

use async_trait::async_trait;

use crate::error::{Error, Reason, Result};
use crate::http::Flow;

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
    /// The MD5 sums that the store gives, of pieces that follow each other from the beginning: one for a plain object, one
    /// for each segment of a large one. Empty where there are none, with the reason.
    pub sums: Vec<Sum>,
    /// Why there are no sums.
    pub without_sums: &'static str,
    /// Whether the reader holds each of its blocks against a checksum of its own.
    pub has_block_sums: bool,
    /// The hash of the whole object that its cloud keeps, beside those.
    pub hash: Option<Hash>,
    /// Who reads it.
    pub reader: Box<dyn Reader>,
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
    async fn part(&self, first: u64, length: u64) -> Result<Answer>;
}

/// What a reader gives for a part.
pub enum Answer {
    /// A reply whose bytes are still to come.
    Coming(Box<Flow>),
    /// All of its bytes.
    Whole(Vec<u8>),
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

/// The refusal of a request for a part: what it means for the object.
pub(crate) fn refused_part(status: u16, error: Error) -> Error {
    match status {
        412 => error.because(Reason::ObjectChanged),
        416 => error.because(Reason::BadPart),
        _ => error,
    }
}
