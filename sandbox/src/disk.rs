//! Disk images that real tools accept, the same for the same label: small ones, and ones of any size that are made as they are read.

pub(crate) mod packed;

use std::sync::LazyLock;

use hyper::body::Bytes;

use crate::blob::Blob;

/// Size of the disk in every small image, and of the beginning of every large one: 4 MiB.
pub(crate) const DISK_SIZE: usize = 4 << 20;
const SECTOR: usize = 512;
/// Where the only partition begins, and the noise that makes the compressed image worth transferring.
const PARTITION_START: usize = 1 << 20;
const NOISE: usize = 256 << 10;
/// Size of a qcow2 cluster, as a power of two.
const CLUSTER_BITS: usize = 16;
const CLUSTER: usize = 1 << CLUSTER_BITS;
/// What large disks are filled with comes in pieces of this size.
pub(crate) const CHUNK: usize = 512 << 10;

/// A raw disk: a boot sector that holds the label and one Linux partition, which begins with noise.
pub(crate) fn raw(label: &str) -> Vec<u8> {
    start(label, DISK_SIZE as u64)
}

/// The first 4 MiB of a raw disk of this size.
pub(crate) fn start(label: &str, size: u64) -> Vec<u8> {
    let mut disk = vec![0; DISK_SIZE];
    let text = label.as_bytes();
    let length = text.len().min(400);
    disk[..length].copy_from_slice(&text[..length]);
    let entry = &mut disk[446..462];
    entry[4] = 0x83;
    entry[8..12].copy_from_slice(&((PARTITION_START / SECTOR) as u32).to_le_bytes());
    let sectors = (size - PARTITION_START as u64) / SECTOR as u64;
    let sectors = u32::try_from(sectors).unwrap_or(u32::MAX);
    entry[12..16].copy_from_slice(&sectors.to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    let mut state = text.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    }) | 1;
    for chunk in disk[PARTITION_START..PARTITION_START + NOISE].chunks_mut(8) {
        chunk.copy_from_slice(&noise(&mut state).to_le_bytes());
    }
    disk
}

/// The next eight bytes that nobody can compress.
fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A piece of a disk in use: text and noise, page by page, and a hole.
pub(crate) fn chunk() -> Bytes {
    static MADE: LazyLock<Bytes> = LazyLock::new(|| {
        const PAGE: usize = 4096;
        let mut state = 0x5eed;
        let words: Vec<u64> = (0..256).map(|_| noise(&mut state)).collect();
        let mut chunk = vec![0; CHUNK];
        for (number, page) in chunk.chunks_mut(PAGE).enumerate() {
            for eight in page.chunks_mut(8) {
                let random = noise(&mut state);
                let value = match number % 16 {
                    // 64 KiB in one piece, which may stay a hole wherever this comes to lie.
                    _ if (64..80).contains(&number) => 0,
                    ..6 => random,
                    _ => words[(random % 256) as usize],
                };
                eight.copy_from_slice(&value.to_le_bytes());
            }
        }
        chunk.into()
    });
    MADE.clone()
}

/// A piece of a disk in use without its last sector.
pub(crate) fn alike() -> Blob {
    chunk().slice(..CHUNK - SECTOR).into()
}

/// The sector that ends a piece of a large disk and tells it from the others.
pub(crate) fn stamp(label: &str, number: u64) -> Vec<u8> {
    let mut text = format!("part {number} of {label}\n").into_bytes();
    text.resize(SECTOR, 0);
    text
}

/// A raw disk of `size` bytes with so many pieces of 512 KiB behind its first 4 MiB, and nothing behind them.
pub(crate) fn large(label: &str, pieces: u64, size: u64) -> Blob {
    let name = label.to_owned();
    let data = alike().numbered(pieces, move |number| stamp(&name, number));
    let start = start(label, size);
    let rest = size.saturating_sub((start.len() as u64) + data.len());
    let zeros = Bytes::from_static(&[0; CLUSTER]);
    let holes = Blob::from(zeros).repeat(rest.div_ceil(CLUSTER as u64));
    Blob::join(vec![start.into(), data, holes]).slice(0..size)
}

/// The same disk as a qcow2 image (version 2, 64 KiB clusters); clusters of zeros take no room.
pub(crate) fn qcow2(label: &str) -> Vec<u8> {
    let disk = raw(label);
    let clusters = || disk.chunks(CLUSTER);
    let is_used = |cluster: &[u8]| cluster.iter().any(|byte| *byte != 0);
    let mut image = tables(&clusters().map(is_used).collect::<Vec<_>>());
    for cluster in clusters().filter(|cluster| is_used(cluster)) {
        image.extend_from_slice(cluster);
    }
    image
}

/// A qcow2 image of this raw disk, of which every cluster takes room.
pub(crate) fn large_qcow2(disk: Blob) -> Blob {
    let tables = tables(&vec![true; disk.len().div_ceil(CLUSTER as u64) as usize]);
    Blob::join(vec![tables.into(), disk])
}

/// What stands before the data of a qcow2 image, by which clusters of the disk are in use: header, refcount table,
/// refcount blocks, L1 table, L2 tables. The data follow, in the order of the disk.
fn tables(used: &[bool]) -> Vec<u8> {
    /// This cluster is used once: it may be written in place.
    const COPIED: u64 = 1 << 63;
    let data = used.iter().filter(|used| **used).count();
    let l2 = used.len().div_ceil(CLUSTER / 8);
    let l1 = (l2 * 8).div_ceil(CLUSTER);
    // Refcounts count their own blocks too; the fixed point is near.
    let (mut directory, mut blocks) = (1, 1);
    let clusters = loop {
        let clusters = 1 + directory + blocks + l1 + l2 + data;
        let wanted = clusters.div_ceil(CLUSTER / 2);
        if wanted == blocks {
            break clusters;
        }
        (blocks, directory) = (wanted, (wanted * 8).div_ceil(CLUSTER));
    };
    let at = |cluster: usize| cluster * CLUSTER;
    let (first_block, first_l1) = (1 + directory, 1 + directory + blocks);
    let first_l2 = first_l1 + l1;
    let mut next = first_l2 + l2;
    let mut image = vec![0; at(next)];
    put(&mut image, 0, b"QFI\xfb");
    put(&mut image, 4, &2u32.to_be_bytes());
    put(&mut image, 20, &(CLUSTER_BITS as u32).to_be_bytes());
    put(&mut image, 24, &(at(used.len()) as u64).to_be_bytes());
    put(&mut image, 36, &(l2 as u32).to_be_bytes());
    put(&mut image, 40, &(at(first_l1) as u64).to_be_bytes());
    put(&mut image, 48, &(at(1) as u64).to_be_bytes());
    put(&mut image, 56, &(directory as u32).to_be_bytes());
    let mut point = |place: usize, cluster: usize, flag: u64| {
        put(
            &mut image,
            place,
            &(at(cluster) as u64 | flag).to_be_bytes(),
        );
    };
    for block in 0..blocks {
        point(at(1) + 8 * block, first_block + block, 0);
    }
    for table in 0..l2 {
        point(at(first_l1) + 8 * table, first_l2 + table, COPIED);
    }
    for (index, _) in used.iter().enumerate().filter(|(_, used)| **used) {
        point(at(first_l2) + 8 * index, next, COPIED);
        next += 1;
    }
    for cluster in 0..clusters {
        put(
            &mut image,
            at(first_block) + 2 * cluster,
            &1u16.to_be_bytes(),
        );
    }
    image
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests;
