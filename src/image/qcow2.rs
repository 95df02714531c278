//! qcow2, by `docs/interop/qcow2.txt` of QEMU: every number has its largest byte first.

use std::io::{self, Read};

use flate2::read::DeflateDecoder;

use super::check::{Check, Structure, checked};
use super::guest::{Guest, Map, Place};
use super::source::{Source, be, text, wrong};
use crate::text::count;

/// At the beginning of the file.
pub(super) const MAGIC: &[u8] = b"QFI\xfb";
/// QEMU opens no image with larger tables.
const LARGEST_L1: u64 = 32 << 20;
const LARGEST_REFCOUNTS: u64 = 8 << 20;
const MOST_SNAPSHOTS: u64 = 65_536;
/// The offset in an entry of L1 and L2.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// In an entry of L2: the cluster is packed.
const PACKED: u64 = 1 << 62;
/// In an entry of L2: it reads as zeros, wherever it is.
const ZERO: u64 = 1;

/// Bits of incompatible features.
const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;
const OTHER_PACKING: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;

/// What the header says, as far as it is believed.
#[derive(Clone, Debug)]
struct Header {
    version: u64,
    /// Of the disk.
    size: u64,
    cluster_bits: u32,
    is_encrypted: bool,
    backing: Option<String>,
    l1_at: u64,
    l1_entries: u64,
    refcounts_at: u64,
    refcount_clusters: u64,
    snapshots_at: u64,
    snapshots: u64,
    features: u64,
}

impl Header {
    fn read(source: Source<'_>) -> io::Result<Header> {
        let short: [u8; 72] = source.bytes(0)?;
        if !short.starts_with(MAGIC) {
            return Err(wrong("it does not begin like a qcow2"));
        }
        let features = match be(&short[4..8]) {
            2 => 0,
            3 => be(&source.bytes::<8>(72)?),
            other => return Err(wrong(format!("version {other} is not known"))),
        };
        let unknown = features & !(DIRTY | CORRUPT | EXTERNAL_DATA | OTHER_PACKING | EXTENDED_L2);
        if unknown != 0 {
            return Err(wrong(format!("features that are not known: {unknown:#x}")));
        }
        let bits = be(&short[20..24]);
        if !(9..=21).contains(&bits) {
            return Err(wrong(format!("clusters of 2^{bits} bytes cannot be")));
        }
        let size = be(&short[24..32]);
        if size > i64::MAX as u64 {
            return Err(wrong(format!("a disk of {size} bytes cannot be")));
        }
        let (backing_at, backing_length) = (be(&short[8..16]), be(&short[16..20]));
        let backing = match backing_at {
            0 => None,
            at => {
                let mut name = vec![0; usize::try_from(backing_length.min(1023)).unwrap_or(0)];
                source.read(at, &mut name)?;
                Some(text(&name))
            }
        };
        let header = Header {
            version: be(&short[4..8]),
            size,
            cluster_bits: u32::try_from(bits).unwrap_or(0),
            is_encrypted: be(&short[32..36]) != 0,
            backing,
            l1_entries: be(&short[36..40]),
            l1_at: be(&short[40..48]),
            refcounts_at: be(&short[48..56]),
            refcount_clusters: be(&short[56..60]),
            snapshots: be(&short[60..64]),
            snapshots_at: be(&short[64..72]),
            features,
        };
        header.aligned("the L1 table", header.l1_at)?;
        header.aligned("the refcount table", header.refcounts_at)?;
        header.aligned("the table of snapshots", header.snapshots_at)?;
        Ok(header)
    }

    fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Bytes of an entry of L2; what an extended one has more is about parts of its cluster.
    fn entry(&self) -> u64 {
        if self.features & EXTENDED_L2 != 0 {
            16
        } else {
            8
        }
    }

    /// Bytes of the disk that a table of L2 is about.
    fn reach(&self) -> u64 {
        self.cluster() / self.entry() * self.cluster()
    }

    fn aligned(&self, what: &str, at: u64) -> io::Result<()> {
        match at % self.cluster() {
            0 => Ok(()),
            _ => Err(wrong(format!(
                "{what} at byte {at} does not begin a cluster"
            ))),
        }
    }

    /// Refuses what lies beyond the file. The last cluster of a file may be shorter: its rest is zeros.
    fn hold(&self, source: Source<'_>, what: &str, at: u64, length: u64) -> io::Result<()> {
        let whole = source.size.next_multiple_of(self.cluster());
        source.hold(what, at, 1)?;
        source.sized(whole).hold(what, at, length)
    }

    fn l1(&self, source: Source<'_>) -> io::Result<String> {
        let needed = self.size.div_ceil(self.reach());
        let entries = self.l1_entries;
        if entries < needed || entries * 8 > LARGEST_L1 {
            return Err(wrong(format!(
                "it has {entries} entries, where the disk needs {needed}"
            )));
        }
        source.hold("the L1 table", self.l1_at, entries * 8)?;
        Ok(format!("{} bytes, within the file", entries * 8))
    }

    /// Every table of L2, and every cluster that they name.
    fn l2(&self, source: Source<'_>) -> io::Result<String> {
        let (mut tables, mut clusters, mut read) = (0, 0, 0);
        source.table(
            "the L1 table",
            self.l1_at,
            self.l1_entries,
            |entry: &[u8; 8]| {
                let at = be(entry) & OFFSET;
                if at == 0 {
                    return Ok(());
                }
                tables += 1;
                read += self.cluster();
                // Two entries that name the same table would let a small file take for ever.
                if read > source.size {
                    return Err(wrong("it has more L2 tables than the file has room for"));
                }
                self.aligned("an L2 table", at)?;
                source.hold("an L2 table", at, self.cluster())?;
                let mut is_entry = true;
                source.table("an L2 table", at, self.cluster() / 8, |entry: &[u8; 8]| {
                    if is_entry && self.l2_entry(source, be(entry))? {
                        clusters += 1;
                    }
                    is_entry = !is_entry || self.entry() == 8;
                    Ok(())
                })
            },
        )?;
        let (clusters, tables) = (count(clusters, "cluster"), count(tables, "table"));
        Ok(format!("{clusters} in {tables}, all within the file"))
    }

    /// Whether an entry names a cluster.
    fn l2_entry(&self, source: Source<'_>, entry: u64) -> io::Result<bool> {
        if entry & PACKED != 0 {
            let (at, length) = self.packed(entry);
            self.hold(source, "a packed cluster", at, length)?;
            return Ok(true);
        }
        let at = entry & OFFSET;
        if at != 0 {
            self.aligned("a cluster", at)?;
            self.hold(source, "a cluster", at, self.cluster())?;
        }
        Ok(at != 0)
    }

    /// Where a packed cluster begins, and in how many bytes it ends at the latest.
    fn packed(&self, entry: u64) -> (u64, u64) {
        let shift = 62 - (self.cluster_bits - 8);
        let at = entry & ((1 << shift) - 1);
        let more = (entry & (PACKED - 1)) >> shift;
        (at, (more + 1) * 512 - at % 512)
    }

    fn refcounts(&self, source: Source<'_>) -> io::Result<String> {
        let length = self.refcount_clusters * self.cluster();
        if length == 0 || length > LARGEST_REFCOUNTS {
            return Err(wrong(format!("it has {length} bytes, which cannot be")));
        }
        let mut blocks = 0;
        source.table(
            "the refcount table",
            self.refcounts_at,
            length / 8,
            |entry: &[u8; 8]| {
                let at = be(entry) & !511;
                if at != 0 {
                    self.aligned("a refcount block", at)?;
                    self.hold(source, "a refcount block", at, self.cluster())?;
                    blocks += 1;
                }
                Ok(())
            },
        )?;
        Ok(format!("{}, all within the file", count(blocks, "block")))
    }

    fn snapshots(&self, source: Source<'_>) -> io::Result<String> {
        if self.snapshots > MOST_SNAPSHOTS {
            return Err(wrong(format!(
                "it has {} entries, which cannot be",
                self.snapshots
            )));
        }
        let mut at = self.snapshots_at;
        for _ in 0..self.snapshots {
            let entry: [u8; 40] = source.bytes(at)?;
            let (table, entries) = (be(&entry[..8]), be(&entry[8..12]));
            source.hold("the L1 table of a snapshot", table, entries * 8)?;
            let names = be(&entry[12..14]) + be(&entry[14..16]);
            // Cannot overflow: it lies within the file, and what is added has 34 bits at most.
            at = (at + 40 + be(&entry[36..40]) + names).next_multiple_of(8);
        }
        Ok(format!("internal ones: {}", self.snapshots))
    }

    fn self_contained(&self) -> io::Result<String> {
        match &self.backing {
            Some(name) => Err(wrong(format!("its data is partly in another file: {name}"))),
            None if self.features & EXTERNAL_DATA != 0 => Err(wrong("its data is in another file")),
            None => Ok("it names no other file".to_owned()),
        }
    }

    fn unpacked(&self, source: Source<'_>, entry: u64) -> io::Result<Vec<u8>> {
        let (at, length) = self.packed(entry);
        let length = length
            .min(source.size.saturating_sub(at))
            .min(2 * self.cluster());
        let mut packed = vec![0; usize::try_from(length).unwrap_or(0)];
        source.read(at, &mut packed)?;
        let mut bytes = Vec::new();
        let unpacking = DeflateDecoder::new(&*packed).take(self.cluster());
        { unpacking }.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Map for Header {
    fn place(&self, source: Source<'_>, at: u64) -> io::Result<(Place, u64)> {
        let within = at % self.cluster();
        let left = self.cluster() - within;
        let table = be(&source.bytes::<8>(self.l1_at + at / self.reach() * 8)?) & OFFSET;
        if table == 0 {
            return Ok((Place::Hole, left));
        }
        let index = at % self.reach() / self.cluster();
        let entry = table + index * self.entry();
        let (entry, parts) = match self.entry() {
            8 => (be(&source.bytes::<8>(entry)?), 0),
            _ => (
                be(&source.bytes::<8>(entry)?),
                be(&source.bytes::<8>(entry + 8)?),
            ),
        };
        if entry & PACKED != 0 {
            let bytes = self.unpacked(source, entry)?;
            return Ok((
                Place::Unpacked(bytes, usize::try_from(within).unwrap_or(0)),
                left,
            ));
        }
        let start = entry & OFFSET;
        if self.entry() == 16 {
            // Of 32 parts, each has a bit that says whether it is there.
            let part = self.cluster() / 32;
            let is_there = parts >> (within / part) & 1 == 1;
            let left = part - within % part;
            let place = if is_there {
                Place::At(start + within)
            } else {
                Place::Hole
            };
            return Ok((place, left));
        }
        match start == 0 || entry & ZERO != 0 {
            true => Ok((Place::Hole, left)),
            false => Ok((Place::At(start + within), left)),
        }
    }
}

pub(super) fn structure(source: Source<'_>) -> io::Result<Structure> {
    let header = match Header::read(source) {
        Ok(header) => header,
        Err(error) => return Structure::unreadable("header", error),
    };
    let said = match header.features & CORRUPT {
        0 => Ok(format!(
            "version {}, clusters of {} bytes",
            header.version,
            header.cluster()
        )),
        _ => Err(wrong("it is marked as corrupt")),
    };
    let mut checks = vec![
        checked("header", said)?,
        checked("self-contained", header.self_contained())?,
    ];
    let l1 = checked("L1 table", header.l1(source))?;
    let is_usable = !l1.is_failure();
    checks.push(l1);
    checks.push(if header.features & EXTERNAL_DATA != 0 {
        Check::not_possible("L2 tables", "the clusters are in another file")
    } else if is_usable {
        checked("L2 tables", header.l2(source))?
    } else {
        Check::not_possible("L2 tables", "the L1 table is wrong")
    });
    checks.push(if header.features & DIRTY != 0 {
        let why = "the image was not closed, so they may be old; qemu-img check -r all renews them";
        Check::not_possible("refcounts", why)
    } else {
        checked("refcounts", header.refcounts(source))?
    });
    checks.push(checked("snapshots", header.snapshots(source))?);
    Ok(Structure {
        virtual_size: Some(header.size),
        checks,
    })
}

/// The disk in it, where that can be read.
pub(super) fn guest(source: Source<'_>) -> io::Result<Guest<'_>> {
    let header = Header::read(source)?;
    header.l1(source)?;
    header.self_contained()?;
    if header.is_encrypted {
        return Err(wrong("the disk inside is encrypted"));
    }
    if header.features & OTHER_PACKING != 0 {
        return Err(wrong(
            "the disk inside is packed in another way than zlib's",
        ));
    }
    Ok(Guest::new(source, header.size, header))
}
