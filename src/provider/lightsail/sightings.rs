//! Tasks as they are seen: looked at by id, listed, and followed to what they made.

use aws_sdk_lightsail::types::{ExportSnapshotRecord, Operation};
use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt};

use super::join::{self, RECORD_PREFIX, SeenOperation, SeenRecord};
use super::{Lightsail, PARALLEL};
use crate::error::{Error, Kind, Result};
use crate::provider::TaskFilter;
use crate::task::{Artifact, Task, TaskId};

impl Lightsail {
    /// One slot per id: the operations side by side, then one pass over the records for all of them.
    pub(super) async fn look_at(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        let asked = ids.iter().cloned();
        let operations: Vec<Option<Result<SeenOperation>>> =
            stream::iter(asked.map(|id| async move { self.operation(&id).await }))
                .buffered(PARALLEL)
                .collect()
                .await;
        if let Some(error) = common_failure(&operations) {
            return Err(error.clone());
        }
        let is_any_known = operations.iter().any(|slot| !matches!(slot, Some(Err(_))));
        let records = if is_any_known {
            self.calls.records().await?
        } else {
            Vec::new()
        };
        let known: Vec<&Operation> = operations
            .iter()
            .flatten()
            .filter_map(|slot| Some(&slot.as_ref().ok()?.typed))
            .collect();
        let mut joined = join::join(&known, &typed(&records)).into_iter();
        let mut slots = Vec::with_capacity(ids.len());
        for (id, operation) in ids.iter().zip(&operations) {
            slots.push(match operation {
                Some(Ok(operation)) => {
                    let record = joined.next().flatten().map(|index| &records[index]);
                    let is_late = record.is_some_and(|record| join::has_failed(&record.typed))
                        && operation.typed.is_terminal() != Some(true);
                    // The record failed between the two requests. Only the operation says why, so it is asked again.
                    match if is_late {
                        self.operation(id).await
                    } else {
                        None
                    } {
                        Some(Ok(later)) => self.found(id, Some(&later), record),
                        _ => self.found(id, Some(operation), record),
                    }
                }
                Some(Err(error)) => Err(error.clone()),
                None => {
                    let named = |seen: &&SeenRecord| seen.typed.name() == Some(id.as_str());
                    self.found(id, None, records.iter().find(named))
                }
            });
        }
        Ok(slots)
    }

    /// What the records tell of, each under its operation's id while that is readable, newest first.
    pub(super) async fn list(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let (operations, records) = try_join(self.calls.operations(), self.calls.records()).await?;
        let known: Vec<&Operation> = operations.iter().map(|seen| &seen.typed).collect();
        let mut owners: Vec<Option<&SeenOperation>> = vec![None; records.len()];
        let mut tasks = Vec::new();
        for (operation, index) in operations.iter().zip(join::join(&known, &typed(&records))) {
            match index {
                Some(index) => owners[index] = Some(operation),
                None if is_export_without_record(&operation.typed) => {
                    tasks.extend(join::task(&self.region, Some(operation), None));
                }
                None => {}
            }
        }
        for (record, owner) in records.iter().zip(owners) {
            tasks.extend(join::task(&self.region, owner, Some(record)));
        }
        tasks.retain(|task| is_wanted(filter, task));
        tasks.sort_by_key(|task| std::cmp::Reverse(task.created_at));
        Ok(tasks)
    }

    /// What the record says the task made.
    pub(super) async fn artifact_of(&self, task: &Task) -> Result<Artifact> {
        let records = self.calls.records().await?;
        let record = match known_record(task, &records) {
            Some(record) => Some(record.clone()),
            None => self.joined_record(task, &records).await?,
        };
        record
            .and_then(|record| join::artifact(&self.region, &record.typed))
            .ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!("No export record says what {} made", task.id),
                )
                .hint(format!(
                    "snapexport status {} shows where it stands",
                    task.qualified()
                ))
            })
    }

    /// The operation of an id; `None` for an id that names a record.
    async fn operation(&self, id: &TaskId) -> Option<Result<SeenOperation>> {
        if id.as_str().starts_with(RECORD_PREFIX) {
            return None;
        }
        let found = self.calls.operation(id.as_str()).await;
        Some(found.map_err(|error| match error.kind {
            Kind::NotFound => error.context(self.unknown(id)),
            _ => error,
        }))
    }

    fn unknown(&self, id: &TaskId) -> String {
        format!("Lightsail knows no export {id} in {}", self.region)
    }

    fn found(
        &self,
        id: &TaskId,
        operation: Option<&SeenOperation>,
        record: Option<&SeenRecord>,
    ) -> Result<Task> {
        let task = join::task(&self.region, operation, record);
        let mut task = task.ok_or_else(|| Error::new(Kind::NotFound, self.unknown(id)))?;
        // What was asked for, whatever the reply calls it: the caller finds its task by it.
        task.id = id.clone();
        Ok(task)
    }

    /// The record that an operation still readable leads to.
    async fn joined_record(
        &self,
        task: &Task,
        records: &[SeenRecord],
    ) -> Result<Option<SeenRecord>> {
        let Some(operation) = self.operation(&task.id).await else {
            return Ok(None);
        };
        let operation = operation?;
        let index = join::join(&[&operation.typed], &typed(records))[0];
        Ok(index.map(|index| records[index].clone()))
    }
}

/// The failure of a look in which nothing was answered, not even that a task is unknown.
fn common_failure(slots: &[Option<Result<SeenOperation>>]) -> Option<&Error> {
    let failure = |slot: &'_ Option<Result<SeenOperation>>| matches!(slot, Some(Err(error)) if error.kind != Kind::NotFound);
    slots
        .iter()
        .all(failure)
        .then(|| slots.first()?.as_ref()?.as_ref().err())
        .flatten()
}

/// The record that an earlier sighting of a task names: outright, or by what the export made.
fn known_record<'r>(task: &Task, records: &'r [SeenRecord]) -> Option<&'r SeenRecord> {
    let name = task.raw["record"]["name"]
        .as_str()
        .unwrap_or(task.id.as_str());
    let made = task
        .artifact
        .as_ref()
        .and_then(|artifact| artifact.id.as_deref());
    records.iter().find(|seen| {
        let destination = seen.typed.destination_info().and_then(|info| info.id());
        seen.typed.name() == Some(name) || (made.is_some() && destination == made)
    })
}

fn typed(records: &[SeenRecord]) -> Vec<&ExportSnapshotRecord> {
    records.iter().map(|seen| &seen.typed).collect()
}

/// An export so young that its record is not listed. The API's model has no word for the type of an export; should live
/// operations carry the call's name, a second start is spared.
fn is_export_without_record(operation: &Operation) -> bool {
    operation
        .operation_type()
        .is_some_and(|kind| kind.as_str() == "ExportSnapshot")
}

fn is_wanted(filter: &TaskFilter, task: &Task) -> bool {
    let is_about = |name: &String| task.snapshot.as_ref() == Some(name);
    filter.snapshot.as_ref().is_none_or(is_about)
        && filter
            .since
            .is_none_or(|since| task.created_at.is_none_or(|created| created >= since))
}
