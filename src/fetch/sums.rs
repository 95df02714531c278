//! The MD5 sums of a store, held against the bytes as they pass in order.

use std::ops::Range;

use md5::{Digest, Md5};

use super::hashing::digits;
use crate::image::Check;
use crate::provider::{Multipart, Sum, Sums};

const NAME: &str = "MD5 of the store";

/// What goes over the bytes.
pub(super) enum Judge {
    /// There is nothing to hold them against, and why.
    Nothing(&'static str),
    /// Whoever reads them holds each block against its own sum.
    Blocks,
    Pieces(Pieces),
    /// The MD5 of the MD5s of pieces, for each size that the pieces may have.
    Multipart(Multipart, Vec<OfMany>),
}

/// What came of it, and where bytes are wrong, if that is known better than "somewhere".
pub(super) type Verdict = (Check, Vec<Range<u64>>);

impl Judge {
    pub(super) fn new(sums: Sums) -> Self {
        match sums {
            Sums::None(why) => Judge::Nothing(why),
            Sums::Blocks => Judge::Blocks,
            Sums::Pieces(sums) => Judge::Pieces(Pieces::new(sums)),
            Sums::Multipart(multipart) => {
                let each = multipart.sizes.iter().map(|size| OfMany::new(*size));
                let each = each.collect();
                Judge::Multipart(multipart, each)
            }
        }
    }

    pub(super) fn see(&mut self, bytes: &[u8]) {
        match self {
            Judge::Nothing(_) | Judge::Blocks => {}
            Judge::Pieces(pieces) => pieces.see(bytes),
            Judge::Multipart(_, each) => each.iter_mut().for_each(|one| one.see(bytes)),
        }
    }

    pub(super) fn judge(self) -> Verdict {
        match self {
            Judge::Nothing(why) => (Check::not_possible(NAME, why), Vec::new()),
            Judge::Blocks => {
                let detail = "each block was held against its own";
                (Check::passed("SHA-256 of the blocks", detail), Vec::new())
            }
            Judge::Pieces(pieces) => pieces.judge(),
            Judge::Multipart(multipart, each) => (of_many(&multipart, each), Vec::new()),
        }
    }
}

/// The sums of pieces that follow each other.
pub(super) struct Pieces {
    expected: std::vec::IntoIter<Sum>,
    now: Option<(Sum, Md5, u64)>,
    /// Bytes of the pieces that are over.
    behind: u64,
    count: usize,
    wrong: Vec<(usize, Range<u64>)>,
}

impl Pieces {
    fn new(sums: Vec<Sum>) -> Self {
        let mut expected = sums.into_iter();
        Pieces {
            now: expected.next().map(|sum| (sum, Md5::new(), 0)),
            expected,
            behind: 0,
            count: 0,
            wrong: Vec::new(),
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
            self.count += 1;
            let end = self.behind + sum.size;
            if digits(std::mem::take(md5).finalize()) != sum.md5 {
                self.wrong.push((self.count, self.behind..end));
            }
            self.behind = end;
            self.now = self.expected.next().map(|sum| (sum, Md5::new(), 0));
        }
    }

    fn judge(self) -> Verdict {
        let check = match (self.count, &self.wrong[..], self.now) {
            (_, _, Some(_)) => Check::failed(NAME, "the object is shorter than its parts"),
            (1, [], None) => Check::passed(NAME, "as the ETag says"),
            (count, [], None) => Check::passed(NAME, format!("of {count} segments")),
            (1, _, None) => Check::failed(NAME, "it is not what the ETag says"),
            (count, wrong, None) => {
                let (first, many) = (wrong[0].0, wrong.len());
                Check::failed(
                    NAME,
                    format!("{many} of {count} segments are wrong, the first is {first}"),
                )
            }
        };
        let places = self.wrong.into_iter().map(|(_, place)| place);
        (check, places.filter(|_| self.count > 1).collect())
    }
}

/// The MD5 of the MD5s of pieces of one size.
pub(super) struct OfMany {
    size: u64,
    now: Md5,
    seen: u64,
    all: Md5,
}

impl OfMany {
    fn new(size: u64) -> Self {
        OfMany {
            size,
            now: Md5::new(),
            seen: 0,
            all: Md5::new(),
        }
    }

    fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let wanted = usize::try_from(self.size - self.seen).unwrap_or(usize::MAX);
            let (own, rest) = bytes.split_at(bytes.len().min(wanted));
            self.now.update(own);
            self.seen += own.len() as u64;
            bytes = rest;
            if self.seen == self.size {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.all.update(std::mem::take(&mut self.now).finalize());
        self.seen = 0;
    }

    fn finish(mut self) -> String {
        if self.seen > 0 {
            self.end();
        }
        digits(self.all.finalize())
    }
}

fn of_many(multipart: &Multipart, each: Vec<OfMany>) -> Check {
    let count = multipart.count;
    let sizes: Vec<u64> = each.iter().map(|one| one.size).collect();
    let mut found = each.into_iter().map(OfMany::finish);
    match found.position(|md5| md5 == multipart.md5) {
        Some(which) => {
            let size = crate::text::bytes(sizes[which]);
            Check::passed(
                NAME,
                format!("as the ETag says, of {count} parts of {size}"),
            )
        }
        None if multipart.is_size_told => Check::failed(NAME, "it is not what the ETag says"),
        None => Check::not_possible(
            NAME,
            format!("the ETag is of {count} parts, and the store does not say how large they are"),
        ),
    }
}

#[cfg(test)]
mod tests;
