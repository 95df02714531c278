//! A file that is written in order, with holes where there is nothing but zeros.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::place::{is_zero, write_at};

/// Zeros of this many bytes, at a multiple of it, become a hole.
const BLOCK: usize = 64 << 10;

/// Writes from the beginning of an empty file on.
pub(super) struct Sparse {
    file: File,
    /// Bytes before those that are kept here until they fill a block.
    at: u64,
    kept: Vec<u8>,
}

impl Sparse {
    /// Into this file, which loses what it had.
    pub(super) fn new(file: File) -> io::Result<Self> {
        file.set_len(0)?;
        Ok(Sparse {
            file,
            at: 0,
            kept: Vec::with_capacity(BLOCK),
        })
    }

    /// The next bytes.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (own, rest) = bytes.split_at(bytes.len().min(BLOCK - self.kept.len()));
            self.kept.extend_from_slice(own);
            bytes = rest;
            if self.kept.len() == BLOCK {
                self.put()?;
            }
        }
        Ok(())
    }

    fn put(&mut self) -> io::Result<()> {
        if !is_zero(&self.kept) {
            write_at(&self.file, &self.kept, self.at)?;
        }
        self.at += self.kept.len() as u64;
        self.kept.clear();
        Ok(())
    }

    /// There are no more. A hole at the end counts, too.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.put()?;
        self.file.set_len(self.at)?;
        self.file.sync_all()
    }
}

/// One that is written by a thread and finished by another.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Option<Sparse>>>);

impl Shared {
    pub(super) fn of(file: Sparse) -> Self {
        Shared(Arc::new(Mutex::new(Some(file))))
    }

    /// Whoever writes yet writes nowhere.
    pub(super) fn abandon(&self) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *file = None;
    }

    /// There are no more.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.take().map_or(Ok(()), Sparse::finish)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        file.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
