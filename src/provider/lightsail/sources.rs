//! Instance and disk snapshots as things to export, and what speaks against exporting them.

use std::collections::BTreeMap;

use aws_sdk_lightsail::types::{DiskSnapshot, InstanceSnapshot, Tag};

use super::ID;
use super::join::timestamp;
use crate::task::{SCHEMA, Source, SourceKind};

/// Blueprints that Lightsail does not export, by the start of their ids (Lightsail's user guide, 2023).
const FIXED_BLUEPRINTS: [(&str, &str); 3] = [
    ("cpanel", "cPanel & WHM"),
    ("django", "Django"),
    ("ghost", "Ghost"),
];

/// An instance snapshot, with its system disk and its attached disks.
pub fn of_instance(region: &str, snapshot: &InstanceSnapshot) -> Source {
    let word = snapshot.state().map(|state| state.as_str());
    // Added up wider than they come: numbers out of range must not overflow.
    let attached: i64 = snapshot
        .from_attached_disks()
        .iter()
        .filter_map(|disk| disk.size_in_gb().map(i64::from))
        .sum();
    let size = snapshot.size_in_gb().map(|size| i64::from(size) + attached);
    let reason = state_problem(word, "available")
        .or_else(|| auto_problem(snapshot.is_from_auto_snapshot()))
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

/// A disk snapshot.
pub fn of_disk(region: &str, snapshot: &DiskSnapshot) -> Source {
    let word = snapshot.state().map(|state| state.as_str());
    let reason =
        state_problem(word, "completed").or_else(|| auto_problem(snapshot.is_from_auto_snapshot()));
    source(
        region,
        SourceKind::DiskSnapshot,
        Facts {
            name: snapshot.name(),
            word,
            size: snapshot.size_in_gb().map(i64::from),
            created_at: snapshot.created_at(),
            tags: snapshot.tags(),
            reason,
        },
    )
}

/// What the two kinds of snapshot have in common.
struct Facts<'s> {
    name: Option<&'s str>,
    word: Option<&'s str>,
    size: Option<i64>,
    created_at: Option<&'s aws_sdk_lightsail::primitives::DateTime>,
    tags: &'s [Tag],
    reason: Option<String>,
}

fn source(region: &str, kind: SourceKind, facts: Facts<'_>) -> Source {
    let word = facts.word.unwrap_or_default();
    Source {
        schema: SCHEMA,
        provider: ID,
        region: region.to_owned(),
        id: facts.name.unwrap_or_default().to_owned(),
        name: facts.name.map(str::to_owned),
        kind,
        state: match word {
            "available" | "completed" => "completed",
            "error" => "failed",
            other => other,
        }
        .to_owned(),
        provider_state: word.to_owned(),
        size_bytes: facts
            .size
            .and_then(|gb| u64::try_from(gb).ok())
            .and_then(|gb| gb.checked_mul(1 << 30)),
        created_at: facts.created_at.and_then(timestamp),
        exportable: facts.reason.is_none(),
        reason: facts.reason,
        tags: tags(facts.tags),
    }
}

/// Only words known to be bad count: one never seen before is for Lightsail to judge.
fn state_problem(word: Option<&str>, ready: &str) -> Option<String> {
    match word {
        Some("pending") => Some(format!("it is still being made (pending, not yet {ready})")),
        Some("error") => Some("making it failed (error)".to_owned()),
        _ => None,
    }
}

fn auto_problem(is_auto: Option<bool>) -> Option<String> {
    is_auto.unwrap_or(false).then(|| {
        "it is an automatic snapshot; copy it to a manual one first (aws lightsail copy-snapshot)"
            .to_owned()
    })
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
mod tests {
    use super::*;
    use aws_sdk_lightsail::types::{DiskSnapshotState, InstanceSnapshotState};

    #[test]
    fn what_lightsail_does_not_export_has_a_reason() {
        for (state, is_auto, blueprint, reason) in [
            ("available", false, "ubuntu_22_04", None),
            ("available", false, "wordpress", None),
            ("brand-new-word", false, "ubuntu_22_04", None),
            ("pending", false, "ubuntu_22_04", Some("pending")),
            ("error", false, "ubuntu_22_04", Some("failed")),
            ("available", true, "ubuntu_22_04", Some("automatic")),
            ("available", false, "cpanel_whm_linux", Some("cPanel")),
            ("available", false, "django", Some("Django")),
            ("available", false, "ghost_bitnami", Some("Ghost")),
        ] {
            let snapshot = InstanceSnapshot::builder()
                .name("s")
                .state(InstanceSnapshotState::from(state))
                .is_from_auto_snapshot(is_auto)
                .from_blueprint_id(blueprint)
                .build();
            let source = of_instance("eu-west-3", &snapshot);
            assert_eq!(source.exportable, reason.is_none(), "{source:?}");
            let said = source.reason.unwrap_or_default();
            assert!(said.contains(reason.unwrap_or("")), "{said}");
        }
    }

    #[test]
    fn the_ready_words_of_both_kinds_become_one() {
        let instance = InstanceSnapshot::builder().state(InstanceSnapshotState::Available);
        assert_eq!(of_instance("r", &instance.build()).state, "completed");
        let disk = DiskSnapshot::builder()
            .state(DiskSnapshotState::Completed)
            .size_in_gb(8);
        let disk = of_disk("r", &disk.build());
        assert_eq!(
            (disk.state.as_str(), disk.size_bytes),
            ("completed", Some(8 << 30))
        );
    }
}
