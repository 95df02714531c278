//! What intents promise.

use super::*;
use crate::task::State;
use std::path::Path;

fn open(directory: &Path) -> Journal {
    Journal::open(&directory.join("journal.db"))
        .expect("opens")
        .journal
}

fn ec2() -> Target {
    Target::new(&provider::lightsail::Destination::Ec2)
}

fn intent() -> Intent {
    Intent {
        id: None,
        provider: provider::lightsail::ID,
        account: "AK".into(),
        realm: Realm::default(),
        region: "eu-west-2".into(),
        profile: None,
        request: ExportRequest::new("snap-1", ec2()),
        twin: String::new(),
        known: vec![TaskId::from("before")],
        made_at: Timestamp::from_second(1_768_000_000).expect("in range"),
        cloud_at: Some(Timestamp::from_second(1_768_000_000).expect("in range")),
    }
}

fn task(id: &str) -> Task {
    let mut task = Task::unseen(provider::lightsail::ID, "eu-west-2", TaskId::from(id));
    task.snapshot = Some("snap-1".into());
    task.target = Some(ec2());
    task.state = State::Running;
    task
}

fn claimed(journal: &Journal, intent: &Intent) -> Intent {
    match journal.claim(intent, Timestamp::now()).expect("writes") {
        Claim::Mine(id) => Intent {
            id: Some(id),
            ..intent.clone()
        },
        other => panic!("not ours: {other:?}"),
    }
}

#[test]
fn the_same_start_is_claimed_by_one_living_process_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (open(directory.path()), open(directory.path()));
    let mine = claimed(&first, &intent());
    assert!(matches!(
        second.claim(&intent(), Timestamp::now()).expect("reads"),
        Claim::Taken
    ));
    assert_eq!(
        second.intents().expect("reads"),
        [],
        "what is held is nobody else's to look up"
    );
    let other = Intent {
        twin: "x".into(),
        ..intent()
    };
    let other = claimed(&second, &other);
    for ended in [mine, other] {
        first
            .settle(&ended, &Settled::NotExecuted, Timestamp::now())
            .expect("writes");
    }
    claimed(&second, &intent());
}

#[test]
fn what_a_dead_process_left_is_to_be_looked_up_by_one_only() {
    let directory = tempfile::tempdir().expect("a directory");
    claimed(&open(directory.path()), &intent());
    let (first, second) = (open(directory.path()), open(directory.path()));
    let Claim::Left(left) = first.claim(&intent(), Timestamp::now()).expect("reads") else {
        panic!("not left")
    };
    assert_eq!(left.known, [TaskId::from("before")]);
    let now = Timestamp::now();
    assert!(first.take_over(&left, now).expect("writes").is_some());
    assert_eq!(second.take_over(&left, now).expect("reads"), None);
}

#[test]
fn an_unknown_outcome_stays_until_it_is_settled() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = open(directory.path());
    let mine = claimed(&journal, &intent());
    journal
        .settle(&mine, &Settled::Unknown, Timestamp::now())
        .expect("writes");
    assert_eq!(journal.intents().expect("reads").len(), 1);
    journal
        .settle(&mine, &Settled::Started(&task("t-1")), Timestamp::now())
        .expect("writes");
    assert_eq!(journal.intents().expect("reads").len(), 0);
    assert_eq!(journal.find("t-1", None).expect("reads").len(), 1);
}

#[test]
fn what_another_process_has_just_started_is_not_started_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (open(directory.path()), open(directory.path()));
    let mine = claimed(&first, &intent());
    first
        .settle(&mine, &Settled::Started(&task("t-1")), Timestamp::now())
        .expect("writes");
    match second.claim(&intent(), Timestamp::now()).expect("reads") {
        Claim::Running(known) => assert_eq!(known.task.id, TaskId::from("t-1")),
        other => panic!("started twice: {other:?}"),
    }
}

#[test]
fn a_task_that_was_found_is_given_to_one_start_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (open(directory.path()), open(directory.path()));
    let named = |twin: &str| Intent {
        twin: twin.into(),
        ..intent()
    };
    let (one, other) = (claimed(&first, &named("1")), claimed(&second, &named("2")));
    let (now, [t1, t2]) = (Timestamp::now(), ["t-1", "t-2"].map(task));
    let free = |found: &[&Task]| {
        let found = found.iter().map(|task| (*task).clone()).collect();
        first.free_for(&one, found).expect("reads")
    };
    assert_eq!(free(&[&t1]), [], "it may be that of either");
    assert_eq!(free(&[&t1, &t2]), [t1.clone(), t2.clone()]);
    assert!(first.settle_found(&one, &t1, now).expect("writes"));
    assert!(!second.settle_found(&other, &t1, now).expect("writes"));
    assert_eq!(free(&[&t1]), [], "it is another's");
    assert_eq!(free(&[&t1, &t2]), std::slice::from_ref(&t2));
    assert!(second.settle_found(&other, &t2, now).expect("writes"));
}

#[test]
fn a_start_from_the_future_counts_from_when_it_is_seen() {
    let directory = tempfile::tempdir().expect("a directory");
    let now = Timestamp::from_second(1_768_000_000).expect("in range");
    let later = Timestamp::from_second(1_768_003_600).expect("in range");
    let first = open(directory.path());
    first.claim(&intent(), later).expect("writes");
    drop(first);
    let journal = open(directory.path());
    let left = journal.intents().expect("reads").remove(0);
    let taken = journal
        .take_over(&left, now)
        .expect("writes")
        .expect("ours");
    assert_eq!(taken.made_at, now);
    drop(journal);
    let seen = open(directory.path()).intents().expect("reads");
    assert_eq!(seen[0].made_at, now, "once and for all");
}

#[test]
fn an_export_waits_for_another_of_the_same_that_was_asked_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (open(directory.path()), open(directory.path()));
    let other = Intent {
        twin: "1".into(),
        ..intent()
    };
    let other = claimed(&first, &other);
    let claim = |journal: &Journal| journal.claim(&intent(), Timestamp::now()).expect("reads");
    assert!(matches!(claim(&second), Claim::Taken));
    let unknown = Settled::Unknown;
    first
        .settle(&other, &unknown, Timestamp::now())
        .expect("writes");
    assert!(matches!(claim(&second), Claim::Left(left) if left.twin == "1"));
}

#[test]
fn a_start_that_could_not_be_settled_is_found_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = open(directory.path());
    let mine = claimed(&journal, &intent());
    // As on a disk that is full after the first write.
    let full = "CREATE TRIGGER full BEFORE DELETE ON intent BEGIN SELECT RAISE(FAIL, 'full'); END";
    journal.connection().execute_batch(full).expect("a trigger");
    let task = task("t-1");
    let settled = journal.settle(&mine, &Settled::Started(&task), Timestamp::now());
    settled.expect_err("the disk is full");
    journal
        .connection()
        .execute_batch("DROP TRIGGER full")
        .expect("room");
    let free = journal.free_for(&mine, vec![task.clone()]).expect("reads");
    assert_eq!(free, [task]);
}

#[test]
fn what_killed_processes_left_is_swept_away() {
    let directory = tempfile::tempdir().expect("a directory");
    let live = directory.path().join("journal.live");
    std::fs::create_dir(&live).expect("a directory");
    std::fs::write(live.join("4711-1-0"), "").expect("a file");
    let (first, second) = (open(directory.path()), open(directory.path()));
    let mine = claimed(&first, &intent());
    let taken = second.claim(&intent(), Timestamp::now()).expect("reads");
    assert!(matches!(taken, Claim::Taken), "{mine:?}");
    let left = std::fs::read_dir(&live).expect("there").count();
    assert_eq!(left, 2, "the two that live");
}

fn realm(account: Option<&str>) -> Realm {
    Realm {
        endpoint: Some("api.example".into()),
        account: account.map(str::to_owned),
        key: None,
    }
}

#[test]
fn another_key_of_one_account_is_no_other_account() {
    for (one, other, is_same) in [
        (Some("1"), Some("1"), true),
        (Some("1"), None, true),
        (None, None, true),
        (Some("1"), Some("2"), false),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let (first, second) = (open(directory.path()), open(directory.path()));
        let mine = Intent {
            realm: realm(one),
            ..intent()
        };
        let mine = claimed(&first, &mine);
        let theirs = Intent {
            account: "another key".into(),
            realm: realm(other),
            ..intent()
        };
        let claim = |theirs: &Intent| second.claim(theirs, Timestamp::now()).expect("reads");
        assert_eq!(matches!(claim(&theirs), Claim::Taken), is_same);
        if !is_same {
            continue;
        }
        let settled = Settled::Started(&task("t"));
        first
            .settle(&mine, &settled, Timestamp::now())
            .expect("writes");
        match claim(&theirs) {
            Claim::Running(known) => assert_eq!(known.task.id.as_str(), "t"),
            other => panic!("{other:?}"),
        }
        let elsewhere = Intent {
            realm: Realm {
                endpoint: Some("elsewhere.example".into()),
                account: None,
                key: None,
            },
            ..theirs.clone()
        };
        assert!(matches!(claim(&elsewhere), Claim::Mine(_)));
    }
}

#[test]
fn a_claim_that_somebody_took_over_is_not_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (open(directory.path()), open(directory.path()));
    let mine = claimed(&first, &intent());
    let live = directory.path().join("journal.live");
    assert!(first.renew(&mine, Timestamp::now(), None).expect("writes"));
    // What somebody has cleaned away is shown again.
    std::fs::remove_dir_all(&live).expect("cleaned");
    assert!(first.renew(&mine, Timestamp::now(), None).expect("writes"));
    let claim = second.claim(&intent(), Timestamp::now()).expect("reads");
    assert!(matches!(claim, Claim::Taken), "{claim:?}");

    std::fs::remove_dir_all(&live).expect("cleaned");
    let left = second.intents().expect("reads").pop().expect("left open");
    let taken = second.take_over(&left, Timestamp::now()).expect("writes");
    assert!(taken.is_some());
    assert!(!first.renew(&mine, Timestamp::now(), None).expect("writes"));
    second
        .settle(&left, &Settled::NotExecuted, Timestamp::now())
        .expect("writes");
    assert!(!first.renew(&mine, Timestamp::now(), None).expect("writes"));
    // Sent all the same, and not answered: whoever comes next has to know.
    first
        .settle(&mine, &Settled::Unknown, Timestamp::now())
        .expect("writes");
    assert_eq!(second.intents().expect("reads").len(), 1);
}

#[test]
fn a_start_that_is_sent_again_is_as_young_by_the_clouds_clock_as_by_ours() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = open(directory.path());
    let later = |seconds: i64| Timestamp::from_second(1_768_000_000 + seconds).expect("in range");
    let left = |mine: &Intent| {
        journal
            .settle(mine, &Settled::Unknown, later(0))
            .expect("writes");
        journal.intents().expect("reads").pop().expect("left open")
    };
    let mine = claimed(&journal, &intent());
    assert!(
        journal
            .renew(&mine, later(600), Some(later(590)))
            .expect("writes")
    );
    let seen = left(&mine);
    assert_eq!(
        (seen.made_at, seen.cloud_at),
        (later(600), Some(later(590)))
    );

    // One from before the cloud told its time is dated once, when it first does.
    let twin = Intent {
        twin: "x".into(),
        cloud_at: None,
        ..intent()
    };
    let seen = left(&claimed(&journal, &twin));
    assert_eq!(seen.cloud_at, None);
    for seconds in [100, 200] {
        journal.date(&seen, later(seconds)).expect("writes");
    }
    let dated = journal.intents().expect("reads").pop().expect("still open");
    assert_eq!(dated.cloud_at, Some(later(100)));
}
