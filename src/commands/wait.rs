//! `snapexport wait`: block until tasks end; the exit code tells how.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::follow::Follow;
use super::homing::{self, Homing};
use super::reference::{self, Asked, Named};
use super::signals::Signals;
use super::{Ending, nothing_to_do, words_or_none};
use crate::commands::context::Context;
use crate::error::Result;
use crate::options::{Output, Waiting, events_without_json};
use crate::pace::limit;
use crate::poll::{Group, Watched};
use crate::task::Task;

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport wait snap-export-12345678 --timeout 2h
  snapexport status --running -q | snapexport wait - --any
  snapexport wait lightsail/5a1c2b3d-… -o json | jq -r .artifact.id

  snapexport status --running -q | snapexport wait - --fetch backups/

  snapexport wait snap-export-12345678 --on-done 'notify-send \"$SNAPEXPORT_SNAPSHOT: $SNAPEXPORT_STATE\"'

A wait never cancels an export. Exit code 0: all completed; 3: one failed; 124: time ran out.

The --on-done command is run by sh (cmd on Windows). It gets SNAPEXPORT_TASK_ID, SNAPEXPORT_TASK_REGION and, with the same beginning, PROVIDER, SNAPSHOT, STATE, PROVIDER_STATE, PERCENT, ARTIFACT_URI, ARTIFACT_ID, ERROR_KIND and ERROR_MESSAGE, empty where unknown. What it prints goes to standard error. If it fails there is a warning; the exit code stays that of the exports. It is not run for tasks that go on: after --timeout, --any or Ctrl-C. With --timeout, one that still runs a moment after it is left to itself.

SIGUSR1 (Ctrl-T where the system has it) prints where things stand.")]
pub struct Args {
    /// The tasks: the provider's ids, qualified (lightsail/ID) where a bare one is ambiguous; - reads them from standard input
    #[arg(required = true, value_name = "TASK")]
    pub tasks: Vec<String>,
    /// Return at the first task that ends
    #[arg(long)]
    pub any: bool,
    /// With -: an empty standard input is nothing to wait for (exit code 0), not an error
    #[arg(long)]
    pub allow_empty: bool,
    /// Fetch what each export made as soon as it ends: to a folder, or one alone to a file
    #[arg(long, value_name = "PATH")]
    pub fetch: Option<PathBuf>,
    /// With --fetch: so many at once
    #[arg(long, value_name = "N", default_value_t = 2, requires = "fetch", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub fetch_parallel: u8,
    /// How to wait.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Runs `wait`.
pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Ending> {
    if args.waiting.events && context.output(Output::Table) != Output::Json {
        return Err(events_without_json());
    }
    context.sources.deadline = args.waiting.timeout.deadline();
    let context = &*context;
    let mut journal = context.existing_journal();
    let Some(words) = words_or_none(context, &args.tasks, "task", args.allow_empty).await? else {
        return Ok(nothing_to_do(&context.printer(Output::Table), "task"));
    };
    let signals = Signals::listen();
    let named = reference::resolve_all(&words, context, &mut journal)?;
    if let Some(to) = &args.fetch {
        homing::check(to)?;
    }
    let homing = args
        .fetch
        .clone()
        .map(|to| Homing::new(to, (named.len(), args.fetch_parallel.into()), &signals));
    let homing = homing.transpose()?;
    let journal = journal.map(Rc::new);
    let mut follow = Follow::new(context, Output::Table, journal, args.any, args.waiting);
    follow.homing = homing;
    let mut open = Vec::new();
    for (index, one) in named.into_iter().enumerate() {
        // What is to be fetched, its cloud is asked for.
        let is_known = |task: &&Task| args.fetch.is_none() && is_complete(context, task);
        match one.ended().filter(is_known) {
            // Ended is ended: nobody needs to be asked again.
            Some(task) => follow.ended(index, task),
            None => open.push((index, one)),
        }
    }
    if args.any && follow.has_settled() {
        return Ok(follow.run(Vec::new(), &signals).await);
    }
    let (indices, named): (Vec<usize>, Vec<Named>) = open.into_iter().unzip();
    let known: Vec<Task> = named.iter().map(|one| one.remembered("")).collect();
    let (asked, errors) = reference::connect(context, named).await;
    for (position, error) in errors {
        follow.lost(&known[position], error);
    }
    let groups = asked
        .into_iter()
        .map(|asked| group(context, asked, &indices))
        .collect();
    Ok(follow.run(groups, &signals).await)
}

/// Whether the journal knows all that is asked for: the provider's own words, and where the artifact really is, it may not.
fn is_complete(context: &Context, task: &Task) -> bool {
    let is_derived = task
        .artifact
        .as_ref()
        .is_some_and(|artifact| !artifact.exact);
    !context.with_raw() && !is_derived
}

/// What is waited for in one account. A task that this user has only just started may not be listed yet.
pub(super) fn group<'c>(context: &'c Context, asked: Asked, indices: &[usize]) -> Group<'c> {
    let visibility = asked.may_be_missing;
    let now = Timestamp::now();
    let tasks = asked
        .tasks
        .iter()
        .map(|(position, named)| {
            let age = named
                .known
                .as_ref()
                .and_then(|known| Duration::try_from(now.duration_since(known.started_at?)).ok());
            let task = named.task(asked.provider.as_ref());
            // One that the journal knows to be under way is not gone at the first poll that lacks it.
            let least = match task.state.is_terminal() || task.provider_state.is_empty() {
                true => Duration::ZERO,
                false => limit(visibility),
            };
            let new = age.map_or(Duration::ZERO, |age| visibility.saturating_sub(age));
            Watched {
                index: indices[*position],
                task,
                may_be_missing: new.max(least),
                is_fresh: false,
            }
        })
        .collect();
    let first = &asked.tasks[0].1;
    let known = first.known.as_ref();
    let renew = context.renew(
        first.entry,
        known.and_then(|known| known.profile.clone()),
        known.map(|known| known.task.region.clone()),
    );
    Group {
        provider: asked.provider,
        tasks,
        first_look: Duration::ZERO,
        renew: Some(renew),
    }
}
