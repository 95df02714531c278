//! A new user with nothing but the configuration of one cloud's own tools: the main job, with no option beyond what names it.

use std::time::Duration;

use crate::program::{Clouds, User};

/// A user whose only files are these, closed to others.
fn with_file(files: &[(&str, String)]) -> User {
    let user = User::new();
    for (path, text) in files {
        let path = user.home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        #[cfg(unix)]
        {
            let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, closed).expect("ours");
        }
    }
    user
}

#[test]
fn the_configuration_of_a_clouds_own_tools_is_enough() {
    let clouds = Clouds::start(Duration::from_millis(500));
    let variables = clouds.variables();
    let of = |name: &str| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.expect(name).1.clone()
    };
    let osc = serde_json::json!({"default": {
        "access_key": of("OSC_ACCESS_KEY"), "secret_key": of("OSC_SECRET_KEY"), "region": "eu-west-2",
        "endpoints": {"api": of("OSC_ENDPOINT_API"), "oos": of("OSC_ENDPOINT_OOS")},
    }});
    let keys = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        of("AWS_ACCESS_KEY_ID"),
        of("AWS_SECRET_ACCESS_KEY")
    );
    let aws = format!(
        "[default]\nregion = eu-west-3\nendpoint_url = {}\n",
        of("AWS_ENDPOINT_URL_LIGHTSAIL")
    );
    let openstack = format!(
        "clouds:\n  mine:\n    profile: rackspace\n    region_name: DFW\n    auth:\n      auth_url: {}\n      username: {}\n      api_key: {}\n",
        of("OS_AUTH_URL"),
        of("RAX_USERNAME"),
        of("RAX_API_KEY")
    );
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let users = [
        (
            "outscale",
            with_file(&[(".osc/config.json", osc.to_string())]),
            vec!["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"],
        ),
        (
            "lightsail",
            with_file(&[(".aws/credentials", keys), (".aws/config", aws)]),
            vec!["export", "lightsail", "web-1"],
        ),
        (
            "rackspace",
            with_file(&[(".config/openstack/clouds.yaml", openstack)]),
            vec!["export", "rackspace", image, "--container", "exports"],
        ),
    ];
    for (cloud, user, export) in users {
        // On loopback an export is over at once, and the usual pace would be waited for in vain.
        let user = user.with("SNAPEXPORT_INTERVAL", "200ms");
        let doctor = user.run(&["doctor", "-q"]);
        assert_eq!(
            (doctor.code, doctor.stdout.trim()),
            (Some(0), cloud),
            "{}",
            doctor.all()
        );
        let id = user.run(&export).id();
        let waited = user.run(&["wait", &id, "--timeout", "30s"]);
        assert_eq!(waited.code, Some(0), "{}", waited.all());
        let status = user.run(&["status", "-o", "json"]);
        let task = &status.json()[0];
        assert_eq!(task["task_id"], id.as_str(), "{}", status.all());
        assert_eq!(task["state"], "completed", "{}", status.all());
        assert_eq!(task["artifact"]["exact"], true, "{}", status.all());
    }
}
