//! The SHA-256 of what passes by, and what else a cloud may have hashed.

use std::fmt::Write;
use std::io::{self, Read};

use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use ring::digest::{self, Context, SHA256};

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
        Ok(digits(self.context.finish()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.context.update(&buffer[..count]);
        Ok(count)
    }
}

/// A hash that a cloud may keep of an object, by the names of Python's hashlib (Glance) and of S3's headers.
pub(super) enum Digest {
    /// The one that is made of everything anyway.
    Sha256,
    Other(Box<Context>),
    Crc32(crc::Digest<'static, u32, Table<16>>),
    Crc64(crc::Digest<'static, u64, Table<16>>),
}

impl Digest {
    /// `None` for a kind that is not known here.
    pub(super) fn named(name: &str) -> Option<Digest> {
        static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
        static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
        static CRC64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);
        let of = |algorithm| Digest::Other(Box::new(Context::new(algorithm)));
        Some(match name {
            "sha256" => Digest::Sha256,
            "sha1" => of(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            "sha384" => of(&digest::SHA384),
            "sha512" => of(&digest::SHA512),
            "crc32" => Digest::Crc32(CRC32.digest()),
            "crc32c" => Digest::Crc32(CRC32C.digest()),
            "crc64nvme" => Digest::Crc64(CRC64.digest()),
            _ => return None,
        })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Digest::Sha256 => {}
            Digest::Other(context) => context.update(bytes),
            Digest::Crc32(crc) => crc.update(bytes),
            Digest::Crc64(crc) => crc.update(bytes),
        }
    }

    /// In small hexadecimal digits; `sha256` is that of everything.
    pub(super) fn finish(self, sha256: &str) -> String {
        match self {
            Digest::Sha256 => sha256.to_owned(),
            Digest::Other(context) => digits(context.finish()),
            Digest::Crc32(crc) => digits(crc.finalize().to_be_bytes()),
            Digest::Crc64(crc) => digits(crc.finalize().to_be_bytes()),
        }
    }
}

/// Bytes in small hexadecimal digits.
pub(super) fn digits(bytes: impl AsRef<[u8]>) -> String {
    let mut digits = String::with_capacity(64);
    for byte in bytes.as_ref() {
        // Text can always be written to.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
