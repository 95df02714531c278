//! What is masked by its value.

use super::*;

#[test]
fn a_secret_is_masked_whole_quoted_encoded_or_cut() {
    let known = Known::new(["t0ken\"secret", "abc"]);
    for (text, expected) in [
        ("nothing here", "nothing here"),
        ("a t0ken\"secret b", "a *** b"),
        (r#"{"k":"t0ken\"secret"}"#, r#"{"k":"***"}"#),
        (
            r#"{"k":"{\"k\":\"t0ken\\\"secret\"}"}"#,
            r#"{"k":"{\"k\":\"***\"}"}"#,
        ),
        ("?k=t0ken%22secret&l", "?k=***&l"),
        ("Basic dDBrZW4ic2VjcmV0", "Basic ***"),
        ("74306b656e22736563726574", "***"),
        ("k: t0ken\"sec…", "k: ***…"),
        ("k: t0k…", "k: t0k…"),
        ("abc is too short to hide", "abc is too short to hide"),
    ] {
        assert_eq!(known.mask(text), expected);
    }
    assert_eq!(Known::new(["", "x"]).mask("a…"), "a…");
}

#[test]
fn a_secret_is_found_however_it_is_spelled() {
    let known = Known::new(["se+cret/of=mine", "tokensecret/1"]);
    for (text, expected) in [
        (r"a se+cret\/of=mine b", "a *** b"),
        (r"a se\u002Bcret\/of\u003dmine b", "a *** b"),
        ("a se%2bcret%252fof%25253dmine b", "a *** b"),
        ("a se&#43;cret&sol;of&#x3d;mine b", "a *** b"),
        ("a se+cr\u{200b}et/of\\u200b=mine b", "a *** b"),
        ("dXNlcjpzZStjcmV0L29mPW1pbmU=", "dXNlcjp***U="),
        ("73:65:2B:63:72:65:74:2f:6f:66:3d:6d:69:6e:65", "***"),
        // The beginning looks like the end of an escape.
        (
            r#"{"k":"DOMAIN\\tokensecret%2f1"}"#,
            r#"{"k":"DOMAIN\\token***"}"#,
        ),
        ("C:\\tokensecret/1", "C:\\***"),
    ] {
        assert_eq!(known.mask(text), expected);
    }
}

#[test]
fn a_secret_is_found_wherever_it_stands_in_a_long_text() {
    let known = Known::new(["se+cret/of=mine"]);
    for before in [0, 4095, 4096, 65_530, 65_536, 70_000, 131_060, 200_000] {
        let text = format!("{}se%2bcret\\/of=mine!", "x".repeat(before));
        let masked = format!("{}***!", "x".repeat(before));
        assert!(known.mask(&text) == masked, "after {before}");
    }
}

#[test]
fn the_name_of_a_user_is_masked_as_a_word_of_its_own() {
    let known = Known::new([]).and_names(["john"]);
    for (text, expected) in [
        ("no, john, not you", "no, ***, not you"),
        ("who is john.", "who is ***."),
        (
            "john-exports and my.john stay",
            "john-exports and my.john stay",
        ),
        (
            r#"{"bucket":"john","why":"john is no user"}"#,
            r#"{"bucket":"john","why":"*** is no user"}"#,
        ),
    ] {
        assert_eq!(known.mask(text), expected);
    }
}
