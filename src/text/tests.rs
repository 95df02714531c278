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
