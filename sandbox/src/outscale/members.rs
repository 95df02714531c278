//! Which members a request may have. The API refuses all others, however deep (`additionalProperties: false`).

use serde_json::Value;

use super::refuse;
use crate::wire::Response;

/// The members of an object.
pub(crate) type Members = &'static [(&'static str, Form)];

/// What a member's value must be.
pub(crate) enum Form {
    Text,
    Flag,
    Number,
    Texts,
    Numbers,
    Object(Members),
}

use Form::{Flag, Number, Numbers, Object, Text, Texts};

pub(crate) const CREATE: Members = &[
    ("DryRun", Flag),
    ("SnapshotId", Text),
    (
        "OsuExport",
        Object(&[
            ("DiskImageFormat", Text),
            ("OsuBucket", Text),
            ("OsuPrefix", Text),
            ("OsuManifestUrl", Text),
            (
                "OsuApiKey",
                Object(&[("ApiKeyId", Text), ("SecretKey", Text)]),
            ),
        ]),
    ),
];

pub(crate) const READ_TASKS: Members = &[
    ("DryRun", Flag),
    ("NextPageToken", Text),
    ("ResultsPerPage", Number),
    (
        "Filters",
        Object(&[("TaskIds", Texts), ("SnapshotIds", Texts)]),
    ),
];

pub(crate) const READ_SNAPSHOTS: Members = &[
    ("DryRun", Flag),
    ("NextPageToken", Text),
    ("ResultsPerPage", Number),
    (
        "Filters",
        Object(&[
            ("AccountAliases", Texts),
            ("AccountIds", Texts),
            ("ClientTokens", Texts),
            ("Descriptions", Texts),
            ("FromCreationDate", Text),
            ("PermissionsToCreateVolumeAccountIds", Texts),
            ("PermissionsToCreateVolumeGlobalPermission", Flag),
            ("Progresses", Numbers),
            ("SnapshotIds", Texts),
            ("States", Texts),
            ("TagKeys", Texts),
            ("TagValues", Texts),
            ("Tags", Texts),
            ("ToCreationDate", Text),
            ("VolumeIds", Texts),
            ("VolumeSizes", Numbers),
        ]),
    ),
];

pub(crate) const DELETE: Members = &[("DryRun", Flag), ("ExportTaskId", Text)];

pub(crate) const READ_ACCOUNTS: Members = &[("DryRun", Flag)];

/// Refuses a body that is no object, members that are not known, and values of another type.
pub(crate) fn check(members: Members, body: &Value) -> Result<(), Response> {
    let Some(object) = body.as_object() else {
        return Err(refuse(
            400,
            "3001",
            "InvalidParameter",
            "The body is not a JSON object.",
        ));
    };
    for (name, value) in object {
        let Some((_, form)) = members.iter().find(|(known, _)| known == name) else {
            let details = format!("Unexpected parameter: {name}.");
            return Err(refuse(400, "3001", "InvalidParameter", &details));
        };
        let is_list = |is: fn(&Value) -> bool| value.as_array().is_some_and(|l| l.iter().all(is));
        let is_right = match form {
            Text => value.is_string(),
            Flag => value.is_boolean(),
            Number => value.is_i64(),
            Texts => is_list(Value::is_string),
            Numbers => is_list(Value::is_i64),
            Object(members) if value.is_object() => check(members, value).map(|()| true)?,
            Object(_) => false,
        };
        if !is_right {
            let details = format!("The value of {name} has the wrong type.");
            return Err(refuse(400, "4047", "InvalidParameterValue", &details));
        }
    }
    Ok(())
}
