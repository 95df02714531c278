//! VHD, by Microsoft's *Virtual Hard Disk Image Format Specification* 1.0: every number has its largest byte first.

use std::io;

use super::check::{Check, Structure, checked};
use super::guest::{Flat, Guest, Map, Place};
use super::source::{Source, be, wrong};

/// The footer's size, at the end of the file.
pub(super) const FOOTER: u64 = 512;
/// The footer begins so, and so does its copy at the beginning of a dynamic image.
pub(super) const COOKIE: &[u8] = b"conectix";
/// In the table of blocks: there is none.
const NO_BLOCK: u64 = 0xffff_ffff;

const FIXED: u64 = 2;
const DYNAMIC: u64 = 3;
const DIFFERENCING: u64 = 4;

/// What a footer says.
struct Footer {
    bytes: [u8; 512],
    size: u64,
    kind: u64,
}

impl Footer {
    fn read(source: Source<'_>, at: u64) -> io::Result<Footer> {
        let bytes: [u8; 512] = source.bytes(at)?;
        if !bytes.starts_with(COOKIE) {
            return Err(wrong("there is none"));
        }
        sum_fits(&bytes, 64)?;
        let (size, kind) = (be(&bytes[48..56]), be(&bytes[60..64]));
        Ok(Footer { bytes, size, kind })
    }

    /// That at the end of the file, where each VHD has one.
    fn last(source: Source<'_>) -> io::Result<Footer> {
        let at = source.size.checked_sub(FOOTER);
        Footer::read(
            source,
            at.ok_or_else(|| wrong("the file is too short for one"))?,
        )
    }
}

/// Whether a structure's checksum, at this place in it, is the complement of the sum of its other bytes.
fn sum_fits(bytes: &[u8], at: usize) -> io::Result<()> {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let (own, other) = (
        be(&bytes[at..at + 4]),
        !(sum(bytes) - sum(&bytes[at..at + 4])),
    );
    match own == u64::from(other) {
        true => Ok(()),
        false => Err(wrong(format!(
            "its checksum is {own:08x}, its bytes give {other:08x}"
        ))),
    }
}

/// The blocks of a dynamic image.
#[derive(Clone, Debug)]
struct Blocks {
    table: u64,
    entries: u64,
    /// Bytes of the disk in each.
    block: u64,
}

impl Blocks {
    fn read(source: Source<'_>, footer: &Footer) -> io::Result<Blocks> {
        let header: [u8; 1024] = source.bytes(be(&footer.bytes[16..24]))?;
        if !header.starts_with(b"cxsparse") {
            return Err(wrong("there is none"));
        }
        sum_fits(&header, 36)?;
        let blocks = Blocks {
            table: be(&header[16..24]),
            entries: be(&header[28..32]),
            block: be(&header[32..36]),
        };
        if !blocks.block.is_power_of_two() || blocks.block < 512 {
            return Err(wrong(format!("blocks of {} bytes cannot be", blocks.block)));
        }
        let (size, entries) = (footer.size, blocks.entries);
        if entries < size.div_ceil(blocks.block) {
            return Err(wrong(format!(
                "{entries} blocks are too few for {size} bytes"
            )));
        }
        source.hold("the block table", blocks.table, entries * 4)?;
        Ok(blocks)
    }

    /// Before each block, a bit for each of its sectors.
    fn bitmap(&self) -> u64 {
        (self.block / 512).div_ceil(8).next_multiple_of(512)
    }

    fn all_within(&self, source: Source<'_>) -> io::Result<String> {
        let data = source.size.saturating_sub(FOOTER);
        let mut count = 0;
        source.table(
            "the block table",
            self.table,
            self.entries,
            |entry: &[u8; 4]| {
                let sector = be(entry);
                if sector != NO_BLOCK {
                    let all = source.sized(data);
                    all.hold("a block", sector * 512, self.bitmap() + self.block)?;
                    count += 1;
                }
                Ok(())
            },
        )?;
        Ok(format!(
            "{count} of {} blocks, all within the file",
            self.entries
        ))
    }
}

impl Map for Blocks {
    fn place(&self, source: Source<'_>, at: u64) -> io::Result<(Place, u64)> {
        let (within, entry) = (at % self.block, self.table + at / self.block * 4);
        let left = self.block - within;
        match be(&source.bytes::<4>(entry)?) {
            NO_BLOCK => Ok((Place::Hole, left)),
            sector => Ok((Place::At(sector * 512 + self.bitmap() + within), left)),
        }
    }
}

pub(super) fn structure(source: Source<'_>) -> io::Result<Structure> {
    let footer = match Footer::last(source) {
        Ok(footer) => footer,
        Err(error) => return Structure::unreadable("footer", error),
    };
    let said = format!("its checksum fits, the disk has {} bytes", footer.size);
    let mut checks = vec![
        Check::passed("footer", said),
        checked("type", named(footer.kind))?,
    ];
    if footer.kind == FIXED {
        let data = source.size - FOOTER;
        let size = match data == footer.size {
            true => Ok(format!("{data} bytes before the footer")),
            false => Err(wrong(format!(
                "the footer says {}, the file has {data}",
                footer.size
            ))),
        };
        checks.push(checked("data", size)?);
    } else {
        let copy = Footer::read(source, 0).and_then(|copy| match copy.bytes == footer.bytes {
            true => Ok("the same as the footer".to_owned()),
            false => Err(wrong("it is not the same as the footer")),
        });
        checks.push(checked("copy of the footer", copy)?);
        let blocks = Blocks::read(source, &footer);
        let all = match &blocks {
            Ok(blocks) => checked("blocks", blocks.all_within(source))?,
            Err(_) => Check::not_possible("blocks", "the dynamic header is wrong"),
        };
        let said = blocks.map(|blocks| format!("blocks of {} bytes", blocks.block));
        checks.extend([checked("dynamic header", said)?, all]);
    }
    Ok(Structure {
        virtual_size: Some(footer.size),
        checks,
    })
}

/// The type in words; an image that is only what differs from another is no whole disk.
fn named(kind: u64) -> io::Result<String> {
    match kind {
        FIXED => Ok("fixed".to_owned()),
        DYNAMIC => Ok("dynamic".to_owned()),
        DIFFERENCING => Err(wrong("differencing: its data is partly in another file")),
        other => Err(wrong(format!("type {other} is not known"))),
    }
}

/// The disk in it, where that can be read.
pub(super) fn guest(source: Source<'_>) -> io::Result<Guest<'_>> {
    let footer = Footer::last(source)?;
    named(footer.kind)?;
    match footer.kind {
        FIXED => Ok(Guest::new(source, footer.size, Flat)),
        _ => {
            let blocks = Blocks::read(source, &footer)?;
            Ok(Guest::new(source, footer.size, blocks))
        }
    }
}
