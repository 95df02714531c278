//! A name that is nearly right: the right one is named.

use std::time::Duration;

use crate::program::{Clouds, User};

const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn a_snapshot_image_or_container_that_is_nearly_right_is_named() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    for (args, meant) in [
        (
            &["export", "outscale", "snap-0a1b2c3e", "--bucket", "demo"][..],
            "snap-0a1b2c3d",
        ),
        (&["export", "lightsail", "wbe-1"], "web-1"),
        (&["export", "lightsail", "Web-1", "--dry-run"], "web-1"),
        (
            &[
                "export",
                "rackspace",
                "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c12",
                "--container",
                "exports",
            ],
            image,
        ),
        (
            &["export", "rackspace", image, "--container", "export"],
            "exports",
        ),
    ] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(5), "{}", ran.all());
        let hint = format!("hint: did you mean {meant}?");
        assert!(ran.stderr.contains(&hint), "{hint}: {}", ran.all());
    }
    let stranger = user.run(&["export", "lightsail", "something-else"]);
    assert_eq!(stranger.code, Some(5));
    assert!(
        !stranger.stderr.contains("did you mean"),
        "{}",
        stranger.all()
    );
}

#[test]
fn a_bucket_that_would_be_made_by_a_slip_of_the_pen_is_warned_about_with_the_right_one() {
    let clouds = Clouds::start(NEVER);
    let ran = User::of(&clouds).run(&[
        "export",
        "outscale",
        "snap-0a1b2c3d",
        "--bucket",
        "bakups",
        "--dry-run",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let warning =
        "The bucket bakups does not exist; OUTSCALE will create it (did you mean backups?)";
    assert!(ran.stderr.contains(warning), "{}", ran.all());
}

#[test]
fn a_task_that_is_nearly_right_is_named_from_the_journal_or_the_cloud() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    let id = user
        .run(&["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"])
        .id();
    let last = if id.ends_with('0') { "1" } else { "0" };
    let slip = format!("{}{last}", &id[..id.len() - 1]);
    let short = &id[..id.len() - 3];
    let hint = format!("hint: did you mean {id}?");
    for (who, command, typed) in [
        (&user, "status", slip.as_str()),
        (&user, "wait", &slip),
        (&user, "cancel", &slip),
        (&user, "status", short),
        (&User::of(&clouds), "status", &slip),
    ] {
        let ran = who.run(&[command, typed]);
        assert_eq!(ran.code, Some(5), "{}", ran.all());
        assert!(ran.stderr.contains(&hint), "{}", ran.all());
    }
    let shapeless = id.replace("snap-export", "snap-exprt");
    let ran = user.run(&["status", &shapeless]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stderr.contains(&hint), "{}", ran.all());
}

#[test]
fn a_provider_or_profile_that_is_nearly_right_is_named() {
    let user = User::new();
    let folder = user.home.path().join("config");
    std::fs::create_dir_all(&folder).expect("made");
    let config = "[profile.work.outscale]\naccess_key = \"AK\"\nsecret_key = \"hunter2hunter2\"\n";
    std::fs::write(folder.join("config.toml"), config).expect("written");
    for (place, text) in [
        (
            ".osc",
            "{\"backup\": {\"access_key\": \"AK\", \"secret_key\": \"hunter2hunter2\"}}",
        ),
        (
            ".aws",
            "[profile nightly]\naws_access_key_id = AK\naws_secret_access_key = hunter2hunter2\n",
        ),
    ] {
        let folder = user.home.path().join(place);
        std::fs::create_dir_all(&folder).expect("made");
        let name = if place == ".osc" {
            "config.json"
        } else {
            "config"
        };
        std::fs::write(folder.join(name), text).expect("written");
    }
    for (args, code, hint) in [
        (
            &["status", "outscal/snap-export-12345678"][..],
            2,
            "did you mean outscale?",
        ),
        (&["list", "outscal"], 2, "'outscale'"),
        (
            &["list", "outscale", "--profile", "wrok"],
            4,
            "did you mean work?",
        ),
        (
            &["list", "outscale", "--profile", "bakcup"],
            4,
            "did you mean backup?",
        ),
        (
            &["list", "lightsail", "--profile", "nigthly"],
            4,
            "did you mean nightly?",
        ),
        (
            &["list", "lightsail", "--profile", "wrk"],
            4,
            "did you mean work?",
        ),
    ] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
        assert!(ran.stderr.contains(hint), "{}", ran.all());
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.all());
    }
}

#[test]
fn a_search_for_what_was_meant_that_fails_too_is_not_heard_of() {
    let clouds = Clouds::start(NEVER);
    clouds.set_faults(vec![
        "lightsail:GetInstanceSnapshots:1+:status=500"
            .parse()
            .expect("a fault"),
    ]);
    let ran = User::of(&clouds).run(&["export", "lightsail", "wbe-1", "-o", "json"]);
    assert_eq!(ran.code, Some(5), "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "not_found");
    assert!(!ran.stderr.contains("did you mean"), "{}", ran.all());
}

#[test]
fn a_forgotten_cloud_a_snapshot_for_a_task_and_a_slip_in_a_page_are_answered() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    for (word, cloud) in [
        ("snap-0a1b2c3d", "outscale"),
        (image, "rackspace"),
        ("web-1", "outscale|lightsail|rackspace"),
    ] {
        let ran = user.run(&["export", word, "--bucket", "demo"]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        let tip = format!("tip: name the cloud first: snapexport export {cloud} {word}");
        assert!(ran.stderr.contains(&tip), "{tip}: {}", ran.all());
    }
    let id = user.run(&["export", "lightsail", "web-1"]).id();
    for command in ["status", "wait", "cancel"] {
        let ran = user.run(&[command, "web-1"]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        let hint = format!(
            "hint: web-1 was exported: its last task is lightsail/{id}; all of them: snapexport status --name web-1"
        );
        assert!(ran.stderr.contains(&hint), "{hint}: {}", ran.all());
    }
    let page = user.run(&["man", "waitt"]);
    assert_eq!(page.code, Some(2), "{}", page.all());
    assert!(
        page.stderr.contains("hint: did you mean wait?"),
        "{}",
        page.all()
    );
}
