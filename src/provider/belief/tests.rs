use super::*;
use crate::task::{ProviderId, Target, TaskId};
use serde_json::json;

const CLOUD: ProviderId = ProviderId("outscale");

fn known(state: State) -> Task {
    let mut task = Task::unseen(CLOUD, "eu-west-2", TaskId::from("snap-export-1"));
    task.snapshot = Some("snap-1".into());
    task.target = Some(Target::new(&json!({"bucket": "demo", "prefix": "web/"})));
    task.state = state;
    task
}

#[test]
fn ids_of_impossible_shape_are_none() {
    for id in [
        "snap-export-12345678",
        "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
        "ExportSnapshotRecord-a",
        "x.vhd",
        "a_1",
    ] {
        assert!(is_id(id), "{id}");
    }
    let long = "a".repeat(257);
    for id in [
        "",
        " ",
        "a b",
        "a/b",
        "x\ny",
        "a\0",
        "a\u{1b}[2J",
        "..",
        "-",
        "-rf",
        ".hidden",
        "$(id)",
        "a;b",
        "a'b",
        "é",
        "a\u{200b}",
        &long,
    ] {
        assert!(!is_id(id), "{id:?}");
    }
}

#[test]
fn a_reply_about_something_else_is_no_reply_and_what_is_left_out_is_no_difference() {
    let changed = |change: fn(&mut Task)| {
        let mut task = known(State::Running);
        change(&mut task);
        task
    };
    for (task, is_it) in [
        (changed(|_| ()), true),
        (changed(|task| task.snapshot = None), true),
        (changed(|task| task.target = None), true),
        (
            changed(|task| task.target = Some(Target::new(&json!({"bucket": "demo"})))),
            true,
        ),
        (changed(|task| task.id = "snap-export-2".into()), false),
        (changed(|task| task.snapshot = Some("snap-2".into())), false),
        (
            changed(|task| task.target = Some(Target::new(&json!({"bucket": "other"})))),
            false,
        ),
    ] {
        let believed = believe(Ok(task), &known(State::Running));
        assert_eq!(believed.map_err(|error| error.kind).is_ok(), is_it);
    }
}

#[test]
fn completed_stays_completed() {
    for state in [
        State::Failed,
        State::Running,
        State::Cancelled,
        State::Stalled,
    ] {
        let seen = believe(Ok(known(state)), &known(State::Completed));
        assert_eq!(seen.map(|task| task.state), Ok(State::Completed));
    }
    let gone = || Err(Error::new(Kind::NotFound, "gone"));
    let seen = believe(gone(), &known(State::Completed));
    assert_eq!(seen.map(|task| task.state), Ok(State::Completed));
    assert!(believe(gone(), &known(State::Running)).is_err());
}
