//! Amazon Lightsail: a snapshot of an instance becomes an EC2 machine image, one of a disk an EBS snapshot.
//!
//! An export is two things to the API: an *operation*, whose id is the task's, and an *export record*, which appears a
//! little later and alone says what the export made (`join`). Neither tells how far it is.

mod absence;
mod account;
mod address;
mod arguments;
mod arrival;
mod aws_files;
mod calls;
mod chain;
mod checks;
mod connector;
mod console;
mod credentials;
mod ebs;
mod ec2;
mod errors;
mod expiry;
mod ini;
mod join;
mod merge;
mod names;
mod places;
mod profile;
mod roles;
mod sightings;
mod sources;
mod taking;
mod target;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_lightsail::types::{DiskSnapshot, ExportSnapshotRecord, InstanceSnapshot};
use futures_util::future::try_join;
use serde_json::{Value, json};

pub use self::profile::ID;
pub use self::target::{Destination, Made};

use self::absence::Absences;
use self::arguments::Arguments;
use self::calls::Calls;
use self::connector::Connector;
use self::ebs::Ebs;
use self::ec2::Ec2;
use self::errors::{START, no_proper_answer};
use self::expiry::Watched;
use self::join::RECORD_PREFIX;
use self::profile::Profile;
use super::belief::is_start_of;
use super::check::{Check, CheckRequest};
use super::{
    Batch, Capabilities, Configured, Entry, ExportArguments, Forms, Image, Naming, NoCancel,
    Preview, Provider, Realm, Setting, Shape, TaskFilter, is_uuid, name_problem,
};
use crate::error::{Command, Error, Hint, Kind, Reason, Result};
use crate::http::Http;
use crate::process;
use crate::secret::redact_json;
use crate::settings::Sources;
use crate::task::{Artifact, ExportRequest, ProviderId, Source, Task, TaskId};

/// This cloud in the registry.
pub const ENTRY: Entry = Entry {
    id: ID,
    title: "Amazon Lightsail",
    export: ExportArguments::of::<Arguments>(),
    forms: Forms::of::<Destination, Made>(),
    place: None,
    // Snapshots have names.
    is_source: |_| false,
    shape,
    connect: |sources, http| Box::pin(connect(sources, http)),
    console: console::url,
    regions: names::regions,
    section: |section| {
        let own: Profile = section.read()?;
        Ok(Configured {
            has_secret: own.secret_key.is_some() || own.session_token.is_some(),
            region: own.region,
        })
    },
    variables: names::VARIABLES,
    files: names::FILES,
    profiles: places::profiles,
    rivals: places::rivals,
    secret_files: aws_files::secret_files,
    no_cancel: Some(NO_CANCEL),
};

const NO_CANCEL: NoCancel = NoCancel {
    why: "Amazon Lightsail has no call for that",
    instead: |_| {
        Hint::say("delete what it made, which is billed until then: ")
            .and_run("aws ec2 deregister-image")
            .and(" for an AMI, and ")
            .and_run("aws ec2 delete-snapshot")
            .and(" for each EBS snapshot")
    },
};

/// Requests under way at once during a look.
const PARALLEL: usize = 4;
/// Exports under way from which on a warning is due: EBS copies 20 snapshots at once in a region, and an instance has several.
const MANY_EXPORTS: usize = 10;
/// The longest snapshot name that is sent; the guide's own limit for names.
const LONGEST_NAME: usize = 255;

/// Operation ids are GUIDs, as other clouds' are too; a record's name is unmistakable.
fn shape(id: &str) -> Shape {
    if id.starts_with(RECORD_PREFIX) {
        Shape::Sure
    } else if is_uuid(id) {
        Shape::Possible
    } else {
        Shape::No
    }
}

async fn connect(sources: &Sources, http: Http) -> Result<Arc<dyn Provider>> {
    // The AWS crates let a credential_process inherit it.
    process::hide_input();
    let resolved = credentials::resolve(sources, &http)?;
    let endpoint = resolved.endpoint.to_string();
    let credentials = Watched::new(resolved.credentials, http.clone());
    let http = http.over(resolved.network);
    let patience = RetryConfig::standard()
        .with_max_attempts(http.limits().attempts)
        .with_initial_backoff(Duration::from_millis(200))
        .with_max_backoff(Duration::from_secs(2));
    let config = aws_sdk_lightsail::Config::builder()
        .endpoint_url(&endpoint)
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(resolved.region.clone()))
        .credentials_provider(credentials.clone())
        .http_client(Connector::new(http.clone()))
        .retry_config(patience)
        .timeout_config(credentials::time_limits())
        // A credential_process may ask its user for a second factor.
        .identity_cache(
            IdentityCache::lazy()
                .load_timeout(Duration::from_secs(60))
                .build(),
        )
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let region = resolved.region;
    let ebs = resolved
        .ebs
        .map(|url| Ebs::new(http.clone(), credentials.clone(), region.clone(), url));
    let ec2 = resolved
        .ec2
        .map(|url| Ec2::new(http.clone(), credentials.clone(), region.clone(), url));
    Ok(Arc::new(Lightsail {
        calls: Calls {
            client: aws_sdk_lightsail::Client::from_conf(config.build()),
            with_raw: http.is_whole(),
        },
        account: account::of_key(&resolved.account),
        region,
        endpoint,
        ec2,
        ebs,
        credentials,
        http,
        settings: resolved.settings,
        tag: resolved.tag,
        absences: Absences::default(),
        pages_of_operations: AtomicUsize::new(sightings::FEW),
        owner: OnceLock::new(),
    }))
}

/// Lightsail in one region.
struct Lightsail {
    calls: Calls,
    account: String,
    region: String,
    endpoint: String,
    ec2: Option<Ec2>,
    ebs: Option<Ebs>,
    credentials: Watched,
    http: Http,
    settings: Vec<Setting>,
    tag: u64,
    /// Which tasks have had no record so far.
    absences: Absences,
    /// How many pages the list of operations had.
    pages_of_operations: AtomicUsize,
    /// The account's number, once something of its own was seen.
    owner: OnceLock<String>,
}

#[async_trait]
impl Provider for Lightsail {
    fn id(&self) -> ProviderId {
        ID
    }

    fn region(&self) -> &str {
        &self.region
    }

    fn account(&self) -> String {
        self.account.clone()
    }

    async fn realm(&self) -> Realm {
        Realm {
            endpoint: Some(self.endpoint.clone()),
            account: self.owner.get().cloned(),
            key: None,
        }
    }

    fn credentials_tag(&self) -> u64 {
        self.tag
    }

    fn settings(&self) -> Vec<Setting> {
        self.settings.clone()
    }

    async fn check(&self, _asked: &CheckRequest<'_>) -> Vec<Check> {
        self.checks().await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: Batch::One,
            pace_min: Duration::from_secs(5),
            pace_max: Duration::from_secs(45),
            visibility: Duration::from_secs(30),
            // No limit is published.
            start_pause: Duration::from_millis(200),
            naming: Naming::Names,
        }
    }

    fn validate(&self, request: &ExportRequest) -> Result<()> {
        if request.target.read::<Destination>().is_none() {
            return Err(Error::usage(format!(
                "Lightsail exports '{}' to EC2 and nowhere else",
                request.snapshot
            )));
        }
        name_problem("snapshot name", &request.snapshot, LONGEST_NAME).map_or(Ok(()), Err)
    }

    fn preview(&self, request: &ExportRequest) -> Preview {
        Preview {
            call: START,
            method: "POST",
            url: self.endpoint.clone(),
            body: json!({"sourceSnapshotName": request.snapshot}),
        }
    }

    async fn preflight(&self, requests: &[ExportRequest]) -> Result<Vec<Result<Vec<String>>>> {
        let (sources, records) = try_join(self.sources(requests), self.calls.records()).await?;
        let busy = records
            .iter()
            .filter(|seen| is_started(&seen.typed))
            .count();
        let warnings = |source: Source| {
            let mut warnings = Vec::new();
            if let Some(reason) = source.reason {
                let name = &source.id;
                warnings.push(format!("The export of '{name}' may be refused: {reason}"));
            }
            if busy >= MANY_EXPORTS {
                warnings.push(format!(
                    "{busy} exports are under way in {}; EBS copies about 20 snapshots at once, so another one may be refused or wait",
                    self.region
                ));
            }
            warnings
        };
        let slots = sources.into_iter();
        Ok(slots.map(|source| source.map(warnings)).collect())
    }

    async fn start(&self, request: &ExportRequest) -> Result<Task> {
        let name = &request.snapshot;
        let operations = match self.calls.export_snapshot(name).await {
            Ok(operations) => operations,
            Err(error) => return Err(self.about_source(name, error)),
        };
        let mut operations = operations.into_iter();
        let first = operations.next();
        let task = first.and_then(|first| merge::task(&self.region, Some(&first), None));
        let Some(mut task) = task.filter(|task| is_start_of(task, request)) else {
            let sentence = format!("The reply to {START} names no operation");
            let error = Error::new(Kind::MaybeStarted, sentence).maybe_executed();
            return Err(error.context(no_proper_answer(name)));
        };
        task.snapshot = Some(name.clone());
        let others: Vec<Value> = operations
            .map(|seen| redact_json(&seen.raw.value()))
            .collect();
        if self.calls.with_raw && !others.is_empty() {
            task.raw.insert("otherOperations", others.into());
        }
        Ok(task)
    }

    async fn look(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        let unseen = |id: &TaskId| Task::unseen(ID, &self.region, id.clone());
        let known: Vec<Task> = ids.iter().map(unseen).collect();
        self.look_at(&known).await
    }

    /// An operation is forgotten some day; its record is still found by what is known of the task.
    async fn look_again(&self, known: &[Task]) -> Result<Vec<Result<Task>>> {
        self.look_at(known).await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        self.list(filter).await
    }

    async fn cancel(&self, id: &TaskId) -> Result<()> {
        Err(NO_CANCEL.refusal(&format!("{ID}/{id}"), None))
    }

    async fn exportable(&self) -> Result<Vec<Source>> {
        let (instances, disks) =
            try_join(self.calls.instance_snapshots(), self.calls.disk_snapshots()).await?;
        for arn in instances.iter().filter_map(InstanceSnapshot::arn) {
            self.see_owner(arn);
        }
        for arn in disks.iter().filter_map(DiskSnapshot::arn) {
            self.see_owner(arn);
        }
        let instances = instances
            .iter()
            .filter_map(|s| sources::of_instance(&self.region, s));
        let disks = disks
            .iter()
            .filter_map(|s| sources::of_disk(&self.region, s));
        Ok(instances.chain(disks).collect())
    }

    async fn locate(&self, tasks: &[Task]) -> Vec<Result<Artifact>> {
        self.artifacts_of(tasks).await
    }

    async fn open(&self, task: &Task) -> Result<Image> {
        self.take(task).await
    }

    fn none_exportable(&self) -> Option<Hint> {
        Some(sources::only_automatic(&self.region))
    }

    fn left_behind(&self, task: &Task, _uri: &str) -> Vec<Command> {
        let Some((artifact, id)) = task
            .artifact
            .as_ref()
            .and_then(|a| Some((a, a.id.as_ref()?)))
        else {
            return Vec::new();
        };
        let region = &self.region;
        let ec2 = |words, id: &str| Command::from(words).arg(id).and("--region").arg(region);
        let snapshot = |id: &String| ec2("aws ec2 delete-snapshot --snapshot-id", id);
        let is_image = artifact.kind.read() == Some(Made::Ami);
        let (mut commands, own) = match is_image {
            true => (
                vec![ec2("aws ec2 deregister-image --image-id", id)],
                "aws lightsail delete-instance-snapshot --instance-snapshot-name",
            ),
            false => (
                vec![snapshot(id)],
                "aws lightsail delete-disk-snapshot --disk-snapshot-name",
            ),
        };
        commands.extend(artifact.snapshots.iter().filter(|_| is_image).map(snapshot));
        commands.extend(task.snapshot.iter().map(|name| ec2(own, name)));
        commands
    }

    fn aftermath(&self, task: &Task) -> Option<String> {
        let name = task.snapshot.as_deref().unwrap_or("?");
        let artifact = task.artifact.as_ref()?;
        let id = artifact.id.as_deref()?;
        let is_image = artifact.kind.read() == Some(Made::Ami);
        let copying = arrival::may_be_copying(task, id, is_image);
        let bill = match (is_image, &artifact.snapshots[..]) {
            (true, snapshots) => format!(
                "The EBS snapshots of {id}{} and the Lightsail snapshot '{name}' are billed until deleted: \
                 deregister the image and delete its snapshots as well",
                match snapshots {
                    [] => String::new(),
                    some => format!(" ({})", some.join(", ")),
                }
            ),
            _ => format!(
                "The EBS snapshot {id} and the Lightsail snapshot '{name}' are billed until deleted"
            ),
        };
        Some(copying + &bill)
    }
}

impl Lightsail {
    /// The snapshots of these names: one list for several. What is not listed is asked for by its name.
    async fn sources(&self, requests: &[ExportRequest]) -> Result<Vec<Result<Source>>> {
        let mut listed = match requests {
            [] | [_] => Vec::new(),
            _ => match self.exportable().await {
                // Who may not list may still look at each.
                Err(error) if error.kind == Kind::Permission => Vec::new(),
                listed => listed?,
            },
        };
        let mut slots = Vec::with_capacity(requests.len());
        for name in requests.iter().map(|request| &request.snapshot) {
            let at = listed.iter().position(|source| source.id == *name);
            slots.push(match at.map(|at| listed.swap_remove(at)) {
                Some(source) => Ok(source),
                None => match self.source(name).await {
                    Err(error) if error.kind != Kind::NotFound => return Err(error),
                    slot => slot,
                },
            });
        }
        Ok(slots)
    }

    /// The snapshot of this name: first among the instances', then among the disks'.
    async fn source(&self, name: &str) -> Result<Source> {
        match self.calls.instance_snapshot(name).await {
            Ok(mut snapshot) => {
                snapshot.arn().inspect(|arn| self.see_owner(arn));
                snapshot.name.get_or_insert_with(|| name.to_owned());
                if let Some(source) = sources::of_instance(&self.region, &snapshot) {
                    return Ok(source);
                }
            }
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
        let found = self.calls.disk_snapshot(name).await;
        let mut snapshot = found.map_err(|error| self.about_source(name, error))?;
        snapshot.arn().inspect(|arn| self.see_owner(arn));
        snapshot.name.get_or_insert_with(|| name.to_owned());
        sources::of_disk(&self.region, &snapshot).ok_or_else(|| self.no_snapshot(name))
    }

    /// Whose a snapshot is: Lightsail's are never another account's.
    fn see_owner(&self, arn: &str) {
        if let Some(number) = account::of_arn(arn) {
            self.owner.get_or_init(|| number.to_owned());
        }
    }

    fn no_snapshot(&self, name: &str) -> Error {
        Error::new(
            Kind::NotFound,
            format!("There is no Lightsail snapshot '{name}' in {}", self.region),
        )
        .because(Reason::NoSource)
        .hint(Hint::run("snapexport list lightsail").and(" shows what can be exported"))
        .hint(sources::only_automatic(&self.region))
    }

    /// An error about a snapshot; for one that does not exist our sentence and advice, and below them all that Lightsail says.
    fn about_source(&self, name: &str, error: Error) -> Error {
        if error.kind != Kind::NotFound {
            return error;
        }
        let mut precise = self.no_snapshot(name);
        precise.details.code = error.details.code;
        precise.details.causes = error.details.causes;
        precise.details.request_id = error.details.request_id;
        precise.details.hints.extend(error.details.hints);
        precise
    }
}

fn is_started(record: &ExportSnapshotRecord) -> bool {
    record
        .state()
        .is_some_and(|state| state.as_str() == "Started")
}
