//! The bytes of an image file, each reading of which is held against its size.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

/// So much of a table is in memory at once.
const CHUNK: usize = 64 << 10;

/// A file and its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'f> {
    file: &'f File,
    /// What lies behind it is refused.
    pub size: u64,
}

impl<'f> Source<'f> {
    pub(super) fn of(file: &'f File) -> io::Result<Self> {
        // Also of a block device, whose metadata has no size.
        let size = (&*file).seek(SeekFrom::End(0))?;
        Ok(Source { file, size })
    }

    /// The same, as if the file had this size.
    pub(super) fn sized(self, size: u64) -> Self {
        Source { size, ..self }
    }

    /// Fills the buffer from this position. A file that ends before is a flaw.
    pub(super) fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.hold("what is to be read", at, buffer.len() as u64)?;
        read_exact_at(self.file, at, buffer)
    }

    pub(super) fn bytes<const N: usize>(&self, at: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Whether these bytes stand there.
    pub(super) fn has(&self, at: u64, magic: &[u8]) -> io::Result<bool> {
        let mut bytes = vec![0; magic.len()];
        match self.read(at, &mut bytes) {
            Ok(()) => Ok(bytes == magic),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Refuses what does not lie within the file.
    pub(super) fn hold(&self, what: &str, at: u64, length: u64) -> io::Result<()> {
        match at.checked_add(length) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!(
                    "{what} at byte {at} ends beyond the file, which has {} bytes",
                    self.size
                ),
            )),
        }
    }

    /// Reads a table of `count` entries of `N` bytes, a part at a time, and gives each to `each`.
    pub(super) fn table<const N: usize>(
        &self,
        what: &str,
        at: u64,
        count: u64,
        mut each: impl FnMut(&[u8; N]) -> io::Result<()>,
    ) -> io::Result<()> {
        let length = count.saturating_mul(N as u64);
        self.hold(what, at, length)?;
        let mut buffer = vec![0; CHUNK.min(usize::try_from(length).unwrap_or(CHUNK))];
        let mut done = 0;
        while done < length {
            let part = (length - done).min(buffer.len() as u64);
            let part = &mut buffer[..usize::try_from(part).unwrap_or(0)];
            self.read(at + done, part)?;
            done += part.len() as u64;
            part.as_chunks::<N>().0.iter().try_for_each(&mut each)?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    io::Read::read_exact(&mut file, buffer)
}

/// A flaw of the data.
pub(super) fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// A number of at most eight bytes, the largest first.
pub(super) fn be(bytes: &[u8]) -> u64 {
    let more = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    bytes.iter().fold(0, more)
}

/// A number of at most eight bytes, the smallest first.
pub(super) fn le(bytes: &[u8]) -> u64 {
    let more = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    bytes.iter().rev().fold(0, more)
}

/// Text that a fixed field begins with, for people.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
    text.trim().to_owned()
}
