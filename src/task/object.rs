//! The task object of the JSON contract, which is also how the journal keeps a task.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Artifact, ExportRequest, Fault, Progress, ProviderId, Raw, SCHEMA, State, Target, Task, TaskId,
};
use crate::error::{Error, Kind};

/// An export as it was last seen: one line of `export`, `status` and `wait` with `-o json`. What failed is such a line too, with
/// its `error`.
//
// Also how the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskObject {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// The cloud that runs it, by its word on the command line.
    pub provider: String,
    /// The cloud's region.
    pub region: String,
    /// The provider's id of the export, as its console shows it; null where there is none, or none is known.
    pub task_id: Option<TaskId>,
    /// The snapshot or image; null where the provider does not say.
    pub snapshot: Option<String>,
    /// Where the export stands, in words common to all clouds.
    pub state: Standing,
    /// The provider's own word for it, unchanged.
    pub provider_state: String,
    /// Whether the export as a whole has ended.
    pub is_terminal: bool,
    /// Whole percent; null where the provider gives none.
    #[cfg_attr(feature = "schema", schemars(range(max = 100)))]
    pub progress: Option<u8>,
    /// The provider's words about it.
    pub message: Option<String>,
    /// True where this start found the export under way instead of making it.
    pub adopted: bool,
    /// When it was started, by the provider's time if it gives one.
    pub created_at: Option<Timestamp>,
    /// When it last changed, by the provider's word.
    pub updated_at: Option<Timestamp>,
    /// When it ended: the provider's word, else the time of the object that it wrote; null where neither is known.
    pub finished_at: Option<Timestamp>,
    /// When its end was first seen from here.
    pub observed_finished_at: Option<Timestamp>,
    /// When the provider forgets it.
    pub expires_at: Option<Timestamp>,
    /// Where the artifact goes; null where the provider does not say.
    pub target: Option<Target>,
    /// What it made, once that is known.
    pub artifact: Option<Artifact>,
    /// The provider's tags.
    pub tags: BTreeMap<String, String>,
    /// Why it failed, why it is stalled, or what kept a command from starting, watching or cancelling it.
    pub error: Option<Fault>,
    /// The provider's own object or objects, secrets masked; only with `--raw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Value>,
}

/// The states of a line: those of a task, and two of an item without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "State"))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Accepted, nothing moves yet.
    Pending,
    /// Under way. Every word never seen before counts as this.
    Running,
    /// Under way by the provider's word, but with an error that it will not recover from. Not an end.
    Stalled,
    /// The artifact is there.
    Completed,
    /// Ended without an artifact.
    Failed,
    /// Ended by request.
    Cancelled,
    /// It was surely not started.
    NotStarted,
    /// Nobody knows: whether it was started, or where it stands.
    Unknown,
}

impl From<State> for Standing {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Standing::Pending,
            State::Running => Standing::Running,
            State::Stalled => Standing::Stalled,
            State::Completed => Standing::Completed,
            State::Failed => Standing::Failed,
            State::Cancelled => Standing::Cancelled,
        }
    }
}

impl Standing {
    /// The state of a task; `None` where there is none.
    fn of_task(self) -> Option<State> {
        match self {
            Standing::Pending => Some(State::Pending),
            Standing::Running => Some(State::Running),
            Standing::Stalled => Some(State::Stalled),
            Standing::Completed => Some(State::Completed),
            Standing::Failed => Some(State::Failed),
            Standing::Cancelled => Some(State::Cancelled),
            Standing::NotStarted | Standing::Unknown => None,
        }
    }
}

impl TaskObject {
    /// An export that was not started, or of which nobody knows whether it was (kind `maybe_started`).
    pub fn not_started(
        provider: ProviderId,
        region: &str,
        request: &ExportRequest,
        error: &Error,
    ) -> Self {
        let nothing = Task::unseen(provider, region, TaskId(String::new()));
        TaskObject {
            task_id: None,
            snapshot: Some(request.snapshot.clone()),
            state: match error.kind {
                Kind::MaybeStarted => Standing::Unknown,
                _ => Standing::NotStarted,
            },
            target: Some(request.target.clone()),
            error: Some(error.into()),
            ..TaskObject::from(&nothing)
        }
    }

    /// A task of which a command could not learn where it stands; the rest is as it was last known.
    pub fn not_known(known: &Task, error: &Error) -> Self {
        TaskObject {
            state: Standing::Unknown,
            is_terminal: false,
            error: Some(error.into()),
            ..TaskObject::from(known)
        }
    }

    /// A task with which something else went wrong than the export itself.
    pub fn with_error(seen: &Task, error: &Error) -> Self {
        TaskObject {
            error: Some(error.into()),
            ..TaskObject::from(seen)
        }
    }
}

impl From<&Task> for TaskObject {
    fn from(task: &Task) -> Self {
        TaskObject {
            schema: SCHEMA,
            provider: task.provider.0.to_owned(),
            region: task.region.clone(),
            task_id: Some(task.id.clone()),
            snapshot: task.snapshot.clone(),
            state: task.state.into(),
            provider_state: task.provider_state.clone(),
            is_terminal: task.state.is_terminal(),
            progress: task.percent(),
            message: task.message.clone(),
            adopted: task.adopted,
            created_at: task.created_at,
            updated_at: task.updated_at,
            finished_at: task.finished_at,
            observed_finished_at: task.observed_finished_at,
            expires_at: task.expires_at,
            target: task.target.clone(),
            artifact: task.artifact.clone(),
            tags: task.tags.clone(),
            error: task.error.clone(),
            raw: None,
        }
    }
}

impl TaskObject {
    /// The task again, as the journal needs it; `None` of a line without one.
    pub fn into_task(self, provider: ProviderId) -> Option<Task> {
        Some(Task {
            provider,
            region: self.region,
            id: self.task_id?,
            snapshot: self.snapshot,
            state: self.state.of_task()?,
            provider_state: self.provider_state,
            progress: match self.progress {
                Some(percent) => Progress::Percent(percent),
                None => Progress::Flag {
                    is_terminal: self.is_terminal,
                },
            },
            message: self.message,
            adopted: self.adopted,
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
            observed_finished_at: self.observed_finished_at,
            expires_at: self.expires_at,
            target: self.target,
            artifact: self.artifact,
            tags: self.tags,
            error: self.error,
            raw: self.raw.as_ref().map(Raw::of).unwrap_or_default(),
        })
    }
}
