//! Starts that are about to be sent: written down durably before, settled after.
//!
//! A uniqueness rule keeps two processes from starting the same export side by side. What a dead process left, or a
//! start whose outcome is not known, stays until somebody has looked at what the cloud has.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{COLUMNS, Entry, Journal, kept, live, written};
use crate::error::Result;
use crate::provider::{self, Realm};
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

/// What layout 5 adds, to tasks as well: the account as its cloud knows it. Ids are looked up in any case.
pub(super) const REALM: &str =
    "ALTER TABLE intent ADD COLUMN realm TEXT; ALTER TABLE task ADD COLUMN realm TEXT;
     DROP INDEX task_by_id; CREATE INDEX task_by_id ON task (task_id COLLATE NOCASE);";

/// A start that is about to be sent, or whose outcome is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Its row; `None` before it is claimed.
    pub id: Option<i64>,
    /// The cloud.
    pub provider: ProviderId,
    /// The account, as the journal knows it.
    pub account: String,
    /// The same, as its cloud knows it.
    pub realm: Realm,
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
    /// The same by the cloud's own clock, where it told its time.
    pub cloud_at: Option<Timestamp>,
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

impl Intent {
    /// Whether it is a start of this export, whoever sends it.
    pub(crate) fn is_start_of(&self, request: &ExportRequest) -> bool {
        self.request.snapshot == request.snapshot
            && self.request.target.is_same_place(&request.target)
    }

    /// Whether it may be of this account: another key of one account is no other account.
    pub(crate) fn may_be_of(&self, account: &str, realm: &Realm) -> bool {
        self.account == account || !self.realm.is_surely_not(realm)
    }
}

/// How long a claim waits for another process that writes.
const BUSY_CLAIM: std::time::Duration = std::time::Duration::from_millis(200);

impl Journal {
    /// Writes an intent down, durably, if nobody else has the same.
    pub fn claim(&self, intent: &Intent, now: Timestamp) -> Result<Claim> {
        self.mend()?;
        let owner = self.presence()?;
        let target = intent.request.target.identity();
        // Whoever claims asks again, and listens to signals meanwhile.
        let _short = self.busy_for(BUSY_CLAIM);
        self.durable_transaction(|connection| {
            if intent.twin.is_empty()
                && let Some(known) = started(connection, intent, &target)?
            {
                return Ok(Claim::Running(Box::new(known)));
            }
            let mut open = self.open_of(intent, &target)?;
            // Who asks for another export of the same minds no others.
            open.retain(|(open, _)| intent.twin.is_empty() || open.twin == intent.twin);
            if open.iter().any(|(_, owner)| self.is_held(owner)) {
                return Ok(Claim::Taken);
            }
            if let Some((left, _)) = open.into_iter().next() {
                return Ok(Claim::Left(Box::new(left)));
            }
            insert(connection, intent, Some(&owner), now).map(Claim::Mine)
        })
        .map_err(|error| written(&error))
    }

    /// Ends an intent: its task takes its place, or nothing does, or it waits for somebody to look.
    pub fn settle(&self, intent: &Intent, settled: &Settled<'_>, now: Timestamp) -> Result<()> {
        self.mend()?;
        // Both or neither: on a full disk the task alone would look like another start's.
        self.transaction(|_| self.end(intent, settled, now))
            .map_err(|error| written(&error))
    }

    fn end(&self, intent: &Intent, settled: &Settled<'_>, now: Timestamp) -> rusqlite::Result<()> {
        if let Settled::Started(task) = settled {
            let profile = Some(intent.profile.as_deref());
            let account = (intent.account.as_str(), &intent.realm);
            self.write(task, profile, account, Some(now), now)?;
        }
        let connection = self.connection();
        let sql = match settled {
            Settled::Unknown => "UPDATE intent SET owner = NULL WHERE id = ?1",
            Settled::Started(_) | Settled::NotExecuted => "DELETE FROM intent WHERE id = ?1",
        };
        let found = connection.execute(sql, [intent.id])?;
        // Whatever became of its row, what nobody knows is looked up by whoever comes next.
        if matches!(settled, Settled::Unknown) && found == 0 {
            insert(&connection, intent, None, now)?;
        }
        Ok(())
    }

    /// The open starts of the same export that may be of the same account, each with the process that holds it.
    fn open_of(
        &self,
        intent: &Intent,
        target: &str,
    ) -> rusqlite::Result<Vec<(Intent, Option<String>)>> {
        let same = params![
            intent.provider.0,
            intent.region,
            intent.request.snapshot,
            target
        ];
        let which = "provider = ?1 AND region = ?2 AND snapshot = ?3 AND target = ?4";
        let mut open = self.select_intents(which, same)?;
        open.retain(|(open, _)| open.may_be_of(&intent.account, &intent.realm));
        Ok(open)
    }

    /// Those of the tasks found for an intent that may be its own: no other start has become them. None, while more
    /// starts of the same are open: nobody can tell whose they are.
    pub(crate) fn free_for(&self, intent: &Intent, found: Vec<Task>) -> Result<Vec<Task>> {
        let sift = || -> rusqlite::Result<Vec<Task>> {
            let mut free = Vec::new();
            for task in found {
                if !self.is_taken(&task)? {
                    free.push(task);
                }
            }
            let open = self.open_of(intent, &intent.request.target.identity())?;
            if free.len() < open.len() {
                free.clear();
            }
            Ok(free)
        };
        sift().map_err(|error| written(&error))
    }

    /// Ends an intent with the task that was found for it, unless that is another start's by now (`false`).
    pub(crate) fn settle_found(
        &self,
        intent: &Intent,
        task: &Task,
        now: Timestamp,
    ) -> Result<bool> {
        self.mend()?;
        self.transaction(|_| {
            if self.is_taken(task)? {
                return Ok(false);
            }
            self.end(intent, &Settled::Started(task), now)?;
            Ok(true)
        })
        .map_err(|error| written(&error))
    }

    /// Whether this task is what another start has become. One that was only adopted may be any start's.
    fn is_taken(&self, task: &Task) -> rusqlite::Result<bool> {
        self.connection()
            .prepare_cached(
                "SELECT 1 FROM task
                 WHERE provider = ?1 AND region = ?2 AND task_id = ?3 AND started_at IS NOT NULL
                   AND NOT CASE WHEN json_valid(object) THEN coalesce(object ->> 'adopted', 0) ELSE 0 END",
            )?
            .exists(params![task.provider.0, task.region, task.id.as_str()])
    }

    /// Notes, durably, that an intent is about to be sent. False where it is another's by now, or gone: whoever took this
    /// process for dead, while it was frozen for instance, may have sent the same.
    pub(crate) fn renew(
        &self,
        intent: &Intent,
        now: Timestamp,
        cloud_now: Option<Timestamp>,
    ) -> Result<bool> {
        self.mend()?;
        let owner = self.presence()?;
        self.durable_transaction(|connection| {
            let cloud_now = cloud_now.map(|at| at.to_string());
            let values = params![intent.id, now.to_string(), owner, cloud_now];
            let sql = "UPDATE intent SET made_at = ?2, cloud_at = coalesce(?4, cloud_at) WHERE id = ?1 AND owner = ?3";
            let is_ours = connection.execute(sql, values)? == 1;
            // Others must see that it lives, whatever has removed its sign.
            if let Some(presence) = self.presence.get().filter(|_| is_ours) {
                presence.stay(&self.path).ok();
            }
            Ok(is_ours)
        })
        .map_err(|error| written(&error))
    }

    /// Notes the cloud's time for an open start that has none: its age by that clock is counted from here on.
    pub(crate) fn date(&self, intent: &Intent, cloud_now: Timestamp) -> Result<()> {
        let values = params![intent.id, cloud_now.to_string()];
        let sql = "UPDATE intent SET cloud_at = ?2 WHERE id = ?1 AND cloud_at IS NULL";
        let dated = self.connection().execute(sql, values);
        dated.map(drop).map_err(|error| written(&error))
    }

    /// Takes over an intent that nobody holds, to look up what became of it. `None`: somebody was quicker.
    ///
    /// One from the future was made before a clock was set back: it counts as made `now`, once and for all.
    pub(crate) fn take_over(&self, left: &Intent, now: Timestamp) -> Result<Option<Intent>> {
        self.mend()?;
        let owner = self.presence()?;
        self.transaction(|connection| {
            let row = self.select_intents("id = ?1", [left.id])?.pop();
            let Some((mut intent, _)) = row.filter(|(_, owner)| !self.is_held(owner)) else {
                return Ok(None);
            };
            intent.made_at = intent.made_at.min(now);
            connection.execute(
                "UPDATE intent SET owner = ?2, made_at = ?3 WHERE id = ?1",
                params![intent.id, owner, intent.made_at.to_string()],
            )?;
            Ok(Some(intent))
        })
        .map_err(|error| written(&error))
    }

    /// Intents that nobody holds any more: starts whose outcome somebody has to look up; oldest first.
    pub fn intents(&self) -> Result<Vec<Intent>> {
        let mut all = self
            .select_intents("true", [])
            .map_err(|error| written(&error))?;
        all.retain(|(_, owner)| !self.is_held(owner));
        Ok(all.into_iter().map(|(intent, _)| intent).collect())
    }

    /// Intents, each with the process that holds it.
    fn select_intents(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> rusqlite::Result<Vec<(Intent, Option<String>)>> {
        let rows: Vec<_> = self
            .connection()
            .prepare_cached(&format!("{SELECT} WHERE {condition} ORDER BY id"))?
            .query_map(values, read)?
            .collect::<rusqlite::Result<_>>()?;
        // A row of a provider that this build does not have is not ours to settle.
        Ok(rows.into_iter().flatten().collect())
    }

    fn is_held(&self, owner: &Option<String>) -> bool {
        owner
            .as_deref()
            .is_some_and(|name| live::is_alive(&self.path, name))
    }

    fn presence(&self) -> Result<String> {
        if let Some(presence) = self.presence.get() {
            return Ok(presence.name.clone());
        }
        let presence = live::Presence::show(&self.path).map_err(|error| {
            let why = format!("no lock can be made beside it: {error}");
            super::failed(&self.path, &why)
        })?;
        Ok(self.presence.get_or_init(|| presence).name.clone())
    }
}

pub(super) const SELECT: &str = "SELECT id, provider, account, region, profile, snapshot, target, twin, known, made_at, owner, cloud_at, realm FROM intent";

fn insert(
    connection: &Connection,
    intent: &Intent,
    owner: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO intent (provider, account, region, snapshot, target, twin, profile, known, made_at, owner, cloud_at, realm)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            intent.provider.0,
            intent.account,
            intent.region,
            intent.request.snapshot,
            intent.request.target.identity(),
            intent.twin,
            intent.profile,
            serde_json::to_string(&intent.known).unwrap_or_default(),
            now.to_string(),
            owner,
            intent.cloud_at.map(|at| at.to_string()),
            kept(&intent.realm)
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// `None` for a row of a provider, or with a target, that this build does not know.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<(Intent, Option<String>)>> {
    let provider: String = row.get(1)?;
    let (target, known, made_at): (String, String, String) =
        (row.get(6)?, row.get(8)?, row.get(9)?);
    let (Ok(entry), Ok(target)) = (
        provider::by_name(&provider),
        serde_json::from_str::<Target>(&target),
    ) else {
        return Ok(None);
    };
    // A time that cannot be read closes nothing.
    let made_at = made_at.parse().unwrap_or_else(|_| Timestamp::now());
    if (entry.forms.goal)(&target).is_none() {
        return Ok(None);
    }
    let intent = Intent {
        id: Some(row.get(0)?),
        provider: entry.id,
        account: row.get(2)?,
        realm: row
            .get::<_, Option<String>>(12)?
            .and_then(|realm| serde_json::from_str(&realm).ok())
            .unwrap_or_default(),
        region: row.get(3)?,
        profile: row.get(4)?,
        request: ExportRequest::new(row.get::<_, String>(5)?, target),
        twin: row.get(7)?,
        known: serde_json::from_str(&known).unwrap_or_default(),
        cloud_at: row
            .get::<_, Option<String>>(11)?
            .and_then(|at| at.parse().ok()),
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
            && intent.may_be_of(&known.account, &known.realm)
            && known
                .task
                .target
                .as_ref()
                .is_some_and(|other| other.identity() == target)
    };
    let rows: Vec<Option<Entry>> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM task
             WHERE provider = ?1 AND region = ?2 AND is_terminal = 0 AND started_at IS NOT NULL
               AND CASE WHEN json_valid(object) THEN object ->> 'snapshot' END = ?3
             ORDER BY started_at DESC"
        ))?
        .query_map(
            params![intent.provider.0, intent.region, intent.request.snapshot],
            super::entry,
        )?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().flatten().find(is_same))
}

#[cfg(test)]
mod tests;
