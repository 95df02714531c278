//! What this user started, what was about to be started, and what was last seen of it and of what can be exported. No secrets.
//!
//! SQLite, so that several processes never corrupt it and a process that is killed at any instruction leaves it whole.

mod file;
mod glance;
mod health;
mod intent;
mod live;
mod sources;

pub use file::Opened;
pub(crate) use glance::{glance, glance_at_sources};
pub(crate) use health::{Health, is_writable_directory, trial};
pub use intent::{Claim, Intent, Settled};

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

#[cfg(unix)]
use crate::error::Command;
use crate::error::{Error, Hint, Kind, Result};
use crate::provider;
use crate::task::{ProviderId, State, Task, TaskObject};

/// An open journal.
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    presence: OnceCell<live::Presence>,
}

/// A task in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The profile it was started with, if one was named.
    pub profile: Option<String>,
    /// When this user started it; `None` for a task started elsewhere.
    pub started_at: Option<Timestamp>,
    /// When it was last seen otherwise than before.
    pub seen_at: Option<Timestamp>,
    /// As it was last seen.
    pub task: Task,
}

impl Journal {
    /// Notes a task that was started (or adopted) by this user.
    pub fn record_start(
        &self,
        task: &Task,
        profile: Option<&str>,
        account: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.write(task, Some(profile), account, Some(now), now)
            .map_err(|error| written(&error))
    }

    /// Notes how a task was last seen. A task of which an end was seen keeps it; one that was complete stays so.
    pub fn record_sight(&self, task: &Task, account: &str, now: Timestamp) -> Result<()> {
        self.write(task, None, account, None, now)
            .map_err(|error| written(&error))
    }

    fn write(
        &self,
        task: &Task,
        profile: Option<Option<&str>>,
        account: &str,
        started_at: Option<Timestamp>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let object = serde_json::to_string(&TaskObject::from(task)).unwrap_or_default();
        self.connection
            .prepare_cached(
                "INSERT INTO task (provider, region, task_id, account, profile, started_at, seen_at, is_terminal, object)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (provider, region, task_id) DO UPDATE SET
                   profile = CASE WHEN ?10 THEN excluded.profile ELSE profile END,
                   started_at = coalesce(started_at, excluded.started_at),
                   seen_at = excluded.seen_at,
                   is_terminal = excluded.is_terminal,
                   object = excluded.object
                 WHERE is_terminal = 0 OR excluded.is_terminal = 1 AND (?11 OR
                   CASE WHEN json_valid(object) THEN object ->> 'state' END IS NOT 'completed')",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    task.provider.0,
                    task.region,
                    task.id.as_str(),
                    account,
                    profile.flatten(),
                    started_at.map(|at| at.to_string()),
                    now.to_string(),
                    task.state.is_terminal(),
                    object,
                    profile.is_some(),
                    task.state == State::Completed,
                ])
            })
            .map(drop)
    }

    fn transaction<T>(
        &self,
        body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        match body(&self.connection) {
            Ok(value) => self.connection.execute_batch("COMMIT").map(|()| value),
            Err(error) => {
                // The first error is the one to tell; a rollback that fails too changes nothing.
                let _ = self.connection.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// A transaction that no power cut takes back.
    fn durable_transaction<T>(
        &self,
        body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        // What was seen may be lost with the power; what is about to be started may not.
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let result = self.transaction(body);
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        result
    }

    /// The entries with this id in any case, of one provider or of all.
    pub fn find(&self, id: &str, provider: Option<&str>) -> Result<Vec<Entry>> {
        self.select(
            "SELECT provider, profile, started_at, object, seen_at FROM task
             WHERE task_id = ?1 COLLATE NOCASE AND (?2 IS NULL OR provider = ?2)",
            params![id, provider],
        )
    }

    /// What this user started: all that is under way, and what ended since `since`; oldest first.
    pub fn started(&self, since: Option<Timestamp>) -> Result<Vec<Entry>> {
        self.select(
            "SELECT provider, profile, started_at, object, seen_at FROM task
             WHERE started_at IS NOT NULL AND (is_terminal = 0 OR ?1 IS NULL OR seen_at >= ?1)
             ORDER BY started_at, rowid",
            params![since.map(|at| at.to_string())],
        )
    }

    /// What ended in one account, whoever started it; oldest first.
    pub fn ended(&self, provider: ProviderId, region: &str, account: &str) -> Result<Vec<Entry>> {
        self.select(
            "SELECT provider, profile, started_at, object, seen_at FROM task
             WHERE provider = ?1 AND region = ?2 AND account = ?3 AND is_terminal = 1 ORDER BY rowid",
            params![provider.0, region, account],
        )
    }

    fn select(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<Entry>> {
        let read = || -> rusqlite::Result<Vec<Option<Entry>>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(values, entry)?.collect()
        };
        // A row of a provider that this build does not have is not ours to show.
        Ok(read()
            .map_err(|error| written(&error))?
            .into_iter()
            .flatten()
            .collect())
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    // A row that is not as it was written is no reason to lose the others.
    let (Ok(provider), Ok(profile), Ok(started_at), Ok(object), Ok(seen_at)) = (
        row.get::<_, String>(0),
        row.get::<_, Option<String>>(1),
        row.get::<_, Option<String>>(2),
        row.get::<_, String>(3),
        row.get::<_, Option<String>>(4),
    ) else {
        return Ok(None);
    };
    let (Ok(registered), Ok(object)) = (
        provider::by_name(&provider),
        serde_json::from_str::<TaskObject>(&object),
    ) else {
        return Ok(None);
    };
    let task = object.into_task(registered.id);
    let Some(task) = task.filter(|task| registered.forms.fit(task)) else {
        return Ok(None);
    };
    Ok(Some(Entry {
        profile,
        started_at: started_at.and_then(|at| at.parse().ok()),
        seen_at: seen_at.and_then(|at| at.parse().ok()),
        task,
    }))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

fn failed(path: &Path, cause: &str) -> Error {
    Error::new(
        Kind::Internal,
        format!("The journal {} cannot be opened", path.display()),
    )
    .cause(cause)
    .hints(foreign(path))
}

/// Whose it is, where it is not ours, and how to get it back.
#[cfg(unix)]
fn foreign(path: &Path) -> Option<Hint> {
    use std::os::unix::fs::MetadataExt;
    let us = rustix::process::geteuid().as_raw();
    let folder = path.parent()?;
    [path, folder]
        .iter()
        .find_map(|place| taken_back(place, folder, std::fs::metadata(place).ok()?.uid(), us))
}

/// Elsewhere files have no such owners.
#[cfg(not(unix))]
fn foreign(_path: &Path) -> Option<Hint> {
    None
}

#[cfg(unix)]
fn taken_back(place: &Path, folder: &Path, owner: u32, us: u32) -> Option<Hint> {
    let whose = match owner {
        _ if owner == us || us == 0 => return None,
        0 => "root, perhaps by sudo".to_owned(),
        other => format!("another user (id {other})"),
    };
    let chown = Command::from("sudo chown -R \"$(id -un)\"").arg(folder.display());
    Some(Hint::say(format!("{} belongs to {whose}: ", place.display())).and_run(chown))
}

/// Kind `unavailable` while another process holds it; it can be tried again.
fn written(error: &rusqlite::Error) -> Error {
    let kind = if is_busy(error) {
        Kind::Unavailable
    } else {
        Kind::Internal
    };
    Error::new(kind, "The journal cannot be read or written").cause(error.to_string())
}

#[cfg(test)]
mod tests;
