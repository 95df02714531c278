//! The journal's file: made, opened, brought up to date, and moved aside where it is damaged.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{Journal, failed, intent, is_busy, sources};
use crate::error::{Error, Kind, Result};
use crate::pace::limit;
use crate::settings::private_file::{open_own, private_file, private_folders};

/// The layout this version writes (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 5;
/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// A journal, and what had to be done to open it.
pub struct Opened {
    /// Ready to use.
    pub journal: Journal,
    /// Where a damaged one was moved to.
    pub moved_to: Option<PathBuf>,
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

    pub(super) fn over(connection: Connection, path: &Path) -> Self {
        Journal {
            file: Cell::new(Identity::of(path)),
            connection: RefCell::new(Rc::new(connection)),
            path: path.to_owned(),
            presence: OnceCell::new(),
            is_anew: Cell::new(false),
        }
    }

    /// Waits so long for others that write, until what is given back is dropped.
    pub(super) fn busy_for(&self, time: Duration) -> Busy {
        let connection = self.connection();
        // Where it cannot be set, it stays as it was.
        let _ = connection.busy_timeout(time);
        Busy(connection)
    }

    /// The connection, as long as it is used.
    pub(super) fn connection(&self) -> Rc<Connection> {
        self.connection.borrow().clone()
    }

    /// Makes a journal anew that was deleted since it was opened: what is written into a deleted file is lost.
    pub(super) fn mend(&self) -> Result<()> {
        let now = Identity::of(&self.path);
        if now.is_some() && now == self.file.get() {
            return Ok(());
        }
        let anew =
            Self::try_open(&self.path).map_err(|error| failed(&self.path, &error.to_string()))?;
        self.file.set(anew.file.get());
        self.connection.replace(anew.connection());
        self.is_anew.set(true);
        Ok(())
    }

    /// Whether it was made anew since this was last asked.
    pub(crate) fn was_made_anew(&self) -> bool {
        self.is_anew.take()
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
        let connection = read_only(path, AS_IT_IS)?;
        if user_version(&connection)? != VERSION {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok(Journal::over(connection, path))
    }

    fn try_open_writable(path: &Path) -> rusqlite::Result<Self> {
        create_private(path)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let patience = Instant::now() + limit(BUSY);
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
        refuse_pipe(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(limit(BUSY))?;
        let version = user_version(&connection)?;
        if version < VERSION {
            migrate(&connection)?;
        } else if version > VERSION {
            let why = format!("it was written by a newer version of snapexport (layout {version})");
            return Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
        }
        // Sightings may be lost with the power, intents may not: they raise this for their own transaction.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Journal::over(connection, path))
    }

    /// Whether the journal can be read from end to end.
    pub fn check(&self) -> Result<()> {
        let damaged =
            |why: &str| Err(Error::new(Kind::Internal, "The journal is damaged").cause(why));
        let verdict: rusqlite::Result<Option<String>> = self
            .connection()
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
            &format!("SELECT {}, is_terminal FROM task", super::COLUMNS),
            intent::SELECT,
        ] {
            if let Err(error) = self.connection().prepare(sql)
                && (is_damage(&error) || matches!(error, rusqlite::Error::SqlInputError { .. }))
            {
                return damaged(&error.to_string());
            }
        }
        Ok(())
    }
}

/// Opens a file that is not written meanwhile: nothing is made beside it.
pub(super) const AS_IT_IS: &str = "immutable=1";

/// Opens a database for reading alone, with a parameter of SQLite's URIs.
pub(super) fn read_only(path: &Path, parameter: &str) -> rusqlite::Result<Connection> {
    let url = url::Url::from_file_path(std::path::absolute(path).unwrap_or_default())
        .map_err(|()| rusqlite::Error::InvalidPath(path.to_owned()))?;
    refuse_pipe(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("{url}?{parameter}"), flags)
}

/// SQLite would wait for ever for what is no file. It may be a link to one.
fn refuse_pipe(path: &Path) -> rusqlite::Result<()> {
    match path.metadata() {
        Ok(data) if !data.is_file() => {
            let why = format!("{} is no regular file", path.display());
            Err(rusqlite::Error::ToSqlConversionFailure(why.into()))
        }
        _ => Ok(()),
    }
}

/// Sets the usual time back.
pub(super) struct Busy(Rc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.busy_timeout(limit(BUSY));
    }
}

/// Which file it is, whatever is put under its name later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        let data = path.metadata().ok()?;
        Some(Identity(data.dev(), data.ino()))
    }

    /// Elsewhere a file that is open cannot be deleted.
    #[cfg(not(unix))]
    fn of(_path: &Path) -> Option<Identity> {
        Some(Identity(0, 0))
    }
}

/// A file that SQLite keeps beside a database.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
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
    if from < 5 {
        connection.execute_batch(intent::REALM)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT"))
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
    let lock = open_own(&mut private_file(), &path.with_extension("lock"))?;
    lock.lock()?;
    if Journal::try_open(path).is_ok_and(|journal| journal.check().is_ok()) {
        return Ok(None);
    }
    let stamp = Timestamp::now().as_second();
    let aside = path.with_extension(format!("damaged-{stamp}"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        // It goes along: it may hold what can be rescued, and left behind it would be replayed into the new file.
        let _ = std::fs::rename(beside(path, suffix), beside(&aside, suffix));
    }
    Ok(Some(aside))
}

fn create_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        private_folders().create(folder)?;
    }
    private_file().open(path).map(drop)
}
