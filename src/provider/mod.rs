//! The contract every cloud keeps, and the registry of clouds.

mod absence;
pub mod check;

pub mod lightsail;
pub mod outscale;
pub mod rackspace;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::error::{Error, Result};
use crate::settings::{Config, Section, Sources};
use crate::suggest;
use crate::task::{Artifact, ExportRequest, ProviderId, Source, State, Task, TaskId};

use self::check::{Check, CheckRequest};
use crate::http::Http;

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

    /// Looks up what can be known before a start: an error where the export cannot succeed
    /// (kind `not_found`, `conflict`, `permission`, …), else warnings, each a sentence for standard error.
    async fn preflight(&self, request: &ExportRequest) -> Result<Vec<String>>;

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
    /// cancel ([`Entry::no_cancel`]), kind `usage` and nothing is sent.
    async fn cancel(&self, id: &TaskId) -> Result<()>;

    /// What can be exported from there.
    async fn exportable(&self) -> Result<Vec<Source>>;

    /// Looks where the artifact of a completed task lies; never guesses (`exact` is true on what it returns).
    async fn locate(&self, task: &Task) -> Result<Artifact>;

    /// What a person should know once the export is complete, such as what goes on being billed.
    fn aftermath(&self, _task: &Task) -> Option<String> {
        None
    }
}

/// A setting that is in force, as `doctor` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// What it is: `credentials`, `region`, `endpoint`, `object endpoint`, …
    pub name: &'static str,
    /// Its value; of credentials, who they are and never the secret.
    pub value: String,
    /// Where it came from: a flag, a variable, a file and the profile in it, or a rule such as "the region".
    pub origin: String,
}

impl Setting {
    /// A setting, also said to those who asked for more (`-v`).
    pub fn new(name: &'static str, value: impl Into<String>, origin: impl Into<String>) -> Self {
        let (value, origin) = (value.into(), origin.into());
        tracing::info!("{name}: {value} from {origin}");
        Setting {
            name,
            value,
            origin,
        }
    }
}

/// The origin of a setting, and which other one it overrides, if there is one.
pub fn overriding(origin: &str, other: Option<&str>) -> String {
    match other {
        Some(other) => format!("{origin}, which overrides that of {other}"),
        None => origin.to_owned(),
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
    /// Only exports of this snapshot or image.
    pub snapshot: Option<String>,
    /// Only those started at or after this time, where the cloud says when.
    pub since: Option<Timestamp>,
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

/// See [`Entry::connect`].
pub type Connect = for<'a> fn(&'a Sources, Http) -> BoxFuture<'a, Result<Arc<dyn Provider>>>;

/// See [`Entry::survey`].
pub type Survey = for<'a> fn(&'a Sources) -> BoxFuture<'a, Vec<Check>>;

/// One cloud in the registry.
pub struct Entry {
    /// The word for it on the command line and in JSON.
    pub id: ProviderId,
    /// What people call it.
    pub title: &'static str,
    /// Whether a bare task id has the shape only this cloud uses, or one it shares with another.
    pub shape: fn(&str) -> Shape,
    /// Resolves credentials, region and endpoint and makes the client. Sends at most a login.
    pub connect: Connect,
    /// See [`console_url`].
    pub console: fn(&Task) -> Option<Url>,
    /// The regions that are known without asking, for completion; others are not refused.
    pub regions: fn() -> Vec<&'static str>,
    /// Reads the cloud's section of a profile of `config.toml`. A mistake in it is a `usage` error that names the line.
    pub section: fn(&Section) -> Result<Configured>,
    /// The profiles of the cloud's own configuration on this machine, for completion. Empty, where anything goes wrong.
    pub profiles: fn(&Sources) -> Vec<String>,
    /// What can be seen on this machine alone: rival credentials, files that others may read. Sends nothing.
    pub survey: Survey,
    /// What to say to who wants to cancel an export there; `None` where that can be done.
    pub no_cancel: Option<NoCancel>,
}

/// What is known of a section of `config.toml` without using it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// The region it names.
    pub region: Option<String>,
    /// Whether a secret stands in it.
    pub has_secret: bool,
}

/// Why an export cannot be cancelled.
#[derive(Clone, Copy, Debug)]
pub struct NoCancel {
    /// Completes "the export … cannot be cancelled: ".
    pub why: &'static str,
    /// How to get rid of what the export makes, with what is known of the task.
    pub instead: fn(Option<&Task>) -> String,
}

impl NoCancel {
    /// The refusal for a task. `typed` is how its id is typed, `known` what was last seen of it.
    pub fn refusal(&self, typed: &str, known: Option<&Task>) -> Error {
        let typed = crate::secret::clean(typed);
        let instead = (self.instead)(known);
        if let Some(ended) = known.filter(|task| task.state.is_terminal()) {
            let sentence = format!(
                "The export {typed} cannot be cancelled any more: it is {}",
                ended.state
            );
            return match ended.state {
                State::Completed => Error::usage(sentence).hint(instead),
                _ => Error::usage(sentence),
            };
        }
        Error::usage(format!(
            "The export {typed} cannot be cancelled: {}",
            self.why
        ))
        .hint(format!("after its end, {instead}"))
    }
}

/// How a bare task id fits a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No other cloud's ids look like this.
    Sure,
    /// It may be one of this cloud's, or another's.
    Possible,
    /// It cannot be one of this cloud's.
    No,
}

/// Every cloud there is.
pub static REGISTRY: [Entry; 3] = [outscale::ENTRY, lightsail::ENTRY, rackspace::ENTRY];

/// The registry's entry of this name.
pub fn by_name(name: &str) -> Result<&'static Entry> {
    REGISTRY
        .iter()
        .find(|entry| entry.id.0 == name)
        .ok_or_else(|| {
            let names: Vec<&str> = REGISTRY.iter().map(|entry| entry.id.0).collect();
            let error = Error::usage(format!(
                "There is no provider '{}'",
                crate::secret::clean(name)
            ));
            error
                .hints(suggest::hint(name, names.iter().copied()))
                .hint(format!("the providers are: {}", names.join(", ")))
        })
}

/// What the clouds read in their sections of all profiles. A mistake is a `usage` error that names the line.
pub fn read_sections(config: &Config) -> Result<Vec<Configured>> {
    let read = |(cloud, section): (&str, &Section)| {
        let entry = REGISTRY.iter().find(|entry| entry.id.0 == cloud);
        let Some(entry) = entry else {
            let clouds: Vec<&str> = REGISTRY.iter().map(|entry| entry.id.0).collect();
            return Err(section.unknown(&clouds));
        };
        (entry.section)(section)
    };
    config.sections().map(read).collect()
}

/// Where the provider's console shows what the task made, or else the console itself; only addresses that are known to be right.
pub fn console_url(task: &Task) -> Option<Url> {
    let entry = REGISTRY.iter().find(|entry| entry.id == task.provider)?;
    (entry.console)(task)
}

/// Whether the text has the form of a UUID (8-4-4-4-12 hex digits).
pub fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(group, len)| group.len() == len && group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Why an empty or over-long name is refused; `None` for one that can be sent.
pub fn name_problem(what: &str, name: &str, longest: usize) -> Option<Error> {
    if name.trim().is_empty() {
        return Some(Error::usage(format!("The {what} is empty")));
    }
    if name.len() > longest {
        return Some(Error::usage(format!(
            "The {what} is {} bytes long; the longest allowed is {longest}",
            name.len()
        )));
    }
    if name.chars().any(char::is_control) {
        return Some(Error::usage(format!(
            "The {what} has a control character in it"
        )));
    }
    None
}
