//! Where things stand, for whoever asks in the middle of a wait (SIGUSR1).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::poll::Event;
use crate::secret::clean;
use crate::task::{Progress, State, Task};
use crate::text;

/// More tasks than this are counted, not listed.
const MOST_LINES: usize = 10;

/// Follows a wait, so that its state can be told at any time.
pub struct Standing {
    rows: BTreeMap<usize, Row>,
}

/// What is known of one task; times count from the beginning of the wait.
#[derive(Default)]
struct Row {
    name: String,
    task: Option<Task>,
    remaining: Option<Duration>,
    seen_at: Duration,
    answered_at: Option<Duration>,
    next_look: Option<Duration>,
    is_lost: bool,
}

impl Standing {
    /// At the beginning of a wait for the `open` tasks, by their numbers; what has `ended` before is told as well.
    pub fn new<'t>(
        open: impl Iterator<Item = (usize, &'t Task)>,
        ended: impl Iterator<Item = (usize, &'t Task)>,
    ) -> Self {
        let row = |task: &Task, seen: Option<&Task>| Row {
            name: task.qualified(),
            task: seen.cloned(),
            ..Row::default()
        };
        let open = open.map(|(index, task)| (index, row(task, None)));
        let ended = ended.map(|(index, task)| (index, row(task, Some(task))));
        Standing {
            rows: open.chain(ended).collect(),
        }
    }

    /// Takes an event, `elapsed` after the wait began.
    pub fn event(&mut self, event: &Event<'_>, elapsed: Duration) {
        match event {
            Event::Changed {
                index,
                task,
                remaining,
            } => {
                let row = self.rows.entry(*index).or_default();
                row.task = Some((*task).clone());
                row.remaining = *remaining;
                row.seen_at = elapsed;
                row.answered_at = Some(elapsed);
            }
            Event::Planned {
                indices,
                has_answered,
                pause,
            } => {
                for index in *indices {
                    let row = self.rows.entry(*index).or_default();
                    row.next_look = Some(elapsed + *pause);
                    if *has_answered {
                        row.answered_at = Some(elapsed);
                    }
                }
            }
            Event::Lost { index, .. } => self.rows.entry(*index).or_default().is_lost = true,
            _ => {}
        }
    }

    /// A line for each task, or one for all if they are many.
    pub fn lines(&self, elapsed: Duration) -> Vec<String> {
        let time = text::duration(elapsed);
        if self.rows.len() > MOST_LINES {
            return vec![format!("[{time}] {}", self.summary(elapsed))];
        }
        self.rows
            .values()
            .map(|row| format!("[{time}] {}", clean(&row.line(elapsed))))
            .collect()
    }

    fn summary(&self, elapsed: Duration) -> String {
        let lost = self.rows.values().filter(|row| row.is_lost).count();
        let in_state = |state: State| {
            let is_there = |row: &&Row| {
                !row.is_lost && row.task.as_ref().is_some_and(|task| task.state == state)
            };
            self.rows.values().filter(is_there).count()
        };
        let counts = [
            (in_state(State::Completed), "completed"),
            (in_state(State::Failed), "failed"),
            (in_state(State::Cancelled), "cancelled"),
            (in_state(State::Running), "running"),
            (in_state(State::Pending), "pending"),
            (lost, "given up"),
        ];
        let unseen = self.rows.len() - counts.iter().map(|(count, _)| count).sum::<usize>();
        let counts: Vec<String> = counts
            .into_iter()
            .chain([(unseen, "not seen yet")])
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let open = || self.rows.values().filter(|row| row.is_open());
        let contact = Contact {
            answered_at: open().filter_map(|row| row.answered_at).max(),
            next_look: open().filter_map(|row| row.next_look).min(),
        };
        let total = text::count(self.rows.len(), "task");
        format!("{total}: {}{}", counts.join(", "), contact.text(elapsed))
    }
}

impl Row {
    fn is_open(&self) -> bool {
        !self.is_lost && !self.task.as_ref().is_some_and(Task::is_settled)
    }

    fn line(&self, elapsed: Duration) -> String {
        let contact = Contact {
            answered_at: self.answered_at,
            next_look: self.next_look,
        };
        let contact = contact.text(elapsed);
        let Some(task) = &self.task else {
            let end = if self.is_lost { "; given up" } else { &contact };
            return format!("{}: not seen yet{end}", self.name);
        };
        let mut line = format!("{}: {}", self.name, words(task));
        if let Some(percent) = task.percent() {
            line += &format!(", {percent} %");
        }
        if self.is_lost {
            return line + " when last seen; given up";
        }
        if !self.is_open() {
            return line;
        }
        if let Some(remaining) = self.remaining {
            let left = remaining.saturating_sub(elapsed.saturating_sub(self.seen_at));
            line += &format!(", about {} left", text::duration(left));
        }
        line + &contact
    }
}

/// When there was an answer, and when the next is asked for.
struct Contact {
    answered_at: Option<Duration>,
    next_look: Option<Duration>,
}

impl Contact {
    fn text(&self, elapsed: Duration) -> String {
        let answer = match self.answered_at {
            Some(at) => format!(
                "last answer {} ago",
                text::duration(elapsed.saturating_sub(at))
            ),
            None => "no answer yet".to_owned(),
        };
        match self.next_look.map(|next| next.saturating_sub(elapsed)) {
            None => format!("; {answer}"),
            Some(Duration::ZERO) => format!("; {answer}, asking now"),
            Some(left) => format!("; {answer}, next look in {}", text::duration(left)),
        }
    }
}

/// The common word, and what the provider says beyond it: `running (uploading)`, `running (Started, isTerminal: false)`.
fn words(task: &Task) -> String {
    let state = if task.is_stalled() {
        "stalled"
    } else {
        task.state.as_str()
    };
    let mut own = Vec::new();
    if !task.provider_state.eq_ignore_ascii_case(state) && !task.provider_state.is_empty() {
        own.push(task.provider_state.clone());
    }
    if let Progress::Flag { is_terminal } = task.progress
        && !task.state.is_terminal()
    {
        own.push(format!("isTerminal: {is_terminal}"));
    }
    if own.is_empty() {
        state.to_owned()
    } else {
        format!("{state} ({})", own.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{ProviderId, TaskId};

    fn task(id: &str, percent: u8) -> Task {
        let mut task = Task::unseen(ProviderId("outscale"), "eu-west-2", TaskId::from(id));
        task.state = State::Running;
        task.provider_state = "uploading".into();
        task.progress = Progress::Percent(percent);
        task
    }

    #[test]
    fn a_line_tells_state_progress_and_contact() {
        let task = task("snap-export-1", 42);
        let mut standing = Standing::new([(0, &task)].into_iter(), std::iter::empty());
        let seconds = Duration::from_secs;
        let planned = |has_answered, pause| Event::Planned {
            indices: &[0],
            has_answered,
            pause: seconds(pause),
        };
        standing.event(&planned(false, 2), seconds(0));
        assert_eq!(
            standing.lines(seconds(1)),
            ["[1s] outscale/snap-export-1: not seen yet; no answer yet, next look in 1s"]
        );
        let changed = Event::Changed {
            index: 0,
            task: &task,
            remaining: Some(seconds(90)),
        };
        standing.event(&changed, seconds(3));
        standing.event(&planned(true, 20), seconds(3));
        assert_eq!(
            standing.lines(seconds(13)),
            [
                "[13s] outscale/snap-export-1: running (uploading), 42 %, about 1m20s left; last answer 10s ago, next look in 10s"
            ]
        );
        standing.event(&planned(false, 30), seconds(25));
        assert_eq!(
            standing.lines(seconds(60)),
            [
                "[1m00s] outscale/snap-export-1: running (uploading), 42 %, about 33s left; last answer 57s ago, asking now"
            ]
        );
    }

    #[test]
    fn many_tasks_are_counted() {
        let mut standing = Standing::new(std::iter::empty(), std::iter::empty());
        for index in 0..12 {
            let mut task = task(&format!("t{index}"), 10);
            if index < 2 {
                task.state = State::Completed;
            }
            let changed = Event::Changed {
                index,
                task: &task,
                remaining: None,
            };
            standing.event(&changed, Duration::from_secs(1));
        }
        assert_eq!(
            standing.lines(Duration::from_secs(4)),
            ["[4s] 12 tasks: 2 completed, 10 running; last answer 3s ago"]
        );
    }
}
