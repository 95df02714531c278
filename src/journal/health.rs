//! The journal's health, learned without touching it: not even the files that SQLite makes beside a database are made.

use std::fs::{File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::file::{AS_IT_IS, VERSION, beside, read_only, user_version};
use super::{Journal, failed};
use crate::error::Result;
use crate::settings::private_file::{private_file, private_folders};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Of the file, in bytes.
    pub size: u64,
    /// Tasks in it.
    pub tasks: u64,
    /// Starts under way, or whose outcome nobody knows.
    pub open_starts: u64,
    /// Whether it can be written.
    pub is_writable: bool,
}

/// Looks at a journal that seems broken: another process may have been writing it just then.
const LOOKS: u32 = 4;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(100);

impl Journal {
    /// Reads a journal from end to end. What keeps it from being used is an error.
    pub fn inspect(path: &Path) -> Result<Health> {
        let mut look = 1;
        loop {
            match Journal::inspect_once(path) {
                Err(_) if look < LOOKS => std::thread::sleep(PAUSE),
                result => return result,
            }
            look += 1;
        }
    }

    fn inspect_once(path: &Path) -> Result<Health> {
        let cannot = |why: &str| failed(path, why);
        let metadata = std::fs::metadata(path).map_err(|error| cannot(&error.to_string()))?;
        if !metadata.is_file() {
            return Err(cannot("it is no regular file"));
        }
        let is_writable = std::fs::OpenOptions::new().write(true).open(path).is_ok()
            && path.parent().is_none_or(is_writable_directory);
        // Without room for a copy, what was written last is not looked at.
        let scene = Scene::set(path).unwrap_or_else(|_| Scene::in_place(path));
        let connection = scene.open().map_err(|error| cannot(&error.to_string()))?;
        let version = user_version(&connection).map_err(|error| cannot(&error.to_string()))?;
        if version > VERSION {
            return Err(cannot("it was written by a newer version of snapexport"));
        }
        let journal = Journal::over(connection, path);
        // An older layout is brought up to date by whoever uses it next; until then it has fewer tables.
        if version == VERSION {
            journal.check()?;
        }
        Ok(Health {
            size: metadata.len(),
            tasks: if version < 1 {
                0
            } else {
                journal.count("task")?
            },
            open_starts: if version < 2 {
                0
            } else {
                journal.count("intent")?
            },
            is_writable,
        })
    }

    fn count(&self, table: &str) -> Result<u64> {
        self.connection()
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get::<_, i64>(0).map(i64::unsigned_abs)
            })
            .map_err(|error| failed(&self.path, &error.to_string()))
    }
}

/// Where the journal is read: in its place, or as a copy together with what was written last and not yet moved in.
struct Scene {
    path: PathBuf,
    copy: Option<PathBuf>,
}

impl Scene {
    fn in_place(path: &Path) -> Scene {
        Scene {
            path: path.to_owned(),
            copy: None,
        }
    }

    fn set(path: &Path) -> std::io::Result<Scene> {
        let log = beside(path, "-wal");
        if std::fs::metadata(&log).map_or(0, |data| data.len()) == 0 {
            return Ok(Scene::in_place(path));
        }
        let mark = jiff::Timestamp::now().as_nanosecond();
        let name = format!("snapexport-look-{}-{mark}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        // Not one that somebody else has made: the copy goes nowhere where others may read.
        private_folders().recursive(false).create(&directory)?;
        let scene = Scene {
            path: directory.join("journal.db"),
            copy: Some(directory),
        };
        std::fs::copy(path, &scene.path)?;
        std::fs::copy(&log, beside(&scene.path, "-wal"))?;
        Ok(scene)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        if self.copy.is_some() {
            return Connection::open(&self.path);
        }
        read_only(&self.path, AS_IT_IS)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(directory) = &self.copy {
            // What is left in the temporary directory is the system's to clean.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// Writes and locks a file beside the journal, and takes it back: permissions tell neither of a full disk nor of locks.
/// Gives what does not work.
pub(crate) fn trial(journal: &Path) -> Option<String> {
    trial_with(journal, try_locks)
}

/// The locks are a parameter: no test can count on a file system without them.
fn trial_with(journal: &Path, locks: impl Fn(&File) -> io::Result<()>) -> Option<String> {
    // The folder's time is taken back too.
    let before = journal
        .parent()
        .and_then(|folder| folder.metadata().ok()?.modified().ok());
    let mark = jiff::Timestamp::now().as_nanosecond();
    let path = beside(journal, &format!(".trial-{}-{mark}", std::process::id()));
    let written = private_file()
        .create_new(true)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(&[0; 4096])?;
            file.sync_all()?;
            Ok(file)
        });
    let problem = match &written {
        Err(error) => Some(not_written(error)),
        Ok(file) => locks(file).err().map(|error| {
            format!("locks do not work there, as on some network file systems ({error})")
        }),
    };
    // What cannot be removed is empty or one page long.
    let _ = std::fs::remove_file(&path);
    if let (Some(folder), Some(modified)) = (journal.parent(), before) {
        let times = FileTimes::new().set_modified(modified);
        let _ = File::open(folder).and_then(|folder| folder.set_times(times));
    }
    problem
}

/// Both kinds of locks: ours on whole files, and SQLite's, which a network file system may have without the other.
fn try_locks(file: &File) -> io::Result<()> {
    file.try_lock()?;
    // On some systems the one would be in the other's way.
    file.unlock()?;
    #[cfg(unix)]
    rustix::fs::fcntl_lock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok(())
}

fn not_written(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether files can be made in a directory, as SQLite must beside a database.
#[cfg(unix)]
pub(crate) fn is_writable_directory(directory: &Path) -> bool {
    use rustix::fs::Access;
    directory.is_dir() && rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Elsewhere the permissions of a directory do not tell.
#[cfg(not(unix))]
pub(crate) fn is_writable_directory(directory: &Path) -> bool {
    directory.is_dir()
}

#[cfg(test)]
mod tests;
