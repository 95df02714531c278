//! What this user started, what was about to be started, and what was last seen of it and of what can be exported. No secrets.
//!
//! SQLite, so that several processes never corrupt it and a process that is killed at any instruction leaves it whole.

mod glance;
mod health;
mod intent;
mod live;
mod sources;

pub use glance::{glance, glance_at_sources};
pub use health::{Health, is_writable_directory};
pub use intent::{Claim, Intent, Settled};

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};

use crate::error::{Error, Kind, Result};
use crate::provider;
use crate::task::{Task, TaskObject};

/// The layout this version writes (`PRAGMA user_version`).
const VERSION: i64 = 4;
/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// An open journal.
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    presence: std::cell::OnceCell<live::Presence>,
}

/// A journal, and what had to be done to open it.
pub struct Opened {
    /// Ready to use.
    pub journal: Journal,
    /// Where a damaged one was moved to.
    pub moved_to: Option<PathBuf>,
}

/// A task in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The profile it was started with, if one was named.
    pub profile: Option<String>,
    /// When this user started it; `None` for a task started elsewhere.
    pub started_at: Option<Timestamp>,
    /// As it was last seen.
    pub task: Task,
}

impl Journal {
    /// Opens the journal; makes it, readable by its owner only, if it does not exist.
    ///
    /// One that is damaged is moved aside, never deleted, and a new one begun; `Opened::moved_to` says where it is.
    pub fn open(path: &Path) -> Result<Opened> {
        match Self::try_open(path) {
            Ok(journal) => Ok(Opened {
                journal,
                moved_to: None,
            }),
            Err(error) if is_damage(&error) => {
                let moved_to =
                    move_aside(path).map_err(|error| failed(path, &error.to_string()))?;
                let journal =
                    Self::try_open(path).map_err(|error| failed(path, &error.to_string()))?;
                Ok(Opened { journal, moved_to })
            }
            Err(error) => Err(failed(path, &error.to_string())),
        }
    }

    /// The same, read from end to end first: for whoever is about to rely on it.
    ///
    /// Damage below the first page shows only in what is read; this finds it before anything is written.
    pub fn open_whole(path: &Path) -> Result<Opened> {
        let opened = Self::open(path)?;
        match opened.journal.discard_if_damaged()? {
            None => Ok(opened),
            moved_to => Ok(Opened {
                moved_to,
                ..Self::open(path)?
            }),
        }
    }

    /// Moves the journal aside if it is damaged; `None` if it is not. After that, it is not to be used.
    pub fn discard_if_damaged(&self) -> Result<Option<PathBuf>> {
        if self.check().is_ok() {
            return Ok(None);
        }
        move_aside(&self.path).map_err(|error| failed(&self.path, &error.to_string()))
    }

    fn try_open(path: &Path) -> rusqlite::Result<Self> {
        match Self::try_open_writable(path) {
            // What cannot be written can still be read, such as in a home that is mounted read-only.
            Err(error) if is_read_only(&error) && path.exists() => {
                Self::try_open_as_it_is(path).map_err(|_| error)
            }
            other => other,
        }
    }

    /// Reads the file alone: beside it, SQLite would have to make others.
    fn try_open_as_it_is(path: &Path) -> rusqlite::Result<Self> {
        let url = url::Url::from_file_path(std::path::absolute(path).unwrap_or_default())
            .map_err(|()| rusqlite::Error::InvalidPath(path.to_owned()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(format!("{url}?immutable=1"), flags)?;
        if user_version(&connection)? != VERSION {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok(Journal {
            connection,
            path: path.to_owned(),
            presence: std::cell::OnceCell::new(),
        })
    }

    fn try_open_writable(path: &Path) -> rusqlite::Result<Self> {
        create_private(path)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let patience = Instant::now() + BUSY;
        loop {
            match Self::connect(path) {
                // While another process makes the journal or brings it up to date, SQLite turns others away without waiting.
                Err(error) if is_busy(&error) && Instant::now() < patience => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                other => return other,
            }
        }
    }

    fn connect(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        let version = user_version(&connection)?;
        if version < VERSION {
            migrate(&connection)?;
        } else if version > VERSION {
            let why = format!("it was written by a newer version of snapexport (layout {version})");
            return Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
        }
        // Sightings may be lost with the power, intents may not: they raise this for their own transaction.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Journal {
            connection,
            path: path.to_owned(),
            presence: std::cell::OnceCell::new(),
        })
    }

    /// Notes a task that was started (or adopted) by this user.
    pub fn record_start(
        &self,
        task: &Task,
        profile: Option<&str>,
        account: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.write(task, Some(profile), account, Some(now), now)
    }

    /// Notes how a task was last seen. A task of which an end was seen keeps it.
    pub fn record_sight(&self, task: &Task, account: &str, now: Timestamp) -> Result<()> {
        self.write(task, None, account, None, now)
    }

    fn write(
        &self,
        task: &Task,
        profile: Option<Option<&str>>,
        account: &str,
        started_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<()> {
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
                 WHERE is_terminal = 0 OR excluded.is_terminal = 1",
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
                ])
            })
            .map(drop)
            .map_err(|error| written(&error))
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

    /// The entries with this id, of one provider or of all.
    pub fn find(&self, id: &str, provider: Option<&str>) -> Result<Vec<Entry>> {
        self.select(
            "SELECT provider, profile, started_at, object FROM task
             WHERE task_id = ?1 AND (?2 IS NULL OR provider = ?2)",
            params![id, provider],
        )
    }

    /// What this user started: all that is under way, and what ended since `since`; oldest first.
    pub fn started(&self, since: Option<Timestamp>) -> Result<Vec<Entry>> {
        self.select(
            "SELECT provider, profile, started_at, object FROM task
             WHERE started_at IS NOT NULL AND (is_terminal = 0 OR ?1 IS NULL OR seen_at >= ?1)
             ORDER BY started_at, rowid",
            params![since.map(|at| at.to_string())],
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

    /// Whether the journal can be read from end to end.
    pub fn check(&self) -> Result<()> {
        let damaged =
            |why: &str| Err(Error::new(Kind::Internal, "The journal is damaged").cause(why));
        let verdict: rusqlite::Result<Option<String>> = self
            .connection
            .query_row("PRAGMA quick_check", [], |row| row.get(0))
            .optional();
        match verdict {
            Ok(Some(verdict)) if verdict != "ok" => return damaged(&verdict),
            Err(error) if is_damage(&error) => return damaged(&error.to_string()),
            // A disk that fails, or a lock that is held, says nothing about the file.
            _ => {}
        }
        // Whole pages may still tell of other tables than ours: SQLite keeps their names as text.
        for sql in [
            "SELECT provider, region, task_id, account, profile, started_at, seen_at, is_terminal, object FROM task",
            intent::SELECT,
        ] {
            if let Err(error) = self.connection.prepare(sql)
                && (is_damage(&error) || matches!(error, rusqlite::Error::SqlInputError { .. }))
            {
                return damaged(&error.to_string());
            }
        }
        Ok(())
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    // A row that is not as it was written is no reason to lose the others.
    let (Ok(provider), Ok(profile), Ok(started_at), Ok(object)) = (
        row.get::<_, String>(0),
        row.get::<_, Option<String>>(1),
        row.get::<_, Option<String>>(2),
        row.get::<_, String>(3),
    ) else {
        return Ok(None);
    };
    let (Ok(registered), Ok(object)) = (
        provider::by_name(&provider),
        serde_json::from_str::<TaskObject>(&object),
    ) else {
        return Ok(None);
    };
    Ok(Some(Entry {
        profile,
        started_at: started_at.and_then(|at| at.parse().ok()),
        task: object.into_task(registered.id),
    }))
}

fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings an older layout, or an empty file, to the current one.
fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Asked again inside: another process may have been quicker.
    let from = user_version(connection)?;
    if from < 1 {
        connection.execute_batch(
            "CREATE TABLE task (
               provider TEXT NOT NULL,
               region TEXT NOT NULL,
               task_id TEXT NOT NULL,
               account TEXT NOT NULL,
               profile TEXT,
               started_at TEXT,
               seen_at TEXT NOT NULL,
               is_terminal INTEGER NOT NULL,
               object TEXT NOT NULL,
               PRIMARY KEY (provider, region, task_id)
             );
             CREATE INDEX task_by_id ON task (task_id);",
        )?;
    }
    if from < 2 {
        connection.execute_batch(intent::TABLE)?;
    }
    if from < 3 {
        connection.execute_batch(intent::CLOUD_CLOCK)?;
    }
    if from < 4 {
        connection.execute_batch(sources::TABLE)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT"))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// Whether SQLite says that the file is no database, or not a whole one.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Whether SQLite says that it may not write here, or cannot make the files that it needs beside this one.
fn is_read_only(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly)
    )
}

/// Moves a damaged journal out of the way. `None`: another process has done it already.
fn move_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let lock = std::fs::File::create(path.with_extension("lock"))?;
    lock.lock()?;
    if Journal::try_open(path).is_ok_and(|journal| journal.check().is_ok()) {
        return Ok(None);
    }
    let stamp = Timestamp::now().as_second();
    let aside = path.with_extension(format!("damaged-{stamp}"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let with_suffix = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            name
        };
        // It goes along: it may hold what can be rescued, and left behind it would be replayed into the new file.
        let _ = std::fs::rename(with_suffix(path), with_suffix(&aside));
    }
    Ok(Some(aside))
}

fn create_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        options.mode(0o600);
        builder.mode(0o700);
    }
    if let Some(directory) = path.parent() {
        builder.create(directory)?;
    }
    options.open(path).map(drop)
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
