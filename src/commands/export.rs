//! `snapexport export`: start exports, each exactly once, and remember them.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Subcommand;
use futures_util::StreamExt;
use jiff::Timestamp;

use super::reference::{resume_command, typed_form};
use super::signals::Signals;
use super::wait::Follow;
use super::{Ending, words_or_stdin};
use crate::cli::{Output, Waiting};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::Journal;
use crate::poll::{Group, Watched};
use crate::provider::{self, Provider, TaskFilter};
use crate::secret::clean;
use crate::task::{ExportRequest, ProviderId, Target, Task, TaskId};

/// Starts under way at once. The first goes alone: refused credentials must not be sent again and again.
const SIDE_BY_SIDE: usize = 4;
/// Attempts of a start that was surely not executed.
const START_ATTEMPTS: u32 = 3;
/// The longest pause before such an attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Looks for a task whose start may have been lost, spread over the provider's visibility delay.
const SEARCHES: u32 = 4;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where from and where to.
    #[command(subcommand)]
    pub cloud: Cloud,
}

/// The clouds, each with its own target.
#[derive(Debug, Subcommand)]
pub enum Cloud {
    /// Volume snapshots to an OUTSCALE Object Storage bucket
    Outscale(Outscale),
    /// Instance or disk snapshots to Amazon EC2, as AMI or EBS snapshot
    Lightsail(Lightsail),
    /// Images to a Rackspace Cloud Files container, as VHD
    Rackspace(Rackspace),
}

/// Arguments of `export outscale`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  id=$(snapexport export outscale snap-12345678 --bucket backups) && snapexport wait \"$id\" --timeout 2h

A bucket in another account: give its key pair in OSU_ACCESS_KEY and OSU_SECRET_KEY, or name a profile with --bucket-profile.")]
pub struct Outscale {
    /// The snapshots (snap-…); - reads them from standard input
    #[arg(required = true, value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,
    /// The bucket; OUTSCALE creates it in your account if it does not exist
    #[arg(long, value_name = "NAME")]
    pub bucket: String,
    /// Format of the disk image; today the cloud takes qcow2 and raw
    #[arg(long, value_name = "FORMAT", default_value = "qcow2", value_parser = ["qcow2", "raw", "vdi", "vmdk"])]
    pub format: String,
    /// Put before the object's name as it is; end it with / for a folder
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// URL of a manifest, for the API's OsuManifestUrl
    #[arg(long, value_name = "URL")]
    pub manifest_url: Option<String>,
    /// Profile with the key pair of the bucket's account
    #[arg(long, value_name = "NAME")]
    pub bucket_profile: Option<String>,
    /// How to start.
    #[command(flatten)]
    pub starting: Starting,
}

/// Arguments of `export lightsail`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  snapexport export lightsail web-1 --wait -o json | jq -r .artifact.id")]
pub struct Lightsail {
    /// The names of instance or disk snapshots; - reads them from standard input
    #[arg(required = true, value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,
    /// How to start.
    #[command(flatten)]
    pub starting: Starting,
}

/// Arguments of `export rackspace`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  snapexport export rackspace 7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21 --container exports --wait")]
pub struct Rackspace {
    /// The images' UUIDs; - reads them from standard input
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<String>,
    /// The container, in the image's region; it must exist
    #[arg(long, value_name = "NAME")]
    pub container: String,
    /// How to start.
    #[command(flatten)]
    pub starting: Starting,
}

/// How to start, and whether to wait: the same for every cloud.
#[derive(Debug, clap::Args)]
pub struct Starting {
    /// Wait until the exports end; the exit code tells how
    #[arg(long)]
    pub wait: bool,
    /// Check what can be checked and print the request, but start nothing
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Start another export although an identical one is under way
    #[arg(long)]
    pub new: bool,
    /// How to wait, with --wait.
    #[command(flatten)]
    pub waiting: Waiting,
}

impl Cloud {
    /// What was typed, in the domain's words: the provider, what to export, the target, and how to start.
    fn into_plan(self) -> (ProviderId, Vec<String>, Target, Starting, Option<String>) {
        match self {
            Cloud::Outscale(args) => {
                let target = Target::Oos {
                    bucket: args.bucket,
                    prefix: args.prefix,
                    format: args.format,
                    manifest_url: args.manifest_url,
                };
                (
                    provider::outscale::ID,
                    args.snapshots,
                    target,
                    args.starting,
                    args.bucket_profile,
                )
            }
            Cloud::Lightsail(args) => (
                provider::lightsail::ID,
                args.snapshots,
                Target::Ec2,
                args.starting,
                None,
            ),
            Cloud::Rackspace(args) => {
                let target = Target::CloudFiles {
                    container: args.container,
                };
                (
                    provider::rackspace::ID,
                    args.images,
                    target,
                    args.starting,
                    None,
                )
            }
        }
    }
}

/// Runs `export`.
pub async fn run(context: &mut Context, args: Args) -> Result<Ending> {
    let signals = Signals::listen();
    let (id, snapshots, target, starting, bucket_profile) = args.cloud.into_plan();
    context.sources.bucket_profile = bucket_profile;
    let context = &*context;
    let entry = provider::by_name(id.0)?;
    let snapshots = words_or_stdin(&snapshots, "snapshot")?;
    let requests: Vec<ExportRequest> = snapshots
        .into_iter()
        .map(|snapshot| ExportRequest {
            snapshot,
            target: target.clone(),
        })
        .collect();
    let provider = context.connect(entry, None, None).await?;
    // All of them before the first is sent: exit code 2 means that nothing was.
    requests
        .iter()
        .try_for_each(|request| provider.validate(request))?;
    if starting.dry_run {
        return dry_run(context, provider.as_ref(), &requests).await;
    }
    let journal = open_journal(context).map(Rc::new);
    let mut follow = Follow::new(
        context,
        Output::Id,
        journal.clone(),
        false,
        starting.waiting,
    );
    let starter = Starter {
        context,
        provider: provider.as_ref(),
        journal: journal.as_deref(),
        signals: &signals,
        is_new: starting.new,
        is_refused: AtomicBool::new(false),
    };
    let mut tasks = Vec::new();
    let (first, rest) = requests.split_at(1);
    let starts = futures_util::stream::iter(first)
        .then(|request| starter.start(request))
        .chain(
            futures_util::stream::iter(rest)
                .map(|request| starter.start(request))
                .buffered(SIDE_BY_SIDE),
        );
    tokio::pin!(starts);
    while let Some(started) = starts.next().await {
        match started {
            Started::Task(task) => {
                let typed = typed_form(&task, journal.is_some());
                if !starting.wait || follow.printer.output() == Output::Id {
                    follow.printer.task(&task, &typed);
                }
                follow
                    .printer
                    .note(&started_note(context, &task, starting.wait));
                tasks.push(*task);
            }
            Started::Failed(error) => follow.failed(error),
            Started::NotSent => {}
        }
    }
    let unsent = requests.len() - tasks.len() - follow.failures();
    if unsent > 0 {
        follow.printer.note(&format!(
            "Not sent: {}",
            crate::text::count(unsent, "export")
        ));
    }
    if starting.wait && !tasks.is_empty() {
        let group = group(provider.clone(), tasks, follow.interval());
        return Ok(follow.run(vec![group], &signals).await);
    }
    if let Some(number) = signals.received() {
        return Ok(Ending::Signal(number));
    }
    Ok(follow.close_started(&tasks))
}

/// Tasks that were started just now: seen, though perhaps not yet listed.
fn group(
    provider: std::sync::Arc<dyn Provider>,
    tasks: Vec<Task>,
    interval: Option<Duration>,
) -> Group {
    let capabilities = provider.capabilities();
    let tasks = tasks
        .into_iter()
        .enumerate()
        .map(|(index, task)| Watched {
            index,
            task,
            may_be_missing: capabilities.visibility,
            is_fresh: true,
        })
        .collect();
    Group {
        provider,
        tasks,
        first_look: interval.unwrap_or(capabilities.pace_min),
    }
}

/// A journal that cannot be used must not keep anybody from exporting, but they must know.
fn open_journal(context: &Context) -> Option<Journal> {
    context.journal().unwrap_or_else(|error| {
        context.printer(Output::Id).warn(&format!(
            "{}; the export is started all the same, so note its id",
            error.one_line()
        ));
        None
    })
}

fn started_note(context: &Context, task: &Task, is_waiting: bool) -> String {
    let verb = if task.adopted {
        "Already under way, adopted"
    } else {
        "Started"
    };
    let what = task.snapshot.as_deref().unwrap_or("");
    let place = task
        .target
        .as_ref()
        .map_or_else(String::new, |target| format!(" → {target}"));
    let next = if is_waiting {
        String::new()
    } else {
        format!(
            ". Wait for it: {}",
            resume_command(context, std::iter::once(task))
        )
    };
    format!("{verb}: {what}{place} ({}){next}", task.id)
}

/// `--dry-run`: looks at everything, sends nothing.
async fn dry_run(
    context: &Context,
    provider: &dyn Provider,
    requests: &[ExportRequest],
) -> Result<Ending> {
    let mut printer = context.printer(Output::Id);
    let mut tally = super::Tally::default();
    for request in requests {
        match provider.preflight(request).await {
            Ok(warnings) => {
                warnings.iter().for_each(|warning| printer.warn(warning));
                printer.preview(&provider.preview(request));
            }
            Err(error) => {
                printer.error(&error);
                let is_refused = error.kind == Kind::Credentials;
                tally.add(error);
                if is_refused {
                    break;
                }
            }
        }
    }
    Ok(tally.close(&printer))
}

/// Our own clock stands in for the provider's; a fraction of a second would claim more than it knows.
fn to_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// What became of one start.
enum Started {
    Task(Box<Task>),
    Failed(Error),
    /// Credentials were refused before, or a signal came.
    NotSent,
}

/// Starts exports on one account.
struct Starter<'a> {
    context: &'a Context,
    provider: &'a dyn Provider,
    journal: Option<&'a Journal>,
    signals: &'a Signals,
    is_new: bool,
    is_refused: AtomicBool,
}

impl Starter<'_> {
    async fn start(&self, request: &ExportRequest) -> Started {
        if self.is_refused.load(Ordering::Relaxed) || self.signals.received().is_some() {
            return Started::NotSent;
        }
        match self.start_or_adopt(request).await {
            Ok(mut task) => {
                task.snapshot
                    .get_or_insert_with(|| request.snapshot.clone());
                task.target.get_or_insert_with(|| request.target.clone());
                let now = Timestamp::now();
                task.created_at.get_or_insert(to_seconds(now));
                self.remember(&task, now);
                Started::Task(Box::new(task))
            }
            Err(error) => {
                if error.kind == Kind::Credentials {
                    self.is_refused.store(true, Ordering::Relaxed);
                }
                Started::Failed(error)
            }
        }
    }

    /// Looks before it leaps: what cannot succeed is not sent, what is under way is not doubled.
    async fn start_or_adopt(&self, request: &ExportRequest) -> Result<Task> {
        let printer = self.context.printer(Output::Id);
        let before = self.same(request).await?;
        if !self.is_new
            && let Some(running) = before.iter().find(|task| !task.is_settled())
        {
            let mut task = running.clone();
            task.adopted = true;
            return Ok(task);
        }
        for warning in self.provider.preflight(request).await? {
            printer.warn(&warning);
        }
        if self.signals.received().is_some() {
            return Err(Error::new(
                Kind::Interrupted,
                format!("Interrupted before {} was sent", clean(&request.snapshot)),
            ));
        }
        match self.send(request).await {
            Err(error) if error.kind == Kind::MaybeStarted => {
                let known: Vec<TaskId> = before.into_iter().map(|task| task.id).collect();
                self.search(request, &known, error).await
            }
            other => other,
        }
    }

    /// One attempt; another only after one that was surely not executed.
    async fn send(&self, request: &ExportRequest) -> Result<Task> {
        let mut attempt = 1;
        loop {
            let error = match self.provider.start(request).await {
                Ok(task) => return Ok(task),
                Err(error) => error,
            };
            let pause = error
                .details
                .retry_after
                .unwrap_or(Duration::from_secs(1) * 2u32.pow(attempt - 1));
            if attempt == START_ATTEMPTS || !error.kind.is_transient() || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::info!("not started ({}), again in {pause:?}", error.one_line());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.wait() => return Err(error),
            }
            attempt += 1;
        }
    }

    /// The cloud's exports of the same snapshot to the same place. The outcome of a task is not asked here.
    async fn same(&self, request: &ExportRequest) -> Result<Vec<Task>> {
        let filter = TaskFilter {
            snapshot: Some(request.snapshot.clone()),
            since: None,
        };
        let tasks = self.provider.tasks(&filter).await?;
        Ok(tasks
            .into_iter()
            .filter(|task| {
                task.target
                    .as_ref()
                    .is_some_and(|target| target.is_same_place(&request.target))
            })
            .collect())
    }

    /// After a lost reply: the task that was not there before is ours. Never sends again.
    async fn search(
        &self,
        request: &ExportRequest,
        known: &[TaskId],
        error: Error,
    ) -> Result<Task> {
        let pause = self.provider.capabilities().visibility / SEARCHES;
        for _ in 0..=SEARCHES {
            match self.same(request).await {
                Ok(tasks) => {
                    if let Some(task) = tasks.into_iter().find(|task| !known.contains(&task.id)) {
                        return Ok(task);
                    }
                }
                Err(error) => tracing::info!("looking for the task: {}", error.one_line()),
            }
            tokio::select! {
                () = tokio::time::sleep(pause.min(self.context.interval.unwrap_or(pause) * 4)) => {}
                () = self.signals.wait() => break,
            }
        }
        Err(error
            .context(format!(
                "Whether the export of {} was started is not known",
                clean(&request.snapshot)
            ))
            .hint("it was not sent again; see what the cloud has with: snapexport status --remote"))
    }

    fn remember(&self, task: &Task, now: Timestamp) {
        let Some(journal) = self.journal else { return };
        let account = self.provider.account();
        if let Err(error) = journal.record_start(task, self.context.profile(), &account, now) {
            self.context.printer(Output::Id).warn(&format!(
                "{}; note the id {}",
                error.one_line(),
                task.id
            ));
        }
    }
}
