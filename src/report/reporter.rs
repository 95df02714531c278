//! Progress of one wait: the board, and the views of it that this terminal and the user's wishes call for.

use std::io::{self, Stderr};
use std::time::Duration;

use super::bars::Bars;
use super::board::Board;
use super::lines::Lines;
use super::standing;
use super::taskbar::Taskbar;
use super::terminal::Terminal;
use crate::options::When;
use crate::poll::Event;
use crate::task::Task;

/// Keeps what the poller tells, and draws it.
pub(crate) struct Reporter {
    board: Board,
    view: View,
    taskbar: Option<Taskbar<Stderr>>,
}

/// What is drawn on standard error.
enum View {
    /// One bar a task, redrawn in place.
    Bars(Bars),
    /// A line for what changes.
    Lines(Lines<Stderr>),
    /// Nothing.
    Silent,
}

/// Which view is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Bars,
    Lines,
    Silent,
}

/// Picks the view. `is_capable`: standard error is a terminal that can move its cursor.
pub(super) fn choose(progress: When, is_quiet: bool, is_capable: bool, is_verbose: bool) -> Choice {
    match progress {
        When::Never => Choice::Silent,
        When::Auto if is_quiet => Choice::Silent,
        // Redrawing in place and a log that scrolls spoil each other.
        When::Auto | When::Always if is_capable && !is_verbose => Choice::Bars,
        When::Auto | When::Always => Choice::Lines,
    }
}

impl Reporter {
    /// Draws this board on this terminal.
    pub(super) fn new(board: Board, choice: Choice, terminal: Terminal) -> Self {
        let has_taskbar = terminal.shows_progress && choice != Choice::Silent;
        Reporter {
            board,
            view: match choice {
                Choice::Bars => View::Bars(Bars::new(terminal)),
                Choice::Lines => View::Lines(Lines::new(io::stderr())),
                Choice::Silent => View::Silent,
            },
            taskbar: has_taskbar.then(|| Taskbar::new(io::stderr())),
        }
    }

    /// Takes an event that came at `now`, counted from the beginning of the wait.
    pub(crate) fn event(&mut self, event: &Event<'_>, now: Duration) {
        self.board.take(event, now);
        if let Some(taskbar) = &mut self.taskbar {
            taskbar.show(&self.board);
        }
        match &mut self.view {
            View::Bars(bars) => bars.draw(&self.board),
            View::Lines(lines) => lines.tell(&self.board, event),
            View::Silent => {}
        }
    }

    /// What is known of a task.
    pub(crate) fn task(&self, index: usize) -> Option<&Task> {
        self.board.task(index)
    }

    /// Where things stand, for whoever asks in the middle of a wait (SIGUSR1).
    pub(crate) fn standing(&self) -> Vec<String> {
        standing::lines(&self.board)
    }

    /// Runs `print` with what is redrawn in place out of the way.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        match &self.view {
            View::Bars(bars) => bars.aside(print),
            View::Lines(_) | View::Silent => print(),
        }
    }

    /// Draws the last frame and leaves it on the screen. The taskbar is cleared when this is dropped.
    pub(crate) fn finish(self) {
        if let View::Bars(bars) = &self.view {
            bars.finish();
        }
    }
}

#[cfg(test)]
mod tests;
