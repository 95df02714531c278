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

/// The body of the one login.
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
    assert_eq!(identity.requests().len(), 1);
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
    assert_eq!(identity.requests().len(), 1);
}
