//! What is wanted of starts, and how far one has come.

use super::claim::Attempt;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::options::Limit;
use crate::task::Task;

/// What is wanted of starts.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    /// Start another although an identical export is under way.
    pub(crate) is_new: bool,
    /// Leave out what was exported to the same place before.
    pub(crate) skips_exported: bool,
    /// How long all of it may take, as it was typed,
    pub(crate) limit: Limit,
    /// and until when.
    pub(crate) deadline: Option<Deadline>,
}

/// What became of the wish to start an export.
pub(crate) enum Started {
    /// It is this task.
    Task(Box<Task>),
    /// It was exported before, and is left out.
    LeftOut,
    /// It was surely not started, or nobody knows (kind `maybe_started`).
    Failed(Error),
    /// It was not tried: a signal came or the account's credentials were refused before.
    NotSent(Error),
}

/// Which reads are good enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Those that were made once for all exports of the call.
    Shared,
    /// New ones: something has happened since.
    Fresh,
}

/// How far an export is before anything is sent.
pub(super) enum Prepared {
    Task(Box<Task>),
    LeftOut,
    /// It is ours to send.
    Send(Box<Attempt>),
    /// Somebody has died or lost a reply meanwhile: from the top.
    Again,
}

/// What became of earlier starts of the same whose outcome was not known.
pub(super) enum Earlier {
    /// There were none.
    None,
    /// They were looked up, and nothing keeps another from being started.
    LookedUp,
    /// One is this task.
    Task(Box<Task>),
}
