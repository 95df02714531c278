//! `snapexport export`: start exports, each exactly once, and remember them.

mod cloud;
mod dry_run;
mod ready;

use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;

pub(crate) use self::cloud::Cloud;

use super::follow::Follow;
use super::homing::{self, Homing};
use super::reference::{resume_command, typed_form};
use super::settle::settle_left;
use super::signals::Signals;
use super::start::{Search, Started, Starter, Wish};
use super::{Ending, Tally, near, nothing_to_do, words_or_none};
use crate::commands::context::Context;
use crate::error::{Error, Hint, Kind, Reason, Result, shell_word};
use crate::options::{Output, Waiting, events_without_json};
use crate::poll::{Group, Renew, Watched};
use crate::provider::{self, Entry, Provider};
use crate::secret::clean;
use crate::task::{ExportRequest, State, Task, TaskObject};

/// Starts under way at once. The first goes alone: refused credentials must not be sent again and again.
/// OUTSCALE locks a key after four refusals in a row.
const SIDE_BY_SIDE: usize = 5;

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
    /// Leave out what was exported to the same place before, as far as the journal or the cloud knows
    #[arg(long)]
    pub skip_exported: bool,
    /// With -: an empty standard input is nothing to do (exit code 0), not an error
    #[arg(long)]
    pub allow_empty: bool,
    /// Wait, and fetch what each export made as soon as it ends: to a folder, or one alone to a file
    #[arg(long, value_name = "PATH", conflicts_with = "dry_run")]
    pub fetch: Option<PathBuf>,
    /// With --fetch: so many at once
    #[arg(long, value_name = "N", default_value_t = 2, requires = "fetch", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub fetch_parallel: u8,
    /// How to wait, with --wait; --timeout bounds the starts too.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Runs `export`.
pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Ending> {
    let Cloud {
        entry,
        typed,
        mut starting,
    } = args.cloud;
    if let Some(to) = &starting.fetch {
        homing::check(to)?;
        starting.wait = true;
    }
    if !starting.wait && starting.waiting.is_stated() {
        return Err(Error::usage(
            "--interval, --events and --on-done belong to waiting, and --wait is not given",
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
    context.sources.deadline = starting.waiting.timeout.deadline();
    let context = &*context;
    // Before anything is asked. A dry run too: it tells what the export would do.
    context.believe_journal_or_stop()?;
    let words = words_or_none(context, &typed.snapshots, "snapshot", starting.allow_empty);
    let Some(snapshots) = words.await.map_err(before_any_start)? else {
        return Ok(nothing_to_do(&context.printer(Output::Id), "snapshot"));
    };
    let mut seen = HashSet::new();
    let requests: Vec<ExportRequest> = snapshots
        .into_iter()
        .map(|snapshot| typed.request(snapshot))
        // One and the same id can be spelt in several ways.
        .filter(|request| seen.insert(request.snapshot.clone()))
        .collect();
    let provider = match context.connect(entry, None, None).await {
        Ok(provider) => provider,
        Err(error) => return Ok(none_started(context, entry, &requests, error)),
    };
    // All of them before the first is sent: exit code 2 means that nothing was.
    if let Some(ending) = refused(context, provider.as_ref(), &requests) {
        return Ok(ending);
    }
    if starting.dry_run {
        let dry = dry_run::run(
            context,
            provider.as_ref(),
            &requests,
            starting.skip_exported,
        );
        return ready::within(context.sources.deadline, dry).await;
    }
    if starting.wait_for_snapshot {
        let interval = starting.waiting.interval.or(context.interval);
        let pause = interval.unwrap_or(provider.capabilities().pace_min);
        let printer = context.printer(Output::Id);
        let deadline = context.sources.deadline;
        let ready = ready::wait(provider.as_ref(), &requests, pause, &printer, deadline);
        if let Err(error) = ready.await {
            return Ok(none_started(context, entry, &requests, error));
        }
    }
    let journal = context
        .journal("the export is started all the same, so note its id; whether the same was begun before is not known")?
        .map(Rc::new);
    let wish = Wish {
        is_new: starting.new,
        skips_exported: starting.skip_exported,
        limit: starting.waiting.timeout,
        deadline: context.sources.deadline,
    };
    let mut follow = Follow::new(
        context,
        Output::Id,
        journal.clone(),
        false,
        starting.waiting,
    );
    let search = Search::new(context, provider.as_ref(), journal.as_deref());
    settle_left(context, &search, &requests).await;
    // Until here a signal ends the process at once, and may.
    let signals = Signals::listen();
    let at_once = starting.fetch_parallel.into();
    let homing = starting
        .fetch
        .map(|to| Homing::new(to, (requests.len(), at_once), &signals));
    follow.homing = homing.transpose()?;
    let starter = tokio::select! {
        starter = Starter::of(context, search, &signals, wish, &requests) => starter,
        () = signals.wait() => return Ok(interrupted(&signals)),
    };
    let sources = near::Sources::of(provider.as_ref());
    let start = async |index: usize| {
        let request = &requests[index];
        let started = match starter.start(request).await {
            Started::Failed(error) => Started::Failed(tokio::select! {
                error = sources.hint(&request.snapshot, error.clone()) => error,
                () = signals.wait() => error,
            }),
            started => started,
        };
        (index, started)
    };
    let starts = futures_util::stream::iter(0..1).then(&start).chain(
        futures_util::stream::iter(1..requests.len())
            .map(&start)
            .buffer_unordered(SIDE_BY_SIDE),
    );
    tokio::pin!(starts);
    let (mut tasks, mut unsent) = (Vec::new(), 0);
    while let Some((index, started)) = starts.next().await {
        let error = match started {
            Started::Task(task) => {
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
                tasks.push((index, *task));
                continue;
            }
            Started::LeftOut => continue,
            Started::NotSent(error) => {
                unsent += 1;
                error
            }
            Started::Failed(error) => error,
        };
        let (item, error) = failure(provider.as_ref(), &requests[index], error);
        follow.failed_item(item, error);
    }
    if unsent > 0 {
        follow.printer.note(format!(
            "Not sent: {}",
            crate::text::count(unsent, "export")
        ));
    }
    tasks.sort_by_key(|(index, _)| *index);
    let tasks: Vec<Task> = tasks.into_iter().map(|(_, task)| task).collect();
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
    if signals.received().is_some() {
        return Ok(interrupted(&signals));
    }
    Ok(follow.close_started(&tasks))
}

fn interrupted(signals: &Signals) -> Ending {
    Ending::Signal(signals.received().unwrap_or(2))
}

/// Where time ran out, nothing was started that could be waited for.
fn before_any_start(error: Error) -> Error {
    match error.kind {
        Kind::Timeout => error.because(Reason::NothingStarted),
        _ => error,
    }
}

/// An export that failed, as a line of its own, and its error, which names it.
fn failure(provider: &dyn Provider, request: &ExportRequest, error: Error) -> (TaskObject, Error) {
    let snapshot = &request.snapshot;
    let error = before_any_start(error).naming(snapshot, || {
        format!("The export of {} was not started", clean(snapshot))
    });
    let item = TaskObject::not_started(provider.id(), provider.region(), request, &error);
    (item, error)
}

/// Nobody can be asked: no export is tried.
fn none_started(
    context: &Context,
    entry: &Entry,
    requests: &[ExportRequest],
    error: Error,
) -> Ending {
    let error = before_any_start(error);
    let mut printer = context.printer(Output::Id);
    let region = context.sources.region.as_ref();
    let region = region.map_or("", |(region, _)| region.as_str());
    let mut tally = Tally::default();
    for request in requests {
        printer.failed_item(TaskObject::not_started(entry.id, region, request, &error));
    }
    printer.error(&error);
    tally.add(error);
    tally.close(&printer)
}

/// Says of each export that cannot be right why not. Then nothing is sent.
fn refused(
    context: &Context,
    provider: &dyn Provider,
    requests: &[ExportRequest],
) -> Option<Ending> {
    let mut printer = context.printer(Output::Id);
    let mut tally = Tally::default();
    for request in requests {
        if let Err(error) = provider.validate(request) {
            let (item, error) = failure(provider, request, error);
            printer.failed_item(item);
            printer.error(&error);
            tally.add(error);
        }
    }
    if tally.0.is_empty() {
        return None;
    }
    if tally.0.len() < requests.len() {
        printer.note("Nothing was sent, not for the others either.");
    }
    Some(tally.close(&printer))
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

/// The tip for a word that stands where the cloud belongs: the cloud whose ids look like it.
pub(crate) fn cloud_first(word: &str) -> String {
    let cloud = match provider::clouds().find(|entry| (entry.is_source)(word)) {
        Some(entry) => entry.id.0.to_owned(),
        None => provider::names().join("|"),
    };
    let word = shell_word(word);
    format!("name the cloud first: snapexport export {cloud} {word}")
}
