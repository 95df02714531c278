use super::*;

#[test]
fn durations_are_read_as_people_write_them() {
    let seconds = Duration::from_secs;
    for (text, expected) in [
        ("0", Some(Limit::After(Duration::ZERO))),
        ("none", Some(Limit::None)),
        ("90s", Some(Limit::After(seconds(90)))),
        ("30m", Some(Limit::After(seconds(1800)))),
        ("2h30m", Some(Limit::After(seconds(9000)))),
        ("1d", Some(Limit::After(seconds(86_400)))),
        ("1d12h", Some(Limit::After(seconds(129_600)))),
        ("2w", Some(Limit::After(seconds(1_209_600)))),
        ("1mo", None),
        ("500ms", Some(Limit::After(Duration::from_millis(500)))),
        ("90", None),
        ("-5s", None),
        ("9223372036854775807s", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(parse_limit(text).ok(), expected, "{text}");
    }
    assert!(parse_interval("0").is_err());
}
