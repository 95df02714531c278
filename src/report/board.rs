//! What is known of the tasks of one wait: events feed it, every view of progress draws it.
//!
//! Times count from the beginning of the wait.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Kind;
use crate::poll::Event;
use crate::task::{State, Task};
use crate::text;

/// The tasks of one wait, by their numbers in it.
#[derive(Default)]
pub(crate) struct Board {
    rows: BTreeMap<usize, Row>,
    /// The tasks seen in this wait, in the order of their first sightings.
    order: Vec<usize>,
    /// The time of the last event.
    pub(super) now: Duration,
    /// The last failed poll, while there has been no response since.
    pub(super) trouble: Option<Trouble>,
}

/// One task.
pub(super) struct Row {
    /// The task as last seen; before its first sighting, as it was named.
    pub(super) task: Task,
    /// The task before its last change.
    pub(super) before: Option<Task>,
    pub(super) sight: Sight,
    /// The wait for it was given up.
    pub(super) is_lost: bool,
    pub(super) answered_at: Option<Duration>,
    pub(super) next_poll: Option<Duration>,
    remaining: Option<Duration>,
}

/// When a task was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Never so far.
    Never,
    /// Before this wait, which it does not take part in: it had ended.
    Before,
    /// In this wait; its last change was seen then.
    At(Duration),
}

/// A provider that does not respond.
pub(super) struct Trouble {
    /// Failed polls since the last response.
    pub(super) misses: u32,
    /// What to say about it where it is redrawn in place.
    pub(super) text: String,
}

impl Board {
    /// The board at the beginning of a wait for the `open` tasks, with those that have `ended` before.
    pub(crate) fn new<'t>(
        open: impl Iterator<Item = (usize, &'t Task)>,
        ended: impl Iterator<Item = (usize, &'t Task)>,
    ) -> Self {
        let open = open.map(|(index, task)| (index, Row::new(task, Sight::Never)));
        let ended = ended.map(|(index, task)| (index, Row::new(task, Sight::Before)));
        Board {
            rows: open.chain(ended).collect(),
            ..Board::default()
        }
    }

    /// Takes an event that came at `now`.
    pub(crate) fn take(&mut self, event: &Event<'_>, now: Duration) {
        self.now = now;
        match event {
            Event::Changed {
                index,
                task,
                remaining,
            } => {
                let row = self
                    .rows
                    .entry(*index)
                    .or_insert_with(|| Row::new(task, Sight::Never));
                let before = std::mem::replace(&mut row.task, (*task).clone());
                if row.is_seen() {
                    row.before = Some(before);
                } else {
                    self.order.push(*index);
                }
                row.sight = Sight::At(now);
                row.answered_at = Some(now);
                row.remaining = *remaining;
            }
            Event::Planned {
                indices,
                has_answered,
                pause,
            } => {
                for index in *indices {
                    if let Some(row) = self.rows.get_mut(index) {
                        row.next_poll = Some(now + *pause);
                        if *has_answered {
                            row.answered_at = Some(now);
                        }
                    }
                }
            }
            Event::Lost { index, .. } => {
                if let Some(row) = self.rows.get_mut(index) {
                    row.is_lost = true;
                }
            }
            Event::Missed {
                provider,
                error,
                silent_for,
            } => {
                self.trouble = Some(Trouble {
                    misses: self.trouble.as_ref().map_or(0, |trouble| trouble.misses) + 1,
                    text: match error.kind {
                        Kind::NotFound => format!(
                            "{provider} does not know a task that it has shown before, asking again: {}",
                            error.one_line()
                        ),
                        _ => format!(
                            "no answer from {provider} for {}, trying again: {}",
                            text::duration(*silent_for),
                            error.one_line()
                        ),
                    },
                });
            }
            Event::Recovered { .. } => self.trouble = None,
            Event::Settled { .. } | Event::Tick => {}
        }
    }

    /// A task by its number.
    pub(crate) fn task(&self, index: usize) -> Option<&Task> {
        self.row(index).map(|row| &row.task)
    }

    pub(super) fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(&index)
    }

    /// All tasks, by their numbers.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The tasks seen in this wait, in the order of their first sightings.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Row> {
        self.order.iter().filter_map(|index| self.rows.get(index))
    }

    /// The tasks seen in this wait, the last change first.
    pub(super) fn latest(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.seen().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.changed_at()));
        rows
    }
}

impl Row {
    fn new(task: &Task, sight: Sight) -> Self {
        Row {
            task: task.clone(),
            before: None,
            sight,
            is_lost: false,
            answered_at: None,
            next_poll: None,
            remaining: None,
        }
    }

    /// Whether it was seen in this wait.
    pub(super) fn is_seen(&self) -> bool {
        self.changed_at().is_some()
    }

    fn changed_at(&self) -> Option<Duration> {
        match self.sight {
            Sight::At(at) => Some(at),
            Sight::Never | Sight::Before => None,
        }
    }

    /// Whether it is still waited for.
    pub(super) fn is_open(&self) -> bool {
        !self.is_lost && (self.sight == Sight::Never || !self.task.is_settled())
    }

    /// Whether it ended badly, as far as this wait can tell.
    pub(super) fn has_failed(&self) -> bool {
        let bad = [State::Failed, State::Cancelled, State::Stalled];
        self.is_lost || bad.contains(&self.task.state)
    }

    /// How long it has been waited for: up to `now`, or up to its end.
    pub(super) fn waited(&self, now: Duration) -> Duration {
        let end = self.changed_at().filter(|_| !self.is_open());
        end.unwrap_or(now)
    }

    /// The time it still needs, by its own progress.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let since = now.saturating_sub(self.changed_at()?);
        let remaining = self.remaining.filter(|_| self.is_open())?;
        Some(remaining.saturating_sub(since))
    }
}
