//! What the OUTSCALE sandbox knows, and what becomes of an export as time passes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::ids::random_hex;

/// The sandbox's own account.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The other account, which owns the bucket `partner` and a public snapshot.
pub(crate) const PARTNER_ACCOUNT: &str = "210987654321";

/// Snapshots, tasks and buckets. A new one holds the samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// How many exports were really started.
    pub starts: u64,
    /// What can be exported.
    pub(crate) snapshots: Vec<Snapshot>,
    /// Exports, in the order they were started.
    pub tasks: Vec<Task>,
    /// Buckets and the accounts that own them.
    pub(crate) buckets: BTreeMap<String, String>,
    /// Wrong signatures in a row, by account.
    refusals: BTreeMap<String, Refusals>,
}

/// A snapshot of a volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// `snap-` and 8 hex digits.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) description: String,
    /// The API's word.
    pub(crate) state: String,
    /// Size of the volume in GiB.
    pub(crate) size: u64,
    /// Who owns it. Another account's is public here.
    pub(crate) account: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// How exports of it go.
    pub(crate) story: Story,
}

/// How an export goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Story {
    /// Through all states to the end.
    Completes,
    /// To the middle; then it fails for this reason.
    Fails(String),
    /// It soon meets this error, and never ends.
    Stalls(String),
    /// To the end, by way of a state word that no document knows.
    UnknownWord,
    /// To the end, in the words of the API before 1.42.
    OldWords,
}

/// An export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// `snap-export-` and 8 hex digits.
    pub id: String,
    /// What is exported.
    pub(crate) snapshot: String,
    /// Who started it.
    pub(crate) account: String,
    /// Where it goes.
    pub(crate) bucket: String,
    /// Put before the object's name.
    pub(crate) prefix: Option<String>,
    /// `qcow2` or `raw`.
    pub(crate) format: String,
    /// How it goes.
    pub(crate) story: Story,
    /// All the rest follows from this.
    pub started_at: Timestamp,
    /// How far it was when it was cancelled.
    pub(crate) cancelled_at_percent: Option<u8>,
}

/// A task at a moment.
pub(crate) struct Sight {
    pub(crate) state: &'static str,
    pub(crate) progress: u8,
    pub(crate) comment: String,
}

impl Task {
    /// What the API shows of it at a moment. Progress moves in `pending` too.
    pub(crate) fn at(&self, moment: &Moment) -> Sight {
        let healthy = format!("Export of snapshot {}", self.snapshot);
        if let Some(progress) = self.cancelled_at_percent {
            return Sight {
                state: "cancelled",
                progress,
                comment: healthy,
            };
        }
        let fraction = moment.fraction(self.started_at);
        let progress = (fraction.clamp(0.0, 1.0) * 100.0) as u8;
        let usual = match fraction {
            ..0.1 => "pending",
            ..0.2 => "initializing",
            ..0.3 => "preparing",
            ..1.0 => "uploading",
            _ => "completed",
        };
        let (state, progress, comment) = match &self.story {
            Story::Fails(why) if fraction >= 0.5 => ("failed", 50, why.clone()),
            Story::Stalls(why) if fraction >= 0.1 => ("pending", 10, why.clone()),
            Story::UnknownWord if (0.4..0.7).contains(&fraction) => {
                ("verifying", progress, healthy)
            }
            Story::OldWords if (0.1..1.0).contains(&fraction) => ("active", progress, healthy),
            _ => (usual, progress, healthy),
        };
        Sight {
            state,
            progress,
            comment,
        }
    }

    /// The key of the object it makes, by the rule of the real cloud.
    pub(crate) fn key(&self) -> String {
        let hex = self.id.rsplit('-').next().unwrap_or_default();
        format!(
            "{}{}-{hex}.{}.gz",
            self.prefix.as_deref().unwrap_or(""),
            self.snapshot,
            self.format
        )
    }
}

impl State {
    /// Starts an export and makes the bucket if it is not there.
    pub(crate) fn start(&mut self, task: Task) -> &Task {
        self.starts += 1;
        let owner = task.account.clone();
        self.buckets.entry(task.bucket.clone()).or_insert(owner);
        self.tasks.push(task);
        &self.tasks[self.tasks.len() - 1]
    }

    /// Lets every snapshot that is being made be whole.
    pub fn finish_snapshots(&mut self) {
        let is_made = |one: &&mut Snapshot| ["pending", "in-queue"].contains(&one.state.as_str());
        let pending = self.snapshots.iter_mut().filter(is_made);
        pending.for_each(|one| one.state = "completed".into());
    }

    /// Adds this many snapshots that can be exported, and gives their ids.
    pub fn add_snapshots(&mut self, count: u32) -> Vec<String> {
        let made_at = Timestamp::constant(1_768_010_400, 0);
        let ids: Vec<String> = (0..count)
            .map(|number| format!("snap-{:08x}", 0xa000_0000_u32 + number))
            .collect();
        self.snapshots.extend(ids.iter().map(|id| Snapshot {
            id: id.clone(),
            description: "one of many".into(),
            state: "completed".into(),
            size: 1,
            account: ACCOUNT.into(),
            created_at: made_at,
            story: Story::Completes,
        }));
        ids
    }

    /// Takes a task out of sight.
    pub(crate) fn hide(&mut self, id: &str) {
        self.tasks.retain(|task| task.id != id);
    }

    /// An id that no task has yet.
    pub(crate) fn new_task_id(&self) -> String {
        loop {
            let id = format!("snap-export-{}", random_hex(8));
            if self.tasks.iter().all(|task| task.id != id) {
                return id;
            }
        }
    }

    pub(crate) fn is_locked(&self, account: &str, now: Timestamp) -> bool {
        let refusals = self.refusals.get(account);
        refusals.is_some_and(|refusals| refusals.locked_until.is_some_and(|until| now < until))
    }

    /// Every fourth wrong signature in a row locks the key, a minute longer each time, up to ten.
    pub(crate) fn count_refusal(&mut self, account: &str, now: Timestamp) {
        let refusals = self.refusals.entry(account.to_owned()).or_default();
        refusals.in_a_row += 1;
        if refusals.in_a_row.is_multiple_of(4) {
            let minutes = (refusals.in_a_row / 4).min(10);
            refusals.locked_until = Some(now + SignedDuration::from_mins(minutes.into()));
        }
    }

    pub(crate) fn forget_refusals(&mut self, account: &str) {
        self.refusals.remove(account);
    }
}

/// Wrong signatures of one key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Refusals {
    in_a_row: u32,
    locked_until: Option<Timestamp>,
}

impl Default for State {
    fn default() -> Self {
        let buckets = [
            ("backups", ACCOUNT),
            ("demo", ACCOUNT),
            ("partner", PARTNER_ACCOUNT),
        ];
        State {
            starts: 0,
            snapshots: samples(),
            tasks: Vec::new(),
            buckets: BTreeMap::from(buckets.map(|(name, owner)| (name.into(), owner.into()))),
            refusals: BTreeMap::new(),
        }
    }
}

fn samples() -> Vec<Snapshot> {
    let failure = "Error exporting snapshot snap-deadbeef: cannot read block 20480 of the volume: Input/output error";
    let stall = "Error accessing bucket: S3ResponseError: 403 Forbidden <?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code></Error>";
    let own = [
        (
            "snap-0a1b2c3d",
            "web server",
            "completed",
            10,
            Story::Completes,
        ),
        (
            "snap-1b2c3d4e",
            "database",
            "completed",
            50,
            Story::Completes,
        ),
        (
            "snap-2c3d4e5f",
            "mail archive",
            "completed",
            200,
            Story::Completes,
        ),
        (
            "snap-3d4e5f60",
            "taken just now",
            "pending",
            10,
            Story::Completes,
        ),
        (
            "snap-4e5f6071",
            "waits for its turn",
            "in-queue",
            20,
            Story::Completes,
        ),
        (
            "snap-5f607182",
            "taken of a broken volume",
            "error",
            8,
            Story::Completes,
        ),
        (
            "snap-deadbeef",
            "export fails midway",
            "completed",
            8,
            Story::Fails(failure.into()),
        ),
        (
            "snap-57a11ed0",
            "export never ends",
            "completed",
            8,
            Story::Stalls(stall.into()),
        ),
        (
            "snap-0ddba11e",
            "export shows an unknown state",
            "completed",
            4,
            Story::UnknownWord,
        ),
        (
            "snap-01d57a7e",
            "export speaks API 1.41",
            "completed",
            4,
            Story::OldWords,
        ),
    ];
    let public = (
        "snap-9ab1e5ca",
        "public base system",
        "completed",
        4,
        Story::Completes,
    );
    // 2026-01-10T02:00:00Z, and a day later each.
    let first = Timestamp::constant(1_768_010_400, 0);
    let own = own.into_iter().map(|sample| (sample, ACCOUNT));
    own.chain([(public, PARTNER_ACCOUNT)])
        .zip(0..)
        .map(
            |(((id, description, state, size, story), account), day)| Snapshot {
                id: id.into(),
                description: description.into(),
                state: state.into(),
                size,
                account: account.into(),
                created_at: first + SignedDuration::from_hours(24 * day),
                story,
            },
        )
        .collect()
}

#[cfg(test)]
mod tests;
