//! The AWS tools' files and variables as people have them: the account, region and endpoint that the AWS CLI comes to, or a
//! sentence that says why not.

use std::process::Command;

use rexpect::session::{Options, spawn_with_options};
use serde_json::Value;
use snapexport::http::Http;
use snapexport::provider::lightsail;
use snapexport::settings::Sources;
use snapexport::task::{ExportRequest, Target};

use super::aws::{TOKEN, amazon, signers};
use crate::canned::{Answer, Canned};
use crate::program::{Ran, User};

/// A user with these files, whose services are all one server.
fn user(amazon: &Canned, config: &str, credentials: &str) -> User {
    let user = User::new().with("AWS_ENDPOINT_URL", &amazon.url());
    std::fs::create_dir_all(user.home.path().join(".aws/sso/cache")).expect("made");
    write(&user, "config", config);
    write(&user, "credentials", credentials);
    user
}

fn write(user: &User, name: &str, text: &str) {
    std::fs::write(user.home.path().join(".aws").join(name), text).expect("written");
}

/// Nothing of how Rust prints its values may be seen.
#[track_caller]
fn is_plain(ran: &Ran) {
    for debug in [
        "Error {",
        "unhandled error",
        "Unhandled",
        "Some(",
        "code: \"",
        "{ ",
    ] {
        assert!(!ran.stderr.contains(debug), "{debug}: {}", ran.all());
    }
}

const PAIR: &str = "aws_access_key_id = AKIAWORK\naws_secret_access_key = s\n";

#[test]
fn what_the_aws_cli_accepts_is_accepted() {
    let indented = format!(
        "  [profile work]\n  region = eu-west-3\n  {}",
        PAIR.replace('\n', "\n  ")
    );
    let colons = "[profile work]\nregion: eu-west-3\naws_access_key_id: AKIAWORK\naws_secret_access_key: s\n";
    for (profile, config, is_warned) in [
        ("work", indented.as_str(), false),
        (
            "work",
            &format!("[profile work]\n    region = eu-west-3\n    {PAIR}"),
            false,
        ),
        ("work", colons, false),
        (
            "work",
            &format!("[profile work] /* s3://x */\nregion = eu-west-3\n{PAIR}"),
            false,
        ),
        (
            "work",
            &format!("[profile q] /* s3://x */\nx = 1\n[profile work]\nregion = eu-west-3\n{PAIR}"),
            false,
        ),
        (
            "my work",
            &format!("[profile \"my work\"]\nregion = eu-west-3\n{PAIR}"),
            false,
        ),
        (
            "b\u{fc}ro",
            &format!("[profile b\u{fc}ro]\nregion = eu-west-3\n{PAIR}"),
            false,
        ),
        // What is broken elsewhere.
        (
            "work",
            &format!("[profile work]\nregion = eu-west-3\n{PAIR}[profile q]\nwhat is this\n"),
            true,
        ),
        (
            "work",
            &format!("[profile q\nx = 1\n[profile work]\nregion = eu-west-3\n{PAIR}"),
            true,
        ),
        (
            "work",
            &format!("stray = 1\n[profile work]\nregion = eu-west-3\n{PAIR}"),
            true,
        ),
        (
            "work",
            &format!("[plugins]\n= 1\n[profile work]\nregion = eu-west-3\n{PAIR}"),
            true,
        ),
    ] {
        let amazon = amazon();
        let ran = user(&amazon, config, "").run(&["list", "lightsail", "--profile", profile, "-v"]);
        assert_eq!(ran.code, Some(0), "{config}: {}", ran.all());
        assert_eq!(signers(&amazon), ["AKIAWORK"], "{config}");
        let warning = "is no setting and no heading; its section is not used here";
        assert_eq!(
            ran.stderr.contains(warning),
            is_warned,
            "{config}: {}",
            ran.all()
        );
        assert!(
            !ran.stderr.contains("what is this"),
            "a line may be a secret"
        );
    }
}

#[test]
fn a_section_that_is_asked_for_and_broken_is_named_with_its_line() {
    for (config, line) in [
        (
            format!("[profile work]\nregion = eu-west-3\n{PAIR}hm\n"),
            "line 5 of",
        ),
        (
            format!("[profile work\nregion = eu-west-3\n{PAIR}"),
            "line 1 of",
        ),
        (
            format!(
                "[profile work]\nregion = eu-west-3\nrole_arn = r\nsource_profile = q\n[profile q]\nhm\n{PAIR}"
            ),
            "line 6 of",
        ),
    ] {
        let amazon = amazon();
        let ran = user(&amazon, &config, "").run(&["list", "lightsail", "--profile", "work"]);
        assert_eq!(ran.code, Some(4), "{config}: {}", ran.all());
        assert!(ran.stderr.contains(line), "{config}: {}", ran.all());
        assert!(amazon.requests().is_empty());
    }
}

#[test]
fn a_single_sign_on_with_a_name_of_several_words_is_found() {
    let config = "[profile work]\nregion = eu-west-3\nsso_session = my b\u{fc}ro\nsso_account_id = 1\nsso_role_name = ops\n\
                  [sso-session \"my b\u{fc}ro\"]\nsso_region = eu-west-3\nsso_start_url = https://sso.example/start\n";
    let amazon = amazon();
    let user = user(&amazon, config, "");
    // The SHA-1 of its name.
    write(
        &user,
        "sso/cache/08f39901b29cbbb326a5f5cfe4a7d632a932b13b.json",
        TOKEN,
    );
    let ran = user.run(&["list", "lightsail", "--profile", "work", "-v"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert_eq!(signers(&amazon), ["ASIASSO"]);
}

#[test]
fn a_heading_under_which_no_tool_finds_the_profile_is_told() {
    for (config, credentials, advice) in [
        (
            format!("[work]\nregion = eu-west-3\n{PAIR}"),
            String::new(),
            "[profile work]",
        ),
        (
            String::new(),
            format!("[profile work]\nregion = eu-west-3\n{PAIR}"),
            "[work]",
        ),
        // The other file has it, with a region and nothing else.
        (
            "[profile work]\nregion = eu-west-3\n".to_owned(),
            format!("[profile work]\n{PAIR}"),
            "[work]",
        ),
    ] {
        let amazon = amazon();
        let user = user(&amazon, &config, &credentials);
        for user in [user.with("AWS_PROFILE", "work")] {
            for args in [
                &["list", "lightsail"][..],
                &["list", "lightsail", "--profile", "work"],
            ] {
                let ran = user.run(args);
                assert_eq!(ran.code, Some(4), "{}", ran.all());
                let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(said.contains("write its heading in"), "{}", ran.all());
                assert!(said.contains(&format!("as {advice}")), "{}", ran.all());
            }
        }
    }
}

#[test]
fn the_default_profile_under_a_heading_of_the_other_file_is_told() {
    let amazon = amazon();
    let user = user(
        &amazon,
        "",
        &format!("[profile default]\nregion = eu-west-3\n{PAIR}"),
    );
    let ran = user.run(&["list", "lightsail"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("as [default]"), "{}", ran.all());
}

#[test]
fn the_old_variable_for_a_profile_counts_where_the_other_is_not_set() {
    let keys = |name: &str, key: &str| {
        format!(
            "[{name}]\naws_access_key_id = {key}\naws_secret_access_key = s\nregion = eu-west-3\n"
        )
    };
    let credentials =
        keys("default", "AKIADEFAULT") + &keys("old", "AKIAOLD") + &keys("new", "AKIANEW");
    for (variables, signer, is_warned) in [
        (&[("AWS_DEFAULT_PROFILE", "old")][..], "AKIAOLD", false),
        (
            &[("AWS_DEFAULT_PROFILE", "old"), ("AWS_PROFILE", "")],
            "AKIAOLD",
            false,
        ),
        (
            &[("AWS_DEFAULT_PROFILE", "old"), ("AWS_PROFILE", "new")],
            "AKIANEW",
            true,
        ),
        (
            &[("AWS_DEFAULT_PROFILE", "new"), ("AWS_PROFILE", "new")],
            "AKIANEW",
            false,
        ),
        (&[], "AKIADEFAULT", false),
    ] {
        let amazon = amazon();
        let mut user = user(&amazon, "", &credentials);
        for (name, value) in variables {
            user = user.with(name, value);
        }
        let ran = user.run(&["list", "lightsail"]);
        assert_eq!(ran.code, Some(0), "{variables:?}: {}", ran.all());
        assert_eq!(signers(&amazon), [signer], "{variables:?}");
        let is_said = ran.stderr.contains("AWS_DEFAULT_PROFILE=old");
        assert_eq!(is_said, is_warned, "{variables:?}: {}", ran.all());
    }
    let amazon = amazon();
    let user = user(&amazon, "", &credentials).with("AWS_DEFAULT_PROFILE", "nowhere");
    let ran = user.run(&["list", "lightsail"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(
        ran.stderr.contains("AWS_DEFAULT_PROFILE names it"),
        "{}",
        ran.all()
    );
    // Beside keys it is as little used as the other, and doctor says so.
    let user = user
        .with("AWS_ACCESS_KEY_ID", "AKIAENV")
        .with("AWS_SECRET_ACCESS_KEY", "s")
        .with("AWS_REGION", "eu-west-3");
    let ran = user.run(&["doctor", "lightsail"]);
    let sheet = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        sheet.contains("AWS_DEFAULT_PROFILE=nowhere names no profile"),
        "{}",
        ran.all()
    );
}

#[test]
fn a_session_of_aws_login_is_named_with_the_line_that_works() {
    let config = "[profile my login]\n[profile \"my login\"]\nregion = eu-west-3\nlogin_session = arn:aws:iam::1:user/Admin\n";
    let amazon = amazon();
    let ran = user(&amazon, config, "").run(&["list", "lightsail", "--profile", "my login"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    let line = "credential_process = aws configure export-credentials --profile 'my login' --format process";
    assert!(ran.stderr.contains(line), "{}", ran.all());
    assert!(amazon.requests().is_empty());
}

#[test]
fn an_address_of_the_profile_is_where_roles_and_single_sign_on_are_asked() {
    let amazon = amazon();
    let config = "[profile role]\nregion = eu-west-3\nservices = s\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
        [profile base]\n[profile sso]\nregion = eu-west-3\nendpoint_url = URL\nsso_region = eu-west-3\n\
        sso_start_url = https://sso.example/start\nsso_account_id = 1\nsso_role_name = ops\n\
        [services s]\nsts =\n  endpoint_url = URL\nlightsail =\n  endpoint_url = URL\n";
    let config = config.replace("URL", &amazon.url());
    let user = user(
        &amazon,
        &config,
        "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n",
    )
    .without("AWS_ENDPOINT_URL");
    write(
        &user,
        "sso/cache/98df91031e87f97bfc088c045be6442dc5d70b2a.json",
        TOKEN,
    );
    for (profile, signer) in [("role", "ASIAROLE"), ("sso", "ASIASSO")] {
        let ran = user.run(&["list", "lightsail", "--profile", profile]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert_eq!(signers(&amazon).last().map(String::as_str), Some(signer));
    }
}

const MFA: &str = "[profile work]\nregion = eu-west-3\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
                   mfa_serial = arn:aws:iam::1:mfa/me\nexternal_id = ext\nduration_seconds = 900\n[profile base]\n";
const BASE: &str = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";

#[test]
fn a_role_that_asks_for_a_code_says_so_where_nobody_can_be_asked() {
    let amazon = amazon();
    let user = user(&amazon, MFA, BASE);
    for args in [
        &["list", "lightsail", "--profile", "work"][..],
        &["export", "lightsail", "web-1", "--profile", "work"],
    ] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "arn:aws:iam::1:mfa/me",
            "run the command on a terminal",
            "AWS_SESSION_TOKEN",
        ] {
            assert!(said.contains(words), "{words}: {}", ran.all());
        }
        is_plain(&ran);
    }
    assert!(
        amazon.requests().is_empty(),
        "nothing is sent without the code"
    );
}

#[test]
fn a_role_that_asks_for_a_code_asks_on_the_terminal() {
    for (typed, is_taken) in [("123456", true), ("what?", false)] {
        let amazon = amazon();
        let user = user(&amazon, MFA, BASE);
        let plain = user.command(&["list", "lightsail", "--profile", "work", "-q"]);
        let mut command = Command::new(plain.get_program());
        command
            .args(plain.get_args())
            .env_clear()
            .envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))));
        let options = Options::new().timeout_ms(Some(30_000));
        let mut session = spawn_with_options(command, options).expect("a terminal");
        session
            .exp_string("type the code of the MFA device arn:aws:iam::1:mfa/me")
            .expect("the question");
        session.send_line(typed).expect("typed");
        let rest = session.exp_eof().expect("it ends");
        let asked = amazon.requests();
        let sts = asked
            .iter()
            .find(|request| request.contains("Action=AssumeRole"));
        assert_eq!(sts.is_some(), is_taken, "{rest}");
        let Some(sts) = sts else {
            assert!(rest.contains("is not a number"), "{rest}");
            continue;
        };
        for part in [
            "TokenCode=123456",
            "SerialNumber=arn%3Aaws%3Aiam%3A%3A1%3Amfa%2Fme",
            "ExternalId=ext",
            "DurationSeconds=900",
        ] {
            assert!(sts.contains(part), "{part}: {sts}");
        }
        assert_eq!(signers(&amazon), ["ASIAROLE"], "{rest}");
    }
}

#[test]
fn a_refusal_of_who_gives_credentials_is_told_in_its_own_words() {
    let denied = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not authorized to perform: sts:AssumeRole</Message></Error><RequestId>req-1</RequestId></ErrorResponse>";
    let config = "[profile role]\nregion = eu-west-3\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n[profile base]\n\
        [profile web]\nregion = eu-west-3\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = ~/.aws/config\n\
        [profile sso]\nregion = eu-west-3\nsso_region = eu-west-3\nsso_start_url = https://sso.example/start\n\
        sso_account_id = 1\nsso_role_name = ops\n\
        [profile gone]\nregion = eu-west-3\nsso_region = eu-west-3\nsso_start_url = https://sso.example/gone\n\
        sso_account_id = 1\nsso_role_name = ops\n\
        [profile process]\nregion = eu-west-3\ncredential_process = echo no such luck >&2; exit 3\n\
        [profile chatty]\nregion = eu-west-3\ncredential_process = echo hello\n\
        [profile machine]\nregion = eu-west-3\ncredential_source = Ec2InstanceMetadata\n";
    for (profile, answer, words) in [
        (
            "role",
            Answer::Reply(
                403,
                vec![("content-type", "text/xml".into())],
                denied.into(),
            ),
            &[
                "The role arn:aws:iam::1:role/r cannot be assumed",
                "AccessDenied",
                "not authorized to perform: sts:AssumeRole",
            ][..],
        ),
        (
            "role",
            Answer::html(403, "<html>go away</html>"),
            &["cannot be assumed"],
        ),
        (
            "web",
            Answer::Reply(
                403,
                vec![("content-type", "text/xml".into())],
                denied.into(),
            ),
            &["AccessDenied", "not authorized to perform: sts:AssumeRole"],
        ),
        (
            "web",
            Answer::Reply(
                400,
                vec![("content-type", "text/xml".into())],
                denied.replace("AccessDenied", "InvalidIdentityToken"),
            ),
            &["InvalidIdentityToken"],
        ),
        (
            "sso",
            Answer::Reply(
                401,
                vec![("x-amzn-errortype", "UnauthorizedException".into())],
                r#"{"message":"Session token not found or invalid"}"#.into(),
            ),
            &[
                "Session token not found or invalid",
                "aws sso login --profile sso",
            ],
        ),
        (
            "sso",
            Answer::Reply(
                403,
                vec![("x-amzn-errortype", "ForbiddenException".into())],
                r#"{"message":"No access"}"#.into(),
            ),
            &["ForbiddenException", "No access"],
        ),
        (
            "gone",
            Answer::json(500, "{}"),
            &["aws sso login --profile gone"],
        ),
        ("process", Answer::json(500, "{}"), &["no such luck"]),
        ("chatty", Answer::json(500, "{}"), &["credentials"]),
        ("machine", Answer::json(404, "{}"), &["credentials"]),
    ] {
        let amazon = Canned::start(vec![answer.clone()]);
        let user =
            user(&amazon, config, BASE).with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &amazon.url());
        write(
            &user,
            "sso/cache/98df91031e87f97bfc088c045be6442dc5d70b2a.json",
            TOKEN,
        );
        let ran = user.run(&["list", "lightsail", "--profile", profile]);
        assert_eq!(ran.code, Some(4), "{profile} {answer:?}: {}", ran.all());
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in words {
            assert!(said.contains(words), "{profile}: {words}: {}", ran.all());
        }
        is_plain(&ran);
    }
}

#[test]
fn an_endpoint_of_ones_own_wins_over_fips_and_dual_stack_with_a_warning() {
    for (variables, config) in [
        (&[("AWS_USE_FIPS_ENDPOINT", "true")][..], ""),
        (&[("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")], ""),
        (&[], "use_fips_endpoint = true\n"),
    ] {
        let amazon = amazon();
        let mut user = user(
            &amazon,
            &format!("[profile work]\nregion = eu-west-3\n{PAIR}{config}"),
            "",
        );
        for (name, value) in variables {
            user = user.with(name, value);
        }
        let ran = user.run(&["list", "lightsail", "--profile", "work"]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(
            ran.stderr
                .contains("does not count beside that of AWS_ENDPOINT_URL"),
            "{}",
            ran.all()
        );
    }
}

#[tokio::test]
async fn what_a_dry_run_prints_names_the_endpoint_for_fips() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    ];
    let sources = Sources {
        env: variables.into_iter().collect(),
        ..Sources::default()
    };
    let cloud = (lightsail::ENTRY.connect)(&sources, Http::new(false)).await;
    let target = Target::new(&lightsail::Destination::Ec2);
    let preview = cloud
        .expect("connected")
        .preview(&ExportRequest::new("web-1", target));
    assert_eq!(preview.url, "https://lightsail-fips.us-east-1.api.aws/");
}

#[test]
fn half_of_a_web_identity_is_told_before_anything_is_sent() {
    let amazon = amazon();
    let user = user(&amazon, "", "")
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")
        .with("AWS_REGION", "eu-west-3");
    let ran = user.run(&["list", "lightsail"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("but not AWS_ROLE_ARN"), "{}", ran.all());
    assert!(amazon.requests().is_empty());
}

#[test]
fn fips_and_dual_stack_are_seen_where_a_start_would_go() {
    // The proxy is nobody: what would be sent to AWS stays here.
    let proxy = Canned::start(vec![Answer::Hangup]);
    let user = User::new()
        .with("AWS_ACCESS_KEY_ID", "AKIAENV")
        .with("AWS_SECRET_ACCESS_KEY", "s")
        .with("AWS_REGION", "us-east-1")
        .with("HTTPS_PROXY", &proxy.url())
        .with("AWS_USE_FIPS_ENDPOINT", "true")
        .in_haste();
    let ran = user.run(&["doctor", "lightsail", "-o", "json"]);
    let sheet: Vec<Value> = ran.json();
    let sheet = serde_json::to_string(&sheet).expect("JSON");
    assert!(
        sheet.contains("https://lightsail-fips.us-east-1.amazonaws.com/"),
        "{}",
        ran.all()
    );
    assert!(
        sheet.contains("the region (AWS_USE_FIPS_ENDPOINT)"),
        "{}",
        ran.all()
    );
    let asked = proxy.requests();
    assert!(!asked.is_empty());
    for head in asked {
        assert!(
            head.starts_with("CONNECT lightsail-fips.us-east-1.amazonaws.com:443 ")
                || head.starts_with("CONNECT ec2-fips.us-east-1.amazonaws.com:443 "),
            "{head}"
        );
    }
}
