//! What drives no terminal.

use super::*;

use serde_json::{Value, json};

#[test]
fn json_keeps_every_character_and_shows_none_that_hides() {
    let text = json!({"a": "csi\u{9b}2J \u{202e}cba\u{7f} \u{e0041} é 漢"});
    let escaped = escape_json(text.to_string());
    assert!(
        escaped.contains(r"csi\u009b2J \u202ecba\u007f \udb40\udc41 é 漢"),
        "{escaped}"
    );
    assert_eq!(serde_json::from_str::<Value>(&escaped).expect("JSON"), text);
}

#[test]
fn server_text_cannot_drive_a_terminal() {
    for (dirty, expected) in [
        ("plain", "plain"),
        ("\u{1b}[31mred\u{1b}[0m", "[31mred [0m"),
        ("two\r\nlines\u{0}", "two lines"),
        ("a\u{202e}cba", "acba"),
        ("csi\u{9b}2J", "csi 2J"),
    ] {
        assert_eq!(clean(dirty), expected, "{dirty:?}");
    }
}
