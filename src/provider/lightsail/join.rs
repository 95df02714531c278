//! Which export record belongs to which export. The API has no member that ties the two together for sure.

use aws_sdk_lightsail::types::{ExportSnapshotRecord, Operation, OperationType};
use jiff::Timestamp;

use super::merge::{source_name, timestamp};
use crate::task::{State, Task};

/// How every export record's name begins; a GUID follows.
pub(super) const RECORD_PREFIX: &str = "ExportSnapshotRecord-";
/// A record may be a few seconds older than its operation.
const EARLIEST_MS: i64 = -5_000;
/// A record dates from the start of its export; one much younger may be another export's.
const LATEST_MS: i64 = 10 * 60_000;

/// What is known of an export whose record is looked for. Empty: it has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Claim<'a> {
    /// Names of the record, by the operation and by earlier sightings.
    names: Vec<&'a str>,
    /// The id of what the export made.
    made: Option<&'a str>,
    snapshot: Option<&'a str>,
    started: Option<Timestamp>,
    /// Whether a record much younger than the start is taken too, where no other export claims it.
    takes_late: bool,
    /// Whether a record is taken of which, or an export of which, nobody says when it began.
    takes_undated: bool,
}

impl<'a> Claim<'a> {
    /// The claim of a task that is asked for; without its operation, once Lightsail has forgotten that.
    pub(super) fn of_task(known: &'a Task, operation: Option<&'a Operation>) -> Self {
        let id = Some(known.id.as_str()).filter(|id| id.starts_with(RECORD_PREFIX));
        let seen_before = known.raw["record"]["name"].as_str();
        let mut claim = operation.map_or_else(Claim::default, Claim::of_operation);
        claim.names.extend(seen_before.into_iter().chain(id));
        claim.made = known.artifact.as_ref().and_then(|made| made.id.as_deref());
        let is_named = claim
            .names
            .iter()
            .any(|name| name.starts_with(RECORD_PREFIX));
        if !is_named {
            claim.snapshot = known.snapshot.as_deref().or(claim.snapshot);
        }
        claim.started = claim.started.or(known.created_at);
        let is_dead = matches!(known.state, State::Failed | State::Cancelled)
            || operation.is_some_and(has_failed);
        claim.takes_late = !is_dead;
        claim.takes_undated = !is_dead && operation.is_some();
        claim
    }

    /// The claim of a listed operation. Lists hold operations of every kind, so one of another kind takes only what fits.
    pub(super) fn of_operation(operation: &'a Operation) -> Self {
        let resource = operation.resource_name();
        let is_other = operation
            .operation_type()
            .is_some_and(|kind| OperationType::values().contains(&kind.as_str()));
        let is_open = !is_other && !has_failed(operation);
        Claim {
            names: resource.into_iter().collect(),
            made: None,
            snapshot: resource.filter(|name| !name.starts_with(RECORD_PREFIX)),
            started: operation.created_at().and_then(timestamp),
            takes_late: is_open,
            takes_undated: is_open,
        }
    }

    /// How well a record fits, the best first; `None` for one that cannot be this export's.
    fn fit(&self, record: &ExportSnapshotRecord) -> Option<Fit> {
        if record.name().is_some_and(|name| self.names.contains(&name)) {
            return Some(Fit::Named);
        }
        let made = record.destination_info().and_then(|info| info.id());
        if made.is_some() && made == self.made {
            return Some(Fit::Made);
        }
        if self.snapshot.is_none() || source_name(record) != self.snapshot {
            return None;
        }
        match (self.started, record.created_at().and_then(timestamp)) {
            (Some(started), Some(recorded)) => {
                let offset = recorded.as_millisecond() - started.as_millisecond();
                let apart = offset.unsigned_abs();
                if offset < EARLIEST_MS {
                    None
                } else if offset <= LATEST_MS {
                    Some(Fit::Near(apart))
                } else {
                    self.takes_late.then_some(Fit::Late(apart))
                }
            }
            _ => self.takes_undated.then_some(Fit::Undated),
        }
    }
}

/// How well a record fits a claim, in order; times in milliseconds between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Named,
    Made,
    Near(u64),
    Late(u64),
    Undated,
}

/// The record found for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// Its index among the records.
    pub record: usize,
    /// False where it is taken only because no better owner is known.
    pub is_sure: bool,
}

/// For each claim its record, if there is one; a record belongs to one export at most.
///
/// One snapshot may have been exported many times, so with the snapshot alone the record nearest in time is taken, closest
/// pairs first. Without times there is no nearest: then a record is taken that is the only one left, for the only claim on it.
pub(super) fn join(claims: &[Claim<'_>], records: &[&ExportSnapshotRecord]) -> Vec<Option<Match>> {
    let mut pairs: Vec<(Fit, usize, usize)> = Vec::new();
    for (c, claim) in claims.iter().enumerate() {
        let fits = records.iter().enumerate();
        pairs.extend(fits.filter_map(|(r, record)| Some((claim.fit(record)?, c, r))));
    }
    pairs.sort_unstable();
    let (dated, undated) = pairs.split_at(pairs.partition_point(|(fit, ..)| *fit < Fit::Undated));
    let mut joined: Vec<Option<Match>> = vec![None; claims.len()];
    let mut is_taken = vec![false; records.len()];
    for &(fit, c, record) in dated {
        if joined[c].is_none() && !is_taken[record] {
            let is_sure = !matches!(fit, Fit::Late(_));
            joined[c] = Some(Match { record, is_sure });
            is_taken[record] = true;
        }
    }
    let left: Vec<(usize, usize)> = undated
        .iter()
        .map(|&(_, c, r)| (c, r))
        .filter(|&(c, r)| joined[c].is_none() && !is_taken[r])
        .collect();
    for &(c, record) in &left {
        let rivals = left
            .iter()
            .filter(|other| other.0 == c || other.1 == record);
        if rivals.count() == 1 {
            let is_sure = false;
            joined[c] = Some(Match { record, is_sure });
        }
    }
    joined
}

fn has_failed(operation: &Operation) -> bool {
    operation
        .status()
        .is_some_and(|status| status.as_str() == "Failed")
}

#[cfg(test)]
mod tests;
