//! What the journal promises.

use super::*;
use crate::task::{State, Target, TaskId};

fn task(id: &str, state: State) -> Task {
    let mut task = Task::unseen(provider::outscale::ID, "eu-west-2", TaskId::from(id));
    task.state = state;
    task
}

fn open(path: &Path) -> Journal {
    Journal::open(path).expect("opens").journal
}

#[test]
fn a_damaged_file_is_moved_aside_and_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    std::fs::write(
        &path,
        "this was a journal once, long enough to be read as a page".repeat(99),
    )
    .expect("written");
    let opened = Journal::open(&path).expect("opens");
    let moved_to = opened.moved_to.expect("moved");
    assert!(
        std::fs::read_to_string(moved_to)
            .expect("kept")
            .starts_with("this was")
    );
    opened
        .journal
        .record_start(
            &task("t", State::Pending),
            None,
            "AK",
            &Realm::default(),
            moment(0),
        )
        .expect("writes");
    assert!(Journal::open(&path).expect("opens").moved_to.is_none());
}

/// A look-up that reads every row makes a wait for many ids take time with the square of their number.
#[test]
fn an_id_is_looked_up_by_an_index_in_any_case() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = open(&directory.path().join("journal.db"));
    let sql = format!("EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM task {BY_ID}");
    for provider in [None, Some("outscale")] {
        let plan: String = journal
            .connection()
            .query_row(&sql, params!["snap-export-1", provider], |row| row.get(3))
            .expect("a plan");
        assert!(plan.contains("USING INDEX task_by_id"), "{plan}");
    }
}

#[test]
fn a_journal_that_many_make_at_once_is_one_that_all_can_use() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state/journal.db");
        std::thread::scope(|scope| {
            for number in 0..12 {
                let path = &path;
                scope.spawn(move || {
                    let journal = open(path);
                    journal
                        .record_start(
                            &task(&format!("t-{number}"), State::Pending),
                            None,
                            "AK",
                            &Realm::default(),
                            moment(0),
                        )
                        .expect("writes");
                });
            }
        });
        assert_eq!(open(&path).started(None).expect("reads").len(), 12);
    }
}

#[test]
fn damage_below_the_first_page_is_found_when_it_matters() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = open(&path);
    for number in 0..40 {
        journal
            .record_start(
                &task(&format!("t-{number}"), State::Pending),
                None,
                "AK",
                &Realm::default(),
                moment(number),
            )
            .expect("writes");
    }
    drop(journal);
    let mut bytes = std::fs::read(&path).expect("there");
    bytes[4096..].fill(0x5a);
    std::fs::write(&path, bytes).expect("written");
    let shallow = Journal::open(&path).expect("its first page is whole");
    assert!(shallow.moved_to.is_none());
    assert!(shallow.journal.find("t-1", None).is_err());
    drop(shallow);
    let opened = Journal::open_whole(&path).expect("opens");
    assert!(opened.moved_to.as_deref().expect("moved").exists());
    assert_eq!(opened.journal.find("t-1", None).expect("reads").len(), 0);
    drop(opened);
    assert!(
        Journal::open_whole(&path)
            .expect("opens")
            .moved_to
            .is_none()
    );
}

#[test]
fn a_journal_of_the_first_layout_is_brought_up_to_date() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    open(&path)
        .record_start(
            &task("t", State::Pending),
            None,
            "AK",
            &Realm::default(),
            moment(0),
        )
        .expect("writes");
    let old = Connection::open(&path).expect("opens");
    old.execute_batch("DROP TABLE intent; DROP TABLE source; ALTER TABLE task DROP COLUMN realm; PRAGMA user_version = 1")
        .expect("as it was");
    drop(old);
    let journal = open(&path);
    assert_eq!(journal.find("t", None).expect("reads").len(), 1);
    assert_eq!(journal.intents().expect("reads").len(), 0);
}

#[test]
fn an_open_start_of_the_second_layout_is_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    drop(open(&path));
    let old = Connection::open(&path).expect("opens");
    old.execute_batch(
        r#"DROP TABLE source; ALTER TABLE intent DROP COLUMN cloud_at; ALTER TABLE intent DROP COLUMN realm;
           ALTER TABLE task DROP COLUMN realm; PRAGMA user_version = 2;
           INSERT INTO intent (provider, account, region, snapshot, target, twin, known, made_at)
           VALUES ('outscale', 'AK', 'eu-west-2', 'snap-1',
             '{"kind":"oos","bucket":"b","prefix":null,"format":"raw"}', '', '[]', '2026-01-15T12:34:56Z');"#,
    )
    .expect("as it was");
    drop(old);
    let intents = open(&path).intents().expect("reads");
    assert_eq!(intents.len(), 1);
    assert_eq!(intents[0].cloud_at, None);
    let target = Target::new(&provider::outscale::Destination::Oos {
        bucket: "b".into(),
        prefix: None,
        format: "raw".into(),
    });
    assert_eq!(intents[0].request.target, target);
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    drop(open(&path));
    Connection::open(&path)
        .expect("opens")
        .execute_batch("PRAGMA user_version = 99")
        .expect("written");
    let error = Journal::open(&path).err().expect("not ours to read");
    assert!(
        error.one_line().contains("newer version"),
        "{}",
        error.one_line()
    );
}

#[test]
fn of_a_task_in_words_of_a_later_version_the_columns_count() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let journal = open(&path);
    let mut known = task("snap-export-1", State::Running);
    known.snapshot = Some("snap-1".into());
    known.target = Some(Target::new(&provider::outscale::Destination::Oos {
        bucket: "b".into(),
        prefix: None,
        format: "raw".into(),
    }));
    let realm = Realm::default();
    for change in [
        "json_set(object, '$.state', 'hibernating')",
        "json_set(object, '$.progress', 'half', '$.schema', 7)",
        "json_set(object, '$.artifact', json('[1]'))",
        "json_remove(object, '$.created_at', '$.tags', '$.provider_state')",
    ] {
        journal
            .record_start(&known, None, "AK", &realm, moment(0))
            .expect("writes");
        let sql = format!("UPDATE task SET object = {change}");
        journal.connection().execute(&sql, []).expect("changed");
        let found = journal.started(None).expect("reads");
        let [entry] = &found[..] else {
            panic!("{change}: {found:?}");
        };
        assert_eq!(entry.task.id, known.id, "{change}");
        assert_eq!(entry.task.snapshot, known.snapshot, "{change}");
        assert_eq!(entry.task.target, known.target, "{change}");
        assert!(!entry.task.state.is_terminal(), "{change}");
        assert_eq!(journal.find("SNAP-EXPORT-1", None).expect("reads").len(), 1);
        journal
            .connection()
            .execute("DELETE FROM task", [])
            .expect("deleted");
    }
    // Not even JSON: what the columns tell is enough to wait for it.
    journal
        .record_start(&known, None, "AK", &realm, moment(0))
        .expect("writes");
    let sql = "UPDATE task SET object = 'no {json'";
    journal.connection().execute(sql, []).expect("changed");
    assert_eq!(journal.started(None).expect("reads")[0].task.id, known.id);
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_deleted_while_it_is_used_is_made_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let folder = directory.path().join("state");
    let path = folder.join("journal.db");
    let journal = open(&path);
    let realm = Realm::default();
    let write = |id| journal.record_start(&task(id, State::Running), None, "AK", &realm, moment(0));
    write("t-1").expect("writes");
    assert!(!journal.was_made_anew());
    let ways: [&dyn Fn(); 2] = [&|| std::fs::remove_dir_all(&folder).expect("gone"), &|| {
        std::fs::remove_file(&path).expect("gone");
    }];
    for remove in ways {
        remove();
        write("t-2").expect("writes");
        assert!(
            journal.was_made_anew() && !journal.was_made_anew(),
            "said once"
        );
        let known = open(&path).started(None).expect("reads");
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].task.id.as_str(), "t-2");
    }
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_768_000_000 + seconds).expect("in range")
}

#[test]
fn a_completed_task_stays_completed() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = open(&directory.path().join("state/journal.db"));
    journal
        .record_start(
            &task("t-1", State::Pending),
            Some("work"),
            "AK",
            &Realm::default(),
            moment(0),
        )
        .expect("writes");
    journal
        .record_sight(&task("t-1", State::Completed), "AK", moment(1))
        .expect("writes");
    for later in [State::Running, State::Failed, State::Cancelled] {
        journal
            .record_sight(&task("t-1", later), "AK", moment(2))
            .expect("writes");
    }
    let found = journal.find("t-1", None).expect("reads");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].task.state, State::Completed);
    assert_eq!(found[0].seen_at, Some(moment(1)));
    assert_eq!(found[0].profile.as_deref(), Some("work"));
    assert_eq!(found[0].started_at, Some(moment(0)));
    journal.check().expect("healthy");
}

#[test]
fn status_shows_what_this_user_started_and_not_what_was_only_looked_at() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = open(&directory.path().join("journal.db"));
    journal
        .record_start(
            &task("mine", State::Pending),
            None,
            "AK",
            &Realm::default(),
            moment(0),
        )
        .expect("writes");
    journal
        .record_sight(&task("other", State::Running), "AK", moment(1))
        .expect("writes");
    journal
        .record_start(
            &task("old", State::Failed),
            None,
            "AK",
            &Realm::default(),
            moment(-99),
        )
        .expect("writes");
    let ids = |since: Option<Timestamp>| -> Vec<String> {
        journal
            .started(since)
            .expect("reads")
            .into_iter()
            .map(|entry| entry.task.id.0)
            .collect()
    };
    assert_eq!(ids(None), ["old", "mine"]);
    assert_eq!(ids(Some(moment(-10))), ["mine"]);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    open(&path);
    let mode = std::fs::metadata(&path)
        .expect("exists")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
