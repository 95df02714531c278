//! Looks at an object's bytes in their order, as soon as they are there: hashes them, and unpacks them.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use md5::{Digest, Md5};
use ring::digest::{Context, SHA256};

use super::file::is_packed;
use super::hashing::digits;
use super::sparse::Sparse;
use crate::image::Check;
use crate::provider::{Hash, Object, Sum};
use crate::secret::clean;

/// What goes over the bytes of an object.
pub(super) struct Follower<W: Write> {
    sha256: Context,
    sums: Sums,
    has_block_sums: bool,
    hash: Option<(Hash, Option<Context>)>,
    gzip: Option<Gzip<W>>,
    /// It is packed, and nobody wants to know whether it unpacks.
    is_unread: bool,
    length: u64,
}

/// What was found.
pub(super) struct Found {
    /// Of the object as stored.
    pub(super) sha256: String,
    /// Of what was unpacked.
    pub(super) unpacked: Option<Unpacked>,
    pub(super) checks: Vec<Check>,
}

/// What a packed object holds.
pub(super) struct Unpacked {
    pub(super) size: u64,
    pub(super) sha256: String,
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
            sums: Sums::new(object),
            has_block_sums: object.has_block_sums,
            hash: object.hash.clone().map(|hash| {
                let context = algorithm(&hash.name).map(Context::new);
                (hash, context)
            }),
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
        if let Some((_, Some(context))) = &mut self.hash {
            context.update(bytes);
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
        let mut checks = vec![match self.has_block_sums {
            true => Check::passed(
                "SHA-256 of the blocks",
                "each block was held against its own",
            ),
            false => self.sums.judge(),
        }];
        checks.extend(self.hash.map(|(hash, context)| compared(&hash, context)));
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
                            sha256: digits(sha256),
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
                (None, Some(Unpacked { size, .. })) if *size > 0 || self.length > 0 => {
                    Check::passed(
                        "gzip",
                        format!("it unpacks to {size} bytes, CRC and length fit"),
                    )
                }
                _ => Check::failed("gzip", "it is empty"),
            });
        }
        Ok(Found {
            sha256: digits(self.sha256),
            unpacked,
            checks,
        })
    }
}

/// What a cloud may call a hash (`os_hash_algo`, the names of Python's hashlib).
fn algorithm(name: &str) -> Option<&'static ring::digest::Algorithm> {
    match name {
        "sha256" => Some(&SHA256),
        "sha384" => Some(&ring::digest::SHA384),
        "sha512" => Some(&ring::digest::SHA512),
        _ => None,
    }
}

fn compared(hash: &Hash, context: Option<Context>) -> Check {
    let name = format!("{} of the cloud", clean(&hash.name));
    match context.map(digits) {
        None => Check::not_possible(name, "this kind of hash is not known here"),
        Some(own) if own == hash.value => Check::passed(name, own),
        Some(own) => Check::failed(
            name,
            format!("{own}, the cloud says {}", clean(&hash.value)),
        ),
    }
}

/// The MD5 sums of pieces that follow each other.
struct Sums {
    expected: std::vec::IntoIter<Sum>,
    now: Option<(Sum, Md5, u64)>,
    count: usize,
    wrong: Vec<usize>,
    without: &'static str,
}

impl Sums {
    fn new(object: &Object) -> Self {
        let mut expected = object.sums.clone().into_iter();
        Sums {
            now: expected.next().map(|sum| (sum, Md5::new(), 0)),
            expected,
            count: 0,
            wrong: Vec::new(),
            without: object.without_sums,
        }
    }

    fn see(&mut self, mut bytes: &[u8]) {
        while let Some((sum, md5, seen)) = &mut self.now {
            let wanted = usize::try_from(sum.size - *seen).unwrap_or(usize::MAX);
            let (own, rest) = bytes.split_at(bytes.len().min(wanted));
            md5.update(own);
            *seen += own.len() as u64;
            bytes = rest;
            if *seen < sum.size {
                return;
            }
            let found: String = std::mem::take(md5)
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            self.count += 1;
            if found != sum.md5 {
                self.wrong.push(self.count);
            }
            self.now = self.expected.next().map(|sum| (sum, Md5::new(), 0));
        }
    }

    fn judge(self) -> Check {
        const NAME: &str = "MD5 of the store";
        match (self.count, &self.wrong[..], self.now) {
            (0, _, _) => Check::not_possible(NAME, self.without),
            (_, _, Some(_)) => Check::failed(NAME, "the object is shorter than its parts"),
            (1, [], None) => Check::passed(NAME, "as the ETag says"),
            (count, [], None) => Check::passed(NAME, format!("of {count} segments")),
            (1, _, None) => Check::failed(NAME, "it is not what the ETag says"),
            (count, wrong, None) => {
                let first = wrong[0];
                let many = wrong.len();
                Check::failed(
                    NAME,
                    format!("{many} of {count} segments are wrong, the first is {first}"),
                )
            }
        }
    }
}
