//! Many at once: each has its line, the cloud is asked once for all, and none is lost to a cloud that throttles.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use snapexport::journal::Journal;
use snapexport::provider::outscale;
use snapexport::task::{State, Task, TaskId};
use snapexport_sandbox::{Fault, Options};

use crate::program::{Clouds, Ran, User};
use crate::stage::{LONG, QUICK, Stage, on_every_cloud};

/// Lets calls be counted, and nothing go wrong.
const COUNTING: &str = "outscale:*:*:throttle=100000/s";

const EXPORT: [&str; 4] = ["export", "outscale", "--bucket", "demo"];

fn fault(text: &str) -> Fault {
    text.parse().expect(text)
}

/// Clouds with so many more snapshots, and a user who starts at 500 a second.
fn many(duration: Duration, count: u32, faults: &[&str]) -> (Clouds, User, Vec<String>) {
    let clouds = Clouds::start_with(Options {
        duration,
        faults: faults.iter().map(|text| fault(text)).collect(),
        ..Options::default()
    });
    let user = User::of(&clouds).with("SNAPEXPORT_START_PAUSE", "2ms");
    let ids = clouds.world(|world| world.outscale.add_snapshots(count));
    (clouds, user, ids)
}

fn export(user: &User, snapshots: &[String], more: &[&str]) -> Ran {
    let args = [&EXPORT[..], &["-"], more].concat();
    user.run_with_input(&args, &snapshots.join("\n"))
}

fn count(clouds: &Clouds, service: &str, call: &str) -> u32 {
    clouds.world(|world| world.rehearsal.count(service, call))
}

/// What failed, by the lines of standard output: the snapshot, the state and the kind of the error.
fn failed(ran: &Ran) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let failed = ran
        .json()
        .into_iter()
        .filter(|item| !item["error"].is_null());
    failed
        .map(|item| {
            (
                text(&item["snapshot"]),
                text(&item["state"]),
                text(&item["error"]["kind"]),
            )
        })
        .collect()
}

#[track_caller]
fn has_errors_for(ran: &Ran, names: &[&str]) {
    for name in names {
        let lines = ran.stderr.lines();
        let named = lines.filter(|line| line.starts_with("error: ") && line.contains(name));
        assert_eq!(named.count(), 1, "{name}: {}", ran.all());
    }
}

// --- started and adopted

#[test]
fn a_hundred_exports_at_a_limited_rate_are_all_started_and_then_adopted() {
    // Five times as fast as the cloud allows.
    let (clouds, user, snapshots) = many(LONG, 100, &["outscale:*:*:throttle=100/s"]);
    let starts = || clouds.world(|world| world.outscale.starts);
    let first = export(&user, &snapshots, &[]);
    assert_eq!((first.code, starts()), (Some(0), 100), "{}", first.all());
    let ids = |ran: &Ran| {
        ran.stdout
            .lines()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&first).len(), 100);
    let again = export(&user, &snapshots, &[]);
    assert_eq!((again.code, starts()), (Some(0), 100), "{}", again.all());
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(again.stderr.matches("adopted").count(), 100);
}

#[test]
fn a_batch_asks_once_for_all() {
    let (clouds, user, snapshots) = many(LONG, 20, &[COUNTING]);
    assert_eq!(export(&user, &snapshots, &[]).code, Some(0));
    let web = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let other = "c0ffee00-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let ran = user.run(&["export", "rackspace", web, other, "--container", "exports"]);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.all());
    let ran = user.run(&["export", "lightsail", "web-1", "broken-1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    for (service, call, times) in [
        ("outscale", "ReadSnapshots", 1),
        ("outscale", "ReadSnapshotExportTasks", 1),
        ("oos", "ListObjectsV2", 1),
        ("outscale", "CreateSnapshotExportTask", 20),
        ("rackspace", "list tasks", 1),
        ("rackspace", "look at container", 1),
        // Of two pages.
        ("lightsail", "GetInstanceSnapshots", 2),
        ("lightsail", "GetInstanceSnapshot", 0),
    ] {
        assert_eq!(count(&clouds, service, call), times, "{service} {call}");
    }
}

#[test]
fn several_images_are_checked_in_lists() {
    let (clouds, user, _) = many(LONG, 0, &[COUNTING]);
    let list = user.run(&["list", "rackspace", "-q", "--exportable"]);
    let images: Vec<&str> = list.stdout.lines().collect();
    assert!(images.len() > 1, "{}", list.all());
    clouds.set_faults(vec![fault("rackspace:*:*:throttle=1000/s")]);
    let args = [
        &["export", "rackspace", "--container", "exports"],
        &images[..],
    ]
    .concat();
    let ran = user.run(&args);
    assert_eq!(ran.stdout.lines().count(), images.len(), "{}", ran.all());
    for (call, times) in [
        ("list images", 1),
        ("show image", 0),
        ("list container", 1),
        ("look at object", 0),
    ] {
        assert_eq!(count(&clouds, "rackspace", call), times, "{call}");
    }
}

// --- throttled

#[test]
fn a_pause_that_is_longer_than_is_waited_is_told_with_the_clouds_words() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:*:throttle=3600"]);
        let began = Instant::now();
        let ran = stage.export(&["-o", "json"]);
        stage.says(&ran, 1, "a pause of 1h");
        let error = &ran.json()[0]["error"];
        assert_eq!(error["kind"], "rate_limited", "{}", stage.told(&ran));
        assert_eq!((stage.starts(), stage.count("start")), (0, 1));
        assert!(began.elapsed() < Duration::from_secs(10));
        stage.says(
            &stage.export(&["--timeout", "90m", "--dry-run"]),
            0,
            "nothing was started",
        );
    });
}

#[test]
fn a_cloud_that_asks_for_an_hour_is_asked_once_for_all() {
    let (clouds, user, snapshots) = many(
        LONG,
        12,
        &["outscale:CreateSnapshotExportTask:*:throttle=3600"],
    );
    let ran = export(&user, &snapshots, &["-o", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert_eq!(count(&clouds, "outscale", "CreateSnapshotExportTask"), 1);
    let failed = failed(&ran);
    assert_eq!(failed.len(), 12, "{}", ran.all());
    let is_told = |(_, state, kind): &(String, String, String)| {
        state == "not_started" && kind == "rate_limited"
    };
    assert!(failed.iter().all(is_told), "{}", ran.all());
}

#[test]
fn timeout_bounds_a_start_also_without_wait() {
    on_every_cloud(|cloud| {
        for (fault, code, kind, state) in [
            ("start:*:throttle", 1, "rate_limited", "not_started"),
            ("list:*:throttle=60", 1, "rate_limited", "not_started"),
            ("list:*:silence-before", 1, "timeout", "not_started"),
            ("start:*:silence-before", 6, "maybe_started", "unknown"),
        ] {
            let stage = Stage::of(cloud, LONG, &[fault]);
            let began = Instant::now();
            let ran = stage.export(&["--timeout", "1s", "-o", "json"]);
            assert_eq!(ran.code, Some(code), "{fault}: {}", stage.told(&ran));
            assert!(
                began.elapsed() < Duration::from_secs(6),
                "{fault}: {}",
                cloud.name
            );
            let item = &ran.json()[0];
            assert_eq!(item["error"]["kind"], kind, "{fault}: {}", stage.told(&ran));
            assert_eq!(item["state"], state, "{fault}: {}", stage.told(&ran));
        }
    });
}

// --- every one has its line

#[test]
fn each_export_that_fails_has_its_line_and_is_named() {
    let (clouds, user, _) = many(LONG, 0, &[]);
    let snapshots = [
        "snap-0a1b2c3d",
        "snap-00000000",
        "snap-00000001",
        "snap-3d4e5f60",
    ];
    let args = [&EXPORT[..], &snapshots, &["-o", "json"]].concat();
    let ran = user.run(&args);
    assert_eq!(ran.code, Some(5), "{}", ran.all());
    let mut told = failed(&ran);
    told.sort();
    let of = |snapshot: &str, kind: &str| (snapshot.into(), "not_started".into(), kind.into());
    let expected = [
        of("snap-00000000", "not_found"),
        of("snap-00000001", "not_found"),
        of("snap-3d4e5f60", "conflict"),
    ];
    assert_eq!(told, expected, "{}", ran.all());
    assert_eq!(ran.json().len(), 4, "{}", ran.all());
    has_errors_for(&ran, &snapshots[1..]);
    // One list that fails fails all of them.
    clouds.set_faults(vec![fault("outscale:ReadSnapshotExportTasks:*:status=500")]);
    for more in [&[][..], &["--wait"]] {
        let ran = user.run(&[&args[..], more].concat());
        assert_eq!(failed(&ran).len(), 4, "{}", ran.all());
        has_errors_for(&ran, &snapshots);
    }
}

#[test]
fn nothing_stays_unsaid_where_nothing_is_sent() {
    let (_clouds, user, _) = many(LONG, 0, &[]);
    let ran = user.run(&[&EXPORT[..], &["snap-0a1b2c3d", "x", "y", "-o", "json"]].concat());
    assert_eq!(
        (ran.code, failed(&ran).len()),
        (Some(2), 2),
        "{}",
        ran.all()
    );
    has_errors_for(&ran, &["'x'", "'y'"]);
    let nobody = User::new();
    let ran = nobody.run(
        &[
            &EXPORT[..],
            &["snap-0a1b2c3d", "snap-1b2c3d4e", "-o", "json"],
        ]
        .concat(),
    );
    assert_eq!(
        (ran.code, failed(&ran).len()),
        (Some(4), 2),
        "{}",
        ran.all()
    );
    let wrong = user.with("OSC_SECRET_KEY", "WRONG000000000000000000000000000000000SK");
    let snapshots = ["snap-0a1b2c3d", "snap-1b2c3d4e", "snap-2c3d4e5f"];
    let ran = wrong.run(&[&EXPORT[..], &snapshots, &["-o", "json"]].concat());
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    let failed = failed(&ran);
    let is_refused = |(_, _, kind): &(String, String, String)| kind == "credentials";
    assert!(
        failed.len() == 3 && failed.iter().all(is_refused),
        "{}",
        ran.all()
    );
    has_errors_for(&ran, &snapshots);
}

#[test]
fn a_failure_is_said_when_it_happens() {
    let slow = "outscale:CreateSnapshotExportTask:2:delay=1s";
    let (_clouds, user, _) = many(LONG, 0, &[slow]);
    let snapshots = ["snap-0a1b2c3d", "snap-1b2c3d4e", "snap-00000000"];
    let ran = user.run(&[&EXPORT[..], &snapshots].concat());
    let at = |words: &str| {
        ran.stderr
            .find(words)
            .unwrap_or_else(|| panic!("{}", ran.all()))
    };
    assert!(
        at("error: ") < at("Started: snap-1b2c3d4e"),
        "{}",
        ran.all()
    );
}

#[test]
fn each_task_that_is_lost_to_a_wait_has_its_line() {
    let (clouds, user, snapshots) = many(LONG, 3, &[]);
    let started = export(&user, &snapshots, &[]);
    let ids: Vec<&str> = started.stdout.lines().collect();
    for fault_of in ["status=401", "status=500", "reset-before"] {
        let text = format!("outscale:ReadSnapshotExportTasks:*:{fault_of}");
        clouds.set_faults(vec![fault(&text)]);
        let ran = user.run(&[&["wait", "-o", "json", "--timeout", "0"], &ids[..]].concat());
        assert_ne!(ran.code, Some(0), "{}", ran.all());
        let mut lost: Vec<(String, String)> = Vec::new();
        for item in ran.json() {
            assert_eq!(item["state"], "unknown", "{}", ran.all());
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            lost.push((text("task_id"), text("snapshot")));
        }
        assert_eq!(lost.len(), 3, "{fault_of}: {}", ran.all());
        assert!(
            lost.iter().all(|(id, _)| ids.contains(&id.as_str())),
            "{}",
            ran.all()
        );
        assert!(
            lost.iter()
                .all(|(_, snapshot)| snapshots.contains(snapshot)),
            "{}",
            ran.all()
        );
        has_errors_for(&ran, &ids);
    }
}

#[test]
fn each_task_that_is_not_cancelled_has_its_line() {
    let (clouds, user, snapshots) = many(LONG, 2, &[]);
    let started = export(&user, &snapshots, &[]);
    let unknown = "snap-export-00000000";
    let ids: Vec<&str> = started.stdout.lines().chain([unknown]).collect();
    let late = fault("outscale:DeleteExportTask:*:status=409");
    clouds.set_faults(vec![late]);
    let ran = user.run(&[&["cancel", "-o", "json"], &ids[..]].concat());
    assert_ne!(ran.code, Some(0), "{}", ran.all());
    let states: Vec<(Value, Value, bool)> = ran
        .json()
        .into_iter()
        .map(|item| {
            (
                item["task_id"].clone(),
                item["state"].clone(),
                item["error"].is_null(),
            )
        })
        .collect();
    // What was seen is told as it was seen.
    let expected = [
        (ids[0].into(), "pending".into(), false),
        (ids[1].into(), "pending".into(), false),
        (unknown.into(), "unknown".into(), false),
    ];
    assert_eq!(states, expected, "{}", ran.all());
    has_errors_for(&ran, &ids);
}

// --- what was exported before

#[test]
fn what_was_exported_before_is_noted_or_left_out() {
    let (clouds, user, _) = many(QUICK, 0, &[]);
    let export = [&EXPORT[..], &["snap-0a1b2c3d"]].concat();
    let starts = || clouds.world(|world| world.outscale.starts);
    let first = user.run(&[&export[..], &["--wait"]].concat());
    let id = first.id();
    let stranger = User::of(&clouds);
    for who in [&user, &stranger] {
        for more in [&["--skip-exported"][..], &["--skip-exported", "--dry-run"]] {
            let ran = who.run(&[&export[..], more].concat());
            let told = (ran.code, ran.stdout.as_str(), starts());
            assert_eq!(told, (Some(0), "", 1), "{}", ran.all());
            let note = format!("as {id}; left out");
            assert!(ran.stderr.contains(&note), "{}", ran.all());
        }
    }
    assert!(
        user.run(&[&export[..], &["--skip-exported"]].concat())
            .stderr
            .contains("was exported on 20")
    );
    // Elsewhere it was not.
    let elsewhere = user.run(&[&export[..], &["--skip-exported", "--prefix", "x/"]].concat());
    assert_eq!(
        (elsewhere.code, starts()),
        (Some(0), 2),
        "{}",
        elsewhere.all()
    );
    let again = user.run(&export);
    assert_eq!((again.code, starts()), (Some(0), 3), "{}", again.all());
    assert!(
        again.stderr.contains(&format!("as {id}; --skip-exported")),
        "{}",
        again.all()
    );
}

#[test]
fn an_image_that_was_exported_is_left_out_by_what_the_cloud_knows() {
    let (clouds, user, _) = many(QUICK, 0, &[]);
    let web = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let export = ["export", "rackspace", web, "--container", "exports"];
    user.run(&[&export[..], &["--wait"]].concat()).id();
    let stranger = User::of(&clouds);
    let ran = stranger.run(&[&export[..], &["--skip-exported"]].concat());
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), ""),
        "{}",
        ran.all()
    );
    assert!(ran.stderr.contains("left out"), "{}", ran.all());
}

#[test]
fn a_name_that_was_given_again_is_not_what_was_exported_before() {
    let (clouds, user, _) = many(QUICK, 0, &[]);
    let export = ["export", "lightsail", "web-1", "--skip-exported"];
    // The sample record is of an export before the snapshot was made.
    let first = user.run(&[&export[..], &["--wait"]].concat());
    let again = user.run(&export);
    let starts = clouds.world(|world| world.lightsail.starts);
    assert_eq!(starts, 1, "{}{}", first.all(), again.all());
    assert!(again.stderr.contains("left out"), "{}", again.all());
}

// --- where the objects are

#[test]
fn the_objects_of_all_that_end_together_are_looked_up_in_one_list() {
    let (clouds, user, snapshots) = many(Duration::from_millis(600), 60, &[]);
    let started = export(&user, &snapshots, &["--prefix", "many/"]);
    std::thread::sleep(Duration::from_millis(700));
    clouds.set_faults(vec![fault(COUNTING)]);
    let ran = user.run_with_input(&["wait", "-", "-o", "json"], &started.stdout);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let exact = ran
        .json()
        .into_iter()
        .filter(|task| task["artifact"]["exact"] == true);
    assert_eq!(exact.count(), 60, "{}", ran.all());
    assert_eq!(count(&clouds, "oos", "ListObjectsV2"), 1);
}

/// Half of them the journal knows to have ended, and each of those is named in three ways; of the rest nobody knows.
#[test]
fn a_wait_for_twenty_thousand_tells_of_each_once_and_in_order() {
    const EACH: u32 = 10_000;
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let journal = Journal::open(&user.state().join("journal.db")).expect("it opens");
    let now = Timestamp::now();
    let ended: Vec<String> = (0..EACH).map(|n| format!("snap-export-a{n:07x}")).collect();
    for id in &ended {
        let mut task = Task::unseen(outscale::ID, "eu-west-2", TaskId::from(id.as_str()));
        task.state = State::Completed;
        let kept = journal.journal.record_sight(&task, "AK", now);
        kept.expect("it writes");
    }
    drop(journal);
    let unknown: Vec<String> = (0..EACH).map(|n| format!("snap-export-b{n:07x}")).collect();
    let mut input = String::new();
    for (id, other) in ended.iter().zip(&unknown) {
        input += &format!("{id}\n{other}\noutscale/{id}\n{}\n", id.to_uppercase());
    }
    let ran = user.run_with_input(&["wait", "-", "-q"], &input);
    assert_eq!(ran.code, Some(5), "{:?}", ran.stderr.lines().last());
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), ended);
    let errors = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "));
    let errors: Vec<&str> = errors.collect();
    assert_eq!(errors.len(), unknown.len());
    for (error, id) in errors.iter().zip(&unknown) {
        assert!(error.contains(id.as_str()), "{error}, not {id}");
    }
}

#[test]
fn a_look_at_many_costs_what_their_lists_cost() {
    let images = ["7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21"; 5];
    for (cloud, single, list, export) in [
        (
            "lightsail",
            "GetOperation",
            "GetOperations",
            vec!["web-1"; 5],
        ),
        ("rackspace", "show task", "list tasks", images.to_vec()),
    ] {
        let clouds = Clouds::start_with(Options {
            duration: LONG,
            ..Options::default()
        });
        let user = User::of(&clouds);
        let mut ids = String::new();
        for snapshot in export {
            let mut args = vec!["export", cloud, snapshot, "--new", "-o", "id"];
            if cloud == "rackspace" {
                args.extend(["--container", "exports"]);
            }
            ids += &user.run(&args).stdout;
        }
        assert_eq!(ids.lines().count(), 5, "{ids}");
        clouds.set_faults(vec![fault(&format!("{cloud}:*:*:throttle=100000/s"))]);
        let wait = ["wait", "-", "--interval", "300ms", "--timeout", "1500ms"];
        let ran = user.run_with_input(&wait, &ids);
        assert_eq!(ran.code, Some(124), "{}", ran.all());
        let (singles, lists) = (count(&clouds, cloud, single), count(&clouds, cloud, list));
        assert!(lists >= 2, "{cloud}: {lists}");
        // What nothing is known of is asked for once.
        assert!(singles <= 5, "{cloud}: {singles}, and {lists} lists");
    }
}
