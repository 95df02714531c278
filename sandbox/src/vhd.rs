//! Valid disk images in VHD form, as an export leaves them: small ones, and in `large` ones of any size.

pub(crate) mod large;

/// Bytes of a sector.
const SECTOR: usize = 512;
/// Bytes of a data block. The format allows any power of two; 2 MiB is usual, and more than a sample needs.
const BLOCK: usize = 64 * 1024;
/// Bytes of the disk inside, used or not.
const DISK: u64 = 16 * 1024 * 1024;
/// Seconds from 1970 to 2000, where the format starts counting.
const EPOCH_2000: u64 = 946_684_800;
/// A fixed time of making (2026-01-10), so that a label always gives the same bytes.
const MADE_AT: u64 = 1_768_003_200 - EPOCH_2000;

/// A dynamic VHD of which the first `blocks` blocks hold data; the same label gives the same bytes.
///
/// A copy of the footer, the header, the block table, the blocks (each behind a bitmap of its sectors), the footer.
pub(crate) fn vhd(label: &str, blocks: usize) -> Vec<u8> {
    let entries = DISK as usize / BLOCK;
    let table = (entries * 4).next_multiple_of(SECTOR);
    let data = SECTOR + 2 * SECTOR + table;
    let footer = footer(label, DISK);

    let mut image = footer.to_vec();
    image.extend_from_slice(&header(entries, BLOCK));
    for entry in 0..table / 4 {
        let sector = if entry < blocks.min(entries) {
            ((data + entry * (SECTOR + BLOCK)) / SECTOR) as u32
        } else {
            u32::MAX
        };
        image.extend_from_slice(&sector.to_be_bytes());
    }
    for block in 0..blocks.min(entries) {
        // BLOCK / SECTOR = 128 sectors need 16 bytes of bitmap; it fills a sector all the same.
        image.extend_from_slice(&[0xff; SECTOR]);
        image.extend_from_slice(&content(label, block));
    }
    image.extend_from_slice(&footer);
    image
}

/// What stands in a block: a boot sector's mark in the first one, then text that tells the blocks apart.
fn content(label: &str, block: usize) -> Vec<u8> {
    let line = format!("{label} block {block}\n");
    let mut bytes: Vec<u8> = line.bytes().cycle().take(BLOCK).collect();
    if block == 0 {
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    }
    bytes
}

fn footer(label: &str, disk: u64) -> [u8; SECTOR] {
    let mut footer = [0; SECTOR];
    let (cylinders, heads, sectors) = geometry(disk / SECTOR as u64);
    put(&mut footer, 0, b"conectix");
    put(&mut footer, 8, &2u32.to_be_bytes()); // reserved bit, always set
    put(&mut footer, 12, &0x0001_0000u32.to_be_bytes());
    put(&mut footer, 16, &(SECTOR as u64).to_be_bytes()); // where the header is
    put(&mut footer, 24, &(MADE_AT as u32).to_be_bytes());
    put(&mut footer, 28, b"tap\0"); // XenServer, which Rackspace runs
    put(&mut footer, 32, &0x0001_0003u32.to_be_bytes());
    put(&mut footer, 40, &disk.to_be_bytes());
    put(&mut footer, 48, &disk.to_be_bytes());
    put(&mut footer, 56, &cylinders.to_be_bytes());
    footer[58] = heads;
    footer[59] = sectors;
    put(&mut footer, 60, &3u32.to_be_bytes()); // dynamic
    let id = ring::digest::digest(&ring::digest::SHA256, label.as_bytes());
    put(&mut footer, 68, &id.as_ref()[..16]);
    let sum = checksum(&footer);
    put(&mut footer, 64, &sum.to_be_bytes());
    footer
}

/// Cylinders, heads and sectors a track, as the format's specification prescribes them (its appendix on CHS).
fn geometry(sectors: u64) -> (u16, u8, u8) {
    let sectors = sectors.min(65_535 * 16 * 255);
    let (heads, track) = if sectors >= 65_535 * 16 * 63 {
        (16, 255)
    } else {
        let heads = (sectors / 17).div_ceil(1024).max(4);
        [(heads, 17), (16, 31), (16, 63)]
            .into_iter()
            .find(|(heads, track)| *heads <= 16 && sectors / track < heads * 1024)
            .unwrap_or((16, 63))
    };
    ((sectors / track / heads) as u16, heads as u8, track as u8)
}

fn header(entries: usize, block: usize) -> [u8; 2 * SECTOR] {
    let mut header = [0; 2 * SECTOR];
    put(&mut header, 0, b"cxsparse");
    put(&mut header, 8, &u64::MAX.to_be_bytes());
    put(&mut header, 16, &(3 * SECTOR as u64).to_be_bytes()); // where the block table is
    put(&mut header, 24, &0x0001_0000u32.to_be_bytes());
    put(&mut header, 28, &(entries as u32).to_be_bytes());
    put(&mut header, 32, &(block as u32).to_be_bytes());
    let sum = checksum(&header);
    put(&mut header, 36, &sum.to_be_bytes());
    header
}

fn put(target: &mut [u8], at: usize, bytes: &[u8]) {
    target[at..at + bytes.len()].copy_from_slice(bytes);
}

/// One's complement of the sum of all bytes, its own field being zero.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>()
}

#[cfg(test)]
mod tests;
