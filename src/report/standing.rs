//! Where things stand, for whoever asks in the middle of a wait (SIGUSR1).

use std::time::Duration;

use super::board::{Board, Row, Sight};
use super::stage;
use crate::secret::clean;
use crate::task::State;
use crate::text;

/// More tasks than this are counted, not listed.
const MOST_LINES: usize = 10;

/// A line for each task, or one for all if they are many.
pub(super) fn lines(board: &Board) -> Vec<String> {
    let time = text::duration(board.now);
    if board.rows().count() > MOST_LINES {
        return vec![format!("[{time}] {}", summary(board))];
    }
    board
        .rows()
        .map(|row| format!("[{time}] {}", clean(&line(row, board.now))))
        .collect()
}

/// `12 tasks: 2 completed, 10 running; last answer 3s ago`
fn summary(board: &Board) -> String {
    let count = |is_meant: &dyn Fn(&Row) -> bool| board.rows().filter(|row| is_meant(row)).count();
    let in_state = |state: State| {
        count(&|row| !row.is_lost && row.sight != Sight::Never && row.task.state == state)
    };
    let counts: Vec<String> = [
        (in_state(State::Completed), "completed"),
        (in_state(State::Failed), "failed"),
        (in_state(State::Cancelled), "cancelled"),
        (in_state(State::Stalled), "stalled"),
        (in_state(State::Running), "running"),
        (in_state(State::Pending), "pending"),
        (count(&|row| row.is_lost), "given up"),
        (
            count(&|row| !row.is_lost && row.sight == Sight::Never),
            "not seen yet",
        ),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    let open = || board.rows().filter(|row| row.is_open());
    let contact = contact(
        open().filter_map(|row| row.answered_at).max(),
        open().filter_map(|row| row.next_poll).min(),
        board.now,
    );
    let total = text::count(board.rows().count(), "task");
    format!("{total}: {}{contact}", counts.join(", "))
}

/// `outscale/…: running (uploading), 42 %, about 33s left; last answer 57s ago, asking now`
fn line(row: &Row, now: Duration) -> String {
    let name = row.task.qualified();
    let (words, lost) = match row.sight {
        Sight::Never => ("not seen yet".to_owned(), "; given up"),
        Sight::Before | Sight::At(_) => (
            stage::in_full(stage::in_common_words(&row.task), row, now),
            " when last seen; given up",
        ),
    };
    let end = if row.is_lost {
        lost.to_owned()
    } else if row.is_open() {
        contact(row.answered_at, row.next_poll, now)
    } else {
        String::new()
    };
    format!("{name}: {words}{end}")
}

/// When there was a response, and when the next is asked for.
fn contact(answered_at: Option<Duration>, next_poll: Option<Duration>, now: Duration) -> String {
    let answer = match answered_at {
        Some(at) => format!("last answer {} ago", text::duration(now.saturating_sub(at))),
        None => "no answer yet".to_owned(),
    };
    match next_poll.map(|next| next.saturating_sub(now)) {
        None => format!("; {answer}"),
        Some(Duration::ZERO) => format!("; {answer}, asking now"),
        Some(left) => format!("; {answer}, next look in {}", text::duration(left)),
    }
}

#[cfg(test)]
mod tests;
