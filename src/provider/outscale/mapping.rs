//! The cloud's objects in the words of the domain.
//!
//! No member of an answer is required by the contract (spec 1.42), so each is read if it is there and has its type.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::profile::ID;
use super::target::{Destination, Made};
use crate::error::Kind;
use crate::provider::belief::is_id;
use crate::secret::redact_json;
use crate::task::{
    Artifact, ArtifactKind, Fault, Progress, Raw, SCHEMA, Source, SourceKind, State, Target, Task,
    TaskId,
};

/// How every task id begins; the hex digits after it come back in the object's name.
pub(super) const TASK_PREFIX: &str = "snap-export-";

/// A member that is text and not empty.
pub(super) fn text<'v>(object: &'v Value, member: &str) -> Option<&'v str> {
    object.get(member)?.as_str().filter(|text| !text.is_empty())
}

/// A `SnapshotExportTask`; `None` if it has no id that can be one.
pub(super) fn task(raw: &Value, region: &str) -> Option<Task> {
    let id = TaskId(text(raw, "TaskId").filter(|id| is_id(id))?.to_owned());
    let provider_state = text(raw, "State").unwrap_or_default().to_owned();
    let message = text(raw, "Comment").map(str::to_owned);
    let state = state(&provider_state, message.as_deref());
    let mut task = Task {
        snapshot: text(raw, "SnapshotId").map(str::to_owned),
        state,
        provider_state,
        progress: Progress::Percent(percent(raw.get("Progress"), state)),
        error: fault(state, message.as_deref()),
        message,
        target: raw.get("OsuExport").and_then(target),
        tags: tags(raw),
        raw: Raw::of(&redact_json(raw)),
        ..Task::unseen(ID, region, id)
    };
    if state == State::Completed {
        task.artifact = expected_artifact(&task);
    }
    Some(task.told())
}

/// Three words end a task in every version of the API; all others, known or not, mean that it goes on. One whose bucket
/// keys were refused may never end (QA: TINA-6147): its comment says so, where that of a healthy one reads "Export of
/// snapshot …".
fn state(word: &str, comment: Option<&str>) -> State {
    match word {
        "completed" => State::Completed,
        "failed" => State::Failed,
        "cancelled" => State::Cancelled,
        _ if comment.is_some_and(|comment| comment.starts_with("Error")) => State::Stalled,
        "pending" | "pending/queued" => State::Pending,
        _ => State::Running,
    }
}

fn percent(value: Option<&Value>, state: State) -> u8 {
    match value.and_then(Value::as_f64) {
        Some(number) => number.clamp(0.0, 100.0) as u8,
        None if state == State::Completed => 100,
        None => 0,
    }
}

/// A failed or stalled task says why in its comment.
fn fault(state: State, comment: Option<&str>) -> Option<Fault> {
    let kind = match state {
        State::Failed => Kind::TaskFailed,
        State::Stalled => Kind::Stalled,
        _ => return None,
    };
    Some(Fault {
        kind,
        code: None,
        message: comment
            .unwrap_or("OUTSCALE gave no reason for the failure")
            .to_owned(),
        request_id: None,
    })
}

fn target(export: &Value) -> Option<Target> {
    Some(Target::new(&Destination::Oos {
        bucket: text(export, "OsuBucket")?.to_owned(),
        prefix: text(export, "OsuPrefix").map(str::to_owned),
        format: text(export, "DiskImageFormat")?.to_owned(),
    }))
}

fn tags(raw: &Value) -> BTreeMap<String, String> {
    let Some(list) = raw.get("Tags").and_then(Value::as_array) else {
        return BTreeMap::new();
    };
    list.iter()
        .filter_map(|tag| {
            let value = tag.get("Value").and_then(Value::as_str).unwrap_or("");
            Some((text(tag, "Key")?.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The object's key without its endings: `{prefix}{snapshot}-{hex digits of the task's id}`. No call returns it; the rule
/// is that of the official CSI exporter and of OUTSCALE's tests.
pub(super) fn key_stem(task: &Task) -> Option<String> {
    let Some(Destination::Oos { prefix, .. }) = task.destination() else {
        return None;
    };
    let hex = task.id.as_str().strip_prefix(TASK_PREFIX)?;
    Some(format!(
        "{}{}-{hex}",
        prefix.as_deref().unwrap_or(""),
        task.snapshot.as_deref()?
    ))
}

/// The artifact that the rule for keys leads to; it has not been looked at. Gzip whatever the format.
pub(super) fn expected_artifact(task: &Task) -> Option<Artifact> {
    let Some(Destination::Oos { bucket, format, .. }) = task.destination() else {
        return None;
    };
    let key = format!("{}.{format}.gz", key_stem(task)?);
    Some(artifact(&bucket, &key, &format))
}

/// An object as an artifact that has not been looked at.
pub(super) fn artifact(bucket: &str, key: &str, format: &str) -> Artifact {
    Artifact {
        kind: ArtifactKind::new(&Made::Oos),
        uri: format!("s3://{bucket}/{key}"),
        id: Some(key.to_owned()),
        format: Some(format.to_owned()),
        size_bytes: None,
        snapshots: Vec::new(),
        modified_at: None,
        exact: false,
    }
}

/// A `Snapshot`; `None` if it has no id.
pub(super) fn source(raw: &Value, region: &str) -> Option<Source> {
    let id = text(raw, "SnapshotId")?.to_owned();
    let provider_state = text(raw, "State").unwrap_or_default().to_owned();
    let tags = tags(raw);
    let source = Source {
        schema: SCHEMA,
        provider: ID,
        region: region.to_owned(),
        name: tags
            .get("Name")
            .map(String::as_str)
            .or_else(|| text(raw, "Description"))
            .map(str::to_owned),
        kind: SourceKind::VolumeSnapshot,
        state: match provider_state.as_str() {
            "in-queue" | "pending" | "pending/queued" | "importing" => "pending".to_owned(),
            "error" => "failed".to_owned(),
            word => word.to_owned(),
        },
        size_bytes: raw
            .get("VolumeSize")
            .and_then(Value::as_u64)
            .and_then(|gib| gib.checked_mul(1 << 30)),
        created_at: text(raw, "CreationDate").and_then(|date| date.parse::<Timestamp>().ok()),
        reason: not_exportable(&provider_state),
        exportable: provider_state == "completed",
        id,
        provider_state,
        tags,
    };
    Some(source.told())
}

/// Why a snapshot in this state cannot be exported: of it, since its id stands before that.
pub(super) fn not_exportable(state: &str) -> Option<String> {
    match state {
        "completed" => None,
        "error" => Some("it is in error: there is nothing to export".to_owned()),
        "deleting" => Some("it is being deleted".to_owned()),
        "" => Some("OUTSCALE does not say whether it is complete".to_owned()),
        word => Some(format!("it is not complete yet ({word})")),
    }
}

#[cfg(test)]
mod tests;
