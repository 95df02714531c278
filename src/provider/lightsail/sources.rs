//! Instance and disk snapshots as things to export, and what speaks against exporting them.

use std::collections::BTreeMap;

use aws_sdk_lightsail::types::{DiskSnapshot, InstanceSnapshot, Tag};

use super::merge::timestamp;
use super::profile::ID;
use crate::error::{Command, Hint};
use crate::task::{SCHEMA, Source, SourceKind};

/// Blueprints that Lightsail does not export, by the start of their ids (Lightsail's user guide, 2023).
const FIXED_BLUEPRINTS: [(&str, &str); 3] = [
    ("cpanel", "cPanel & WHM"),
    ("django", "Django"),
    ("ghost", "Ghost"),
];

/// An instance snapshot, with its system disk and its attached disks. `None` without a name, by which alone it can be exported.
pub(super) fn of_instance(region: &str, snapshot: &InstanceSnapshot) -> Option<Source> {
    let word = snapshot.state().map(|state| state.as_str());
    // `sizeInGb` is the system disk's, which may be listed once more among the attached ones.
    let attached = snapshot.from_attached_disks().iter();
    let attached = attached.filter(|disk| disk.is_system_disk() != Some(true));
    let attached = attached.filter_map(|disk| bytes(disk.size_in_gb()));
    let size = bytes(snapshot.size_in_gb()).map(|size| attached.fold(size, u64::saturating_add));
    let reason = state_problem(word, "available")
        .or_else(|| blueprint_problem(snapshot.from_blueprint_id()));
    source(
        region,
        SourceKind::InstanceSnapshot,
        Facts {
            name: snapshot.name(),
            word,
            size,
            created_at: snapshot.created_at(),
            tags: snapshot.tags(),
            reason,
        },
    )
}

/// A disk snapshot; `None` without a name.
pub(super) fn of_disk(region: &str, snapshot: &DiskSnapshot) -> Option<Source> {
    let word = snapshot.state().map(|state| state.as_str());
    let reason = state_problem(word, "completed");
    source(
        region,
        SourceKind::DiskSnapshot,
        Facts {
            name: snapshot.name(),
            word,
            size: bytes(snapshot.size_in_gb()),
            created_at: snapshot.created_at(),
            tags: snapshot.tags(),
            reason,
        },
    )
}

/// For whoever has only automatic snapshots: they stand in no list, and only a copy can be exported.
pub(super) fn only_automatic(region: &str) -> Hint {
    Hint::say("automatic snapshots are in no list; keep a copy, and export that: ").and_run(
        Command::from(
            "aws lightsail copy-snapshot --source-resource-name INSTANCE --use-latest-restorable-auto-snapshot \
             --target-snapshot-name NAME --source-region",
        )
        .arg(region)
        .and("--region")
        .arg(region),
    )
}

/// What the two kinds of snapshot have in common.
struct Facts<'s> {
    name: Option<&'s str>,
    word: Option<&'s str>,
    size: Option<u64>,
    created_at: Option<&'s aws_sdk_lightsail::primitives::DateTime>,
    tags: &'s [Tag],
    reason: Option<String>,
}

fn source(region: &str, kind: SourceKind, facts: Facts<'_>) -> Option<Source> {
    let name = facts.name.filter(|name| !name.is_empty())?;
    let word = facts.word.unwrap_or_default();
    let source = Source {
        schema: SCHEMA,
        provider: ID,
        region: region.to_owned(),
        id: name.to_owned(),
        name: Some(name.to_owned()),
        kind,
        state: match word {
            "available" | "completed" => "completed",
            "error" => "failed",
            other => other,
        }
        .to_owned(),
        provider_state: word.to_owned(),
        size_bytes: facts.size,
        created_at: facts.created_at.and_then(timestamp),
        exportable: facts.reason.is_none(),
        reason: facts.reason,
        tags: tags(facts.tags),
    };
    Some(source.told())
}

/// A size in GiB as bytes; a negative one says nothing.
fn bytes(gigabytes: Option<i32>) -> Option<u64> {
    let gigabytes = u64::try_from(gigabytes?).ok()?;
    Some(gigabytes << 30)
}

/// Only words known to be bad count: one never seen before is for Lightsail to judge.
fn state_problem(word: Option<&str>, ready: &str) -> Option<String> {
    match word {
        Some("pending") => Some(format!("it is still being made (pending, not yet {ready})")),
        Some("error") => Some("making it failed (error)".to_owned()),
        _ => None,
    }
}

fn blueprint_problem(blueprint: Option<&str>) -> Option<String> {
    let blueprint = blueprint?;
    FIXED_BLUEPRINTS
        .iter()
        .find(|(prefix, _)| blueprint.starts_with(prefix))
        .map(|(_, title)| format!("Lightsail does not export {title} instances ({blueprint})"))
}

/// A tag that is a key alone has an empty value.
fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| {
            let value = tag.value().unwrap_or_default();
            Some((tag.key()?.to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
