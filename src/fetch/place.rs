//! Reading and writing at a place in a file, whoever else does so elsewhere in it.

use std::fs::File;
use std::io;

/// Bytes from `at` on; fewer than asked for only at the end of the file.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}

/// All of these bytes, from `at` on.
#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        (bytes, at) = (&bytes[written..], at + written as u64);
    }
    Ok(())
}

/// Bytes that others may still write in the folder of a file; `None` where the system does not tell.
#[cfg(unix)]
pub(super) fn room(folder: &std::path::Path) -> Option<u64> {
    let told = rustix::fs::statvfs(folder).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn room(_folder: &std::path::Path) -> Option<u64> {
    None
}

/// Bytes of a file that take room already.
#[cfg(unix)]
pub(super) fn taken(file: &File) -> u64 {
    let blocks = file
        .metadata()
        .map_or(0, |data| std::os::unix::fs::MetadataExt::blocks(&data));
    blocks * 512
}

#[cfg(not(unix))]
pub(super) fn taken(file: &File) -> u64 {
    file.metadata().map_or(0, |data| data.len())
}

/// Whether there is nothing but zeros.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    bytes
        .chunks(ZEROS.len())
        .all(|part| *part == ZEROS[..part.len()])
}
