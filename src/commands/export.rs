//! `snapexport export`: start exports, each exactly once, and remember them.

mod cloud;
mod ready;

use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;

pub(crate) use self::cloud::Cloud;

use super::follow::Follow;
use super::reference::{resume_command, typed_form};
use super::settle::settle_left;
use super::signals::Signals;
use super::start::{Search, Starter};
use super::{Ending, near, nothing_to_do, words_or_none};
use crate::commands::context::Context;
use crate::error::{Error, Hint, Kind, Result};
use crate::options::{Output, Waiting, events_without_json};
use crate::poll::{Group, Renew, Watched};
use crate::provider::{self, Provider};
use crate::task::{ExportRequest, State, Task};

/// Starts under way at once. The first goes alone: refused credentials must not be sent again and again.
/// OUTSCALE locks a key after four refusals in a row.
const SIDE_BY_SIDE: usize = 3;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where from, what and where to, and how to start.
    #[command(subcommand)]
    pub cloud: Cloud,
}

/// How to start, and whether to wait: the same for every cloud.
#[derive(Debug, clap::Args)]
pub struct Starting {
    /// Wait until the exports end; the exit code tells how
    #[arg(long)]
    pub wait: bool,
    /// Wait first until a snapshot that is still being made can be exported; --timeout bounds that too
    #[arg(long, conflicts_with = "dry_run")]
    pub wait_for_snapshot: bool,
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

/// Runs `export`.
pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Ending> {
    let Cloud {
        entry,
        typed,
        starting,
    } = args.cloud;
    if !starting.wait && starting.waiting.is_stated() {
        return Err(Error::usage(
            "--timeout, --interval, --events and --on-done belong to waiting, and --wait is not given",
        )
        .hint("add --wait, or leave them out"));
    }
    if starting.waiting.events && context.output(Output::Id) != Output::Json {
        return Err(events_without_json());
    }
    context
        .sources
        .target_profile
        .clone_from(&typed.target_profile);
    context.sources.deadline = starting.waiting.deadline();
    let context = &*context;
    let Some(snapshots) =
        words_or_none(context, &typed.snapshots, "snapshot", starting.allow_empty).await?
    else {
        return Ok(nothing_to_do(&context.printer(Output::Id), "snapshot"));
    };
    let signals = Signals::listen();
    let mut requests: Vec<ExportRequest> = Vec::new();
    for request in snapshots
        .into_iter()
        .map(|snapshot| typed.request(snapshot))
    {
        if !requests.contains(&request) {
            requests.push(request);
        }
    }
    let provider = context.connect(entry, None, None).await?;
    // All of them before the first is sent: exit code 2 means that nothing was.
    requests
        .iter()
        .try_for_each(|request| provider.validate(request))?;
    if starting.dry_run {
        return dry_run(context, provider.as_ref(), &requests).await;
    }
    if starting.wait_for_snapshot {
        let interval = starting.waiting.interval.or(context.interval);
        let pause = interval.unwrap_or(provider.capabilities().pace_min);
        let printer = context.printer(Output::Id);
        let ready = ready::wait(provider.as_ref(), &requests, pause, &printer);
        let ready = ready::within(context.sources.deadline, ready);
        tokio::select! {
            made = ready => made?,
            () = signals.wait() => return Ok(Ending::Signal(signals.received().unwrap_or(2))),
        }
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
                follow.printer.note(started_note(
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
        follow.printer.note(format!(
            "Not sent: {}",
            crate::text::count(unsent, "export")
        ));
    }
    if starting.wait && !tasks.is_empty() {
        // A cloud may take a start and say in the same reply that it has failed: nothing is left to poll for.
        let is_over = |task: &Task| task.state == State::Failed;
        for (index, task) in tasks.iter().enumerate().filter(|(_, task)| is_over(task)) {
            follow.ended(index, task);
        }
        let renew = context.renew(entry, None, None);
        let group = group(
            provider.clone(),
            tasks
                .into_iter()
                .enumerate()
                .filter(|(_, task)| !is_over(task)),
            search.windows.may_be_missing,
            follow.interval(),
            renew,
        );
        let groups = [group].into_iter().filter(|group| !group.tasks.is_empty());
        return Ok(follow.run(groups.collect(), &signals).await);
    }
    if let Some(number) = signals.received() {
        return Ok(Ending::Signal(number));
    }
    Ok(follow.close_started(&tasks))
}

/// Tasks that were started just now: seen, though perhaps not yet listed.
fn group(
    provider: std::sync::Arc<dyn Provider>,
    tasks: impl Iterator<Item = (usize, Task)>,
    may_be_missing: Duration,
    interval: Option<Duration>,
    renew: Renew<'_>,
) -> Group<'_> {
    let capabilities = provider.capabilities();
    let tasks = tasks
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

fn started_note(context: &Context, task: &Task, is_waiting: bool, is_journaled: bool) -> Hint {
    let verb = match (task.adopted, task.state.is_terminal()) {
        (false, _) if task.state == State::Failed => "Failed at its start",
        (false, _) => "Started",
        (true, false) => "Already under way, adopted",
        (true, true) => "Already done, adopted",
    };
    let what = task.snapshot.as_deref().unwrap_or("");
    let place = provider::goal(task).map_or_else(String::new, |goal| format!(" → {}", goal.words));
    let note = Hint::say(format!("{verb}: {what}{place} ({})", task.id));
    if is_waiting || task.state.is_terminal() {
        return note;
    }
    let wait = resume_command(context, std::iter::once(task), is_journaled);
    note.and(". Wait for it: ").and_run(wait)
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
pub(crate) fn cloud_first(word: &str) -> String {
    let cloud = match provider::clouds().find(|entry| (entry.is_source)(word)) {
        Some(entry) => entry.id.0.to_owned(),
        None => provider::names().join("|"),
    };
    format!("name the cloud first: snapexport export {cloud} {word}")
}
