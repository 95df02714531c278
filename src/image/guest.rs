//! The disk as its guest sees it, behind the tables of its image.

use std::io;

use super::qcow2;
use super::source::{Source, wrong};
use super::vhd;

/// Where a stretch of the disk is kept.
pub(super) enum Place {
    /// Nowhere: it reads as zeros.
    Hole,
    /// In the file, from this byte on.
    At(u64),
    /// In these bytes, unpacked already, and of those from this one on.
    Unpacked(Vec<u8>, usize),
}

/// A disk.
pub(super) struct Guest<'f> {
    source: Source<'f>,
    /// Its size.
    pub size: u64,
    map: Map,
}

enum Map {
    Flat,
    Qcow2(qcow2::Header),
    Vhd(vhd::Blocks),
}

impl<'f> Guest<'f> {
    /// A disk of this size at the beginning of the file.
    pub(super) fn flat(source: Source<'f>, size: u64) -> Self {
        let map = Map::Flat;
        Guest { source, size, map }
    }

    pub(super) fn qcow2(source: Source<'f>, header: qcow2::Header) -> Self {
        Guest {
            source,
            size: header.size,
            map: Map::Qcow2(header),
        }
    }

    pub(super) fn vhd(source: Source<'f>, size: u64, blocks: vhd::Blocks) -> Self {
        let map = Map::Vhd(blocks);
        Guest { source, size, map }
    }

    /// Fills the buffer from this byte of the disk on. A disk that ends before is a flaw.
    pub(super) fn read(&self, mut at: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(wrong(format!("byte {at} is beyond the end of the disk")));
        }
        while !buffer.is_empty() {
            let (place, length) = match &self.map {
                Map::Flat => (Place::At(at), u64::MAX),
                Map::Qcow2(header) => header.place(self.source, at)?,
                Map::Vhd(blocks) => blocks.place(self.source, at)?,
            };
            let length = length.min(buffer.len() as u64);
            let (part, rest) = buffer.split_at_mut(usize::try_from(length).unwrap_or(0));
            match place {
                Place::Hole => part.fill(0),
                Place::At(place) => self.source.read(place, part)?,
                Place::Unpacked(bytes, from) => {
                    let bytes = bytes.get(from..from + part.len());
                    part.copy_from_slice(
                        bytes.ok_or_else(|| wrong("a packed cluster is too short"))?,
                    );
                }
            }
            at += length;
            buffer = rest;
        }
        Ok(())
    }

    pub(super) fn bytes<const N: usize>(&self, at: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }
}
