//! How far an export is, in words: the one place that makes them.

use std::time::Duration;

use super::board::Row;
use crate::task::{Progress, Task};
use crate::text;

/// `42 %`, where the provider gives a percentage.
pub(crate) fn percent(task: &Task) -> Option<String> {
    task.percent().map(|percent| format!("{percent} %"))
}

/// `running (uploading, 42 %)`
pub(crate) fn in_brief(task: &Task) -> String {
    let state = task.state.as_str();
    detailed(state, [word_beyond(task, state), percent(task)])
}

/// The common word, and what the provider says beyond it: `running (uploading)`, `running (Started, isTerminal: false)`.
pub(super) fn in_common_words(task: &Task) -> String {
    let state = task.state.as_str();
    let flag = flag(task).filter(|_| !task.state.is_terminal());
    detailed(state, [word_beyond(task, state), flag])
}

/// The provider's word with its flag: `uploading`, `Started (isTerminal: false)`; or why nothing moves any more.
pub(super) fn in_own_words(task: &Task) -> String {
    let word = word(task);
    if task.is_stalled() {
        let reason = task.error.as_ref().map_or("", |error| &error.message);
        return format!("{word}, but stalled: {reason}");
    }
    detailed(word, [flag(task)])
}

/// These words with percent and estimate: `uploading, 42 %, about 1m20s left`.
pub(super) fn in_full(words: String, row: &Row, now: Duration) -> String {
    let parts = [Some(words), percent(&row.task), left(row, now)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The provider's word; the common one where it has none.
pub(super) fn word(task: &Task) -> &str {
    if task.provider_state.is_empty() {
        task.state.as_str()
    } else {
        &task.provider_state
    }
}

/// `isTerminal: false`, where the provider gives that flag.
pub(super) fn flag(task: &Task) -> Option<String> {
    match task.progress {
        Progress::Flag { is_terminal } => Some(format!("isTerminal: {is_terminal}")),
        Progress::Percent(_) | Progress::Step { .. } => None,
    }
}

/// `about 1m20s left`, where that can be told.
pub(super) fn left(row: &Row, now: Duration) -> Option<String> {
    row.left(now)
        .map(|left| format!("about {} left", text::duration(left)))
}

/// The provider's word, if it says more than the common one.
fn word_beyond(task: &Task, state: &str) -> Option<String> {
    let word = &task.provider_state;
    let is_more = !word.is_empty() && !word.eq_ignore_ascii_case(state);
    is_more.then(|| word.clone())
}

/// `word (detail, detail)`
fn detailed(word: &str, details: impl IntoIterator<Item = Option<String>>) -> String {
    let details: Vec<String> = details.into_iter().flatten().collect();
    if details.is_empty() {
        word.to_owned()
    } else {
        format!("{word} ({})", details.join(", "))
    }
}
