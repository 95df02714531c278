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
