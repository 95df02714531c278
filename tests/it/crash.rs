//! Killed at any moment, or many at once: nothing is started twice, nothing is lost.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use snapexport_sandbox::World;

use crate::program::{Clouds, Ran, User};
use crate::stage::{CLOSING, GOOD};

const LONG: Duration = Duration::from_secs(1000);
/// Where the random moments come from; a failure can be repeated with it.
const SEED: u64 = 0x5eed_2026;
/// Kills in all.
const ROUNDS: u64 = 120;
/// The latest moment of a kill, after the process was made.
const LATEST_MICROS: u64 = 60_000;

/// Their starts, as faults name them.
const STARTS: [&str; 3] = [
    "outscale:CreateSnapshotExportTask",
    "lightsail:ExportSnapshot",
    "rackspace:create task",
];

fn starts(clouds: &Clouds) -> u64 {
    clouds.world(|world| world.outscale.starts + world.lightsail.starts + world.rackspace.starts)
}

/// A number that follows from the last (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Runs an export and kills it as soon as the world is so.
fn kill_at(clouds: &Clouds, user: &User, export: &[&str], is_so: impl Fn(&World) -> bool) {
    let mut child = user
        .command(export)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let began = Instant::now();
    while !clouds.world(|world| is_so(world)) {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(30),
            "{export:?}: it never came to that"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
}

/// Runs an export until it is known what became of the one before it.
fn until_sure(user: &User, export: &[&str]) -> Ran {
    let began = Instant::now();
    loop {
        let ran = user.run(export);
        if ran.code != Some(6) || began.elapsed() > CLOSING * 2 {
            return ran;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
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
    let clouds = Clouds::start(LONG);
    let mut random = SEED;
    let mut killed_before_any_start = 0;
    let mut killed_after_the_start = 0;
    for round in 0..ROUNDS {
        clouds.world(|world| *world = World::default());
        let user = User::of(&clouds);
        let export = GOOD[(round % 3) as usize];
        let moment = Duration::from_micros(next(&mut random) % LATEST_MICROS);
        let mut child = user
            .command(export)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        std::thread::sleep(moment);
        child.kill().expect("it is ours");
        let status = child.wait().expect("it ends");
        match (status.code(), starts(&clouds)) {
            (None, 0) => killed_before_any_start += 1,
            (None, _) => killed_after_the_start += 1,
            (Some(_), _) => {}
        }
        let again = until_sure(&user, export);
        let told = format!("round {round}, killed after {moment:?}: {}", again.all());
        assert_eq!(again.code, Some(0), "{told}");
        assert_eq!(starts(&clouds), 1, "{told}");
        assert_eq!(journal(&user), [again.id()], "{told}");
    }
    println!("{killed_before_any_start} died before the start, {killed_after_the_start} after it");
    assert!(
        killed_before_any_start > 0,
        "the kills came too late to test anything"
    );
}

/// A start that was throttled first is looked for as long as any other, counted from the attempt that may have been executed.
#[test]
fn a_kill_after_a_throttled_start_doubles_nothing() {
    for (export, call) in GOOD.into_iter().zip(STARTS) {
        let clouds = Clouds::start(LONG);
        let faults = ["1-2:throttle=3", "3:delay=1000s", "3:unlisted=4"];
        let faults = faults.map(|fault| format!("{call}:{fault}").parse().expect("a fault"));
        clouds.set_faults(faults.into());
        let (provider, name) = call.split_once(':').expect("both");
        let user = User::of(&clouds).with("SNAPEXPORT_VISIBILITY", "5s");
        kill_at(&clouds, &user, export, |world| {
            world.rehearsal.count(provider, name) == 3
        });
        assert_eq!(starts(&clouds), 1, "{call}");
        let again = user.run(export);
        assert_eq!(starts(&clouds), 1, "{call}: {}", again.all());
        assert_eq!(journal(&user), [again.id()], "{call}");
    }
}

/// The moments that matter most are few: here the reply is late, so that the kill hits the start itself.
#[test]
fn a_kill_while_the_start_is_under_way_doubles_nothing() {
    for (export, call) in GOOD.into_iter().zip(STARTS) {
        for what in ["delay=1000s", "silence-before"] {
            let clouds = Clouds::start(LONG);
            clouds.set_faults(vec![format!("{call}:1:{what}").parse().expect("a fault")]);
            let (provider, name) = call.split_once(':').expect("both");
            let user = User::of(&clouds);
            kill_at(&clouds, &user, export, |world| {
                world.rehearsal.count(provider, name) == 1
            });
            let executed = if what == "silence-before" { 0 } else { 1 };
            assert_eq!(starts(&clouds), executed, "{call} {what}");
            let again = until_sure(&user, export);
            assert_eq!(again.code, Some(0), "{call} {what}: {}", again.all());
            assert_eq!(starts(&clouds), 1, "{call} {what}: {}", again.all());
            assert_eq!(journal(&user), [again.id()], "{call} {what}");
        }
    }
}

#[test]
fn the_same_export_eight_times_at_once_is_one_export() {
    for (export, call) in GOOD.into_iter().zip(STARTS) {
        for fault in ["2+:status=500", "1:reset-after", "1:throttle", "1:delay=2s"] {
            let clouds = Clouds::start(LONG);
            clouds.set_faults(vec![format!("{call}:{fault}").parse().expect("a fault")]);
            let user = User::of(&clouds);
            let ids = eight_at_once(&user, export);
            assert_eq!(starts(&clouds), 1, "{call}:{fault}: {ids:?}");
            assert!(
                ids.iter().all(|id| *id == ids[0]),
                "{call}:{fault}: {ids:?}"
            );
            assert_eq!(journal(&user), ids[..1], "{call}:{fault}");
        }
    }
}

fn eight_at_once(user: &User, export: &[&str]) -> Vec<String> {
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| user.run(export))).collect();
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
    for (export, call) in GOOD.into_iter().zip(STARTS) {
        let clouds = Clouds::start(LONG);
        let fault = format!("{call}:1:reset-before");
        clouds.set_faults(vec![fault.parse().expect("a fault")]);
        let user = User::of(&clouds);
        assert_eq!(user.run(export).code, Some(6));
        std::thread::sleep(CLOSING);
        let ids = eight_at_once(&user, export);
        assert_eq!(starts(&clouds), 1, "{export:?}: {ids:?}");
        assert!(ids.iter().all(|id| *id == ids[0]), "{export:?}: {ids:?}");
    }
}
