//! `clouds.yaml` and the variables of other tools, by what reaches the identity service.

use serde_json::Value;

use crate::canned::{Answer, Canned};
use crate::program::{Ran, User};

const FILE: &str = "\
clouds:
  old:
    profile: rackspace
    region_name: IAD
    some_future_key: [1, 2]
    auth:
      auth_url: URL/v2.0
      username: ops
      api_key: k-old
      project_id: 981977
  flex:
    auth_type: v3password
    auth: {auth_url: URL/v3, username: fred, project_name: web, user_domain_name: rackspace_cloud_domain}
    regions: [{name: DFW3}]
  app:
    auth_type: v3applicationcredential
    auth: {auth_url: URL/v3, application_credential_id: app-id, application_credential_secret: app-secret}
    region_name: SJC3
  token:
    auth_type: v3token
    auth: {auth_url: URL/v3, token: bearer-1, project_id: p1}
    region_name: SJC3
  strange:
    auth_type: v3oidcpassword
    auth: {auth_url: URL/v3, username: u, password: p}
  nowhere:
    auth: {username: u, password: p}
";
const SECURE: &str = "clouds:\n  flex:\n    auth:\n      password: from-secure\n";

/// Refuses every login, once it has kept it.
fn identity() -> Canned {
    let body = r#"{"unauthorized":{"code":401,"message":"Unable to authenticate"}}"#;
    Canned::start(vec![Answer::json(401, body)])
}

fn user(identity: &Canned, folder: &str) -> User {
    let user = User::new();
    let folder = user.home.path().join(folder);
    std::fs::create_dir_all(&folder).expect("made");
    let text = FILE.replace("URL", &identity.url());
    std::fs::write(folder.join("clouds.yaml"), text).expect("written");
    std::fs::write(folder.join("secure.yaml"), SECURE).expect("written");
    user
}

fn list(user: &User, more: &[&str]) -> Ran {
    let args = [&["list", "rackspace", "-v"], more].concat();
    let output = user
        .command(&args)
        .current_dir(user.home.path())
        .output()
        .expect("it runs");
    Ran::from(output, &args)
}

/// Of a refused key: as an API key and as a password.
const LOGINS: usize = 2;

/// The body of the first login.
fn login(identity: &Canned) -> Value {
    let requests = identity.requests();
    let (_, body) = requests[0].split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn each_kind_of_cloud_logs_in_as_it_says() {
    for (cloud, pointers) in [
        (
            "old",
            vec![
                ("/auth/RAX-KSKEY:apiKeyCredentials/username", "ops"),
                ("/auth/RAX-KSKEY:apiKeyCredentials/apiKey", "k-old"),
                ("/auth/tenantId", "981977"),
            ],
        ),
        (
            "flex",
            vec![
                ("/auth/identity/password/user/name", "fred"),
                ("/auth/identity/password/user/password", "from-secure"),
                (
                    "/auth/identity/password/user/domain/name",
                    "rackspace_cloud_domain",
                ),
                ("/auth/scope/project/name", "web"),
            ],
        ),
        (
            "app",
            vec![
                ("/auth/identity/methods/0", "application_credential"),
                ("/auth/identity/application_credential/id", "app-id"),
                ("/auth/identity/application_credential/secret", "app-secret"),
            ],
        ),
        (
            "token",
            vec![
                ("/auth/identity/token/id", "bearer-1"),
                ("/auth/scope/project/id", "p1"),
            ],
        ),
    ] {
        for (folder, by_flag) in [
            (".config/openstack", true),
            (".config/openstack", false),
            (".", true),
        ] {
            let identity = identity();
            let user = user(&identity, folder);
            let ran = if by_flag {
                list(&user, &["--profile", cloud])
            } else {
                list(&user.with("OS_CLOUD", cloud), &[])
            };
            assert_eq!(ran.code, Some(4), "{cloud}: {}", ran.all());
            let body = login(&identity);
            for (pointer, value) in &pointers {
                let found = body.pointer(pointer).and_then(Value::as_str);
                assert_eq!(found, Some(*value), "{cloud} {pointer}");
            }
            assert!(
                ran.stderr.contains(&format!("cloud '{cloud}' of ")),
                "{}",
                ran.all()
            );
            for secret in ["k-old", "from-secure", "app-secret", "bearer-1"] {
                assert!(!ran.all().contains(secret), "{}", ran.all());
            }
        }
    }
}

#[test]
fn a_cloud_that_cannot_be_used_says_why_and_nothing_is_sent() {
    for (cloud, said) in [
        ("strange", "v3oidcpassword"),
        ("nowhere", "names no auth_url"),
        ("missing", "no cloud of that name"),
    ] {
        let identity = identity();
        let user = user(&identity, ".config/openstack");
        let ran = list(&user, &["--profile", cloud]);
        assert_eq!(ran.code, Some(4), "{cloud}: {}", ran.all());
        assert!(ran.stderr.contains(said), "{cloud}: {}", ran.all());
        assert!(identity.requests().is_empty(), "{cloud}");
    }
    let identity = identity();
    let ran = list(&user(&identity, ".").with("OS_CLOUD", "lost"), &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(
        ran.stderr
            .contains("'lost' for Rackspace, which OS_CLOUD names"),
        "{}",
        ran.all()
    );
    let login = [("RAX_USERNAME", "r"), ("RAX_API_KEY", "k")];
    let other = login.into_iter().fold(
        user(&identity, ".")
            .with("OS_CLOUD", "old")
            .with("OS_AUTH_URL", &identity.url()),
        |user, (name, value)| user.with(name, value),
    );
    let ran = list(&other, &[]);
    assert!(ran.stderr.contains("OS_CLOUD is not used"), "{}", ran.all());
}

#[test]
fn without_a_name_only_the_one_cloud_that_is_rackspaces_is_used() {
    let identity = identity();
    let user = user(&identity, ".config/openstack");
    let ran = list(&user, &[]);
    assert!(ran.stderr.contains("cloud 'old' of "), "{}", ran.all());
    let path = user.home.path().join(".config/openstack/clouds.yaml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, text.replace("    profile: rackspace\n", "")).expect("written");
    let ran = list(&user, &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(
        ran.stderr.contains("No cloud is chosen for Rackspace"),
        "{}",
        ran.all()
    );
    assert!(ran.stderr.contains("OS_CLOUD=old"), "{}", ran.all());
    assert_eq!(identity.requests().len(), LOGINS);
}

#[test]
fn a_malformed_file_names_the_line_and_quotes_nothing() {
    let user = User::new()
        .with("OS_CLIENT_CONFIG_FILE", "broken.yaml")
        .with("OS_CLOUD", "a");
    let text = "clouds:\n  a:\n    auth: {password: hunter2\n  b: [\n";
    std::fs::write(user.home.path().join("broken.yaml"), text).expect("written");
    let ran = list(&user, &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("broken.yaml"), "{}", ran.all());
    assert!(ran.stderr.contains("in line "), "{}", ran.all());
    assert!(!ran.all().contains("hunter2"), "{}", ran.all());
}

#[test]
fn other_tools_variables_are_understood_and_never_mixed() {
    for (variables, user_name, said) in [
        (
            vec![
                ("RS_USERNAME", "r"),
                ("RS_API_KEY", "k"),
                ("RS_REGION_NAME", "ord"),
            ],
            "r",
            "region: ORD from RS_REGION_NAME",
        ),
        (
            vec![
                ("CF_USERNAME", "c"),
                ("CF_API_KEY", "k"),
                ("CF_REGION", "syd"),
            ],
            "c",
            "region: SYD from CF_REGION",
        ),
        (
            vec![
                ("RAX_USERNAME", "x"),
                ("RAX_API_KEY", "k"),
                ("CLOUD_REGION", "hkg"),
            ],
            "x",
            "region: HKG from CLOUD_REGION",
        ),
        (
            vec![
                ("OS_USERNAME", "o"),
                ("OS_PASSWORD", "k"),
                ("OS_AUTH_SYSTEM", "rackspace"),
            ],
            "o",
            "credentials: o from OS_USERNAME and OS_PASSWORD",
        ),
    ] {
        let identity = identity();
        let mut user = User::new().with("OS_AUTH_URL", &identity.url());
        for (name, value) in variables {
            user = user.with(name, value);
        }
        let ran = list(&user, &[]);
        assert!(ran.stderr.contains(said), "{}", ran.all());
        let body = login(&identity);
        let name = body.pointer("/auth/RAX-KSKEY:apiKeyCredentials/username");
        assert_eq!(name.and_then(Value::as_str), Some(user_name));
    }
    let ran = list(
        &User::new().with("RS_USERNAME", "r").with("CF_API_KEY", "k"),
        &[],
    );
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("RS_API_KEY is not"), "{}", ran.all());
}

#[test]
fn pyraxs_own_settings_give_the_region_of_its_file() {
    let identity = identity();
    let user = User::new().with("OS_AUTH_URL", &identity.url());
    let home = user.home.path();
    std::fs::write(
        home.join("creds"),
        "[rackspace_cloud]\nusername = p\napi_key = k\n",
    )
    .expect("written");
    std::fs::write(
        home.join(".pyrax.cfg"),
        "[settings]\nidentity_type = rackspace\nregion = LON\n",
    )
    .expect("written");
    let path = home.join("creds").display().to_string();
    let ran = list(&user.with("RAX_CREDS_FILE", &path), &[]);
    assert!(ran.stderr.contains("region: LON from "), "{}", ran.all());
    assert_eq!(identity.requests().len(), LOGINS);
}

/// The cloud `mine` of a file with this text, in this folder of the home.
fn with_clouds(identity: &Canned, files: &[(&str, &str)]) -> User {
    let user = User::new();
    for (path, text) in files {
        let path = user.home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text.replace("URL", &identity.url())).expect("written");
    }
    user
}

const USUAL: &str = ".config/openstack/clouds.yaml";

/// What reaches the identity service of the cloud `mine`, user and secret.
fn sent(files: &[(&str, &str)], variables: &[(&str, &str)]) -> (Value, Ran) {
    let identity = identity();
    let mut user = with_clouds(&identity, files).with("OS_CLOUD", "mine");
    for (name, value) in variables {
        user = user.with(name, value);
    }
    let ran = list(&user, &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(!identity.requests().is_empty(), "{}", ran.all());
    (login(&identity), ran)
}

#[test]
fn a_scalar_without_quotes_is_sent_as_the_text_that_stands_there() {
    for text in [
        "0123456789",
        "00000000000000000000000000000000",
        "12345678901234567890123456789012",
        "0008",
        "5e12",
        "5e12ab",
        "0x1F",
        "1_000",
        "1.0",
        "true",
        ".inf",
        "2026-01-02",
    ] {
        let file = format!(
            "clouds:\n  mine:\n    identity_api_version: 2.0\n    auth: {{auth_url: URL/v2.0, username: me, password: {text}, tenant_id: {text}}}\n"
        );
        let (body, _) = sent(&[(USUAL, &file)], &[]);
        let word = body.pointer("/auth/passwordCredentials/password");
        assert_eq!(word.and_then(Value::as_str), Some(text));
        assert_eq!(
            body.pointer("/auth/tenantId").and_then(Value::as_str),
            Some(text)
        );
    }
}

#[test]
fn what_is_odd_elsewhere_blocks_nothing_and_of_two_keys_the_last_one_counts() {
    let file = "clouds:\n  other:\n    weight: .nan\n    when: !strange {a: [1, ~]}\n    ? [a, b]\n    : c\n  mine:\n    auth: {auth_url: URL/v2.0, username: me, password: first, password: last}\n    region_name: DFW\n";
    let (body, ran) = sent(&[(USUAL, file)], &[]);
    let word = body.pointer("/auth/passwordCredentials/password");
    assert_eq!(word.and_then(Value::as_str), Some("last"));
    let said = ran
        .stderr
        .matches("has password twice, again in line 8")
        .count();
    assert_eq!(said, 1, "{}", ran.all());
    assert!(!ran.all().contains("first"), "{}", ran.all());
}

#[test]
fn a_cloud_is_read_as_openstacksdk_reads_it() {
    const AUTH: &str =
        "    auth: {auth_url: URL/v3, username: me, password: secret, project_name: one}\n";
    let mine = |more: &str| format!("clouds:\n  mine:\n{more}");
    let name = "/auth/identity/password/user/name";
    let word = "/auth/identity/password/user/password";
    let domain = "/auth/identity/password/user/domain/name";
    let project = "/auth/scope/project/name";
    for (more, secure, vendors, pointers, region) in [
        // Regions: the first of a text, of a list, of what holds one, with what it has of its own.
        (format!("{AUTH}    region_name: \"SJC3,DFW3\"\n"), "", "", vec![(word, "secret")], "SJC3"),
        (format!("{AUTH}    region_name: [DFW3, SJC3]\n"), "", "", vec![(word, "secret")], "DFW3"),
        (
            format!("{AUTH}    regions:\n      - name: IAD3\n        values: {{auth: {{project_name: two}}}}\n      - DFW3\n"),
            "", "", vec![(project, "two")], "IAD3",
        ),
        // Beside `auth`, with hyphens, and the domain for both.
        (
            "    auth: {auth_url: URL/v3, password: secret}\n    username: me\n    project-name: one\n    domain_name: mine\n    region_name: DFW3\n".to_owned(),
            "", "", vec![(name, "me"), (domain, "mine"), (project, "one"), ("/auth/scope/project/domain/name", "mine")], "DFW3",
        ),
        // A profile of clouds-public.yaml, by the new word and the old one.
        (
            "    profile: vendor\n    auth: {username: me, password: secret, project_name: one}\n".to_owned(),
            "", "public-clouds:\n  vendor:\n    region_name: SYD3\n    auth: {auth_url: URL/v3, user_domain_name: theirs}\n",
            vec![(domain, "theirs"), (name, "me")], "SYD3",
        ),
        (
            "    cloud: vendor\n    auth: {username: me, password: secret, project_name: one}\n    region_name: DFW3\n".to_owned(),
            "", "public-clouds:\n  vendor:\n    region_name: SYD3\n    auth: {auth_url: URL/v3}\n",
            vec![(name, "me")], "DFW3",
        ),
        // The secret in a file of its own.
        (
            "    auth: {auth_url: URL/v3, username: me, project_name: one}\n    region_name: DFW3\n".to_owned(),
            "clouds:\n  mine:\n    auth: {password: 0042}\n", "", vec![(word, "0042")], "DFW3",
        ),
    ] {
        for (folder, other) in [
            (".config/openstack", ".config/openstack"),
            (".", ".config/openstack"),
            ("xdg/openstack", ".config/openstack"),
            (".config/openstack", "xdg/openstack"),
        ] {
            for end in ["yaml", "yml", "json"] {
                let clouds = format!("{folder}/clouds.{end}");
                let secure_file = format!("{other}/secure.{end}");
                let vendor_file = format!("{other}/clouds-public.{end}");
                let text = mine(&more);
                let mut files = vec![(clouds.as_str(), text.as_str())];
                if !secure.is_empty() {
                    files.push((&secure_file, secure));
                }
                if !vendors.is_empty() {
                    files.push((&vendor_file, vendors));
                }
                let xdg = [("XDG_CONFIG_HOME", "~/xdg")];
                let variables: &[_] = if folder.contains("xdg") || other.contains("xdg") { &xdg } else { &[] };
                let (body, ran) = sent(&files, variables);
                for (pointer, value) in &pointers {
                    let found = body.pointer(pointer).and_then(Value::as_str);
                    assert_eq!(found, Some(*value), "{clouds}: {pointer} of {body}\n{text}");
                }
                assert!(ran.stderr.contains(&format!("region: {region} from ")), "{}", ran.all());
            }
        }
    }
}

#[test]
fn the_region_may_stand_in_the_address_of_a_cloud() {
    let identity = identity();
    let file = "clouds:\n  mine:\n    auth: {auth_url: 'URL/{region_name}/v3', username: me, password: p, project_name: one}\n    region_name: DFW3\n";
    let user = with_clouds(&identity, &[(USUAL, file)]).with("OS_CLOUD", "mine");
    let ran = list(&user, &[]);
    assert!(
        identity.requests()[0].starts_with("POST /DFW3/v3/auth/tokens "),
        "{}",
        ran.all()
    );
    let ran = list(&user, &["--region", "SJC3"]);
    assert!(
        identity.requests()[1].starts_with("POST /SJC3/v3/auth/tokens "),
        "{}",
        ran.all()
    );
}

#[test]
fn the_environment_may_hold_only_the_password_of_a_cloud_and_the_domain_of_a_user() {
    let file = "clouds:\n  mine:\n    auth: {auth_url: URL/v3, username: me, project_name: one}\n    region_name: DFW3\n";
    let (body, _) = sent(&[(USUAL, file)], &[("OS_PASSWORD", "from-outside")]);
    let word = body.pointer("/auth/identity/password/user/password");
    assert_eq!(word.and_then(Value::as_str), Some("from-outside"));
    let identity = identity();
    let mut user = User::new().with("OS_AUTH_URL", &format!("{}/v3", identity.url()));
    for (name, value) in [
        ("OS_USERNAME", "me"),
        ("OS_PASSWORD", "p"),
        ("OS_PROJECT_NAME", "one"),
        ("OS_DOMAIN_NAME", "mine"),
    ] {
        user = user.with(name, value);
    }
    list(&user, &[]);
    let body = login(&identity);
    for pointer in [
        "/auth/identity/password/user/domain/name",
        "/auth/scope/project/domain/name",
    ] {
        assert_eq!(body.pointer(pointer).and_then(Value::as_str), Some("mine"));
    }
}

#[test]
fn a_cloud_or_profile_that_is_named_wins_over_a_leftover_file() {
    let leftover = "[rackspace_cloud]\nusername = left\napi_key = over\n";
    let file = "clouds:\n  mine:\n    profile: rackspace\n    auth: {auth_url: URL/v2.0, username: me, api_key: k}\n    region_name: DFW\n";
    let identity = identity();
    let user = with_clouds(
        &identity,
        &[(USUAL, file), (".rackspace_cloud_credentials", leftover)],
    );
    for ran in [
        list(&user, &["--profile", "mine"]),
        list(&user.with("OS_CLOUD", "mine"), &[]),
    ] {
        assert!(
            ran.stderr.contains("credentials: me from cloud 'mine' of "),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn a_secret_in_the_wrong_form_is_tried_in_the_other_once() {
    let refused = r#"{"unauthorized":{"code":401,"message":"Unable to authenticate"}}"#;
    for (place, first, second) in [
        (
            "api_key",
            "RAX-KSKEY:apiKeyCredentials",
            "passwordCredentials",
        ),
        (
            "password",
            "passwordCredentials",
            "RAX-KSKEY:apiKeyCredentials",
        ),
    ] {
        let identity = Canned::start(vec![Answer::json(401, refused)]);
        let file = format!(
            "clouds:\n  mine:\n    profile: rackspace\n    auth: {{auth_url: URL/v2.0, username: me, {place}: s3cret-x}}\n    region_name: DFW\n"
        );
        let user = with_clouds(&identity, &[(USUAL, &file)]).with("OS_CLOUD", "mine");
        let ran = list(&user, &[]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        let requests = identity.requests();
        assert_eq!(requests.len(), 2, "{requests:?}");
        assert!(
            requests[0].contains(first) && requests[1].contains(second),
            "{requests:?}"
        );
        assert!(
            ran.stderr.contains("an API key") && ran.stderr.contains("a password"),
            "{}",
            ran.all()
        );
        assert!(!ran.all().contains("s3cret-x"), "{}", ran.all());
    }
    // What has nothing to do with the form is not sent again, and Keystone v3 knows one form alone.
    let disabled = r#"{"userDisabled":{"code":403,"message":"User 'me' is disabled"}}"#;
    for (version, answer) in [
        ("v2.0", Answer::json(403, disabled)),
        ("v3", Answer::json(401, refused)),
    ] {
        let identity = Canned::start(vec![answer]);
        let file = format!(
            "clouds:\n  mine:\n    auth: {{auth_url: URL/{version}, username: me, password: p, project_name: one}}\n    region_name: DFW\n"
        );
        let user = with_clouds(&identity, &[(USUAL, &file)]).with("OS_CLOUD", "mine");
        list(&user, &[]);
        assert_eq!(identity.requests().len(), 1, "{version}");
    }
}

#[test]
fn a_login_that_named_no_project_is_told_so() {
    let token = r#"{"token":{"user":{"name":"me"},"methods":["password"]}}"#;
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-subject-token", "t".to_owned()),
    ];
    let identity = Canned::start(vec![Answer::Reply(201, headers, token.to_owned())]);
    let file = "clouds:\n  mine:\n    auth: {auth_url: URL/v3, username: me, password: p}\n    region_name: DFW3\n";
    let user = with_clouds(&identity, &[(USUAL, file)]).with("OS_CLOUD", "mine");
    let ran = list(&user, &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("named no project"), "{}", ran.all());
    assert!(ran.stderr.contains("OS_PROJECT_NAME"), "{}", ran.all());
}

#[test]
fn the_settings_of_rack_are_read() {
    let file = "username = mine\napi-key = k\nregion = ORD\nauth-url = URL/v2.0\n\n[other]\nusername = another\napi-key: 0008\nauth-url = URL/v2.0\nregion = SYD\n";
    for (more, user_name, key, region) in [
        (&[][..], "mine", "k", "ORD"),
        (&["--profile", "other"], "another", "0008", "SYD"),
    ] {
        let identity = identity();
        let user = with_clouds(&identity, &[(".rack/config", file)]);
        let ran = list(&user, more);
        let body = login(&identity);
        let of = |key| body.pointer(&format!("/auth/RAX-KSKEY:apiKeyCredentials/{key}"));
        assert_eq!(of("username").and_then(Value::as_str), Some(user_name));
        assert_eq!(of("apiKey").and_then(Value::as_str), Some(key));
        assert!(
            ran.stderr.contains(&format!("region: {region} from ")),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn the_region_of_a_cloud_is_the_one_that_openstacksdk_or_its_client_takes() {
    const AUTH: &str = "    auth: {auth_url: URL/v2.0, username: me, api_key: k}\n";
    for (more, variable, region) in [
        (
            "    regions: [ORD, IAD]\n    region_name: DFW\n",
            None,
            "ORD",
        ),
        ("    profile: rackspace\n", None, "DFW"),
        ("    cloud: rackspace\n", None, "DFW"),
        (
            "    profile: rackspace\n    region-name: SYD\n",
            None,
            "SYD",
        ),
        ("    profile: rackspace\n", Some("lon"), "LON"),
        ("    regions: [ORD, IAD]\n", Some("iad"), "IAD"),
        ("    regions: [ORD, IAD]\n", Some("SYD"), "ORD"),
        ("    region_name: 'ORD, IAD'\n", None, "ORD"),
    ] {
        let file = format!("clouds:\n  mine:\n{AUTH}{more}");
        let variable = variable.map(|value| ("OS_REGION_NAME", value));
        let (_, ran) = sent(&[(USUAL, &file)], variable.as_slice());
        let said = format!("region: {region} from ");
        assert!(ran.stderr.contains(&said), "{more}: {}", ran.all());
    }
}

#[test]
fn the_keys_of_a_cloud_may_stand_in_all_its_addresses() {
    let identity = identity();
    let file = "clouds:\n  mine:\n    auth: {auth_url: 'URL/{site}/v3', user-name: me, password: p, project_name: one}\n    site: north\n    auth_plugin: v3password\n    region_name: DFW3\n    image_endpoint_override: https://{region_name}.example/v2\n";
    let user = with_clouds(&identity, &[(USUAL, file)]).with("OS_CLOUD", "mine");
    let ran = list(&user, &[]);
    let sent = &identity.requests()[0];
    assert!(sent.starts_with("POST /north/v3/auth/tokens "), "{sent}");
    assert!(
        ran.stderr
            .contains("endpoint: https://dfw3.example/v2 from "),
        "{}",
        ran.all()
    );
}

#[test]
fn further_places_of_the_files_are_known() {
    let cloud = "clouds:\n  mine:\n    profile: vendor\n    auth: {username: me, api_key: k}\n";
    let vendors =
        "public-clouds:\n  vendor:\n    region_name: SYD\n    auth: {auth_url: URL/v2.0}\n";
    for (folder, file, variable, value) in [
        (
            "one/openstack",
            "one/openstack/clouds-public.yaml",
            "XDG_CONFIG_DIRS",
            "HOME/none:HOME/one",
        ),
        (
            ".config/openstack",
            "mine.yaml",
            "OS_CLIENT_VENDOR_FILE",
            "~/mine.yaml",
        ),
    ] {
        let identity = identity();
        let clouds = format!("{folder}/clouds.yaml");
        let user = with_clouds(&identity, &[(&clouds, cloud), (file, vendors)]);
        let value = value.replace("HOME", &user.home.path().display().to_string());
        let ran = list(&user.with("OS_CLOUD", "mine").with(variable, &value), &[]);
        assert!(ran.stderr.contains("region: SYD from "), "{}", ran.all());
        assert_eq!(identity.requests().len(), LOGINS, "{}", ran.all());
    }
}

#[test]
fn what_is_merged_is_no_key_that_stands_twice_and_a_broken_file_of_profiles_is_a_warning() {
    let file = "all: &all {region_name: DFW, profile: rackspace}\nclouds:\n  mine:\n    <<: *all\n    region_name: ORD\n    auth: {auth_url: URL/v2.0, username: me, api_key: k}\n";
    let public = ".config/openstack/clouds-public.yaml";
    let (_, ran) = sent(&[(USUAL, file), (public, "public-clouds: [")], &[]);
    assert!(!ran.stderr.contains("twice"), "{}", ran.all());
    assert!(ran.stderr.contains("region: ORD from "), "{}", ran.all());
    assert!(ran.stderr.contains("clouds-public.yaml"), "{}", ran.all());
}

#[test]
fn the_default_section_of_rack_counts_without_a_name_and_gets_its_region_from_its_variable() {
    let file = "[DEFAULT]\nusername = mine\napi-key = k\nauth-url = URL/v2.0\n";
    let identity = identity();
    let user = with_clouds(&identity, &[(".rack/config", file)]).with("RS_REGION_NAME", "ORD");
    let ran = list(&user, &[]);
    let said = ["credentials: mine from ", "region: ORD from RS_REGION_NAME"];
    assert!(
        said.iter().all(|one| ran.stderr.contains(one)),
        "{}",
        ran.all()
    );
}
