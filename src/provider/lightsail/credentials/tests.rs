//! Which source wins, and what is said where none does.

use std::path::Path;

use super::{Resolved, resolve};
use crate::error::{Error, Kind};
use crate::http::Http;
use crate::settings::{Config, Env, Origin, ProfileChoice, Sources};

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT00000"),
    ("AWS_SECRET_ACCESS_KEY", "environment-secret"),
];
const CONFIG: &str = "\
[default]
region = eu-west-1
[profile backup]
region = eu-central-1
endpoint_url = https://global.example
services = mine
[profile whole]
region = us-west-2
endpoint_url = https://global.example
[profile half]
aws_access_key_id = AKIAHALF000000000000
[services mine]
lightsail =
  endpoint_url = https://lightsail.example
";
const CREDENTIALS: &str = "\
[default]
aws_access_key_id = AKIADEFAULT000000000
aws_secret_access_key = default-secret
[backup]
aws_access_key_id = AKIABACKUP0000000000
aws_secret_access_key = backup-secret
[whole]
aws_access_key_id = AKIAWHOLE00000000000
aws_secret_access_key = whole-secret
";

fn env(extra: &[(&str, &str)]) -> Env {
    extra.iter().copied().collect()
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join(".aws")).expect("made");
    write(home.path(), "config", CONFIG);
    write(home.path(), "credentials", CREDENTIALS);
    home
}

fn write(home: &Path, name: &str, text: &str) {
    std::fs::write(home.join(".aws").join(name), text).expect("written");
}

fn choice(name: &str, is_explicit: bool) -> Option<ProfileChoice> {
    Some(ProfileChoice {
        name: name.into(),
        is_explicit,
    })
}

/// Our configuration with profile `own` (a key pair) and `points` (at an AWS profile).
fn config() -> Config {
    let text = r#"
        [profile.own.lightsail]
        region = "ca-central-1"
        access_key = "AKIAOWN0000000000000"
        secret_key = "own-secret"
        endpoint = "https://own.example"
        [profile.points.lightsail]
        aws_profile = "whole"
        [profile.empty.lightsail]
    "#;
    Config::parse(text, Path::new("config.toml")).expect("a configuration")
}

async fn ask(sources: Sources) -> Result<Resolved, Error> {
    resolve(&sources, &Http::new(false))
}

#[tokio::test]
async fn each_source_has_its_rank_and_brings_its_own_region_and_endpoint() {
    let home = home();
    let keys_and = |extra: &[(&'static str, &'static str)]| env(&[&KEYS[..], extra].concat());
    let table = [
        // Environment keys, region from the environment or from AWS's default profile.
        (
            keys_and(&[("AWS_REGION", "eu-west-3")]),
            None,
            "AKIAENVIRONMENT00000",
            "eu-west-3",
            None,
        ),
        (
            keys_and(&[("AWS_DEFAULT_REGION", "eu-west-2")]),
            None,
            "AKIAENVIRONMENT00000",
            "eu-west-2",
            None,
        ),
        (
            keys_and(&[]),
            None,
            "AKIAENVIRONMENT00000",
            "eu-west-1",
            None,
        ),
        // They win over the configured default, and lose to what is asked for.
        (
            keys_and(&[("AWS_REGION", "eu-west-3")]),
            choice("own", false),
            "AKIAENVIRONMENT00000",
            "eu-west-3",
            None,
        ),
        (
            keys_and(&[("AWS_REGION", "eu-west-3")]),
            choice("own", true),
            "AKIAOWN0000000000000",
            "ca-central-1",
            Some("https://own.example/"),
        ),
        (
            keys_and(&[("AWS_REGION", "eu-west-3")]),
            choice("backup", true),
            "AKIABACKUP0000000000",
            "eu-central-1",
            Some("https://lightsail.example/"),
        ),
        (
            env(&[]),
            choice("own", false),
            "AKIAOWN0000000000000",
            "ca-central-1",
            Some("https://own.example/"),
        ),
        (
            env(&[]),
            choice("points", true),
            "AKIAWHOLE00000000000",
            "us-west-2",
            Some("https://global.example/"),
        ),
        (
            env(&[("AWS_PROFILE", "whole")]),
            choice("own", false),
            "AKIAWHOLE00000000000",
            "us-west-2",
            Some("https://global.example/"),
        ),
        (env(&[]), None, "AKIADEFAULT000000000", "eu-west-1", None),
        // An endpoint in the environment overrides a profile's; the one for Lightsail comes first.
        (
            env(&[("AWS_ENDPOINT_URL", "https://a.example")]),
            choice("own", true),
            "AKIAOWN0000000000000",
            "ca-central-1",
            Some("https://a.example/"),
        ),
        (
            env(&[
                ("AWS_ENDPOINT_URL", "https://a.example"),
                ("AWS_ENDPOINT_URL_LIGHTSAIL", "b.example"),
            ]),
            None,
            "AKIADEFAULT000000000",
            "eu-west-1",
            Some("https://b.example/"),
        ),
        (
            env(&[
                ("AWS_ENDPOINT_URL", "https://a.example"),
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ]),
            choice("backup", true),
            "AKIABACKUP0000000000",
            "eu-central-1",
            None,
        ),
    ];
    for (index, (env, profile, account, region, endpoint)) in table.into_iter().enumerate() {
        let sources = Sources {
            env,
            home: Some(home.path().into()),
            profile,
            config: config(),
            ..Sources::default()
        };
        let found = ask(sources)
            .await
            .unwrap_or_else(|error| panic!("row {index}: {error:?}"));
        let usual = format!("https://lightsail.{region}.amazonaws.com/");
        assert_eq!(
            (&*found.account, &*found.region, found.endpoint.as_str()),
            (account, region, endpoint.unwrap_or(&usual)),
            "row {index}"
        );
        assert!(
            !format!("{found:?}").contains("-secret"),
            "row {index} shows a secret"
        );
    }
}

#[tokio::test]
async fn what_is_missing_or_impossible_is_named() {
    let home = home();
    let region = ("AWS_REGION", "eu-west-3");
    let no_home = false;
    for (env, profile, with_home, kind, words) in [
        (
            env(&[region]),
            None,
            no_home,
            Kind::Credentials,
            "no credentials for Lightsail",
        ),
        (
            env(&[region, KEYS[0]]),
            None,
            true,
            Kind::Credentials,
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            env(&[region, KEYS[1]]),
            None,
            true,
            Kind::Credentials,
            "not AWS_ACCESS_KEY_ID",
        ),
        (env(&KEYS), None, no_home, Kind::Usage, "No region"),
        (
            env(&KEYS),
            choice("nowhere", true),
            true,
            Kind::Credentials,
            "'nowhere'",
        ),
        (
            env(&[("AWS_PROFILE", "nowhere")]),
            None,
            true,
            Kind::Credentials,
            "'nowhere'",
        ),
        (
            env(&KEYS),
            choice("half", true),
            true,
            Kind::Credentials,
            "not aws_secret_access_key",
        ),
        (
            env(&KEYS),
            choice("empty", true),
            true,
            Kind::Credentials,
            "names no credentials",
        ),
        (
            env(&[KEYS[0], KEYS[1], ("AWS_REGION", "eu-west-3a")]),
            None,
            true,
            Kind::Usage,
            "availability zone",
        ),
        (
            env(&[KEYS[0], KEYS[1], ("AWS_REGION", "us-west-2-lax-1b")]),
            None,
            true,
            Kind::Usage,
            "availability zone",
        ),
        (
            env(&[KEYS[0], KEYS[1], ("AWS_REGION", "evil.example/")]),
            None,
            true,
            Kind::Usage,
            "no AWS region",
        ),
        (
            env(&[
                KEYS[0],
                KEYS[1],
                region,
                ("AWS_ENDPOINT_URL", "http://plain.example"),
            ]),
            None,
            true,
            Kind::Usage,
            "plain http",
        ),
    ] {
        let sources = Sources {
            env: env.clone(),
            home: with_home.then(|| home.path().into()),
            profile,
            config: config(),
            ..Sources::default()
        };
        let error = ask(sources).await.expect_err(words);
        assert_eq!(error.kind, kind, "{words}: {}", error.one_line());
        assert!(
            error.one_line().contains(words),
            "{words}: {}",
            error.one_line()
        );
    }
}

#[tokio::test]
async fn the_region_flag_wins_and_temporary_keys_keep_their_token() {
    let sources = Sources {
        env: env(&[
            KEYS[0],
            KEYS[1],
            ("AWS_SESSION_TOKEN", "a-token"),
            ("AWS_REGION", "eu-west-3"),
        ]),
        region: Some(("us-east-1".into(), Origin::Flag("--region"))),
        ..Sources::default()
    };
    let found = ask(sources).await.expect("resolved");
    assert_eq!(found.region, "us-east-1");
    use aws_credential_types::provider::ProvideCredentials;
    let keys = found
        .credentials
        .provide_credentials()
        .await
        .expect("static");
    assert_eq!(keys.session_token(), Some("a-token"));
}

#[tokio::test]
async fn a_broken_aws_configuration_is_reported_and_not_skipped() {
    let home = home();
    write(home.path(), "config", "[default\nregion = x\n");
    let sources = Sources {
        env: env(&[("AWS_REGION", "eu-west-3")]),
        home: Some(home.path().into()),
        ..Sources::default()
    };
    let error = ask(sources).await.expect_err("malformed");
    assert_eq!(error.kind, Kind::Credentials, "{}", error.one_line());
}

#[tokio::test]
async fn the_keys_of_an_aws_profile_are_read_from_the_files_that_were_resolved() {
    use aws_credential_types::provider::ProvideCredentials;
    let home = home();
    let sources = Sources {
        env: env(&[("AWS_PROFILE", "whole")]),
        home: Some(home.path().into()),
        ..Sources::default()
    };
    let found = ask(sources).await.expect("resolved");
    let keys = found
        .credentials
        .provide_credentials()
        .await
        .expect("in the file");
    assert_eq!(keys.access_key_id(), "AKIAWHOLE00000000000");
    assert_eq!(keys.secret_access_key(), "whole-secret");
}

#[tokio::test]
async fn a_credential_process_is_run_at_the_first_call_and_not_at_connect() {
    use aws_credential_types::provider::ProvideCredentials;
    let home = home();
    let ran = home.path().join("ran");
    let command = format!(
        "[profile process]\nregion = eu-west-3\ncredential_process = sh -c \"touch {}; \
         echo '{{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AKIAPROCESS000000000\\\",\\\"SecretAccessKey\\\":\\\"x\\\"}}'\"\n",
        ran.display()
    );
    write(home.path(), "config", &command);
    let sources = Sources {
        home: Some(home.path().into()),
        profile: choice("process", true),
        ..Sources::default()
    };
    let found = ask(sources).await.expect("resolved");
    assert_eq!(
        (found.account.as_str(), ran.exists()),
        ("profile process", false)
    );
    let keys = found
        .credentials
        .provide_credentials()
        .await
        .expect("printed");
    assert_eq!(
        (keys.access_key_id(), ran.exists()),
        ("AKIAPROCESS000000000", true)
    );
}

#[tokio::test]
async fn fips_and_dual_stack_have_the_addresses_of_awss_own_sdks() {
    let home = home();
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "True");
    let config = format!(
        "{CONFIG}[profile fips]\nregion = us-west-2\nuse_fips_endpoint = true\n{}",
        "aws_access_key_id = AKIAFIPS000000000000\naws_secret_access_key = s\n"
    );
    write(home.path(), "config", &config);
    // The tests of botocore's endpoint rules for Lightsail.
    for (variables, profile, region, expected) in [
        (
            vec![FIPS],
            None,
            "us-east-1",
            Ok("lightsail-fips.us-east-1.amazonaws.com"),
        ),
        (
            vec![DUAL],
            None,
            "us-east-1",
            Ok("lightsail.us-east-1.api.aws"),
        ),
        (
            vec![FIPS, DUAL],
            None,
            "us-east-1",
            Ok("lightsail-fips.us-east-1.api.aws"),
        ),
        (
            vec![FIPS],
            None,
            "us-gov-east-1",
            Ok("lightsail-fips.us-gov-east-1.amazonaws.com"),
        ),
        (
            vec![FIPS],
            None,
            "cn-north-1",
            Ok("lightsail-fips.cn-north-1.amazonaws.com.cn"),
        ),
        (
            vec![DUAL],
            None,
            "cn-north-1",
            Ok("lightsail.cn-north-1.api.amazonwebservices.com.cn"),
        ),
        (
            vec![],
            None,
            "cn-north-1",
            Ok("lightsail.cn-north-1.amazonaws.com.cn"),
        ),
        (
            vec![("AWS_USE_FIPS_ENDPOINT", "false")],
            None,
            "eu-west-3",
            Ok("lightsail.eu-west-3.amazonaws.com"),
        ),
        (
            vec![],
            choice("fips", true),
            "us-west-2",
            Ok("lightsail-fips.us-west-2.amazonaws.com"),
        ),
        (
            vec![("AWS_PROFILE", "fips")],
            None,
            "us-west-2",
            Ok("lightsail-fips.us-west-2.amazonaws.com"),
        ),
        // Keys of the environment are used with the rest of the profile.
        (
            vec![KEYS[0], KEYS[1], ("AWS_PROFILE", "fips")],
            None,
            "us-west-2",
            Ok("lightsail-fips.us-west-2.amazonaws.com"),
        ),
        // What is said last is nearest.
        (
            vec![("AWS_PROFILE", "fips"), ("AWS_USE_FIPS_ENDPOINT", "false")],
            None,
            "us-west-2",
            Ok("lightsail.us-west-2.amazonaws.com"),
        ),
        (
            vec![DUAL],
            None,
            "us-iso-east-1",
            Ok("lightsail.us-iso-east-1.api.aws.ic.gov"),
        ),
        (vec![], None, "fips-us-east-1", Err("not a region")),
        (
            vec![("AWS_USE_FIPS_ENDPOINT", "yes")],
            None,
            "us-east-1",
            Err("true or false"),
        ),
    ] {
        let shown = format!("{variables:?} {region}");
        let sources = Sources {
            env: env(&[&variables[..], &[("AWS_REGION", region)]].concat()),
            home: Some(home.path().into()),
            profile,
            ..Sources::default()
        };
        match (ask(sources).await, expected) {
            (Ok(found), Ok(host)) => {
                assert_eq!(found.endpoint.host_str(), Some(host), "{shown}");
                let shown = found.settings.iter().find(|s| s.name == "endpoint");
                assert_eq!(
                    shown.expect("an endpoint").value,
                    format!("https://{host}/")
                );
                let ec2 = found.ec2.expect("an address");
                let expected = host.replacen("lightsail", "ec2", 1);
                assert_eq!(ec2.host_str(), Some(expected.as_str()));
            }
            (Err(error), Err(words)) => {
                assert_eq!(error.kind, Kind::Usage, "{shown}");
                assert!(
                    error.one_line().contains(words),
                    "{shown}: {}",
                    error.one_line()
                );
            }
            (found, _) => panic!("{shown}: {found:?}"),
        }
    }
}
