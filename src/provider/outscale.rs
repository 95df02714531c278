//! 3DS OUTSCALE: exports of volume snapshots to OUTSCALE Object Storage (API 1.42).

mod api;
mod arguments;
mod certificate;
mod checks;
mod credentials;
mod errors;
mod listing;
mod locate;
mod mapping;
mod names;
mod objects;
mod osc_file;
mod places;
mod preflight;
mod profile;
mod rules;
mod sign;
mod target;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use url::Url;

pub use self::profile::ID;
pub use self::target::{Destination, MANIFEST_URL, Made};

use self::api::Api;
use self::arguments::Arguments;
use self::credentials::Account;
use self::mapping::TASK_PREFIX;
use self::objects::ObjectStore;
use self::profile::Profile;
use super::belief::is_start_of;
use super::check::{Check, CheckRequest};
use super::{
    Batch, Capabilities, Configured, Entry, ExportArguments, Forms, Image, Naming, PlaceOption,
    Preview, Provider, Realm, Setting, Shape, TaskFilter,
};
use crate::error::{Command, Error, Kind, Result};
use crate::http::{Http, Reply};
use crate::secret::redact_json;
use crate::settings::Sources;
use crate::task::{Artifact, ExportRequest, ProviderId, Source, Task, TaskId};

/// This cloud in the registry.
pub const ENTRY: Entry = Entry {
    id: ID,
    title: "3DS OUTSCALE",
    export: ExportArguments::of::<Arguments>(),
    forms: Forms::of::<Destination, Made>(),
    place: Some(PlaceOption {
        word: "bucket",
        help: "Look whether this OUTSCALE bucket is there",
    }),
    is_source: rules::is_snapshot_id,
    shape,
    connect,
    // Cockpit has no documented address of a task or an object.
    console: |_| Url::parse("https://cockpit.outscale.com/").ok(),
    regions: || names::REGIONS.to_vec(),
    section: |section| {
        let own: Profile = section.read()?;
        Ok(Configured {
            has_secret: own.secret_key.is_some(),
            region: own.region,
        })
    },
    variables: names::VARIABLES,
    files: names::FILES,
    profiles: places::profiles,
    rivals: places::rivals,
    secret_files: places::secret_files,
    no_cancel: None,
};

const CREATE: &str = "CreateSnapshotExportTask";
const DELETE: &str = "DeleteExportTask";
const READ_TASKS: &str = "ReadSnapshotExportTasks";
const READ_SNAPSHOTS: &str = "ReadSnapshots";
const READ_ACCOUNTS: &str = "ReadAccounts";

/// The code for a member that this version of the API does not know.
const UNKNOWN_MEMBER: &str = "3001";

fn shape(id: &str) -> Shape {
    match id.strip_prefix(TASK_PREFIX) {
        Some(rest) if !rest.is_empty() => Shape::Sure,
        _ => Shape::No,
    }
}

fn connect(sources: &Sources, http: Http) -> BoxFuture<'_, Result<Arc<dyn Provider>>> {
    Box::pin(async move {
        let account = Account::resolve(sources, &http)?;
        Ok(Arc::new(Outscale::new(account, http)) as Arc<dyn Provider>)
    })
}

/// One account in one region.
struct Outscale {
    account: Account,
    api: Api,
    objects: ObjectStore,
    http: Http,
    /// The account's own id, once it was asked for; `None` in it where the key may not ask.
    account_id: OnceCell<Option<String>>,
}

impl Outscale {
    fn new(account: Account, http: Http) -> Self {
        for keys in [&account.keys, &account.object_keys]
            .into_iter()
            .chain(&account.bucket_keys)
        {
            http.hide(&keys.secret);
        }
        let bucket_keys = account.bucket_keys.as_ref().unwrap_or(&account.object_keys);
        let objects = ObjectStore::new(
            http.clone(),
            bucket_keys.clone(),
            account.region.clone(),
            account.objects.clone(),
        );
        let http = match &account.network {
            Some(network) => http.over(network.clone()),
            None => http,
        };
        let api = Api::new(http.clone(), &account);
        Outscale {
            account,
            api,
            objects,
            http,
            account_id: OnceCell::new(),
        }
    }

    /// The body of the start. A member without a value is left out: the API knows no nulls.
    fn create_body(&self, request: &ExportRequest) -> Value {
        let mut export = Map::new();
        if let Some(Destination::Oos {
            bucket,
            prefix,
            format,
        }) = request.target.read()
        {
            export.insert("DiskImageFormat".into(), format.into());
            export.insert("OsuBucket".into(), bucket.into());
            if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
                export.insert("OsuPrefix".into(), prefix.into());
            }
            export.extend(request.extras.clone());
        }
        if let Some(keys) = &self.account.bucket_keys {
            let pair = json!({"ApiKeyId": keys.id, "SecretKey": keys.secret.expose()});
            export.insert("OsuApiKey".into(), pair);
        }
        json!({"SnapshotId": request.snapshot, "OsuExport": export})
    }

    /// The id of the account whose key this is; `None` where the key may not ask.
    async fn account_id(&self) -> Result<Option<String>> {
        let ask = async || {
            let what = "the look at the account";
            match self.api.read(READ_ACCOUNTS, &json!({}), what).await {
                Ok(answer) => Ok(the_account(&answer)),
                Err(error) if matches!(error.kind, Kind::Permission | Kind::Provider) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.account_id.get_or_try_init(ask).await.cloned()
    }
}

#[async_trait]
impl Provider for Outscale {
    fn id(&self) -> ProviderId {
        ID
    }

    fn region(&self) -> &str {
        &self.account.region
    }

    fn account(&self) -> String {
        self.account.keys.id.clone()
    }

    async fn realm(&self) -> Realm {
        let account = self.account_id().await.unwrap_or_else(|error| {
            tracing::info!("outscale: {}", error.one_line());
            None
        });
        Realm {
            endpoint: Some(self.account.api.authority().to_owned()),
            account,
            key: None,
        }
    }

    fn credentials_tag(&self) -> u64 {
        self.account.keys.secret.tag()
    }

    fn settings(&self) -> Vec<Setting> {
        self.account.settings.clone()
    }

    async fn check(&self, asked: &CheckRequest<'_>) -> Vec<Check> {
        self.checks(asked).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: Batch::All,
            pace_min: Duration::from_secs(10),
            pace_max: Duration::from_secs(60),
            visibility: Duration::from_secs(30),
            // As the official SDKs do.
            start_pause: Duration::from_millis(200),
            naming: Naming::Ids,
        }
    }

    fn validate(&self, request: &ExportRequest) -> Result<()> {
        rules::validate(request)
    }

    fn preview(&self, request: &ExportRequest) -> Preview {
        Preview {
            call: CREATE,
            method: "POST",
            url: self.api.url(CREATE).to_string(),
            body: redact_json(&self.create_body(request)),
        }
    }

    async fn preflight(&self, requests: &[ExportRequest]) -> Result<Vec<Result<Vec<String>>>> {
        self.warnings(requests).await
    }

    async fn start(&self, request: &ExportRequest) -> Result<Task> {
        self.validate(request)?;
        let what = format!("the export of {}", request.snapshot);
        let outcome = self
            .api
            .once(CREATE, &self.create_body(request), &what)
            .await
            .and_then(|reply| started(&reply, request, &self.account.region));
        outcome.map_err(|error| explain_start(error.of_start(), request))
    }

    async fn look(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        self.look_at(ids).await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        self.list(filter).await
    }

    async fn cancel(&self, id: &TaskId) -> Result<()> {
        let body = json!({"ExportTaskId": id.as_str()});
        let what = format!("the cancellation of {id}");
        let answer = self.api.once(DELETE, &body, &what).await;
        match answer.and_then(|reply| api::acknowledged(&reply, &what)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind == Kind::Conflict => {
                Err(error
                    .hint("OUTSCALE cancels only an export that has hardly begun (state pending)"))
            }
            Err(error) => Err(error),
        }
    }

    async fn exportable(&self) -> Result<Vec<Source>> {
        // Without the filter, other accounts' public snapshots come too.
        let account = self.account_id().await?;
        if account.is_none() {
            tracing::warn!(
                "the account's id is not known: other accounts' public snapshots are listed too"
            );
        }
        let filters = filter("AccountIds", account.as_deref());
        // What a filter has let through is ours only where it says so, or does not say.
        let is_ours = |raw: &Value| match (&account, mapping::text(raw, "AccountId")) {
            (Some(account), Some(owner)) => account == owner,
            _ => true,
        };
        let keep = |raw: Value| {
            let source = is_ours(&raw).then(|| mapping::source(&raw, &self.account.region));
            Ok(source.flatten())
        };
        let what = "the list of snapshots";
        let list = self
            .api
            .list(READ_SNAPSHOTS, "Snapshots", &filters, what, keep);
        list.await
    }

    async fn locate(&self, tasks: &[Task]) -> Vec<Result<Artifact>> {
        locate::locate(&self.objects, tasks).await
    }

    async fn open(&self, task: &Task) -> Result<Image> {
        let disk_size = self.volume_size(task).await;
        let object = locate::open(&self.objects, task, disk_size).await?;
        Ok(Image::of(object))
    }

    fn left_behind(&self, task: &Task, uri: &str) -> Vec<Command> {
        let store = self.objects.endpoint();
        let object = Command::from("aws s3 rm").arg(uri);
        let object = object.and("--endpoint-url").arg(store);
        let snapshot = task.snapshot.as_ref();
        let snapshot =
            snapshot.map(|id| Command::from("osc-cli api DeleteSnapshot --SnapshotId").arg(id));
        [object].into_iter().chain(snapshot).collect()
    }
}

impl Outscale {
    /// The size of the volume that a task's snapshot is of, in bytes. The snapshot may be gone, or not to be seen by these keys.
    async fn volume_size(&self, task: &Task) -> Option<u64> {
        let id = task.snapshot.as_deref()?;
        let filters = filter("SnapshotIds", [id]);
        let what = "the snapshot";
        let keep = |raw: Value| Ok(mapping::source(&raw, &self.account.region));
        let list = self
            .api
            .list(READ_SNAPSHOTS, "Snapshots", &filters, what, keep);
        let sources: Vec<Source> = list.await.ok()?;
        let source = sources.into_iter().find(|source| source.id == id)?;
        source.size_bytes
    }
}

/// The one account that a reply is about, by its twelve digits. What says anything else says nothing.
fn the_account(answer: &Value) -> Option<String> {
    let [account] = &answer["Accounts"].as_array()?[..] else {
        return None;
    };
    let id = account["AccountId"].as_str()?;
    let is_number = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| id.to_owned())
}

/// The task in the reply to a start. Some gateways have left it out of a success.
fn started(reply: &Reply, request: &ExportRequest, region: &str) -> Result<Task> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let raw = body.get("SnapshotExportTask").unwrap_or(&Value::Null);
    let task = mapping::task(raw, region).filter(|task| is_start_of(task, request));
    let Some(task) = task else {
        let request_id = body.pointer("/ResponseContext/RequestId");
        return Err(Error::new(
            Kind::Provider,
            "OUTSCALE accepted the start but named no task",
        )
        .cause(format!("HTTP {}, {}", reply.status, reply.excerpt()))
        .request_id(request_id.and_then(Value::as_str).map(str::to_owned))
        .maybe_executed());
    };
    Ok(Task {
        snapshot: Some(request.snapshot.clone()),
        target: Some(request.target.clone()),
        ..task
    })
}

/// Filters with one member, or none where there are no values.
fn filter<'v>(member: &str, values: impl IntoIterator<Item = &'v str>) -> Map<String, Value> {
    let values: Vec<Value> = values.into_iter().map(Value::from).collect();
    if values.is_empty() {
        return Map::new();
    }
    Map::from_iter([(member.to_owned(), values.into())])
}

/// Adds what a person needs to know about a start that did not go well.
fn explain_start(error: Error, request: &ExportRequest) -> Error {
    let snapshot = &request.snapshot;
    if error.kind == Kind::MaybeStarted {
        // The caller looks for it, and says what came of that.
        return error.context(format!("No proper answer to the start of {snapshot}"));
    }
    match request.target.read() {
        Some(Destination::Oos { format, .. })
            if error.kind == Kind::Provider && !rules::WRITTEN_FORMATS.contains(&format.as_str()) =>
        {
            error.hint(format!(
                "the platform has written only qcow2 and raw since 2020, not {format}: try --format qcow2"
            ))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
