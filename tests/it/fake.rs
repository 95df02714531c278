//! A cloud in memory: what each look finds is written down beforehand. The only provider for which the clock may be paused.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use snapexport::error::{Error, Kind, Result};
use snapexport::provider::check::{Check, CheckRequest};
use snapexport::provider::{Batch, Capabilities, Naming, Preview, Provider, TaskFilter};
use snapexport::task::{
    Artifact, ArtifactKind, ExportRequest, Progress, ProviderId, Source, SourceKind, State, Target,
    Task, TaskId,
};

pub const ID: ProviderId = ProviderId("fake");

/// Where its exports go.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// A shelf in a warehouse.
    Shelf { shelf: String },
}

impl snapexport::provider::Destination for Destination {
    fn place(&self) -> Option<&str> {
        let Destination::Shelf { shelf } = self;
        Some(shelf)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination::Shelf { shelf } = self;
        write!(f, "shelf {shelf}")
    }
}

/// What its exports make.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// A box on a shelf.
    Box,
}

pub fn target() -> Target {
    let shelf = "a-1".to_owned();
    Target::new(&Destination::Shelf { shelf })
}

/// What one look finds.
#[derive(Clone, Debug)]
pub enum Sight {
    /// Under way, at this percentage.
    Running(u8),
    /// Ended so.
    Ended(State),
    /// An error in the task's slot.
    Slot(Kind),
    /// An error of the whole look.
    Outage(Kind),
    /// The look takes this long before it fails.
    Silence(Duration),
}

/// The cloud.
#[derive(Default)]
pub struct Fake {
    /// What the looks at each task find, in order; the last for ever.
    pub scripts: Mutex<BTreeMap<String, (Vec<Sight>, usize)>>,
    pub looks: AtomicU32,
    pub starts: AtomicU32,
    pub locates: AtomicU32,
    /// Which credentials it has.
    pub tag: u64,
    /// Asked for with every outage.
    pub retry_after: Option<Duration>,
    /// Nobody answers where the artifacts lie.
    pub is_store_silent: bool,
}

impl Fake {
    pub fn with(scripts: &[(&str, &[Sight])]) -> Self {
        let scripts = scripts
            .iter()
            .map(|(id, sights)| ((*id).to_owned(), (sights.to_vec(), 0)))
            .collect();
        Fake {
            scripts: Mutex::new(scripts),
            ..Fake::default()
        }
    }

    pub fn looks(&self) -> u32 {
        self.looks.load(Ordering::Relaxed)
    }

    fn next(&self, id: &TaskId) -> Option<Sight> {
        let mut scripts = self.scripts.lock().expect("not poisoned");
        let (sights, at) = scripts.get_mut(id.as_str())?;
        let sight = sights[(*at).min(sights.len() - 1)].clone();
        *at += 1;
        Some(sight)
    }
}

pub fn task(id: &str, state: State, progress: Progress) -> Task {
    let mut task = Task::unseen(ID, "nowhere", TaskId::from(id));
    task.snapshot = Some("disk-1".into());
    task.target = Some(target());
    task.state = state;
    task.provider_state = state.as_str().to_uppercase();
    task.progress = progress;
    if state == State::Completed {
        task.artifact = Some(Artifact {
            kind: ArtifactKind::new(&Made::Box),
            uri: format!("fake://{id}"),
            id: Some(id.to_owned()),
            format: None,
            size_bytes: None,
            snapshots: Vec::new(),
            modified_at: None,
            exact: false,
        });
    }
    if state == State::Failed {
        let why = Error::new(Kind::TaskFailed, "the disk was on fire");
        task.error = Some((&why).into());
    }
    task
}

fn unknown(id: &TaskId) -> Error {
    Error::new(Kind::NotFound, format!("There is no task {id}"))
}

#[async_trait]
impl Provider for Fake {
    fn id(&self) -> ProviderId {
        ID
    }

    fn region(&self) -> &str {
        "nowhere"
    }

    fn account(&self) -> String {
        "nobody".into()
    }

    fn credentials_tag(&self) -> u64 {
        self.tag
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: Batch::All,
            pace_min: Duration::from_secs(10),
            pace_max: Duration::from_secs(60),
            visibility: Duration::from_secs(30),
            start_pause: Duration::from_millis(200),
            naming: Naming::Ids,
        }
    }

    fn validate(&self, request: &ExportRequest) -> Result<()> {
        if request.snapshot.is_empty() {
            Err(Error::usage("The snapshot is empty"))
        } else {
            Ok(())
        }
    }

    fn preview(&self, request: &ExportRequest) -> Preview {
        Preview {
            call: "Export",
            method: "POST",
            url: "fake://".into(),
            body: request.snapshot.clone().into(),
        }
    }

    async fn check(&self, asked: &CheckRequest<'_>) -> Vec<Check> {
        let is_there = |shelf| Check::ok("shelf", format!("{shelf} is there"));
        asked.place.map(is_there).into_iter().collect()
    }

    async fn preflight(&self, requests: &[ExportRequest]) -> Result<Vec<Result<Vec<String>>>> {
        let check = |request: &ExportRequest| match request.snapshot.as_str() {
            "missing" => Err(Error::new(Kind::NotFound, "There is no snapshot missing")),
            _ => Ok(Vec::new()),
        };
        Ok(requests.iter().map(check).collect())
    }

    async fn start(&self, request: &ExportRequest) -> Result<Task> {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let id = format!("fake-{number}");
        let end = if request.snapshot == "broken" {
            State::Failed
        } else {
            State::Completed
        };
        let script = vec![Sight::Running(0), Sight::Running(50), Sight::Ended(end)];
        self.scripts
            .lock()
            .expect("not poisoned")
            .insert(id.clone(), (script, 0));
        let mut task = task(&id, State::Pending, Progress::Percent(0));
        task.snapshot = Some(request.snapshot.clone());
        task.target = Some(request.target.clone());
        Ok(task)
    }

    async fn look(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let mut slots = Vec::new();
        for id in ids {
            slots.push(match self.next(id) {
                None => Err(unknown(id)),
                Some(Sight::Running(percent)) => Ok(task(
                    id.as_str(),
                    State::Running,
                    Progress::Percent(percent),
                )),
                Some(Sight::Ended(state)) => Ok(task(id.as_str(), state, Progress::Percent(100))),
                Some(Sight::Slot(kind)) => Err(Error::new(kind, format!("{id} cannot be seen"))),
                Some(Sight::Outage(kind)) => {
                    return Err(Error::new(kind, "the cloud cannot be reached")
                        .retry_after(self.retry_after));
                }
                Some(Sight::Silence(time)) => {
                    tokio::time::sleep(time).await;
                    return Err(Error::new(Kind::Network, "the cloud says nothing"));
                }
            });
        }
        Ok(slots)
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let _ = filter;
        let scripts = self.scripts.lock().expect("not poisoned");
        Ok(scripts
            .keys()
            .map(|id| task(id, State::Running, Progress::Percent(1)))
            .collect())
    }

    async fn cancel(&self, id: &TaskId) -> Result<()> {
        let mut scripts = self.scripts.lock().expect("not poisoned");
        let script = scripts.get_mut(id.as_str()).ok_or_else(|| unknown(id))?;
        *script = (vec![Sight::Ended(State::Cancelled)], 0);
        Ok(())
    }

    async fn exportable(&self) -> Result<Vec<Source>> {
        Ok(vec![Source {
            schema: 1,
            provider: ID,
            region: "nowhere".into(),
            id: "disk-1".into(),
            name: None,
            kind: SourceKind::DiskSnapshot,
            state: "completed".into(),
            provider_state: "completed".into(),
            size_bytes: None,
            created_at: None,
            exportable: true,
            reason: None,
            tags: BTreeMap::new(),
        }])
    }

    async fn locate(&self, tasks: &[Task]) -> Vec<Result<Artifact>> {
        if self.is_store_silent {
            std::future::pending::<()>().await;
        }
        self.locates.fetch_add(1, Ordering::Relaxed);
        let locate = |task: &Task| {
            let artifact = task.artifact.clone().ok_or_else(|| unknown(&task.id))?;
            Ok(Artifact {
                exact: true,
                size_bytes: Some(1),
                ..artifact
            })
        };
        tasks.iter().map(locate).collect()
    }
}
