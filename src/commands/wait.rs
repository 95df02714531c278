//! `snapexport wait`: block until tasks end; the exit code tells how.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::reference::{self, Asked, Named, resume_command, typed_form};
use super::signals::Signals;
use super::{Ending, Tally, near, nothing_to_do, words_or_none};
use crate::cli::{Limit, Output, Waiting};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::Journal;
use crate::poll::{self, End, Event, Group, Outcome, Watched};
use crate::report::Printer;
use crate::task::{ProviderId, State, Task, TaskId};
use crate::text;

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport wait snap-export-12345678 --timeout 2h
  snapexport status --running -q | snapexport wait - --any
  snapexport wait lightsail/5a1c2b3d-… -o json | jq -r .artifact.id

A wait never cancels an export. Exit code 0: all completed; 3: one failed; 124: time ran out.")]
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
    /// How to wait.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Runs `wait`.
pub async fn run(context: &Context, args: Args) -> Result<Ending> {
    let signals = Signals::listen();
    let mut journal = context.existing_journal();
    let Some(words) = words_or_none(&args.tasks, "task", args.allow_empty)? else {
        return Ok(nothing_to_do(&context.printer(Output::Table), "task"));
    };
    let named = reference::resolve_all(&words, context, &mut journal)?;
    let journal = journal.map(Rc::new);
    let mut follow = Follow::new(context, Output::Table, journal, args.any, args.waiting);
    let mut open = Vec::new();
    for (index, one) in named.into_iter().enumerate() {
        match one.ended().filter(|task| is_complete(context, task)) {
            // Ended is ended: nobody needs to be asked again.
            Some(task) => follow.ended(index, task),
            None => open.push((index, one)),
        }
    }
    if args.any && follow.has_settled() {
        return Ok(follow.close(Vec::new(), End::AnyDone, &signals));
    }
    let (indices, named): (Vec<usize>, Vec<Named>) = open.into_iter().unzip();
    let (asked, errors) = reference::connect(context, named).await;
    for (_, error) in errors {
        follow.failed(error);
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
fn group<'c>(context: &'c Context, asked: Asked, indices: &[usize]) -> Group<'c> {
    let visibility = asked.provider.capabilities().visibility;
    let now = Timestamp::now();
    let tasks = asked
        .tasks
        .iter()
        .map(|(position, named)| {
            let age = named
                .known
                .as_ref()
                .and_then(|known| Duration::try_from(now.duration_since(known.started_at?)).ok());
            Watched {
                index: indices[*position],
                task: named.task(asked.provider.as_ref()),
                may_be_missing: age.map_or(Duration::ZERO, |age| visibility.saturating_sub(age)),
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

/// Follows tasks to their end, prints and remembers what happens: the common part of `wait` and `export --wait`.
pub struct Follow<'c> {
    context: &'c Context,
    /// Prints what happens.
    pub printer: Printer,
    /// What went wrong so far.
    tally: Tally,
    journal: Option<Rc<Journal>>,
    waiting: Waiting,
    is_any: bool,
    /// The ids were printed when the tasks were started.
    ids_are_printed: bool,
    tasks: Vec<(usize, Task)>,
    afterwards: Vec<String>,
}

impl<'c> Follow<'c> {
    /// Ready to follow.
    pub fn new(
        context: &'c Context,
        default_output: Output,
        journal: Option<Rc<Journal>>,
        is_any: bool,
        waiting: Waiting,
    ) -> Self {
        Follow {
            context,
            printer: context.printer(default_output),
            tally: Tally::default(),
            journal,
            waiting,
            is_any,
            ids_are_printed: default_output == Output::Id,
            tasks: Vec::new(),
            afterwards: Vec::new(),
        }
    }

    /// A task that had ended before.
    fn ended(&mut self, index: usize, task: &Task) {
        self.print(task);
        self.tasks.push((index, task.clone()));
        self.judge(task);
    }

    /// How many errors there were so far.
    pub fn failures(&self) -> usize {
        self.tally.0.len()
    }

    /// The pace that was asked for.
    pub fn interval(&self) -> Option<Duration> {
        self.waiting.interval.or(self.context.interval)
    }

    /// Ends without waiting, after starts.
    pub fn close_started(mut self, tasks: &[Task]) -> Ending {
        self.printer.table(tasks, Timestamp::now());
        self.tally.close(&self.printer)
    }

    fn has_settled(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// A task about which nothing can be learned.
    pub fn failed(&mut self, error: Error) {
        // What is the same for many is said once.
        if !self.tally.0.contains(&error) {
            self.printer.error(&error);
        }
        self.tally.add(error);
    }

    /// Adds the task that may have been meant by one that nobody knows.
    fn with_near_miss(&self, id: Option<&(ProviderId, TaskId)>, error: Error) -> Error {
        match id {
            Some((provider, id)) if error.kind == Kind::NotFound => {
                near::with_journaled(self.journal.as_deref(), Some(*provider), id.as_str(), error)
            }
            _ => error,
        }
    }

    /// Waits for the groups and closes.
    pub async fn run(mut self, groups: Vec<Group<'_>>, signals: &Signals) -> Ending {
        let options = poll::Options {
            timeout: match self.waiting.timeout {
                Limit::None => None,
                Limit::After(limit) => Some(limit),
            },
            interval: self.interval(),
            any: self.is_any,
        };
        let aftermath: Vec<_> = groups.iter().map(|group| group.provider.clone()).collect();
        let accounts: Vec<(usize, String)> = groups
            .iter()
            .flat_map(|group| {
                group
                    .tasks
                    .iter()
                    .map(|task| (task.index, group.provider.account()))
            })
            .collect();
        let account = |index: usize| {
            accounts
                .iter()
                .find(|(other, _)| *other == index)
                .map_or("", |(_, account)| account)
        };
        let ids: HashMap<usize, (ProviderId, TaskId)> = groups
            .iter()
            .flat_map(|group| &group.tasks)
            .map(|watched| {
                let id = (watched.task.provider, watched.task.id.clone());
                (watched.index, id)
            })
            .collect();
        let mut reporter = self.printer.reporter();
        let started = Instant::now();
        let (outcomes, end) = poll::watch(groups, options, signals.wait(), |event| {
            reporter.event(&event, started.elapsed());
            match event {
                Event::Changed { index, task, .. } => {
                    self.remember(task, account(index));
                    if self.waiting.events && self.printer.output() == Output::Json {
                        reporter.aside(&mut || self.print(task));
                    }
                }
                Event::Settled { task, .. }
                    if !self.waiting.events || self.printer.output() != Output::Json =>
                {
                    reporter.aside(&mut || self.print(task));
                }
                Event::Lost { index, error } => {
                    let error = self.with_near_miss(ids.get(&index), error.clone());
                    reporter.aside(&mut || self.failed(error.clone()));
                }
                _ => {}
            }
        })
        .await;
        reporter.finish();
        for (_, outcome) in &outcomes {
            let task = outcome.task();
            let provider = aftermath
                .iter()
                .find(|provider| provider.id() == task.provider);
            if task.state == State::Completed
                && let Some(text) = provider.and_then(|provider| provider.aftermath(task))
                && !self.afterwards.contains(&text)
            {
                self.afterwards.push(text);
            }
        }
        self.close(outcomes, end, signals)
    }

    fn print(&mut self, task: &Task) {
        if self.printer.output() == Output::Id && self.ids_are_printed {
            return;
        }
        self.printer
            .task(task, &typed_form(task, self.journal.is_some()));
    }

    /// Keeps what was seen. Trouble with the journal must not end a wait; it was reported when the journal was opened.
    fn remember(&self, task: &Task, account: &str) {
        let Some(journal) = &self.journal else { return };
        if let Err(error) = journal.record_sight(task, account, Timestamp::now()) {
            tracing::info!("{}", error.one_line());
        }
    }

    /// Prints how it ended, and gives the exit code.
    fn close(mut self, outcomes: Vec<(usize, Outcome)>, end: End, signals: &Signals) -> Ending {
        let mut under_way = Vec::new();
        for (index, outcome) in outcomes {
            match outcome {
                Outcome::Settled(task) => {
                    self.judge(&task);
                    self.tasks.push((index, task));
                }
                // Its error was told when it came.
                Outcome::Lost(task, _) => {
                    if !task.provider_state.is_empty() {
                        self.tasks.push((index, task));
                    }
                }
                // Adopted after its end, and interrupted before it was looked at.
                Outcome::UnderWay(task) if task.is_settled() => {
                    self.print(&task);
                    self.printer.note(&completed_note(&task));
                    self.tasks.push((index, task));
                }
                Outcome::UnderWay(task) => {
                    self.tasks.push((index, task.clone()));
                    under_way.push(task);
                }
            }
        }
        if self.ids_are_printed && self.printer.output() == Output::Json {
            // The caller has no other way to learn the id of what was started here.
            under_way.iter().for_each(|task| self.print(task));
        }
        if end == End::Interrupted && under_way.is_empty() {
            return Ending::Signal(signals.received().unwrap_or(2));
        }
        if end == End::Interrupted {
            let number = signals.received().unwrap_or(2);
            let goes_on = if under_way.len() == 1 {
                "the export goes on"
            } else {
                "the exports go on"
            };
            self.printer.note(&format!(
                "Interrupted; {goes_on}. Resume with: {}",
                resume_command(self.context, under_way.iter(), self.journal.is_some())
            ));
            return Ending::Signal(number);
        }
        self.tasks.sort_by_key(|(index, _)| *index);
        let tasks: Vec<Task> = self.tasks.iter().map(|(_, task)| task.clone()).collect();
        self.printer.table(&tasks, Timestamp::now());
        if self.printer.output() != Output::Table {
            for task in tasks.iter().filter(|task| task.state == State::Completed) {
                self.printer.note(&completed_note(task));
            }
        }
        for text in &self.afterwards {
            self.printer.note(text);
        }
        if end == End::TimedOut && !under_way.is_empty() {
            let error = self.timed_out(&under_way);
            self.failed(error);
        }
        self.tally.close(&self.printer)
    }

    fn timed_out(&self, under_way: &[Task]) -> Error {
        let limit = match self.waiting.timeout {
            Limit::After(limit) if limit > Duration::ZERO => {
                format!(" after {}", text::duration(limit))
            }
            _ => String::new(),
        };
        let subject = match under_way {
            [task] => format!("{} is {} still{limit}; it goes on", task.id, task.state),
            _ => format!(
                "{} are under way still{limit}; they go on",
                text::count(under_way.len(), "task")
            ),
        };
        Error::new(Kind::Timeout, subject).hint(format!(
            "resume with: {}",
            resume_command(self.context, under_way.iter(), self.journal.is_some())
        ))
    }

    /// A task that ended badly is an error of its own.
    fn judge(&mut self, task: &Task) {
        if let Some(error) = verdict(task) {
            self.failed(error);
        }
    }
}

/// `snap-export-…: completed → s3://…`
fn completed_note(task: &Task) -> String {
    match &task.artifact {
        Some(artifact) => {
            let size = artifact
                .size_bytes
                .map_or_else(String::new, |size| format!(", {}", text::bytes(size)));
            let doubt = if artifact.exact {
                ""
            } else {
                " (expected there; not looked at)"
            };
            format!("{}: completed → {}{size}{doubt}", task.id, artifact.uri)
        }
        None => format!("{}: completed", task.id),
    }
}

/// The error of a task that failed, was cancelled, or is stalled.
fn verdict(task: &Task) -> Option<Error> {
    let of = task
        .snapshot
        .as_ref()
        .map_or_else(String::new, |snapshot| format!(" of {snapshot}"));
    let (kind, sentence) = match task.state {
        State::Failed => (Kind::TaskFailed, format!("Export {}{of} failed", task.id)),
        State::Cancelled => (
            Kind::TaskFailed,
            format!("Export {}{of} was cancelled", task.id),
        ),
        State::Completed => return None,
        _ if task.is_stalled() => (
            Kind::Stalled,
            format!(
                "Export {}{of} is stalled: {} still calls it {}",
                task.id, task.provider, task.provider_state
            ),
        ),
        _ => return None,
    };
    let mut error = Error::new(kind, sentence);
    if let Some(fault) = &task.error {
        error = error
            .cause(fault.message.clone())
            .request_id(fault.request_id.clone());
        error.details.code.clone_from(&fault.code);
    }
    Some(error)
}
