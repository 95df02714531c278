//! The SHA-256 of what passes by.

use std::fmt::Write;
use std::io::{self, Read};

use ring::digest::{Context, SHA256};

/// Gives on what it reads.
pub struct Hashing<R> {
    inner: R,
    context: Context,
}

impl<R: Read> Hashing<R> {
    /// Of nothing so far.
    pub fn new(inner: R) -> Self {
        let context = Context::new(&SHA256);
        Hashing { inner, context }
    }

    /// Reads the rest, and gives the hash of all in small hexadecimal digits.
    pub fn finish(mut self) -> io::Result<String> {
        let mut buffer = vec![0; 256 << 10];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(digits(self.context))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.context.update(&buffer[..count]);
        Ok(count)
    }
}

/// A hash in small hexadecimal digits.
pub(super) fn digits(context: Context) -> String {
    let mut digits = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Text can always be written to.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
