//! What is told of snapshots and exports is true, on every cloud.

use serde_json::Value;

use crate::stage::{CLOUDS, GOOD, LONG, QUICK, Stage, on_every_cloud};

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect(line)
}

#[test]
fn a_kept_automatic_snapshot_is_exported_without_a_warning() {
    let stage = Stage::of(&CLOUDS[1], LONG, &[]);
    let listed = stage.user.run(&["list", "lightsail", "-o", "json"]);
    let kept = listed.stdout.lines().map(json);
    let kept = kept
        .filter(|source| source["id"] == "web-1700000000")
        .map(|source| (source["exportable"].clone(), source["reason"].clone()));
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [(true.into(), Value::Null)],
        "{}",
        listed.all()
    );
    let ran = stage.user.run(&["export", "lightsail", "web-1700000000"]);
    stage.is_started_once(&ran);
    assert!(!ran.stderr.contains("warning"), "{}", ran.all());
}

#[test]
fn who_has_only_automatic_snapshots_learns_how_to_keep_one() {
    let stage = Stage::of(&CLOUDS[1], LONG, &[]);
    let way = "--use-latest-restorable-auto-snapshot";
    let ran = stage
        .user
        .run(&["export", "lightsail", "nowhere-to-be-found"]);
    stage.says(&ran, 5, way);
    stage
        .clouds
        .world(|world| world.lightsail.clear_snapshots());
    let ran = stage.user.run(&["list", "lightsail"]);
    stage.says(&ran, 0, way);
}

#[test]
fn a_system_disk_counts_once() {
    let stage = Stage::of(&CLOUDS[1], LONG, &[]);
    let ran = stage
        .user
        .run(&["list", "lightsail", "-o", "json", "--name", "db-1"]);
    assert_eq!(
        json(&ran.stdout)["size_bytes"],
        104_u64 << 30,
        "{}",
        ran.all()
    );
}

#[test]
fn an_image_id_in_capitals_is_the_same_image() {
    let stage = Stage::of(&CLOUDS[2], LONG, &[]);
    let capitals = GOOD[2][2].to_ascii_uppercase();
    let ran = stage.user.run(&[
        "export",
        "rackspace",
        &capitals,
        GOOD[2][2],
        "--container",
        "exports",
    ]);
    let id = stage.is_started_once(&ran);
    let ran = stage.user.run(&[
        "export",
        "rackspace",
        &capitals,
        "--container",
        "exports",
        "-o",
        "json",
    ]);
    let task = json(&ran.stdout);
    assert_eq!(
        (&task["adopted"], task["task_id"].as_str()),
        (&true.into(), Some(id.as_str()))
    );
    assert_eq!(task["snapshot"], GOOD[2][2]);
    assert_eq!(stage.starts(), 1);
    let dry = [
        "export",
        "rackspace",
        &capitals,
        "--container",
        "other",
        "--dry-run",
    ];
    assert!(!stage.user.run(&dry).stdout.contains(&capitals));
    for named in [
        id.to_ascii_uppercase(),
        format!("rackspace/{}", id.to_ascii_uppercase()),
    ] {
        let ran = stage.user.run(&["status", &named, "-q"]);
        assert_eq!(ran.stdout.trim(), id, "{}", ran.all());
    }
}

#[test]
fn an_end_has_its_own_time_and_the_time_it_was_seen() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, QUICK, &[]);
        let ran = stage.export(&["--wait", "--interval", "200ms", "-o", "json"]);
        let done = json(ran.stdout.lines().last().expect("a line"));
        assert_eq!(done["state"], "completed", "{}", stage.told(&ran));
        for time in ["finished_at", "observed_finished_at"] {
            assert!(done[time].is_string(), "no {time}: {done}");
        }
        let artifact = &done["artifact"];
        assert_eq!(artifact["exact"], true, "{done}");
        let has_size = artifact["size_bytes"].as_u64().is_some_and(|size| size > 0);
        assert_eq!(has_size, cloud.name != "lightsail", "{done}");
        // The first sight counts, and the journal keeps it.
        let id = done["task_id"].as_str().expect("an id");
        std::thread::sleep(std::time::Duration::from_millis(1100));
        for more in [
            &["status", id, "-o", "json"][..],
            &["wait", id, "-o", "json"],
        ] {
            let again = json(&stage.user.run(more).stdout);
            for member in [
                "finished_at",
                "observed_finished_at",
                "created_at",
                "artifact",
            ] {
                assert_eq!(again[member], done[member], "{more:?}: {member}");
            }
        }
    });
}

#[test]
fn status_alone_sees_the_end_and_its_object() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, QUICK, &[]);
        let id = stage.export(&[]).id();
        std::thread::sleep(QUICK * 2);
        let seen = json(&stage.user.run(&["status", &id, "-o", "json"]).stdout);
        assert_eq!(seen["state"], "completed", "{seen}");
        assert!(
            seen["finished_at"].is_string() && seen["observed_finished_at"].is_string(),
            "{seen}"
        );
        assert_eq!(seen["artifact"]["exact"], true, "{seen}");
    });
}

#[test]
fn what_goes_on_or_failed_untimed_has_no_end() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        let id = stage.export(&[]).id();
        let seen = json(&stage.user.run(&["status", &id, "-o", "json"]).stdout);
        assert_eq!(
            (&seen["finished_at"], &seen["observed_finished_at"]),
            (&Value::Null, &Value::Null)
        );
    });
}

#[test]
fn an_adopted_task_keeps_the_time_of_its_start() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        let first = json(&stage.export(&["-o", "json"]).stdout);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let again = json(&stage.export(&["-o", "json"]).stdout);
        assert_eq!(again["adopted"], true, "{again}");
        assert!(first["created_at"].is_string(), "{first}");
        assert_eq!(again["created_at"], first["created_at"], "{}", cloud.name);
    });
}

#[test]
fn a_stalled_task_is_called_stalled_and_is_no_end() {
    let stage = Stage::of(&CLOUDS[0], QUICK, &[]);
    let export = ["export", "outscale", "snap-57a11ed0", "--bucket", "demo"];
    let wait = ["--wait", "--interval", "200ms", "-o", "json"];
    let ran = stage.user.run(&[&export[..], &wait].concat());
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    let task = json(&ran.stdout);
    assert_eq!(
        (&task["state"], &task["is_terminal"]),
        (&"stalled".into(), &false.into())
    );
    assert_eq!(task["error"]["kind"], "stalled", "{task}");
    let id = task["task_id"].as_str().expect("an id");
    let shown = |more: &[&str]| stage.user.run(&[&["status"], more].concat()).stdout;
    assert!(shown(&[id]).contains("stalled"));
    assert_eq!(shown(&["--running", "-q"]).trim(), id);
    for (state, is_shown) in [("stalled", true), ("pending", false), ("running", false)] {
        assert_eq!(
            shown(&["--state", state, "-q"]).contains(id),
            is_shown,
            "{state}"
        );
    }
}
