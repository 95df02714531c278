//! Every way by which AWS's tools give credentials, each against the service that gives them.

use crate::canned::{Answer, Canned};
use crate::program::User;

const XML: &str = "<{call}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{call}Result><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2040-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser></{call}Result></{call}Response>";

/// Lightsail, STS, the portal of single sign-on, a container's agent and instance metadata, all in one.
pub(super) fn amazon() -> Canned {
    let sts = |call: &str, id: &str| {
        let body = XML.replace("{call}", call).replace("{id}", id);
        Answer::Reply(200, vec![("content-type", "text/xml".into())], body)
    };
    let keys = |id: &str| {
        Answer::json(
            200,
            &format!(
                r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t","Expiration":"2040-01-01T00:00:00Z"}}"#
            ),
        )
    };
    Canned::by(move |request| {
        let line = request.lines().next().unwrap_or_default();
        if request.contains("Lightsail_20161128") {
            Answer::json(200, "{}")
        } else if request.contains("Action=AssumeRoleWithWebIdentity") {
            sts("AssumeRoleWithWebIdentity", "ASIAWEB")
        } else if request.contains("Action=AssumeRole") {
            sts("AssumeRole", "ASIAROLE")
        } else if line.contains("/federation/credentials") {
            Answer::json(
                200,
                r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t","expiration":2208988800000}}"#,
            )
        } else if line.contains("/container") {
            keys("ASIACONTAINER")
        } else if line.contains("/latest/api/token") {
            let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned());
            Answer::Reply(200, vec![ttl], "imds-token".into())
        } else if line.ends_with("/security-credentials/ HTTP/1.1") {
            Answer::Reply(200, vec![], "machine".into())
        } else if line.contains("/security-credentials/machine") {
            keys("ASIAMACHINE")
        } else {
            Answer::json(404, "{}")
        }
    })
}

const CONFIG: &str = r#"[profile role]
region = eu-west-3
role_arn = arn:aws:iam::1:role/r
source_profile = base
[profile base]
region = eu-west-3
[profile web]
region = eu-west-3
role_arn = arn:aws:iam::1:role/r
web_identity_token_file = HOME/token
[profile process]
region = eu-west-3
credential_process = cat HOME/printed.json
[profile sso]
region = eu-west-3
sso_session = work
sso_account_id = 1
sso_role_name = ops
[sso-session work]
sso_region = eu-west-3
sso_start_url = https://sso.example/start
[profile old-sso]
region = eu-west-3
sso_region = eu-west-3
sso_start_url = https://sso.example/start
sso_account_id = 1
sso_role_name = ops
[profile machine]
region = eu-west-3
role_arn = arn:aws:iam::1:role/r
credential_source = Ec2InstanceMetadata
"#;
pub(super) const TOKEN: &str = r#"{"startUrl":"https://sso.example/start","region":"eu-west-3","accessToken":"sso-token","expiresAt":"2040-01-01T00:00:00Z"}"#;

fn user(amazon: &Canned) -> User {
    let user = User::new()
        .with("AWS_ENDPOINT_URL", &amazon.url())
        .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &amazon.url());
    let home = user.home.path();
    std::fs::create_dir_all(home.join(".aws/sso/cache")).expect("made");
    let write = |path: &str, text: &str| std::fs::write(home.join(path), text).expect("written");
    write(
        ".aws/config",
        &CONFIG.replace("HOME", &home.display().to_string()),
    );
    write(
        ".aws/credentials",
        "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n",
    );
    write("token", "web-token");
    write(
        "printed.json",
        r#"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"s"}"#,
    );
    // The names are the SHA-1 of the session's name, and of the start URL as before there were sessions.
    for name in [
        "e274eeff768c6396088ec6eb091f4bf4d47ab1e0",
        "98df91031e87f97bfc088c045be6442dc5d70b2a",
    ] {
        write(&format!(".aws/sso/cache/{name}.json"), TOKEN);
    }
    user
}

/// The access keys that Lightsail saw.
pub(super) fn signers(amazon: &Canned) -> Vec<String> {
    let mut seen: Vec<String> = amazon
        .requests()
        .iter()
        .filter(|request| request.contains("Lightsail_20161128"))
        .filter_map(|request| {
            let (_, rest) = request.split_once("Credential=")?;
            Some(rest.split('/').next()?.to_owned())
        })
        .collect();
    seen.dedup();
    seen
}

#[test]
fn every_kind_of_aws_profile_gives_its_credentials() {
    for (profile, signer, said) in [
        ("base", "AKIABASE", "AKIABASE"),
        (
            "role",
            "ASIAROLE",
            "role arn:aws:iam::1:role/r, assumed with profile 'base'",
        ),
        ("web", "ASIAWEB", "assumed with a web identity"),
        ("process", "AKIAPROCESS", "what credential_process prints"),
        ("sso", "ASIASSO", "role ops by single sign-on (work)"),
        (
            "old-sso",
            "ASIASSO",
            "by single sign-on (https://sso.example/start)",
        ),
        ("machine", "ASIAROLE", "assumed with Ec2InstanceMetadata"),
    ] {
        let amazon = amazon();
        let ran = user(&amazon).run(&["list", "lightsail", "--profile", profile, "-v"]);
        assert_eq!(ran.code, Some(0), "{profile}: {}", ran.all());
        assert_eq!(signers(&amazon), [signer], "{profile}");
        assert!(ran.stderr.contains(said), "{profile}: {}", ran.all());
        assert!(!ran.all().contains("sso-token") && !ran.all().contains("web-token"));
    }
}

#[test]
fn a_cluster_a_container_and_on_request_a_machine_give_their_role() {
    for (variables, signer) in [
        (
            vec![
                ("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token"),
                ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
            ],
            Some("ASIAWEB"),
        ),
        (
            vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AMAZON/container")],
            Some("ASIACONTAINER"),
        ),
        (
            vec![("AWS_EC2_METADATA_DISABLED", "false")],
            Some("ASIAMACHINE"),
        ),
        (vec![], None),
    ] {
        let amazon = amazon();
        let mut user = user(&amazon).with("AWS_REGION", "eu-west-3");
        let home = user.home.path().display().to_string();
        for (name, value) in &variables {
            let value = value
                .replace("HOME", &home)
                .replace("AMAZON", &amazon.url());
            user = user.with(name, &value);
        }
        let ran = user.run(&["list", "lightsail", "-v"]);
        assert_eq!(
            ran.code,
            Some(if signer.is_some() { 0 } else { 4 }),
            "{variables:?}: {}",
            ran.all()
        );
        assert_eq!(signers(&amazon), Vec::from_iter(signer), "{variables:?}");
        if signer.is_none() {
            assert!(amazon.requests().is_empty(), "nobody was asked unasked");
        }
    }
}

#[test]
fn keys_of_a_profile_in_both_files_come_from_one() {
    let pair = "aws_access_key_id = AKIALASTING\naws_secret_access_key = s\n";
    let temporary =
        "aws_access_key_id = ASIAPASSING\naws_secret_access_key = s\naws_session_token = tok-1\n";
    for (config, credentials, signer, has_token) in [
        (temporary, pair, Some("AKIALASTING"), false),
        (pair, temporary, Some("ASIAPASSING"), true),
        (temporary, "", Some("ASIAPASSING"), true),
        (
            pair,
            "aws_session_token = tok-1\n",
            Some("AKIALASTING"),
            false,
        ),
        (
            "aws_access_key_id = A\n",
            "aws_secret_access_key = s\n",
            None,
            false,
        ),
        (
            "aws_secret_access_key = s\n",
            "aws_access_key_id = A\n",
            None,
            false,
        ),
    ] {
        let amazon = amazon();
        let user = user(&amazon);
        let write = |name: &str, text: String| {
            std::fs::write(user.home.path().join(".aws").join(name), text).expect("written");
        };
        write(
            "config",
            format!("[profile m]\nregion = eu-west-3\n{config}"),
        );
        write("credentials", format!("[m]\n{credentials}"));
        let ran = user.run(&["list", "lightsail", "--profile", "m"]);
        assert_eq!(signers(&amazon), Vec::from_iter(signer), "{}", ran.all());
        let requests = amazon.requests().concat();
        assert_eq!(
            requests.contains("tok-1"),
            has_token,
            "{config}| {credentials}"
        );
        if signer.is_none() {
            assert_eq!(ran.code, Some(4), "{}", ran.all());
            assert!(ran.stderr.contains("but not aws_"), "{}", ran.all());
        }
    }
}
