//! What the reader of people's text promises.

use super::*;

#[test]
fn the_form_follows_the_name() {
    for (name, form) in [
        ("OSC_ACCESS_KEY", Form::Key),
        ("AWS_SECRET_ACCESS_KEY", Form::Key),
        ("aws_access_key_id", Form::Key),
        ("AUTH_TOKEN", Form::Token),
        ("aws_session_token", Form::Token),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", Form::Plain),
        ("RAX_API_KEY", Form::Login),
        ("OS_PASSWORD", Form::Login),
        ("username", Form::Login),
        ("OSC_REGION", Form::Region),
        ("OS_REGION_NAME", Form::Region),
        ("OSC_PROFILE", Form::Plain),
        ("OSC_X509_CLIENT_KEY_B64", Form::Lines),
        ("NO_PROXY", Form::Lines),
    ] {
        assert_eq!(Form::of(name), form, "{name}");
    }
}

#[test]
fn a_flaw_is_told_by_its_character_alone() {
    for (form, value, flaw) in [
        (Form::Key, "wJalr/K7+x=", None),
        (Form::Key, "\"hidden\"", Some("it stands in quotes (\")")),
        (Form::Key, "hid\"den", None),
        (Form::Key, "hid den", Some("character 4 is ' '")),
        (Form::Key, "hidd\u{e9}n", Some("character 5 is '\\u{e9}'")),
        (Form::Token, "a.b\nc", Some("character 4 is '\\n'")),
        (Form::Login, "\"p\u{e4}ss w\u{f6}rd'", None),
        (Form::Login, "p\u{7f}", Some("character 2 is '\\u{7f}'")),
        (Form::Region, "'DFW'", Some("it stands in quotes (')")),
        (
            Form::Region,
            "DFW\u{200b}",
            Some("character 4 is '\\u{200b}'"),
        ),
        (Form::Region, "Region One", None),
        (
            Form::Plain,
            "eu\u{85}west",
            Some("character 3 is '\\u{85}'"),
        ),
        (Form::Lines, "a\nb", None),
    ] {
        let found = form.flaw(value).map(|flaw| flaw.to_string());
        let is_so = match (&found, flaw) {
            (Some(found), Some(flaw)) => found.starts_with(flaw) && !found.contains("hidden"),
            (found, flaw) => found.is_none() && flaw.is_none(),
        };
        assert!(is_so, "{value:?}: {found:?}");
    }
}

#[test]
fn a_path_begins_at_home_or_stays() {
    let home = Some(Path::new("/home/me"));
    for (typed, expected) in [
        ("~/a b", "/home/me/a b"),
        ("~", "/home/me"),
        ("~you/a", "~you/a"),
        ("a/~/b", "a/~/b"),
        (" a\r\n", "a"),
        ("a$b", "a$b"),
    ] {
        let path = path(typed.as_ref(), home).expect("it can be used");
        assert_eq!(path, Path::new(expected), "{typed:?}");
    }
    for (typed, home) in [("$HOME/a", home), ("${X}", home), ("~/a", None)] {
        let error = path(typed.as_ref(), home).expect_err(typed);
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.message.contains(typed), "{error}");
    }
}

#[test]
fn the_text_of_a_file_is_utf_8() {
    for (bytes, expected) in [
        (&b"\xef\xbb\xbfa\r\n"[..], Ok("a\r\n")),
        (b"", Ok("")),
        (b"a\nb\xe9", Err("line 2 is not UTF-8 (the byte \\xe9)")),
        (b"\xff\xfea\0", Err("line 1 is UTF-16")),
        (b"\xfe\xff\0a", Err("line 1 is UTF-16")),
        (b"a\0b\0", Err("line 1 is UTF-16")),
    ] {
        match (decoded(bytes), expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text, expected),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn a_line_is_found_by_section_and_key() {
    let text = "[a]\nsecret_key = 1\n[b]\nx_secret_key = 2\nsecret_key = 3\n";
    for (words, line) in [
        (&["a", "secret_key"][..], Some(2)),
        (&["b", "secret_key"], Some(5)),
        (&["secret_key"], Some(2)),
        (&["c", "secret_key"], None),
    ] {
        assert_eq!(line_of(text, words), line, "{words:?}");
    }
}
