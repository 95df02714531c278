//! Tasks as the API lists them: by ids, or all. A list that has one twice is not believed about it.

use std::collections::{HashMap, HashSet};

use serde_json::Map;

use super::{ID, Outscale, READ_TASKS, UNKNOWN_MEMBER, api, filter, mapping};
use crate::error::{Error, Hint, Kind, Result};
use crate::provider::TaskFilter;
use crate::provider::belief::{mixed_up, twice};
use crate::task::{Raw, Task, TaskId};

/// What a list has: each task once, and the ids of those that it has twice and not alike.
struct Listed {
    tasks: Vec<Task>,
    odd: HashSet<TaskId>,
}

impl Listed {
    fn of(mut tasks: Vec<Task>) -> Self {
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(tasks.len());
        let mut odd = HashSet::new();
        let mut is_first = Vec::with_capacity(tasks.len());
        for (at, task) in tasks.iter().enumerate() {
            let first = *places.entry(task.id.as_str()).or_insert(at);
            is_first.push(first == at);
            if tasks[first] != *task {
                odd.insert(task.id.clone());
            }
        }
        let mut is_first = is_first.into_iter();
        tasks.retain(|_| is_first.next().unwrap_or(true));
        Listed { tasks, odd }
    }
}

impl Outscale {
    /// A slot for each id, in order.
    pub(super) async fn look_at(&self, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
        let mut slots = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(api::PAGE) {
            let Listed { tasks, odd } = self.named(chunk).await?;
            let asked: HashSet<&TaskId> = chunk.iter().collect();
            let stranger = tasks.iter().find(|task| !asked.contains(&task.id));
            let found: HashMap<&TaskId, &Task> =
                tasks.iter().map(|task| (&task.id, task)).collect();
            for id in chunk {
                slots.push(match (found.get(id), stranger) {
                    (Some(_), _) if odd.contains(id) => self.alone(id).await,
                    (Some(task), _) => Ok((*task).clone()),
                    (None, Some(other)) => {
                        let asked = Task::unseen(ID, &self.account.region, id.clone());
                        Err(mixed_up(&asked, &format!("the task '{}'", other.id)))
                    }
                    (None, None) => Err(self.task_not_found(id)),
                });
            }
        }
        Ok(slots)
    }

    /// Those that the filter wants.
    pub(super) async fn list(&self, wanted: &TaskFilter) -> Result<Vec<Task>> {
        // To name more than a page holds costs more than to leave out what is not wanted afterwards.
        let named = Some(&wanted.snapshots).filter(|all| all.len() <= api::PAGE);
        let filters = filter(
            "SnapshotIds",
            named.into_iter().flatten().map(String::as_str),
        );
        let what = "the list of export tasks";
        let is_filtered = !filters.is_empty();
        let listed = match self.listed(&filters, what).await {
            // The filter came with spec 1.40.1; an older gateway lists everything.
            Err(error) if is_filtered && error.details.code.as_deref() == Some(UNKNOWN_MEMBER) => {
                self.listed(&Map::new(), what).await?
            }
            outcome => outcome?,
        };
        let Listed { mut tasks, odd } = listed;
        tasks.retain(|task| wanted.is_of(task.snapshot.as_deref()));
        for task in tasks.iter_mut().filter(|task| odd.contains(&task.id)) {
            *task = self.alone(&task.id).await?;
        }
        Ok(tasks)
    }

    async fn named(&self, ids: &[TaskId]) -> Result<Listed> {
        let filters = filter("TaskIds", ids.iter().map(TaskId::as_str));
        let what = match ids {
            [id] => format!("the look at {id}"),
            _ => format!("the look at {} export tasks", ids.len()),
        };
        self.listed(&filters, &what).await
    }

    async fn listed(&self, filters: &Map<String, serde_json::Value>, what: &str) -> Result<Listed> {
        let keep = |raw| {
            let task = mapping::task(&raw, &self.account.region);
            let mut task = task.ok_or_else(|| api::not_a_member(READ_TASKS, "a task"))?;
            if !self.api.http.is_whole() {
                task.raw = Raw::default();
            }
            Ok(Some(task))
        };
        let member = "SnapshotExportTasks";
        let tasks = self.api.list(READ_TASKS, member, filters, what, keep);
        tasks.await.map(Listed::of)
    }

    /// A task that a list has twice, and not alike: a task has no times that would tell which is later.
    async fn alone(&self, id: &TaskId) -> Result<Task> {
        let Listed { tasks, odd } = self.named(std::slice::from_ref(id)).await?;
        if odd.contains(id) {
            return Err(twice(READ_TASKS, id.as_str()));
        }
        let found = tasks.into_iter().find(|task| task.id == *id);
        found.ok_or_else(|| self.task_not_found(id))
    }

    fn task_not_found(&self, id: &TaskId) -> Error {
        Error::new(
            Kind::NotFound,
            format!(
                "OUTSCALE knows no export task {id} in {}",
                self.account.region
            ),
        )
        .hint(
            Hint::run("snapexport status --remote")
                .and(" lists the tasks that it knows; check the region and the account"),
        )
    }
}
