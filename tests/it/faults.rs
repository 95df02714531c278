//! The program when clouds and networks misbehave: what it says, how it exits, and how many exports were really started.
//!
//! Every test runs the real program against each cloud of the sandbox, side by side, with the faults of a table.

use std::time::{Duration, Instant};

use snapexport::sandbox::faults::Fault;
use snapexport::sandbox::{Options, World};

use crate::canned::{Answer, Canned};
use crate::program::{Clouds, Ran, User};

/// An export that ends within a test.
const QUICK: Duration = Duration::from_millis(800);
/// An export that does not end within a test.
const LONG: Duration = Duration::from_secs(1000);

/// Ten times the delay of the tests' clouds: then a start that is not listed never was.
const CLOSING: Duration = Duration::from_secs(10);

/// A cloud, as the tests speak to it.
struct Cloud {
    name: &'static str,
    export: &'static [&'static str],
    /// An export that fails.
    failing: &'static [&'static str],
    /// The call that starts an export,
    start: &'static str,
    /// the one that lists exports,
    list: &'static str,
    /// and the one that looks at a task.
    look: &'static str,
    starts: fn(&World) -> u64,
}

static CLOUDS: [Cloud; 3] = [
    Cloud {
        name: "outscale",
        export: &["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"],
        failing: &["export", "outscale", "snap-deadbeef", "--bucket", "demo"],
        start: "CreateSnapshotExportTask",
        list: "ReadSnapshotExportTasks",
        look: "ReadSnapshotExportTasks",
        starts: |world| world.outscale.starts,
    },
    Cloud {
        name: "lightsail",
        export: &["export", "lightsail", "web-1"],
        failing: &["export", "lightsail", "broken-1"],
        start: "ExportSnapshot",
        list: "GetExportSnapshotRecords",
        look: "GetOperation",
        starts: |world| world.lightsail.starts,
    },
    Cloud {
        name: "rackspace",
        export: &[
            "export",
            "rackspace",
            "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
            "--container",
            "exports",
        ],
        failing: &[
            "export",
            "rackspace",
            "deadbeef-0bad-4dad-8bad-c0ffee000bad",
            "--container",
            "exports",
        ],
        start: "create task",
        list: "list tasks",
        look: "show task",
        starts: |world| world.rackspace.starts,
    },
];

/// A cloud of a test's own, with faults, and its user.
struct Stage {
    cloud: &'static Cloud,
    clouds: Clouds,
    user: User,
}

impl Stage {
    /// `faults` are of the form `CALL:ATTEMPT:WHAT`, where `start`, `list` and `look` stand for the cloud's own calls.
    fn of(cloud: &'static Cloud, duration: Duration, faults: &[&str]) -> Self {
        let faults = faults.iter().map(|fault| parse(cloud, fault)).collect();
        let clouds = Clouds::start_with(Options {
            duration,
            faults,
            ..Options::default()
        });
        let user = User::of(&clouds);
        Stage {
            cloud,
            clouds,
            user,
        }
    }

    /// From now on this goes wrong, and only this.
    fn now_with(self, fault: &str) -> Self {
        self.clouds.set_faults(vec![parse(self.cloud, fault)]);
        self
    }

    fn export(&self, more: &[&str]) -> Ran {
        self.user.run(&[self.cloud.export, more].concat())
    }

    fn starts(&self) -> u64 {
        self.clouds.world(|world| (self.cloud.starts)(world))
    }

    fn count(&self, call: &str) -> u32 {
        let call = own(self.cloud, call);
        self.clouds
            .world(|world| world.rehearsal.count(self.cloud.name, call))
    }

    /// The export was adopted or started: exit code 0, one id, one start.
    #[track_caller]
    fn is_started_once(&self, ran: &Ran) -> String {
        let id = ran.id();
        assert_eq!(self.starts(), 1, "{}", self.told(ran));
        id
    }

    /// It failed with this exit code and kind, and these words.
    #[track_caller]
    fn failed(&self, ran: &Ran, code: i32, words: &str) {
        assert_eq!(ran.code, Some(code), "{}", self.told(ran));
        assert!(
            ran.stderr.contains(words),
            "no '{words}': {}",
            self.told(ran)
        );
    }

    fn told(&self, ran: &Ran) -> String {
        format!("{}: {}", self.cloud.name, ran.all())
    }
}

fn own<'a>(cloud: &Cloud, call: &'a str) -> &'a str {
    match call {
        "start" => cloud.start,
        "list" => cloud.list,
        "look" => cloud.look,
        other => other,
    }
}

fn parse(cloud: &Cloud, text: &str) -> Fault {
    if text.starts_with("oos:") {
        return text.parse().expect(text);
    }
    let (call, rest) = text.split_once(':').expect("a call");
    let text = format!("{}:{}:{rest}", cloud.name, own(cloud, call));
    text.parse().expect(&text)
}

/// Runs a scene on every cloud, side by side: most of it is waiting.
fn on_every_cloud(scene: impl Fn(&'static Cloud) + Sync) {
    std::thread::scope(|scope| {
        for cloud in &CLOUDS {
            let scene = &scene;
            std::thread::Builder::new()
                .name(cloud.name.into())
                .spawn_scoped(scope, move || scene(cloud))
                .expect("a thread");
        }
    });
}

/// Every fault of a table on every cloud, side by side too.
fn each(faults: &[&str], scene: impl Fn(&'static Cloud, &str) + Sync) {
    std::thread::scope(|scope| {
        for cloud in &CLOUDS {
            for fault in faults {
                let scene = &scene;
                std::thread::Builder::new()
                    .name(format!("{} {fault}", cloud.name))
                    .spawn_scoped(scope, move || scene(cloud, fault))
                    .expect("a thread");
            }
        }
    });
}

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
    // Half a minute each until the client gives up: all of them side by side.
    std::thread::scope(|scope| {
        for cloud in &CLOUDS {
            scope.spawn(move || {
                let stage = Stage::of(cloud, LONG, &["start:1:silence-after"]);
                stage.is_started_once(&stage.export(&[]));
                assert_eq!(stage.count("start"), 1);
            });
            scope.spawn(move || {
                let stage = Stage::of(cloud, LONG, &["start:1:silence-before"]);
                stage.failed(&stage.export(&[]), 6, "is not known");
                assert_eq!((stage.starts(), stage.count("start")), (0, 1));
                // Waiting for a reply took longer than any listing would.
                stage.is_started_once(&stage.export(&[]));
            });
        }
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
            stage.failed(&ran, 6, "is not known");
            assert_eq!(ran.json_error()["kind"], "maybe_started", "{fault}");
            assert_eq!(ran.stdout, "", "{fault}");
            assert_eq!((stage.starts(), stage.count("start")), (0, 1), "{fault}");
            // Too early to be sure.
            let next = stage.export(&[]);
            stage.failed(&next, 6, "the cloud does not list it so far");
            assert_eq!(stage.count("start"), 1, "{fault}");
            let status = stage.user.run(&["status"]);
            stage.failed(&status, 0, "whether it was started is not known");
            std::thread::sleep(CLOSING);
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
        stage.failed(&stage.export(&[]), 6, "--new starts another at once");
        stage.is_started_once(&stage.export(&["--new"]));
    });
}

#[test]
fn status_says_when_a_lost_start_was_none() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.failed(&stage.export(&[]), 6, "is not known");
        std::thread::sleep(CLOSING);
        stage.failed(&stage.user.run(&["status"]), 0, "was never started");
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
        stage.failed(&ran, 6, "without a journal nothing remembers this");
    });
}

#[test]
fn a_start_that_is_listed_late_is_exit_code_6_and_adopted_by_the_next_export_that_sees_it() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-after", "start:1:unlisted=5"]);
        stage.failed(&stage.export(&[]), 6, "is not known");
        assert_eq!(stage.starts(), 1);
        let status = stage.user.run(&["status"]);
        stage.failed(&status, 0, "whether it was started is not known");
        stage.failed(&stage.export(&[]), 6, "does not list it so far");
        std::thread::sleep(Duration::from_secs(4));
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
        std::thread::sleep(Duration::from_millis(1500));
        let ran = stage.export(&["-o", "json"]);
        if cloud.look == cloud.list {
            stage.failed(&ran, 1, &id);
            assert_eq!(ran.json_error()["kind"], "conflict");
        } else {
            // Asked for by its id, the cloud knows it.
            stage.failed(&ran, 0, "Already under way, adopted");
        }
        assert_eq!(stage.starts(), 1, "{}", stage.told(&ran));
        std::thread::sleep(Duration::from_secs(4));
        assert_eq!(stage.is_started_once(&stage.export(&[])), id);
    });
}

#[test]
fn a_task_that_the_cloud_has_forgotten_keeps_nobody_from_starting_again() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        stage.is_started_once(&stage.export(&[]));
        stage.clouds.world(|world| *world = World::default());
        std::thread::sleep(CLOSING);
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
        stage.failed(&stage.user.run(&export), 6, "is not known");
        std::thread::sleep(Duration::from_secs(4));
        let ran = stage.user.run(&export);
        stage.failed(&ran, 0, "starting another");
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
        stage.failed(&stage.export(&[]), 6, "is not known");
        std::thread::sleep(Duration::from_secs(4));
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
        stage.failed(&stage.export(&[]), 6, "is not known");
        std::thread::sleep(Duration::from_secs(3));
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
        let stage = Stage::of(cloud, LONG, &["start:1-3:throttle"]);
        let ran = stage.export(&["-o", "json"]);
        stage.failed(&ran, 1, "");
        assert_eq!(
            ran.json_error()["kind"],
            "rate_limited",
            "{}",
            stage.told(&ran)
        );
        assert_eq!((stage.starts(), stage.count("start")), (0, 3));
        stage.is_started_once(&stage.export(&[]));
    });
}

#[test]
fn a_start_is_not_sent_again_where_the_cloud_asks_for_minutes() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:throttle=120"]);
        let began = Instant::now();
        stage.failed(&stage.export(&[]), 1, "");
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
            stage.failed(&stage.export(&[]), 4, "");
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
        stage.failed(&stage.export(&[]), 1, "redirect");
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
            "list:*:throttle",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            stage.failed(&stage.export(&[]), 1, "");
            assert_eq!((stage.starts(), stage.count("start")), (0, 0), "{fault}");
        },
    );
}

// --- waits

#[test]
fn no_fault_of_a_few_looks_ends_a_wait() {
    each(
        &[
            "look:2-6:throttle",
            "look:2-6:status=500",
            "look:2-6:status=503",
            "look:2-6:reset-before",
            "look:2-6:reset-after",
            "look:2-6:truncate",
            "look:2-4:garbage",
            "look:2-4:redirect=http://127.0.0.1:9/",
            "look:2:delay=1s",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, QUICK, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            // The same clouds go wrong only now: the counts begin with the faults.
            let stage = stage.now_with(fault);
            let ran = stage.user.run(&["wait", &id]);
            assert_eq!(ran.code, Some(0), "{fault} {}", stage.told(&ran));
            assert!(
                ran.stdout.contains("completed"),
                "{fault} {}",
                stage.told(&ran)
            );
        },
    );
}

#[test]
fn export_wait_survives_faults_of_its_looks() {
    each(
        &[
            "look:4-6:reset-before",
            "look:4-6:status=500",
            "look:4-6:garbage",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, QUICK, &[fault]);
            let ran = stage.export(&["--wait"]);
            stage.is_started_once(&ran);
            assert!(
                ran.stderr.contains("completed"),
                "{fault} {}",
                stage.told(&ran)
            );
        },
    );
}

#[test]
fn a_wait_whose_cloud_falls_silent_ends_at_its_limit_and_not_with_a_failure() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["look:5+:silence-before"]);
        let id = stage.is_started_once(&stage.export(&[]));
        let began = Instant::now();
        let ran = stage
            .user
            .run(&["wait", &id, "--timeout", "2s", "--interval", "200ms"]);
        stage.failed(&ran, 124, "resume with: snapexport wait");
        assert!(began.elapsed() < Duration::from_secs(14), "{}", cloud.name);
    });
}

#[test]
fn a_wait_that_never_has_an_answer_says_that_nothing_is_known() {
    each(
        &[
            "look:*:reset-before",
            "look:*:status=500",
            "look:*:silence-before",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            let stage = stage.now_with(fault);
            let ran = stage
                .user
                .run(&["wait", &id, "--timeout", "1s", "-o", "json"]);
            stage.failed(&ran, 1, "nothing is known of");
            assert!(
                ran.stderr.contains("try again with: snapexport wait"),
                "{}",
                stage.told(&ran)
            );
        },
    );
}

#[test]
fn a_refused_key_ends_a_wait_after_one_request() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        let id = stage.is_started_once(&stage.export(&[]));
        let stage = stage.now_with("look:*:status=401");
        stage.failed(&stage.user.run(&["wait", &id]), 4, "");
        let most = if cloud.name == "rackspace" { 2 } else { 1 };
        assert_eq!(stage.count("look"), most, "{}", cloud.name);
    });
}

#[test]
fn a_new_task_that_is_not_listed_yet_is_waited_for() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, QUICK, &["start:1:unlisted=2"]);
        let ran = stage.export(&["--wait"]);
        let id = stage.is_started_once(&ran);
        assert!(ran.stderr.contains("completed"), "{}", stage.told(&ran));
        let stage = Stage::of(cloud, QUICK, &["start:1:unlisted=2"]);
        let other = stage.is_started_once(&stage.export(&[]));
        assert_ne!(other, id);
        let ran = stage.user.run(&["wait", &other]);
        assert_eq!(ran.code, Some(0), "{}", stage.told(&ran));
    });
}

// --- status

#[test]
fn status_asks_again_after_a_passing_fault() {
    each(
        &[
            "look:1:throttle",
            "look:1:status=500",
            "look:1:status=503",
            "look:1:reset-before",
            "look:1:reset-after",
            "look:1:truncate",
            "look:1:delay=1s",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            let stage = stage.now_with(fault);
            let ran = stage.user.run(&["status", &id, "-q"]);
            assert_eq!(ran.code, Some(0), "{fault} {}", stage.told(&ran));
            assert_eq!(ran.stdout, format!("{id}\n"), "{fault}");
        },
    );
}

#[test]
fn status_of_a_cloud_that_is_out_of_order_is_an_error_and_shows_what_is_remembered() {
    each(
        &[
            "look:*:throttle",
            "look:*:status=500",
            "look:*:reset-before",
            "look:*:truncate",
            "look:*:garbage",
            "look:*:redirect=http://127.0.0.1:9/",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            let stage = stage.now_with(fault);
            let named = stage.user.run(&["status", &id]);
            stage.failed(&named, 1, "error:");
            let listed = stage.user.run(&["status", "-q"]);
            stage.failed(&listed, 1, "error:");
            assert_eq!(
                listed.stdout,
                format!("{id}\n"),
                "{fault} {}",
                stage.told(&listed)
            );
        },
    );
}

// --- credentials that run out

#[test]
fn an_expired_rackspace_token_is_renewed_once_wherever_it_expires() {
    let cloud = &CLOUDS[2];
    let logins = |stage: &Stage| stage.clouds.world(|world| world.rackspace.logins);
    for fault in ["start:1:expire", "list:1:expire", "show image:1:expire"] {
        let stage = Stage::of(cloud, LONG, &[fault]);
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(logins(&stage), 2, "{fault}");
    }
    let stage = Stage::of(cloud, QUICK, &["look:3:expire"]);
    let ran = stage.export(&["--wait"]);
    stage.is_started_once(&ran);
    assert_eq!(logins(&stage), 2);
    let stage = Stage::of(cloud, LONG, &["look:1:expire"]);
    let id = stage.is_started_once(&stage.export(&[]));
    let status = stage.user.run(&["status", &id, "-q"]);
    assert_eq!(status.stdout, format!("{id}\n"), "{}", stage.told(&status));
    assert_eq!(logins(&stage), 2);
}

#[test]
fn expired_keys_are_exit_code_4_and_the_export_goes_on() {
    for cloud in &CLOUDS[..2] {
        let stage = Stage::of(cloud, LONG, &["start:1:expire"]);
        stage.failed(&stage.export(&[]), 4, "");
        assert_eq!((stage.starts(), stage.count("start")), (0, 1));
        let id = stage.is_started_once(&stage.export(&[]));
        let stage = stage.now_with("look:2+:expire");
        let ran = stage.user.run(&["wait", &id, "--interval", "100ms"]);
        stage.failed(&ran, 4, "");
        assert_eq!(stage.count("look"), 2, "{}", cloud.name);
        let status = stage.user.run(&["status", &id]);
        stage.failed(&status, 4, "");
        assert_eq!(stage.starts(), 1);
    }
}

#[test]
fn a_start_refused_for_its_token_is_not_called_unknown_when_the_new_login_fails() {
    let cloud = &CLOUDS[2];
    for fault in ["login:2+:reset-before", "login:2+:status=500"] {
        let stage = Stage::of(cloud, LONG, &["start:1:expire", fault]);
        stage.failed(&stage.export(&[]), 1, "error:");
        assert_eq!(stage.starts(), 0, "{fault}");
        // Surely not executed, so that another attempt is allowed: with the token that is refused.
        assert!(stage.count("start") <= 3, "{fault}");
        let stage = stage.now_with("list:9:throttle");
        stage.is_started_once(&stage.export(&[]));
    }
}

#[test]
fn a_redirected_login_takes_no_credentials_elsewhere() {
    let elsewhere = Canned::start(vec![Answer::json(200, "{}")]);
    let fault = format!("login:*:redirect=http://{}/", elsewhere.address);
    let stage = Stage::of(&CLOUDS[2], LONG, &[&fault]);
    stage.failed(&stage.export(&[]), 1, "redirect");
    assert_eq!((stage.count("login"), stage.starts()), (1, 0));
    assert_eq!(elsewhere.requests(), [""; 0]);
}

#[test]
fn a_rackspace_login_is_repeated_after_a_passing_fault_and_never_after_a_refusal() {
    let cloud = &CLOUDS[2];
    for fault in [
        "login:1:throttle",
        "login:1:status=503",
        "login:1:reset-before",
        "login:1:reset-after",
        "login:1:truncate",
    ] {
        let stage = Stage::of(cloud, LONG, &[fault]);
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(stage.count("login"), 2, "{fault}");
    }
    for (fault, code, count) in [
        ("login:*:status=401", 4, 2),
        ("login:*:status=403", 4, 1),
        ("login:*:status=500", 1, 3),
        ("login:*:garbage", 1, 1),
    ] {
        let stage = Stage::of(cloud, LONG, &[fault]);
        stage.failed(&stage.export(&[]), code, "");
        assert_eq!((stage.starts(), stage.count("start")), (0, 0), "{fault}");
        assert!(
            stage.count("login") <= count,
            "{fault}: {}",
            stage.count("login")
        );
    }
}

// --- what stands beside the export

#[test]
fn an_object_store_out_of_order_keeps_no_export_from_its_end() {
    for (cloud, fault) in [
        (&CLOUDS[0], "oos:*:*:status=503"),
        (&CLOUDS[0], "oos:*:*:reset-before"),
        (&CLOUDS[0], "oos:*:*:garbage"),
        (&CLOUDS[0], "oos:*:*:status=403"),
        (&CLOUDS[2], "look at container:*:status=503"),
        (&CLOUDS[2], "look at container:*:reset-before"),
        (&CLOUDS[2], "look at object:*:status=503"),
    ] {
        let stage = Stage::of(cloud, QUICK, &[fault]);
        let ran = stage.export(&["--wait", "-o", "json"]);
        assert_eq!(ran.code, Some(0), "{fault} {}", stage.told(&ran));
        assert_eq!(stage.starts(), 1, "{fault}");
        assert_eq!(ran.json()[0]["state"], "completed", "{fault}");
        // Rackspace's task says where the object lies; at OUTSCALE it is known by rule until it was seen.
        assert_eq!(
            ran.json()[0]["artifact"]["exact"],
            cloud.name == "rackspace",
            "{fault} {}",
            stage.told(&ran)
        );
    }
}

// --- rehearsals

#[test]
fn a_fault_file_counts_attempts_over_processes() {
    let user = User::new();
    let path = user.home.path().join("faults.toml");
    std::fs::write(
        &path,
        "[[fault]]\nprovider = \"outscale\"\ncall = \"CreateSnapshotExportTask\"\nattempt = \"2\"\nwhat = \"status=401\"\n",
    )
    .expect("written");
    let user = user
        .with("SNAPEXPORT_SANDBOX_FAULTS", path.to_str().expect("UTF-8"))
        .with("SNAPEXPORT_SANDBOX_DURATION", "1000s");
    let export = |snapshot: &str| {
        user.run(&[
            "--sandbox",
            "export",
            "outscale",
            snapshot,
            "--bucket",
            "demo",
        ])
        .code
    };
    assert_eq!(export("snap-0a1b2c3d"), Some(0));
    assert_eq!(export("snap-1b2c3d4e"), Some(4));
    assert_eq!(export("snap-1b2c3d4e"), Some(0));
    // Without the faults in between, a rehearsal begins anew.
    let plain = user.without("SNAPEXPORT_SANDBOX_FAULTS");
    assert_eq!(plain.run(&["--sandbox", "list", "outscale"]).code, Some(0));
    let user = plain.with("SNAPEXPORT_SANDBOX_FAULTS", path.to_str().expect("UTF-8"));
    let again = user.run(&[
        "--sandbox",
        "export",
        "outscale",
        "snap-2c3d4e5f",
        "--bucket",
        "demo",
    ]);
    assert_eq!(again.code, Some(0), "{}", again.all());
}

#[test]
fn a_fault_that_means_nothing_is_a_usage_error_that_names_it() {
    let user = User::new();
    let ran = user.run(&[
        "sandbox",
        "--fault",
        "outscale:Create:1:throttle",
        "--",
        "true",
    ]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stderr.contains("'Create'"), "{}", ran.all());
    let path = user.home.path().join("faults.toml");
    std::fs::write(
        &path,
        "[[fault]]\nprovider = \"oos\"\ncall = \"*\"\nattempt = 0\nwhat = \"throttle\"\n",
    )
    .expect("written");
    let path = path.to_str().expect("UTF-8").to_owned();
    for ran in [
        user.run(&["sandbox", "--faults", &path, "--", "true"]),
        user.with("SNAPEXPORT_SANDBOX_FAULTS", &path)
            .run(&["--sandbox", "list", "outscale"]),
    ] {
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains("oos:*:0:throttle"), "{}", ran.all());
    }
}

#[test]
fn scripts_can_be_rehearsed_with_faults_on_the_command_line() {
    let user = User::new();
    let program = crate::program::program().to_str().expect("UTF-8");
    let script = format!(
        "{program} export lightsail web-1 >&2; echo $?; {program} export lightsail web-1 >&2; echo $?"
    );
    let ran = user.run(&[
        "sandbox",
        "--duration",
        "1000s",
        "--fault",
        "lightsail:ExportSnapshot:1:reset-before",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.stdout, "6\n6\n", "{}", ran.all());
}
