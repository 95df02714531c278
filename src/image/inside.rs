//! What can be seen on a disk without mounting it: the boot sector, the partitions, how file systems begin.

use std::fmt;
use std::io;

use flate2::Crc;

use super::check::{Check, checked, is_flaw};
use super::guest::Guest;
use super::source::{be, le, wrong};
use crate::text;

pub(super) const TABLE: &str = "partition table";
pub(super) const NO_TABLE: &str = "none was seen";
const SECTOR: u64 = 512;
/// Neither an MBR's chain nor a GPT is followed further.
const MOST_PARTITIONS: usize = 1024;
/// As far as the superblock of btrfs, which lies furthest behind.
const HEAD: usize = 0x11000;

/// The partitions of a disk.
pub(super) struct Table {
    kind: &'static str,
    partitions: Vec<Partition>,
}

/// A partition; numbers as Linux counts them.
struct Partition {
    number: usize,
    start: u64,
    size: u64,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = text::count(self.partitions.len(), "partition");
        write!(f, "{} with {count}", self.kind)
    }
}

/// The partition table, if there is one. One that is damaged is a flaw.
pub(super) fn table(guest: &Guest<'_>) -> io::Result<Option<Table>> {
    let Ok(first) = guest.bytes::<512>(0) else {
        return Ok(None);
    };
    // Disks with sectors of 4 KiB have it there.
    for sector in [SECTOR, 8 * SECTOR] {
        match guest.bytes::<512>(sector) {
            Ok(header) if header.starts_with(b"EFI PART") => {
                return gpt(guest, sector, &header).map(Some);
            }
            Err(error) if !is_flaw(&error) => return Err(error),
            _ => {}
        }
    }
    // A file system on the whole disk may have a boot sector too, and text where partitions would stand.
    if first[510..] != [0x55, 0xaa] || Seen::at(guest, 0, guest.size)?.is_some() {
        return Ok(None);
    }
    mbr(guest, &first)
}

/// By the UEFI specification, *GUID Partition Table (GPT) Disk Layout*. `sector` is a sector's size.
fn gpt(guest: &Guest<'_>, sector: u64, header: &[u8; 512]) -> io::Result<Table> {
    let (length, count, width) = (
        le(&header[12..16]),
        le(&header[80..84]),
        le(&header[84..88]),
    );
    let mut zeroed = *header;
    zeroed[16..20].fill(0);
    let length = usize::try_from(length).unwrap_or(0);
    if !(92..=512).contains(&length) || crc(&zeroed[..length]) != le(&header[16..20]) {
        return Err(wrong("GPT: the checksum of its header does not fit"));
    }
    let is_usual = (128..=4096).contains(&width) && count <= MOST_PARTITIONS as u64;
    if !is_usual {
        return Err(wrong(format!(
            "GPT: {count} entries of {width} bytes cannot be"
        )));
    }
    let byte_of = |block: u64| {
        block
            .checked_mul(sector)
            .ok_or_else(|| wrong("GPT: it is wrong"))
    };
    let mut entries = vec![0; usize::try_from(count * width).unwrap_or(0)];
    guest.read(byte_of(le(&header[72..80]))?, &mut entries)?;
    if crc(&entries) != le(&header[88..92]) {
        return Err(wrong("GPT: the checksum of its entries does not fit"));
    }
    let mut partitions = Vec::new();
    let entries = entries.chunks_exact(usize::try_from(width).unwrap_or(128));
    for (index, entry) in entries.enumerate() {
        if entry[..16].iter().all(|byte| *byte == 0) {
            continue;
        }
        let (first, last) = (le(&entry[32..40]), le(&entry[40..48]));
        let blocks = last.checked_sub(first).and_then(|more| more.checked_add(1));
        partitions.push(Partition {
            number: index + 1,
            start: byte_of(first)?,
            size: byte_of(blocks.ok_or_else(|| wrong("GPT: a partition ends before it begins"))?)?,
        });
    }
    let mut copy = [0; 8];
    let found = guest.read(byte_of(le(&header[32..40]))?, &mut copy);
    match found {
        Ok(()) if copy == *b"EFI PART" => Ok(Table {
            kind: "GPT",
            partitions,
        }),
        Err(error) if !is_flaw(&error) => Err(error),
        _ => Err(wrong("GPT: its copy at the end of the disk is not there")),
    }
}

fn crc(bytes: &[u8]) -> u64 {
    let mut crc = Crc::new();
    crc.update(bytes);
    u64::from(crc.sum())
}

/// The partitions of a master boot record, also those in an extended one; `None` where it has none.
fn mbr(guest: &Guest<'_>, first: &[u8; 512]) -> io::Result<Option<Table>> {
    let mut partitions = Vec::new();
    let mut extended = None;
    for (index, entry) in first[446..510].as_chunks::<16>().0.iter().enumerate() {
        let (start, size) = place_of(entry);
        match entry[4] {
            _ if entry[0] & 0x7f != 0 => return Ok(None),
            0 => {}
            0x05 | 0x0f | 0x85 => extended = Some(start),
            _ => partitions.push(Partition {
                number: index + 1,
                start,
                size,
            }),
        }
    }
    let mut next = extended;
    for number in 5..MOST_PARTITIONS {
        let (Some(at), Some(base)) = (next, extended) else {
            break;
        };
        let record = guest.bytes::<512>(at)?;
        if record[510..] != [0x55, 0xaa] {
            return Err(wrong("MBR: the chain of its extended partition is broken"));
        }
        let (entries, _) = record[446..478].as_chunks::<16>();
        let (start, size) = place_of(&entries[0]);
        if size > 0 {
            partitions.push(Partition {
                number,
                start: at + start,
                size,
            });
        }
        let (more, size) = place_of(&entries[1]);
        next = (size > 0).then_some(base + more);
    }
    let is_any = extended.is_some() || !partitions.is_empty();
    Ok(is_any.then_some(Table {
        kind: "MBR",
        partitions,
    }))
}

/// Where a partition of a master boot record begins, and its size.
fn place_of(entry: &[u8; 16]) -> (u64, u64) {
    (le(&entry[8..12]) * SECTOR, le(&entry[12..16]) * SECTOR)
}

/// Everything that is seen on a disk.
pub(super) fn look(guest: &Guest<'_>) -> io::Result<Vec<Check>> {
    let mut checks = vec![boot_sector(guest)?];
    match table(guest) {
        Ok(Some(table)) => {
            checks.push(Check::passed(TABLE, table.to_string()));
            for part in &table.partitions {
                let name = format!("partition {}", part.number);
                checks.push(file_system(guest, &name, part.start, part.size)?);
            }
        }
        Ok(None) => {
            checks.push(Check::not_possible(TABLE, NO_TABLE));
            checks.push(file_system(guest, "disk", 0, guest.size)?);
        }
        Err(error) => checks.push(checked(TABLE, Err(error))?),
    }
    Ok(checks)
}

fn boot_sector(guest: &Guest<'_>) -> io::Result<Check> {
    let name = "boot sector";
    let first = match guest.bytes::<512>(0) {
        Ok(first) => first,
        Err(error) => return checked(name, Err(error)),
    };
    Ok(if first[510..] != [0x55, 0xaa] {
        Check::not_possible(name, "there is none")
    } else if first[..440].iter().all(|byte| *byte == 0) {
        Check::passed(name, "without boot code: a disk that UEFI boots, or none")
    } else {
        Check::passed(name, "with boot code")
    })
}

/// What a stretch of the disk holds, and whether that fits in it.
fn file_system(guest: &Guest<'_>, name: &str, start: u64, size: u64) -> io::Result<Check> {
    let place = format!("{} at byte {start}", text::bytes(size));
    if start.checked_add(size).is_none_or(|end| end > guest.size) {
        return Ok(Check::failed(name, format!("{place} ends beyond the disk")));
    }
    Ok(match Seen::at(guest, start, size) {
        Ok(Some(Seen {
            kind,
            size: Some(own),
        })) if own > size => {
            Check::failed(name, format!("{kind} of {}, in {place}", text::bytes(own)))
        }
        Ok(Some(Seen { kind, .. })) => Check::passed(name, format!("{kind}, {place}")),
        Ok(None) => Check::not_possible(name, format!("nothing that is known, {place}")),
        Err(error) => checked(name, Err(error))?,
    })
}

/// How something that is known begins.
pub(super) struct Seen {
    pub kind: &'static str,
    /// Its own word for how large it is.
    size: Option<u64>,
}

impl Seen {
    fn at(guest: &Guest<'_>, start: u64, size: u64) -> io::Result<Option<Seen>> {
        let mut head = vec![0; HEAD];
        let there = size.min(guest.size.saturating_sub(start)).min(HEAD as u64);
        guest.read(start, &mut head[..usize::try_from(there).unwrap_or(0)])?;
        Ok(Seen::of(&head))
    }

    /// By its first bytes, as libblkid and the file systems' own descriptions tell them apart.
    pub(super) fn of(head: &[u8]) -> Option<Seen> {
        let has = |at: usize, magic: &[u8]| head[at..].starts_with(magic);
        let seen = |kind, size| Some(Seen { kind, size });
        let sectors = |count: u64| count.checked_mul(le(&head[11..13]));
        if has(0, b"LUKS\xba\xbe") {
            seen("LUKS", None)
        } else if has(0, b"XFSB") {
            seen("xfs", be(&head[4..8]).checked_mul(be(&head[8..16])))
        } else if (0..4).any(|at| has(at * 512, b"LABELONE") && has(at * 512 + 24, b"LVM2 001")) {
            seen("LVM", None)
        } else if has(4086, b"SWAPSPACE2") {
            seen("swap", Some((le(&head[1028..1032]) + 1) * 4096))
        } else if has(0x10040, b"_BHRfS_M") {
            seen("btrfs", Some(le(&head[0x100d1..0x100d9])))
        } else if has(0x438, &[0x53, 0xef]) {
            let (compatible, incompatible) = (le(&head[0x45c..0x460]), le(&head[0x460..0x464]));
            // Of its features, 64-bit block numbers, and those that ext3 does not know.
            let high = if incompatible & 0x80 != 0 {
                le(&head[0x550..0x554]) << 32
            } else {
                0
            };
            let block = 1024_u64.checked_shl(u32::try_from(le(&head[0x418..0x41c])).unwrap_or(64));
            let size = block.and_then(|block| block.checked_mul(high | le(&head[0x404..0x408])));
            match (incompatible & 0x2c0, compatible & 4) {
                (0, 0) => seen("ext2", size),
                (0, _) => seen("ext3", size),
                _ => seen("ext4", size),
            }
        } else if has(3, b"NTFS    ") {
            seen("ntfs", sectors(le(&head[40..48])))
        } else if has(3, b"EXFAT   ") {
            seen("exfat", None)
        } else if has(82, b"FAT32   ") || has(54, b"FAT16   ") || has(54, b"FAT12   ") {
            match le(&head[19..21]) {
                0 => seen("fat", sectors(le(&head[32..36]))),
                few => seen("fat", sectors(few)),
            }
        } else {
            None
        }
    }
}
