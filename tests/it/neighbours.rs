//! Neighbours on this machine: a journal that they own or may write is not believed.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::canned::{Answer, Canned};
use crate::program::{Clouds, Ran, User};
use crate::stage::{CLOUDS, Cloud, GOOD, LONG, QUICK, Stage};

/// Nobody that the tests run as.
const STRANGER: u32 = 65534;

fn journal_of(user: &User) -> PathBuf {
    user.state().join("journal.db")
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("there").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("ours");
}

fn is_root(user: &User) -> bool {
    user.home.path().metadata().expect("there").uid() == 0
}

/// A group that is not the primary one of this process, if there is one that it may give a file to.
fn other_group(user: &User) -> Option<u32> {
    let output = Command::new("id").arg("-G").output().expect("id");
    let groups = String::from_utf8(output.stdout).expect("text");
    let mut groups = groups
        .split_whitespace()
        .map(|id| id.parse().expect("an id"));
    let primary: u32 = groups.next().expect("the primary one");
    let other = groups.find(|group| *group != primary);
    other.or_else(|| is_root(user).then_some(STRANGER))
}

/// A user of this cloud with a journal, who has started something.
fn stage(cloud: &'static Cloud, duration: Duration) -> (Stage, String) {
    let stage = Stage::of(cloud, duration, &[]);
    let id = stage.export(&[]).id();
    (stage, id)
}

fn starts(stage: &Stage) -> u64 {
    stage.clouds.world(|world| (stage.cloud.starts)(world))
}

/// It has gone on without the journal, and has said so.
fn assert_warned(ran: &Ran, place: &Path, code: i32) {
    assert_eq!(ran.code, Some(code), "{}", ran.all());
    let warning = format!("everybody may write {}", place.display());
    assert!(ran.stderr.contains("is not believed"), "{}", ran.all());
    assert!(ran.stderr.contains(&warning), "{}", ran.all());
    let mended_by = format!("chmod o-w {}", place.display());
    assert!(ran.stderr.contains(&mended_by), "{}", ran.all());
}

#[test]
fn a_journal_that_others_may_write_stops_every_export_before_it_is_sent() {
    for cloud in &CLOUDS {
        let (stage, _) = stage(cloud, LONG);
        let journal = journal_of(&stage.user);
        for place in [stage.user.state(), journal.clone()] {
            let before = mode(&place);
            set_mode(&place, before | 0o002);
            let whole = std::fs::read(&journal).expect("there");
            for more in [&[][..], &["--new"], &["--wait"], &["--dry-run"]] {
                let ran = stage.export(more);
                assert_warned(&ran, &place, 1);
                assert!(ran.stderr.contains("--no-journal"), "{}", ran.all());
                assert!(ran.stdout.is_empty(), "{}", ran.all());
            }
            let ran = stage.export(&["-o", "json"]);
            assert_eq!(ran.code, Some(1), "{}", ran.all());
            assert_eq!(ran.json_error()["kind"], "internal");
            assert_eq!(std::fs::read(&journal).expect("there"), whole);
            set_mode(&place, before);
        }
        assert_eq!(starts(&stage), 1, "{}", cloud.name);
        let adopted = stage.export(&[]);
        assert_eq!(adopted.code, Some(0), "{}", adopted.all());
    }
}

#[test]
fn nothing_at_all_is_asked_of_a_cloud_by_an_export_that_stops() {
    let clouds = Clouds::start(LONG);
    for export in GOOD {
        let server = Canned::start(vec![Answer::json(200, "{}")]);
        let variables = clouds.variables().into_iter();
        let urls = variables.filter(|(_, value)| value.starts_with("http"));
        let user = urls.fold(User::of(&clouds), |user, (name, _)| {
            user.with(name, &server.url())
        });
        // It need not be there yet: others could put one there.
        std::fs::create_dir(user.state()).expect("made");
        set_mode(&user.state(), 0o777);
        assert_warned(&user.run(export), &user.state(), 1);
        assert_eq!(server.requests(), [""; 0]);
        assert!(!journal_of(&user).exists());
        set_mode(&user.state(), 0o700);
        user.run(export);
        assert!(!server.requests().is_empty());
        let sent = server.requests().len();
        set_mode(&user.state(), 0o1777);
        let ran = user.run(export);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert!(ran.stderr.contains("SNAPEXPORT_STATE_DIR"), "{}", ran.all());
        assert!(!ran.stderr.contains("chmod"), "{}", ran.all());
        assert_eq!(server.requests().len(), sent);
        set_mode(&user.state(), 0o700);
    }
}

#[test]
fn an_export_goes_on_without_the_journal_if_that_is_asked_for() {
    for cloud in &CLOUDS {
        let stage = Stage::of(cloud, LONG, &[]);
        std::fs::create_dir(stage.user.state()).expect("made");
        set_mode(&stage.user.state(), 0o777);
        let ran = stage.export(&["--no-journal"]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(!ran.stderr.contains("believed"), "{}", ran.all());
        assert!(!journal_of(&stage.user).exists());
        let dry = stage.export(&["--no-journal", "--dry-run"]);
        assert_eq!(dry.code, Some(0), "{}", dry.all());
        assert_eq!(starts(&stage), 1, "{}", cloud.name);
    }
}

#[test]
fn other_commands_go_on_without_a_journal_that_others_may_write() {
    for cloud in &CLOUDS {
        let (stage, id) = stage(cloud, QUICK);
        let id = format!("{}/{id}", cloud.name);
        let user = &stage.user;
        let place = journal_of(user);
        set_mode(&place, 0o606);
        let whole = std::fs::read(&place).expect("there");
        assert_warned(&user.run(&["wait", &id, "--timeout", "20s"]), &place, 0);
        assert_warned(&user.run(&["status", &id]), &place, 0);
        assert_warned(&user.run(&["status", "--remote"]), &place, 0);
        assert_warned(&user.run(&["list", cloud.name]), &place, 0);
        // Nothing is known of what was started: an empty list would be a lie.
        assert_warned(&user.run(&["status"]), &place, 1);
        let cancelled = user.run(&["cancel", &id]);
        assert_warned(&cancelled, &place, cancelled.code.expect("a code"));
        assert_eq!(std::fs::read(&place).expect("there"), whole);
        let none = User::of(&stage.clouds).run(&["cancel", &id]);
        assert_eq!(cancelled.code, none.code, "{}", cancelled.all());
    }
}

#[test]
fn doctor_says_that_the_journal_is_not_believed_and_how_to_mend_that() {
    let (stage, _) = stage(&CLOUDS[0], LONG);
    let user = &stage.user;
    for place in [user.state(), journal_of(user)] {
        let before = mode(&place);
        set_mode(&place, before | 0o002);
        let ran = user.run(&["doctor", "outscale"]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(ran.stdout.contains("is not believed"), "{}", ran.all());
        let hint = format!("chmod o-w {}", place.display());
        assert!(ran.stdout.contains(&hint), "{}", ran.all());
        set_mode(&place, before);
    }
    assert_eq!(user.run(&["doctor", "outscale"]).code, Some(0));
}

#[test]
fn the_tab_key_offers_nothing_of_a_journal_that_others_may_write_and_says_nothing() {
    let (stage, id) = stage(&CLOUDS[0], LONG);
    let offered = || {
        let mut command = stage.user.command(&["--", "snapexport", "wait", ""]);
        let output = command.env("_SNAPEXPORT_COMPLETE", "fish").output();
        let output = output.expect("it runs");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
        String::from_utf8(output.stdout)
            .expect("text")
            .contains(&id)
    };
    assert!(offered());
    for place in [stage.user.state(), journal_of(&stage.user)] {
        let before = mode(&place);
        set_mode(&place, before | 0o002);
        assert!(!offered(), "{}", place.display());
        set_mode(&place, before);
    }
    assert!(offered());
}

#[test]
fn what_the_primary_group_may_write_is_believed_and_what_another_may_only_if_it_is_shared() {
    let (stage, id) = stage(&CLOUDS[0], LONG);
    let user = &stage.user;
    let (state, journal) = (user.state(), journal_of(user));
    set_mode(&state, 0o775);
    set_mode(&journal, 0o664);
    let adopted = stage.export(&[]);
    assert_eq!(adopted.id(), id);
    assert!(!adopted.stderr.contains("believed"), "{}", adopted.all());
    let Some(other) = other_group(user) else {
        return;
    };
    for place in [&state, &journal] {
        let own = place.metadata().expect("there").gid();
        chown(place, None, Some(other)).expect("a member may");
        let ran = stage.export(&[]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        let hint = format!("chmod g-w {}", place.display());
        assert!(ran.stderr.contains(&hint), "{}", ran.all());
        assert!(
            ran.stderr.contains("SNAPEXPORT_SHARED_STATE=1"),
            "{}",
            ran.all()
        );
        let mut shared = user.command(stage.cloud.export);
        let output = shared.env("SNAPEXPORT_SHARED_STATE", "1").output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), id);
        assert!(!said.contains("believed"), "{said}");
        chown(place, None, Some(own)).expect("ours");
    }
    // Shared with a group is not shared with everybody.
    set_mode(&state, 0o777);
    let mut shared = user.command(stage.cloud.export);
    let output = shared.env("SNAPEXPORT_SHARED_STATE", "1").output();
    assert_eq!(output.expect("it runs").status.code(), Some(1));
    assert_eq!(starts(&stage), 1);
}

/// Only root can give a file away. As with Git, it believes what belongs to who called sudo.
#[test]
fn a_journal_of_somebody_else_is_not_believed_even_by_root() {
    let (stage, id) = stage(&CLOUDS[0], LONG);
    let user = &stage.user;
    if !is_root(user) {
        return;
    }
    let (state, journal) = (user.state(), journal_of(user));
    for place in [&state, &journal] {
        chown(place, Some(STRANGER), None).expect("root may");
        let ran = stage.export(&[]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        let whose = format!(
            "{} belongs to another user (id {STRANGER})",
            place.display()
        );
        assert!(ran.stderr.contains(&whose), "{}", ran.all());
        let hint = format!("sudo chown -R \"$(id -un)\" {}", state.display());
        assert!(ran.stderr.contains(&hint), "{}", ran.all());
        let mut by_sudo = user.command(stage.cloud.export);
        let output = by_sudo.env("SUDO_UID", STRANGER.to_string()).output();
        let output = output.expect("it runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), id);
        chown(place, Some(0), None).expect("root may");
    }
}
