//! What is taken for a profile, and whose keys count.

use super::*;

fn source(name: &str, config: &str, credentials: &str) -> AwsSource {
    let mut shared = Shared::default();
    shared.add_config(Path::new("config"), ini::sections(config));
    shared.add_credentials(Path::new("credentials"), ini::sections(credentials));
    AwsSource {
        name: name.to_owned(),
        shared,
    }
}

#[test]
fn a_profile_has_the_name_that_the_aws_cli_gives_it() {
    let config = "[default]\nregion=a\n[profile \"my work\"]\nregion=b\n[profile b\u{fc}ro]\nregion=c\n\
                  [profile 'x;y']\nregion=d\n[profile q] /* s3://x */\nregion=e\n[preview]\nregion=f\n";
    let credentials = "[my work]\noutput=json\n[only here]\nregion=g\n";
    for (name, region) in [
        ("default", Some("a")),
        ("my work", Some("b")),
        ("b\u{fc}ro", Some("c")),
        ("x;y", Some("d")),
        ("q", Some("e")),
        ("preview", None),
        ("only here", Some("g")),
    ] {
        assert_eq!(
            source(name, config, credentials).get("region"),
            region,
            "{name}"
        );
    }
    let names = source("q", config, credentials).names();
    assert_eq!(
        names,
        ["b\u{fc}ro", "default", "my work", "only here", "q", "x;y"]
    );
}

#[test]
fn a_heading_that_no_tool_takes_for_a_profile_is_told_how_to_be_written() {
    let config = "[p]\nregion=a\n[profile my work]\nregion=b\n[profile bob's]\nregion=c\n";
    let credentials = "[profile k]\nregion=d\n[\"q\"]\nregion=e\n";
    for (name, file, heading) in [
        ("p", "config", "[profile p]"),
        ("my work", "config", "[profile \"my work\"]"),
        ("bob's", "config", "[profile \"bob's\"]"),
        ("k", "credentials", "[k]"),
        ("q", "credentials", "[q]"),
    ] {
        let source = source(name, config, credentials);
        assert!(source.profile().is_none(), "{name}");
        let hint = source.meant(name).expect(name).to_string();
        assert_eq!(hint, format!("write its heading in {file} as {heading}"));
    }
}

#[test]
fn keys_count_from_the_credentials_file_or_from_the_other_but_not_from_both() {
    let id = "aws_access_key_id = A";
    let secret = "aws_secret_access_key = S";
    let token = "AWS_SESSION_TOKEN=T";
    let pair = format!("{id}\n{secret}");
    for (in_config, in_credentials, kept) in [
        // A lasting pair has no token, whoever else has one.
        (format!("{pair}\n{token}"), pair.clone(), "A S -"),
        (token.to_owned(), pair.clone(), "A S -"),
        (pair.clone(), token.to_owned(), "A S -"),
        (pair.clone(), String::new(), "A S -"),
        (format!("{pair}\n{token}"), String::new(), "A S T"),
        (String::new(), format!("{pair}\n{token}"), "A S T"),
        // Two halves are no whole.
        (id.to_owned(), secret.to_owned(), "- S -"),
        (secret.to_owned(), id.to_owned(), "A - -"),
        // What is empty says nothing.
        (
            pair.clone(),
            "aws_access_key_id =\naws_secret_access_key=".into(),
            "A S -",
        ),
    ] {
        let config = format!("[profile m] # mine\nregion = r\n{in_config}\n[profile n]\n{pair}\n");
        let credentials = format!("[ m ]\n{in_credentials}\n");
        let source = source("m", &config, &credentials);
        let [id, secret] = PAIR.map(|key| source.get(key).unwrap_or("-"));
        let token = source.get("aws_session_token").unwrap_or("-");
        let shown = format!("{in_config} | {in_credentials}");
        assert_eq!(format!("{id} {secret} {token}"), kept, "{shown}");
        assert_eq!(source.get("region"), Some("r"), "{shown}");
    }
}

#[test]
fn a_comment_behind_a_value_is_none_of_it_and_a_command_is_left_alone() {
    let config = "[profile a]\nregion = eu-west-1 # Paris\nsso_start_url = https://x/#/ ;y\n\
                  credential_process = tell --name '# 1'\n";
    let source = source("a", config, "");
    assert_eq!(source.get("region"), Some("eu-west-1"));
    assert_eq!(source.get("sso_start_url"), Some("https://x/#/"));
    assert_eq!(source.get("credential_process"), Some("tell --name '# 1'"));
}

#[test]
fn a_flaw_is_of_what_is_needed_or_of_nothing() {
    let config =
        "[profile a]\nregion = r\n[profile b\nregion = r\n[profile c]\nhm\n[profile b]\nx = 1\n";
    let source = source("a", config, "");
    assert!(source.whole(Of::Profile, "a").is_ok());
    for (name, line) in [("b", "line 3 of config"), ("c", "line 6 of config")] {
        let error = source.whole(Of::Profile, name).err().expect(name);
        assert!(error.one_line().contains(line), "{}", error.one_line());
    }
}
