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

#[test]
fn every_text_of_an_error_is_rewritten() {
    let error = Error::new(Kind::Provider, "a")
        .cause("b")
        .hint(Hint::say("c ").and_run("d"))
        .code("e")
        .request_id(Some("f".into()));
    let error = error.map_texts(|text| text.to_uppercase());
    assert_eq!(error.one_line(), "A: B");
    let details = error.details;
    assert_eq!(details.hints, [Hint::say("C ").and_run("D")]);
    assert_eq!(
        (details.code, details.request_id),
        (Some("E".into()), Some("F".into()))
    );
}
