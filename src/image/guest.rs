//! The disk as its guest sees it, behind the tables of its image.

use std::io;

use super::source::{Source, wrong};

/// Where a stretch of the disk is kept.
pub(super) enum Place {
    /// Nowhere: it reads as zeros.
    Hole,
    /// In the file, from this byte on.
    At(u64),
    /// In these bytes, unpacked already, and of those from this one on.
    Unpacked(Vec<u8>, usize),
}

/// Where the bytes of a disk are.
pub(super) trait Map {
    /// Where a byte of the disk is, and how many are there in a row.
    fn place(&self, source: Source<'_>, at: u64) -> io::Result<(Place, u64)>;
}

/// The disk is the file, from its beginning.
pub(super) struct Flat;

impl Map for Flat {
    fn place(&self, _source: Source<'_>, at: u64) -> io::Result<(Place, u64)> {
        Ok((Place::At(at), u64::MAX))
    }
}

/// A disk.
pub(super) struct Guest<'f> {
    source: Source<'f>,
    /// Its size.
    pub size: u64,
    map: Box<dyn Map>,
}

impl<'f> Guest<'f> {
    pub(super) fn new(source: Source<'f>, size: u64, map: impl Map + 'static) -> Self {
        let map = Box::new(map);
        Guest { source, size, map }
    }

    /// Fills the buffer from this byte of the disk on. A disk that ends before is a flaw.
    pub(super) fn read(&self, mut at: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(wrong(format!("byte {at} is beyond the end of the disk")));
        }
        while !buffer.is_empty() {
            let (place, length) = self.map.place(self.source, at)?;
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
