use super::*;
use crate::error::Kind;

/// A cloud's form of its section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct Own {
    secret_key: Option<String>,
    secret_key_command: Option<Vec<String>>,
}

/// The error of a text, of the file or of its one section.
fn mistake(text: &str) -> crate::error::Error {
    match Config::parse(text, Path::new("config.toml")) {
        Err(error) => error,
        Ok(config) => {
            let (_, section) = config.sections().next().expect("a section");
            section.read::<Own>().expect_err("a mistake")
        }
    }
}

#[test]
fn a_value_of_the_wrong_type_is_not_quoted() {
    for (line, said) in [
        (
            "secret_key_command = \"hunter2\"",
            "invalid type: string, expected a sequence",
        ),
        (
            "secret_key = 70368744177664",
            "invalid type: integer, expected a string",
        ),
        (
            "secret_key = [\"hunter2\"]",
            "invalid type: sequence, expected a string",
        ),
        ("secret_key = hunter2", ""),
        ("secret_key = \"hunter2", ""),
    ] {
        let text = format!("[profile.a.outscale]\n{line}\n");
        let error = mistake(&text);
        let shown = format!("{} {:?}", error.one_line(), error.details.hints);
        assert!(shown.contains(said), "{line}: {shown}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("7036874"),
            "{line}: {shown}"
        );
    }
}

#[test]
fn a_malformed_file_names_the_line_and_shows_no_value() {
    let text = "default_profile = \"a\"\n[profile.a.outscale]\nsecret_kye = \"hunter2\"\n";
    let error = mistake(text);
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.message, "config.toml has a mistake in line 3");
    assert!(
        !error.one_line().contains("hunter2"),
        "{}",
        error.one_line()
    );
    assert!(
        error.one_line().contains("secret_kye"),
        "{}",
        error.one_line()
    );
}

#[test]
fn a_section_of_an_unknown_cloud_names_its_line() {
    let text = "\n[profile.a.outscale]\n[profile.a.moon]\n";
    let config = Config::parse(text, Path::new("config.toml")).expect("an outline");
    let (_, section) = config
        .sections()
        .find(|(cloud, _)| *cloud == "moon")
        .expect("the section");
    let error = section.unknown(&["outscale", "lightsail"]);
    assert_eq!(error.message, "config.toml has a mistake in line 3");
    assert!(
        error
            .one_line()
            .contains("`moon`, expected one of `outscale`, `lightsail`")
    );
}
