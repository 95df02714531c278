//! `snapexport export`: start exports, each exactly once, and remember them.

use std::rc::Rc;
use std::time::Duration;

use clap::Subcommand;
use futures_util::StreamExt;

use super::follow::Follow;
use super::reference::{resume_command, typed_form};
use super::settle::settle_left;
use super::signals::Signals;
use super::start::{Search, Starter};
use super::{Ending, near, nothing_to_do, words_or_none};
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::options::{Output, Waiting};
use crate::poll::{Group, Renew, Watched};
use crate::provider::{self, Provider};
use crate::task::{ExportRequest, ProviderId, Target, Task};

/// Starts under way at once. The first goes alone: refused credentials must not be sent again and again.
/// OUTSCALE locks a key after four refusals in a row.
const SIDE_BY_SIDE: usize = 3;

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
    /// With -: an empty standard input is nothing to do (exit code 0), not an error
    #[arg(long)]
    pub allow_empty: bool,
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
    if !starting.wait && starting.waiting.is_stated() {
        return Err(Error::usage(
            "--timeout, --interval, --events and --on-done belong to waiting, and --wait is not given",
        )
        .hint("add --wait, or leave them out"));
    }
    context.sources.bucket_profile = bucket_profile;
    let context = &*context;
    let entry = provider::by_name(id.0)?;
    let Some(snapshots) = words_or_none(&snapshots, "snapshot", starting.allow_empty)? else {
        return Ok(nothing_to_do(&context.printer(Output::Id), "snapshot"));
    };
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
    let journal = context
        .journal("the export is started all the same, so note its id; whether the same was begun before is not known")
        .map(Rc::new);
    let mut follow = Follow::new(
        context,
        Output::Id,
        journal.clone(),
        false,
        starting.waiting,
    );
    let search = Search::new(context, provider.as_ref(), journal.as_deref());
    settle_left(context, &search, &requests).await;
    let starter = Starter::new(context, search, &signals, starting.new);
    let mut tasks = Vec::new();
    let (first, rest) = requests.split_at(1);
    let starts = futures_util::stream::iter(first)
        .then(|request| starter.start(request))
        .chain(
            futures_util::stream::iter(rest)
                .map(|request| starter.start(request))
                .buffered(SIDE_BY_SIDE),
        );
    // They come in the order of the requests.
    let starts = starts.zip(futures_util::stream::iter(&requests));
    tokio::pin!(starts);
    while let Some((started, request)) = starts.next().await {
        match started {
            Ok(task) => {
                let typed = typed_form(&task, journal.is_some());
                if !starting.wait || follow.printer.output() == Output::Id {
                    follow.printer.task(&task, &typed);
                }
                follow.printer.note(&started_note(
                    context,
                    &task,
                    starting.wait,
                    journal.is_some(),
                ));
                tasks.push(task);
            }
            Err(error) if error.kind == Kind::Interrupted => {}
            Err(error) => {
                follow.failed(near::with_source(provider.as_ref(), &request.snapshot, error).await)
            }
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
        let renew = context.renew(entry, None, None);
        let group = group(
            provider.clone(),
            tasks,
            search.windows.may_be_missing,
            follow.interval(),
            renew,
        );
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
    may_be_missing: Duration,
    interval: Option<Duration>,
    renew: Renew<'_>,
) -> Group<'_> {
    let capabilities = provider.capabilities();
    let tasks = tasks
        .into_iter()
        .enumerate()
        .map(|(index, task)| Watched {
            index,
            task,
            may_be_missing,
            is_fresh: true,
        })
        .collect();
    Group {
        provider,
        tasks,
        first_look: interval.unwrap_or(capabilities.pace_min),
        renew: Some(renew),
    }
}

fn started_note(context: &Context, task: &Task, is_waiting: bool, is_journaled: bool) -> String {
    let verb = match (task.adopted, task.state.is_terminal()) {
        (false, _) => "Started",
        (true, false) => "Already under way, adopted",
        (true, true) => "Already done, adopted",
    };
    let what = task.snapshot.as_deref().unwrap_or("");
    let place = task
        .target
        .as_ref()
        .map_or_else(String::new, |target| format!(" → {target}"));
    let next = if is_waiting || task.state.is_terminal() {
        String::new()
    } else {
        format!(
            ". Wait for it: {}",
            resume_command(context, std::iter::once(task), is_journaled)
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
    let mut has_shown = false;
    for request in requests {
        match provider.preflight(request).await {
            Ok(warnings) => {
                warnings.iter().for_each(|warning| printer.warn(warning));
                printer.preview(&provider.preview(request));
                has_shown = true;
            }
            Err(error) => {
                let error = near::with_source(provider, &request.snapshot, error).await;
                printer.error(&error);
                let is_refused = error.kind == Kind::Credentials;
                tally.add(error);
                if is_refused {
                    break;
                }
            }
        }
    }
    if has_shown {
        printer.note("Checked; nothing was started.");
    }
    Ok(tally.close(&printer))
}

/// The tip for a word that stands where the cloud belongs: the cloud whose ids look like it.
pub fn cloud_first(word: &str) -> String {
    let is_volume_snapshot = word
        .strip_prefix("snap-")
        .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let cloud = if is_volume_snapshot {
        provider::outscale::ID.0.to_owned()
    } else if provider::is_uuid(word) {
        provider::rackspace::ID.0.to_owned()
    } else {
        let names: Vec<&str> = provider::REGISTRY.iter().map(|entry| entry.id.0).collect();
        names.join("|")
    };
    format!("name the cloud first: snapexport export {cloud} {word}")
}
