//! The journal's health, learned without touching it: not even the files that SQLite makes beside a database are made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{Journal, VERSION, failed, user_version};
use crate::error::Result;

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
        let is_writable = std::fs::OpenOptions::new().write(true).open(path).is_ok()
            && path.parent().is_none_or(is_writable_directory);
        // Without room for a copy, what was written last is not looked at.
        let scene = Scene::set(path).unwrap_or_else(|_| Scene::in_place(path));
        let connection = scene.open().map_err(|error| cannot(&error.to_string()))?;
        let version = user_version(&connection).map_err(|error| cannot(&error.to_string()))?;
        if version > VERSION {
            return Err(cannot("it was written by a newer version of snapexport"));
        }
        let journal = Journal {
            connection,
            path: path.to_owned(),
            presence: std::cell::OnceCell::new(),
        };
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
        self.connection
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
        let log = with_suffix(path, "-wal");
        if std::fs::metadata(&log).map_or(0, |data| data.len()) == 0 {
            return Ok(Scene::in_place(path));
        }
        let mark = jiff::Timestamp::now().as_nanosecond();
        let name = format!("snapexport-look-{}-{mark}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        let scene = Scene {
            path: directory.join("journal.db"),
            copy: Some(directory),
        };
        std::fs::copy(path, &scene.path)?;
        std::fs::copy(&log, with_suffix(&scene.path, "-wal"))?;
        Ok(scene)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        if self.copy.is_some() {
            return Connection::open(&self.path);
        }
        let url = url::Url::from_file_path(std::path::absolute(&self.path).unwrap_or_default())
            .map_err(|()| rusqlite::Error::InvalidPath(self.path.clone()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(format!("{url}?immutable=1"), flags)
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

/// Whether files can be made in a directory, as SQLite must beside a database.
#[cfg(unix)]
pub fn is_writable_directory(directory: &Path) -> bool {
    use rustix::fs::Access;
    directory.is_dir() && rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Elsewhere the permissions of a directory do not tell.
#[cfg(not(unix))]
pub fn is_writable_directory(directory: &Path) -> bool {
    directory.is_dir()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
