//! A dynamic VHD of any size, in parts that are made as they are read: what an export leaves as segments.
//!
//! The first part holds footer, header, block table and the first two blocks, the last one the footer. Those between are
//! four blocks each, and alike but for their last sector, which holds the part's number: so each one's MD5 takes little work.

use std::sync::LazyLock;

use md5::{Digest, Md5};

use super::{SECTOR, footer, header};
use crate::blob::{Blob, hex};
use crate::disk::{CHUNK, chunk, stamp, start};

/// Bytes of a block of data, as usual.
const BLOCK: usize = 2 << 20;
/// Blocks of the first part, and of each that follows.
const FIRST: u64 = 2;
const EACH: u64 = 4;
const UNIT: u64 = EACH * (SECTOR + BLOCK) as u64;

/// How many parts an image of about this size has.
pub(crate) fn count(size: u64) -> u64 {
    2 + units(size)
}

/// How many of them are alike.
fn units(size: u64) -> u64 {
    let first = FIRST * (SECTOR + BLOCK) as u64;
    size.saturating_sub(first).div_ceil(UNIT).max(1)
}

/// A part by its number.
pub(crate) fn part(label: &str, size: u64, number: u64) -> Blob {
    let last = count(size) - 1;
    match number {
        0 => first(label, size).into(),
        _ if number == last => footer(label, disk(size)).to_vec().into(),
        _ => Blob::join(vec![unit(), stamp(label, number).into()]),
    }
}

/// The MD5 of a part, in hexadecimal digits.
pub(crate) fn md5(label: &str, size: u64, number: u64) -> String {
    static UNIT_MD5: LazyLock<Md5> = LazyLock::new(|| unit().md5());
    let md5 = if (1..=units(size)).contains(&number) {
        UNIT_MD5.clone().chain_update(stamp(label, number))
    } else {
        part(label, size, number).md5()
    };
    hex(md5.finalize())
}

/// Blocks of the disk: those of the parts, and a ninth that holds nothing.
fn entries(size: u64) -> u64 {
    let used = FIRST + EACH * units(size);
    used + used / 8 + 1
}

fn disk(size: u64) -> u64 {
    entries(size) * BLOCK as u64
}

fn first(label: &str, size: u64) -> Vec<u8> {
    let entries = entries(size);
    let table = (entries as usize * 4).next_multiple_of(SECTOR);
    let data = 3 * SECTOR + table;
    let mut part = footer(label, disk(size)).to_vec();
    part.extend_from_slice(&header(entries as usize, BLOCK));
    for entry in 0..table / 4 {
        let is_used = (entry as u64) < FIRST + EACH * units(size);
        let sector = (data + entry * (SECTOR + BLOCK)) / SECTOR;
        let sector = if is_used { sector as u32 } else { u32::MAX };
        part.extend_from_slice(&sector.to_be_bytes());
    }
    for block in start(label, disk(size)).chunks(BLOCK) {
        part.extend_from_slice(&[0xff; SECTOR]);
        part.extend_from_slice(block);
    }
    part
}

/// A part without its number.
fn unit() -> Blob {
    static MADE: LazyLock<Blob> = LazyLock::new(|| {
        let bitmap = Blob::from(vec![0xff; SECTOR]);
        let data = Blob::from(chunk()).repeat((BLOCK / CHUNK) as u64);
        let whole = Blob::join(vec![bitmap, data]).repeat(EACH);
        whole.slice(0..UNIT - SECTOR as u64)
    });
    MADE.clone()
}

#[cfg(test)]
mod tests;
