//! How people read it.

use super::*;

#[test]
fn spans_and_sizes_read_well() {
    for (seconds, expected) in [
        (0, "0s"),
        (59, "59s"),
        (185, "3m05s"),
        (7620, "2h07m"),
        (273_600, "3d04h"),
    ] {
        assert_eq!(duration(Duration::from_secs(seconds)), expected);
    }
    for (count, expected) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (10 << 30, "10 GiB"),
        (1 << 20, "1 MiB"),
    ] {
        assert_eq!(bytes(count), expected);
    }
}

#[test]
fn spans_in_sentences_are_for_people() {
    const DAY: u64 = 86_400;
    for (seconds, expected) in [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (120, "2 minutes"),
        (5400, "90 minutes"),
        (7620, "2 hours"),
        (2 * DAY, "2 days"),
        (400 * DAY, "400 days"),
        (1100 * DAY, "3 years"),
        (20_900 * DAY, "57 years"),
    ] {
        assert_eq!(in_words(Duration::from_secs(seconds)), expected);
    }
}

#[test]
fn a_moment_has_its_date_where_that_is_not_todays() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
    let now = at("2026-11-28T00:10:00Z");
    assert_eq!(moment(at("2026-11-28T14:05:09Z"), now), "14:05:09 UTC");
    assert_eq!(
        moment(at("2026-11-27T23:59:00Z"), now),
        "2026-11-27 23:59:00 UTC"
    );
    assert_eq!(
        moment(at("2026-11-29T00:00:00Z"), now),
        "2026-11-29 00:00:00 UTC"
    );
}
