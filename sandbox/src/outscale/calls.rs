//! The calls that the sandbox answers. Bodies have been checked for members and types.

use std::collections::HashSet;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use super::state::{ACCOUNT, Snapshot, State, Story, Task};
use super::{Caller, key, refuse};
use crate::clock::Moment;
use crate::wire::Response;

type Answer = Result<Value, Response>;

/// `CreateSnapshotExportTask`.
pub(crate) fn create(state: &mut State, caller: &Caller, body: &Value, moment: &Moment) -> Answer {
    let export = &body["OsuExport"];
    for (object, member) in [
        (body, "SnapshotId"),
        (body, "OsuExport"),
        (export, "DiskImageFormat"),
        (export, "OsuBucket"),
    ] {
        require(object, member)?;
    }
    let id = body["SnapshotId"].as_str().unwrap_or_default();
    check_id(id, "snap-", "SnapshotId")?;
    let format = export["DiskImageFormat"].as_str().unwrap_or_default();
    if !["qcow2", "raw"].contains(&format) {
        return Err(bad_value(&format!(
            "DiskImageFormat: Supported values: qcow2, raw. Received: {format}"
        )));
    }
    let bucket = export["OsuBucket"].as_str().unwrap_or_default();
    if bucket.is_empty() || bucket.chars().any(char::is_uppercase) {
        return Err(bad_value(&format!(
            "OsuBucket: must be lowercase. Received: {bucket}"
        )));
    }
    let snapshot = state
        .snapshots
        .iter()
        .find(|snapshot| snapshot.id == id)
        .ok_or_else(|| {
            let details = format!("The SnapshotId '{id}' does not exist.");
            refuse(400, "5054", "InvalidResource", &details)
        })?;
    if snapshot.state != "completed" {
        // The exact code is not documented; this range means a state that forbids the call.
        let details = format!("The snapshot '{id}' is in state '{}'.", snapshot.state);
        return Err(refuse(409, "6003", "InvalidState", &details));
    }
    let (account, story) = bucket_access(state, caller, export, snapshot)?;
    let task = Task {
        id: state.new_task_id(),
        snapshot: id.to_owned(),
        account: account.to_owned(),
        bucket: bucket.to_owned(),
        prefix: export["OsuPrefix"].as_str().map(str::to_owned),
        format: format.to_owned(),
        story,
        started_at: moment.now,
        cancelled_at_percent: None,
    };
    Ok(json!({"SnapshotExportTask": show_task(state.start(task), moment)}))
}

/// Whose keys open the bucket, and how the export goes with them: wrong ones are noticed only when the task runs.
fn bucket_access<'a>(
    state: &State,
    caller: &'a Caller,
    export: &Value,
    snapshot: &Snapshot,
) -> Result<(&'a str, Story), Response> {
    let bucket = export["OsuBucket"].as_str().unwrap_or_default();
    let stalls = |code: &str| {
        Story::Stalls(format!(
            "Error accessing bucket {bucket}: S3ResponseError: 403 Forbidden <?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code></Error>"
        ))
    };
    let pair = match &export["OsuApiKey"] {
        Value::Null => (caller.access_key, caller.secret_key),
        pair => match (pair["ApiKeyId"].as_str(), pair["SecretKey"].as_str()) {
            (Some(id), Some(secret)) => (id, secret),
            _ => {
                let details = "OsuApiKey needs both ApiKeyId and SecretKey.";
                return Err(refuse(400, "3002", "InvalidParameter", details));
            }
        },
    };
    let Some((account, secret)) = key(pair.0) else {
        return Ok((caller.account, stalls("InvalidAccessKeyId")));
    };
    let owner = state.buckets.get(bucket).map(String::as_str);
    Ok(if secret != pair.1 {
        (caller.account, stalls("SignatureDoesNotMatch"))
    } else if owner.is_some_and(|owner| owner != account) {
        (caller.account, stalls("AccessDenied"))
    } else {
        (account, snapshot.story.clone())
    })
}

/// `ReadSnapshotExportTasks`. Ids that do not exist, or cannot, are simply not found.
pub(crate) fn read_tasks(state: &mut State, _: &Caller, body: &Value, moment: &Moment) -> Answer {
    let ids = wanted(body, "TaskIds");
    let snapshots = wanted(body, "SnapshotIds");
    let is_in = |set: &Option<HashSet<&str>>, id: &str| set.as_ref().is_none_or(|s| s.contains(id));
    let tasks = state
        .tasks
        .iter()
        .filter(|task| is_in(&ids, &task.id) && is_in(&snapshots, &task.snapshot))
        .map(|task| show_task(task, moment))
        .collect();
    page("SnapshotExportTasks", tasks, body)
}

/// `ReadSnapshots`: without a filter, other accounts' public ones too.
pub(crate) fn read_snapshots(state: &mut State, _: &Caller, body: &Value, _: &Moment) -> Answer {
    let shown = state.snapshots.iter().map(show_snapshot);
    let snapshots = shown.filter(|s| matches(s, &body["Filters"])).collect();
    page("Snapshots", snapshots, body)
}

/// `ReadAccounts`.
pub(crate) fn read_accounts(_: &mut State, caller: &Caller, _: &Value, _: &Moment) -> Answer {
    Ok(json!({"Accounts": [{
        "AccountId": caller.account, "CompanyName": "Sandbox", "Email": "sandbox@example.com",
        "Country": "France", "City": "Saint-Cloud",
    }]}))
}

/// `DeleteExportTask`: cancels a task that has hardly begun.
pub(crate) fn delete(state: &mut State, _: &Caller, body: &Value, moment: &Moment) -> Answer {
    require(body, "ExportTaskId")?;
    let id = body["ExportTaskId"].as_str().unwrap_or_default();
    check_id(id, "snap-export-", "ExportTaskId")?;
    let Some(task) = state.tasks.iter_mut().find(|task| task.id == id) else {
        let details = format!("The ExportTaskId '{id}' does not exist.");
        return Err(refuse(400, "5058", "InvalidResource", &details));
    };
    let sight = task.at(moment);
    match sight.state {
        "pending" => task.cancelled_at_percent = Some(sight.progress),
        // An ended task was seen to take it without a word.
        "completed" | "failed" | "cancelled" => {}
        word => {
            let details = format!("The export task '{id}' is in state '{word}'.");
            return Err(refuse(409, "6003", "InvalidState", &details));
        }
    }
    Ok(json!({}))
}

fn require(object: &Value, member: &str) -> Result<(), Response> {
    if object.get(member).is_some() {
        return Ok(());
    }
    let details = format!("Missing parameter: {member}.");
    Err(refuse(400, "7000", "MissingParameter", &details))
}

fn bad_value(details: &str) -> Response {
    refuse(400, "4047", "InvalidParameterValue", details)
}

fn check_id(id: &str, prefix: &str, member: &str) -> Result<(), Response> {
    let details = format!("{member}: invalid value '{id}', expected {prefix}xxxxxxxx.");
    match id.strip_prefix(prefix) {
        None => Err(refuse(400, "4104", "InvalidParameterValue", &details)),
        Some(hex) if hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(()),
        Some(_) => Err(refuse(400, "4105", "InvalidParameterValue", &details)),
    }
}

fn show_task(task: &Task, moment: &Moment) -> Value {
    let sight = task.at(moment);
    let mut export = json!({"OsuBucket": task.bucket, "DiskImageFormat": task.format});
    if let Some(prefix) = &task.prefix {
        export["OsuPrefix"] = prefix.as_str().into();
    }
    json!({
        "TaskId": task.id, "SnapshotId": task.snapshot, "State": sight.state, "Progress": sight.progress,
        "Comment": sight.comment, "Tags": [], "OsuExport": export,
    })
}

fn show_snapshot(snapshot: &Snapshot) -> Value {
    let progress = match snapshot.state.as_str() {
        "completed" => 100,
        "pending" => 42,
        _ => 0,
    };
    json!({
        "SnapshotId": snapshot.id, "State": snapshot.state, "Progress": progress,
        "VolumeId": snapshot.id.replace("snap-", "vol-"), "VolumeSize": snapshot.size,
        "CreationDate": snapshot.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
        "Description": snapshot.description, "AccountId": snapshot.account,
        "PermissionsToCreateVolume": {"GlobalPermission": snapshot.account != ACCOUNT, "AccountIds": []},
        "Tags": [{"Key": "Name", "Value": snapshot.description}],
    })
}

/// Whether a snapshot passes every filter that is given.
fn matches(snapshot: &Value, filters: &Value) -> bool {
    let tags: Vec<(&str, &str)> = (snapshot["Tags"].as_array().into_iter().flatten())
        .filter_map(|tag| Some((tag["Key"].as_str()?, tag["Value"].as_str()?)))
        .collect();
    let Some(filters) = filters.as_object() else {
        return true;
    };
    filters.iter().all(|(name, wanted)| {
        let is_wanted = |value: &Value| wanted.as_array().is_some_and(|list| list.contains(value));
        match name.as_str() {
            "SnapshotIds" => is_wanted(&snapshot["SnapshotId"]),
            "VolumeIds" => is_wanted(&snapshot["VolumeId"]),
            "VolumeSizes" => is_wanted(&snapshot["VolumeSize"]),
            "AccountIds" => is_wanted(&snapshot["AccountId"]),
            "Descriptions" => is_wanted(&snapshot["Description"]),
            "States" => is_wanted(&snapshot["State"]),
            "Progresses" => is_wanted(&snapshot["Progress"]),
            "TagKeys" => tags.iter().any(|(key, _)| is_wanted(&Value::from(*key))),
            "TagValues" => tags
                .iter()
                .any(|(_, value)| is_wanted(&Value::from(*value))),
            "Tags" => tags
                .iter()
                .any(|(key, value)| is_wanted(&Value::from(format!("{key}={value}")))),
            // Dates in one form and one time zone are ordered like text.
            "FromCreationDate" => snapshot["CreationDate"].as_str() >= wanted.as_str(),
            "ToCreationDate" => snapshot["CreationDate"].as_str() <= wanted.as_str(),
            "PermissionsToCreateVolumeGlobalPermission" => {
                snapshot["PermissionsToCreateVolume"]["GlobalPermission"] == *wanted
            }
            // No sample has an alias, an idempotency token or a named recipient.
            _ => false,
        }
    })
}

fn wanted<'b>(body: &'b Value, filter: &str) -> Option<HashSet<&'b str>> {
    let list = body["Filters"][filter].as_array()?;
    Some(list.iter().filter_map(Value::as_str).collect())
}

/// One page of what was found. The token is opaque to clients.
fn page(member: &str, items: Vec<Value>, body: &Value) -> Answer {
    let size = match &body["ResultsPerPage"] {
        Value::Null => 1000,
        number => match number.as_u64() {
            Some(size @ 1..=1000) => size as usize,
            _ => return Err(bad_value("ResultsPerPage: must be between 1 and 1000.")),
        },
    };
    let start = match body["NextPageToken"].as_str() {
        None => 0,
        Some(token) => offset(token).ok_or_else(|| bad_value("NextPageToken: invalid value."))?,
    };
    let next = start.saturating_add(size);
    let mut answer = json!({});
    if next < items.len() {
        answer["NextPageToken"] = BASE64_STANDARD.encode(format!("page:{next}")).into();
    }
    answer[member] = items.into_iter().skip(start).take(size).collect();
    Ok(answer)
}

fn offset(token: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix("page:")?.parse().ok()
}
