//! What a Cloud Files account holds. Of an exported disk image only its label is kept; its bytes are made when asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::blob::{Blob, md5_hex};
use crate::shape::Shape;
use crate::vhd::{large, vhd};

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
    /// A stretch of a small disk image.
    Disk {
        label: String,
        blocks: usize,
        start: usize,
    },
    /// A part of a large one.
    Part {
        label: String,
        size: u64,
        number: u64,
    },
    /// Nothing of its own: the objects of this container and prefix, joined.
    Manifest { container: String, prefix: String },
    /// The same with a manifest that names each one: `container/object`.
    Static(Vec<String>),
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

    /// A piece of an image of this length.
    fn made(content: Content, bytes: u64, stored_at: Timestamp) -> Self {
        let content_type = "application/octet-stream".to_owned();
        let mut object = Object {
            content,
            bytes,
            hash: String::new(),
            content_type,
            stored_at,
        };
        object.hash = object.md5();
        object
    }

    fn md5(&self) -> String {
        match &self.content {
            Content::Part {
                label,
                size,
                number,
            } => large::md5(label, *size, *number),
            _ => md5_hex(&self.read().to_vec()),
        }
    }

    /// When it was stored, as lists and manifests say it.
    pub(crate) fn modified(&self) -> String {
        let time = self.stored_at.strftime("%Y-%m-%dT%H:%M:%S.%6f");
        time.to_string()
    }

    pub(crate) fn read(&self) -> Blob {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone().into(),
            Content::Disk {
                label,
                blocks,
                start,
            } => {
                let start = *start as u64;
                Blob::from(vhd(label, *blocks)).slice(start..start + self.bytes)
            }
            Content::Part {
                label,
                size,
                number,
            } => large::part(label, *size, *number),
            Content::Manifest { .. } | Content::Static(_) => Blob::from(""),
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

    /// Writes a disk image of so many blocks, or of the size that is asked for, under this name, done at `end`: whole if
    /// it fits a segment, else as segments that appear one by one from `start` on, and a manifest at the end.
    pub(crate) fn export(
        &mut self,
        container: &str,
        name: &str,
        (label, blocks): (&str, usize),
        (start, end): (Timestamp, Timestamp),
        shape: &Shape,
    ) {
        let Some(objects) = self.containers.get_mut(container) else {
            return;
        };
        let label = label.to_owned();
        let parts: Vec<(Content, u64)> = match shape.object_size {
            Some(size) => (0..large::count(size))
                .map(|number| {
                    let bytes = large::part(&label, size, number).len();
                    let label = label.clone();
                    let part = Content::Part {
                        label,
                        size,
                        number,
                    };
                    (part, bytes)
                })
                .collect(),
            None => {
                let total = vhd(&label, blocks).len();
                let starts = (0..total).step_by(SEGMENT);
                starts
                    .map(|start| {
                        let label = label.clone();
                        let part = Content::Disk {
                            label,
                            blocks,
                            start,
                        };
                        (part, SEGMENT.min(total - start) as u64)
                    })
                    .collect()
            }
        };
        if let [(whole, bytes)] = &parts[..] {
            let whole = Object::made(whole.clone(), *bytes, end);
            objects.insert(name.to_owned(), whole);
            return;
        }
        let total = parts.iter().map(|(_, bytes)| bytes).sum();
        let step = end
            .duration_since(start)
            .checked_div(parts.len() as i32 + 1);
        let step = step.unwrap_or_default();
        for (part, index) in parts.into_iter().zip(1..) {
            let stored_at = start.checked_add(step * index).unwrap_or(end).min(end);
            objects.insert(
                format!("{name}-{index:05}"),
                Object::made(part.0, part.1, stored_at),
            );
        }
        let prefix = format!("{name}-");
        let joined = if shape.is_static {
            let segments = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
            let segments: Vec<(String, &Object)> = segments
                .map(|(name, object)| (format!("{container}/{name}"), object))
                .collect();
            let hash = md5_hex(manifest(&segments).to_string().as_bytes());
            let paths = segments.into_iter().map(|(path, _)| path).collect();
            Object {
                hash,
                ..Object::made(Content::Static(paths), total, end)
            }
        } else {
            let container = container.to_owned();
            Object::made(Content::Manifest { container, prefix }, 0, end)
        };
        objects.insert(name.to_owned(), joined);
    }

    /// Puts another disk in the place of every exported one.
    pub(crate) fn change(&mut self, shape: &Shape) {
        for object in self.containers.values_mut().flat_map(BTreeMap::values_mut) {
            if let Content::Disk { label, .. } | Content::Part { label, .. } = &mut object.content {
                *label = shape.label(label);
                object.hash = object.md5();
            }
        }
    }

    /// The objects that one joins, by path; `Err` where a manifest names one that is not there.
    pub(crate) fn segments(
        &self,
        object: &Object,
        now: Timestamp,
    ) -> Option<Result<Vec<(String, &Object)>, Missing>> {
        let is_there = |object: &&Object| object.stored_at <= now;
        match &object.content {
            Content::Manifest { container, prefix } => {
                let objects = self.containers.get(container).into_iter().flatten();
                let segments = objects
                    .filter(|(name, object)| name.starts_with(prefix) && is_there(object))
                    .map(|(name, object)| (format!("{container}/{name}"), object));
                Some(Ok(segments.collect()))
            }
            Content::Static(paths) => {
                let find = |path: &String| {
                    let (container, name) = path.split_once('/')?;
                    let object = self.containers.get(container)?.get(name);
                    Some((path.clone(), object.filter(is_there)?))
                };
                let found = paths.iter().map(|path| find(path).ok_or(Missing));
                Some(found.collect())
            }
            _ => None,
        }
    }
}

/// A segment that is not there.
pub(crate) struct Missing;

/// A static manifest as it is shown.
pub(crate) fn manifest(segments: &[(String, &Object)]) -> Value {
    let entry = |(path, segment): &(String, &Object)| {
        json!({
            "name": format!("/{path}"), "bytes": segment.bytes, "hash": segment.hash,
            "content_type": segment.content_type, "last_modified": segment.modified(),
        })
    };
    segments.iter().map(entry).collect()
}
