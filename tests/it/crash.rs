//! Killed at any moment, or many at once: nothing is started twice, nothing is lost.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use snapexport_sandbox::World;

use crate::program::{Ran, User};
use crate::stage::{CLOSING, LONG, Stage, each, on_every_cloud};

/// Where the random moments come from; a failure can be repeated with it.
const SEED: u64 = 0x5eed_2026;
/// Kills on each cloud.
const ROUNDS: u32 = 40;

/// A number that follows from the last (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// An export that nobody listens to.
fn spawn(stage: &Stage) -> Child {
    stage
        .user
        .command(stage.cloud.export)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs")
}

/// A user who waits less for what is not listed yet, and knows sooner.
fn hurried(stage: &Stage) -> User {
    User::of(&stage.clouds).with("SNAPEXPORT_VISIBILITY", "300ms")
}

/// Until so many starts have arrived, then no longer.
fn kill_at(stage: &Stage, mut child: Child, count: u32) {
    stage.wait_for_starts(count);
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
}

/// Exports again; where nobody knows yet what became of the one before, once more when that is past doubt.
fn until_sure(stage: &Stage) -> Ran {
    let ran = stage.export(&[]);
    if ran.code != Some(6) {
        return ran;
    }
    stage.later(CLOSING);
    stage.export(&[])
}

/// Whether the journal can be read, and what it knows.
fn journal(user: &User) -> Vec<String> {
    let path = user.state().join("journal.db");
    assert!(no_damage(&user.state()), "a journal was moved aside");
    let journal = snapexport::journal::Journal::open(&path)
        .expect("it opens")
        .journal;
    journal.check().expect("it is whole");
    assert_eq!(
        journal.intents().expect("it reads"),
        [],
        "an intent was left open"
    );
    let started = journal.started(None).expect("it reads");
    started
        .into_iter()
        .map(|entry| entry.task.id.to_string())
        .collect()
}

fn no_damage(state: &Path) -> bool {
    std::fs::read_dir(state)
        .expect("a directory")
        .flatten()
        .all(|entry| !entry.file_name().to_string_lossy().contains("damaged"))
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "cargo shows it where the test fails: what it takes to repeat it"
)]
fn a_kill_at_any_moment_loses_no_export_and_doubles_none() {
    println!("seed {SEED:#x}, {ROUNDS} rounds");
    let killed_before_any_start = AtomicU32::new(0);
    on_every_cloud(|cloud| {
        let mut stage = Stage::of(cloud, LONG, &[]);
        // The moments are spread over all that an export does, however slow the machine is.
        let began = Instant::now();
        stage.is_started_once(&stage.export(&[]));
        let whole = began.elapsed();
        let mut random = SEED;
        for round in 0..ROUNDS {
            stage.clouds.world(|world| *world = World::default());
            stage.user = hurried(&stage);
            let moment = whole.mul_f64((next(&mut random) % 1000) as f64 / 1000.0);
            let mut child = spawn(&stage);
            std::thread::sleep(moment);
            child.kill().expect("it is ours");
            let status = child.wait().expect("it ends");
            if status.code().is_none() && stage.starts() == 0 {
                killed_before_any_start.fetch_add(1, Ordering::Relaxed);
            }
            let again = until_sure(&stage);
            let told = format!(
                "round {round}, killed after {moment:?}: {}",
                stage.told(&again)
            );
            assert_eq!(again.code, Some(0), "{told}");
            assert_eq!(stage.starts(), 1, "{told}");
            assert_eq!(journal(&stage.user), [again.id()], "{told}");
        }
    });
    assert!(
        killed_before_any_start.into_inner() > 0,
        "the kills came too late to test anything"
    );
}

/// A start that was throttled first is looked for as long as any other, counted from the attempt that may have been executed.
#[test]
fn a_kill_after_a_throttled_start_doubles_nothing() {
    on_every_cloud(|cloud| {
        let faults = [
            "start:1:throttle=0",
            "start:2:throttle=3",
            "start:3:delay=1000s",
            "start:3:unlisted=20",
        ];
        let stage = Stage::of(cloud, LONG, &faults);
        let child = spawn(&stage);
        // In the pause before the third attempt, the time of the others passes.
        stage.wait_for_starts(2);
        stage.later(CLOSING);
        kill_at(&stage, child, 3);
        assert_eq!(stage.starts(), 1, "{}", cloud.name);
        stage.says(&stage.export(&[]), 6, "does not list it so far");
        stage.later(CLOSING * 2);
        let again = stage.export(&[]);
        let id = stage.is_started_once(&again);
        assert_eq!(journal(&stage.user), [id], "{}", cloud.name);
    });
}

/// The moments that matter most are few: here the reply is late, so that the kill hits the start itself.
#[test]
fn a_kill_while_the_start_is_under_way_doubles_nothing() {
    each(
        &["start:1:delay=1000s", "start:1:silence-before"],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[fault]);
            kill_at(&stage, spawn(&stage), 1);
            let executed = if fault.contains("silence") { 0 } else { 1 };
            assert_eq!(stage.starts(), executed, "{}: {fault}", cloud.name);
            let again = until_sure(&stage);
            let id = stage.is_started_once(&again);
            assert_eq!(journal(&stage.user), [id], "{}: {fault}", cloud.name);
        },
    );
}

#[test]
fn the_same_export_eight_times_at_once_is_one_export() {
    on_every_cloud(|cloud| {
        for fault in [
            "start:2+:status=500",
            "start:1:reset-after",
            "start:1:throttle",
            "start:1:delay=2s",
        ] {
            let stage = Stage::of(cloud, LONG, &[fault]);
            let ids = eight_at_once(&stage);
            assert_eq!(stage.starts(), 1, "{}: {fault}: {ids:?}", cloud.name);
            assert!(
                ids.iter().all(|id| *id == ids[0]),
                "{}: {fault}: {ids:?}",
                cloud.name
            );
            assert_eq!(journal(&stage.user), ids[..1], "{}: {fault}", cloud.name);
        }
    });
}

fn eight_at_once(stage: &Stage) -> Vec<String> {
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| stage.export(&[]))).collect();
        let ran: Vec<Ran> = runs
            .into_iter()
            .map(|run| run.join().expect("it ends"))
            .collect();
        for ran in &ran {
            assert!(!ran.stderr.contains("journal"), "{}", ran.all());
        }
        ran.iter().map(Ran::id).collect()
    })
}

#[test]
fn the_same_export_at_once_after_a_crash_is_one_export() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        stage.later(CLOSING);
        let ids = eight_at_once(&stage);
        assert_eq!(stage.starts(), 1, "{}: {ids:?}", cloud.name);
        assert!(
            ids.iter().all(|id| *id == ids[0]),
            "{}: {ids:?}",
            cloud.name
        );
    });
}
