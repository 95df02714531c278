//! What is told of snapshots and exports is true, on every cloud.

use std::time::Duration;

use serde_json::{Value, json};

use crate::canned::{Answer, Canned};
use crate::program::User;
use crate::stage::{CLOUDS, GOOD, LONG, QUICK, Stage, each, on_every_cloud};

fn object(line: &str) -> Value {
    serde_json::from_str(line).expect(line)
}

#[test]
fn a_kept_automatic_snapshot_is_exported_without_a_warning() {
    let stage = Stage::of(&CLOUDS[1], LONG, &[]);
    let listed = stage.user.run(&["list", "lightsail", "-o", "json"]);
    let kept = listed.stdout.lines().map(object);
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
        object(&ran.stdout)["size_bytes"],
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
    let task = object(&ran.stdout);
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
        let done = object(ran.stdout.lines().last().expect("a line"));
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
        std::thread::sleep(Duration::from_millis(1100));
        for more in [
            &["status", id, "-o", "json"][..],
            &["wait", id, "-o", "json"],
        ] {
            let again = object(&stage.user.run(more).stdout);
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
        let seen = object(&stage.user.run(&["status", &id, "-o", "json"]).stdout);
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
        let seen = object(&stage.user.run(&["status", &id, "-o", "json"]).stdout);
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
        let first = object(&stage.export(&["-o", "json"]).stdout);
        std::thread::sleep(Duration::from_millis(1100));
        let again = object(&stage.export(&["-o", "json"]).stdout);
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
    let task = object(&ran.stdout);
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

#[test]
fn a_failed_poll_names_the_task_on_every_cloud() {
    each(
        &["look:1+:reset-before", "look:1+:garbage"],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]);
            let id = stage.export(&[]).id();
            let stage = stage.now_with(fault);
            let ran = stage.user.run(&["status", &id]);
            let sentence = ran.stderr.lines().find(|line| line.starts_with("error:"));
            let sentence = sentence.expect("an error");
            assert!(sentence.contains(&id), "{}", stage.told(&ran));
            let ran = stage.user.run(&["status", &id, "-o", "json"]);
            let said = ran.json_error()["message"].to_string();
            assert!(said.contains(&id), "{said}");
        },
    );
}

#[test]
fn a_missing_snapshot_keeps_what_the_cloud_said() {
    let stage = Stage::of(&CLOUDS[1], LONG, &[]);
    let ran = stage.user.run(&["export", "lightsail", "nowhere-1"]);
    stage.says(&ran, 5, "There is no Lightsail snapshot 'nowhere-1'");
    for word in ["NotFoundException", "request ", "does not exist"] {
        assert!(ran.stderr.contains(word), "no {word}: {}", ran.all());
    }
    let stage = Stage::of(&CLOUDS[2], LONG, &[]);
    let missing = "112e4d54-20c0-4bfb-97db-be3ac6216086";
    let ran = stage
        .user
        .run(&["export", "rackspace", missing, "--container", "exports"]);
    stage.says(&ran, 5, "HTTP 404");
    assert!(ran.stderr.contains("request "), "{}", ran.all());
}

/// Snapshots and images that are still being made.
const UNMADE: [&[&str]; 4] = [
    &["export", "outscale", "snap-3d4e5f60", "--bucket", "demo"],
    &["export", "outscale", "snap-4e5f6071", "--bucket", "demo"],
    &["export", "lightsail", "fresh-1"],
    &[
        "export",
        "rackspace",
        "e8f6d4b2-9a7c-4e5d-8b3f-1a2c4e6f8091",
        "--container",
        "exports",
    ],
];

#[test]
fn a_snapshot_that_is_being_made_is_waited_for() {
    let stage = Stage::of(&CLOUDS[0], LONG, &[]);
    let user = User::of(&stage.clouds).with("SNAPEXPORT_INTERVAL", "100ms");
    std::thread::scope(|scope| {
        for export in UNMADE {
            let user = &user;
            scope.spawn(move || {
                let short = ["--wait-for-snapshot", "--wait", "--timeout", "300ms"];
                let ran = user.run(&[export, &short].concat());
                assert_eq!(ran.code, Some(1), "{}", ran.all());
                assert!(ran.stderr.contains("nothing was started"), "{}", ran.all());
            });
        }
    });
    let waiting: Vec<_> = UNMADE
        .iter()
        .map(|export| {
            let mut command = user.command(&[export, &["--wait-for-snapshot"][..]].concat());
            let command = command.stdout(std::process::Stdio::piped());
            command
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("it runs")
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    stage.clouds.world(|world| {
        world.outscale.finish_snapshots();
        world.lightsail.finish_snapshots();
        world.rackspace.finish_snapshots();
    });
    for child in waiting {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("Waiting until"),
            "{said}"
        );
    }
}

/// A Glance with these types of tasks, and what it replies to a start.
fn glance(types: &'static [&'static str], start: (u16, Value)) -> (Canned, User) {
    let image = json!({"id": GOOD[2][2], "status": "active", "owner": "981977", "name": "web-1"});
    let canned = Canned::by(move |request| {
        let is = |start: &str| request.starts_with(start);
        if is("GET /v2/schemas/task") {
            let types = json!({"properties": {"type": {"enum": types}}});
            Answer::json(200, &types.to_string())
        } else if is("GET /v2/images/") {
            Answer::json(200, &image.to_string())
        } else if is("GET /v2/images") {
            Answer::json(200, &json!({"images": [image]}).to_string())
        } else if is("GET /v2/tasks/") {
            Answer::json(200, &start.1.to_string())
        } else if is("GET /v2/tasks") {
            Answer::json(200, r#"{"tasks": []}"#)
        } else if is("POST /v2/tasks") {
            Answer::json(start.0, &start.1.to_string())
        } else {
            let status = if request.contains(".vhd") { 404 } else { 204 };
            Answer::Reply(status, Vec::new(), String::new())
        }
    });
    let user = User::new()
        .with("AUTH_TOKEN", "t0ken")
        .with("API_ENDPOINT", &canned.url())
        .with("RAX_REGION", "DFW")
        .with("OS_OBJECT_STORE_URL", &format!("{}/v1/acct", canned.url()));
    (canned, user)
}

#[test]
fn a_cloud_without_export_tasks_is_told_of_everywhere() {
    let refusal = json!({"message": "Invalid type", "code": "400 Bad Request"});
    let (canned, user) = glance(&["import", "api_image_import"], (400, refusal));
    let doctor = user.run(&["doctor", "rackspace", "-o", "json"]).stdout;
    for words in ["offers no export task", "snapexport fetch rackspace"] {
        assert!(doctor.contains(words), "{doctor}");
        for more in [&[][..], &["--dry-run"]] {
            let ran = user.run(&[GOOD[2], more].concat());
            assert_eq!(ran.code, Some(1), "{}", ran.all());
            assert!(ran.stderr.contains(words), "{}", ran.all());
        }
        let listed = user.run(&["list", "rackspace", "-o", "json"]);
        let source = object(&listed.stdout);
        assert_eq!(source["exportable"], false, "{source}");
        assert!(source["reason"].to_string().contains(words), "{source}");
    }
    let sent = canned.requests();
    assert!(!sent.iter().any(|request| request.starts_with("POST")));
}

#[test]
fn a_start_that_has_failed_at_once_is_a_failure() {
    let why = "An image may only be exported by the image owner.";
    let id = "cc59c7d3-c056-47b2-a9f2-8e1525695bbb";
    let task = json!({"id": id, "type": "export", "status": "failure", "message": why,
        "created_at": "2026-11-21T02:30:19Z", "updated_at": "2026-11-21T02:30:19Z"});
    for more in [&[][..], &["--wait"]] {
        let (_canned, user) = glance(&["import", "export"], (201, task.clone()));
        let ran = user.run(&[GOOD[2], more].concat());
        assert_eq!(
            (ran.code, ran.stdout.trim()),
            (Some(3), id),
            "{}",
            ran.all()
        );
        assert!(ran.stderr.contains(why), "{}", ran.all());
        assert!(!ran.stderr.contains("Started"), "{}", ran.all());
    }
}
