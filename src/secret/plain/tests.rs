//! What is left when every escape is undone.

use super::*;

#[test]
fn every_escape_is_undone_however_often_it_was_applied() {
    for (text, plain) in [
        ("as it is", "as it is"),
        (r"a\/b\\\/c", "a/b/c"),
        (r"\u002B\u002b\\u003d\\\\u003d", "++=="),
        (r"\ud83d\ude00\u00e9", "😀é"),
        ("%2f%2F%252f%25252F", "////"),
        (r"\x2f%u002f", "//"),
        ("&#47;&#x2F;&#x2f;&sol;&amp;#47;&amp;amp;sol;", "//////"),
        (r"%5cu0026#x2f;", "/"),
        (
            "a\u{200b}b\u{ad}c\u{0}d\u{fe0f}e\\u200bf&ZeroWidthSpace;g%e2%80%8bh&#8203;i",
            "abcdefghi",
        ),
        (r"\057\u{2f}\U0000002f&#47x&#x2Fy&#47", "////x/y&#47"),
        (
            "a&NoBreak;b&InvisibleTimes;c&NewLine;d\u{a0}e\u{2800}f\u{1d173}g",
            "abcdefg",
        ),
        (r"a\nb%0ac", "abc"),
        ("100% of & more; \\ é漢", "100% of & more; \\ é漢"),
    ] {
        assert_eq!(
            String::from_utf8(spelling(text)).expect("UTF-8"),
            plain,
            "{text}"
        );
    }
}

#[test]
fn a_byte_knows_where_it_stood() {
    let mut seen = Vec::new();
    read(br"a%252fb", |batch| seen.extend_from_slice(batch));
    let places: Vec<_> = seen
        .iter()
        .map(|plain| (plain.byte, plain.from, plain.to))
        .collect();
    assert_eq!(places, [(b'a', 0, 1), (b'/', 1, 6), (b'b', 6, 7)]);
}

#[test]
fn a_long_text_is_read_in_batches() {
    let text = "%2525".repeat(10_000) + "2f";
    assert_eq!(spelling(&text).len(), 10_000, "{} bytes", text.len());
    assert_eq!(
        spelling(&"x%2fy".repeat(10_000)),
        "x/y".repeat(10_000).as_bytes()
    );
}
