//! Rackspace Cloud Images: an export is an image task that writes `<image uuid>.vhd` into a Cloud Files container.
//!
//! Facts are from docs-cloud-images, docs-cloud-identity and docs-cloud-files, and from recorded answers of Glance,
//! Keystone and Swift, which Rackspace's services are or were made of. Where these differ, both are survived.

mod arguments;
mod cache;
mod checks;
mod clouds;
mod credentials;
mod download;
mod errors;
mod files;
mod grant;
mod identity;
mod login;
mod names;
mod offer;
mod openrc;
mod places;
mod preflight;
mod profile;
mod pyrax;
mod rack;
mod rules;
mod session;
mod target;
mod tasks;
mod urls;
mod variables;
mod wire;
mod yaml;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use url::Url;

pub use self::profile::ID;
pub use self::target::{Destination, Made};

use self::arguments::Arguments;
use self::cache::Cache;
use self::errors::{files_refusal, refusal};
use self::login::{Access, Proof};
use self::profile::Profile;
use self::rules::export_body;
use self::session::{Service, Session};
use self::urls::below;
use super::belief::is_start_of;
use super::check::{Check, CheckRequest};
use super::{
    Batch, Capabilities, Configured, Entry, ExportArguments, Forms, Image, Naming, NoCancel,
    Object, PlaceOption, Preview, Provider, Realm, Setting, Shape, TaskFilter, is_uuid,
};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::http::Http;
use crate::settings::Sources;
use crate::task::{Artifact, ExportRequest, ProviderId, Source, Task, TaskId};

/// This cloud in the registry.
pub const ENTRY: Entry = Entry {
    id: ID,
    title: "Rackspace Cloud Images",
    export: ExportArguments::of::<Arguments>(),
    forms: Forms::of::<Destination, Made>(),
    place: Some(PlaceOption {
        word: "container",
        help: "Look whether this Rackspace container is there",
    }),
    is_source: is_uuid,
    shape: |id| {
        if is_uuid(id) {
            Shape::Possible
        } else {
            Shape::No
        }
    },
    connect: |sources, http| Box::pin(connect(sources, http)),
    // The Cloud Control Panel has no documented address of a task or an object.
    console: |_| Url::parse("https://mycloud.rackspace.com/").ok(),
    regions: || names::REGIONS.to_vec(),
    section: |section| {
        let own: Profile = section.read()?;
        Ok(Configured {
            has_secret: own.api_key.is_some() || own.password.is_some(),
            region: own.region,
        })
    },
    variables: names::VARIABLES,
    files: names::FILES,
    profiles: places::profiles,
    rivals: places::rivals,
    secret_files: places::secret_files,
    no_cancel: Some(NO_CANCEL),
};

/// The API answers a DELETE of a task with 405.
const NO_CANCEL: NoCancel = NoCancel {
    why: "Rackspace has no call for that",
    instead: |known| {
        let delete = Command::from("swift delete");
        let delete = match known.and_then(Task::destination) {
            Some(Destination::CloudFiles { container }) => delete.arg(container),
            None => delete.and("CONTAINER"),
        };
        let delete = match known.and_then(|task| task.snapshot.as_deref()) {
            Some(image) => delete.and("--prefix").arg(format!("{image}.vhd")),
            None => delete.and("--prefix IMAGE.vhd"),
        };
        Hint::say("delete its object with the segments: ").and_run(delete)
    },
};

/// A client of one account in one region.
struct Rackspace {
    session: Arc<Session>,
}

/// Resolves credentials. Sends nothing: the login comes with the first call, and with it the region where none was said.
async fn connect(sources: &Sources, http: Http) -> Result<Arc<dyn Provider>> {
    let settings = credentials::resolve(sources, &http)?;
    let cache = match (&settings.access, &sources.cache_dir) {
        // A token from elsewhere has no name by which to tell it from the next one.
        (Access::Login(login), Some(directory)) if !matches!(login.proof, Proof::Token(_)) => {
            Some(Cache::of(directory, &settings.identity, login))
        }
        _ => None,
    };
    let http = http.over(settings.network.clone());
    let session = Session::new(http, settings, cache);
    Ok(Arc::new(Rackspace {
        session: Arc::new(session),
    }))
}

#[async_trait]
impl Provider for Rackspace {
    fn id(&self) -> ProviderId {
        ID
    }

    /// Empty before the first call, where neither a setting nor a kept token tells the account's region.
    fn region(&self) -> &str {
        self.session.region()
    }

    fn account(&self) -> String {
        self.session.account()
    }

    async fn realm(&self) -> Realm {
        self.session.realm()
    }

    fn credentials_tag(&self) -> u64 {
        self.session.credentials_tag()
    }

    fn settings(&self) -> Vec<Setting> {
        self.session.settings()
    }

    async fn check(&self, asked: &CheckRequest<'_>) -> Vec<Check> {
        checks::checks(&self.session, asked).await
    }

    /// Rackspace asks its clients not to poll more often than every 30 s.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: Batch::One,
            pace_min: Duration::from_secs(30),
            pace_max: Duration::from_secs(60),
            visibility: Duration::from_secs(30),
            // No limit is published.
            start_pause: Duration::from_millis(200),
            naming: Naming::Ids,
        }
    }

    fn validate(&self, request: &ExportRequest) -> Result<()> {
        rules::check(request)
    }

    fn preview(&self, request: &ExportRequest) -> Preview {
        let images = self.session.known_base(Service::Images);
        let url = images.map_or_else(
            // Where Rackspace's catalogue will lead once there is a login.
            || {
                let region = match self.region() {
                    "" => "REGION".to_owned(),
                    region => region.to_ascii_lowercase(),
                };
                format!("https://{region}.images.api.rackspacecloud.com/v2/tasks")
            },
            |images| below(&images, &["tasks"]).to_string(),
        );
        Preview {
            call: "create task",
            method: "POST",
            url,
            body: export_body(request),
        }
    }

    async fn preflight(&self, requests: &[ExportRequest]) -> Result<Vec<Result<Vec<String>>>> {
        preflight::preflight(&self.session, requests).await
    }

    async fn start(&self, request: &ExportRequest) -> Result<Task> {
        self.validate(request)?;
        let images = self.session.base(Service::Images, None).await?;
        let url = below(&images, &["tasks"]);
        let body = export_body(request).to_string();
        let image = &request.snapshot;
        let reply = self.session.post("create task", &url, &body).await;
        let reply = reply.map_err(|error| {
            of_start(
                error,
                format!("No answer to the start of the export of the image {image}"),
            )
        })?;
        if reply.status >= 500 {
            // It may have gone through all the same.
            let sentence =
                format!("The start of the export of the image {image} met an error of the server");
            let error = refusal(&reply, sentence).maybe_executed().of_start();
            return Err(self.session.explain(error));
        }
        if !reply.is_success() {
            let sentence = format!("The export of the image {image} was refused");
            let refused = refusal(&reply, sentence);
            let is_about_type = matches!(reply.status, 400 | 403);
            if is_about_type && offer::is_missing(&self.session).await {
                let mut error = offer::no_export(image);
                error.details.code = refused.details.code;
                error.details.causes = refused.details.causes;
                error.details.request_id = refused.details.request_id;
                return Err(self.session.explain(error));
            }
            let is_elsewhere = reply.status == 403 && !identity::is_rackspace(&images);
            let refused = match is_elsewhere {
                // Stock Glance keeps tasks for its administrators.
                true => refused.hint(offer::instead(image)),
                false => refused,
            };
            return Err(self.session.explain(refused));
        }
        let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let files = self.session.known_base(Service::Files);
        let task = wire::task(&value, self.region(), files.as_ref());
        let task = task.filter(|task| is_start_of(task, request));
        let mut task = task.ok_or_else(|| {
            let sentence =
                format!("The answer to the start of the export of the image {image} names no task");
            let error = Error::new(Kind::Provider, sentence)
                .cause(format!("HTTP {}, {}", reply.status, reply.excerpt()))
                .request_id(reply.request_id().map(str::to_owned));
            self.session.explain(error.maybe_executed().of_start())
        })?;
        task.snapshot.get_or_insert_with(|| image.clone());
        task.target.get_or_insert_with(|| request.target.clone());
        task.created_at.get_or_insert_with(Timestamp::now);
        Ok(task)
    }

    async fn look(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        let images = self.session.base(Service::Images, None).await?;
        tasks::together(tasks::show_all(&self.session, &images, ids).await)
    }

    async fn look_again(&self, known: &[Task]) -> Result<Vec<Result<Task>>> {
        let images = self.session.base(Service::Images, None).await?;
        tasks::look_again(&self.session, &images, known).await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let images = self.session.base(Service::Images, None).await?;
        match filter.snapshots.is_empty() {
            true => tasks::list(&self.session, &images, filter).await,
            false => tasks::of_images(&self.session, &images, filter).await,
        }
    }

    async fn cancel(&self, id: &TaskId) -> Result<()> {
        Err(NO_CANCEL.refusal(&format!("{ID}/{id}"), None))
    }

    async fn exportable(&self) -> Result<Vec<Source>> {
        let images = self.session.base(Service::Images, None).await?;
        let values = tasks::images(&self.session, &images).await?;
        let tenant = self.session.tenant();
        let is_own = |value: &&Value| match (&tenant, value["owner"].as_str()) {
            (Some(tenant), Some(owner)) => tenant == owner,
            _ => true,
        };
        let mut sources: Vec<Source> = values
            .iter()
            .filter(is_own)
            .filter_map(|value| wire::source(value, self.region(), tenant.as_deref()))
            .collect();
        if !sources.is_empty() && offer::is_missing(&self.session).await {
            for source in &mut sources {
                let why = format!("{}; {}", offer::NO_EXPORT, offer::instead(&source.id));
                source.exportable = false;
                source.reason = Some(why);
            }
        }
        Ok(sources)
    }

    /// A list of the container would not tell the size of what lies there in segments.
    async fn locate(&self, tasks: &[Task]) -> Vec<Result<Artifact>> {
        let mut looks = Vec::with_capacity(tasks.len());
        for task in tasks {
            looks.push(self.locate_one(task));
        }
        stream::iter(looks)
            .buffered(tasks::PARALLEL)
            .collect()
            .await
    }

    async fn open(&self, task: &Task) -> Result<Image> {
        let artifact = self.locate_one(task).await?;
        files::open(&self.session, artifact).await.map(Image::of)
    }

    async fn open_source(&self, id: &str) -> Result<Object> {
        rules::check_image(id)?;
        download::open(&self.session, id).await
    }

    fn left_behind(&self, task: &Task, _uri: &str) -> Vec<Command> {
        let object = wire::location(task).map(|(container, name)| {
            // With its segments, as that client does it.
            Command::from("swift delete").arg(container).arg(name)
        });
        let image = task.snapshot.as_ref();
        let image = image.map(|id| Command::from("openstack image delete").arg(id));
        object.into_iter().chain(image).collect()
    }

    fn aftermath(&self, task: &Task) -> Option<String> {
        let (container, name) = wire::location(task)?;
        Some(format!(
            "{name} and its segments stay in the container '{container}', and are billed, until you delete them"
        ))
    }
}

impl Rackspace {
    async fn locate_one(&self, task: &Task) -> Result<Artifact> {
        let shown;
        let task = match wire::location(task) {
            Some(_) => task,
            None => {
                let images = self.session.base(Service::Images, None).await?;
                shown = tasks::show(&self.session, &images, &task.id).await?;
                &shown
            }
        };
        let (container, name) = wire::location(task).ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("The task {} does not say where its object is", task.id),
            )
        })?;
        let owner = task.raw.member("owner");
        let files = self.session.base(Service::Files, owner.as_str()).await?;
        let url = below(&files, &[&container, &name]);
        let size = self
            .session
            .read("look at object", Method::HEAD, &url, |reply| {
                match reply.status {
                    200..=299 => Ok(reply.header("content-length").and_then(|n| n.parse().ok())),
                    404 => Err(files_refusal(
                        &reply,
                        format!("The object {name} is not in the container '{container}'"),
                    )
                    .hint("it was deleted or moved since, or the region is another one")),
                    _ => Err(files_refusal(
                        &reply,
                        format!(
                            "The object {name} in the container '{container}' cannot be looked at"
                        ),
                    )),
                }
            })
            .await?;
        Ok(Artifact {
            uri: url.as_str().to_owned(),
            size_bytes: size,
            exact: true,
            ..wire::cloud_file(name)
        })
    }
}

/// A start that may have been executed is named as such; whether it was, only a look at the cloud's tasks can tell.
fn of_start(error: Error, sentence: impl Into<String>) -> Error {
    let error = error.of_start();
    if error.kind == Kind::MaybeStarted {
        error.context(sentence)
    } else {
        error
    }
}

#[cfg(test)]
mod tests;
