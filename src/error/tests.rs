//! What the one error type promises.

use super::*;

#[test]
fn the_worst_of_several_codes_follows_the_contract() {
    for (codes, expected) in [
        (&[0, 0][..], 0),
        (&[0, 124], 124),
        (&[124, 1], 1),
        (&[1, 5], 5),
        (&[5, 4], 4),
        (&[4, 6], 6),
        (&[6, 3, 0], 3),
        (&[], 0),
    ] {
        assert_eq!(worst(codes.iter().copied()), expected, "{codes:?}");
    }
}

#[test]
fn only_a_start_that_may_have_been_read_is_unknown() {
    let lost = Error::new(Kind::Network, "reset").maybe_executed();
    assert_eq!(lost.of_start().kind, Kind::MaybeStarted);
    let refused = Error::new(Kind::Network, "connection refused");
    assert_eq!(refused.of_start().kind, Kind::Network);
}
