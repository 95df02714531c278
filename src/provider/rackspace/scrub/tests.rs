//! What is masked in an error.

use super::*;
use crate::error::Kind;

#[test]
fn a_secret_is_masked_whole_quoted_or_cut() {
    let secrets = [Secret::new("t0ken\"secret"), Secret::new("abc")];
    let secrets: Vec<&Secret> = secrets.iter().collect();
    for (text, expected) in [
        ("nothing here", "nothing here"),
        ("a t0ken\"secret b", "a *** b"),
        (r#"{"k":"t0ken\"secret"}"#, r#"{"k":"***"}"#),
        ("k: t0ken\"sec…", "k: ***…"),
        ("k: t0k…", "k: t0k…"),
        ("abc is too short to hide", "abc is too short to hide"),
    ] {
        let error = Error::new(Kind::Provider, text).cause(text).hint(text);
        let clean = scrub(error.code(text).request_id(Some(text.into())), &secrets);
        assert_eq!(clean.message, expected);
        assert_eq!(clean.details.causes, [expected]);
        assert_eq!(clean.details.hints, [expected.into()]);
        assert_eq!(clean.details.code.as_deref(), Some(expected));
        assert_eq!(clean.details.request_id.as_deref(), Some(expected));
    }
}
