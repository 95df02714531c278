use md5::{Digest, Md5};

use super::*;
use crate::provider::object::sums_of;

fn md5(bytes: &[u8]) -> String {
    digits(Md5::digest(bytes))
}

/// What S3 gives as ETag of an upload in parts.
fn etag(bytes: &[u8], part: usize) -> String {
    let each: Vec<u8> = bytes.chunks(part).flat_map(Md5::digest).collect();
    format!("\"{}-{}\"", md5(&each), bytes.chunks(part).len())
}

fn judged(sums: Sums, bytes: &[u8]) -> Check {
    let mut judge = Judge::new(sums);
    // In pieces that fit no part.
    bytes.chunks(77_777).for_each(|piece| judge.see(piece));
    judge.judge().0
}

#[test]
fn an_etag_of_parts_is_held_against_the_bytes_whatever_tool_wrote_it() {
    const MIB: usize = 1 << 20;
    let bytes: Vec<u8> = (0..21 * MIB + 17).map(|at| (at / 3) as u8).collect();
    let mut other = bytes.clone();
    other[20 * MIB] ^= 1;
    let size = bytes.len() as u64;
    // The store says the size of parts, however odd.
    for part in [MIB + 1, 5 * MIB, 20_000_000] {
        let told = sums_of(Some(&etag(&bytes, part)), size, Some(part as u64));
        assert!(!judged(told.clone(), &bytes).is_open(), "{part}");
        assert!(!judged(told.clone(), &bytes).is_failure(), "{part}");
        assert!(judged(told, &other).is_failure(), "{part}");
    }
    // It does not: the usual ones, and a whole number of MiB where only one fits.
    for part in [3 * MIB, 5 * MIB, 8 * MIB, 16 * MIB, size as usize] {
        let guessed = sums_of(Some(&etag(&bytes, part)), size, None);
        let check = judged(guessed.clone(), &bytes);
        assert!(!check.is_open() && !check.is_failure(), "{part}: {check:?}");
        let check = judged(guessed, &other);
        let is_whole = part == size as usize;
        assert_eq!(check.is_failure(), is_whole, "{part}: {check:?}");
        assert_eq!(check.is_open(), !is_whole, "{part}: {check:?}");
    }
    // What fits nothing is not possible, and neither is what the store says that cannot be.
    for (etag, first) in [
        (etag(&bytes, MIB / 2 + 1), None),
        ("\"no-5\"".to_owned(), None),
        (etag(&bytes, 8 * MIB), Some(7)),
    ] {
        let check = judged(sums_of(Some(&etag), size, first), &other);
        assert!(check.is_open(), "{etag}: {check:?}");
    }
}

#[test]
fn where_a_segment_is_wrong_is_known() {
    let bytes = vec![7; 100_000];
    let sum = |range: Range<usize>| Sum {
        size: range.len() as u64,
        md5: md5(&bytes[range]),
    };
    let sums = vec![sum(0..40_000), sum(40_000..80_000), sum(80_000..100_000)];
    let mut wrong = bytes.clone();
    wrong[50_000] = 8;
    let mut judge = Judge::new(Sums::Pieces(sums.clone()));
    judge.see(&wrong);
    let (check, places) = judge.judge();
    assert!(check.is_failure());
    assert_eq!(places.as_slice(), std::slice::from_ref(&(40_000..80_000)));
    // Of a plain object nobody knows.
    let mut judge = Judge::new(Sums::Pieces(vec![sum(0..100_000)]));
    judge.see(&wrong);
    let (check, places) = judge.judge();
    assert!(check.is_failure() && places.is_empty());
    // One that is too short.
    let mut judge = Judge::new(Sums::Pieces(sums));
    judge.see(&bytes[..99_999]);
    assert!(judge.judge().0.is_failure());
}
