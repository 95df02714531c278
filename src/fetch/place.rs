//! Reading and writing at a place in a file, whoever else does so elsewhere in it; and whether there is room.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::text;

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

/// Whether this is a block device.
#[cfg(unix)]
pub fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata()
        .is_ok_and(|data| data.file_type().is_block_device())
}

#[cfg(not(unix))]
pub fn is_device(_path: &Path) -> bool {
    false
}

/// Before anything is started: makes the folder that is meant by a slash at the end, and refuses a place in a folder that is
/// not there.
pub fn prepare(to: &Path) -> Result<()> {
    if to.to_string_lossy().ends_with(std::path::is_separator) {
        return std::fs::create_dir_all(to).map_err(|error| {
            let sentence = format!("The folder {} cannot be made", to.display());
            Error::usage(sentence).cause(error.to_string())
        });
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => {
            let sentence = format!("There is no folder {}", folder.display());
            Err(Error::usage(sentence).hint("make it first, or end --to with a / to name a folder"))
        }
    }
}

/// That so many bytes more can be written for this in a folder; so, too, where the system does not tell.
pub(super) fn must_fit(name: &str, needed: u64, folder: &Path) -> Result<()> {
    match room(folder) {
        Some(free) if free < needed => {
            let sentence = format!("There is no room for {name} in {}", folder.display());
            let (needed, free) = (text::bytes(needed), text::bytes(free));
            Err(Error::new(Kind::Internal, sentence)
                .cause(format!("{needed} are needed, {free} are free")))
        }
        _ => Ok(()),
    }
}

/// Bytes that others may still write in the folder of a file; `None` where the system does not tell.
#[cfg(unix)]
fn room(folder: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(folder).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Option<u64> {
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

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// So many zeros, or some of them.
pub(super) fn zeros(count: u64) -> &'static [u8] {
    &ZEROS[..ZEROS
        .len()
        .min(usize::try_from(count).unwrap_or(usize::MAX))]
}

/// Whether there is nothing but zeros.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(ZEROS.len())
        .all(|part| *part == ZEROS[..part.len()])
}

/// Whether a file has nothing but zeros at a place.
pub(super) fn is_zero_at(file: &File, mut at: u64, length: usize) -> io::Result<bool> {
    let end = at + length as u64;
    let mut buffer = vec![0; length.min(64 << 10)];
    while at < end {
        let wanted = buffer.len().min((end - at) as usize);
        let read = read_at(file, &mut buffer[..wanted], at)?;
        if read == 0 || !is_zero(&buffer[..read]) {
            return Ok(false);
        }
        at += read as u64;
    }
    Ok(true)
}
