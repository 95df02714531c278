//! Rackspace Cloud Images: an export is an image task that writes `<image uuid>.vhd` into a Cloud Files container.
//!
//! Facts are from docs-cloud-images, docs-cloud-identity and docs-cloud-files, and from recorded answers of Glance,
//! Keystone and Swift, which Rackspace's services are or were made of. Where these differ, both are survived.

mod cache;
mod credentials;
mod errors;
mod identity;
mod preflight;
mod replay;
mod session;
mod tasks;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::replay::fuzz_replies;

use self::cache::Cache;
use self::credentials::Access;
use self::errors::refusal;
use self::session::{Service, Session, below};
use super::http::Http;
use super::{
    Batch, Capabilities, Entry, Preview, Provider, Shape, TaskFilter, is_uuid, name_problem,
};
use crate::context::Sources;
use crate::error::{Error, Kind, Result};
use crate::secret::{Secret, clean, redact_json};
use crate::task::{Artifact, ExportRequest, ProviderId, Source, Target, Task, TaskId};

/// This cloud's word on the command line and in JSON.
pub const ID: ProviderId = ProviderId("rackspace");

/// This cloud in the registry.
pub const ENTRY: Entry = Entry {
    id: ID,
    title: "Rackspace Cloud Images",
    shape: |id| {
        if is_uuid(id) {
            Shape::Possible
        } else {
            Shape::No
        }
    },
    connect: |sources, http| Box::pin(connect(sources, http)),
};

/// The longest name of a container, counted as it stands in a URL (docs-cloud-files).
const LONGEST_CONTAINER: usize = 256;
/// Requests under way at once while many tasks are looked at.
const PARALLEL: usize = 4;

/// `[profile.NAME.rackspace]` of config.toml.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Such as `DFW`; without it, the account's default.
    pub region: Option<String>,
    /// Who logs in.
    pub username: Option<String>,
    /// With this API key,
    pub api_key: Option<Secret>,
    /// or the one this command prints,
    pub api_key_command: Option<Vec<String>>,
    /// or this password,
    pub password: Option<Secret>,
    /// or the one this command prints.
    pub password_command: Option<Vec<String>>,
    /// Another identity service than Rackspace's; one that ends in `/v3` speaks Keystone v3.
    pub auth_url: Option<String>,
}

/// A client of one account in one region.
struct Rackspace {
    session: Session,
}

/// Resolves credentials. Sends nothing but a login, and that only if no setting and no kept token tells the region.
async fn connect(sources: &Sources, http: Http) -> Result<Arc<dyn Provider>> {
    let settings = credentials::resolve(sources, &http)?;
    let cache = match (&settings.access, &sources.cache_dir) {
        (Access::Login(login), Some(directory)) => {
            Some(Cache::of(directory, &settings.identity, login))
        }
        _ => None,
    };
    let session = Session::open(http, settings, cache).await?;
    Ok(Arc::new(Rackspace { session }))
}

#[async_trait]
impl Provider for Rackspace {
    fn id(&self) -> ProviderId {
        ID
    }

    fn region(&self) -> &str {
        self.session.region()
    }

    fn account(&self) -> String {
        self.session.account()
    }

    fn credentials_tag(&self) -> u64 {
        self.session.credentials_tag()
    }

    /// Rackspace asks its clients not to poll more often than every 30 s.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: Batch::One,
            pace_min: Duration::from_secs(30),
            pace_max: Duration::from_secs(60),
            visibility: Duration::from_secs(30),
        }
    }

    fn validate(&self, request: &ExportRequest) -> Result<()> {
        let container = container_of(request)?;
        if !is_uuid(&request.snapshot) {
            return Err(Error::usage(format!(
                "'{}' is not an image id: Rackspace's are UUIDs",
                clean(&request.snapshot)
            ))
            .hint("snapexport list rackspace shows the ids"));
        }
        container_problem(container).map_or(Ok(()), Err)
    }

    fn preview(&self, request: &ExportRequest) -> Preview {
        let images = self.session.known_base(Service::Images);
        let url = images.map_or_else(
            // Where Rackspace's catalogue will lead once there is a login.
            || {
                let region = self.region().to_ascii_lowercase();
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

    async fn preflight(&self, request: &ExportRequest) -> Result<Vec<String>> {
        let container = container_of(request)?;
        preflight::preflight(&self.session, &request.snapshot, container).await
    }

    async fn start(&self, request: &ExportRequest) -> Result<Task> {
        self.validate(request)?;
        let images = self.session.base(Service::Images, None).await?;
        let url = below(&images, &["tasks"]);
        let body = export_body(request).to_string();
        let reply = self.session.post("create task", &url, &body).await;
        let reply = reply.map_err(|error| of_start(error, request))?;
        let image = &request.snapshot;
        if !reply.is_success() {
            let error = refusal(
                &reply,
                format!("The export of the image {image} was refused"),
            );
            // The start may have gone through all the same.
            return Err(if reply.status >= 500 {
                of_start(error.maybe_executed(), request)
            } else {
                self.session.explain(error)
            });
        }
        let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let files = self.session.known_base(Service::Files);
        let mut task = wire::task(&value, self.region(), files.as_ref()).ok_or_else(|| {
            let sentence = "The answer to the start names no task";
            let error = Error::new(Kind::Provider, sentence)
                .cause(format!("HTTP {}, {}", reply.status, reply.excerpt()))
                .request_id(errors::request_id(&reply));
            of_start(error.maybe_executed(), request)
        })?;
        task.snapshot.get_or_insert_with(|| image.clone());
        task.target.get_or_insert_with(|| request.target.clone());
        task.created_at.get_or_insert_with(Timestamp::now);
        Ok(task)
    }

    async fn look(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        let images = self.session.base(Service::Images, None).await?;
        let slots = self.show_all(&images, ids.to_vec()).await;
        // The same wall before every one of them is one error, not many.
        let is_wall = |slot: &Result<Task>| {
            slot.as_ref().is_err_and(|error| {
                error.kind.is_transient()
                    || matches!(error.kind, Kind::Credentials | Kind::Permission)
            })
        };
        match slots.first() {
            Some(Err(first)) if slots.iter().all(is_wall) => Err(first.clone()),
            _ => Ok(slots),
        }
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let images = self.session.base(Service::Images, None).await?;
        let listed = tasks::list(&self.session, &images, filter.since).await?;
        let Some(snapshot) = &filter.snapshot else {
            return Ok(listed);
        };
        // A list does not say what is exported: each has to be asked.
        let now = Timestamp::now();
        let ids = listed
            .into_iter()
            .filter(|task| tasks::is_recent(task, filter.since, now))
            .map(|task| task.id)
            .collect();
        let shown = self.show_all(&images, ids).await;
        let mut found = Vec::new();
        for slot in shown {
            match slot {
                Ok(task) if tasks::is_of(&task, snapshot) => found.push(task),
                Ok(_) => {}
                // Forgotten since it was listed.
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn exportable(&self) -> Result<Vec<Source>> {
        let images = self.session.base(Service::Images, None).await?;
        let mut url = below(&images, &["images"]);
        url.set_query(Some("limit=100&visibility=private"));
        let values = tasks::pages(&self.session, "list images", &url, "images", |_| true).await?;
        let tenant = self.session.tenant();
        let is_own = |value: &&Value| match (&tenant, value["owner"].as_str()) {
            (Some(tenant), Some(owner)) => tenant == owner,
            _ => true,
        };
        Ok(values
            .iter()
            .filter(is_own)
            .filter_map(|value| wire::source(value, self.region(), tenant.as_deref()))
            .collect())
    }

    async fn locate(&self, task: &Task) -> Result<Artifact> {
        let shown;
        let task = match wire::location(task) {
            Some(_) => task,
            None => {
                let images = self.session.base(Service::Images, None).await?;
                shown = self.show(&images, &task.id).await?;
                &shown
            }
        };
        let (container, name) = wire::location(task).ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("The task {} does not say where its object is", task.id),
            )
        })?;
        let owner = task.raw["owner"].as_str();
        let files = self.session.base(Service::Files, owner).await?;
        let url = below(&files, &[&container, &name]);
        let size = self
            .session
            .read("look at object", Method::HEAD, &url, |reply| {
                match reply.status {
                    200..=299 => Ok(reply.header("content-length").and_then(|n| n.parse().ok())),
                    404 => Err(refusal(
                        &reply,
                        format!("The object {name} is not in the container '{container}'"),
                    )
                    .hint("it was deleted or moved since, or the region is another one")),
                    _ => Err(refusal(
                        &reply,
                        format!(
                            "The object {name} in the container '{container}' cannot be looked at"
                        ),
                    )),
                }
            })
            .await?;
        Ok(Artifact {
            uri: url.to_string(),
            size_bytes: size,
            exact: true,
            ..wire::cloud_file(name)
        })
    }

    fn aftermath(&self, task: &Task) -> Option<String> {
        let (container, name) = wire::location(task)?;
        Some(format!(
            "{name} and its segments stay in the container '{container}', and are billed, until you delete them"
        ))
    }
}

impl Rackspace {
    /// Looks at tasks, a few at a time; the answers are in order.
    async fn show_all(&self, images: &Url, ids: Vec<TaskId>) -> Vec<Result<Task>> {
        let mut looks = Vec::with_capacity(ids.len());
        for id in &ids {
            looks.push(self.show(images, id));
        }
        stream::iter(looks).buffered(PARALLEL).collect().await
    }

    /// Looks at one task.
    async fn show(&self, images: &Url, id: &TaskId) -> Result<Task> {
        let region = self.region();
        if !is_uuid(id.as_str()) {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "There is no Rackspace task '{}': its tasks have UUIDs",
                    clean(id.as_str())
                ),
            ));
        }
        let url = below(images, &["tasks", id.as_str()]);
        let value: Value = self
            .session
            .read("show task", Method::GET, &url, |reply| match reply.status {
                200 => reply.json(),
                404 => Err(refusal(&reply, format!("Rackspace does not know the task {id} in {region}"))
                    .hint("a task is forgotten 48 h after its end, which does not mean that it failed; see whether the object is there: swift stat CONTAINER IMAGE.vhd")),
                _ => Err(refusal(&reply, format!("The task {id} cannot be looked at"))),
            })
            .await?;
        if let Some(kind) = value["type"].as_str().filter(|kind| *kind != tasks::EXPORT) {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "The task {id} is of the type '{}', not an export",
                    clean(kind)
                ),
            ));
        }
        // Where the object is matters only at the end, and a failure to find out must not hide the end.
        let files = match (value["status"].as_str(), value["owner"].as_str()) {
            (Some("success"), owner) => self.session.base(Service::Files, owner).await.ok(),
            _ => None,
        };
        let is_complete = value["status"].is_string();
        let is_asked_for = |task: &Task| task.id.as_str().eq_ignore_ascii_case(id.as_str());
        wire::task(&value, region, files.as_ref())
            .filter(|task| is_complete && is_asked_for(task))
            .ok_or_else(|| {
                Error::new(
                    Kind::Provider,
                    format!("The reply to show task is not the task {id}"),
                )
                .cause(
                    clean(&redact_json(&value).to_string())
                        .chars()
                        .take(200)
                        .collect::<String>(),
                )
                .hint("check that the endpoint is right (-v shows it)")
            })
    }
}

/// Exactly the members the API takes: an unknown one is refused, and a null one breaks it.
fn export_body(request: &ExportRequest) -> Value {
    let container = container_of(request).unwrap_or_default();
    json!({
        "type": tasks::EXPORT,
        "input": {"image_uuid": request.snapshot, "receiving_swift_container": container},
    })
}

fn container_of(request: &ExportRequest) -> Result<&str> {
    match &request.target {
        Target::CloudFiles { container } => Ok(container),
        _ => Err(Error::usage(
            "A Rackspace image can only be exported to a Cloud Files container",
        )),
    }
}

fn container_problem(container: &str) -> Option<Error> {
    if let Some(problem) = name_problem("container's name", container, LONGEST_CONTAINER) {
        return Some(problem);
    }
    if container.contains(['/', '?', '.']) {
        return Some(Error::usage(format!(
            "The container's name '{}' is not allowed: an export's container must have no '/', '?' or '.' in its name",
            clean(container)
        )));
    }
    let encoded: usize = container
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => 1,
            _ => 3,
        })
        .sum();
    (encoded > LONGEST_CONTAINER).then(|| {
        Error::usage(format!(
            "The container's name is {encoded} bytes long once encoded for a URL; the longest allowed is {LONGEST_CONTAINER}"
        ))
    })
}

/// Nothing identifies a start to the cloud, so after a lost answer only a look at its tasks helps.
fn of_start(error: Error, request: &ExportRequest) -> Error {
    let error = error.of_start();
    if error.kind != Kind::MaybeStarted {
        return error;
    }
    error
        .context(format!(
            "It is not known whether the export of the image {} was started",
            request.snapshot
        ))
        .hint("snapexport status --remote lists what the cloud runs; a second start would fail, as the object's name is taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_names_are_refused_with_the_rule() {
        for (name, rule) in [
            ("exports", None),
            ("my exports-2_b~", None),
            ("größe", None),
            ("", Some("empty")),
            ("a/b", Some("'/', '?' or '.'")),
            ("a?b", Some("'/', '?' or '.'")),
            ("v1.2", Some("'/', '?' or '.'")),
            ("..", Some("'/', '?' or '.'")),
            ("a\nb", Some("control character")),
            (&"x".repeat(256), None),
            (&"x".repeat(257), Some("256")),
            (&"ü".repeat(43), Some("258 bytes long once encoded")),
        ] {
            let problem = container_problem(name);
            assert_eq!(problem.is_some(), rule.is_some(), "{name}");
            if let (Some(problem), Some(rule)) = (problem, rule) {
                assert_eq!(problem.kind, Kind::Usage, "{name}");
                assert!(problem.message.contains(rule), "{problem}");
            }
        }
    }

    #[test]
    fn a_uuid_may_be_one_of_ours() {
        assert_eq!(
            (ENTRY.shape)("cc59c7d3-c056-47b2-a9f2-8e1525695bbb"),
            Shape::Possible
        );
        assert_eq!((ENTRY.shape)("snap-export-12345678"), Shape::No);
    }
}
