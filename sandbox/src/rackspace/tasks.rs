//! Image tasks: what becomes of an export, decided when it starts and shown as time passes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{State, TENANT, USER_ID, after_hours, stamp};
use crate::clock::Moment;

/// The part of an export's time after which the cloud begins to work on it.
const PROCESSING_AT: f64 = 0.1;
/// The part after which it has found out that it cannot.
const REFUSED_AT: f64 = 0.15;
/// How long an ended task is kept.
const KEPT_HOURS: i64 = 48;
/// What the cloud says when it has no better words.
const UNKNOWN_ERROR: &str = "Unknown error occurred during image export";

/// An export task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) request_id: String,
    pub(crate) created_at: Timestamp,
    input: Value,
    end: End,
}

/// How and when it ends, in parts of an export's time.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum End {
    Success { location: String },
    Failure { message: String, at: f64 },
}

impl Task {
    fn ends_at(&self, moment: &Moment) -> Timestamp {
        let fraction = match self.end {
            End::Success { .. } => 1.0,
            End::Failure { at, .. } => at,
        };
        moment.at(self.created_at, fraction)
    }

    fn has_ended(&self, moment: &Moment) -> bool {
        self.ends_at(moment) <= moment.now
    }

    /// Whether the cloud may forget it.
    pub(crate) fn is_expired(&self, moment: &Moment) -> bool {
        after_hours(self.ends_at(moment), KEPT_HOURS) <= moment.now
    }

    /// The cloud's word for where it stands.
    pub(crate) fn status(&self, moment: &Moment) -> &'static str {
        match &self.end {
            End::Success { .. } if self.has_ended(moment) => "success",
            End::Failure { .. } if self.has_ended(moment) => "failure",
            _ if moment.fraction(self.created_at) >= PROCESSING_AT => "processing",
            _ => "pending",
        }
    }

    /// When its status last changed.
    pub(crate) fn updated_at(&self, moment: &Moment) -> Timestamp {
        match self.status(moment) {
            "pending" => self.created_at,
            "processing" => moment.at(self.created_at, PROCESSING_AT),
            _ => self.ends_at(moment),
        }
    }

    /// The task as `GET /v2/tasks/<id>` shows it.
    pub(crate) fn show(&self, moment: &Moment) -> Value {
        let (message, result) = match (&self.end, self.has_ended(moment)) {
            (_, false) => ("", Value::Null),
            (End::Success { location }, true) => ("None", json!({"export_location": location})),
            (End::Failure { message, .. }, true) => (message.as_str(), Value::Null),
        };
        let mut shown = json!({
            "id": self.id, "input": self.input, "type": "export", "status": self.status(moment), "owner": TENANT,
            "message": message, "result": result,
            "created_at": stamp(self.created_at), "updated_at": stamp(self.updated_at(moment)),
            "self": format!("/v2/tasks/{}", self.id), "schema": "/v2/schemas/task",
            "request_id": self.request_id, "user_id": USER_ID,
        });
        self.add_expiry(&mut shown, moment);
        shown
    }

    /// The task as a list shows it: without input, result and message.
    pub(crate) fn item(&self, moment: &Moment) -> Value {
        let mut item = json!({
            "id": self.id, "type": "export", "status": self.status(moment), "owner": TENANT,
            "created_at": stamp(self.created_at), "updated_at": stamp(self.updated_at(moment)),
            "self": format!("/v2/tasks/{}", self.id), "schema": "/v2/schemas/task",
        });
        self.add_expiry(&mut item, moment);
        item
    }

    fn add_expiry(&self, shown: &mut Value, moment: &Moment) {
        if self.has_ended(moment) {
            let expires = after_hours(self.ends_at(moment), KEPT_HOURS);
            shown["expires_at"] = json!(stamp(expires));
        }
    }
}

/// Starts an export. Whatever is wrong with its input shows only in how the task ends.
pub(crate) fn start(
    state: &mut State,
    input: &Map<String, Value>,
    (id, request_id): (String, String),
    moment: &Moment,
) -> Value {
    let end = outcome(state, input).unwrap_or_else(|end| end);
    let task = Task {
        id,
        request_id,
        created_at: moment.now,
        input: Value::Object(input.clone()),
        end,
    };
    if let End::Success { location } = &task.end {
        write_object(state, location, moment);
    }
    let shown = task.show(moment);
    state.starts += 1;
    state.tasks.push(task);
    shown
}

/// How an export of this input will end; `Err` for one that will not succeed.
fn outcome(state: &State, input: &Map<String, Value>) -> Result<End, End> {
    let failure = |message: String| End::Failure {
        message,
        at: REFUSED_AT,
    };
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let (Some(uuid), Some(container)) = (text("image_uuid"), text("receiving_swift_container"))
    else {
        return Err(failure(UNKNOWN_ERROR.into()));
    };
    let image = state.images.iter().find(|image| image.id == uuid);
    let image = image
        .ok_or_else(|| failure(format!("Requested image for export was not found: {uuid}")))?;
    if image.owner != TENANT {
        let message = "An image may only be exported by the image owner.";
        return Err(failure(message.into()));
    }
    let options = image.options.as_deref().unwrap_or("0");
    if options != "0" {
        return Err(failure(format!(
            "Image cannot be exported due to licensing or billing restrictions (com.rackspace__1__options: '{options}')"
        )));
    }
    if image.status != "active" {
        return Err(failure(UNKNOWN_ERROR.into()));
    }
    if !state.files.containers.contains_key(container) {
        return Err(failure(format!(
            "Container not found. Container: {container}"
        )));
    }
    let location = format!("{container}/{uuid}.vhd");
    if state.files.holds(container, &format!("{uuid}.vhd")) {
        return Err(failure(format!(
            "Object already exists in user's container. Container/Object: {location}"
        )));
    }
    match image.breaks_at {
        Some(at) => Err(End::Failure {
            message: UNKNOWN_ERROR.into(),
            at,
        }),
        None => Ok(End::Success { location }),
    }
}

fn write_object(state: &mut State, location: &str, moment: &Moment) {
    let Some((container, name)) = location.split_once('/') else {
        return;
    };
    let image = state
        .images
        .iter()
        .find(|image| name.strip_suffix(".vhd") == Some(image.id.as_str()));
    let Some(image) = image else { return };
    let times = (
        moment.at(moment.now, PROCESSING_AT),
        moment.at(moment.now, 1.0),
    );
    let disk = (image.name.as_str(), image.blocks);
    state
        .files
        .export(container, name, disk, times, &moment.shape);
}
