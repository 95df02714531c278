//! Each cloud has one table of places: what connects, `doctor`, the Tab key and the sandbox know the same of them.

use snapexport::provider;

use crate::program::{User, program};

fn put(user: &User, path: &str, text: &str) {
    let path = user.home.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// What the Tab key offers after these words.
fn offered(user: &User, words: &[&str]) -> Vec<String> {
    let args = [&["--", "snapexport"], words].concat();
    let mut command = user.command(&args);
    command.current_dir(user.home.path());
    let output = command.env("_SNAPEXPORT_COMPLETE", "fish").output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("text");
    let words = text.lines().filter_map(|line| line.split('\t').next());
    words.map(str::to_owned).collect()
}

/// A check of `doctor`: its result, message and hint. `None` where it is not made.
fn checked(user: &User, cloud: &str, name: &str) -> Option<[String; 3]> {
    let ran = user.run(&["doctor", cloud, "-o", "json"]);
    let sheets = ran.json();
    let mut checks = sheets[0]["checks"].as_array().expect("checks").iter();
    let check = checks.find(|check| check["name"] == name)?;
    let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
    Some(["result", "message", "hint"].map(text))
}

#[test]
fn no_real_setting_of_any_cloud_comes_into_the_sandbox() {
    let of_clouds = provider::clouds().flat_map(|entry| entry.variables);
    let user = of_clouds.fold(User::new(), |user, name| {
        user.with(name, "/nonexistent.pem")
    });
    let lists = provider::clouds().map(|entry| {
        let program = program().display();
        format!("{program} list {} -o id", entry.id.0)
    });
    let script = lists.collect::<Vec<_>>().join(" && ");
    let ran = user.run(&["sandbox", "--", "sh", "-c", &script]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    for id in ["snap-0a1b2c3d", "web-1"] {
        assert!(ran.stdout.contains(id), "{}", ran.all());
    }
}

#[test]
fn every_clouds_yaml_that_a_login_finds_is_known_to_the_tab_key() {
    let clouds = "clouds:\n  rax: {profile: rackspace, auth: {username: u, api_key: k}}\n";
    for path in [
        "clouds.yml",
        "xdg/openstack/clouds.yaml",
        "xdg/openstack/clouds.yml",
    ] {
        let user = User::new();
        let folder = user.home.path().join("xdg").display().to_string();
        let user = user.with("XDG_CONFIG_HOME", &folder);
        put(&user, path, clouds);
        let words = offered(&user, &["list", "rackspace", "--profile", ""]);
        assert_eq!(words, ["rax"], "{path}");
    }
}

#[test]
fn the_profiles_of_rack_are_known_to_the_tab_key() {
    let user = User::new();
    let file = "username = u\napi-key = k\n[DEFAULT]\n[work]\nusername = w\napi-key = k\n";
    put(&user, ".rack/config", file);
    let words = offered(&user, &["list", "rackspace", "--profile", ""]);
    assert_eq!(words, ["work"]);
}

#[test]
fn files_named_below_the_home_directory_are_known_to_the_tab_key() {
    let user = User::new()
        .with("AWS_CONFIG_FILE", "~/mine/aws")
        .with("OSC_CONFIG_FILE", "~/mine/osc");
    put(&user, "mine/aws", "[profile theirs]\nregion = eu-west-3\n");
    put(
        &user,
        "mine/osc",
        r#"{"ours": {"access_key": "AK", "secret_key": "SK"}}"#,
    );
    let words = |cloud| offered(&user, &["list", cloud, "--profile", ""]);
    assert_eq!(words("lightsail"), ["theirs"]);
    assert_eq!(words("outscale"), ["ours"]);
    let user = user.with("OSC_ENDPOINT_API", "http://127.0.0.1:1");
    let ran = user.run(&["list", "outscale", "-v", "--profile", "ours"]);
    assert!(
        ran.stderr
            .contains("credentials: AK from profile 'ours' of"),
        "{}",
        ran.all()
    );
}

#[test]
fn a_region_that_is_offered_is_known_to_doctor_and_no_other() {
    let clouds = crate::program::Clouds::start(std::time::Duration::from_secs(1));
    for (cloud, variable) in [("outscale", "OSC_REGION"), ("lightsail", "AWS_REGION")] {
        let user = User::of(&clouds).with(variable, "mars-north-7");
        let [result, _, hint] = checked(&user, cloud, "region").expect("a look at the region");
        assert_eq!(result, "warning");
        let mut words = offered(&user, &["list", cloud, "--region", ""]);
        words.sort();
        let (_, known) = hint.split_once("known are ").expect("the regions");
        let mut known: Vec<&str> = known.split(", ").collect();
        known.sort_unstable();
        assert_eq!(words, known, "{cloud}");
    }
    let user = User::new();
    let words = offered(&user, &["list", "outscale", "--region", "cloud"]);
    assert_eq!(words, ["cloudgouv-eu-west-1", "cloudgouv-eu-west-2"]);
}

#[test]
fn doctor_reads_the_user_where_the_login_reads_it() {
    let user = User::new()
        .with("OS_AUTH_URL", "http://127.0.0.1:1/v2.0")
        .with("RAX_USERNAME", "ops")
        .with("RAX_API_KEY", "k");
    let file = "[other]\nusername = stranger\n[rackspace_cloud]\nusername = ops\napi_key = k\n";
    put(&user, ".rackspace_cloud_credentials", file);
    let [result, message, _] = checked(&user, "rackspace", "sources").expect("a look");
    assert_eq!(result, "ok", "{message}");
}

#[test]
fn where_half_a_pair_is_refused_doctor_calls_nothing_else_used() {
    let user = User::new()
        .with("OSC_SECRET_KEY", "SK")
        .with("RAX_API_KEY", "k");
    let osc = r#"{"default": {"access_key": "AK", "secret_key": "SK"}}"#;
    put(&user, ".osc/config.json", osc);
    let file = "[rackspace_cloud]\nusername = ops\napi_key = k\n";
    put(&user, ".rackspace_cloud_credentials", file);
    for cloud in ["outscale", "rackspace"] {
        let refused = checked(&user, cloud, "credentials").expect("a refusal");
        assert_eq!(refused[0], "problem", "{refused:?}");
        assert_eq!(checked(&user, cloud, "sources"), None, "{cloud}");
    }
}
