//! What this user started, what was about to be started, and what was last seen of it and of what can be exported. No secrets.
//!
//! SQLite, so that several processes never corrupt it and a process that is killed at any instruction leaves it whole.

mod belief;
mod file;
mod glance;
mod health;
mod intent;
mod live;
mod sources;

pub(crate) use belief::believe;
pub use file::Opened;
pub(crate) use glance::{glance, glance_at_sources};
pub(crate) use health::{Health, is_writable_directory, trial};
pub use intent::{Claim, Intent, Settled};

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::provider::{self, Realm};
use crate::task::{ProviderId, State, Task, TaskId, TaskObject};

/// An open journal.
pub struct Journal {
    connection: RefCell<Rc<Connection>>,
    /// The file behind the connection.
    file: Cell<Option<file::Identity>>,
    path: PathBuf,
    presence: OnceCell<live::Presence>,
    is_anew: Cell<bool>,
}

/// A task in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The account it was started in, as the journal knows it,
    pub account: String,
    /// and as its cloud does.
    pub realm: Realm,
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
        realm: &Realm,
        now: Timestamp,
    ) -> Result<()> {
        self.mend()?;
        self.write(task, Some(profile), (account, realm), Some(now), now)
            .map_err(|error| written(&error))
    }

    /// Notes how a task was last seen. A task of which an end was seen keeps it; one that was complete stays so.
    pub fn record_sight(&self, task: &Task, account: &str, now: Timestamp) -> Result<()> {
        self.mend()?;
        self.write(task, None, (account, &Realm::default()), None, now)
            .map_err(|error| written(&error))
    }

    fn write(
        &self,
        task: &Task,
        profile: Option<Option<&str>>,
        (account, realm): (&str, &Realm),
        started_at: Option<Timestamp>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let object = serde_json::to_string(&TaskObject::from(task)).unwrap_or_default();
        self.connection()
            .prepare_cached(
                "INSERT INTO task (provider, region, task_id, account, profile, started_at, seen_at, is_terminal, object, realm)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?12)
                 ON CONFLICT (provider, region, task_id) DO UPDATE SET
                   profile = CASE WHEN ?10 THEN excluded.profile ELSE profile END,
                   started_at = coalesce(started_at, excluded.started_at),
                   realm = coalesce(excluded.realm, realm),
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
                    kept(realm),
                ])
            })
            .map(drop)
    }

    fn transaction<T>(
        &self,
        body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let connection = self.connection();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        match body(&connection) {
            Ok(value) => connection.execute_batch("COMMIT").map(|()| value),
            Err(error) => {
                // The first error is the one to tell; a rollback that fails too changes nothing.
                let _ = connection.execute_batch("ROLLBACK");
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
        let connection = self.connection();
        connection.pragma_update(None, "synchronous", "FULL")?;
        let result = self.transaction(body);
        // Into the file itself: what is beside it may be cleaned away. Where others read meanwhile, it stays in the log.
        let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        result
    }

    /// The entries with this id in any case, of one provider or of all.
    pub fn find(&self, id: &str, provider: Option<&str>) -> Result<Vec<Entry>> {
        self.select(BY_ID, params![id, provider])
    }

    /// What this user started: all that is under way, and what ended since `since`; oldest first.
    pub fn started(&self, since: Option<Timestamp>) -> Result<Vec<Entry>> {
        self.select(
            "WHERE started_at IS NOT NULL AND (is_terminal = 0 OR ?1 IS NULL OR seen_at >= ?1)
             ORDER BY started_at, rowid",
            params![since.map(|at| at.to_string())],
        )
    }

    /// What ended in one account, whoever started it; oldest first.
    pub fn ended(&self, provider: ProviderId, region: &str, account: &str) -> Result<Vec<Entry>> {
        self.select(
            "WHERE provider = ?1 AND region = ?2 AND account = ?3 AND is_terminal = 1 ORDER BY rowid",
            params![provider.0, region, account],
        )
    }

    fn select(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Entry>> {
        let read = || -> rusqlite::Result<Vec<Option<Entry>>> {
            let connection = self.connection();
            let mut statement =
                connection.prepare_cached(&format!("SELECT {COLUMNS} FROM task {which}"))?;
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

/// What [`entry`] reads.
const COLUMNS: &str =
    "provider, profile, started_at, object, seen_at, region, task_id, account, realm";

/// An id in any case, of one provider or of all.
const BY_ID: &str = "WHERE task_id = ?1 COLLATE NOCASE AND (?2 IS NULL OR provider = ?2)";

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    // A row that is not as it was written is no reason to lose the others.
    let (Ok(provider), Ok(object), Ok(region), Ok(id)) = (
        row.get::<_, String>(0),
        row.get::<_, String>(3),
        row.get::<_, String>(5),
        row.get::<_, String>(6),
    ) else {
        return Ok(None);
    };
    let Ok(registered) = provider::by_name(&provider) else {
        return Ok(None);
    };
    let text = |column| row.get::<_, Option<String>>(column).ok().flatten();
    let task = serde_json::from_str::<TaskObject>(&object)
        .ok()
        .and_then(|object| object.into_task(registered.id))
        .filter(|task| registered.forms.fit(task) && task.id.as_str() == id)
        .unwrap_or_else(|| rescued(registered, region, id, &object));
    Ok(Some(Entry {
        account: text(7).unwrap_or_default(),
        realm: text(8)
            .and_then(|realm| serde_json::from_str(&realm).ok())
            .unwrap_or_default(),
        profile: text(1),
        started_at: text(2).and_then(|at| at.parse().ok()),
        seen_at: text(4).and_then(|at| at.parse().ok()),
        task,
    }))
}

/// A task whose object this build cannot read, perhaps a later one's: the columns tell which it is, and it was under way as
/// far as anybody knows. Of the object, what can be read.
fn rescued(registered: &provider::Entry, region: String, id: String, object: &str) -> Task {
    fn member<T: DeserializeOwned>(object: &Value, name: &str) -> Option<T> {
        T::deserialize(&object[name]).ok()
    }
    let object: Value = serde_json::from_str(object).unwrap_or_default();
    let unseen = Task::unseen(registered.id, &region, TaskId(id));
    let task = Task {
        state: State::Running,
        provider_state: member(&object, "provider_state").unwrap_or_default(),
        snapshot: member(&object, "snapshot"),
        target: member(&object, "target"),
        created_at: member(&object, "created_at"),
        adopted: member(&object, "adopted").unwrap_or_default(),
        tags: member(&object, "tags").unwrap_or_default(),
        ..unseen.clone()
    };
    match registered.forms.fit(&task) {
        true => task,
        false => Task {
            target: None,
            ..task
        },
    }
}

/// As it is written; nothing, where nothing is known.
fn kept(realm: &Realm) -> Option<String> {
    (*realm != Realm::default())
        .then(|| serde_json::to_string(realm).ok())
        .flatten()
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
