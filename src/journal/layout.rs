//! The tables, and how those of older versions become them.

use rusqlite::Connection;

/// The layout this version writes (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 4;

/// Tasks, of layout 1.
const TASK: &str = "
CREATE TABLE task (
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
CREATE INDEX task_by_id ON task (task_id);";

/// Starts, of layout 2.
const INTENT: &str = "
CREATE TABLE intent (
  id INTEGER PRIMARY KEY,
  provider TEXT NOT NULL,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  target TEXT NOT NULL,
  twin TEXT NOT NULL,
  profile TEXT,
  known TEXT NOT NULL,
  made_at TEXT NOT NULL,
  owner TEXT,
  UNIQUE (provider, account, region, snapshot, target, twin)
);";

/// What layout 3 adds to them.
const CLOUD_CLOCK: &str = "ALTER TABLE intent ADD COLUMN cloud_at TEXT;";

/// Reads starts.
pub(super) const INTENTS: &str = "SELECT id, provider, account, region, profile, snapshot, target, twin, known, made_at, owner, cloud_at FROM intent";

/// What was listed, of layout 4.
const SOURCE: &str = "
CREATE TABLE source (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  note TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  PRIMARY KEY (provider, id)
);";

pub(super) fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings an older layout, or an empty file, to the current one.
pub(super) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Asked again inside: another process may have been quicker.
    let from = user_version(connection)?;
    if from < 1 {
        connection.execute_batch(TASK)?;
    }
    if from < 2 {
        connection.execute_batch(INTENT)?;
    }
    if from < 3 {
        connection.execute_batch(CLOUD_CLOCK)?;
    }
    if from < 4 {
        connection.execute_batch(SOURCE)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT"))
}
