//! Bytes that are made when they are read: any stretch of them costs only itself, so that objects of any size take no memory.

use std::ops::Range;
use std::sync::Arc;

use hyper::body::Bytes;
use md5::{Digest, Md5};

/// Bytes of a known length.
#[derive(Clone)]
pub(crate) struct Blob {
    length: u64,
    /// What stands from a place on, as far as it lies together; never empty before the end.
    from: Arc<dyn Fn(u64) -> Bytes + Send + Sync>,
}

impl<T: Into<Bytes>> From<T> for Blob {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Blob::made(bytes.len() as u64, move |at| bytes.slice(at as usize..))
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

impl Blob {
    fn made(length: u64, from: impl Fn(u64) -> Bytes + Send + Sync + 'static) -> Self {
        let from = Arc::new(from);
        Blob { length, from }
    }

    /// One after the other.
    pub(crate) fn join(mut parts: Vec<Blob>) -> Self {
        parts.retain(|part| part.length > 0);
        let mut length = 0;
        let mut starts = Vec::with_capacity(parts.len());
        for part in &parts {
            starts.push(length);
            length += part.length;
        }
        Blob::made(length, move |at| {
            let index = starts.partition_point(|start| *start <= at) - 1;
            parts[index].piece(at - starts[index])
        })
    }

    /// The same so many times.
    pub(crate) fn repeat(self, times: u64) -> Self {
        let each = self.length;
        Blob::made(each * times, move |at| self.piece(at % each))
    }

    /// So many times the same, each ended by what belongs to its number, which is always as long.
    pub(crate) fn numbered<T: Into<Bytes>>(
        self,
        times: u64,
        end: impl Fn(u64) -> T + Send + Sync + 'static,
    ) -> Self {
        let end = move |number| -> Bytes { end(number).into() };
        let each = self.length + end(0).len() as u64;
        Blob::made(each * times, move |at| {
            let (number, place) = (at / each, at % each);
            match place.checked_sub(self.length) {
                None => self.piece(place),
                Some(place) => end(number).slice(place as usize..),
            }
        })
    }

    /// A stretch of it.
    pub(crate) fn slice(&self, range: Range<u64>) -> Self {
        let (whole, start) = (self.clone(), range.start);
        let length = range.end.min(self.length).saturating_sub(start);
        Blob::made(length, move |at| whole.piece(start + at))
    }

    /// The same but for one bit of the byte in its middle.
    pub(crate) fn corrupt(&self) -> Self {
        let middle = self.length / 2;
        let Some(byte) = self.piece(middle).first().copied() else {
            return self.clone();
        };
        let other = Blob::from(vec![byte ^ 1]);
        let rest = self.slice(middle + 1..self.length);
        Blob::join(vec![self.slice(0..middle), other, rest])
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The bytes from a place on, as far as they lie together: none only at the end.
    pub(crate) fn piece(&self, at: u64) -> Bytes {
        let Some(left) = self.length.checked_sub(at).filter(|left| *left > 0) else {
            return Bytes::new();
        };
        let mut piece = (self.from)(at);
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        piece
    }

    /// All of it, piece by piece.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Bytes> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let piece = self.piece(at);
            at += piece.len() as u64;
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// All of it in memory, for what is known to be small.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::new();
        self.pieces()
            .for_each(|piece| all.extend_from_slice(&piece));
        all
    }

    /// The state of an MD5 behind it.
    pub(crate) fn md5(&self) -> Md5 {
        let mut md5 = Md5::new();
        self.pieces().for_each(|piece| md5.update(piece));
        md5
    }
}

/// In hexadecimal digits.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// MD5 in hexadecimal digits.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(Md5::digest(bytes))
}

#[cfg(test)]
mod tests;
