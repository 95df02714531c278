//! Total progress where the terminal shows it outside its text: in the tab, the title or the taskbar (OSC 9;4).

use std::io::Write;
use std::time::Duration;

use anstyle_progress::TermProgress;

use super::board::{Board, Row};
use super::leave;
use super::terminal::is_in_background;

/// What is over at once is not shown.
const QUIET_START: Duration = Duration::from_millis(250);
/// Some terminals take away what is not repeated within 15 seconds.
const REPEAT: Duration = Duration::from_secs(10);

/// Shows total progress; takes it away when it is dropped.
pub(super) struct Taskbar<W: Write> {
    out: W,
    said: String,
    said_at: Duration,
}

impl<W: Write> Taskbar<W> {
    /// The taskbar of the terminal that `out` leads to.
    pub(super) fn new(out: W) -> Self {
        Taskbar {
            out,
            said: String::new(),
            said_at: Duration::ZERO,
        }
    }

    /// Shows the total of this board.
    pub(super) fn show(&mut self, board: &Board) {
        let parts: Vec<&Row> = board
            .rows()
            .filter(|row| row.is_seen() || row.is_lost)
            .collect();
        if board.now < QUIET_START || parts.is_empty() || is_in_background() {
            return;
        }
        let kind = if parts.iter().any(|row| row.has_failed()) {
            TermProgress::error()
        } else {
            TermProgress::start()
        };
        let text = total(&parts)
            .map_or(kind, |percent| kind.percent(percent))
            .to_string();
        if text != self.said || board.now.saturating_sub(self.said_at) >= REPEAT {
            leave::progress_is(true);
            self.write(&text);
            self.said = text;
            self.said_at = board.now;
        }
    }

    fn write(&mut self, text: &str) {
        // Nobody to tell when this fails.
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

/// The mean of these tasks, if every one of them has a percentage. What is over counts in full.
fn total(rows: &[&Row]) -> Option<u8> {
    let percents: Option<Vec<usize>> = rows
        .iter()
        .map(|row| {
            let percent = if row.is_open() {
                row.task.percent()?.min(100)
            } else {
                100
            };
            Some(usize::from(percent))
        })
        .collect();
    u8::try_from(percents?.iter().sum::<usize>() / rows.len()).ok()
}

impl<W: Write> Drop for Taskbar<W> {
    fn drop(&mut self) {
        if !self.said.is_empty() {
            self.write(&TermProgress::remove().to_string());
            leave::progress_is(false);
        }
    }
}

#[cfg(test)]
mod tests;
