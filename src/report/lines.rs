//! Progress where lines cannot be redrawn: a line for a change of state, every 10 %, and a sign of life once a minute.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use super::Reporter;
use crate::poll::Event;
use crate::secret::clean;
use crate::task::{Progress, Task};
use crate::text;

/// Silence after which a line says that all is well.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Percent between two lines.
const PERCENT_STEP: u8 = 10;

/// Writes lines.
pub struct Lines<W> {
    out: W,
    shown: BTreeMap<usize, Shown>,
    last_line: Duration,
    is_missing: bool,
}

/// What the last line about a task said.
struct Shown {
    label: String,
    words: String,
    step: Option<u8>,
    is_open: bool,
}

impl<W: Write> Lines<W> {
    /// Lines on `out`.
    pub fn new(out: W) -> Self {
        Lines {
            out,
            shown: BTreeMap::new(),
            last_line: Duration::ZERO,
            is_missing: false,
        }
    }

    fn line(&mut self, elapsed: Duration, text: &str) {
        self.last_line = elapsed;
        // Nobody to tell when this fails.
        let _ = writeln!(self.out, "[{}] {}", text::duration(elapsed), clean(text));
    }

    fn changed(
        &mut self,
        index: usize,
        task: &Task,
        remaining: Option<Duration>,
        elapsed: Duration,
    ) {
        let step = task.percent().map(|percent| percent / PERCENT_STEP);
        let words = words(task);
        if self
            .shown
            .get(&index)
            .is_some_and(|shown| shown.words == words && shown.step == step)
        {
            return;
        }
        let label = task.qualified();
        let mut text = format!("{label}: {words}");
        if let Some(percent) = task.percent() {
            text += &format!(", {percent} %");
        }
        if let Some(remaining) = remaining.filter(|_| !task.is_settled()) {
            text += &format!(", about {} left", text::duration(remaining));
        }
        self.line(elapsed, &text);
        let is_open = !task.is_settled();
        self.shown.insert(
            index,
            Shown {
                label,
                words,
                step,
                is_open,
            },
        );
    }

    fn sign_of_life(&mut self, elapsed: Duration) {
        let open: Vec<&Shown> = self.shown.values().filter(|shown| shown.is_open).collect();
        let text = match open[..] {
            [] => "still waiting".to_owned(),
            [one] => format!("{}: still {}", one.label, one.words),
            _ => format!("still waiting for {}", text::count(open.len(), "task")),
        };
        self.line(elapsed, &text);
    }
}

/// The provider's word, with the flag where it gives one, or why nothing moves any more.
fn words(task: &Task) -> String {
    let word = if task.provider_state.is_empty() {
        task.state.as_str()
    } else {
        &task.provider_state
    };
    match task.progress {
        _ if task.is_stalled() => {
            let reason = task.error.as_ref().map_or("", |error| &error.message);
            format!("{word}, but stalled: {reason}")
        }
        Progress::Flag { is_terminal } => format!("{word} (isTerminal: {is_terminal})"),
        _ => word.to_owned(),
    }
}

impl<W: Write> Reporter for Lines<W> {
    fn event(&mut self, event: &Event<'_>, elapsed: Duration) {
        match event {
            Event::Changed {
                index,
                task,
                remaining,
            } => self.changed(*index, task, *remaining, elapsed),
            Event::Settled { .. } | Event::Planned { .. } => {}
            Event::Missed {
                provider,
                error,
                silent_for,
            } => {
                if !self.is_missing {
                    self.is_missing = true;
                    let text = format!(
                        "no answer from {provider}: {}; trying again",
                        error.one_line()
                    );
                    self.line(elapsed, &text);
                } else if elapsed.saturating_sub(self.last_line) >= SIGN_OF_LIFE {
                    let text = format!(
                        "no answer from {provider} for {}",
                        text::duration(*silent_for)
                    );
                    self.line(elapsed, &text);
                }
            }
            Event::Recovered {
                provider,
                silent_for,
            } => {
                self.is_missing = false;
                let text = format!(
                    "{provider} answers again after {}",
                    text::duration(*silent_for)
                );
                self.line(elapsed, &text);
            }
            Event::Lost { index, .. } => {
                if let Some(shown) = self.shown.get_mut(index) {
                    shown.is_open = false;
                }
            }
            Event::Tick => {
                if elapsed.saturating_sub(self.last_line) >= SIGN_OF_LIFE {
                    self.sign_of_life(elapsed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{ProviderId, State, TaskId};

    fn task(percent: u8, word: &str) -> Task {
        let mut task = Task::unseen(
            ProviderId("outscale"),
            "eu-west-2",
            TaskId::from("snap-export-1"),
        );
        task.state = State::Running;
        task.provider_state = word.to_owned();
        task.progress = Progress::Percent(percent);
        task
    }

    fn lines(events: &[(u64, Event<'_>)]) -> String {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out);
        for (seconds, event) in events {
            lines.event(event, Duration::from_secs(*seconds));
        }
        String::from_utf8(out).expect("text")
    }

    fn changed(task: &Task) -> Event<'_> {
        Event::Changed {
            index: 0,
            task,
            remaining: None,
        }
    }

    #[test]
    fn a_line_comes_for_each_state_and_each_ten_percent_only() {
        let tasks = [
            task(1, "uploading"),
            task(5, "uploading"),
            task(12, "uploading"),
            task(13, "done\u{1b}"),
        ];
        let events: Vec<(u64, Event<'_>)> = tasks
            .iter()
            .enumerate()
            .map(|(i, task)| (i as u64, changed(task)))
            .collect();
        assert_eq!(
            lines(&events),
            "[0s] outscale/snap-export-1: uploading, 1 %\n\
             [2s] outscale/snap-export-1: uploading, 12 %\n\
             [3s] outscale/snap-export-1: done , 13 %\n"
        );
    }

    #[test]
    fn a_sign_of_life_comes_once_a_minute() {
        let task = task(1, "uploading");
        let events = [
            (0, changed(&task)),
            (59, Event::Tick),
            (60, Event::Tick),
            (61, Event::Tick),
            (120, Event::Tick),
        ];
        assert_eq!(
            lines(&events),
            "[0s] outscale/snap-export-1: uploading, 1 %\n\
             [1m00s] outscale/snap-export-1: still uploading\n\
             [2m00s] outscale/snap-export-1: still uploading\n"
        );
    }
}
