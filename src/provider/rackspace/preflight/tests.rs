//! What is looked at before a start.

use super::*;

#[test]
fn commands_in_hints_can_be_pasted() {
    for (name, word) in [
        ("exports", "exports"),
        ("my box", "'my box'"),
        ("it's", r"'it'\''s'"),
        ("$(x)", "'$(x)'"),
    ] {
        assert_eq!(shell_word(name), word);
    }
}
