//! The domain: what an export is, whoever runs it. No HTTP, no clock.

mod object;
mod raw;
mod target;

pub use self::object::TaskObject;
pub use self::raw::Raw;
pub use self::target::{ArtifactKind, Target};

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Kind, words};

/// The version of the JSON objects on standard output.
pub const SCHEMA: u32 = 1;

/// A cloud, by the word the command line and the JSON use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ProviderId(pub &'static str);

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// A provider's own id of an export, as its console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub struct TaskId(pub String);

impl TaskId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for TaskId {
    fn from(id: &str) -> Self {
        TaskId(id.to_owned())
    }
}

/// Where an export stands, in words common to all clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
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
}

impl State {
    /// Whether it will never change again.
    pub const fn is_terminal(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Cancelled)
    }

    /// The word used in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Running => "running",
            State::Stalled => "stalled",
            State::Completed => "completed",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a provider tells how far an export is. The poller and the reporters know these three cases and no provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Whole percent, 0 to 100.
    Percent(u8),
    /// Only whether the provider's operation has ended.
    Flag {
        /// The operation's `isTerminal`. The export as a whole may still be under way.
        is_terminal: bool,
    },
    /// A word out of a fixed sequence.
    Step {
        /// The words in their order, the last one meaning success.
        steps: &'static [&'static str],
        /// Which of them is reached; `None` for a word that is not in the sequence.
        at: Option<usize>,
    },
}

/// What to export and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// The provider's id or name of the snapshot or image.
    pub snapshot: String,
    /// Where the artifact goes.
    pub target: Target,
    /// What else the start says, by the cloud's own names. No cloud tells it again, so it is no part of an export's
    /// identity, and the journal does not keep it.
    pub extras: Map<String, Value>,
}

impl ExportRequest {
    /// A request that says nothing else.
    pub fn new(snapshot: impl Into<String>, target: Target) -> Self {
        ExportRequest {
            snapshot: snapshot.into(),
            target,
            extras: Map::new(),
        }
    }
}

/// What an export made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Artifact {
    /// What kind of thing it is.
    pub kind: ArtifactKind,
    /// `s3://BUCKET/KEY`, an EC2 ARN, or the object's URL in Cloud Files.
    pub uri: String,
    /// The provider's id of it: `ami-…`, `snap-…`, or the object's key or name.
    pub id: Option<String>,
    /// `qcow2`, `raw`, `vhd`, …
    pub format: Option<String>,
    /// Size as stored, if it is known.
    pub size_bytes: Option<u64>,
    /// The EBS snapshots behind an AMI, where EC2 could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<String>,
    /// When it was written, by its store's word. A task's `finished_at` says it where the provider does not.
    #[serde(skip)]
    pub modified_at: Option<Timestamp>,
    /// False where the location is derived by rule and has not been looked at.
    pub exact: bool,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fault {
    /// What kind of error it is; it alone decides the exit code.
    pub kind: Kind,
    /// The provider's code.
    pub code: Option<String>,
    /// What happened, in the provider's words or ours.
    pub message: String,
    /// The provider's id of the request.
    pub request_id: Option<String>,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Fault {
            kind: error.kind,
            code: error.details.code.clone(),
            message: error.one_line(),
            request_id: error.details.request_id.clone(),
        }
    }
}

/// One export as it was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The cloud that runs it.
    pub provider: ProviderId,
    /// The cloud's region.
    pub region: String,
    /// The provider's id of it.
    pub id: TaskId,
    /// What is exported; `None` where the provider does not say (a Rackspace list).
    pub snapshot: Option<String>,
    /// Common word for where it stands. About the export as a whole.
    pub state: State,
    /// The provider's own word, unchanged.
    pub provider_state: String,
    /// How far it is.
    pub progress: Progress,
    /// The provider's words about it.
    pub message: Option<String>,
    /// This start found it under way instead of making it.
    pub adopted: bool,
    /// When it was started (the provider's time, else ours).
    pub created_at: Option<Timestamp>,
    /// When it last changed, by the provider's word.
    pub updated_at: Option<Timestamp>,
    /// When it ended, by the provider's word, else by the time of the object that it wrote.
    pub finished_at: Option<Timestamp>,
    /// When its end was first seen from here.
    pub observed_finished_at: Option<Timestamp>,
    /// When the provider forgets it.
    pub expires_at: Option<Timestamp>,
    /// Where it goes; `None` where the provider does not say.
    pub target: Option<Target>,
    /// What it made.
    pub artifact: Option<Artifact>,
    /// The provider's tags.
    pub tags: BTreeMap<String, String>,
    /// Why it failed, or why it is stalled.
    pub error: Option<Fault>,
    /// The provider's own object or objects, without secrets; without
    /// [`Http::whole`](crate::http::Http::whole), what the cloud's own code needs again.
    pub raw: Raw,
}

impl Task {
    /// A task of which only the id is known.
    pub fn unseen(provider: ProviderId, region: &str, id: TaskId) -> Self {
        Task {
            provider,
            region: region.to_owned(),
            id,
            snapshot: None,
            state: State::Pending,
            provider_state: String::new(),
            progress: Progress::Flag { is_terminal: false },
            message: None,
            adopted: false,
            created_at: None,
            updated_at: None,
            finished_at: None,
            observed_finished_at: None,
            expires_at: None,
            target: None,
            artifact: None,
            tags: BTreeMap::new(),
            error: None,
            raw: Raw::default(),
        }
    }

    /// The task as a cloud has just told it, with the words cut that are the cloud's own. Every task of a reply comes this way.
    #[must_use]
    pub fn told(mut self) -> Self {
        self.provider_state = words(self.provider_state);
        self.message = self.message.map(words);
        self.tags = told_tags(self.tags);
        if let Some(error) = &mut self.error {
            error.message = words(std::mem::take(&mut error.message));
            error.code = error.code.take().map(words);
            error.request_id = error.request_id.take().map(words);
        }
        self
    }

    /// Fills in what the provider does not say from what is known of the same task.
    pub fn inherit(&mut self, known: &Task) {
        self.adopted |= known.adopted;
        if self.snapshot.is_none() {
            self.snapshot.clone_from(&known.snapshot);
        }
        if self.target.is_none() {
            self.target.clone_from(&known.target);
        }
        self.created_at = self.created_at.or(known.created_at);
        if self.state.is_terminal() {
            self.finished_at = self.finished_at.or(known.finished_at);
            self.observed_finished_at = known.observed_finished_at.or(self.observed_finished_at);
        }
        let is_better = |known: &Artifact| match &self.artifact {
            None => true,
            Some(own) => known.exact && !own.exact && known.uri == own.uri,
        };
        if self.state == State::Completed && known.artifact.as_ref().is_some_and(is_better) {
            self.artifact.clone_from(&known.artifact);
        }
    }

    /// Notes that it was seen `now`: of an end, the first sight counts. Call [`Task::inherit`] before.
    pub fn seen_at(&mut self, now: Timestamp) {
        if self.state.is_terminal() {
            let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
            self.observed_finished_at.get_or_insert(now);
        }
    }

    /// The error of a request about it, with a sentence that names it.
    pub fn named_in(&self, error: Error) -> Error {
        if error.message.contains(self.id.as_str()) {
            return error;
        }
        error.context(format!("The task {} could not be read", self.qualified()))
    }

    /// Takes over where the artifact was found to lie, and when it was written.
    pub fn found(&mut self, artifact: Artifact) {
        self.finished_at = self.finished_at.or(artifact.modified_at);
        self.artifact = Some(artifact);
    }

    /// Where it goes, as its cloud's own type; `None` also where the provider does not say.
    pub fn destination<T: DeserializeOwned>(&self) -> Option<T> {
        self.target.as_ref().and_then(Target::read)
    }

    /// `provider/id`, the form that is never ambiguous.
    pub fn qualified(&self) -> String {
        format!("{}/{}", self.provider, self.id)
    }

    /// Whether a wait for it is over: ended, or stalled for good.
    pub fn is_settled(&self) -> bool {
        self.state.is_terminal() || self.is_stalled()
    }

    /// Whole percent, where the provider gives one.
    pub fn percent(&self) -> Option<u8> {
        match self.progress {
            Progress::Percent(percent) => Some(percent),
            _ => None,
        }
    }

    /// The provider calls it running but reports an error it will not recover from.
    pub fn is_stalled(&self) -> bool {
        self.state == State::Stalled
    }

    /// The exit code of a wait for this task alone: 0, 3, or 124 while it is under way.
    pub fn exit_code(&self) -> u8 {
        match self.state {
            State::Completed => 0,
            State::Failed | State::Cancelled => Kind::TaskFailed.exit_code(),
            State::Stalled => Kind::Stalled.exit_code(),
            State::Pending | State::Running => Kind::Timeout.exit_code(),
        }
    }
}

/// Something that can be exported: one line of `list -o json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// The cloud that holds it, by its word on the command line.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub provider: ProviderId,
    /// The cloud's region.
    pub region: String,
    /// What `export` takes: the provider's id, for Lightsail the name.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// What kind of thing it is.
    pub kind: SourceKind,
    /// Common word: `pending`, `completed`, `failed`, or the provider's own where none fits.
    pub state: String,
    /// The provider's own word.
    pub provider_state: String,
    /// Size of the disk (not of what is stored), in bytes.
    pub size_bytes: Option<u64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Whether an export of it can be started now.
    pub exportable: bool,
    /// Why not, or what to know first.
    pub reason: Option<String>,
    /// The provider's tags.
    pub tags: BTreeMap<String, String>,
}

impl Source {
    /// The source as a cloud has just told it, with the words cut that are the cloud's own.
    #[must_use]
    pub fn told(self) -> Self {
        Source {
            name: self.name.map(words),
            state: words(self.state),
            provider_state: words(self.provider_state),
            reason: self.reason.map(words),
            tags: told_tags(self.tags),
            ..self
        }
    }
}

fn told_tags(tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let tags = tags.into_iter();
    tags.map(|(key, value)| (words(key), words(value)))
        .collect()
}

/// Kinds of sources, by their words in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// OUTSCALE: a snapshot of a volume.
    VolumeSnapshot,
    /// Lightsail: a snapshot of an instance with its disks.
    InstanceSnapshot,
    /// Lightsail: a snapshot of a disk.
    DiskSnapshot,
    /// Rackspace: a Cloud Servers image.
    Image,
}

impl SourceKind {
    /// The word used in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceKind::VolumeSnapshot => "volume-snapshot",
            SourceKind::InstanceSnapshot => "instance-snapshot",
            SourceKind::DiskSnapshot => "disk-snapshot",
            SourceKind::Image => "image",
        }
    }
}
