//! Lost starts over several commands: whose a task is, however often one asks, whatever changes meanwhile.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::canned::{Answer, Canned};
use crate::program::{Ran, User};
use crate::stage::{CLOSING, CLOUDS, GOOD, LONG, Stage, on_every_cloud};

fn open(user: &User) -> rusqlite::Connection {
    rusqlite::Connection::open(user.state().join("journal.db")).expect("it opens")
}

/// Changes what the journal has of every open start.
fn set(user: &User, column: &str, value: &str) {
    let journal = open(user);
    let sql = format!("UPDATE intent SET {column} = ?1");
    let changed = journal.execute(&sql, [value]).expect("it writes");
    assert!(changed > 0, "no start is open");
}

fn started(stage: &Stage) -> Vec<String> {
    let status = stage.user.run(&["status", "-q"]);
    status.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn an_export_waits_for_every_open_start_of_the_same() {
    on_every_cloud(|cloud| {
        let faults = [
            "start:1:reset-before",
            "start:2:reset-after",
            "start:2:unlisted=9",
        ];
        let stage = Stage::of(cloud, LONG, &faults);
        stage.says(&stage.export(&[]), 6, "is not known");
        stage.later(Duration::from_secs(6));
        stage.says(&stage.export(&["--new"]), 6, "is not known");
        // The first is over now, the second is not.
        stage.later(Duration::from_secs(4));
        stage.says(&stage.export(&[]), 6, "does not list it so far");
        assert_eq!(stage.count("start"), 2);
        stage.later(Duration::from_secs(6));
        let next = stage.export(&[]);
        stage.is_started_once(&next);
        assert_eq!(stage.count("start"), 2, "{}", stage.told(&next));
    });
}

#[test]
fn an_export_that_was_asked_for_anew_is_not_taken_for_the_lost_one() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        let id = stage.export(&["--new"]).id();
        let status = stage.user.run(&["status"]);
        stage.says(&status, 0, "whether it was started is not known");
        assert_eq!(started(&stage), [id]);
    });
}

#[test]
fn two_lost_replies_are_two_exports_with_their_own_ids() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1-2:reset-after"]);
        let run = || stage.export(&["--new"]);
        let ran: Vec<Ran> = std::thread::scope(|scope| {
            let both = [scope.spawn(run), scope.spawn(run)];
            both.map(|one| one.join().expect("it ends")).into()
        });
        let mut known = started(&stage);
        known.sort();
        known.dedup();
        // Rackspace itself fails the second, for the first makes the same object: it is known all the same.
        let told: Vec<String> = ran.iter().map(Ran::all).collect();
        assert_eq!(stage.starts(), 2, "{told:?}");
        assert_eq!(known.len(), 2, "{}: {known:?} {told:?}", cloud.name);
    });
}

#[test]
fn a_lost_start_is_looked_for_also_when_the_keys_have_changed() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-after", "start:1:unlisted=5"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        set(&stage.user, "account", "keys of yesterday");
        stage.says(&stage.export(&[]), 6, "does not list it so far");
        // Where the cloud tells whose the keys are, `status` knows that they are of the same account.
        stage.says(&stage.user.run(&["status"]), 0, "started is not known");
        set(&stage.user, "realm", "{}");
        let status = stage.user.run(&["status"]);
        stage.says(&status, 0, "it was begun as keys of yesterday");
        stage.later(Duration::from_secs(4));
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(stage.count("start"), 1);
    });
}

#[test]
fn a_start_that_is_not_listed_is_not_doubled_with_another_key_of_the_account() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:unlisted=5"]);
        let id = stage.export(&[]).id();
        let journal = open(&stage.user);
        let sql = "UPDATE task SET account = 'keys of yesterday'";
        assert_eq!(journal.execute(sql, []).expect("it writes"), 1);
        assert_eq!(stage.is_started_once(&stage.export(&[])), id);
    });
}

#[test]
fn a_task_in_words_of_a_later_version_is_shown_waited_for_and_not_started_again() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:unlisted=5"]);
        let id = stage.export(&[]).id();
        let sql = "UPDATE task SET object = json_set(object, '$.state', 'hibernating')";
        assert_eq!(open(&stage.user).execute(sql, []).expect("it writes"), 1);
        assert_eq!(stage.is_started_once(&stage.export(&[])), id);
        assert_eq!(started(&stage), [id.as_str()]);
        let waited = stage.user.run(&["wait", &id, "--timeout", "0"]);
        assert!(
            matches!(waited.code, Some(124 | 5)),
            "{}",
            stage.told(&waited)
        );
        stage.later(Duration::from_secs(6));
        let waited = stage.user.run(&["wait", &id, "--timeout", "0"]);
        assert_eq!(waited.code, Some(124), "{}", stage.told(&waited));
    });
}

#[test]
fn two_keys_of_one_account_at_once_make_one_export() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:delay=2s"]);
        let (one, other) = std::thread::scope(|scope| {
            let first = scope.spawn(|| stage.export(&[]));
            stage.wait_for_starts(1);
            set(&stage.user, "account", "another key");
            let second = stage.export(&[]);
            (first.join().expect("it ends"), second)
        });
        assert_eq!(stage.is_started_once(&one), stage.is_started_once(&other));
        assert_eq!(stage.count("start"), 1);
    });
}

#[test]
fn an_open_start_of_another_account_keeps_nobody_from_starting() {
    // What Lightsail shows does not tell whose the keys are before anything of theirs is listed.
    for cloud in CLOUDS.iter().filter(|cloud| cloud.name != "lightsail") {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        set(&stage.user, "account", "somebody");
        set(&stage.user, "realm", r#"{"account": "999999999999"}"#);
        stage.is_started_once(&stage.export(&[]));
        let left: i64 = open(&stage.user)
            .query_row("SELECT count(*) FROM intent", [], |row| row.get(0))
            .expect("it reads");
        assert_eq!(left, 1, "theirs stays open");
    }
}

#[test]
fn a_claim_is_in_the_journal_itself_before_the_request_is_sent() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:delay=2s"]);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| stage.export(&[]));
            stage.wait_for_starts(1);
            // Without what lies beside it, which a cleaner may take.
            let copy = tempfile::tempdir().expect("a folder");
            let path = copy.path().join("journal.db");
            std::fs::copy(stage.user.state().join("journal.db"), &path).expect("copied");
            let journal = rusqlite::Connection::open(path).expect("it opens");
            let count = "SELECT count(*) FROM intent";
            let count: i64 = journal
                .query_row(count, [], |row| row.get(0))
                .expect("it reads");
            assert_eq!(count, 1);
            run.join().expect("it ends");
        });
    });
}

#[test]
fn a_bare_token_settles_the_starts_of_its_own_and_of_no_other_token() {
    let canned = Canned::by(|request| match request {
        _ if request.starts_with("POST") => Answer::html(504, "too late"),
        _ if request.contains(".vhd") => Answer::html(404, ""),
        _ if request.contains("/tasks") => Answer::json(200, r#"{"tasks": []}"#),
        _ => Answer::json(
            200,
            &serde_json::json!({"id": GOOD[2][2], "status": "active"}).to_string(),
        ),
    });
    let user = |token: &str| {
        let user = User::new().with("API_ENDPOINT", &format!("{}/v2", canned.url()));
        user.with("OS_OBJECT_STORE_URL", &canned.url())
            .with("RAX_REGION", "DFW")
            .with("SNAPEXPORT_VISIBILITY", "50ms")
            .with("AUTH_TOKEN", token)
    };
    let mut one = user("t0ken-of-the-one");
    let ran = one.run(GOOD[2]);
    assert_eq!(ran.code, Some(6), "{}", ran.all());
    std::thread::sleep(Duration::from_secs(1));
    let count = |user: &User| -> i64 {
        let sql = "SELECT count(*) FROM intent";
        open(user)
            .query_row(sql, [], |row| row.get(0))
            .expect("it reads")
    };
    one = one.with("AUTH_TOKEN", "t0ken-of-the-other");
    let ran = one.run(&["status"]);
    assert_eq!(count(&one), 1, "{}", ran.all());
    one = one.with("AUTH_TOKEN", "t0ken-of-the-one");
    let ran = one.run(&["status"]);
    assert_eq!(count(&one), 0, "{}", ran.all());
}

#[test]
fn a_journal_that_is_deleted_during_a_start_is_made_anew_and_the_id_said() {
    on_every_cloud(|cloud| {
        for what in ["journal.db", "journal.live", ""] {
            let stage = Stage::of(cloud, LONG, &["start:1:delay=2s"]);
            let ran = std::thread::scope(|scope| {
                let run = scope.spawn(|| stage.export(&[]));
                stage.wait_for_starts(1);
                let path = stage.user.state().join(what);
                match what {
                    "journal.db" => std::fs::remove_file(path).expect("it is gone"),
                    _ => std::fs::remove_dir_all(path).expect("it is gone"),
                }
                run.join().expect("it ends")
            });
            let id = stage.is_started_once(&ran);
            if what != "journal.live" {
                stage.says(&ran, 0, &format!("a new one was begun; note the id {id}"));
            }
            assert_eq!(
                started(&stage),
                [id.as_str()],
                "{what}: {}",
                stage.told(&ran)
            );
            assert_eq!(stage.is_started_once(&stage.export(&[])), id);
        }
    });
}

#[test]
fn a_start_that_waits_and_was_taken_over_meanwhile_is_looked_for_before_it_is_sent() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:throttle=4"]);
        let (one, other) = std::thread::scope(|scope| {
            let frozen = scope.spawn(|| stage.export(&[]));
            stage.wait_for_starts(1);
            // Whoever comes next takes it for dead, and finds that it was never executed.
            let live = stage.user.state().join("journal.live");
            std::fs::remove_dir_all(live).expect("it is gone");
            stage.later(CLOSING);
            let other = stage.export(&[]);
            (frozen.join().expect("it ends"), other)
        });
        assert_eq!(stage.is_started_once(&one), stage.is_started_once(&other));
        stage.says(&one, 0, "adopted");
    });
}

#[test]
fn a_clock_that_was_ahead_hides_no_lost_start() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-after", "start:1:unlisted=3"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        set(&stage.user, "made_at", &later.to_string());
        stage.later(Duration::from_secs(3));
        stage.is_started_once(&stage.export(&[]));
    });
}

#[test]
fn a_clock_that_was_set_back_puts_no_end_off_for_ever() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        set(&stage.user, "made_at", &later.to_string());
        stage.says(&stage.export(&[]), 6, "does not list it so far");
        stage.later(CLOSING);
        stage.is_started_once(&stage.export(&[]));
    });
}

/// Nothing is started again, as the start is not old; once it is listed, it is found.
fn is_found_with(column: &str, by: SignedDuration) {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-after", "start:1:unlisted=3"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        set(&stage.user, column, &(Timestamp::now() + by).to_string());
        stage.says(&stage.export(&[]), 6, "does not list it so far");
        stage.later(Duration::from_secs(3));
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(stage.count("start"), 1);
    });
}

#[test]
fn a_clock_that_was_behind_at_the_start_or_jumped_ahead_since_makes_no_second_one() {
    is_found_with("made_at", SignedDuration::from_hours(-1));
}

#[test]
fn a_date_that_lies_makes_no_second_start() {
    for hours in [-4, 4] {
        is_found_with("cloud_at", SignedDuration::from_hours(hours));
    }
}

#[test]
fn a_clock_that_jumps_ahead_makes_no_second_start_of_a_task_whose_id_is_known() {
    on_every_cloud(|cloud| {
        // Neither listed nor known by its id for longer than the test takes.
        let stage = Stage::of(cloud, LONG, &["start:1:unlisted=1000"]);
        let id = stage.export(&[]).id();
        let journal = stage.user.state().join("journal.db");
        let journal = rusqlite::Connection::open(journal).expect("it opens");
        let earlier = Timestamp::now() - SignedDuration::from_hours(1);
        let sql = "UPDATE task SET started_at = ?1";
        let changed = journal.execute(sql, [earlier.to_string()]);
        assert_eq!(changed.expect("it writes"), 1);
        let ran = stage.export(&[]);
        // Where it is known by its id it is adopted, else that is said.
        assert!(matches!(ran.code, Some(0 | 1)), "{}", stage.told(&ran));
        assert!(ran.stderr.contains(&id), "{}", stage.told(&ran));
        assert_eq!(stage.count("start"), 1);
    });
}

#[test]
fn a_status_with_an_open_start_does_not_say_that_there_is_none() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["start:1:reset-before"]);
        stage.says(&stage.export(&[]), 6, "is not known");
        let status = stage.user.run(&["status"]);
        stage.says(&status, 0, "whether it was started is not known");
        assert!(
            !status.stderr.contains("You have started no exports"),
            "{}",
            stage.told(&status)
        );
    });
}

#[test]
fn the_patience_that_is_set_is_the_one_that_is_rehearsed() {
    let user = User::new().with("SNAPEXPORT_VISIBILITY", "8s");
    let ran = user.run(&["sandbox", "--", "sh", "-c", "echo $SNAPEXPORT_VISIBILITY"]);
    assert_eq!(ran.stdout, "8s\n", "{}", ran.all());
}
