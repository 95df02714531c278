//! Looks at an object's bytes in their order, as soon as they are there: hashes them, and unpacks them.

use std::io::{self, Write};
use std::ops::Range;

use flate2::write::MultiGzDecoder;
use ring::digest::{Context, SHA256};

use super::hashing::{Digest, digits};
use super::sparse::Sparse;
use super::sums::Judge;
use super::wish::is_packed;
use crate::image::Check;
use crate::provider::{Hash, Object};
use crate::secret::clean;

/// What goes over the bytes of an object.
pub(super) struct Follower<W: Write> {
    sha256: Context,
    sums: Judge,
    hashes: Vec<(Hash, Option<Digest>)>,
    gzip: Option<Gzip<W>>,
    /// It is packed, and nobody wants to know whether it unpacks.
    is_unread: bool,
    length: u64,
}

/// What was found.
pub struct Found {
    /// Of the object as stored.
    pub sha256: String,
    /// Of what was unpacked.
    pub unpacked: Option<Unpacked>,
    pub checks: Vec<Check>,
    /// Where bytes are wrong, as far as that is known better than "somewhere": to be asked for again.
    pub wrong: Vec<Range<u64>>,
}

/// What a packed object holds.
pub struct Unpacked {
    pub size: u64,
    pub sha256: String,
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

struct Gzip<W: Write> {
    /// `None` once the bytes are no gzip.
    decoder: Option<MultiGzDecoder<Counted<W>>>,
    flaw: Option<String>,
}

struct Counted<W: Write> {
    out: Out<W>,
    size: u64,
    sha256: Context,
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
        self.sha256.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Follower<W> {
    /// Over this object; `packed` says where the bytes go that a gzip holds, for one that is to be read.
    pub(super) fn new(object: &Object, packed: Option<Out<W>>) -> Self {
        Follower {
            sha256: Context::new(&SHA256),
            sums: Judge::new(object.sums.clone()),
            hashes: object
                .hashes
                .iter()
                .map(|hash| (hash.clone(), Digest::named(&hash.name)))
                .collect(),
            is_unread: packed.is_none() && is_packed(object),
            gzip: packed.map(|out| Gzip {
                decoder: Some(MultiGzDecoder::new(Counted {
                    out,
                    size: 0,
                    sha256: Context::new(&SHA256),
                    broken: None,
                })),
                flaw: None,
            }),
            length: 0,
        }
    }

    /// The next bytes. An error is one of the place where unpacked ones go.
    pub(super) fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.sha256.update(bytes);
        self.sums.see(bytes);
        for digest in self
            .hashes
            .iter_mut()
            .filter_map(|(_, digest)| digest.as_mut())
        {
            digest.update(bytes);
        }
        let Some(gzip) = &mut self.gzip else {
            return Ok(());
        };
        let Some(decoder) = &mut gzip.decoder else {
            return Ok(());
        };
        if let Err(error) = decoder.write_all(bytes) {
            if let Some(broken) = decoder.get_mut().broken.take() {
                return Err(broken);
            }
            gzip.flaw = Some(error.to_string());
            gzip.decoder = None;
        }
        Ok(())
    }

    /// There are no more.
    pub(super) fn finish(self) -> io::Result<Found> {
        let sha256 = digits(self.sha256.finish());
        let (check, wrong) = self.sums.judge();
        let mut checks = vec![check];
        checks.extend(self.hashes.into_iter().map(|(hash, digest)| {
            let own = digest.map(|digest| digest.finish(&sha256));
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
        let mut unpacked = None;
        if let Some(mut gzip) = self.gzip {
            if let Some(mut decoder) = gzip.decoder.take() {
                match decoder.try_finish() {
                    Ok(()) => {
                        let Counted {
                            out, size, sha256, ..
                        } = decoder.finish()?;
                        if let Out::File(file) = out {
                            file.finish()?;
                        }
                        unpacked = Some(Unpacked {
                            size,
                            sha256: digits(sha256.finish()),
                        });
                    }
                    Err(error) => match decoder.get_mut().broken.take() {
                        Some(broken) => return Err(broken),
                        None => gzip.flaw = Some(error.to_string()),
                    },
                }
            }
            checks.push(match (&gzip.flaw, &unpacked) {
                (Some(flaw), _) => Check::failed("gzip", flaw.clone()),
                (None, Some(Unpacked { size, .. })) if *size > 0 => Check::passed(
                    "gzip",
                    format!("it unpacks to {size} bytes, CRC and length fit"),
                ),
                _ => Check::failed("gzip", "it is empty"),
            });
        }
        Ok(Found {
            sha256,
            unpacked,
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
