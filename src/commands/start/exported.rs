//! What was exported to the same place before.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Search;
use super::search::is_same;
use crate::journal::Entry;
use crate::provider::Naming;
use crate::secret::clean;
use crate::task::{ExportRequest, Source, State, Task};

/// The exports of one account that are complete.
#[derive(Default)]
pub(crate) struct Exported {
    /// Those that the journal knows.
    known: Vec<Entry>,
    /// When what bears a name now was made, where names are given again: what was exported before then was something else.
    births: Option<HashMap<String, Timestamp>>,
}

impl Exported {
    /// What the journal knows.
    pub(crate) fn of(search: &Search<'_>) -> Self {
        Exported {
            known: journaled(search),
            births: None,
        }
    }

    /// The same, to leave out exports of these because of it: where names are given again, it is looked at what bears them now.
    /// `listed` is what the cloud lists.
    pub(crate) async fn to_leave_out(
        search: &Search<'_>,
        requests: &[ExportRequest],
        listed: &[Task],
    ) -> Self {
        let mut exported = Exported::of(search);
        let provider = search.provider;
        let mut requests = requests.iter();
        if provider.capabilities().naming == Naming::Names
            && requests.any(|request| exported.sentence(request, listed).is_some())
        {
            let sources = provider.exportable().await.unwrap_or_else(|error| {
                tracing::info!("{}", error.one_line());
                Vec::new()
            });
            let born = |source: Source| Some((source.id, source.created_at?));
            exported.births = Some(sources.into_iter().filter_map(born).collect());
        }
        exported
    }

    /// Says when and as what the same was exported last, by the journal or by what the cloud lists.
    pub(crate) fn sentence(&self, request: &ExportRequest, listed: &[Task]) -> Option<String> {
        let journaled = self.known.iter().map(|known| {
            let when = ended_at(&known.task).or(known.started_at);
            (when, &known.task)
        });
        let listed = listed.iter().map(|task| (ended_at(task), task));
        let is_of_this = |when: Option<Timestamp>| match &self.births {
            None => true,
            Some(births) => {
                let born = births.get(&request.snapshot);
                born.is_some_and(|born| when >= Some(*born))
            }
        };
        let same = journaled.chain(listed).filter(|(when, task)| {
            task.state == State::Completed && is_same(task, request) && is_of_this(*when)
        });
        let (when, last) = same.max_by_key(|(when, _)| *when)?;
        let when = when.map_or_else(
            || "before".to_owned(),
            |when| when.strftime("on %Y-%m-%d %H:%M UTC").to_string(),
        );
        let snapshot = clean(&request.snapshot);
        Some(format!("{snapshot} was exported {when} as {}", last.id))
    }
}

/// What the journal knows. Nobody is kept from an export because it cannot be read.
fn journaled(search: &Search<'_>) -> Vec<Entry> {
    let provider = search.provider;
    let Some(journal) = search.journal else {
        return Vec::new();
    };
    let known = journal.ended(provider.id(), provider.region(), &provider.account());
    let mut known = known.unwrap_or_else(|error| {
        tracing::info!("{}", error.one_line());
        Vec::new()
    });
    known.retain(|known| known.task.state == State::Completed);
    known
}

fn ended_at(task: &Task) -> Option<Timestamp> {
    task.finished_at.or(task.created_at)
}
