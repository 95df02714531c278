//! Starts when clouds and networks misbehave: what is said, how it exits, and how many exports were really started.
//!
//! Every test runs the real program against each cloud of the sandbox, side by side, with the faults of a table.

use std::time::{Duration, Instant};

use serde_json::Value;
use snapexport_sandbox::World;

use crate::canned::{Answer, Canned};
use crate::program::Ran;
use crate::stage::{CLOSING, CLOUDS, LONG, QUICK, Stage, each, on_every_cloud};

// --- a start whose reply is lost

#[test]
fn a_start_that_was_executed_before_its_reply_was_lost_is_adopted_and_not_sent_again() {
    each(
        &["start:1:reset-after", "start:1:truncate", "start:1:no-task"],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            let id = stage.is_started_once(&stage.export(&[]));
            assert_eq!(stage.count("start"), 1, "{fault}");
            // The same again is the same task.
            assert_eq!(stage.is_started_once(&stage.export(&[])), id);
            let status = stage.user.run(&["status", "-q"]);
            assert_eq!(status.stdout, format!("{id}\n"), "{}", stage.told(&status));
        },
    );
}

#[test]
fn a_start_without_answer_is_adopted_if_it_was_executed_and_doubted_if_not() {
    each(&["start:1:silence-after"], |cloud, fault| {
        let stage = Stage::of(cloud, LONG, &[fault]).in_haste();
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(stage.count("start"), 1);
    });
    each(&["start:1:silence-before"], |cloud, fault| {
        let stage = Stage::of(cloud, LONG, &[fault]).in_haste();
        stage.says(&stage.export(&[]), 6, "is not known");
        assert_eq!((stage.starts(), stage.count("start")), (0, 1));
        stage.later(CLOSING);
        stage.is_started_once(&stage.export(&[]));
    });
}

#[test]
fn a_start_of_which_nobody_knows_is_exit_code_6_until_the_cloud_would_list_it_and_then_started() {
    each(
        &[
            "start:1:reset-before",
            "start:1:status=500",
            "start:1:status=502",
            "start:1:garbage",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            let ran = stage.export(&["-o", "json"]);
            stage.says(&ran, 6, "is not known");
            assert_eq!(ran.json_error()["kind"], "maybe_started", "{fault}");
            let item = &ran.json()[0];
            assert_eq!(
                (&item["task_id"], &item["state"]),
                (&Value::Null, &"unknown".into()),
                "{fault}"
            );
            assert_eq!((stage.starts(), stage.count("start")), (0, 1), "{fault}");
            // Too early to be sure.
            let next = stage.export(&[]);
            stage.says(&next, 6, "the cloud does not list it so far");
            assert_eq!(stage.count("start"), 1, "{fault}");
            let status = stage.user.run(&["status"]);
            stage.says(&status, 0, "whether it was started is not known");
            stage.later(CLOSING);
            let next = stage.export(&[]);
            stage.is_started_once(&next);
            assert_eq!(stage.count("start"), 2, "{fault}");
        },
    );
}

#[test]
fn a_start_of_which_nobody_knows_is_started_at_once_where_it_is_asked_for() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "--new starts another at once");
        stage.is_started_once(&stage.export(&["--new"]));
    });
}

#[test]
fn status_says_when_a_lost_start_was_none() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        stage.later(CLOSING);
        stage.says(&stage.user.run(&["status"]), 0, "was never started");
        let status = stage.user.run(&["status"]);
        assert!(
            !status.stderr.contains("begun at"),
            "{}",
            stage.told(&status)
        );
    });
}

#[test]
fn without_a_journal_a_lost_start_is_doubted_and_the_user_told_to_look() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        let ran = stage.export(&["--no-journal"]);
        stage.says(&ran, 6, "without a journal nothing remembers this");
    });
}

#[test]
fn a_start_that_is_listed_late_is_exit_code_6_and_adopted_by_the_next_export_that_sees_it() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-after", "start:1:unlisted=5"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        assert_eq!(stage.starts(), 1);
        let status = stage.user.run(&["status"]);
        stage.says(&status, 0, "whether it was started is not known");
        stage.says(&stage.export(&[]), 6, "does not list it so far");
        stage.later(Duration::from_secs(4));
        let next = stage.export(&[]);
        stage.is_started_once(&next);
        assert!(next.stderr.contains("adopted"), "{}", stage.told(&next));
        assert_eq!(stage.count("start"), 1);
    });
}

#[test]
fn a_start_that_was_answered_and_is_not_listed_is_not_doubled() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:unlisted=5"]);
        let id = stage.export(&[]).id();
        // At first that is what clouds do.
        assert_eq!(stage.is_started_once(&stage.export(&[])), id);
        stage.later(Duration::from_millis(1500));
        let ran = stage.export(&["-o", "json"]);
        if cloud.look == cloud.list {
            stage.says(&ran, 1, &id);
            assert_eq!(ran.json_error()["kind"], "conflict");
        } else {
            // Asked for by its id, the cloud knows it.
            stage.says(&ran, 0, "Already under way, adopted");
        }
        assert_eq!(stage.starts(), 1, "{}", stage.told(&ran));
        stage.later(Duration::from_secs(4));
        assert_eq!(stage.is_started_once(&stage.export(&[])), id);
    });
}

#[test]
fn a_task_that_the_cloud_has_forgotten_keeps_nobody_from_starting_again() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        stage.is_started_once(&stage.export(&[]));
        stage.clouds.world(|world| *world = World::default());
        stage.later(CLOSING);
        stage.is_started_once(&stage.export(&[]));
    });
}

#[test]
fn a_lost_start_that_failed_since_is_said_and_started_again() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(
            cloud,
            Duration::from_secs(2),
            &["start:1:reset-after", "start:1:unlisted=4"],
        );
        let export = [cloud.failing, &["-o", "json"][..]].concat();
        stage.says(&stage.user.run(&export), 6, "is not known");
        stage.later(Duration::from_secs(4));
        let ran = stage.user.run(&export);
        stage.says(&ran, 0, "starting another");
        assert!(ran.stderr.contains("failed"), "{}", stage.told(&ran));
        assert_eq!(stage.starts(), 2);
    });
}

#[test]
fn a_lost_start_that_completed_since_is_adopted_as_done() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(
            cloud,
            Duration::from_secs(2),
            &["start:1:reset-after", "start:1:unlisted=4"],
        );
        stage.says(&stage.export(&[]), 6, "is not known");
        stage.later(Duration::from_secs(4));
        let ran = stage.export(&[]);
        stage.is_started_once(&ran);
        assert!(
            ran.stderr.contains("Already done, adopted"),
            "{}",
            stage.told(&ran)
        );
        assert!(!ran.stderr.contains("Wait for it"), "{}", stage.told(&ran));
    });
}

#[test]
fn status_finds_what_became_of_a_start_whose_reply_was_lost() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-after", "start:1:unlisted=3"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        stage.later(Duration::from_secs(3));
        let status = stage.user.run(&["status", "-q"]);
        assert_eq!(status.code, Some(0), "{}", stage.told(&status));
        assert_eq!(status.stdout.lines().count(), 1, "{}", stage.told(&status));
        let next = stage.export(&[]);
        assert_eq!(stage.is_started_once(&next), status.stdout.trim());
    });
}

#[test]
fn a_lost_reply_does_not_keep_export_wait_from_its_end() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, QUICK, &["start:1:reset-after"]);
        let ran = stage.export(&["--wait"]);
        stage.is_started_once(&ran);
        assert!(ran.stderr.contains("completed"), "{}", stage.told(&ran));
    });
}

/// An export that is interrupted as soon as its start has arrived.
#[cfg(unix)]
fn interrupted_in_its_start(stage: &Stage, signals: usize) -> (Ran, Option<i32>) {
    let child = stage
        .user
        .command(stage.cloud.export)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    while stage.count("start") == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = rustix::process::Pid::from_child(&child);
    for _ in 0..signals {
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it lives");
        std::thread::sleep(Duration::from_millis(300));
    }
    let output = child.wait_with_output().expect("it ends");
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    (Ran::from(output, stage.cloud.export), signal)
}

#[cfg(unix)]
#[test]
fn an_interrupt_during_a_start_waits_for_its_reply_and_says_the_id() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:delay=2s"]);
        let (ran, signal) = interrupted_in_its_start(&stage, 1);
        assert_eq!(signal, Some(2), "{}", stage.told(&ran));
        assert!(
            ran.stderr.contains("waiting for its reply"),
            "{}",
            stage.told(&ran)
        );
        let id = ran.stdout.trim();
        assert!(!id.is_empty(), "{}", stage.told(&ran));
        assert_eq!(stage.is_started_once(&stage.export(&[])), id);
    });
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_leaves_at_once_and_the_next_export_adopts() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:silence-after"]);
        let began = Instant::now();
        let (ran, signal) = interrupted_in_its_start(&stage, 2);
        assert_eq!(signal, Some(2), "{}", stage.told(&ran));
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{}",
            stage.told(&ran)
        );
        let next = stage.export(&[]);
        stage.is_started_once(&next);
        assert!(next.stderr.contains("adopted"), "{}", stage.told(&next));
    });
}

// --- a start that was surely not executed

#[test]
fn a_throttled_start_is_sent_again_after_the_pause_the_cloud_asks_for() {
    each(
        &["start:1:throttle", "start:1:throttle=2"],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            let began = Instant::now();
            stage.is_started_once(&stage.export(&[]));
            assert_eq!(stage.count("start"), 2, "{fault}");
            let pause = if fault.ends_with("=2") { 2 } else { 1 };
            assert!(
                began.elapsed() >= Duration::from_secs(pause),
                "{}: {fault}",
                cloud.name
            );
        },
    );
}

#[test]
fn a_start_that_stays_throttled_is_given_up_and_started_by_the_next_export() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:*:throttle"]);
        let ran = stage.export(&["-o", "json", "--timeout", "2s"]);
        stage.says(&ran, 1, "");
        assert_eq!(
            ran.json_error()["kind"],
            "rate_limited",
            "{}",
            stage.told(&ran)
        );
        assert_eq!((stage.starts(), stage.count("start")), (0, 2));
        let stage = stage.now_with("start:9:throttle");
        stage.is_started_once(&stage.export(&[]));
    });
}

#[test]
fn a_start_is_not_sent_again_where_the_cloud_asks_for_more_time_than_there_is() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:throttle=120"]);
        let began = Instant::now();
        stage.says(&stage.export(&["--timeout", "1m"]), 1, "a pause of 2m");
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!((stage.starts(), stage.count("start")), (0, 1));
    });
}

#[test]
fn refused_credentials_are_never_tried_again() {
    each(
        &["start:*:status=401", "list:*:status=401"],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            stage.says(&stage.export(&[]), 4, "");
            assert_eq!(stage.starts(), 0, "{fault}");
            // Rackspace's token may be a stale one: a new login, then once more.
            let most = if cloud.name == "rackspace" { 2 } else { 1 };
            let call = fault.split(':').next().expect("a call");
            assert_eq!(stage.count(call), most, "{}: {fault}", cloud.name);
        },
    );
}

#[test]
fn a_redirected_start_goes_nowhere_else() {
    each(&["start", "list"], |cloud, call| {
        let elsewhere = Canned::start(vec![Answer::json(200, "{}")]);
        let fault = format!("{call}:*:redirect=http://{}/", elsewhere.address);
        let stage = Stage::of(cloud, LONG, &[&fault]);
        stage.says(&stage.export(&[]), 1, "redirect");
        assert_eq!(stage.starts(), 0, "{call}");
        assert_eq!(stage.count(call), 1, "{call}");
        assert_eq!(elsewhere.requests(), [""; 0], "{call}");
    });
}

#[test]
fn a_slow_start_is_waited_for() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:delay=3s"]);
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(stage.count("start"), 1);
    });
}

// --- reads before a start

#[test]
fn reads_before_a_start_are_repeated_after_a_passing_fault() {
    each(
        &[
            "list:1:throttle",
            "list:1:status=500",
            "list:1:status=503",
            "list:1:reset-before",
            "list:1:reset-after",
            "list:1:truncate",
            "list:1:delay=1s",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            stage.is_started_once(&stage.export(&[]));
            assert!(
                stage.count("list") >= 2 || fault.contains("delay"),
                "{fault}"
            );
        },
    );
}

#[test]
fn nothing_is_started_where_the_cloud_cannot_be_asked_first() {
    each(
        &[
            "list:*:status=500",
            "list:*:reset-before",
            "list:*:garbage",
            "list:*:truncate",
            "list:*:throttle=1000",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            stage.says(&stage.export(&[]), 1, "");
            assert_eq!((stage.starts(), stage.count("start")), (0, 0), "{fault}");
        },
    );
}

#[test]
fn however_the_same_export_is_written_it_is_one() {
    for (first, second) in [
        (&["--prefix", ""][..], &[][..]),
        (&[], &["--prefix", ""]),
        (&["--manifest-url", "https://host.example/m"], &[]),
        (&[], &["--manifest-url", "https://host.example/m"]),
    ] {
        let stage = Stage::of(&CLOUDS[0], LONG, &[]);
        let id = stage.export(first).id();
        let again = stage.export(second);
        assert_eq!(again.id(), id, "{}", stage.told(&again));
        assert_eq!(stage.starts(), 1);
        // The same where the reply was lost.
        let stage = Stage::of(
            &CLOUDS[0],
            LONG,
            &["start:1:reset-after", "start:1:unlisted=3"],
        );
        stage.says(&stage.export(first), 6, "is not known");
        stage.says(&stage.export(second), 6, "does not list it so far");
        stage.later(Duration::from_secs(3));
        stage.is_started_once(&stage.export(second));
    }
}
