//! Commands in hints can be pasted, whatever stands in them.

use super::*;

#[test]
fn foreign_words_are_quoted_where_a_shell_would_read_them_otherwise() {
    for (word, quoted) in [
        ("exports", "exports"),
        ("snap-export-1a2b3c4d", "snap-export-1a2b3c4d"),
        ("lightsail/5a1c-2b3d", "lightsail/5a1c-2b3d"),
        ("my box", "'my box'"),
        ("a; b", "'a; b'"),
        ("it's", r"'it'\''s'"),
        ("$(x)", "'$(x)'"),
        ("~/x", "'~/x'"),
        ("=x", "'=x'"),
        ("", "''"),
    ] {
        assert_eq!(shell_word(word), quoted);
    }
}

#[test]
fn words_of_ours_stay_and_a_change_comes_before_the_quotes() {
    let command = Command::from("swift delete")
        .arg("a; b")
        .and("--prefix")
        .args(["it's.vhd", "x"])
        .and("| snapexport wait -");
    let shown = r"swift delete 'a; b' --prefix 'it'\''s.vhd' x | snapexport wait -";
    assert_eq!(command.to_string(), shown);
    let hint = Hint::say("do: ").and_run(command);
    let masked = hint.map(|text| text.replace("it's", "***"));
    assert_eq!(
        masked.to_string(),
        "do: swift delete 'a; b' --prefix '***.vhd' x | snapexport wait -"
    );
}
