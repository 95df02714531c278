//! Looks at an object's bytes in their order, as soon as they are there: hashes them, and unpacks them.

use std::io::{self, Write};
use std::ops::Range;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use ring::digest::{Context, SHA256};

use super::beside::{Beside, Look};
use super::hashing::{Digest, digits};
use super::sparse::Sparse;
use super::sums::Judge;
use super::wish::is_packed;
use crate::image::Check;
use crate::provider::{Hash, Object};
use crate::secret::clean;

/// What goes over the bytes of an object: the SHA-256 here, everything else on threads of its own.
pub(super) struct Follower<W: Write> {
    /// Of the object as stored; `None` where that of what is unpacked counts.
    sha256: Option<Context>,
    sums: Beside<Sums>,
    gzip: Option<Beside<Gzip<W>>>,
    /// It is packed, and nobody wants to know whether it unpacks.
    is_unread: bool,
    length: u64,
}

/// What was found.
pub struct Found {
    /// The size of what is kept: as stored, or unpacked.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: String,
    pub checks: Vec<Check>,
    /// Where bytes are wrong, as far as that is known better than "somewhere": to be asked for again.
    pub wrong: Vec<Range<u64>>,
}

/// Where unpacked bytes go.
pub(super) enum Out<W: Write> {
    /// Nowhere: it is only looked whether they unpack.
    Nowhere,
    /// Into a file with holes.
    File(Sparse),
    /// On, in order.
    Stream(W),
}

/// The sums and hashes of the cloud.
struct Sums {
    judge: Judge,
    hashes: Vec<(Hash, Option<Digest>)>,
}

impl Look for Sums {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.judge.see(bytes);
        let digests = self.hashes.iter_mut();
        for digest in digests.filter_map(|(_, digest)| digest.as_mut()) {
            digest.update(bytes);
        }
        Ok(())
    }
}

struct Gzip<W: Write> {
    /// `None` once the bytes are no gzip.
    decoder: Option<MultiGzDecoder<Counted<W>>>,
    flaw: Option<String>,
}

struct Counted<W: Write> {
    out: Out<W>,
    size: u64,
    /// `None` where nobody keeps what is unpacked.
    sha256: Option<Context>,
    /// The first error of the place it goes to, which is no flaw of the bytes.
    broken: Option<io::Error>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.out {
            Out::Nowhere => Ok(()),
            Out::File(file) => file.write(bytes),
            Out::Stream(stream) => stream.write_all(bytes),
        };
        if let Err(error) = written {
            let kind = error.kind();
            self.broken.get_or_insert(error);
            return Err(kind.into());
        }
        self.size += bytes.len() as u64;
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write + Send + 'static> Look for Gzip<W> {
    /// An error is one of the place where unpacked bytes go.
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        if let Err(error) = decoder.write_all(bytes) {
            if let Some(broken) = decoder.get_mut().broken.take() {
                return Err(broken);
            }
            self.flaw = Some(error.to_string());
            self.decoder = None;
        }
        Ok(())
    }
}

impl<W: Write> Gzip<W> {
    /// What it came to, and size and SHA-256 of what was unpacked, if somebody keeps that.
    fn finish(mut self) -> io::Result<(Check, Option<(u64, String)>)> {
        let mut unpacked = None;
        if let Some(mut decoder) = self.decoder.take() {
            match decoder.try_finish() {
                Ok(()) => unpacked = Some(decoder.finish()?),
                Err(error) => match decoder.get_mut().broken.take() {
                    Some(broken) => return Err(broken),
                    None => self.flaw = Some(error.to_string()),
                },
            }
        }
        let check = match (self.flaw, &unpacked) {
            (Some(flaw), _) => Check::failed("gzip", flaw),
            (None, Some(Counted { size, .. })) if *size > 0 => Check::passed(
                "gzip",
                format!("it unpacks to {size} bytes, CRC and length fit"),
            ),
            _ => Check::failed("gzip", "it is empty"),
        };
        let Some(Counted {
            out, size, sha256, ..
        }) = unpacked
        else {
            return Ok((check, None));
        };
        if let Out::File(file) = out {
            file.finish()?;
        }
        let kept = sha256.map(|sha256| (size, digits(sha256.finish())));
        Ok((check, kept))
    }
}

impl<W: Write + Send + 'static> Follower<W> {
    /// Over this object; `packed` says where the bytes go that a gzip holds, for one that is to be read.
    pub(super) fn new(object: &Object, packed: Option<Out<W>>) -> io::Result<Self> {
        let hashes = object.hashes.iter();
        let hashes = hashes.map(|hash| (hash.clone(), Digest::named(&hash.name)));
        let sums = Sums {
            judge: Judge::new(object.sums.clone()),
            hashes: hashes.collect(),
        };
        let is_kept = matches!(packed, Some(Out::File(_) | Out::Stream(_)));
        let is_asked_for = sums
            .hashes
            .iter()
            .any(|(_, digest)| matches!(digest, Some(Digest::Sha256)));
        let sha256 = || Context::new(&SHA256);
        Ok(Follower {
            sha256: (!is_kept || is_asked_for).then(sha256),
            is_unread: packed.is_none() && is_packed(object),
            gzip: packed
                .map(|out| {
                    let decoder = MultiGzDecoder::new(Counted {
                        out,
                        size: 0,
                        sha256: is_kept.then(sha256),
                        broken: None,
                    });
                    let gzip = Gzip {
                        decoder: Some(decoder),
                        flaw: None,
                    };
                    Beside::start("unpacking", gzip)
                })
                .transpose()?,
            sums: Beside::start("sums", sums)?,
            length: 0,
        })
    }

    /// The next bytes. An error is one of the place where unpacked ones go.
    pub(super) fn see(&mut self, bytes: Bytes) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.sums.see(bytes.clone())?;
        if let Some(gzip) = &mut self.gzip {
            gzip.see(bytes.clone())?;
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(&bytes);
        }
        Ok(())
    }

    /// There are no more.
    pub(super) fn finish(self) -> io::Result<Found> {
        let mut size = self.length;
        let stored = self.sha256.map(|sha256| digits(sha256.finish()));
        let stored = stored.unwrap_or_default();
        let Sums { judge, hashes } = self.sums.finish()?;
        let (check, wrong) = judge.judge();
        let mut checks = vec![check];
        checks.extend(hashes.into_iter().map(|(hash, digest)| {
            let own = digest.map(|digest| digest.finish(&stored));
            compared(&hash, own)
        }));
        if self.length == 0 {
            checks.push(Check::failed("size", "it is empty"));
        }
        if self.is_unread {
            checks.push(Check::not_possible(
                "gzip",
                "it was fetched with --no-inflate",
            ));
        }
        let mut sha256 = stored;
        if let Some(gzip) = self.gzip {
            let (check, kept) = gzip.finish()?.finish()?;
            checks.push(check);
            if let Some(kept) = kept {
                (size, sha256) = kept;
            }
        }
        Ok(Found {
            size,
            sha256,
            checks,
            wrong,
        })
    }
}

fn compared(hash: &Hash, own: Option<String>) -> Check {
    let name = format!("{} of the cloud", clean(&hash.name));
    match own {
        None => Check::not_possible(name, "this kind of hash is not known here"),
        Some(own) if own == hash.value => Check::passed(name, own),
        Some(own) => Check::failed(
            name,
            format!("{own}, the cloud says {}", clean(&hash.value)),
        ),
    }
}
