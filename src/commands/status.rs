//! `snapexport status`: show tasks once. It reports and does not judge.

use clap::ValueEnum;
use jiff::Timestamp;

use super::filter::{Filter, say_left_out, say_nothing_matches};
use super::reference::{self, Asked, Named, typed_form};
use super::{Ending, Tally, list, near, nothing_to_do, remote, settle, words_or_none};
use crate::commands::context::Context;
use crate::error::{Error, Hint, Kind, Result};
use crate::journal::Journal;
use crate::options::{Asking, Output};
use crate::poll;
use crate::provider::{self, Entry};
use crate::report::Printer;
use crate::suggest;
use crate::task::{State, Task, TaskObject};

/// Tasks that ended longer ago are shown only with `--all`.
const RECENT: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport status
  snapexport status snap-export-12345678 -o json | jq .progress
  snapexport status --state failed --newer-than 2d
  snapexport status --remote --provider lightsail --name 'web-*'

Exits 0 also for a failed task: only wait turns an outcome into an exit code.")]
pub struct Args {
    /// The tasks; without any, those you started that are under way or ended within a week. - reads them from standard input
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,
    /// Show every task you ever started; a filter by age does so too
    #[arg(long, conflicts_with = "tasks")]
    pub all: bool,
    /// Show only those that have not ended
    #[arg(long, conflicts_with = "all")]
    pub running: bool,
    /// Show what the clouds have, of every cloud with credentials
    #[arg(long, conflicts_with_all = ["tasks", "all"])]
    pub remote: bool,
    /// With -: an empty standard input is nothing to show (exit code 0), not an error
    #[arg(long, requires = "tasks")]
    pub allow_empty: bool,
    /// Only tasks of these clouds; with --remote no other is asked. Repeat, or separate by commas
    #[arg(
        long,
        value_name = "PROVIDER",
        value_delimiter = ',',
        value_parser = list::provider_names(),
        help_heading = "Filters"
    )]
    pub provider: Vec<String>,
    /// Only tasks in one of these states; repeat, or separate by commas
    #[arg(
        long,
        value_name = "STATE",
        value_delimiter = ',',
        conflicts_with = "running",
        help_heading = "Filters"
    )]
    pub state: Vec<TaskState>,
    /// Which to show.
    #[command(flatten)]
    pub filter: Filter,
    /// How long it may take.
    #[command(flatten)]
    pub asking: Asking,
}

/// The states of a task, as they can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskState {
    /// Accepted, nothing moves yet
    Pending,
    /// Under way
    Running,
    /// Under way by the provider's word, but with an error that it will not recover from
    Stalled,
    /// The artifact is there
    Completed,
    /// Ended without an artifact
    Failed,
    /// Ended by request
    Cancelled,
}

impl TaskState {
    fn fits(self, task: &Task) -> bool {
        let state = match self {
            TaskState::Pending => State::Pending,
            TaskState::Running => State::Running,
            TaskState::Stalled => State::Stalled,
            TaskState::Completed => State::Completed,
            TaskState::Failed => State::Failed,
            TaskState::Cancelled => State::Cancelled,
        };
        task.state == state
    }
}

impl Args {
    /// Whether a cloud is one of those that are asked for.
    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        self.provider.is_empty() || self.provider.iter().any(|name| name == entry.id.0)
    }

    /// Whether a task is in a state that is asked for.
    pub(super) fn has_state(&self, task: &Task) -> bool {
        let is_running = !self.running || !task.state.is_terminal();
        is_running && (self.state.is_empty() || self.state.iter().any(|state| state.fits(task)))
    }
}

/// Runs `status`.
pub(crate) async fn run(context: &Context, args: Args) -> Result<Ending> {
    if args.remote {
        return remote::run(context, &args).await;
    }
    let mut journal = context.existing_journal();
    let mut printer = context.printer(Output::Table);
    let is_listing = args.tasks.is_empty();
    let mut named = if is_listing {
        own(context, &args, &mut journal, &printer).await?
    } else {
        let Some(words) = words_or_none(context, &args.tasks, "task", args.allow_empty).await?
        else {
            return Ok(nothing_to_do(&printer, "task"));
        };
        reference::resolve_all(&words, context, &mut journal)?
    };
    let (now, total) = (Timestamp::now(), named.len());
    // Neither cloud nor name nor age changes: what does not fit need not be asked about.
    named.retain(|one| args.is_of(one.entry) && may_fit(&args.filter, one, now));
    let mut sights = sights(context, &named, journal.as_ref(), is_listing).await;
    keep_wanted(&args, &mut sights, &printer);
    if total > 0 && sights.iter().all(Option::is_none) && !args.running {
        say_nothing_matches(&printer, total);
    }
    let fallback = |index: usize| {
        named[index]
            .known
            .as_ref()
            .filter(|known| is_listing && args.has_state(&known.task))
            .map(|known| known.task.clone())
    };
    let sights = sights
        .into_iter()
        .enumerate()
        .filter_map(|(index, sight)| Some((index, sight?)));
    Ok(show(&mut printer, sights, fallback, journal.is_some()))
}

/// What this user has started, once it is known what became of starts that were left open. A journal that cannot be read is given up.
async fn own(
    context: &Context,
    args: &Args,
    journal: &mut Option<Journal>,
    printer: &Printer,
) -> Result<Vec<Named>> {
    if let Some(journal) = &journal {
        settle::settle_everywhere(context, journal, |entry| args.is_of(entry)).await;
    } else if context.has_journal() {
        return Err(unknown_starts());
    }
    let mut has_open = false;
    if let Some(journal) = &journal {
        has_open = !journal.intents().unwrap_or_default().is_empty();
    }
    let started = match started(journal.as_ref(), args.all || args.filter.has_age()) {
        Ok(started) => started,
        Err(error) => {
            let was_moved = journal
                .take()
                .is_some_and(|it| context.give_up_journal(&it, &error));
            if !was_moved {
                return Err(unknown_starts());
            }
            Vec::new()
        }
    };
    if started.is_empty() && !has_open {
        printer.note(
            Hint::say("You have started no exports from here. ")
                .and_run("snapexport status --remote")
                .and(" asks the clouds."),
        );
    }
    Ok(started)
}

/// Looks at each task, in order. A listing does not ask again about what has ended; a task that was named is looked at.
async fn sights(
    context: &Context,
    named: &[Named],
    journal: Option<&Journal>,
    is_listing: bool,
) -> Vec<Option<Result<Task>>> {
    let mut sights: Vec<Option<Result<Task>>> = named
        .iter()
        .map(|one| {
            one.ended()
                .filter(|_| is_listing && !context.with_raw())
                .map(|task| Ok(task.clone()))
        })
        .collect();
    let (open, indices): (Vec<Named>, Vec<usize>) = named
        .iter()
        .enumerate()
        .filter(|(index, _)| sights[*index].is_none())
        .map(|(index, one)| (one.clone(), index))
        .unzip();
    let (asked, errors) = reference::connect(context, open).await;
    for (position, error) in errors {
        sights[indices[position]] = Some(Err(error));
    }
    let looks = asked.iter().map(|asked| look(asked, journal));
    for (asked, slots) in asked
        .iter()
        .zip(futures_util::future::join_all(looks).await)
    {
        for ((position, _), slot) in asked.tasks.iter().zip(slots) {
            sights[indices[*position]] = Some(slot);
        }
    }
    sights
}

/// Whether a task may pass the filters by name and age, as far as the journal knows these.
fn may_fit(filter: &Filter, named: &Named, now: Timestamp) -> bool {
    let Some(known) = &named.known else {
        return true;
    };
    let mut task = known.task.clone();
    task.created_at = task.created_at.or(known.started_at);
    filter.fits_name(&task) && filter.fits_age(&task, now).unwrap_or(true)
}

/// Takes out the tasks that do not pass the filters; errors stay.
fn keep_wanted(args: &Args, sights: &mut [Option<Result<Task>>], printer: &Printer) {
    let (now, mut undated) = (Timestamp::now(), 0);
    for sight in sights {
        if let Some(Ok(task)) = sight {
            let fits_age = args.filter.fits_age(task, now);
            let passes = args.filter.fits_name(task) && args.has_state(task);
            undated += usize::from(passes && fits_age.is_none());
            if !passes || fits_age != Some(true) {
                *sight = None;
            }
        }
    }
    say_left_out(printer, undated);
}

/// An empty list would say that nothing was started.
fn unknown_starts() -> Error {
    Error::new(
        Kind::Internal,
        "What you have started from here is not known: the journal cannot be read",
    )
    .hint(Hint::say("ask the clouds: ").and_run("snapexport status --remote"))
}

/// The tasks that this user started.
fn started(journal: Option<&Journal>, all: bool) -> Result<Vec<Named>> {
    let Some(journal) = journal else {
        return Ok(Vec::new());
    };
    let since = if all {
        None
    } else {
        Timestamp::now().checked_sub(RECENT).ok()
    };
    journal
        .started(since)?
        .into_iter()
        .map(|known| {
            let entry = provider::by_name(known.task.provider.0)?;
            Ok(Named {
                entry,
                id: known.task.id.clone(),
                known: Some(known),
            })
        })
        .collect()
}

/// Looks at the tasks of one account and remembers what is new.
pub(super) async fn look(asked: &Asked, journal: Option<&Journal>) -> Vec<Result<Task>> {
    let known: Vec<Task> = asked
        .tasks
        .iter()
        .map(|(_, named)| named.task(asked.provider.as_ref()))
        .collect();
    let mut slots = match provider::look_again(asked.provider.as_ref(), &known).await {
        Ok(slots) => slots,
        Err(error) => known.iter().map(|_| Err(error.clone())).collect(),
    };
    let now = Timestamp::now();
    for (slot, known) in slots.iter_mut().zip(&known) {
        if let Ok(task) = slot {
            task.inherit(known);
            task.seen_at(now);
        }
    }
    poll::locate(asked.provider.as_ref(), &mut slots, None).await;
    let account = asked.provider.account();
    let sights: Vec<Result<Task>> = slots
        .into_iter()
        .zip(&known)
        .zip(&asked.tasks)
        .map(|((slot, known), (_, named))| match slot {
            Ok(task) => {
                let is_news = TaskObject::from(&task) != TaskObject::from(known);
                if let Some(journal) = journal.filter(|_| is_news && named.known.is_some())
                    && let Err(error) = journal.record_sight(&task, &account, now)
                {
                    tracing::info!("{}", error.one_line());
                }
                Ok(task)
            }
            Err(error) if error.kind == Kind::NotFound => {
                remembered(asked, named).ok_or_else(|| named.may_be_late(error))
            }
            Err(error) => Err(known.named_in(error)),
        })
        .collect();
    with_near_misses(asked, journal, sights).await
}

/// Adds to each task that nobody knows the one that may have been meant.
async fn with_near_misses(
    asked: &Asked,
    journal: Option<&Journal>,
    mut sights: Vec<Result<Task>>,
) -> Vec<Result<Task>> {
    let mut ids: Option<Vec<String>> = None;
    for (sight, (_, named)) in sights.iter_mut().zip(&asked.tasks) {
        if let Err(error) = sight
            && error.kind == Kind::NotFound
            && named.known.is_none()
        {
            if ids.is_none() {
                ids = Some(near::task_ids(asked.provider.as_ref(), journal).await);
            }
            let known = ids.iter().flatten().map(String::as_str);
            let hint = suggest::hint(named.id.as_str(), known);
            *error = near::first_hint(error.clone(), hint);
        }
    }
    sights
}

/// What stands in for a task the provider does not know: its end, if it was seen to end,
/// or its start, if that was so short a time ago that the provider may not list it yet.
fn remembered(asked: &Asked, named: &Named) -> Option<Task> {
    let known = named.known.as_ref()?;
    let age = Timestamp::now().duration_since(known.started_at.unwrap_or(Timestamp::MIN));
    let is_new = std::time::Duration::try_from(age).is_ok_and(|age| age < asked.may_be_missing);
    (known.task.state.is_terminal() || is_new).then(|| known.task.clone())
}

/// Prints each task, or why it cannot be shown; then what is remembered of it, marked as such.
pub(super) fn show(
    printer: &mut Printer,
    sights: impl Iterator<Item = (usize, Result<Task>)>,
    fallback: impl Fn(usize) -> Option<Task>,
    is_journaled: bool,
) -> Ending {
    let mut tally = Tally::default();
    let mut tasks = Vec::new();
    for (index, sight) in sights {
        let task = match sight {
            Ok(task) => Some(task),
            Err(error) => {
                // One cause for many tasks is said once.
                if !tally.0.contains(&error) {
                    printer.error(&error);
                }
                tally.add(error);
                fallback(index)
            }
        };
        if let Some(task) = task {
            printer.task(&task, &typed_form(&task, is_journaled));
            tasks.push(task);
        }
    }
    printer.table(&tasks, Timestamp::now());
    tally.close(printer)
}
