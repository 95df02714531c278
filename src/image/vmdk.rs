//! VMDK in one file, by VMware's *Virtual Disk Format 5.0*: every number has its smallest byte first.

use std::io;

use super::check::{Check, Structure, checked};
use super::source::{Source, le, text, wrong};
use crate::text::count;

/// At the beginning of the file.
pub(super) const MAGIC: &[u8] = b"KDMV";
/// Where there is only a description, the data is in other files.
pub(super) const DESCRIPTOR: &[u8] = b"# Disk DescriptorFile";
/// In place of the directory's sector: the footer has it.
const AT_END: u64 = u64::MAX;
/// Before the end: the footer, and a marker of a sector behind it.
const FOOTER: u64 = 1024;
/// Nothing that describes a disk in one file is longer.
const LONGEST: u64 = 1 << 20;
const SECTOR: u64 = 512;

/// Bits of the flags.
const PACKED: u64 = 1 << 16;

struct Header {
    flags: u64,
    /// Sectors of the disk.
    capacity: u64,
    /// Sectors of a grain.
    grain: u64,
    descriptor: u64,
    descriptor_sectors: u64,
    /// Entries of a grain table.
    entries: u64,
    directory: u64,
}

impl Header {
    fn read(source: Source<'_>, at: u64) -> io::Result<Header> {
        let bytes: [u8; 512] = source.bytes(at)?;
        if !bytes.starts_with(MAGIC) {
            return Err(wrong("there is none"));
        }
        let version = le(&bytes[4..8]);
        let header = Header {
            flags: le(&bytes[8..12]),
            capacity: le(&bytes[12..20]),
            grain: le(&bytes[20..28]),
            descriptor: le(&bytes[28..36]),
            descriptor_sectors: le(&bytes[36..44]),
            entries: le(&bytes[44..48]),
            directory: le(&bytes[56..64]),
        };
        if !(1..=3).contains(&version) {
            return Err(wrong(format!("version {version} is not known")));
        }
        // What a text file's transfer would have changed.
        if bytes[73..77] != *b"\n \r\n" {
            return Err(wrong("it was changed as if it were text"));
        }
        let (grain, entries) = (header.grain, header.entries);
        if !grain.is_power_of_two() || !(8..=1 << 14).contains(&grain) {
            return Err(wrong(format!("grains of {grain} sectors cannot be")));
        }
        if entries == 0 || entries > 1 << 12 || header.capacity > u64::MAX / SECTOR / 2 {
            let capacity = header.capacity;
            return Err(wrong(format!("{capacity} sectors by {entries} cannot be")));
        }
        Ok(header)
    }

    fn tables(&self, source: Source<'_>) -> io::Result<String> {
        let entries = self.capacity.div_ceil(self.grain * self.entries);
        let directory = byte_of(self.directory)?;
        let (mut tables, mut grains, mut read) = (0, 0, 0);
        // A packed grain begins with its sector and its length.
        let grain = if self.flags & PACKED != 0 {
            12
        } else {
            self.grain * SECTOR
        };
        source.table(
            "the grain directory",
            directory,
            entries,
            |sector: &[u8; 4]| {
                let at = le(sector) * SECTOR;
                if at == 0 {
                    return Ok(());
                }
                tables += 1;
                read += self.entries * 4;
                // Two entries that name the same table would let a small file take for ever.
                if read > source.size {
                    return Err(wrong("it has more grain tables than the file has room for"));
                }
                source.table("a grain table", at, self.entries, |sector: &[u8; 4]| {
                    // 0: it reads as zeros, and so does 1.
                    match le(sector) {
                        0 | 1 => Ok(()),
                        sector => {
                            grains += 1;
                            source.hold("a grain", sector * SECTOR, grain)
                        }
                    }
                })
            },
        )?;
        let (grains, tables) = (count(grains, "grain"), count(tables, "table"));
        Ok(format!("{grains} in {tables}, all within the file"))
    }

    fn descriptor(&self, source: Source<'_>) -> io::Result<String> {
        let at = byte_of(self.descriptor)?;
        let length = self.descriptor_sectors.saturating_mul(SECTOR);
        source.hold("the descriptor", at, length)?;
        let mut bytes = vec![0; usize::try_from(length.min(LONGEST)).unwrap_or(0)];
        source.read(at, &mut bytes)?;
        let told = text(&bytes);
        if !told.as_bytes().starts_with(DESCRIPTOR) {
            return Err(wrong("it does not begin like one"));
        }
        let value = |key: &str| {
            let values = told.lines().filter_map(|line| line.split_once('='));
            let mut own = values.filter(|(name, _)| name.trim().eq_ignore_ascii_case(key));
            own.next().map(|(_, value)| value.trim().trim_matches('"'))
        };
        let parent = value("parentCID").filter(|id| !id.eq_ignore_ascii_case("ffffffff"));
        if parent.is_some() || value("parentFileNameHint").is_some() {
            return Err(wrong(
                "its data is partly in another file, which it calls its parent",
            ));
        }
        match value("createType") {
            Some(kind @ ("monolithicSparse" | "streamOptimized")) => Ok(kind.to_owned()),
            Some(other) => Err(wrong(format!("{other}: its data is in other files"))),
            None => Err(wrong("it does not say what kind of disk it is")),
        }
    }
}

fn byte_of(sector: u64) -> io::Result<u64> {
    let at = sector.checked_mul(SECTOR);
    at.ok_or_else(|| wrong(format!("sector {sector} cannot be")))
}

pub(super) fn structure(source: Source<'_>) -> io::Result<Structure> {
    if source.has(0, DESCRIPTOR)? {
        let why = "a description alone: the disk's data is in other files";
        return Ok(Structure {
            virtual_size: None,
            checks: vec![Check::failed("header", why)],
        });
    }
    let mut header = match Header::read(source, 0) {
        Ok(header) => header,
        Err(error) => return Structure::unreadable("header", error),
    };
    let (grain, capacity) = (header.grain * SECTOR, header.capacity);
    let said = format!("grains of {grain} bytes, the disk has {capacity} sectors");
    let mut checks = vec![Check::passed("header", said)];
    let virtual_size = Some(header.capacity * SECTOR);
    checks.push(match header.descriptor {
        0 => Check::not_possible("descriptor", "there is none"),
        _ => checked("descriptor", header.descriptor(source))?,
    });
    if header.directory == AT_END {
        // The header was written before the size was known. Of the footer only its tables count.
        let at = source.size.saturating_sub(FOOTER);
        let footer = Header::read(source, at).and_then(|footer| match footer.directory {
            AT_END => Err(wrong("it does not say where the grain directory is")),
            _ => Ok(footer),
        });
        match footer {
            Ok(footer) => {
                header.directory = footer.directory;
                checks.push(Check::passed(
                    "footer",
                    "it says where the grain directory is",
                ));
            }
            Err(error) => {
                checks.push(checked("footer", Err(error))?);
                checks.push(Check::not_possible("grain tables", "the footer is wrong"));
                return Ok(Structure {
                    virtual_size,
                    checks,
                });
            }
        }
    }
    checks.push(checked("grain tables", header.tables(source))?);
    Ok(Structure {
        virtual_size,
        checks,
    })
}
