use proptest::prelude::*;
use serde_json::{Value, json};

use super::Words;

fn cut(longest: usize, text: &[u8], piece: usize) -> Vec<u8> {
    let mut words = Words::new(longest);
    let mut kept = Vec::new();
    for piece in text.chunks(piece) {
        words.push(piece, &mut kept);
    }
    kept
}

fn read(text: &str) -> Value {
    serde_json::from_slice(&cut(4, text.as_bytes(), 3)).expect("still JSON")
}

#[test]
fn a_long_string_is_cut_and_the_rest_stays() {
    assert_eq!(
        read(r#"{"a": "abcdefgh", "b": [1, "xy"]}"#),
        json!({"a": "abcd", "b": [1, "xy"]})
    );
    assert_eq!(
        cut(4, b"<p class=\"abcdefgh\">", 7),
        b"<p class=\"abcdefgh\">"
    );
}

#[test]
fn no_character_and_no_escape_is_cut_in_two() {
    assert_eq!(read(r#"["abc\"defgh", 1]"#), json!(["abc\"", 1]));
    assert_eq!(read(r#"["abc\u00e9defgh"]"#), json!(["abcé"]));
    assert_eq!(read(r#"["abc\ud83d\ude00defgh"]"#), json!(["abc😀"]));
    assert_eq!(read(r#"["abcédefgh\\"]"#), json!(["abcé"]));
    assert_eq!(read(r#"["abcdefgh\""]"#), json!(["abcd"]));
}

proptest! {
    #[test]
    fn any_json_stays_json(words in prop::collection::vec(".{0,40}", 0..8), longest in 1_usize..30, piece in 1_usize..9) {
        let whole = json!({"w": words});
        let read: Value = serde_json::from_slice(&cut(longest, whole.to_string().as_bytes(), piece)).expect("still JSON");
        for (word, kept) in words.iter().zip(read["w"].as_array().expect("a list")) {
            let kept = kept.as_str().expect("text");
            prop_assert!(word.starts_with(kept));
            prop_assert!(kept == word || kept.len() + 8 >= longest / 6);
        }
    }

    #[test]
    fn what_is_no_json_comes_to_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..9) {
        prop_assert_eq!(cut(usize::MAX, &bytes, piece), bytes);
    }
}
