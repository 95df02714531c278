//! Each way to credentials in its rank, and what is said of those that lead nowhere.

use super::*;
use crate::settings::Env;

/// The chain of profile `p`, whose files are these.
fn chain(config: &str, credentials: &str) -> Result<Chain> {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join(".aws")).expect("made");
    let write = |name: &str, text: &str| {
        std::fs::write(home.path().join(".aws").join(name), text).expect("written");
    };
    write("config", config);
    write("credentials", credentials);
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let sources = Sources {
        env: pairs.into_iter().collect::<Env>(),
        home: Some(home.path().into()),
        ..Sources::default()
    };
    let source = AwsSource::find(&sources, "p")?.expect("the files are there");
    Chain::of(&sources, &source)
}

const KEYS: &str = "aws_access_key_id = AKIAOWN\naws_secret_access_key = s\n";
const SSO: &str =
    "sso_start_url = https://x\nsso_region = eu-west-3\nsso_account_id = 1\nsso_role_name = ops\n";
const PROCESS: &str = "credential_process = tell\n";
const WEB: &str = "web_identity_token_file = /token\nrole_arn = arn:r\n";
const ROLE: &str = "role_arn = arn:r\nsource_profile = q\n[profile q]\n";

#[test]
fn the_order_is_that_of_the_aws_cli() {
    for (config, credentials, who) in [
        (
            [PROCESS, KEYS].concat(),
            "",
            "what credential_process prints",
        ),
        (PROCESS.to_owned(), KEYS, "AKIAOWN"),
        (
            [SSO, PROCESS].concat(),
            KEYS,
            "role ops by single sign-on (https://x)",
        ),
        (
            [WEB, SSO].concat(),
            KEYS,
            "role arn:r, assumed with a web identity",
        ),
        (
            [KEYS, SSO, PROCESS, ROLE, KEYS].concat(),
            "",
            "role arn:r, assumed with profile 'q'",
        ),
        (
            [KEYS, "role_arn = arn:r\nsource_profile = p\n"].concat(),
            "",
            "role arn:r, assumed with profile 'p'",
        ),
        (
            "credential_source = Ec2InstanceMetadata\n".to_owned(),
            "",
            "the role of this machine",
        ),
        (
            "credential_source = Environment\n".to_owned(),
            KEYS,
            "AKIAOWN",
        ),
        (
            "credential_source = Environment\n".to_owned(),
            "",
            "AKIAENV",
        ),
        (
            ["login_session = arn\n", PROCESS].concat(),
            "",
            "what credential_process prints",
        ),
        // Of a session alone AWS's tools make no credentials.
        (["sso_session = s\n", KEYS].concat(), "", "AKIAOWN"),
    ] {
        let config = format!("[profile p]\n{config}");
        let credentials = format!("[p]\n{credentials}");
        let chain = chain(&config, &credentials).unwrap_or_else(|e| panic!("{config}: {e:?}"));
        assert_eq!(chain.who(), who, "{config}| {credentials}");
    }
}

#[test]
fn a_profile_that_lends_its_keys_lends_no_role_of_its_own() {
    let with_keys = format!("[profile p]\n{ROLE}role_arn = arn:other\nsource_profile = z\n{KEYS}");
    let found = chain(&with_keys, "").expect("a chain");
    assert!(found.roles.len() == 1 && matches!(found.base, Base::Keys(_)));
    let without =
        format!("[profile p]\n{ROLE}role_arn = arn:other\nsource_profile = z\n[profile z]\n{KEYS}");
    let found = chain(&without, "").expect("a chain");
    let arns: Vec<&str> = found.roles.iter().map(|role| role.arn.as_str()).collect();
    assert_eq!(arns, ["arn:r", "arn:other"]);
}

#[test]
fn a_way_that_leads_nowhere_says_why() {
    for (config, words) in [
        (
            "role_arn = arn:r\n",
            "needs a source_profile or a credential_source",
        ),
        (
            "role_arn = arn:r\nsource_profile = q\ncredential_source = Environment\n",
            "keep one",
        ),
        (
            "role_arn = arn:r\nsource_profile = q\n",
            "source_profile 'q' does not exist",
        ),
        ("role_arn = arn:r\nsource_profile = q\n[q]\n", "[profile q]"),
        (
            "role_arn = arn:r\nsource_profile = q\n[profile q]\nrole_arn = arn:s\nsource_profile = p\n",
            "leads back: p → q → p",
        ),
        (
            "role_arn = arn:r\nsource_profile = q\n[profile q]\nhm\n",
            "line 5 of",
        ),
        ("credential_source = Moon\n", "credential_source Moon"),
        ("web_identity_token_file = /t\n", "needs a role_arn"),
        (
            "sso_session = s\nsso_account_id = 1\nsso_role_name = r\n",
            "[sso-session s]",
        ),
        (
            "sso_start_url = https://x\nsso_account_id = 1\n",
            "lacks sso_region",
        ),
        (
            "sso_session = s\nsso_account_id = 1\nsso_role_name = r\nsso_region = a\n[sso-session s]\nsso_region = b\nsso_start_url = https://x\n",
            "differ in sso_region",
        ),
        (
            "login_session = arn\n",
            "credential_process = aws configure export-credentials --profile p --format process",
        ),
        ("aws_access_key_id = A\n", "not aws_secret_access_key"),
        ("region = eu-west-3\n", "it names none"),
    ] {
        let error = chain(&format!("[profile p]\n{config}"), "")
            .err()
            .expect(words);
        let hints: Vec<String> = error
            .details
            .hints
            .iter()
            .map(ToString::to_string)
            .collect();
        let said = format!("{} {}", error.one_line(), hints.join(" "));
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(error.kind, Kind::Credentials, "{said}");
    }
}
