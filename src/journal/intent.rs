//! Starts that are about to be sent: written down durably before, settled after.
//!
//! A uniqueness rule keeps two processes from starting the same export side by side. What a dead process left, or a
//! start whose outcome is not known, stays until somebody has looked at what the cloud has.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{Entry, Journal, live, written};
use crate::error::Result;
use crate::provider;
use crate::task::{ExportRequest, ProviderId, Target, Task, TaskId};

/// The table, of layout 2.
pub(super) const TABLE: &str = "
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

/// What layout 3 adds.
pub(super) const CLOUD_CLOCK: &str = "ALTER TABLE intent ADD COLUMN cloud_at TEXT;";

/// A start that is about to be sent, or whose outcome is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Its row; 0 before it is claimed.
    pub id: i64,
    /// The cloud.
    pub provider: ProviderId,
    /// The account, as the journal knows it.
    pub account: String,
    /// The region.
    pub region: String,
    /// The profile that was asked for.
    pub profile: Option<String>,
    /// What is to be exported, and where to.
    pub request: ExportRequest,
    /// Empty, or a word that lets a second identical export stand beside the first (`--new`).
    pub twin: String,
    /// Identical exports that the cloud had before: none of them is this one.
    pub known: Vec<TaskId>,
    /// When the cloud was asked what it had; of an intent that was left, when it was last sent or about to be.
    pub made_at: Timestamp,
    /// When the cloud was asked what it had, by its own clock.
    pub cloud_at: Timestamp,
}

/// What came of claiming an intent.
#[derive(Debug)]
pub enum Claim {
    /// It is written down; send.
    Mine(i64),
    /// This user has started the same, its end was not seen, and the cloud did not list it.
    Running(Box<Entry>),
    /// Another process is starting the same right now.
    Taken,
    /// A process that is dead, or a lost reply, left the same: look at the cloud before anything is sent.
    Left(Box<Intent>),
}

/// How a start ended.
#[derive(Debug)]
pub enum Settled<'t> {
    /// There is a task.
    Started(&'t Task),
    /// Surely nothing was executed.
    NotExecuted,
    /// Nobody knows; whoever comes next has to look.
    Unknown,
}

impl Journal {
    /// Writes an intent down, durably, if nobody else has the same.
    pub fn claim(&self, intent: &Intent, now: Timestamp) -> Result<Claim> {
        let target = target_text(&intent.request.target);
        let owner = self.presence()?;
        let key = params![
            intent.provider.0,
            intent.account,
            intent.region,
            intent.request.snapshot,
            target,
            intent.twin
        ];
        let known = serde_json::to_string(&intent.known).unwrap_or_default();
        let claim = || -> rusqlite::Result<Claim> {
            // One durable write: after this line a power cut loses nothing.
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            self.transaction(|connection| {
                if intent.twin.is_empty()
                    && let Some(known) = started(connection, intent, &target)?
                {
                    return Ok(Claim::Running(Box::new(known)));
                }
                let left = connection
                    .prepare_cached(&format!(
                        // Who asks for another export of the same minds no others.
                        "{SELECT} WHERE {ALIKE} AND (?6 = '' OR twin = ?6)"
                    ))?
                    .query_map(key, read)?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                let (held, left): (Vec<_>, Vec<_>) = left
                    .into_iter()
                    .flatten()
                    .partition(|(_, owner)| owner.as_deref().is_some_and(|owner| live::is_alive(&self.path, owner)));
                if !held.is_empty() {
                    return Ok(Claim::Taken);
                }
                if let Some((left, _)) = left.into_iter().next() {
                    return Ok(Claim::Left(Box::new(left)));
                }
                connection.execute(
                    "INSERT INTO intent (provider, account, region, snapshot, target, twin, profile, known, made_at, owner, cloud_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                    params![
                        intent.provider.0,
                        intent.account,
                        intent.region,
                        intent.request.snapshot,
                        target,
                        intent.twin,
                        intent.profile,
                        known,
                        now.to_string(),
                        owner,
                        intent.cloud_at.to_string()
                    ],
                )?;
                Ok(Claim::Mine(connection.last_insert_rowid()))
            })
        };
        let result = claim().map_err(|error| written(&error));
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(|error| written(&error))?;
        result
    }

    /// Ends an intent: its task takes its place, or nothing does, or it waits for somebody to look.
    pub fn settle(&self, intent: &Intent, settled: &Settled<'_>, now: Timestamp) -> Result<()> {
        if let Settled::Started(task) = settled {
            // The task first: a crash in between leaves both, and the intent is found to be this task.
            self.record_start(task, intent.profile.as_deref(), &intent.account, now)?;
        }
        let sql = match settled {
            Settled::Unknown => "UPDATE intent SET owner = NULL WHERE id = ?1",
            Settled::Started(_) | Settled::NotExecuted => "DELETE FROM intent WHERE id = ?1",
        };
        self.connection
            .execute(sql, [intent.id])
            .map(drop)
            .map_err(|error| written(&error))
    }

    /// Ends an intent with the task that was found for it, unless that is another start's already (`false`).
    pub fn settle_found(&self, intent: &Intent, task: &Task, now: Timestamp) -> Result<bool> {
        let settle = || -> Result<bool> {
            if self.is_started(task)? {
                return Ok(false);
            }
            self.settle(intent, &Settled::Started(task), now)?;
            Ok(true)
        };
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|error| written(&error))?;
        let result = settle();
        // What a failed transaction leaves is undone with it.
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self
            .connection
            .execute_batch(end)
            .map_err(|error| written(&error));
        result.and_then(|is_mine| ended.map(|()| is_mine))
    }

    /// Whether this task is what another start has become. One that was only adopted may be any start's.
    pub fn is_started(&self, task: &Task) -> Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FROM task
                 WHERE provider = ?1 AND region = ?2 AND task_id = ?3 AND started_at IS NOT NULL
                   AND NOT object ->> 'adopted'",
            )
            .and_then(|mut statement| {
                let key = params![task.provider.0, task.region, task.id.as_str()];
                statement.query_row(key, |row| row.get::<_, i64>(0))
            })
            .map(|count| count > 0)
            .map_err(|error| written(&error))
    }

    /// How many starts of the same export are open, this one among them.
    pub fn open_alike(&self, intent: &Intent) -> Result<usize> {
        self.connection
            .prepare_cached(&format!("SELECT count(*) FROM intent WHERE {ALIKE}"))
            .and_then(|mut statement| {
                let key = params![
                    intent.provider.0,
                    intent.account,
                    intent.region,
                    intent.request.snapshot,
                    target_text(&intent.request.target)
                ];
                statement.query_row(key, |row| row.get::<_, i64>(0))
            })
            .map(|count| usize::try_from(count).unwrap_or(0))
            .map_err(|error| written(&error))
    }

    /// Notes, durably, that an intent is about to be sent once more.
    pub fn renew(&self, intent: &Intent, now: Timestamp) -> Result<()> {
        let renew = || -> rusqlite::Result<()> {
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            self.connection
                .execute(
                    "UPDATE intent SET made_at = ?2 WHERE id = ?1",
                    params![intent.id, now.to_string()],
                )
                .map(drop)
        };
        let result = renew().map_err(|error| written(&error));
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(|error| written(&error))?;
        result
    }

    /// Takes over an intent that nobody holds. False: somebody was quicker.
    pub fn take_over(&self, intent: &Intent) -> Result<bool> {
        let owner = self.presence()?;
        let take = || -> rusqlite::Result<bool> {
            self.transaction(|connection| {
                let held: Vec<Option<String>> = connection
                    .prepare_cached("SELECT owner FROM intent WHERE id = ?1")?
                    .query_map([intent.id], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                match &held[..] {
                    [holder]
                        if !holder
                            .as_deref()
                            .is_some_and(|name| live::is_alive(&self.path, name)) =>
                    {
                        connection.execute(
                            "UPDATE intent SET owner = ?2 WHERE id = ?1",
                            params![intent.id, owner],
                        )?;
                        Ok(true)
                    }
                    _ => Ok(false),
                }
            })
        };
        take().map_err(|error| written(&error))
    }

    /// Intents that nobody holds any more: starts whose outcome somebody has to look up.
    pub fn intents(&self) -> Result<Vec<Intent>> {
        let read_all = || -> rusqlite::Result<Vec<_>> {
            self.connection
                .prepare_cached(&format!("{SELECT} ORDER BY id"))?
                .query_map([], read)?
                .collect()
        };
        let all = read_all().map_err(|error| written(&error))?;
        Ok(all
            .into_iter()
            .flatten()
            .filter(|(_, owner)| {
                !owner
                    .as_deref()
                    .is_some_and(|name| live::is_alive(&self.path, name))
            })
            .map(|(intent, _)| intent)
            .collect())
    }

    fn presence(&self) -> Result<String> {
        if let Some(presence) = self.presence.get() {
            return Ok(presence.name.clone());
        }
        let presence = live::Presence::show(&self.path).map_err(|error| {
            super::failed(
                &self.path,
                &format!("no lock can be made beside it: {error}"),
            )
        })?;
        Ok(self.presence.get_or_init(|| presence).name.clone())
    }
}

pub(super) const SELECT: &str = "SELECT id, provider, account, region, profile, snapshot, target, twin, known, made_at, owner, cloud_at FROM intent";
/// Starts of the same export.
const ALIKE: &str =
    "provider = ?1 AND account = ?2 AND region = ?3 AND snapshot = ?4 AND target = ?5";

/// `None` for a row of a provider that this build does not have.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<(Intent, Option<String>)>> {
    let provider: String = row.get(1)?;
    let (target, known, made_at): (String, String, String) =
        (row.get(6)?, row.get(8)?, row.get(9)?);
    let (Ok(entry), Ok(target), Ok(made_at)) = (
        provider::by_name(&provider),
        serde_json::from_str::<Target>(&target),
        made_at.parse(),
    ) else {
        return Ok(None);
    };
    let intent = Intent {
        id: row.get(0)?,
        provider: entry.id,
        account: row.get(2)?,
        region: row.get(3)?,
        profile: row.get(4)?,
        request: ExportRequest {
            snapshot: row.get(5)?,
            target,
        },
        twin: row.get(7)?,
        known: serde_json::from_str(&known).unwrap_or_default(),
        cloud_at: row
            .get::<_, Option<String>>(11)?
            .and_then(|at| at.parse().ok())
            .unwrap_or(made_at),
        made_at,
    };
    Ok(Some((intent, row.get(10)?)))
}

/// A task that this user started, identical and not seen to end, and not in the cloud's list; the latest of several.
fn started(
    connection: &Connection,
    intent: &Intent,
    target: &str,
) -> rusqlite::Result<Option<Entry>> {
    let is_same = |known: &Entry| {
        !intent.known.contains(&known.task.id)
            && known
                .task
                .target
                .as_ref()
                .is_some_and(|other| target_text(other) == target)
    };
    let rows: Vec<Option<Entry>> = connection
        .prepare_cached(
            "SELECT provider, profile, started_at, object FROM task
             WHERE provider = ?1 AND account = ?2 AND region = ?3 AND is_terminal = 0 AND started_at IS NOT NULL
               AND object ->> 'snapshot' = ?4
             ORDER BY started_at DESC",
        )?
        .query_map(
            params![
                intent.provider.0,
                intent.account,
                intent.region,
                intent.request.snapshot
            ],
            super::entry,
        )?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().flatten().find(is_same))
}

/// The target as the uniqueness rule compares it.
fn target_text(target: &Target) -> String {
    let mut target = target.clone();
    if let Target::Oos { prefix, .. } = &mut target {
        // No prefix and an empty one lead to the same place.
        *prefix = prefix.take().filter(|prefix| !prefix.is_empty());
    }
    serde_json::to_string(&target).unwrap_or_default()
}

#[cfg(test)]
mod tests;
