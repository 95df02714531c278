//! Small disk images that real tools accept, the same for the same label.

/// Size of the disk in every image: 4 MiB.
pub(crate) const DISK_SIZE: usize = 4 << 20;
const SECTOR: usize = 512;
/// Where the only partition begins, and the noise that makes the compressed image worth transferring.
const PARTITION_START: usize = 1 << 20;
const NOISE: usize = 256 << 10;
/// Size of a qcow2 cluster, as a power of two.
const CLUSTER_BITS: usize = 16;
const CLUSTER: usize = 1 << CLUSTER_BITS;

/// A raw disk: a boot sector that holds the label and one Linux partition, which begins with noise.
pub(crate) fn raw(label: &str) -> Vec<u8> {
    let mut disk = vec![0; DISK_SIZE];
    let text = label.as_bytes();
    let length = text.len().min(400);
    disk[..length].copy_from_slice(&text[..length]);
    let entry = &mut disk[446..462];
    entry[4] = 0x83;
    entry[8..12].copy_from_slice(&((PARTITION_START / SECTOR) as u32).to_le_bytes());
    let sectors = ((DISK_SIZE - PARTITION_START) / SECTOR) as u32;
    entry[12..16].copy_from_slice(&sectors.to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    let mut state = text.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    }) | 1;
    for chunk in disk[PARTITION_START..PARTITION_START + NOISE].chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    disk
}

/// The same disk as a qcow2 image (version 2, 64 KiB clusters); clusters of zeros take no room.
pub(crate) fn qcow2(label: &str) -> Vec<u8> {
    /// This cluster is used once: it may be written in place.
    const COPIED: u64 = 1 << 63;
    let disk = raw(label);
    // Header, refcount table, refcount block, L1 table, L2 table, then data. One of each suffices for so small a disk.
    let mut image = vec![0; 5 * CLUSTER];
    for (index, cluster) in disk.chunks(CLUSTER).enumerate() {
        if cluster.iter().any(|byte| *byte != 0) {
            let offset = image.len() as u64;
            put(
                &mut image,
                4 * CLUSTER + 8 * index,
                &(offset | COPIED).to_be_bytes(),
            );
            image.extend_from_slice(cluster);
        }
    }
    put(&mut image, 0, b"QFI\xfb");
    put(&mut image, 4, &2u32.to_be_bytes());
    put(&mut image, 20, &(CLUSTER_BITS as u32).to_be_bytes());
    put(&mut image, 24, &(DISK_SIZE as u64).to_be_bytes());
    put(&mut image, 36, &1u32.to_be_bytes());
    put(&mut image, 40, &(3 * CLUSTER as u64).to_be_bytes());
    put(&mut image, 48, &(CLUSTER as u64).to_be_bytes());
    put(&mut image, 56, &1u32.to_be_bytes());
    put(&mut image, CLUSTER, &(2 * CLUSTER as u64).to_be_bytes());
    put(
        &mut image,
        3 * CLUSTER,
        &((4 * CLUSTER as u64) | COPIED).to_be_bytes(),
    );
    for cluster in 0..image.len() / CLUSTER {
        put(&mut image, 2 * CLUSTER + 2 * cluster, &1u16.to_be_bytes());
    }
    image
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests;
