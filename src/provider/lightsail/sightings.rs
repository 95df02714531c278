//! Tasks as they are seen: looked at by id, listed, and followed to what they made.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use aws_sdk_lightsail::types::{ExportSnapshotRecord, Operation};
use futures_util::future::{join, try_join};
use futures_util::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};

use super::join::{self, Claim, Match, RECORD_PREFIX};
use super::merge::{self, SeenOperation, SeenRecord};
use super::{ID, Lightsail, PARALLEL};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::provider::TaskFilter;
use crate::provider::belief::mixed_up;
use crate::task::{Artifact, State, Task, TaskId};

/// So many operations are asked for one by one.
pub(super) const FEW: usize = 4;
/// How long after an export's start EC2 may be copying what it made. Exports take an hour or so.
const LONGEST_COPY: SignedDuration = SignedDuration::from_hours(48);

impl Lightsail {
    /// One slot per task: the operations side by side, and one pass over the records for all of them.
    pub(super) async fn look_at(&self, known: &[Task]) -> Result<Vec<Result<Task>>> {
        let (operations, records) = join(self.operations_of(known), self.calls.records()).await;
        let operations = operations?;
        if let Some(error) = common_failure(&operations) {
            return Err(error.clone());
        }
        let records = records?;
        let joined = self.records_of(known, &operations, &records).await?;
        let mut slots = Vec::with_capacity(known.len());
        for ((known, operation), record) in known.iter().zip(operations).zip(joined) {
            slots.push(self.sight(known, operation, record).await);
        }
        let mut seen: Vec<&mut Task> = slots.iter_mut().flatten().collect();
        if let Err(error) = self.arrived(&mut seen).await {
            for slot in &mut slots {
                if slot
                    .as_ref()
                    .is_ok_and(|task| task.state == State::Completed)
                {
                    *slot = Err(error.clone());
                }
            }
        }
        Ok(slots)
    }

    /// The operation of each task: from the list of all, where that takes fewer requests than to ask for each.
    async fn operations_of(&self, known: &[Task]) -> Result<Vec<Option<Result<SeenOperation>>>> {
        let ids = known.iter().map(|task| task.id.as_str());
        let ids: HashSet<&str> = ids.filter(|id| !id.starts_with(RECORD_PREFIX)).collect();
        let mut listed = HashMap::new();
        if ids.len() > self.pages_of_operations.load(Ordering::Relaxed) {
            let is_wanted =
                |operation: &Operation| operation.id().is_some_and(|id| ids.contains(id));
            // The newest come last: behind more pages than there are tasks, each is asked for, and from then on.
            let operations = self.calls.some_operations(ids.len(), is_wanted).await;
            let (operations, pages) = match operations {
                Err(error) if !error.kind.is_transient() => (Vec::new(), None),
                operations => operations?,
            };
            let pages = pages.map_or(usize::MAX, |pages| pages.max(FEW));
            self.pages_of_operations.store(pages, Ordering::Relaxed);
            for operation in operations {
                let id = operation.typed.id().unwrap_or_default().to_owned();
                listed.insert(id, operation);
            }
        }
        let mut asked = Vec::with_capacity(known.len());
        for task in known {
            let listed = listed.remove(task.id.as_str());
            asked.push(async move {
                match listed {
                    Some(operation) => Some(Ok(operation)),
                    None => self.operation(&task.id).await,
                }
            });
        }
        Ok(stream::iter(asked).buffered(PARALLEL).collect().await)
    }

    /// The record of each task. Before one is taken in doubt, all other operations are asked for, one of which may own it.
    async fn records_of<'r>(
        &self,
        known: &[Task],
        operations: &[Option<Result<SeenOperation>>],
        records: &'r [SeenRecord],
    ) -> Result<Vec<Option<&'r SeenRecord>>> {
        let claims = known.iter().zip(operations).map(claim);
        let mut claims: Vec<Claim<'_>> = claims.collect();
        let typed = typed(records);
        let mut joined = join::join(&claims, &typed);
        let others;
        if joined.iter().flatten().any(|found| !found.is_sure) {
            others = match self.calls.operations().await {
                // Who may not list them is not kept from their own.
                Err(error) if !error.kind.is_transient() => Vec::new(),
                others => others?,
            };
            // One without an id is nobody's.
            let is_other = |operation: &&Operation| {
                operation.id().is_some()
                    && known
                        .iter()
                        .all(|task| operation.id() != Some(task.id.as_str()))
            };
            let rivals = others.iter().map(|seen| &seen.typed).filter(is_other);
            claims.extend(rivals.map(Claim::of_operation));
            joined = join::join(&claims, &typed);
            joined.truncate(known.len());
        }
        let record = |found: Option<Match>| Some(&records[found?.record]);
        Ok(joined.into_iter().map(record).collect())
    }

    /// One task of what its operation and its record say.
    async fn sight(
        &self,
        known: &Task,
        operation: Option<Result<SeenOperation>>,
        record: Option<&SeenRecord>,
    ) -> Result<Task> {
        let (operation, error) = match operation {
            Some(Ok(operation)) => (Some(operation), None),
            Some(Err(error)) if error.kind != Kind::NotFound => return Err(error),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let has_failed = record.is_some_and(|record| merge::has_failed(&record.typed));
        let operation = match operation {
            // The record failed between the two requests. Only the operation says why, so it is asked again.
            Some(earlier) if has_failed && earlier.typed.is_terminal() != Some(true) => {
                match self.operation(&known.id).await {
                    Some(Ok(later)) => Some(later),
                    _ => Some(earlier),
                }
            }
            same => same,
        };
        let (op, rec) = (operation.as_ref(), record);
        let (op, rec) = (op.map(|seen| &seen.typed), rec.map(|seen| &seen.typed));
        if let Some(what) = merge::contradiction(op, rec) {
            return Err(mixed_up(known, &what));
        }
        let Some(mut task) = merge::task(&self.region, operation.as_ref(), record) else {
            let unknown = || Error::new(Kind::NotFound, self.unknown(&known.id));
            return Err(error.unwrap_or_else(unknown));
        };
        // An operation of another id is refused where it is read; a record has an id of its own.
        task.id = known.id.clone();
        self.judge_absence(&mut task, known, record);
        if operation.is_none() {
            task.created_at = known.created_at.or(task.created_at);
        }
        Ok(task)
    }

    /// Only the cloud's own word is an end: that a record is missing counts after several polls, by this machine's clock
    /// as well as the cloud's, and never for one that was there.
    fn judge_absence(&self, task: &mut Task, known: &Task, record: Option<&SeenRecord>) {
        if record.is_some() || known.artifact.is_some() || !known.raw.member("record").is_null() {
            self.absences.seen(&task.id);
        }
        if task.is_stalled() && !self.absences.missed(&task.id) {
            merge::go_on(task);
        }
    }

    /// What the records tell of, each under its operation's id while that is readable, newest first.
    pub(super) async fn list(&self, filter: &TaskFilter) -> Result<Vec<Task>> {
        let (operations, records) = try_join(self.calls.operations(), self.calls.records()).await?;
        let claims = operations
            .iter()
            .map(|seen| Claim::of_operation(&seen.typed));
        let claims: Vec<Claim<'_>> = claims.collect();
        let found = join::join(&claims, &typed(&records));
        drop(claims);
        let mut owners: Vec<Option<usize>> = vec![None; records.len()];
        let mut tasks = Vec::with_capacity(records.len());
        for (at, (operation, found)) in operations.iter().zip(found).enumerate() {
            match found {
                Some(found) => owners[found.record] = Some(at),
                None if is_export_without_record(&operation.typed) => {
                    tasks.extend(merge::task(&self.region, Some(operation), None));
                }
                None => {}
            }
        }
        let mut contradicts = Ok(());
        let mut operations: Vec<Option<SeenOperation>> = operations.into_iter().map(Some).collect();
        // Each is given up once it is a task: there may be a hundred thousand.
        for (record, owner) in records.into_iter().zip(owners) {
            let owner = owner.and_then(|at| operations[at].take());
            let operation = owner.as_ref().map(|seen| &seen.typed);
            if let Some(what) = merge::contradiction(operation, Some(&record.typed)) {
                let id = record.typed.name().unwrap_or_default();
                let task = Task::unseen(ID, &self.region, TaskId::from(id));
                contradicts = Err(mixed_up(&task, &what));
            }
            tasks.extend(merge::task(&self.region, owner.as_ref(), Some(&record)));
        }
        contradicts?;
        tasks
            .iter_mut()
            .filter(|task| task.is_stalled())
            .for_each(merge::go_on);
        tasks.retain(|task| is_wanted(filter, task));
        let mut young: Vec<&mut Task> = tasks.iter_mut().filter(|task| is_young(task)).collect();
        self.arrived(&mut young).await?;
        tasks.sort_unstable_by(|a, b| (b.created_at, &a.id).cmp(&(a.created_at, &b.id)));
        Ok(tasks)
    }

    /// What the records say the tasks made.
    pub(super) async fn artifacts_of(&self, tasks: &[Task]) -> Vec<Result<Artifact>> {
        let none = |task: &Task| {
            Error::new(
                Kind::NotFound,
                format!("No export record says what {} made", task.id),
            )
            .hint(
                Hint::run(Command::from("snapexport status").arg(task.qualified()))
                    .and(" shows where it stands"),
            )
        };
        let slots = match self.look_at(tasks).await {
            Ok(slots) => slots,
            Err(error) => tasks.iter().map(|_| Err(error.clone())).collect(),
        };
        let slots = tasks.iter().zip(slots);
        slots
            .map(|(task, seen)| seen?.artifact.ok_or_else(|| none(task)))
            .collect()
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
}

/// What a task can say of its record; nothing, where its operation could not be read.
fn claim<'a>((known, operation): (&'a Task, &'a Option<Result<SeenOperation>>)) -> Claim<'a> {
    match operation {
        Some(Ok(operation)) => Claim::of_task(known, Some(&operation.typed)),
        Some(Err(error)) if error.kind != Kind::NotFound => Claim::default(),
        _ => Claim::of_task(known, None),
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

/// Whether EC2 may still be copying what it made: what is older is not asked for in a list.
fn is_young(task: &Task) -> bool {
    let age = |at| Timestamp::now().duration_since(at);
    task.created_at.is_none_or(|at| age(at) < LONGEST_COPY)
}

fn is_wanted(filter: &TaskFilter, task: &Task) -> bool {
    filter.is_of(task.snapshot.as_deref())
        && filter
            .since
            .is_none_or(|since| task.created_at.is_none_or(|created| created >= since))
}
