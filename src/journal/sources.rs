//! Snapshots and images that `list` has shown, so that the Tab key knows them.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Journal, written};
use crate::error::Result;
use crate::task::{ProviderId, Source};

/// The table, of layout 4.
pub(super) const TABLE: &str = "
CREATE TABLE source (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  note TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  PRIMARY KEY (provider, id)
);";

/// More of one cloud are not kept: the first that was shown goes first.
const MOST: u32 = 1000;

impl Journal {
    /// Keeps what can be exported of what was shown.
    pub fn record_sources(&self, sources: &[Source], now: Timestamp) -> Result<()> {
        let write = |connection: &Connection| -> rusqlite::Result<()> {
            let mut insert = connection.prepare_cached(
                "INSERT INTO source (provider, id, note, seen_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (provider, id) DO UPDATE SET note = excluded.note, seen_at = excluded.seen_at",
            )?;
            for source in sources.iter().filter(|source| source.exportable) {
                let note = source.name.as_deref().unwrap_or_default();
                insert.execute(params![source.provider.0, source.id, note, now.to_string()])?;
            }
            if let Some(first) = sources.first() {
                connection.execute(
                    "DELETE FROM source WHERE provider = ?1 AND rowid NOT IN
                       (SELECT rowid FROM source WHERE provider = ?1 ORDER BY seen_at DESC LIMIT ?2)",
                    params![first.provider.0, MOST],
                )?;
            }
            Ok(())
        };
        self.transaction(write).map_err(|error| written(&error))
    }
}

/// Ids and names of those that were shown, of one cloud or of all; the last seen first.
pub(super) fn seen(
    connection: &Connection,
    provider: Option<ProviderId>,
) -> rusqlite::Result<Vec<(String, String)>> {
    connection
        .prepare(
            "SELECT id, note FROM source WHERE ?1 IS NULL OR provider = ?1
             ORDER BY seen_at DESC, id LIMIT ?2",
        )?
        .query_map(params![provider.map(|id| id.0), MOST], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect()
}
