//! Which export record belongs to which export. The API has no member that ties the two together for sure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    names: Vec<Cow<'a, str>>,
    /// The id of what the export made.
    made: Option<&'a str>,
    snapshot: Option<&'a str>,
    started: Option<Timestamp>,
    /// Whether a record much younger than the start is taken too, where no other export claims it.
    takes_late: bool,
    /// Whether a record is taken of which, or an export of which, nobody says when it began.
    takes_undated: bool,
    /// Its operation has failed.
    has_failed: bool,
}

impl<'a> Claim<'a> {
    /// The claim of a task that is asked for; without its operation, once Lightsail has forgotten that.
    pub(super) fn of_task(known: &'a Task, operation: Option<&'a Operation>) -> Self {
        let id = Some(known.id.as_str()).filter(|id| id.starts_with(RECORD_PREFIX));
        let record = known.raw.member("record");
        let seen_before = record["name"]
            .as_str()
            .map(|name| Cow::Owned(name.to_owned()));
        let mut claim = operation.map_or_else(Claim::default, Claim::of_operation);
        claim.names.extend(seen_before);
        claim.names.extend(id.map(Cow::Borrowed));
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
        claim.has_failed = operation.is_some_and(has_failed);
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
            names: resource.map(Cow::Borrowed).into_iter().collect(),
            made: None,
            snapshot: resource.filter(|name| !name.starts_with(RECORD_PREFIX)),
            started: operation.created_at().and_then(timestamp),
            takes_late: is_open,
            takes_undated: is_open,
            has_failed: has_failed(operation),
        }
    }

    /// How well a record fits, the best first; `None` for one that cannot be this export's.
    fn fit(&self, record: &ExportSnapshotRecord) -> Option<Fit> {
        let is_named = |name: &str| self.names.iter().any(|own| own == name);
        if record.name().is_some_and(is_named) {
            return Some(Fit::Named);
        }
        // What has failed by its operation is no record's that has not.
        if self.has_failed
            && record
                .state()
                .is_some_and(|state| state.as_str() == "Succeeded")
        {
            return None;
        }
        let made = record.destination_info().and_then(|info| info.id());
        if made.is_some() && made == self.made {
            return Some(Fit::Made);
        }
        if self.snapshot.is_none() || source_name(record) != self.snapshot {
            return None;
        }
        match (self.started, started(record)) {
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

/// Pairs that are looked at, so that no list takes all the memory; a claim has sixteen at least.
const MOST_PAIRS: usize = 1 << 20;
/// Of pairs near each other in time, at most: nobody exports one snapshot so often in twenty minutes.
const MOST_STEPS: usize = 512;

/// Records by what a claim may know them by.
struct Index<'r> {
    named: HashMap<&'r str, usize>,
    made: HashMap<&'r str, Vec<usize>>,
    /// In the order of their times, those without one first.
    of: HashMap<&'r str, Vec<(Option<Timestamp>, usize)>>,
}

impl<'r> Index<'r> {
    fn of(records: &[&'r ExportSnapshotRecord]) -> Self {
        let mut index = Index {
            named: HashMap::new(),
            made: HashMap::new(),
            of: HashMap::new(),
        };
        for (r, record) in records.iter().enumerate() {
            if let Some(name) = record.name() {
                index.named.entry(name).or_insert(r);
            }
            if let Some(made) = record.destination_info().and_then(|info| info.id()) {
                index.made.entry(made).or_default().push(r);
            }
            if let Some(snapshot) = source_name(record) {
                index
                    .of
                    .entry(snapshot)
                    .or_default()
                    .push((started(record), r));
            }
        }
        index.of.values_mut().for_each(|of| of.sort_unstable());
        index
    }

    /// The records that may be a claim's: of those of its snapshot, the first that are not older than its start.
    fn candidates(&self, claim: &Claim<'_>, most: usize) -> BTreeSet<usize> {
        let named = claim
            .names
            .iter()
            .filter_map(|name| self.named.get(name.as_ref()));
        let made = claim.made.and_then(|made| self.made.get(made));
        let of = claim.snapshot.and_then(|snapshot| self.of.get(snapshot));
        let of = of.map(Vec::as_slice).unwrap_or_default();
        let (undated, dated) = of.split_at(of.partition_point(|(at, _)| at.is_none()));
        let is_older = |at: Option<Timestamp>| {
            let start = claim.started.map(Timestamp::as_millisecond);
            start.is_some_and(|start| millis(at) < start + EARLIEST_MS)
        };
        let dated = &dated[dated.partition_point(|(at, _)| is_older(*at))..];
        let of = undated.iter().take(most).chain(dated.iter().take(most));
        let made = made.into_iter().flatten().take(most);
        named
            .chain(made)
            .copied()
            .chain(of.map(|(_, r)| *r))
            .collect()
    }
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
/// One snapshot may have been exported many times, so with the snapshot alone exports and records are paired in the order of
/// their times. Without times there is no order: then a record is taken that is the only one left, for the only claim on it.
pub(super) fn join(claims: &[Claim<'_>], records: &[&ExportSnapshotRecord]) -> Vec<Option<Match>> {
    let index = Index::of(records);
    let most = (MOST_PAIRS / claims.len().max(1)).clamp(16, 1024);
    let mut pairs: Vec<(Fit, usize, usize)> = Vec::new();
    let mut fits = vec![0usize; claims.len()];
    for (c, claim) in claims.iter().enumerate() {
        let candidates = index.candidates(claim, most).into_iter();
        pairs.extend(
            candidates
                .filter_map(|r| Some((claim.fit(records[r])?, c, r)))
                .inspect(|_| fits[c] += 1),
        );
    }
    pairs.sort_unstable();
    let upto = |fit: Fit| pairs.partition_point(|pair| pair.0 < fit);
    let (near, late, undated) = (upto(Fit::Near(0)), upto(Fit::Late(0)), upto(Fit::Undated));
    let (dated, undated) = pairs.split_at(undated);
    let mut joined: Vec<Option<Match>> = vec![None; claims.len()];
    let mut is_taken = vec![false; records.len()];
    let take = |joined: &mut [Option<Match>],
                is_taken: &mut [bool],
                c: usize,
                record: usize,
                is_sure: bool| {
        if joined[c].is_none() && !is_taken[record] {
            joined[c] = Some(Match { record, is_sure });
            is_taken[record] = true;
        }
    };
    for &(_, c, record) in &dated[..near] {
        take(&mut joined, &mut is_taken, c, record, true);
    }
    let free = |&&(_, c, r): &&(Fit, usize, usize)| joined[c].is_none() && !is_taken[r];
    let open: Vec<(Fit, usize, usize)> = dated[near..late].iter().filter(free).copied().collect();
    for (c, record) in in_order(claims, records, &open) {
        let is_younger = started(records[record]) >= claims[c].started;
        // An end is believed by time alone only where no other operation could own it.
        let is_end = records[record]
            .state()
            .is_some_and(|state| state.as_str() != "Started");
        let is_sure = is_younger && fits[c] == 1 && !is_end;
        take(&mut joined, &mut is_taken, c, record, is_sure);
    }
    for &(_, c, record) in &dated[late..] {
        take(&mut joined, &mut is_taken, c, record, false);
    }
    let left: Vec<(usize, usize)> = undated
        .iter()
        .map(|&(_, c, r)| (c, r))
        .filter(|&(c, r)| joined[c].is_none() && !is_taken[r])
        .collect();
    let (mut of_claim, mut of_record) = (HashMap::new(), HashMap::new());
    for &(c, record) in &left {
        *of_claim.entry(c).or_insert(0) += 1;
        *of_record.entry(record).or_insert(0) += 1;
    }
    for &(c, record) in &left {
        if of_claim[&c] == 1 && of_record[&record] == 1 {
            let is_sure = false;
            joined[c] = Some(Match { record, is_sure });
        }
    }
    joined
}

/// Pairs claims and records that are near each other so that no two pairs cross in time: as many pairs as there can be, and
/// of these the closest.
fn in_order(
    claims: &[Claim<'_>],
    records: &[&ExportSnapshotRecord],
    near: &[(Fit, usize, usize)],
) -> Vec<(usize, usize)> {
    let mut of_snapshot: BTreeMap<Option<&str>, Vec<Step>> = BTreeMap::new();
    for &(fit, claim, record) in near {
        let Fit::Near(apart) = fit else { continue };
        of_snapshot
            .entry(claims[claim].snapshot)
            .or_default()
            .push(Step {
                claim: (claims[claim].started, claim),
                record: (started(records[record]), record),
                apart,
            });
    }
    let chains = of_snapshot.into_values().flat_map(|mut steps| {
        steps.sort_unstable_by_key(|step| (step.record, step.claim));
        // Pairs more than this apart cannot cross.
        let far =
            |one: &Step, next: &Step| millis(next.record.0) - millis(one.record.0) <= 2 * LATEST_MS;
        let chunks = steps.chunk_by(far);
        chunks
            .flat_map(|chunk| chain(&chunk[..chunk.len().min(MOST_STEPS)]))
            .collect::<Vec<_>>()
    });
    chains.collect()
}

/// A record that may be a claim's: both with their times.
#[derive(Clone, Copy)]
struct Step {
    claim: (Option<Timestamp>, usize),
    record: (Option<Timestamp>, usize),
    apart: u64,
}

/// The longest chain of steps that goes on in both times, and of the longest the closest. Steps are in the order of their
/// records.
fn chain(steps: &[Step]) -> Vec<(usize, usize)> {
    // Of each step as an end: how long the chain is, how close (the more, the better), and the step before.
    let mut ends: Vec<(usize, i64, Option<usize>)> = Vec::with_capacity(steps.len());
    for step in steps {
        let before = ends
            .iter()
            .enumerate()
            .filter(|(at, _)| steps[*at].record < step.record && steps[*at].claim < step.claim);
        let best = before.max_by_key(|(_, end)| (end.0, end.1));
        let (length, close) = best.map_or((0, 0), |(_, end)| (end.0, end.1));
        let apart = i64::try_from(step.apart).unwrap_or(i64::MAX);
        ends.push((
            length + 1,
            close.saturating_sub(apart),
            best.map(|(at, _)| at),
        ));
    }
    let mut at = (0..ends.len()).max_by_key(|at| (ends[*at].0, ends[*at].1));
    let mut found = Vec::new();
    while let Some(step) = at {
        found.push((steps[step].claim.1, steps[step].record.1));
        at = ends[step].2;
    }
    found
}

fn started(record: &ExportSnapshotRecord) -> Option<Timestamp> {
    record.created_at().and_then(timestamp)
}

fn millis(time: Option<Timestamp>) -> i64 {
    time.map_or(0, Timestamp::as_millisecond)
}

fn has_failed(operation: &Operation) -> bool {
    operation
        .status()
        .is_some_and(|status| status.as_str() == "Failed")
}

#[cfg(test)]
mod tests;
