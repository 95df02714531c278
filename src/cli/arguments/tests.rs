//! What becomes of arguments before they are read.

use super::*;

fn tidy_of(args: &[&str]) -> Result<Vec<String>> {
    let all = ["snapexport"].iter().chain(args).map(OsString::from);
    let tidied = tidy(all.collect())?;
    Ok(tidied[1..].iter().map(|arg| escaped(arg)).collect())
}

#[test]
fn white_space_around_an_argument_goes() {
    for (typed, expected) in [
        (
            vec!["--region", "eu-west-2\r\n"],
            vec!["--region", "eu-west-2"],
        ),
        (
            vec!["--region=\teu-west-2\u{a0}"],
            vec!["--region=eu-west-2"],
        ),
        (vec!["--region= eu-west-2"], vec!["--region=eu-west-2"]),
        (
            vec!["\u{feff}snap-1 ", "-o", "json\r"],
            vec!["snap-1", "-o", "json"],
        ),
        // Paths and commands stay.
        (
            vec!["--config", "a b ", "x "],
            vec!["--config", "a b ", "x"],
        ),
        (
            vec!["--on-done", "a\nb", "x "],
            vec!["--on-done", "a\\nb", "x"],
        ),
        (vec!["--config=c\t", "x "], vec!["--config=c\\t", "x"]),
        (
            vec!["sandbox", "--", "a\nb "],
            vec!["sandbox", "--", "a\\nb "],
        ),
        (
            vec!["-o", "json ", "verify", "a\nb ", "-o", "json ", " c"],
            vec!["-o", "json", "verify", "a\\nb ", "-o", "json", " c"],
        ),
        (
            vec!["verify", "--", "-a ", "verify "],
            vec!["verify", "--", "-a ", "verify "],
        ),
        (
            vec!["export", "lightsail", "verify", " web-1"],
            vec!["export", "lightsail", "verify", "web-1"],
        ),
    ] {
        assert_eq!(
            tidy_of(&typed).expect("it can be used"),
            expected,
            "{typed:?}"
        );
    }
}

#[test]
fn what_cannot_be_used_is_named_with_its_odd_character() {
    for (typed, expected) in [
        (
            "snap-1\nsnap-2",
            "'snap-1\\nsnap-2' cannot be used: character 7 is '\\n'",
        ),
        ("--prefix=a\u{1b}[m", "'--prefix=a\\u{1b}[m' cannot be used"),
    ] {
        let error = tidy_of(&[typed]).expect_err(typed);
        assert!(error.message.contains(expected), "{error}");
    }
}
