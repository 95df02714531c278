//! Progress where lines cannot be redrawn: a line for a change of state, every 10 %, and a sign of life once a minute.

use std::io::Write;
use std::time::Duration;

use super::board::{Board, Row};
use super::stage;
use crate::poll::Event;
use crate::secret::clean;
use crate::task::Task;
use crate::text;

/// Silence after which a line says that all is well.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Percent between two lines.
const PERCENT_STEP: u8 = 10;

/// Writes lines.
pub(super) struct Lines<W> {
    out: W,
    last_line: Duration,
}

impl<W: Write> Lines<W> {
    /// Lines on `out`.
    pub(super) fn new(out: W) -> Self {
        Lines {
            out,
            last_line: Duration::ZERO,
        }
    }

    /// Says what is new on the board since this event.
    pub(super) fn tell(&mut self, board: &Board, event: &Event<'_>) {
        let is_quiet = board.now.saturating_sub(self.last_line) >= SIGN_OF_LIFE;
        let is_first_miss = board
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.misses == 1);
        let text = match event {
            Event::Changed { index, .. } => board.row(*index).and_then(|row| news(row, board.now)),
            Event::Missed {
                provider, error, ..
            } if is_first_miss => Some(format!(
                "no answer from {provider}: {}; trying again",
                error.one_line()
            )),
            Event::Missed {
                provider,
                silent_for,
                ..
            } if is_quiet => Some(format!(
                "no answer from {provider} for {}",
                text::duration(*silent_for)
            )),
            Event::Recovered {
                provider,
                silent_for,
            } => Some(format!(
                "{provider} answers again after {}",
                text::duration(*silent_for)
            )),
            Event::Tick if is_quiet => Some(sign_of_life(board)),
            _ => None,
        };
        if let Some(text) = text {
            self.last_line = board.now;
            let time = text::duration(board.now);
            // Nobody to tell when this fails.
            let _ = writeln!(self.out, "[{time}] {}", clean(&text));
        }
    }
}

/// The line for a change, if it is one that a line is for.
fn news(row: &Row, now: Duration) -> Option<String> {
    let step = |task: &Task| task.percent().map(|percent| percent / PERCENT_STEP);
    let words = stage::in_own_words(&row.task);
    let is_old =
        |before: &Task| step(before) == step(&row.task) && stage::in_own_words(before) == words;
    if row.before.as_ref().is_some_and(is_old) {
        return None;
    }
    let name = row.task.qualified();
    Some(format!("{name}: {}", stage::in_full(words, row, now)))
}

fn sign_of_life(board: &Board) -> String {
    let open: Vec<&Row> = board.seen().filter(|row| row.is_open()).collect();
    match open[..] {
        [] => "still waiting".to_owned(),
        [one] => format!(
            "{}: still {}",
            one.task.qualified(),
            stage::in_own_words(&one.task)
        ),
        _ => format!("still waiting for {}", text::count(open.len(), "task")),
    }
}

#[cfg(test)]
mod tests;
