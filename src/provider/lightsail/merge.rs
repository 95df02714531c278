//! Operation and export record made one task. The operation says that something runs, the record says what becomes of it.

use aws_sdk_lightsail::primitives::DateTime;
use aws_sdk_lightsail::types::{ExportSnapshotRecord, Operation, ResourceType};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::calls::Seen;
use super::join::RECORD_PREFIX;
use super::profile::ID;
use super::target::{Destination, Made};
use crate::error::Kind;
use crate::provider::belief::is_id;
use crate::secret::{clean, redact_json};
use crate::task::{Artifact, ArtifactKind, Fault, Progress, Raw, State, Target, Task, TaskId};

/// How long after the end of its operation an export's record may appear. Normally it is seconds; nobody promises them.
const RECORD_GRACE: SignedDuration = SignedDuration::from_hours(1);

/// What can be exported, and how the ids of what is made of it begin.
const SOURCES: [(&str, &str); 2] = [("InstanceSnapshot", "ami-"), ("DiskSnapshot", "snap-")];

/// An operation of an export.
pub(super) type SeenOperation = Seen<Operation>;
/// A record of an export.
pub(super) type SeenRecord = Seen<ExportSnapshotRecord>;

/// The snapshot a record is about.
pub(super) fn source_name(record: &ExportSnapshotRecord) -> Option<&str> {
    record.source_info()?.name()
}

/// One task of an operation, its record, or both. `None` of neither.
pub(super) fn task(
    region: &str,
    operation: Option<&SeenOperation>,
    record: Option<&SeenRecord>,
) -> Option<Task> {
    let op = operation.map(|seen| &seen.typed);
    let rec = record.map(|seen| &seen.typed);
    let id = op.and_then(Operation::id).or(rec.and_then(|r| r.name()));
    let id = id.filter(|id| is_id(id))?;
    let snapshot = rec.and_then(source_name).or_else(|| {
        let resource = op.and_then(Operation::resource_name);
        resource.filter(|name| !name.starts_with(RECORD_PREFIX))
    });
    let (state, provider_state) = state(op, rec);
    let created_at = op.and_then(Operation::created_at).and_then(timestamp);
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
    // Both are the real start, so an old export never looks young, whichever of its two ids it is listed under.
    task.created_at = created_at.or_else(|| rec?.created_at().and_then(timestamp));
    task.updated_at = changed_at;
    // The record has no time of its end; the operation's last change is the nearest thing to it.
    task.finished_at = changed_at.filter(|_| state.is_terminal() && op.is_some_and(is_terminal));
    task.target = Some(Target::new(&Destination::Ec2));
    task.artifact = rec.and_then(|record| artifact(region, record));
    task.error = match (state, operation) {
        (State::Failed, _) => Some(fault(op)),
        (State::Running, Some(operation)) if record.is_none() => overdue(operation),
        _ => None,
    };
    if state == State::Running && task.error.is_some() {
        task.state = State::Stalled;
    }
    let named = |record: &SeenRecord| match record.raw.value() {
        // Its name is needed again.
        Value::Null => json!({"name": record.typed.name()}),
        whole => redact_json(&whole),
    };
    task.raw = Raw::of(&json!({
        "operation": operation.map_or(Value::Null, |seen| redact_json(&seen.raw.value())),
        "record": record.map_or(Value::Null, named),
    }));
    Some(task.told())
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

/// Takes back that nothing more will come of it.
pub(super) fn go_on(task: &mut Task) {
    task.state = State::Running;
    task.error = None;
}

/// An operation that ended well long ago, and still has no record: nothing more will come of it.
fn overdue(operation: &SeenOperation) -> Option<Fault> {
    let typed = &operation.typed;
    let times = [typed.created_at(), typed.status_changed_at()];
    let ended = times.into_iter().flatten().filter_map(timestamp).max()?;
    // By the cloud's clock and by ours: either may be wrong.
    let now = operation.at.min(Timestamp::now());
    let is_overdue = is_terminal(typed) && now.duration_since(ended) >= RECORD_GRACE;
    is_overdue.then(|| Fault {
        kind: Kind::Stalled,
        code: None,
        message: format!(
            "the operation has ended ({}) more than an hour ago, and Lightsail lists no export record of it",
            typed.status().map_or("isTerminal", |status| status.as_str())
        ),
        request_id: None,
    })
}

/// Why an operation and a record cannot be those of one export, or a record not be true. Never by the operation's type: the
/// API's model has no word for an export.
pub(super) fn contradiction(
    operation: Option<&Operation>,
    record: Option<&ExportSnapshotRecord>,
) -> Option<String> {
    let info = record?.source_info();
    let kind = info
        .and_then(|info| info.resource_type())
        .map(|kind| kind.as_str());
    let made = record?.destination_info().and_then(|info| info.id());
    let resource = operation.and_then(Operation::resource_name);
    let resource = resource.filter(|name| !name.starts_with(RECORD_PREFIX));
    if let (Some(resource), Some(source)) = (resource, source_name(record?))
        && resource != source
    {
        let (resource, source) = (clean(resource), clean(source));
        return Some(format!(
            "the snapshot '{resource}', and its record of '{source}'"
        ));
    }
    let of = operation
        .and_then(Operation::resource_type)
        .map(|kind| kind.as_str());
    let is_snapshot = |kind: &&str| SOURCES.iter().any(|(source, _)| source == kind);
    if let Some(kind) = kind {
        let is_other = !is_snapshot(&kind) && ResourceType::values().contains(&kind);
        if is_other
            || of
                .filter(is_snapshot)
                .is_some_and(|of| is_snapshot(&kind) && of != kind)
        {
            return Some(format!("a {}", clean(kind)));
        }
    }
    let made = made?;
    let prefix = SOURCES.iter().find(|(_, prefix)| made.starts_with(prefix));
    let (of, _) = prefix?;
    let is_of_kind = kind.is_none_or(|kind| kind == *of || !is_snapshot(&kind));
    (!is_of_kind || !is_id(made)).then(|| format!("something that made '{}'", clean(made)))
}

/// What the record says the export makes. The id's prefix tells the kind; the `service` word for a disk is not documented.
pub(super) fn artifact(region: &str, record: &ExportSnapshotRecord) -> Option<Artifact> {
    let id = record.destination_info()?.id()?;
    let (kind, path) = if id.starts_with("ami-") {
        (Made::Ami, "image")
    } else if id.starts_with("snap-") {
        (Made::EbsSnapshot, "snapshot")
    } else {
        return None;
    };
    Some(Artifact {
        kind: ArtifactKind::new(&kind),
        uri: format!("arn:aws:ec2:{region}::{path}/{id}"),
        id: Some(id.to_owned()),
        format: None,
        size_bytes: None,
        snapshots: Vec::new(),
        modified_at: None,
        exact: true,
    })
}

/// To the millisecond: the SDK reads `.349` as `.348999`.
fn milliseconds(time: &DateTime) -> Option<i64> {
    let fraction = (i64::from(time.subsec_nanos()) + 500_000) / 1_000_000;
    time.secs().checked_mul(1000)?.checked_add(fraction)
}

/// An API time as ours.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds(time)?).ok()
}

/// Whether the record says that the export failed; it never says why.
pub(super) fn has_failed(record: &ExportSnapshotRecord) -> bool {
    record
        .state()
        .is_some_and(|state| state.as_str() == "Failed")
}

#[cfg(test)]
mod tests;
