//! Rackspace's credentials in several places: none is taken for another, and `doctor` says truthfully which are used.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::canned::{Answer, Canned};
use crate::program::{Clouds, Ran, User};

const PROFILE: &str = "[profile.work.rackspace]\nusername = \"ops\"\napi_key = \"k\"\n";

/// Refuses every login.
fn identity() -> Canned {
    let body = r#"{"unauthorized":{"code":401,"message":"Unable to authenticate"}}"#;
    Canned::start(vec![Answer::json(401, body)])
}

fn put(user: &User, path: &str, text: &str) {
    let path = user.home.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, text).expect("written");
    set_mode(&path, 0o644);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("changed");
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

/// A cloud of `clouds.yaml` with these lines below `auth`.
fn cloud(identity: &Canned, secret: &str) -> String {
    let url = identity.url();
    format!(
        "clouds:\n  rax:\n    profile: rackspace\n    auth:\n      auth_url: {url}/v2.0\n      username: inyaml\n{secret}"
    )
}

const KEY: &str = "      api_key: k3y\n";

fn run(user: &User, args: &[&str]) -> Ran {
    let output = user
        .command(args)
        .current_dir(user.home.path())
        .output()
        .expect("it runs");
    Ran::from(output, args)
}

/// What `doctor` says in a check: the result and the message.
fn check(user: &User, args: &[&str], name: &str) -> String {
    let args = [&["doctor", "rackspace", "-o", "json"], args].concat();
    let ran = run(user, &args);
    let sheets = ran.json();
    let all = sheets
        .iter()
        .filter(|sheet| sheet["provider"] == "rackspace")
        .flat_map(|sheet| sheet["checks"].as_array().expect("checks"));
    let text = |check: &Value, member: &str| check[member].as_str().unwrap_or("").to_owned();
    all.filter(|check| check["name"] == name)
        .map(|check| format!("{}: {}", text(check, "result"), text(check, "message")))
        .next()
        .unwrap_or_else(|| panic!("no check {name}: {}", ran.all()))
}

#[test]
fn a_wrong_key_is_refused_while_the_token_of_the_right_one_is_kept() {
    let clouds = Clouds::start(Duration::from_secs(1));
    let user = User::of(&clouds);
    let first = check(&user, &[], "accepted");
    assert_eq!(first, "ok: the token is one of the account 981977");
    let again = check(&user, &[], "accepted");
    assert_eq!(
        again,
        "ok: a kept token of the account 981977 is accepted; no login was tried"
    );
    let wrong = user.with("RAX_API_KEY", "wrong");
    for args in [["doctor", "rackspace"], ["list", "rackspace"]] {
        let ran = wrong.run(&args);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
    }
    let told = check(&wrong, &[], "accepted");
    assert!(told.starts_with("problem: "), "{told}");
}

#[test]
fn where_a_profiles_key_goes_is_said_if_a_variable_decides_it() {
    let identity = identity();
    let user = User::new().with("OS_AUTH_URL", &identity.url());
    put(&user, "config/config.toml", PROFILE);
    let ran = run(&user, &["list", "rackspace", "--profile", "work"]);
    let said = "the credentials from [profile.work.rackspace] are sent where OS_AUTH_URL says";
    assert!(ran.stderr.contains(said), "{}", ran.all());
    let other = User::new()
        .with("OS_AUTH_URL", "https://keystone.private.example/v3")
        .with("OS_USERNAME", "fred")
        .with("OS_PASSWORD", "p")
        // Nothing leaves this machine: Rackspace's own address would be asked.
        .with("HTTPS_PROXY", "http://127.0.0.1:1");
    put(&other, "config/config.toml", PROFILE);
    let ran = run(&other, &["doctor", "rackspace", "--profile", "work"]);
    for said in [
        "OS_AUTH_URL and the other OS_ variables are not used: with OS_USERNAME they are another cloud's",
        "https://identity.api.rackspacecloud.com/v2.0",
    ] {
        assert!(ran.all().contains(said), "{}", ran.all());
    }
}

#[test]
fn a_region_in_the_environment_counts_for_a_cloud_that_names_none() {
    let identity = identity();
    let user = User::new()
        .with("OS_CLOUD", "rax")
        .with("OS_REGION_NAME", "IAD");
    put(&user, "clouds.yaml", &cloud(&identity, KEY));
    let ran = run(&user, &["list", "rackspace", "-v"]);
    let said = "region: IAD from OS_REGION_NAME";
    assert!(ran.stderr.contains(said), "{}", ran.all());
}

#[cfg(unix)]
#[test]
fn doctor_looks_at_the_clouds_yaml_that_is_used_wherever_it_is() {
    let identity = identity();
    let secure = "clouds:\n  rax:\n    auth:\n      application_credential_secret: s\n";
    for (path, name, value, secret) in [
        ("mine.yaml", "OS_CLIENT_CONFIG_FILE", "mine.yaml", KEY),
        ("xdg/openstack/clouds.yaml", "XDG_CONFIG_HOME", "xdg", KEY),
        ("clouds.yaml", "OS_CLOUD", "rax", "      token: t0ken\n"),
        ("secure.yaml", "OS_CLOUD", "rax", ""),
    ] {
        let user = User::new();
        let value = match value {
            "xdg" => user.home.path().join(value).display().to_string(),
            _ => value.to_owned(),
        };
        let user = user.with(name, &value);
        if path == "secure.yaml" {
            put(&user, "clouds.yaml", &cloud(&identity, ""));
            put(&user, path, secure);
        } else {
            put(&user, path, &cloud(&identity, secret));
        }
        let said = check(&user, &[], "files");
        assert!(said.starts_with("warning: others may read "), "{said}");
        assert!(said.ends_with(path), "{said}");
        for path in [path, "clouds.yaml"] {
            let path = user.home.path().join(path);
            if path.exists() {
                set_mode(&path, 0o600);
            }
        }
        let said = check(&user, &[], "files");
        assert!(said.starts_with("ok: only you can read "), "{said}");
    }
}

#[test]
fn doctor_names_the_cloud_that_is_used_first() {
    let identity = identity();
    let user = User::new()
        .with("RAX_USERNAME", "other")
        .with("RAX_API_KEY", "k");
    put(&user, "clouds.yaml", &cloud(&identity, KEY));
    let said = check(&user, &["--profile", "rax"], "sources");
    assert!(said.starts_with("warning: cloud 'rax' of "), "{said}");
    let rest = "(inyaml) is used; RAX_USERNAME (other) would lead elsewhere";
    assert!(said.ends_with(rest), "{said}");
    let user = User::new()
        .with("OS_CLOUD", "rax")
        .with("OS_AUTH_URL", &identity.url());
    put(&user, "clouds.yaml", &cloud(&identity, KEY));
    let file = "[rackspace_cloud]\nusername = infile\napi_key = k\n";
    put(&user, ".rackspace_cloud_credentials", file);
    let said = check(&user, &[], "sources");
    let used = said.starts_with("warning: cloud 'rax' of ");
    let rival = said.contains("(inyaml) is used; ") && said.contains("(infile)");
    assert!(used && rival, "{said}");
    let user = User::new();
    put(&user, "clouds.yaml", &cloud(&identity, KEY));
    let said = check(&user, &[], "sources");
    assert!(said.starts_with("ok: cloud 'rax' of "), "{said}");
}
