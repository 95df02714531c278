//! Whether a gzip file unpacks.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::check::{Check, checked};

/// Unpacks a gzip file to nowhere. Each member's CRC-32 and length (modulo 4 GiB, as gzip keeps it) must fit what it unpacks to,
/// and nothing but members may stand in it ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)).
pub fn gunzip(packed: impl Read) -> io::Result<Check> {
    let mut unpacked = MultiGzDecoder::new(BufReader::with_capacity(64 << 10, packed));
    let mut buffer = vec![0; 64 << 10];
    let mut length = 0_u64;
    let found = loop {
        match unpacked.read(&mut buffer) {
            Ok(0) => break Ok(format!("it unpacks to {length} bytes, CRC and length fit")),
            Ok(read) => length += read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let why = format!("after {length} unpacked bytes: {error}");
                break Err(io::Error::new(error.kind(), why));
            }
        }
    };
    checked("gzip", found)
}
