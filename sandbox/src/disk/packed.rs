//! A disk image of any size, compressed, of which any stretch can be had without compressing what stands before it.
//!
//! A gzip member of deflate blocks that were made once and know nothing of each other; its CRC-32 is put together from
//! theirs. It is laid out in parts of 8 MiB, which are alike but for their last block, a stored one that holds the part's
//! number: so the ETag that a multipart upload gets takes little work too.

use std::sync::LazyLock;

use flate2::{Compress, Compression, Crc, FlushCompress};
use hyper::body::Bytes;
use md5::{Digest, Md5};

use super::{CHUNK, CLUSTER, DISK_SIZE, chunk, stamp, start, tables};
use crate::blob::{Blob, hex};

/// Size of a part, as most S3 clients upload them.
pub(crate) const PART: u64 = 8 << 20;
/// Room that is kept at the end of a part, where its last blocks are made to measure.
const MARGIN: u64 = 32 << 10;
/// What file systems can leave out.
const PAGE: u64 = 4096;
/// The longest stored block.
const STORED: usize = 65_535;

/// A compressed image of about this size, and its ETag: the MD5, or beyond two parts what a multipart upload gets.
pub(crate) fn packed(label: &str, is_raw: bool, size: u64) -> (Blob, String) {
    let unit = unit();
    // The first part holds what is the image's own; less than half of a disk in use is saved. What is left at the end is
    // free space.
    let count = (size / PART).saturating_sub(1);
    let own = DISK_SIZE as u64 + 2 * (size - count * PART);
    let disk = (own + count * (unit.plain + 512)).next_multiple_of(CLUSTER as u64);

    let mut member = Member::default();
    member.add(
        Blob::from(&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..]),
        &Crc::new(),
    );
    if !is_raw {
        member.deflate(&tables(&vec![true; (disk / CLUSTER as u64) as usize]));
    }
    let end = member.plain + disk;
    member.deflate(&start(label, disk));
    let first = match count {
        0 => size,
        _ => (member.packed + MARGIN).next_multiple_of(PART),
    };
    member.fill(first, 0);
    for number in 0..count {
        member.crc.combine(&unit.crc);
        member.crc.update(&stamp(label, number));
    }
    member.plain += count * (unit.plain + 512);
    let name = label.to_owned();
    let units =
        Blob::join(unit.parts.clone()).numbered(count, move |number| stored(&stamp(&name, number)));
    member.packed += units.len();
    member.parts.push(units);
    member.fill(size, 0);
    member.zeros(end - member.plain);
    // The last block: empty.
    let mut trailer = vec![3, 0];
    trailer.extend_from_slice(&member.crc.sum().to_le_bytes());
    trailer.extend_from_slice(&(member.plain as u32).to_le_bytes());
    member.parts.push(trailer.into());
    let blob = Blob::join(member.parts);

    if count == 0 {
        let md5 = hex(blob.md5().finalize());
        return (blob, md5);
    }
    let mut all = Md5::new();
    let mut part_at = 0;
    while part_at < blob.len() {
        let number = (part_at.saturating_sub(first)) / PART;
        let md5 = match (first..first + count * PART).contains(&part_at) {
            true => unit_md5().chain_update(stored(&stamp(label, number))),
            false => blob.slice(part_at..part_at + PART).md5(),
        };
        all.update(md5.finalize());
        part_at += PART;
    }
    let etag = format!("{}-{}", hex(all.finalize()), blob.len().div_ceil(PART));
    (blob, etag)
}

/// Deflate blocks that follow each other, and what they unpack to.
#[derive(Default)]
struct Member {
    parts: Vec<Blob>,
    packed: u64,
    plain: u64,
    crc: Crc,
}

impl Member {
    fn add(&mut self, packed: Blob, crc: &Crc) {
        self.packed += packed.len();
        self.plain += u64::from(crc.amount());
        self.crc.combine(crc);
        self.parts.push(packed);
    }

    fn deflate(&mut self, plain: &[u8]) {
        self.add(deflate(plain).into(), &crc(plain));
    }

    fn repeat(&mut self, block: &Block, times: u64) {
        for _ in 0..times {
            self.crc.combine(&block.crc);
        }
        let packed = Blob::from(block.packed.clone()).repeat(times);
        self.packed += packed.len();
        self.plain += u64::from(block.crc.amount()) * times;
        self.parts.push(packed);
    }

    /// Goes on with a disk in use until so much is packed and, with `more` bytes behind it, whole pages are filled.
    fn fill(&mut self, size: u64, more: u64) {
        static USED: LazyLock<Block> = LazyLock::new(|| Block::of(&chunk()));
        let room = size.saturating_sub(self.packed + MARGIN);
        self.repeat(&USED, room / USED.packed.len() as u64);
        // Then bytes as they are, and empty blocks, which are five bytes each.
        let room = size.saturating_sub(self.packed) as usize;
        let heads = |plain: usize| 5 * plain.div_ceil(STORED);
        let plain = (0..room).rev().find(|plain| {
            let pages = self.plain + *plain as u64 + more;
            plain + heads(*plain) <= room
                && (room - plain).is_multiple_of(5)
                && pages.is_multiple_of(PAGE)
        });
        let Some(plain) = plain else { return };
        for block in chunk()[..plain].chunks(STORED) {
            self.add(stored(block).into(), &crc(block));
        }
        let empty = Blob::from(stored(&[])).repeat((room - plain - heads(plain)) as u64 / 5);
        self.add(empty, &Crc::new());
    }

    /// Goes on with so much free space.
    fn zeros(&mut self, size: u64) {
        static ZEROS: LazyLock<Block> = LazyLock::new(|| Block::of(&[0; CHUNK]));
        self.repeat(&ZEROS, size / CHUNK as u64);
        self.deflate(&vec![0; (size % CHUNK as u64) as usize]);
    }
}

/// All of a part but its number. With that it is as long as a part.
fn unit() -> &'static Member {
    static UNIT: LazyLock<Member> = LazyLock::new(|| {
        let mut unit = Member::default();
        let stamp = stamp("", 0);
        unit.fill(PART - stored(&stamp).len() as u64, stamp.len() as u64);
        unit
    });
    &UNIT
}

/// The state of an MD5 behind that.
fn unit_md5() -> Md5 {
    static MD5: LazyLock<Md5> = LazyLock::new(|| Blob::join(unit().parts.clone()).md5());
    MD5.clone()
}

/// Bytes that were compressed once.
struct Block {
    packed: Bytes,
    crc: Crc,
}

impl Block {
    fn of(plain: &[u8]) -> Self {
        Block {
            packed: deflate(plain).into(),
            crc: crc(plain),
        }
    }
}

/// Deflate blocks that end at a whole byte and need nothing from before them.
fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 100 + 1024);
    // There is room for all of it, and memory does not fail; were it to, the image would be broken and every check say so.
    let _ = Compress::new(Compression::fast(), false).compress_vec(
        plain,
        &mut packed,
        FlushCompress::Full,
    );
    packed
}

/// A deflate block of bytes as they are.
fn stored(plain: &[u8]) -> Vec<u8> {
    let length = (plain.len() as u16).to_le_bytes();
    let mut block = vec![0, length[0], length[1], !length[0], !length[1]];
    block.extend_from_slice(plain);
    block
}

fn crc(plain: &[u8]) -> Crc {
    let mut crc = Crc::new();
    crc.update(plain);
    crc
}

#[cfg(test)]
mod tests;
