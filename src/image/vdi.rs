//! VDI, by `VDICore.h` of VirtualBox: every number has its smallest byte first.

use std::io;

use super::check::{Check, Structure, checked};
use super::source::{Source, le, wrong};

/// Behind a line of text for people.
pub(super) const SIGNATURE_AT: u64 = 0x40;
pub(super) const SIGNATURE: &[u8] = &[0x7f, 0x10, 0xda, 0xbe];
/// In the block map: from here on it is no block, but zeros.
const NO_BLOCK: u64 = 0xffff_fffe;

struct Header {
    kind: u64,
    map: u64,
    data: u64,
    size: u64,
    block: u64,
    /// Before each block, bytes of its own.
    extra: u64,
    blocks: u64,
    allocated: u64,
}

impl Header {
    fn read(source: Source<'_>) -> io::Result<Header> {
        let bytes: [u8; 512] = source.bytes(0)?;
        if bytes[0x40..0x44] != *SIGNATURE {
            return Err(wrong("it does not begin like a VDI"));
        }
        let version = le(&bytes[0x44..0x48]);
        let header = Header {
            kind: le(&bytes[0x4c..0x50]),
            map: le(&bytes[0x154..0x158]),
            data: le(&bytes[0x158..0x15c]),
            size: le(&bytes[0x170..0x178]),
            block: le(&bytes[0x178..0x17c]),
            extra: le(&bytes[0x17c..0x180]),
            blocks: le(&bytes[0x180..0x184]),
            allocated: le(&bytes[0x184..0x188]),
        };
        if version >> 16 != 1 {
            let (major, minor) = (version >> 16, version & 0xffff);
            return Err(wrong(format!("version {major}.{minor} is not known")));
        }
        if !header.block.is_power_of_two() || header.block < 512 {
            return Err(wrong(format!("blocks of {} bytes cannot be", header.block)));
        }
        if header.blocks < header.size.div_ceil(header.block) {
            let (blocks, size) = (header.blocks, header.size);
            return Err(wrong(format!(
                "{blocks} blocks are too few for {size} bytes"
            )));
        }
        Ok(header)
    }

    fn kind(&self) -> io::Result<String> {
        match self.kind {
            1 => Ok("dynamic".to_owned()),
            2 => Ok("static".to_owned()),
            3 | 4 => Err(wrong(
                "its data is partly in another file, which it calls its parent",
            )),
            other => Err(wrong(format!("type {other} is not known"))),
        }
    }

    fn map(&self, source: Source<'_>) -> io::Result<String> {
        let stride = self.block + self.extra;
        // The last block of the disk may be written as far as the disk goes.
        let last = self.size.saturating_sub(1) / self.block;
        let (mut index, mut count) = (0, 0);
        source.table("the block map", self.map, self.blocks, |entry: &[u8; 4]| {
            let place = le(entry);
            if place < NO_BLOCK {
                count += 1;
                let length = match index == last {
                    true => self.extra + self.size - index * self.block,
                    false => stride,
                };
                source.hold("a block", self.data + place * stride, length)?;
            }
            index += 1;
            Ok(())
        })?;
        match count == self.allocated {
            true => Ok(format!(
                "{count} of {} blocks, all within the file",
                self.blocks
            )),
            false => Err(wrong(format!(
                "it names {count} blocks, the header says {}",
                self.allocated
            ))),
        }
    }
}

pub(super) fn structure(source: Source<'_>) -> io::Result<Structure> {
    let header = match Header::read(source) {
        Ok(header) => header,
        Err(error) => return Structure::unreadable("header", error),
    };
    let said = format!(
        "blocks of {} bytes, the disk has {} bytes",
        header.block, header.size
    );
    Ok(Structure {
        virtual_size: Some(header.size),
        checks: vec![
            Check::passed("header", said),
            checked("type", header.kind())?,
            checked("block map", header.map(source))?,
        ],
    })
}
