//! The contract every cloud keeps.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::check::{Check, CheckRequest};
use super::{Image, Object, Realm};
use crate::error::{Command, Error, Hint, Result};
use crate::secret::clean;
use crate::settings::Setting;
use crate::task::{Artifact, ExportRequest, ProviderId, Source, Task, TaskId};

/// A cloud that can export a snapshot.
///
/// Holds a client; never prints. A read is repeated a few times within seconds when its failure is transient
/// ([`crate::error::Kind::is_transient`]); a start is sent once.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which cloud.
    fn id(&self) -> ProviderId;

    /// The region all calls go to, as the cloud spells it.
    fn region(&self) -> &str;

    /// Who asks, without asking the cloud: the access key id or the user and tenant. Never a secret. Keys the journal.
    fn account(&self) -> String;

    /// The account as the cloud itself knows it, so that another key of it is no other account. Asks the cloud at most once.
    async fn realm(&self) -> Realm {
        Realm {
            endpoint: Some(self.id().0.to_owned()),
            account: Some(self.account()),
            key: None,
        }
    }

    /// A number that differs when the credentials do, so that refused ones are not sent again. Reveals nothing, and lives
    /// only as long as the process. Credentials that have to be fetched may be others each time, and so is their number.
    fn credentials_tag(&self) -> u64 {
        0
    }

    /// What is used to reach the cloud, each with where it came from. Secrets are masked. Sends nothing.
    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    /// Looks whether an export would work, in as few requests as tell it. Starts and changes nothing.
    ///
    /// Refused credentials are not sent a second time: what would follow is `unknown` then.
    async fn check(&self, _asked: &CheckRequest<'_>) -> Vec<Check> {
        Vec::new()
    }

    /// What this cloud can do and how often it wants to be asked.
    fn capabilities(&self) -> Capabilities;

    /// Refuses (kind `usage`) what the cloud would refuse or fail later. Sends nothing.
    fn validate(&self, request: &ExportRequest) -> Result<()>;

    /// The request a start would send, secrets masked. Sends nothing.
    fn preview(&self, request: &ExportRequest) -> Preview;

    /// Looks up what can be known before starts, in as few requests as the API allows: a slot per export, in order. In a slot,
    /// an error where that export cannot succeed (kind `not_found`, `conflict`, `permission`, …), else warnings, each a
    /// sentence for standard error.
    ///
    /// The outer error means no answer for any of them.
    async fn preflight(&self, requests: &[ExportRequest]) -> Result<Vec<Result<Vec<String>>>>;

    /// Starts an export: one attempt.
    ///
    /// Kind `maybe_started` where nobody knows whether the cloud executed it; a transient kind where it surely did
    /// not (the caller may try again); any other kind where it was refused.
    async fn start(&self, request: &ExportRequest) -> Result<Task>;

    /// Looks at tasks once: one slot per id, in order, in as few requests as the API allows.
    ///
    /// The outer error means no answer for any of them; a slot's error concerns that task (`not_found`: the cloud does not know it).
    async fn look(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>>;

    /// The same for tasks of which something is known: what a cloud no longer tells by id it may still tell by snapshot and start.
    async fn look_again(&self, known: &[Task]) -> Result<Vec<Result<Task>>> {
        let ids: Vec<TaskId> = known.iter().map(|task| task.id.clone()).collect();
        self.look(&ids).await
    }

    /// The export tasks that the cloud lists, newest first where it says when.
    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>>;

    /// Asks the cloud to cancel an export: one attempt, harmless to repeat.
    ///
    /// `Ok` means that the cloud took the request, not that the export has ended: only a look tells. Where the cloud cannot
    /// cancel ([`Entry::no_cancel`](super::Entry::no_cancel)), kind `usage` and nothing is sent.
    async fn cancel(&self, id: &TaskId) -> Result<()>;

    /// What can be exported from there.
    async fn exportable(&self) -> Result<Vec<Source>>;

    /// Looks where the artifacts of completed tasks lie, in as few requests as the API allows: a slot per task, in order.
    /// Never guesses (`exact` is true on what it returns).
    async fn locate(&self, tasks: &[Task]) -> Vec<Result<Artifact>>;

    /// What a completed task made, ready to be read. Kind `usage` where there is no way from here.
    async fn open(&self, task: &Task) -> Result<Image> {
        let sentence = format!("What {} made cannot be fetched from {}", task.id, self.id());
        Err(Error::usage(sentence))
    }

    /// What could be exported, itself, ready to be read: the way home where there are no exports.
    async fn open_source(&self, id: &str) -> Result<Object> {
        let sentence = format!(
            "{} lets no '{}' be read but by an export",
            self.id(),
            clean(id)
        );
        Err(Error::usage(sentence))
    }

    /// What a person should know who finds that there is nothing to export.
    fn none_exportable(&self) -> Option<Hint> {
        None
    }

    /// Once what a task made is fetched from `uri`, the cloud's own commands that delete what goes on being billed.
    fn left_behind(&self, _task: &Task, _uri: &str) -> Vec<Command> {
        Vec::new()
    }

    /// What a person should know once the export is complete, such as what goes on being billed.
    fn aftermath(&self, _task: &Task) -> Option<String> {
        None
    }
}

/// What a cloud can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How many tasks one request of a look covers.
    pub batch: Batch,
    /// The shortest time between two looks, used right after a start.
    pub pace_min: Duration,
    /// The longest time between two looks, reached with patience.
    pub pace_max: Duration,
    /// How long a new task may be missing from the cloud's answers.
    pub visibility: Duration,
    /// The shortest time between two starts on one account.
    pub start_pause: Duration,
    /// How what is exported is named.
    pub naming: Naming,
}

/// How what is exported is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By ids, which are never used again.
    Ids,
    /// By names, which may be given again once their first bearer is deleted.
    Names,
}

/// How many tasks one request of a look covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// As many as there are.
    All,
    /// One request each.
    One,
}

/// Which tasks to list. Empty: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only exports of these snapshots or images.
    pub snapshots: Vec<String>,
    /// Only those started at or after this time, where the cloud says when.
    pub since: Option<Timestamp>,
    /// What is complete must be among them, also where it takes a request for each task to tell.
    pub with_completed: bool,
}

impl TaskFilter {
    /// Whether an export of this snapshot or image is wanted.
    pub fn is_of(&self, snapshot: Option<&str>) -> bool {
        self.snapshots.is_empty()
            || snapshot.is_some_and(|snapshot| self.snapshots.iter().any(|one| one == snapshot))
    }
}

/// A request as `--dry-run` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The API's name of the call.
    pub call: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Where it goes.
    pub url: String,
    /// What it says, secrets masked.
    pub body: Value,
}
