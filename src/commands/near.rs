//! What may have been meant by an id that was not found. Looked for only after the failure, briefly, and in silence if that fails too.

use std::time::Duration;

use tokio::sync::OnceCell;

use crate::error::{Command, Error, Hint, Reason};
use crate::journal::Journal;
use crate::pace::limit;
use crate::provider::{Provider, TaskFilter};
use crate::suggest;
use crate::task::ProviderId;

/// How long to look.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a cloud lists as exportable: asked for when something is not found, and only once.
pub(super) struct Sources<'a> {
    provider: &'a dyn Provider,
    ids: OnceCell<Vec<String>>,
}

impl<'a> Sources<'a> {
    /// Those of this cloud.
    pub(super) fn of(provider: &'a dyn Provider) -> Self {
        Sources {
            provider,
            ids: OnceCell::new(),
        }
    }

    /// Adds the snapshot or image that may have been meant, if the error is that this one does not exist.
    pub(super) async fn hint(&self, typed: &str, error: Error) -> Error {
        if !error.is_because(Reason::NoSource) {
            return error;
        }
        let ids = self.ids.get_or_init(|| self.list()).await;
        first_hint(error, suggest::hint(typed, ids.iter().map(String::as_str)))
    }

    async fn list(&self) -> Vec<String> {
        let listed = tokio::time::timeout(limit(PATIENCE), self.provider.exportable()).await;
        let sources = listed.ok().and_then(Result::ok).unwrap_or_default();
        sources.into_iter().map(|source| source.id).collect()
    }
}

/// Adds the task that may have been meant, of those in the journal.
pub(super) fn with_journaled(
    journal: Option<&Journal>,
    of: Option<ProviderId>,
    typed: &str,
    error: Error,
) -> Error {
    let ids = journaled(journal, of);
    first_hint(error, suggest::hint(typed, ids.iter().map(String::as_str)))
}

/// The same for a word that is no task's id: if it is a snapshot or image, its exports, else the task that may have been meant.
pub(super) fn with_exports_of(journal: Option<&Journal>, typed: &str, error: Error) -> Error {
    let started = journal.and_then(|journal| journal.started(None).ok());
    let mut exports = started.unwrap_or_default();
    exports.retain(|known| known.task.snapshot.as_deref() == Some(typed));
    let Some(last) = exports.last() else {
        return with_journaled(journal, None, typed, error);
    };
    let last = format!(
        "{typed} was exported: its last task is {}",
        last.task.qualified()
    );
    let all = Command::from("snapexport status --name").arg(typed);
    first_hint(
        error,
        Some(Hint::say(format!("{last}; all of them: ")).and_run(all)),
    )
}

/// The ids of the tasks that a provider lists or the journal holds.
pub(super) async fn task_ids(provider: &dyn Provider, journal: Option<&Journal>) -> Vec<String> {
    let mut ids = journaled(journal, Some(provider.id()));
    let filter = TaskFilter::default();
    if let Ok(Ok(tasks)) = tokio::time::timeout(limit(PATIENCE), provider.tasks(&filter)).await {
        ids.extend(tasks.into_iter().map(|task| task.id.0));
    }
    ids
}

/// Puts a hint before the others: it is the likeliest.
pub(super) fn first_hint(mut error: Error, hint: Option<impl Into<Hint>>) -> Error {
    if let Some(hint) = hint {
        error.details.hints.insert(0, hint.into());
    }
    error
}

fn journaled(journal: Option<&Journal>, of: Option<ProviderId>) -> Vec<String> {
    let started = journal.and_then(|journal| journal.started(None).ok());
    started
        .unwrap_or_default()
        .into_iter()
        .map(|known| known.task)
        .filter(|task| of.is_none_or(|provider| task.provider == provider))
        .map(|task| task.id.0)
        .collect()
}
