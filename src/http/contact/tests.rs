//! What the clock of a reply tells.

use super::*;

#[test]
fn what_may_be_the_way_there_and_back_is_no_skew() {
    let at = |millis: i64| Timestamp::from_millisecond(1_700_000_000_000 + millis).expect("it");
    for (date, sent, came, skew) in [
        (0, 300, 400, 0),
        (0, 999, 1500, 0),
        (1000, 300, 1200, 0),
        (0, 5000, 6000, 4000),
        (0, -9000, -7000, -7000),
    ] {
        let contact = Contact::of(Some(at(date)), at(sent), at(came));
        assert_eq!(contact.skew, Some(SignedDuration::from_millis(skew)));
    }
    assert_eq!(Contact::of(None, at(0), at(1)).skew, None);
}
