//! `snapexport cancel`: what is claimed is what was seen.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snapexport_sandbox::{Fault, Options, World};

use crate::program::{Clouds, Ran, User};

/// Long enough for every task to have hardly begun.
const NEVER: Duration = Duration::from_secs(3600);
const EXPORT: [&str; 5] = ["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"];

/// Clouds on which the calls that cancel are counted, and go wrong like this.
fn clouds_with(fault: &str) -> Clouds {
    let fault: Fault = fault.parse().expect("a fault");
    Clouds::start_with(Options {
        duration: NEVER,
        faults: vec![fault],
        ..Options::default()
    })
}

/// Clouds on which nothing goes wrong, and the calls that cancel are counted.
fn clouds() -> Clouds {
    clouds_with("outscale:DeleteExportTask:999:throttle")
}

fn requests(clouds: &Clouds) -> u32 {
    clouds.world(|world| world.rehearsal.count("outscale", "DeleteExportTask"))
}

/// Lets the newest OUTSCALE export be this old.
fn age(world: &mut World, age: SignedDuration) {
    let task = world.outscale.tasks.last_mut().expect("a task");
    task.started_at = Timestamp::now() - age;
}

fn state(user: &User, id: &str) -> String {
    let ran = user.run(&["status", id, "-o", "json"]);
    ran.json()[0]["state"].as_str().expect("text").to_owned()
}

fn is_cancelled(ran: &Ran, id: &str) {
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let task = &ran.json()[0];
    assert_eq!(task["task_id"], id, "{}", ran.all());
    assert_eq!(task["state"], "cancelled", "{}", ran.all());
    assert_eq!(task["is_terminal"], true, "{}", ran.all());
}

#[test]
fn an_export_that_has_hardly_begun_is_cancelled_and_a_second_time_is_no_error() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let id = user.run(&EXPORT).id();
    let table = user.run(&["cancel", &id]);
    assert_eq!((table.code, table.stderr.as_str()), (Some(0), ""));
    assert!(table.stdout.contains("cancelled"), "{}", table.all());
    is_cancelled(&user.run(&["cancel", &id, "-o", "json"]), &id);
    let quiet = user.run(&["cancel", &format!("outscale/{id}"), "-q"]);
    assert_eq!(
        quiet.all(),
        format!("$ snapexport cancel outscale/{id} -q\n{id}\n--- stderr\n--- exit code 0\n")
    );
    assert_eq!(
        requests(&clouds),
        1,
        "what is cancelled is not asked for again"
    );
    let waited = user.run(&["wait", &id]);
    assert_eq!(waited.code, Some(3), "{}", waited.all());
    assert!(waited.stderr.contains("was cancelled"), "{}", waited.all());
}

#[test]
fn a_cancelled_export_is_not_adopted_by_the_next_one() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let first = user.run(&EXPORT).id();
    assert_eq!(user.run(&["cancel", &first]).code, Some(0));
    let second = user.run(&EXPORT).id();
    assert_ne!(first, second);
}

#[test]
fn a_task_of_somebody_else_can_be_cancelled_and_the_journal_of_its_owner_finds_out() {
    let clouds = clouds();
    let owner = User::of(&clouds);
    let id = owner.run(&EXPORT).id();
    is_cancelled(&User::of(&clouds).run(&["cancel", &id, "-o", "json"]), &id);
    let listed = owner.run(&["status", "-o", "json"]);
    assert_eq!(listed.json()[0]["state"], "cancelled", "{}", listed.all());
}

#[test]
fn a_lost_reply_is_looked_up_and_a_request_that_was_not_read_is_sent_again() {
    for (fault, sent) in [
        ("outscale:DeleteExportTask:1:reset-after", 1),
        ("outscale:DeleteExportTask:1:truncate", 1),
        ("outscale:DeleteExportTask:1:reset-before", 2),
        ("outscale:DeleteExportTask:1:throttle", 2),
        ("outscale:DeleteExportTask:1:status=500", 2),
        ("outscale:DeleteExportTask:1:garbage", 2),
    ] {
        let clouds = clouds_with(fault);
        let user = User::of(&clouds);
        let id = user.run(&EXPORT).id();
        is_cancelled(&user.run(&["cancel", &id, "-o", "json"]), &id);
        assert_eq!(requests(&clouds), sent, "{fault}");
    }
}

#[test]
fn an_export_that_is_too_far_goes_on_and_the_refusal_is_shown() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let id = user.run(&EXPORT).id();
    clouds.world(|world| age(world, SignedDuration::from_mins(30)));
    let ran = user.run(&["cancel", &id, "-o", "json"]);
    let items = ran.json();
    assert_eq!((ran.code, items.len()), (Some(1), 1), "{}", ran.all());
    assert_eq!(items[0]["state"], "running", "{}", ran.all());
    assert_eq!(items[0]["error"]["kind"], "conflict", "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "conflict");
    assert_eq!(ran.json_error()["code"], "6003");
    for words in [
        "is not cancelled: it is running (uploading, 5",
        "is in state 'uploading'",
        "OUTSCALE cancels only an export that has hardly begun",
        &format!("snapexport wait {id}"),
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.all());
    }
    assert_eq!(requests(&clouds), 1);
    assert_eq!(state(&user, &id), "running");
}

#[test]
fn an_export_that_has_ended_is_a_conflict_and_nothing_is_sent() {
    let clouds = clouds();
    let user = User::of(&clouds);
    for (snapshot, word) in [("snap-0a1b2c3d", "completed"), ("snap-deadbeef", "failed")] {
        let id = user
            .run(&["export", "outscale", snapshot, "--bucket", "demo"])
            .id();
        clouds.world(|world| age(world, SignedDuration::from_hours(2)));
        let ran = user.run(&["cancel", &id, "-o", "json"]);
        let items = ran.json();
        assert_eq!((ran.code, items.len()), (Some(1), 1), "{}", ran.all());
        assert_eq!(items[0]["state"], word, "{}", ran.all());
        assert_eq!(items[0]["error"]["kind"], "conflict", "{}", ran.all());
        assert_eq!(ran.json_error()["kind"], "conflict");
        let words = format!("cannot be cancelled any more: it is {word}");
        assert!(ran.stderr.contains(&words), "{}", ran.all());
    }
    assert_eq!(requests(&clouds), 0);
}

#[test]
fn where_the_cloud_cannot_cancel_it_is_exit_code_2_and_nothing_is_sent() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let ours = user.run(&EXPORT).id();
    for (provider, export, instead) in [
        (
            "lightsail",
            &["export", "lightsail", "web-1"][..],
            "deregister-image",
        ),
        (
            "rackspace",
            &[
                "export",
                "rackspace",
                "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
                "--container",
                "exports",
            ],
            "swift delete",
        ),
    ] {
        let id = user.run(export).id();
        let ran = user.run(&["cancel", &ours, &id, "-o", "json"]);
        let items = ran.json();
        assert_eq!((ran.code, items.len()), (Some(2), 1), "{}", ran.all());
        assert_eq!(items[0]["task_id"], id, "{}", ran.all());
        assert_eq!(items[0]["error"]["kind"], "usage", "{}", ran.all());
        assert_eq!(ran.json_error()["kind"], "usage");
        for words in [
            &format!("The export {provider}/{id} cannot be cancelled"),
            &format!("snapexport wait {provider}/{id}"),
            instead,
            "Nothing was sent, not for the other tasks either",
        ] {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.all());
        }
        // Without credentials it is as impossible.
        let bare = User::new().run(&["cancel", &format!("{provider}/{id}")]);
        assert_eq!(bare.code, Some(2), "{}", bare.all());
    }
    assert_eq!(requests(&clouds), 0);
    assert_eq!(state(&user, &ours), "pending");
}

#[test]
fn a_stalled_export_is_ended_by_the_command_that_wait_names() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let id = user
        .run(&["export", "outscale", "snap-57a11ed0", "--bucket", "demo"])
        .id();
    clouds.world(|world| age(world, SignedDuration::from_mins(30)));
    let stalled = user.run(&["wait", &id]);
    assert_eq!(stalled.code, Some(3), "{}", stalled.all());
    assert!(
        stalled.stderr.contains(&format!("snapexport cancel {id}")),
        "{}",
        stalled.all()
    );
    is_cancelled(&user.run(&["cancel", &id, "-o", "json"]), &id);
}

#[test]
fn several_are_cancelled_from_standard_input_and_the_worst_error_is_the_exit_code() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let snapshots = ["snap-0a1b2c3d", "snap-1b2c3d4e"];
    let ids = snapshots.map(|id| {
        user.run(&["export", "outscale", id, "--bucket", "demo"])
            .id()
    });
    let input = format!(
        "# two of ours\n{}\n\nsnap-export-00000000\n{}\n",
        ids[0], ids[1]
    );
    let ran = user.run_with_input(&["cancel", "-", "-o", "id"], &input);
    assert_eq!(ran.code, Some(5), "{}", ran.all());
    assert_eq!(ran.stdout, format!("{}\n{}\n", ids[0], ids[1]));
    assert!(
        ran.stderr.contains("no export task snap-export-00000000"),
        "{}",
        ran.all()
    );
}

#[test]
fn refused_credentials_are_not_sent_for_every_task() {
    let clouds = clouds();
    let user = User::of(&clouds).with(
        "OSC_SECRET_KEY",
        "WRONG0000000000000000000000000000000WRONG",
    );
    let ran = user.run(&["cancel", "snap-export-00000001", "snap-export-00000002"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    for id in ["snap-export-00000001", "snap-export-00000002"] {
        let errors = ran.stderr.lines().filter(|line| line.starts_with("error:"));
        let named = errors.filter(|line| line.contains(id));
        assert_eq!(named.count(), 1, "{}", ran.all());
    }
    let looks = clouds.world(|world| world.rehearsal.count("outscale", "ReadSnapshotExportTasks"));
    assert_eq!((requests(&clouds), looks), (0, 1));
}

#[test]
fn the_pipeline_of_the_help_cancels_also_beside_exports_of_clouds_that_cannot() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let stays = user.run(&["export", "rackspace", image, "--container", "exports"]);
    let stays = format!("rackspace/{}", stays.id());
    assert_eq!(state(&user, &stays), "pending");
    let id = user.run(&EXPORT).id();
    let help = user.run(&["cancel", "--help"]);
    let status = "status --provider outscale --state pending -q";
    let pipeline = format!("snapexport {status} | snapexport cancel - --allow-empty");
    assert!(help.stdout.contains(&pipeline), "{}", help.all());
    let listed = user.run(&status.split(' ').collect::<Vec<_>>());
    let cancelled = user.run_with_input(&["cancel", "-", "--allow-empty", "-q"], &listed.stdout);
    assert_eq!(
        (cancelled.code, cancelled.stdout),
        (Some(0), format!("{id}\n")),
        "{}",
        listed.all()
    );
    assert_eq!(state(&user, &stays), "pending");
}

#[test]
fn a_list_that_begins_with_a_byte_order_mark_is_read() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let id = user.run(&EXPORT).id();
    let ran = user.run_with_input(&["status", "-", "-q"], &format!("\u{feff}{id}\r\n"));
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("{id}\n")));
}

#[test]
fn an_empty_standard_input_is_an_error_unless_it_may_be_empty() {
    let clouds = clouds();
    let user = User::of(&clouds);
    for args in [
        &["cancel", "-"][..],
        &["wait", "-"],
        &["status", "-"],
        &["export", "outscale", "-", "--bucket", "demo"],
    ] {
        let ran = user.run_with_input(args, "# nothing today\n\n");
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains("--allow-empty"), "{}", ran.all());
        let args = [args, &["--allow-empty"]].concat();
        let ran = user.run_with_input(&args, "");
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(0), ""),
            "{}",
            ran.all()
        );
        assert!(ran.stderr.contains("nothing to do"), "{}", ran.all());
        let help = user.run(&[
            args[0],
            if args[0] == "export" {
                "outscale"
            } else {
                "--help"
            },
            "--help",
        ]);
        assert!(help.stdout.contains("--allow-empty"), "{}", help.all());
    }
}

#[test]
fn what_was_seen_to_end_is_not_told_to_end() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let rackspace = ["export", "rackspace", image, "--container", "exports"];
    let deletes = format!("swift delete exports --prefix {image}.vhd");
    for (provider, export, instead) in [
        (
            "lightsail",
            &["export", "lightsail", "web-1"][..],
            "hint: delete what it made",
        ),
        ("rackspace", &rackspace, &deletes),
    ] {
        let id = user.run(export).id();
        let early = user.run(&["cancel", &id]);
        assert!(early.stderr.contains("let it end"), "{}", early.all());
        let seen = user.run(&["wait", &id]);
        assert_eq!(seen.code, Some(0), "{}", seen.all());
        let late = user.run(&["cancel", &id]);
        assert_eq!(late.code, Some(2), "{}", late.all());
        for words in [
            &format!("{provider}/{id} cannot be cancelled any more: it is completed"),
            &format!("snapexport status {provider}/{id}"),
            instead,
        ] {
            assert!(late.stderr.contains(words), "{words}: {}", late.all());
        }
        assert!(!late.stderr.contains("let it end"), "{}", late.all());
    }
}
