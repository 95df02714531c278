use super::*;

#[test]
fn lines_keep_within_the_room_and_lose_nothing() {
    let text = "the endpoint https://api.eu-west-2.outscale.com/api/v1 answers";
    assert_eq!(wrapped(text, None), [text]);
    for room in [12, 20, 40, 80] {
        let lines = wrapped(text, Some(room));
        assert_eq!(lines.join(" "), text, "{room}");
        for line in &lines {
            let is_one_word = !line.contains(' ');
            let columns = console::measure_text_width(line);
            assert!(columns <= room || is_one_word, "{room}: {line}");
        }
    }
}

#[test]
fn a_command_and_an_address_stay_whole() {
    for (text, room, expected) in [
        (
            Hint::say("let it end: ").and_run("snapexport --sandbox wait lightsail/5a1c2b3d"),
            40,
            &[
                "let it end:",
                "snapexport --sandbox wait lightsail/5a1c2b3d",
            ][..],
        ),
        (
            Hint::run("snapexport status --remote -q").and(" shows what the clouds have"),
            36,
            &[
                "snapexport status --remote -q shows",
                "what the clouds have",
            ],
        ),
        (
            Hint::say("copy it first (")
                .and_run("aws lightsail copy-snapshot")
                .and(") and wait"),
            30,
            &["copy it first", "(aws lightsail copy-snapshot)", "and wait"],
        ),
        (
            "see https://docs.example.com/a/long/way for it".into(),
            20,
            &["see", "https://docs.example.com/a/long/way", "for it"],
        ),
    ] {
        assert_eq!(wrapped(&text, Some(room)), expected);
        assert_eq!(wrapped(&text, None), [text.to_string()]);
    }
}

#[test]
fn what_follows_a_label_stands_below_its_beginning() {
    assert_eq!(
        hanging("  hint: ", "set the clock of this machine", Some(24)),
        "  hint: set the clock of\n        this machine"
    );
}

#[test]
fn what_is_made_safe_keeps_the_space_between_text_and_command() {
    let hint = Hint::say(" \u{1b}wait  for it:\n")
        .and_run("snapexport wait \u{7}t-1")
        .and(" ")
        .and("now");
    assert_eq!(
        cleaned(hint).to_string(),
        " wait for it: snapexport wait t-1 now"
    );
}
