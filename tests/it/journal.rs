//! A journal that fails must keep nobody from their exports.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::{Clouds, Ran, User, program};
use crate::stage::side_by_side;

const QUICK: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_secs(3600);
/// What is exported first, while all is well.
const FIRST: &str = "snap-0a1b2c3d";

fn export<'a>(snapshot: &'a str, prefix: &'a str) -> [&'a str; 7] {
    [
        "export", "outscale", snapshot, "--bucket", "demo", "--prefix", prefix,
    ]
}

/// Exports, then waits for and looks at what was exported, by the id that was printed; gives what was said.
fn do_the_job(clouds: &Clouds, user: &User, prefix: &str) -> [Ran; 3] {
    let before = clouds.world(|world| world.outscale.starts);
    let started = user.run(&export(FIRST, prefix));
    let id = started.id();
    assert_eq!(
        clouds.world(|world| world.outscale.starts),
        before + 1,
        "{}",
        started.all()
    );
    let waited = user.run(&["wait", &id, "--timeout", "20s"]);
    assert_eq!(waited.code, Some(0), "{}", waited.all());
    assert!(waited.stdout.contains("completed"), "{}", waited.all());
    let seen = user.run(&["status", &id]);
    assert_eq!(seen.code, Some(0), "{}", seen.all());
    assert!(seen.stdout.contains(FIRST), "{}", seen.all());
    [started, waited, seen]
}

fn journal_of(user: &User) -> std::path::PathBuf {
    user.state().join("journal.db")
}

/// Copies of the journal that were moved aside.
fn aside(user: &User) -> Vec<String> {
    std::fs::read_dir(user.state())
        .expect("the state directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| {
            name.starts_with("journal.damaged-")
                && !name.ends_with("-wal")
                && !name.ends_with("-shm")
        })
        .collect()
}

/// The journal with many tasks in it, so that it has many pages; gives the id of one.
fn with_history(user: &User) -> String {
    let mut id = String::new();
    for number in 0..24 {
        id = user.run(&export(FIRST, &format!("history-{number}/"))).id();
    }
    let size = std::fs::metadata(journal_of(user)).expect("there").len();
    assert!(size >= 5 * 4096, "{size} bytes are too few to damage");
    id
}

/// Numbers that look random and are the same in every run.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % limit
    }
}

#[test]
fn a_state_directory_that_cannot_be_made_costs_a_warning_only() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    std::fs::write(user.state(), "a file where a directory should be").expect("written");
    for (round, place) in [
        "/proc/nowhere".to_owned(),
        user.state().join("deeper").display().to_string(),
    ]
    .into_iter()
    .enumerate()
    {
        let user = User::of(&clouds).with("SNAPEXPORT_STATE_DIR", &place);
        let [started, waited, seen] = do_the_job(&clouds, &user, &format!("nowhere-{round}/"));
        assert!(started.stderr.contains("note its id"), "{}", started.all());
        assert!(!waited.stderr.contains("error:"), "{}", waited.all());
        // Where nothing is there is nothing to say; a place that cannot be looked at may hold a journal.
        let may_be_there = round == 1;
        assert_eq!(
            seen.stderr.contains("warning"),
            may_be_there,
            "{}",
            seen.all()
        );
        let listed = user.run(&["status"]);
        assert_eq!(
            listed.code,
            Some(i32::from(may_be_there)),
            "{}",
            listed.all()
        );
        let words = if may_be_there {
            "What you have started from here is not known"
        } else {
            "You have started no exports from here"
        };
        assert!(listed.stderr.contains(words), "{}", listed.all());
    }
}

#[test]
fn a_journal_that_somebody_holds_for_long_is_waited_for_and_nothing_is_doubled() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds).in_haste();
    let first = user.run(&export(FIRST, "one/")).id();
    let holder = rusqlite::Connection::open(journal_of(&user)).expect("it opens");
    holder.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| user.run(&export(FIRST, "two/"))))
            .collect();
        // Longer than SQLite itself waits in haste.
        std::thread::sleep(Duration::from_secs(2));
        let so_far = clouds.world(|world| world.outscale.starts);
        assert_eq!(so_far, 1, "sent without its intent");
        holder.execute_batch("ROLLBACK").expect("it ends");
        let ids: Vec<String> = runs
            .into_iter()
            .map(|run| run.join().expect("it ends").id())
            .collect();
        assert!(
            ids.iter().all(|id| *id == ids[0] && *id != first),
            "{ids:?}"
        );
    });
    assert_eq!(clouds.world(|world| world.outscale.starts), 2);
}

#[cfg(unix)]
#[test]
fn a_home_that_is_read_only_is_read() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(&export(FIRST, "before/")).id();
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    let close = |path: &Path, mode: u32| {
        if is_root {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("ours");
    };
    for entry in std::fs::read_dir(user.state()).expect("a directory") {
        let path = entry.expect("an entry").path();
        close(&path, if path.is_dir() { 0o500 } else { 0o400 });
    }
    close(&user.state(), 0o500);
    close(user.home.path(), 0o500);
    // Root may write everywhere, so the program runs as somebody else. It must be where that somebody can read it.
    let place = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).expect("ours");
    let copy = place.path().join("snapexport");
    // By a process of its own: a file that another thread's child has open for writing cannot be run.
    let copied = Command::new("cp").arg(program()).arg(&copy).status();
    assert!(copied.expect("cp runs").success());
    let run = |args: &[&str]| {
        let known = user.command(args);
        let mut command = Command::new(&copy);
        command.args(args).env_clear();
        command.envs(
            known
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command.stdin(std::process::Stdio::null());
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            said,
        )
    };
    let (code, listed, said) = run(&["status", "-o", "id"]);
    assert_eq!((code, listed.trim()), (Some(0), id.as_str()), "{said}");
    let (code, shown, said) = run(&["wait", &id, "--timeout", "20s"]);
    assert_eq!(code, Some(0), "{shown}{said}");
    let (code, started, said) = run(&export(FIRST, "after/"));
    assert_eq!(code, Some(0), "{started}{said}");
    assert!(said.contains("note its id"), "{said}");
    let (code, shown, said) = run(&["wait", started.trim(), "--timeout", "20s"]);
    assert_eq!(code, Some(0), "{shown}{said}");
    std::fs::set_permissions(user.home.path(), PermissionsExt::from_mode(0o700)).expect("ours");
    std::fs::set_permissions(user.state(), PermissionsExt::from_mode(0o700)).expect("ours");
}

/// Files that may not grow stand in for a full disk: every write beyond the limit fails.
#[cfg(unix)]
fn on_a_full_disk(user: &User, blocks: u32, args: &[&str]) -> Ran {
    let known = user.command(args);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""),
            "sh",
        ])
        .arg(program())
        .args(args)
        .env_clear()
        .envs(
            known
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(std::process::Stdio::null());
    Ran::from(command.output().expect("it runs"), args)
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_at_any_write_stops_no_export_and_no_wait() {
    let sizes = [0, 1, 8, 16, 24, 40, 64, 72];
    let scenes = sizes.map(|blocks| [(blocks, false), (blocks, true)]);
    side_by_side(4, scenes.concat(), |(blocks, has_journal)| {
        let clouds = Clouds::start(QUICK);
        let user = User::of(&clouds);
        if has_journal {
            user.run(&export(FIRST, "old/")).id();
        }
        let before = clouds.world(|world| world.outscale.starts);
        let started = on_a_full_disk(&user, blocks, &export(FIRST, "full/"));
        let id = started.id();
        assert_eq!(
            clouds.world(|world| world.outscale.starts),
            before + 1,
            "{}",
            started.all()
        );
        let is_remembered = user.run(&["status", "-q"]).stdout.contains(&id);
        assert!(
            is_remembered || started.stderr.contains("note"),
            "neither remembered nor said: {}",
            started.all()
        );
        for command in [&["wait", &id, "--timeout", "20s"][..], &["status", &id]] {
            let ran = on_a_full_disk(&user, blocks, command);
            assert_eq!(ran.code, Some(0), "{blocks} blocks: {}", ran.all());
        }
    });
}

#[test]
fn a_journal_of_a_newer_version_is_left_as_it_is() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    user.run(&export(FIRST, "before/")).id();
    // The layout's version stands at offset 60 of the header (SQLite file format, 1.3.15).
    let mut bytes = std::fs::read(journal_of(&user)).expect("there");
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
    std::fs::write(journal_of(&user), &bytes).expect("written");
    for ran in do_the_job(&clouds, &user, "after/") {
        assert!(
            ran.stderr
                .contains("newer version of snapexport (layout 99)"),
            "{}",
            ran.all()
        );
    }
    let listed = user.run(&["status", "-o", "json"]);
    assert_eq!(
        listed.code,
        Some(1),
        "an empty list would be a lie: {}",
        listed.all()
    );
    assert_eq!(listed.json_error()["kind"], "internal");
    assert!(
        listed.stderr.contains("status --remote"),
        "{}",
        listed.all()
    );
    assert_eq!(
        std::fs::read(journal_of(&user)).expect("there"),
        bytes,
        "not ours to write"
    );
    assert_eq!(aside(&user), [""; 0]);
}

/// Damages the journal, and asserts that each command, as the first to meet the damage, does its job.
fn each_command_survives(damage: impl Fn(&mut Vec<u8>), must_be_said: bool) {
    let clouds = Clouds::start(NEVER);
    let original = User::of(&clouds);
    let id = with_history(&original);
    let whole = std::fs::read(journal_of(&original)).expect("there");
    let fresh = export(FIRST, "fresh/");
    for (args, code) in [
        (&["wait", id.as_str(), "--timeout", "0"][..], 124),
        (&["status", id.as_str()], 0),
        (&["status"], 0),
        (&fresh, 0),
    ] {
        let user = User::of(&clouds);
        std::fs::create_dir(user.state()).expect("made");
        let mut bytes = whole.clone();
        damage(&mut bytes);
        std::fs::write(journal_of(&user), &bytes).expect("written");
        let ran = user.run(args);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
        let moved = aside(&user);
        let is_said = ran.stderr.contains("The journal was damaged and is now");
        assert_eq!(moved.len(), usize::from(is_said), "{}", ran.all());
        assert!(is_said || !must_be_said, "{}", ran.all());
        if let [name] = &moved[..] {
            let kept = std::fs::read(user.state().join(name)).expect("kept");
            assert_eq!(
                kept.len(),
                bytes.len(),
                "what was damaged is kept for a rescue"
            );
        }
        // Whatever was the first, what comes after it works.
        let shown = user.run(&["status", &id]);
        assert_eq!(shown.code, Some(0), "{}", shown.all());
        let adopted = user.run(&export(FIRST, "fresh/"));
        assert_eq!(adopted.code, Some(0), "{}", adopted.all());
        let again = user.run(&["wait", &adopted.id(), "--timeout", "0"]);
        assert_eq!(again.code, Some(124), "{}", again.all());
        assert!(!again.stderr.contains("journal"), "{}", again.all());
    }
    assert_eq!(
        clouds.world(|world| world.outscale.starts),
        25,
        "24 and the fresh one"
    );
}

#[test]
fn garbage_in_place_of_the_journal_is_moved_aside() {
    each_command_survives(|bytes| bytes.fill(b'x'), true);
}

#[test]
fn a_journal_cut_in_the_middle_is_moved_aside() {
    each_command_survives(|bytes| bytes.truncate(bytes.len() / 2 + 100), true);
}

#[test]
fn a_journal_with_its_pages_overwritten_is_moved_aside() {
    each_command_survives(|bytes| bytes[4096..].fill(0x5a), true);
}

#[test]
fn an_empty_journal_is_begun_anew() {
    each_command_survives(Vec::clear, false);
}

#[test]
fn random_bytes_flipped_below_the_header_end_in_no_error() {
    let clouds = Clouds::start(NEVER);
    let original = User::of(&clouds);
    let id = with_history(&original);
    let whole = std::fs::read(journal_of(&original)).expect("there");
    let mut found = 0;
    for seed in 1..=25 {
        let mut dice = dice(seed);
        let user = User::of(&clouds);
        std::fs::create_dir(user.state()).expect("made");
        let mut bytes = whole.clone();
        for _ in 0..1 + dice(200) {
            let at = 100 + dice(bytes.len() - 100);
            bytes[at] ^= 0x80;
        }
        std::fs::write(journal_of(&user), &bytes).expect("written");
        let waited = user.run(&["wait", &id, "--timeout", "0"]);
        assert_eq!(waited.code, Some(124), "seed {seed}: {}", waited.all());
        let listed = user.run(&["status"]);
        assert_eq!(listed.code, Some(0), "seed {seed}: {}", listed.all());
        let adopted = user.run(&export(FIRST, "history-3/"));
        assert_eq!(adopted.code, Some(0), "seed {seed}: {}", adopted.all());
        found += aside(&user).len();
    }
    assert!(found >= 10, "only {found} of 25 were found to be damaged");
    assert_eq!(
        clouds.world(|world| world.outscale.starts),
        24,
        "none was started again"
    );
}

#[cfg(unix)]
#[test]
fn the_journal_and_the_tokens_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    do_nothing_but_start(&user);
    let mut open = vec![user.state(), user.home.path().join("cache")];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode()
            & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            let entries = std::fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            seen += 1;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    assert!(seen >= 2, "a journal and a token");
}

fn do_nothing_but_start(user: &User) {
    user.run(&export(FIRST, "x/")).id();
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    user.run(&["export", "rackspace", image, "--container", "exports"])
        .id();
}

#[test]
fn what_the_journal_says_of_an_owner_is_no_path() {
    let clouds = Clouds::start_with(snapexport_sandbox::Options {
        faults: vec![
            "outscale:CreateSnapshotExportTask:1:reset-before"
                .parse()
                .expect("a fault"),
        ],
        ..snapexport_sandbox::Options::default()
    });
    let user = User::of(&clouds);
    assert_eq!(user.run(&export(FIRST, "a/")).code, Some(6));
    let victim = user.home.path().join("victim");
    let live = user.state().join("journal.live");
    for owner in [
        victim.display().to_string(),
        "../../victim".to_owned(),
        "../journal.db".to_owned(),
        "1-2-link".to_owned(),
    ] {
        std::fs::write(&victim, "precious").expect("written");
        std::fs::write(live.join("1-2-link"), "ours?").expect("written");
        let journal = rusqlite::Connection::open(journal_of(&user)).expect("it opens");
        let changed = journal.execute("UPDATE intent SET owner = ?1", [&owner]);
        assert_eq!(changed.expect("it writes"), 1);
        drop(journal);
        for command in [&["status"][..], &export(FIRST, "a/")] {
            user.run(command);
            assert_eq!(std::fs::read(&victim).expect("it is there"), b"precious");
            assert!(journal_of(&user).exists() && live.join("1-2-link").exists());
        }
    }
}

#[cfg(unix)]
#[test]
fn beside_the_journal_no_link_is_followed_and_no_pipe_waited_for() {
    use std::os::unix::fs::symlink;
    let clouds = Clouds::start(NEVER);
    // A damaged journal is moved aside under a lock.
    let user = User::of(&clouds);
    with_history(&user);
    std::fs::write(journal_of(&user), "no database at all, but long enough").expect("written");
    let victim = user.home.path().join("victim");
    std::fs::write(&victim, "precious").expect("written");
    symlink(&victim, user.state().join("journal.lock")).expect("linked");
    user.run(&["status"]);
    assert_eq!(std::fs::read(&victim).expect("it is there"), b"precious");
    std::fs::remove_file(user.state().join("journal.lock")).expect("removed");
    // A pipe in place of the lock, of the journal, and of what shows that a process lives.
    let pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.expect("mkfifo").success());
    };
    pipe(&user.state().join("journal.lock"));
    pipe(&user.state().join("journal.live/1-2-3"));
    let began = std::time::Instant::now();
    user.run(&["status"]);
    let user = User::of(&clouds);
    std::fs::create_dir_all(user.state()).expect("made");
    pipe(&journal_of(&user));
    let doctor = user.run(&["doctor", "outscale"]);
    assert!(doctor.all().contains("no regular file"), "{}", doctor.all());
    let status = user.run(&["status"]);
    assert_ne!(status.code, None, "{}", status.all());
    let tab = user
        .command(&["--", "snapexport", "wait", ""])
        .env("COMPLETE", "bash")
        .output();
    assert!(tab.is_ok());
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    // The journal itself may be a link to a file that is ours.
    let user = User::of(&clouds);
    std::fs::create_dir_all(user.state()).expect("made");
    let kept = user.home.path().join("kept.db");
    symlink(&kept, journal_of(&user)).expect("linked");
    let id = user.run(&export(FIRST, "b/")).id();
    assert!(kept.exists() && user.run(&["status"]).stdout.contains(&id));
}
