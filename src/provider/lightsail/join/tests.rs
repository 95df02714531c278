use aws_sdk_lightsail::primitives::DateTime;
use aws_sdk_lightsail::types::{DestinationInfo, ExportSnapshotRecordSourceInfo, OperationStatus};

use super::*;
use crate::provider::lightsail::ID;
use crate::provider::lightsail::Made;
use crate::task::{Artifact, ArtifactKind, TaskId};

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

#[test]
fn an_operation_finds_its_record_by_name_or_else_by_snapshot_and_time() {
    let records = [
        record("old", "web-1", 100),
        record("first", "web-1", 10_000),
        record("second", "web-1", 10_030),
        record("other", "db-1", 10_000),
    ];
    let records: Vec<&ExportSnapshotRecord> = records.iter().collect();
    for (operations, expected) in [
        (
            vec![operation("ExportSnapshotRecord-other", 1)],
            vec![Some(3)],
        ),
        (vec![operation("web-1", 10_001)], vec![Some(1)]),
        (vec![operation("web-1", 10_031)], vec![Some(2)]),
        (
            vec![operation("web-1", 10_029), operation("web-1", 9_999)],
            vec![Some(2), Some(1)],
        ),
        (
            vec![operation("web-1", 10_031), operation("web-1", 10_032)],
            vec![Some(2), None],
        ),
        (vec![operation("web-1", 20_000)], vec![None]),
        (vec![operation("web-1", 9_300)], vec![Some(1)]),
        (
            vec![operation("web-1", 5_000), operation("web-1", 9_999)],
            vec![Some(2), Some(1)],
        ),
        (vec![operation("db-2", 10_000)], vec![None]),
    ] {
        let claims: Vec<Claim<'_>> = operations.iter().map(Claim::of_operation).collect();
        assert_eq!(found(&claims, &records), expected, "{operations:?}");
    }
}

#[test]
fn exports_of_one_snapshot_are_paired_with_their_records_in_the_order_of_time() {
    let operations = [operation("web-1", 10_000), operation("web-1", 10_003)];
    let records = [record("b", "web-1", 10_005), record("a", "web-1", 10_002)];
    let records: Vec<&ExportSnapshotRecord> = records.iter().collect();
    let claims: Vec<Claim<'_>> = operations.iter().map(Claim::of_operation).collect();
    assert_eq!(found(&claims, &records), [Some(1), Some(0)]);
    let turned: Vec<Claim<'_>> = claims.iter().rev().cloned().collect();
    assert_eq!(found(&turned, &records), [Some(0), Some(1)]);
    // Alone, each is in doubt: more than one record could be its own.
    for claim in claims {
        let joined = join(std::slice::from_ref(&claim), &records);
        assert!(joined[0].is_some_and(|found| !found.is_sure), "{joined:?}");
    }
    // Exports of another snapshot keep out of it.
    let mixed = [
        operation("web-1", 10_000),
        operation("db-1", 10_003),
        operation("web-1", 10_003),
    ];
    let claims: Vec<Claim<'_>> = mixed.iter().map(Claim::of_operation).collect();
    let other = record("c", "db-1", 10_001);
    let records = [records[0], records[1], &other];
    assert_eq!(found(&claims, &records), [Some(1), Some(2), Some(0)]);
}

/// The indices of the records alone.
fn found(claims: &[Claim<'_>], records: &[&ExportSnapshotRecord]) -> Vec<Option<usize>> {
    let joined = join(claims, records).into_iter();
    joined.map(|found| Some(found?.record)).collect()
}

fn undated(mut record: ExportSnapshotRecord) -> ExportSnapshotRecord {
    record.created_at = None;
    record
}

fn known(at: Option<i64>) -> Task {
    let mut task = Task::unseen(ID, "eu-west-3", TaskId::from("7f0e"));
    task.snapshot = Some("web-1".to_owned());
    task.created_at = at.and_then(|at| Timestamp::from_second(at).ok());
    task
}

#[test]
fn a_record_far_from_its_operation_or_without_a_time_is_taken_but_in_doubt() {
    const ABSURD: i64 = 1 << 60;
    let (dated, nameless) = (|at| operation("web-1", at), {
        let mut operation = operation("web-1", 10_000);
        operation.resource_name = None;
        operation
    });
    let mut timeless = operation("web-1", 0);
    timeless.created_at = None;
    for (operation, record, is_sure) in [
        (dated(10_000), record("late", "web-1", 11_200), false),
        (dated(10_000), undated(record("r", "web-1", 0)), false),
        (dated(10_000), record("r", "web-1", ABSURD), false),
        (timeless, record("r", "web-1", 10_000), false),
        (dated(ABSURD), record("r", "web-1", 10_000), false),
        (nameless, record("r", "web-1", 10_001), true),
    ] {
        let task = known(None);
        let claim = Claim::of_task(&task, Some(&operation));
        let expected = Some(Match { record: 0, is_sure });
        let joined = join(&[claim], &[&record]);
        assert_eq!(joined, [expected], "{operation:?} {record:?}");
    }
}

#[test]
fn where_nothing_says_when_only_a_single_record_is_taken() {
    let mut timeless = operation("web-1", 0);
    timeless.created_at = None;
    let (one, two) = (record("1", "web-1", 10), record("2", "web-1", 20));
    let claim = Claim::of_operation(&timeless);
    assert_eq!(found(std::slice::from_ref(&claim), &[&one, &two]), [None]);
    assert_eq!(
        found(&[claim.clone(), claim.clone()], &[&one]),
        [None, None]
    );
    let owner = operation("web-1", 9);
    let owner = Claim::of_operation(&owner);
    assert_eq!(found(&[claim, owner], &[&one, &two]), [Some(1), Some(0)]);
}

#[test]
fn a_task_without_its_operation_is_joined_by_what_is_known_of_it() {
    let old = record("old", "web-1", 100);
    let mut made = record("made", "web-1", 10_000);
    made.destination_info = Some(DestinationInfo::builder().id("ami-1").build());
    let records = [&old, &made];
    let by_start = known(Some(10_001));
    let mut by_name = known(Some(500_000));
    by_name.raw =
        crate::task::Raw::of(&serde_json::json!({"record": {"name": "ExportSnapshotRecord-old"}}));
    let mut by_artifact = known(None);
    by_artifact.artifact = Some(Artifact {
        kind: ArtifactKind::new(&Made::Ami),
        uri: String::new(),
        id: Some("ami-1".to_owned()),
        format: None,
        size_bytes: None,
        snapshots: Vec::new(),
        modified_at: None,
        exact: true,
    });
    let mut failed = known(Some(5_000));
    failed.state = State::Failed;
    for (task, expected) in [
        (by_start, Some(1)),
        (by_name, Some(0)),
        (by_artifact, Some(1)),
        (known(None), None),
        (known(Some(500_000)), None),
        // It failed before it had a record; the later export is another one.
        (failed, None),
    ] {
        let joined = found(&[Claim::of_task(&task, None)], &records);
        assert_eq!(joined, [expected], "{task:?}");
    }
}

#[test]
fn an_operation_of_another_kind_or_a_failed_one_takes_no_record_in_doubt() {
    let late = record("late", "web-1", 20_000);
    let mut other = operation("web-1", 10_000);
    other.operation_type = Some(OperationType::CreateInstanceSnapshot);
    let mut failed = operation("web-1", 10_000);
    failed.status = Some(OperationStatus::Failed);
    let mut unheard_of = operation("web-1", 10_000);
    unheard_of.operation_type = Some(OperationType::from("ExportSnapshot"));
    for (operation, expected) in [(other, None), (failed, None), (unheard_of, Some(0))] {
        let claim = Claim::of_operation(&operation);
        assert_eq!(found(&[claim], &[&late]), [expected], "{operation:?}");
    }
}

#[test]
fn an_end_is_not_believed_by_time_alone_and_a_failed_operation_has_no_record_that_succeeded() {
    let ended = |word: &str| {
        let mut record = record("r", "web-1", 10_004);
        record.state = Some(word.into());
        record
    };
    let task = known(None);
    let seen = |operation: &Operation, record: &ExportSnapshotRecord| {
        join(&[Claim::of_task(&task, Some(operation))], &[record])[0]
    };
    let running = operation("web-1", 10_000);
    assert!(seen(&running, &ended("Started")).is_some_and(|found| found.is_sure));
    for word in ["Succeeded", "Failed"] {
        assert!(
            seen(&running, &ended(word)).is_some_and(|found| !found.is_sure),
            "{word}"
        );
    }
    let mut failed = operation("web-1", 10_000);
    failed.status = Some("Failed".into());
    assert_eq!(seen(&failed, &ended("Succeeded")), None);
    assert!(seen(&failed, &ended("Failed")).is_some());
}
