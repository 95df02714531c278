//! Operation and export record made one task. The operation says that something runs, the record says what becomes of it.

use aws_sdk_lightsail::primitives::DateTime;
use aws_sdk_lightsail::types::{ExportSnapshotRecord, Operation};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ID;
use super::calls::Seen;
use crate::error::Kind;
use crate::task::{Artifact, ArtifactKind, Fault, Progress, State, Target, Task, TaskId};

/// How every export record's name begins; a GUID follows.
pub const RECORD_PREFIX: &str = "ExportSnapshotRecord-";
/// A record may be a few seconds older than its operation.
const EARLIEST_MS: i64 = -5_000;
/// A record dates from the start of its export, so one much younger than the operation belongs to another export.
const LATEST_MS: i64 = 10 * 60_000;

/// An operation of an export.
pub type SeenOperation = Seen<Operation>;
/// A record of an export.
pub type SeenRecord = Seen<ExportSnapshotRecord>;

/// For each operation the index of its record, if there is one; a record belongs to one operation at most.
///
/// An operation names either its record or the snapshot. One snapshot may have been exported many times, so with the
/// snapshot alone the record nearest in time is taken, closest pairs first.
pub fn join(operations: &[&Operation], records: &[&ExportSnapshotRecord]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for (o, operation) in operations.iter().enumerate() {
        for (r, record) in records.iter().enumerate() {
            pairs.extend(distance(operation, record).map(|distance| (distance, o, r)));
        }
    }
    pairs.sort_unstable();
    let mut joined = vec![None; operations.len()];
    let mut taken = vec![false; records.len()];
    for (_, o, r) in pairs {
        if joined[o].is_none() && !taken[r] {
            joined[o] = Some(r);
            taken[r] = true;
        }
    }
    joined
}

/// How far a record is from an operation, in milliseconds; 0 for one it names, `None` for one it cannot own.
fn distance(operation: &Operation, record: &ExportSnapshotRecord) -> Option<u64> {
    let resource = operation.resource_name()?;
    if record.name() == Some(resource) {
        return Some(0);
    }
    if source_name(record) != Some(resource) {
        return None;
    }
    let started = milliseconds(operation.created_at()?)?;
    let offset = milliseconds(record.created_at()?)?.checked_sub(started)?;
    // One more than the offset, so that a record named outright stays the closest.
    (EARLIEST_MS..=LATEST_MS)
        .contains(&offset)
        .then(|| offset.unsigned_abs() + 1)
}

/// The snapshot a record is about.
pub fn source_name(record: &ExportSnapshotRecord) -> Option<&str> {
    record.source_info()?.name()
}

/// One task of an operation, its record, or both. `None` of neither.
pub fn task(
    region: &str,
    operation: Option<&SeenOperation>,
    record: Option<&SeenRecord>,
) -> Option<Task> {
    let op = operation.map(|seen| &seen.typed);
    let rec = record.map(|seen| &seen.typed);
    let id = op.and_then(Operation::id).or(rec.and_then(|r| r.name()))?;
    let snapshot = rec.and_then(source_name).or_else(|| {
        let resource = op.and_then(Operation::resource_name);
        resource.filter(|name| !name.starts_with(RECORD_PREFIX))
    });
    let (state, provider_state) = state(op, rec);
    let created_at = op.and_then(Operation::created_at);
    let changed_at = op
        .and_then(Operation::status_changed_at)
        .and_then(timestamp);
    let mut task = Task::unseen(ID, region, TaskId(id.to_owned()));
    task.snapshot = snapshot.map(str::to_owned);
    task.state = state;
    task.provider_state = provider_state.to_owned();
    task.progress = Progress::Flag {
        is_terminal: op.map_or(state.is_terminal(), is_terminal),
    };
    task.message = message(op, rec, state);
    task.created_at = created_at
        .or(rec.and_then(|r| r.created_at()))
        .and_then(timestamp);
    task.updated_at = changed_at;
    // The record has no time of its end; the operation's last change is the nearest thing to it.
    task.finished_at = changed_at.filter(|_| state.is_terminal() && op.is_some_and(is_terminal));
    task.target = Some(Target::Ec2);
    task.artifact = rec.and_then(|record| artifact(region, record));
    task.error = (state == State::Failed).then(|| fault(op));
    task.raw = json!({
        "operation": operation.map_or(&Value::Null, |seen| &seen.raw),
        "record": record.map_or(&Value::Null, |seen| &seen.raw),
    });
    Some(task)
}

/// The record is the truth: where it has succeeded the export is done, whatever the operation says; where only the
/// operation has, the export goes on. A failure of either is one.
fn state<'s>(
    operation: Option<&'s Operation>,
    record: Option<&'s ExportSnapshotRecord>,
) -> (State, &'s str) {
    let status = operation.and_then(Operation::status).map(|s| s.as_str());
    let recorded = record.and_then(|r| r.state()).map(|s| s.as_str());
    let word = recorded.or(status).unwrap_or_default();
    match (recorded, status) {
        (Some("Succeeded"), _) => (State::Completed, word),
        (Some("Failed"), _) => (State::Failed, word),
        (_, Some("Failed")) => (State::Failed, "Failed"),
        (None, Some("NotStarted")) => (State::Pending, word),
        _ => (State::Running, word),
    }
}

fn is_terminal(operation: &Operation) -> bool {
    let status = operation.status().map(|status| status.as_str());
    operation.is_terminal().unwrap_or(false)
        || matches!(status, Some("Succeeded" | "Completed" | "Failed"))
}

fn message(
    operation: Option<&Operation>,
    record: Option<&ExportSnapshotRecord>,
    state: State,
) -> Option<String> {
    let text = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    let details = operation.and_then(|op| text(op.error_details()));
    let waits_for_record = state == State::Running && operation.is_some_and(is_terminal);
    details.or_else(|| {
        let why = match record {
            Some(_) => "the operation has ended, the export has not",
            None => "the operation has ended, its export record is not listed yet",
        };
        waits_for_record.then(|| why.to_owned())
    })
}

/// Why an export failed. A failed record says nothing; the operation does.
fn fault(operation: Option<&Operation>) -> Fault {
    let text = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    Fault {
        kind: Kind::TaskFailed,
        code: operation.and_then(|op| text(op.error_code())),
        message: operation
            .and_then(|op| text(op.error_details()))
            .unwrap_or_else(|| "Lightsail gives no reason".to_owned()),
        request_id: None,
    }
}

/// What the record says the export makes. The id's prefix tells the kind; the `service` word for a disk is not documented.
pub fn artifact(region: &str, record: &ExportSnapshotRecord) -> Option<Artifact> {
    let id = record.destination_info()?.id()?;
    let (kind, path) = if id.starts_with("ami-") {
        (ArtifactKind::Ami, "image")
    } else if id.starts_with("snap-") {
        (ArtifactKind::EbsSnapshot, "snapshot")
    } else {
        return None;
    };
    Some(Artifact {
        kind,
        uri: format!("arn:aws:ec2:{region}::{path}/{id}"),
        id: Some(id.to_owned()),
        format: None,
        size_bytes: None,
        exact: true,
    })
}

/// To the millisecond: the SDK reads `.349` as `.348999`.
fn milliseconds(time: &DateTime) -> Option<i64> {
    let fraction = (i64::from(time.subsec_nanos()) + 500_000) / 1_000_000;
    time.secs().checked_mul(1000)?.checked_add(fraction)
}

/// An API time as ours.
pub fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds(time)?).ok()
}

/// Whether the record says that the export failed; it never says why.
pub(super) fn has_failed(record: &ExportSnapshotRecord) -> bool {
    record
        .state()
        .is_some_and(|state| state.as_str() == "Failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lightsail::types::{
        DestinationInfo, ExportSnapshotRecordSourceInfo, OperationStatus, RecordState,
    };

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
            raw: Value::Null,
        }
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
            (vec![operation("web-1", 5_000)], vec![None]),
            (vec![operation("db-2", 10_000)], vec![None]),
        ] {
            let refs: Vec<&Operation> = operations.iter().collect();
            assert_eq!(join(&refs, &records), expected, "{operations:?}");
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
}
