//! Total progress where the terminal shows it outside its text: in the tab, the title or the taskbar (OSC 9;4).

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use anstyle_progress::TermProgress;

use super::{Reporter, leave};
use crate::poll::Event;
use crate::task::{State, Task};

/// What is over at once is not shown.
const QUIET_START: Duration = Duration::from_millis(250);
/// Some terminals take away what is not repeated within 15 seconds.
const REPEAT: Duration = Duration::from_secs(10);

/// Shows total progress beside what another reporter draws.
pub struct Taskbar<W: Write> {
    inner: Box<dyn Reporter>,
    out: W,
    parts: BTreeMap<usize, Part>,
    said: String,
    said_at: Duration,
}

/// What one task adds to the total.
struct Part {
    percent: Option<u8>,
    has_failed: bool,
}

impl From<&Task> for Part {
    fn from(task: &Task) -> Self {
        Part {
            percent: if task.is_settled() {
                Some(100)
            } else {
                task.percent().map(|percent| percent.min(100))
            },
            has_failed: matches!(task.state, State::Failed | State::Cancelled) || task.is_stalled(),
        }
    }
}

impl<W: Write> Taskbar<W> {
    /// Beside `inner`.
    pub fn new(inner: Box<dyn Reporter>, out: W) -> Self {
        Taskbar {
            inner,
            out,
            parts: BTreeMap::new(),
            said: String::new(),
            said_at: Duration::ZERO,
        }
    }

    /// The mean of all tasks, if every one of them has a percentage.
    fn total(&self) -> Option<u8> {
        let percents: Option<Vec<usize>> = self
            .parts
            .values()
            .map(|part| part.percent.map(usize::from))
            .collect();
        let percents = percents.filter(|percents| !percents.is_empty())?;
        u8::try_from(percents.iter().sum::<usize>() / percents.len()).ok()
    }

    fn show(&mut self, elapsed: Duration) {
        if elapsed < QUIET_START || self.parts.is_empty() {
            return;
        }
        let kind = if self.parts.values().any(|part| part.has_failed) {
            TermProgress::error()
        } else {
            TermProgress::start()
        };
        let text = self
            .total()
            .map_or(kind, |percent| kind.percent(percent))
            .to_string();
        if text != self.said || elapsed.saturating_sub(self.said_at) >= REPEAT {
            leave::progress_is(true);
            self.write(&text);
            self.said = text;
            self.said_at = elapsed;
        }
    }

    fn clear(&mut self) {
        if !std::mem::take(&mut self.said).is_empty() {
            self.write(&TermProgress::remove().to_string());
            leave::progress_is(false);
        }
    }

    fn write(&mut self, text: &str) {
        // Nobody to tell when this fails.
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

impl<W: Write> Reporter for Taskbar<W> {
    fn event(&mut self, event: &Event<'_>, elapsed: Duration) {
        match event {
            Event::Changed { index, task, .. } => {
                self.parts.insert(*index, Part::from(*task));
            }
            Event::Lost { index, .. } => {
                let lost = Part {
                    percent: Some(100),
                    has_failed: true,
                };
                self.parts.insert(*index, lost);
            }
            _ => {}
        }
        self.show(elapsed);
        self.inner.event(event, elapsed);
    }

    fn aside(&mut self, print: &mut dyn FnMut()) {
        self.inner.aside(print);
    }

    fn finish(&mut self) {
        self.inner.finish();
        self.clear();
    }
}

impl<W: Write> Drop for Taskbar<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Silent;
    use crate::task::{Progress, ProviderId, TaskId};

    fn task(percent: Option<u8>, state: State) -> Task {
        let mut task = Task::unseen(ProviderId("outscale"), "here", TaskId::from("t"));
        task.state = state;
        if let Some(percent) = percent {
            task.progress = Progress::Percent(percent);
        }
        task
    }

    /// What is written for these sightings of tasks, one a second.
    fn said(sights: &[(usize, Task)]) -> String {
        let mut out = Vec::new();
        let mut bar = Taskbar::new(Box::new(Silent), &mut out);
        for (second, (index, task)) in sights.iter().enumerate() {
            let event = Event::Changed {
                index: *index,
                task,
                remaining: None,
            };
            bar.event(&event, Duration::from_secs(1 + second as u64));
        }
        drop(bar);
        String::from_utf8(out)
            .expect("text")
            .replace("\x1b]9;4;", "<")
            .replace("\x1b\\", ">")
    }

    #[test]
    fn the_total_is_the_mean_and_unknown_where_one_is_unknown() {
        let (running, done) = (State::Running, State::Completed);
        assert_eq!(
            said(&[
                (0, task(Some(10), running)),
                (1, task(Some(50), running)),
                (1, task(Some(50), running)),
                (0, task(None, done)),
            ]),
            "<1;10><1;30><1;75><0;>"
        );
        assert_eq!(said(&[(0, task(None, running))]), "<3;><0;>");
    }

    #[test]
    fn a_failure_shows_as_one_and_is_taken_away_at_the_end() {
        let sights = [
            (0, task(Some(40), State::Running)),
            (1, task(Some(20), State::Failed)),
        ];
        assert_eq!(said(&sights), "<1;40><2;70><0;>");
    }

    #[test]
    fn what_has_not_changed_is_repeated_before_the_terminal_forgets_it() {
        let mut out = Vec::new();
        let mut bar = Taskbar::new(Box::new(Silent), &mut out);
        let task = task(Some(5), State::Running);
        let changed = Event::Changed {
            index: 0,
            task: &task,
            remaining: None,
        };
        bar.event(&changed, Duration::ZERO);
        for second in 1..=12 {
            bar.event(&Event::Tick, Duration::from_secs(second));
        }
        drop(bar);
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text.matches("9;4;1;5").count(), 2, "{text:?}");
    }
}
