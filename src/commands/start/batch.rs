//! What all exports of one call need to know, read once.

use std::collections::HashMap;

use super::exported::Exported;
use super::turns::is_throttled;
use super::{Starter, View};
use crate::commands::start::search::is_same;
use crate::error::{Error, Kind, Result};
use crate::provider::TaskFilter;
use crate::secret::clean;
use crate::task::{ExportRequest, Task};

/// What was read before the first start.
pub(super) struct Batch {
    /// The exports of all the snapshots that the cloud lists.
    tasks: Result<Vec<Task>>,
    /// What was exported before.
    pub(super) exported: Exported,
    /// Whether they can succeed, of those that are to be started.
    checks: HashMap<(String, String), Result<Vec<String>>>,
}

impl Default for Batch {
    fn default() -> Self {
        Batch {
            tasks: Ok(Vec::new()),
            exported: Exported::default(),
            checks: HashMap::new(),
        }
    }
}

impl Starter<'_> {
    /// Reads what is needed to know for these exports.
    pub(super) async fn read(&mut self, requests: &[ExportRequest]) {
        let provider = self.search.provider;
        let filter = TaskFilter {
            snapshots: snapshots_of(requests),
            since: None,
            with_completed: self.wish.skips_exported,
        };
        self.batch.tasks = self.patiently(async || provider.tasks(&filter).await).await;
        let Ok(tasks) = &self.batch.tasks else {
            return;
        };
        self.batch.exported = match self.wish.skips_exported {
            true => Exported::to_leave_out(&self.search, requests, tasks).await,
            false => Exported::of(&self.search),
        };
        let wanted = requests
            .iter()
            .filter(|request| self.is_to_be_started(request, tasks));
        let wanted: Vec<ExportRequest> = wanted.cloned().collect();
        if wanted.is_empty() {
            return;
        }
        let checks = self
            .patiently(async || provider.preflight(&wanted).await)
            .await;
        let slots = match checks {
            Ok(slots) => slots,
            Err(error) => wanted.iter().map(|_| Err(error.clone())).collect(),
        };
        self.batch.checks = wanted.iter().map(key).zip(slots).collect();
    }

    /// Whether nothing is known so far that keeps an export from being started. Where an earlier start is open, that is
    /// looked up first.
    fn is_to_be_started(&self, request: &ExportRequest, tasks: &[Task]) -> bool {
        let is_running = |task: &Task| !task.is_settled() && is_same(task, request);
        let is_left_out =
            self.wish.skips_exported && self.batch.exported.sentence(request, tasks).is_some();
        let left = || self.search.left_open().unwrap_or_default();
        !is_left_out
            && (self.wish.is_new
                || !tasks.iter().any(is_running)
                    && !left().iter().any(|left| left.is_start_of(request)))
    }

    /// The exports of the same that the cloud has.
    pub(super) async fn listed(&self, request: &ExportRequest, view: View) -> Result<Vec<Task>> {
        match (view, &self.batch.tasks) {
            (View::Shared, Ok(tasks)) => Ok(tasks
                .iter()
                .filter(|task| is_same(task, request))
                .cloned()
                .collect()),
            (View::Shared, Err(error)) => Err(error.clone()),
            (View::Fresh, _) => {
                self.patiently(async || self.search.same(request, None).await)
                    .await
            }
        }
    }

    /// Step 3. What cannot succeed is not sent.
    pub(super) async fn check(&self, request: &ExportRequest, view: View) -> Result<()> {
        self.go_on()?;
        let checked = match (view, self.batch.checks.get(&key(request))) {
            (View::Shared, Some(checked)) => checked.clone(),
            _ => {
                let alone = std::slice::from_ref(request);
                let provider = self.search.provider;
                let mut slots = self
                    .patiently(async || provider.preflight(alone).await)
                    .await?;
                slots.pop().unwrap_or_else(|| Ok(Vec::new()))
            }
        };
        checked?.iter().for_each(|warning| self.warn_once(warning));
        Ok(())
    }

    /// A read in its turn, again and again while the cloud throttles, until a signal or the limit.
    async fn patiently<T>(&self, read: impl AsyncFn() -> Result<T>) -> Result<T> {
        loop {
            let result = tokio::select! {
                biased;
                () = self.signals.wait() => return Err(self.stopped()),
                result = async {
                    self.turns.take().await?;
                    read().await
                } => result,
                () = self.turns.over() => {
                    let limit = self.turns.words();
                    let sentence = format!("There was no answer within {limit}");
                    return Err(Error::new(Kind::Timeout, sentence));
                }
            };
            match result {
                Err(error) if is_throttled(&error) => self.hold(error)?,
                result => {
                    self.turns.answered();
                    return result;
                }
            }
        }
    }

    /// Holds all calls of the account back, and says so where it takes long.
    pub(super) fn hold(&self, error: Error) -> Result<()> {
        const LONG: std::time::Duration = std::time::Duration::from_secs(5);
        let words = error.one_line();
        tracing::info!("throttled: {words}");
        if let Some(pause) = self.turns.hold(error)?.filter(|pause| *pause >= LONG) {
            self.printer().note(format!(
                "{} throttles ({}); going on in {}",
                self.search.provider.id(),
                clean(&words),
                crate::text::duration(pause)
            ));
        }
        Ok(())
    }
}

/// The snapshots of these requests.
pub(crate) fn snapshots_of(requests: &[ExportRequest]) -> Vec<String> {
    let snapshots = requests.iter().map(|request| request.snapshot.clone());
    snapshots.collect()
}

fn key(request: &ExportRequest) -> (String, String) {
    (request.snapshot.clone(), request.target.identity())
}
