//! What a Cloud Files account holds. Of an exported disk image only its label is kept; its bytes are made when asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use crate::vhd::vhd;

/// The size of a segment of a large export. Real ones are a thousand times larger.
const SEGMENT: usize = 512 * 1024;

/// Containers by name, each with its objects by name.
pub(crate) type Containers = BTreeMap<String, BTreeMap<String, Object>>;

/// Everything in an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The account's name in URLs.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) containers: Containers,
}

/// An object, maybe one that is still being written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) content: Content,
    pub(crate) bytes: u64,
    pub(crate) hash: String,
    pub(crate) content_type: String,
    /// From when on it can be seen.
    pub(crate) stored_at: Timestamp,
}

/// Where an object's bytes come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Content {
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
    pub(crate) fn uploaded(bytes: Vec<u8>, content_type: &str, stored_at: Timestamp) -> Self {
        Object {
            bytes: bytes.len() as u64,
            hash: md5_hex(&bytes),
            content: Content::Bytes(bytes),
            content_type: content_type.to_owned(),
            stored_at,
        }
    }

    pub(crate) fn read(&self) -> Vec<u8> {
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
    pub(crate) fn with_containers(name: &str, containers: &[&str]) -> Self {
        Account {
            name: name.to_owned(),
            containers: containers
                .iter()
                .map(|name| ((*name).to_owned(), BTreeMap::new()))
                .collect(),
        }
    }

    /// Whether something of this name is stored or being written.
    pub(crate) fn holds(&self, container: &str, object: &str) -> bool {
        self.containers
            .get(container)
            .is_some_and(|objects| objects.contains_key(object))
    }

    /// Writes a disk image of so many blocks under this name, done at `end`: whole if it fits a segment,
    /// else as segments that appear one by one from `start` on, and a manifest at the end.
    pub(crate) fn export(
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
    pub(crate) fn segments(&self, container: &str, prefix: &str, now: Timestamp) -> Vec<&Object> {
        self.containers
            .get(container)
            .into_iter()
            .flatten()
            .filter(|(name, object)| name.starts_with(prefix) && object.stored_at <= now)
            .map(|(_, object)| object)
            .collect()
    }
}

/// MD5 in hexadecimal digits.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
