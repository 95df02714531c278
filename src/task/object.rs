//! The task object of the JSON contract, which is also how the journal keeps a task.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Artifact, Fault, Progress, ProviderId, SCHEMA, State, Target, Task, TaskId};

/// An export as it was last seen: one line of `export`, `status` and `wait` with `-o json`.
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
    /// The provider's id of the export, as its console shows it.
    pub task_id: TaskId,
    /// The snapshot or image; null where the provider does not say.
    pub snapshot: Option<String>,
    /// Where the export stands, in words common to all clouds.
    pub state: State,
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
    /// Why it failed, or why it is stalled.
    pub error: Option<Fault>,
    /// The provider's own object or objects, secrets masked; only with `--raw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Value>,
}

impl From<&Task> for TaskObject {
    fn from(task: &Task) -> Self {
        TaskObject {
            schema: SCHEMA,
            provider: task.provider.0.to_owned(),
            region: task.region.clone(),
            task_id: task.id.clone(),
            snapshot: task.snapshot.clone(),
            state: task.state,
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
    /// The task again, as the journal needs it.
    pub fn into_task(self, provider: ProviderId) -> Task {
        Task {
            provider,
            region: self.region,
            id: self.task_id,
            snapshot: self.snapshot,
            state: self.state,
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
            raw: self.raw.unwrap_or(Value::Null),
        }
    }
}
