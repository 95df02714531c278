use aws_sdk_lightsail::types::{
    DestinationInfo, ExportSnapshotRecordSourceInfo, OperationStatus, RecordState,
};

use super::*;

fn operation(resource: &str, at: i64) -> Operation {
    Operation::builder()
        .id("7f0e0d0c-0000-4000-8000-000000000001")
        .resource_name(resource)
        .created_at(DateTime::from_secs(at))
        .build()
}

fn record(guid: &str, snapshot: &str, at: i64) -> ExportSnapshotRecord {
    ExportSnapshotRecord::builder()
        .name(format!("{RECORD_PREFIX}{guid}"))
        .created_at(DateTime::from_secs(at))
        .source_info(
            ExportSnapshotRecordSourceInfo::builder()
                .name(snapshot)
                .build(),
        )
        .build()
}

fn seen<T>(typed: T) -> Seen<T> {
    Seen {
        typed,
        raw: Raw::default(),
        at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn the_record_is_the_truth_about_the_state() {
    use State::{Completed, Failed, Pending, Running};
    for (status, recorded, state, word) in [
        (Some("NotStarted"), None, Pending, "NotStarted"),
        (Some("Started"), None, Running, "Started"),
        (Some("Started"), Some("Started"), Running, "Started"),
        (Some("Succeeded"), Some("Started"), Running, "Started"),
        (Some("Succeeded"), None, Running, "Succeeded"),
        (Some("Completed"), None, Running, "Completed"),
        (Some("Started"), Some("Succeeded"), Completed, "Succeeded"),
        (Some("Failed"), Some("Succeeded"), Completed, "Succeeded"),
        (Some("Failed"), Some("Started"), Failed, "Failed"),
        (Some("Failed"), None, Failed, "Failed"),
        (Some("Started"), Some("Failed"), Failed, "Failed"),
        (Some("Pondering"), None, Running, "Pondering"),
        (Some("Succeeded"), Some("Polishing"), Running, "Polishing"),
        (None, Some("Succeeded"), Completed, "Succeeded"),
    ] {
        let op = status.map(|status| {
            let mut op = operation("web-1", 1);
            op.status = Some(OperationStatus::from(status));
            seen(op)
        });
        let rec = recorded.map(|state| {
            let mut rec = record("r", "web-1", 1);
            rec.state = Some(RecordState::from(state));
            seen(rec)
        });
        let task = task("eu-west-3", op.as_ref(), rec.as_ref()).expect("a task");
        let found = (task.state, task.provider_state.as_str());
        assert_eq!(found, (state, word), "{status:?} {recorded:?}");
        assert_eq!(task.error.is_some(), state == Failed);
    }
}

#[test]
fn an_artifact_is_known_by_the_prefix_of_its_id() {
    for (id, expected) in [
        (
            "ami-0123456789abcdef0",
            Some("arn:aws:ec2:eu-west-3::image/ami-0123456789abcdef0"),
        ),
        (
            "snap-0123456789abcdef0",
            Some("arn:aws:ec2:eu-west-3::snapshot/snap-0123456789abcdef0"),
        ),
        ("vol-1", None),
    ] {
        let mut rec = record("r", "web-1", 1);
        rec.destination_info = Some(DestinationInfo::builder().id(id).service("?").build());
        let uri = artifact("eu-west-3", &rec).map(|artifact| artifact.uri);
        assert_eq!(uri.as_deref(), expected);
    }
}

#[test]
fn times_are_rounded_to_the_millisecond() {
    let time = DateTime::from_secs_and_nanos(1_543_534_665, 348_999_977);
    let expected = "2018-11-29T23:37:45.349Z";
    assert_eq!(
        timestamp(&time).map(|t| t.to_string()).as_deref(),
        Some(expected)
    );
}

#[test]
fn the_start_is_the_operations_or_else_the_records_and_absurd_times_are_none() {
    for (of_operation, of_record, expected) in [
        (Some(100), 103, Some(100)),
        (Some(1 << 60), 103, Some(103)),
        (None, 103, Some(103)),
        (None, 1 << 60, None),
    ] {
        let op = of_operation.map(|at| seen(operation("web-1", at)));
        let rec = seen(record("r", "web-1", of_record));
        let task = task("eu-west-3", op.as_ref(), Some(&rec)).expect("a task");
        let started = task.created_at.map(Timestamp::as_second);
        assert_eq!(started, expected, "{of_operation:?} {of_record}");
    }
}

#[test]
fn an_operation_that_ended_long_ago_without_a_record_is_stalled() {
    for (status, age, has_record, is_stalled) in [
        ("Succeeded", 3599, false, false),
        ("Succeeded", 3600, false, true),
        ("Completed", 90_000, false, true),
        ("Succeeded", 90_000, true, false),
        ("Started", 90_000, false, false),
        ("Failed", 90_000, false, false),
    ] {
        let mut op = seen(operation("web-1", 1_000));
        op.typed.status = Some(OperationStatus::from(status));
        op.typed.status_changed_at = Some(DateTime::from_secs(2_000));
        op.at = Timestamp::from_second(2_000 + age).expect("a time");
        let rec = has_record.then(|| seen(record("r", "web-1", 1_000)));
        let task = task("eu-west-3", Some(&op), rec.as_ref()).expect("a task");
        assert_eq!(task.is_stalled(), is_stalled, "{status} {age}");
        if is_stalled {
            let why = task.error.map(|error| error.message).unwrap_or_default();
            assert!(why.contains("no export record"), "{why}");
            assert_eq!((task.state, task.message.is_some()), (State::Stalled, true));
        }
    }
}

#[test]
fn what_a_script_gets_holds_no_secrets() {
    let mut op = seen(operation("web-1", 1));
    op.raw = Raw::of(&json!({"id": "x", "password": "hunter2"}));
    let task = task("eu-west-3", Some(&op), None).expect("a task");
    assert_eq!(task.raw.value()["operation"]["id"], "x");
    assert!(
        !task.raw.value().to_string().contains("hunter2"),
        "{}",
        task.raw.value()
    );
}
