//! A look into the journal that changes nothing: for completion, which must never wait, lock or make a file.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::file::{AS_IT_IS, beside, read_only};
use super::{COLUMNS, entry, sources};
use crate::task::{ProviderId, Task};

/// Another process that writes is not waited for longer.
const PATIENCE: Duration = Duration::from_millis(10);

/// At most `most` tasks whose ids begin with `prefix`: those under way first, then the latest. None, where anything goes wrong.
pub(crate) fn glance(path: &Path, prefix: &str, most: u32) -> Vec<Task> {
    read(path, prefix, most).unwrap_or_default()
}

/// Ids and names of snapshots and images that were listed, of one cloud or of all. None, where anything goes wrong.
pub(crate) fn glance_at_sources(
    path: &Path,
    provider: Option<ProviderId>,
) -> Vec<(String, String)> {
    let seen = open(path).and_then(|connection| sources::seen(&connection, provider));
    seen.unwrap_or_default()
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // Where nobody has the journal open, the file is all there is, and reading it needs no files beside it.
    let mode = if beside(path, "-wal").exists() {
        "mode=ro"
    } else {
        AS_IT_IS
    };
    let connection = read_only(path, mode)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn read(path: &Path, prefix: &str, most: u32) -> rusqlite::Result<Vec<Task>> {
    let connection = open(path)?;
    // Sorted without the objects, which are long.
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM task WHERE rowid IN (
           SELECT rowid FROM task WHERE substr(task_id, 1, length(?1)) = ?1
           ORDER BY is_terminal, rowid DESC LIMIT ?2)
         ORDER BY is_terminal, rowid DESC"
    ))?;
    let rows = statement.query_map(params![prefix, most], entry)?;
    Ok(rows.flatten().flatten().map(|entry| entry.task).collect())
}
