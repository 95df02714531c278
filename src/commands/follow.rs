//! Following tasks to their end: what `wait` and `export --wait` have in common.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::homing::Homing;
use super::on_done::OnDone;
use super::reference::{known_before, resume_command, typed_form};
use super::signals::Signals;
use super::{Ending, Tally, near};
use crate::commands::context::Context;
use crate::error::{Command, Error, Hint, Kind};
use crate::journal::Journal;
use crate::options::{Limit, Output, Waiting};
use crate::poll::{self, End, Event, Group, Outcome};
use crate::provider::{self, Provider};
use crate::report::{Board, Printer};
use crate::task::{State, Task, TaskObject};
use crate::text;

/// Follows tasks to their end, prints and remembers what happens: the common part of `wait` and `export --wait`.
pub(super) struct Follow<'c> {
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
    on_done: Option<OnDone>,
    /// Fetches what ends well.
    pub(super) homing: Option<Homing>,
}

impl<'c> Follow<'c> {
    /// Ready to follow.
    pub(super) fn new(
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
            on_done: waiting.on_done.clone().map(OnDone::new),
            waiting,
            is_any,
            ids_are_printed: default_output == Output::Id,
            tasks: Vec::new(),
            afterwards: Vec::new(),
            homing: None,
        }
    }

    /// A task that had ended before.
    pub(super) fn ended(&mut self, index: usize, task: &Task) {
        self.print(task);
        self.run_on_done(task);
        self.tasks.push((index, task.clone()));
        self.judge(task);
    }

    /// The pace that was asked for.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.waiting.interval.or(self.context.interval)
    }

    /// Ends without waiting, after starts.
    pub(super) fn close_started(mut self, tasks: &[Task]) -> Ending {
        // A cloud may take a start and say in the same reply that it has failed.
        for task in tasks.iter().filter(|task| task.state == State::Failed) {
            self.judge(task);
        }
        self.printer.table(tasks, Timestamp::now());
        self.tally.close(&self.printer)
    }

    /// Whether a task is over already.
    pub(super) fn has_settled(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// An item that failed: it is said at once, with `-o json` as a line of its own too.
    pub(super) fn failed_item(&mut self, item: TaskObject, error: Error) {
        self.printer.failed_item(item);
        self.failed(error);
    }

    /// A task about which nothing can be learned.
    pub(super) fn lost(&mut self, known: &Task, error: Error) {
        let error = known.named_in(error);
        self.failed_item(TaskObject::not_known(known, &error), error);
    }

    fn failed(&mut self, error: Error) {
        self.printer.error(&error);
        self.tally.add(error);
    }

    /// Adds as what a task that is missing was seen before; to one that nobody knows the one that may have been meant.
    fn with_memory(&self, task: Option<&Task>, error: Error) -> Error {
        let (Some(task), Kind::NotFound | Kind::Timeout) = (task, error.kind) else {
            return error;
        };
        let (journal, id) = (self.journal.as_deref(), task.id.as_str());
        let known = journal.and_then(|journal| journal.find(id, Some(task.provider.0)).ok());
        match known.as_ref().and_then(|known| known.first()) {
            Some(known) => known_before(known, error),
            None => near::with_journaled(journal, Some(task.provider), id, error),
        }
    }

    /// Waits for the groups and closes.
    pub(super) async fn run(mut self, groups: Vec<Group<'_>>, signals: &Signals) -> Ending {
        let options = poll::Options {
            deadline: self.context.sources.deadline,
            interval: self.interval(),
            any: self.is_any,
        };
        let aftermath: Vec<_> = groups.iter().map(|group| group.provider.clone()).collect();
        let providers: HashMap<usize, Arc<dyn Provider>> = groups
            .iter()
            .flat_map(|group| {
                let indices = group.tasks.iter().map(|task| task.index);
                indices.map(|index| (index, group.provider.clone()))
            })
            .collect();
        let watched = groups.iter().flat_map(|group| &group.tasks);
        let open = watched.map(|one| (one.index, &one.task));
        let ended = self.tasks.iter().map(|(index, task)| (*index, task));
        let mut reporter = self.printer.reporter(Board::new(open, ended));
        let started = Instant::now();
        let (outcomes, mut end) = poll::watch(groups, options, signals.wait(), |event| {
            reporter.event(&event, started.elapsed());
            if let Some(on_done) = &mut self.on_done {
                on_done.pass_on(&self.printer, &reporter);
            }
            if signals.is_asked() {
                reporter.aside(|| self.printer.answer(&reporter.standing()));
            }
            if let Event::Settled { index, task } = event {
                self.run_on_done(task);
                self.bring_home(providers.get(&index), task);
            }
            if let Some(homing) = &mut self.homing {
                let mut errors = Vec::new();
                reporter.aside(|| errors = homing.pass_on(&mut self.printer));
                errors.into_iter().for_each(|error| self.failed(error));
            }
            match event {
                Event::Changed { index, task, .. } => {
                    let provider = providers.get(&index);
                    let account = provider.map(|provider| provider.account());
                    self.remember(task, account.as_deref().unwrap_or_default());
                    if self.waiting.events {
                        reporter.aside(|| self.print(task));
                    }
                }
                Event::Settled { task, .. } if !self.waiting.events => {
                    reporter.aside(|| self.print(task));
                }
                Event::Lost { index, error } => {
                    let known = reporter.task(index).cloned();
                    let error = self.with_memory(known.as_ref(), error.clone());
                    reporter.aside(|| match &known {
                        Some(known) => self.lost(known, error),
                        None => self.failed(error),
                    });
                }
                _ => {}
            }
        })
        .await;
        reporter.finish();
        if let Some(homing) = &mut self.homing {
            let errors = homing.finish(&mut self.printer).await;
            errors.into_iter().for_each(|error| self.failed(error));
            if signals.received().is_some() {
                end = End::Interrupted;
            }
        }
        if let Some(on_done) = self.on_done.as_mut().filter(|_| end != End::Interrupted) {
            on_done
                .finish(&self.printer, signals, options.deadline)
                .await;
            if signals.received().is_some() {
                end = End::Interrupted;
            }
        }
        // A fetch of one may have said it already.
        let is_said = self.homing.as_ref().is_some_and(|homing| homing.has_told);
        for (_, outcome) in outcomes.iter().filter(|_| !is_said) {
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

    /// Begins to fetch what a task made, if that is wished.
    fn bring_home(&mut self, provider: Option<&Arc<dyn Provider>>, task: &Task) {
        if let (Some(homing), Some(provider), State::Completed) =
            (&mut self.homing, provider, task.state)
        {
            homing.start(provider.clone(), task);
        }
    }

    fn run_on_done(&self, task: &Task) {
        if let Some(on_done) = &self.on_done {
            on_done.start(task, self.printer.task_json(task));
        }
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
                    self.printer.note(completed_note(&task));
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
        // What has ended is shown also to who interrupts the command that was run for it.
        if end == End::Interrupted && !under_way.is_empty() {
            let number = signals.received().unwrap_or(2);
            let goes_on = if under_way.len() == 1 {
                "the export goes on"
            } else {
                "the exports go on"
            };
            let resume = resume_command(self.context, under_way.iter(), self.journal.is_some());
            let note = Hint::say(format!("Interrupted; {goes_on}. Resume with: ")).and_run(resume);
            self.printer.note(note);
            return Ending::Signal(number);
        }
        self.tasks.sort_by_key(|(index, _)| *index);
        let tasks: Vec<Task> = self.tasks.iter().map(|(_, task)| task.clone()).collect();
        self.printer.table(&tasks, Timestamp::now());
        if self.printer.output() != Output::Table {
            for task in tasks.iter().filter(|task| task.state == State::Completed) {
                self.printer.note(completed_note(task));
            }
        }
        for text in &self.afterwards {
            self.printer.note(text);
        }
        if end == End::Interrupted {
            return Ending::Signal(signals.received().unwrap_or(2));
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
                format!(" after {}", text::in_words(limit))
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
        let resume = resume_command(self.context, under_way.iter(), self.journal.is_some());
        Error::new(Kind::Timeout, subject).hint(Hint::say("resume with: ").and_run(resume))
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
        State::Stalled => (
            Kind::Stalled,
            format!(
                "Export {}{of} is stalled: {} still calls it {}",
                task.id, task.provider, task.provider_state
            ),
        ),
        State::Pending | State::Running => return None,
    };
    let mut error = Error::new(kind, sentence);
    if let Some(fault) = &task.error {
        error = error
            .cause(fault.message.clone())
            .request_id(fault.request_id.clone());
        error.details.code.clone_from(&fault.code);
    }
    if task.is_stalled()
        && provider::by_name(task.provider.0).is_ok_and(|entry| entry.no_cancel.is_none())
    {
        error = error.hint(
            Hint::say("put an end to it: ")
                .and_run(Command::from("snapexport cancel").arg(&task.id)),
        );
    }
    Some(error)
}
