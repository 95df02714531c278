//! Every key of `config.toml`, by what reaches a server and what `-v` says of it.

use crate::canned::{Answer, Canned};
use crate::program::User;

const OUTSCALE: &str = "[profile.work.outscale]\naccess_key = \"AKCONFIG\"\n";
const LIGHTSAIL: &str = "[profile.work.lightsail]\nregion = \"eu-west-3\"\nendpoint = \"URL\"\n";
const RACKSPACE: &str = "[profile.work.rackspace]\nusername = \"ops\"\nauth_url = \"URL/v2.0\"\n";
const EMPTY: &str = r#"{"Snapshots":[],"Accounts":[{"AccountId":"1"}]}"#;

fn user(server: &Canned, config: &str) -> User {
    let user = User::new();
    let folder = user.home.path().join("config");
    std::fs::create_dir(&folder).expect("made");
    std::fs::write(
        folder.join("config.toml"),
        config.replace("URL", &server.url()),
    )
    .expect("written");
    std::fs::create_dir(user.home.path().join(".aws")).expect("made");
    let keys = "[backup]\naws_access_key_id = AKBACKUP\naws_secret_access_key = s\n";
    std::fs::write(user.home.path().join(".aws/credentials"), keys).expect("written");
    user
}

#[test]
fn each_key_of_a_profile_does_what_it_says() {
    let endpoints = "endpoint = \"URL\"\nobject_endpoint = \"URL/oos\"\n";
    for (cloud, section, more, sent, said) in [
        (
            "outscale",
            OUTSCALE,
            "secret_key = \"hunter-2\"\nregion = \"us-east-2\"\n",
            "AKCONFIG",
            "region: us-east-2 from [profile.work.outscale]",
        ),
        (
            "outscale",
            OUTSCALE,
            "secret_key_command = [\"echo\", \"hunter-2\"]\n",
            "AKCONFIG",
            "credentials: AKCONFIG from [profile.work.outscale]",
        ),
        (
            "outscale",
            OUTSCALE,
            "secret_key = \"hunter-2\"\n",
            "AKCONFIG",
            "/oos from [profile.work.outscale]",
        ),
        (
            "lightsail",
            LIGHTSAIL,
            "access_key = \"AKCONFIG\"\nsecret_key = \"hunter-2\"\n",
            "AKCONFIG",
            "region: eu-west-3 from [profile.work.lightsail]",
        ),
        (
            "lightsail",
            LIGHTSAIL,
            "access_key = \"AKCONFIG\"\nsecret_key_command = [\"echo\", \"hunter-2\"]\n",
            "AKCONFIG",
            "credentials: AKCONFIG from [profile.work.lightsail]",
        ),
        (
            "lightsail",
            LIGHTSAIL,
            "access_key = \"AKCONFIG\"\nsecret_key = \"hunter-2\"\nsession_token = \"tok-1\"\n",
            "x-amz-security-token: tok-1",
            "endpoint: ",
        ),
        (
            "lightsail",
            LIGHTSAIL,
            "aws_profile = \"backup\"\n",
            "AKBACKUP",
            "([profile.work.lightsail])",
        ),
        (
            "rackspace",
            RACKSPACE,
            "api_key = \"hunter-2\"\nregion = \"IAD\"\n",
            r#""apiKey":"hunter-2""#,
            "region: IAD from [profile.work.rackspace]",
        ),
        (
            "rackspace",
            RACKSPACE,
            "api_key_command = [\"echo\", \"hunter-2\"]\n",
            r#""apiKey":"hunter-2""#,
            "credentials: ops from [profile.work.rackspace]",
        ),
        (
            "rackspace",
            RACKSPACE,
            "password = \"hunter-2\"\n",
            r#""password":"hunter-2""#,
            "identity endpoint: ",
        ),
        (
            "rackspace",
            RACKSPACE,
            "password_command = [\"echo\", \"hunter-2\"]\n",
            r#""password":"hunter-2""#,
            "from [profile.work.rackspace]",
        ),
    ] {
        let server = Canned::start(vec![Answer::json(200, EMPTY)]);
        let endpoints = if cloud == "outscale" { endpoints } else { "" };
        let user = user(&server, &format!("{section}{more}{endpoints}"));
        let ran = user.run(&["list", cloud, "--profile", "work", "-v"]);
        let requests = server.requests();
        assert!(
            requests.iter().any(|request| request.contains(sent)),
            "{more}: {}",
            ran.all()
        );
        assert!(ran.stderr.contains(said), "{more}: {}", ran.all());
        assert!(
            !ran.stderr.contains("hunter-2") && !ran.stderr.contains("tok-1"),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn a_profile_by_name_wins_over_the_environment_and_the_default_one_does_not() {
    let server = Canned::start(vec![Answer::json(200, EMPTY)]);
    let config = format!(
        "default_profile = \"work\"\n{OUTSCALE}secret_key = \"s\"\nendpoint = \"https://profile.example\"\n"
    );
    let user = user(&server, &config)
        .with("OSC_ACCESS_KEY", "AKENVIRONMENT")
        .with("OSC_SECRET_KEY", "s")
        .with("OSC_ENDPOINT_API", &server.url());
    for (args, key) in [
        (vec![], "AKENVIRONMENT"),
        (vec!["--profile", "work"], "AKCONFIG"),
    ] {
        let ran = user.run(&[&["list", "outscale", "-v"][..], &args].concat());
        assert!(
            ran.stderr.contains(&format!("credentials: {key} from ")),
            "{}",
            ran.all()
        );
        // An address in the environment overrides a profile's.
        assert!(
            ran.stderr.contains("from OSC_ENDPOINT_API"),
            "{}",
            ran.all()
        );
        assert!(server.requests().last().expect("asked").contains(key));
    }
    let user = user.without("OSC_ACCESS_KEY").without("OSC_SECRET_KEY");
    let ran = user.run(&["list", "outscale", "-v"]);
    assert!(
        ran.stderr.contains("credentials: AKCONFIG from "),
        "{}",
        ran.all()
    );
}

#[test]
fn what_a_profile_cannot_say_is_refused_and_nothing_is_sent() {
    for (cloud, config, code, said) in [
        (
            "outscale",
            format!("{OUTSCALE}secret_key = \"s\"\nsecret_key_command = [\"echo\", \"s\"]\n"),
            2,
            "keep one",
        ),
        (
            "outscale",
            format!("{OUTSCALE}secret_key_command = []\n"),
            2,
            "is empty",
        ),
        (
            "outscale",
            format!("{OUTSCALE}secret_key_command = [\"false\"]\n"),
            4,
            "gave no secret",
        ),
        ("outscale", OUTSCALE.to_owned(), 4, "lacks"),
        (
            "outscale",
            format!("{OUTSCALE}secretkey = \"s\"\n"),
            2,
            "line 3",
        ),
        (
            "lightsail",
            format!("{LIGHTSAIL}aws_profile = \"backup\"\naccess_key = \"A\"\n"),
            2,
            "keep one",
        ),
        (
            "lightsail",
            format!("{LIGHTSAIL}aws_profile = \"lost\"\n"),
            4,
            "no profile 'lost'",
        ),
        (
            "rackspace",
            format!("{RACKSPACE}api_key = \"s\"\npassword = \"s\"\n"),
            2,
            "keep one",
        ),
        ("rackspace", RACKSPACE.to_owned(), 4, "api_key or password"),
    ] {
        let server = Canned::start(vec![Answer::json(200, EMPTY)]);
        let ran = user(&server, &config).run(&["list", cloud, "--profile", "work"]);
        assert_eq!(ran.code, Some(code), "{config}: {}", ran.all());
        assert!(ran.stderr.contains(said), "{config}: {}", ran.all());
        assert!(server.requests().is_empty(), "{config}");
    }
}
