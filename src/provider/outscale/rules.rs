//! What the cloud would refuse or get wrong, found before anything is sent.

use serde_json::Value;
use url::Url;

use super::target::{Destination, MANIFEST_URL};
use crate::error::{Command, Error, Hint, Result};
use crate::provider::name_problem;
use crate::secret::clean;
use crate::task::ExportRequest;

/// Formats one can ask for. The platform writes the first two; it took the others until 2020 (spec 1.3).
pub(super) const FORMATS: [&str; 4] = ["qcow2", "raw", "vdi", "vmdk"];
/// Formats the platform writes today.
pub(super) const WRITTEN_FORMATS: [&str; 2] = ["qcow2", "raw"];
/// The longest prefix: an object's key has at most 1024 bytes, and the name after the prefix needs 31.
const LONGEST_PREFIX: usize = 1024 - "snap-12345678-12345678.qcow2.gz".len();

/// Refuses a request that cannot be right (kind `usage`).
pub(super) fn validate(request: &ExportRequest) -> Result<()> {
    let Some(Destination::Oos {
        bucket,
        prefix,
        format,
    }) = request.target.read()
    else {
        return Err(Error::usage(
            "OUTSCALE exports to a bucket of its object storage and nowhere else",
        ));
    };
    check_snapshot(&request.snapshot)?;
    check_bucket(&bucket)?;
    if !FORMATS.contains(&format.as_str()) {
        return Err(Error::usage(format!(
            "There is no disk image format '{}'; the formats are {}",
            clean(&format),
            FORMATS.join(", ")
        )));
    }
    if let Some(prefix) = prefix.as_deref().filter(|prefix| !prefix.is_empty())
        && let Some(problem) = name_problem("prefix", prefix, LONGEST_PREFIX)
    {
        return Err(problem);
    }
    let manifest_url = request.extras.get(MANIFEST_URL).and_then(Value::as_str);
    manifest_url.map_or(Ok(()), check_manifest_url)
}

fn check_snapshot(id: &str) -> Result<()> {
    if is_snapshot_id(id) {
        return Ok(());
    }
    let shown = clean(id);
    let list = what_can_be_exported();
    Err(if id.starts_with("ami-") {
        Error::usage(format!(
            "{shown} is a machine image (OMI), not a snapshot; only volume snapshots can be exported here"
        ))
        .hint(Hint::say("export the snapshots of its volumes: ").and_hint(list))
    } else if id.starts_with("snap-export-") {
        Error::usage(format!("{shown} is an export task, not a snapshot")).hint(
            Hint::run(Command::from("snapexport status").arg(&shown)).and(" shows how far it is"),
        )
    } else if id.starts_with("vol-") {
        Error::usage(format!("{shown} is a volume, not a snapshot"))
            .hint(Hint::say("make a snapshot of it first; ").and_hint(list))
    } else {
        Error::usage(format!(
            "'{shown}' is no OUTSCALE snapshot id: that is snap- and 8 hex digits"
        ))
        .hint(list)
    })
}

/// The way to the ids there are.
pub(super) fn what_can_be_exported() -> Hint {
    Hint::run("snapexport list outscale").and(" shows what can be exported")
}

/// Whether an id is `snap-` and 8 hex digits.
pub(super) fn is_snapshot_id(id: &str) -> bool {
    id.strip_prefix("snap-")
        .is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Refuses what can be no bucket's name. OUTSCALE has taken more than S3 does (its own examples have `_`).
pub(super) fn check_bucket(bucket: &str) -> Result<()> {
    let is_of_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    if (3..=255).contains(&bucket.len()) && bucket.bytes().all(is_of_name) {
        return Ok(());
    }
    let error = Error::usage(format!(
        "'{}' is no bucket name: that is 3 to 255 lower-case letters, digits, hyphens, dots and underscores",
        clean(bucket)
    ));
    let path = bucket.strip_prefix("s3://").unwrap_or(bucket);
    Err(match path.split_once('/') {
        Some((name, prefix)) => {
            let command = Command::from("--bucket").arg(name);
            let command = match prefix {
                "" => command,
                prefix => command.and("--prefix").arg(prefix),
            };
            error.hint(Hint::say("what comes after the bucket is a prefix: ").and_run(command))
        }
        None if path != bucket => error
            .hint(Hint::say("give the name alone: ").and_run(Command::from("--bucket").arg(path))),
        None => error,
    })
}

/// A sentence about a name that other S3 stores would not take.
pub(super) fn bucket_warning(bucket: &str) -> Option<String> {
    let is_edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = bucket.as_bytes();
    let is_usual = bytes.len() <= 63
        && bytes.first().is_some_and(is_edge)
        && bytes.last().is_some_and(is_edge)
        && !bucket.contains('_')
        && !bucket.contains("..")
        && bucket.parse::<std::net::Ipv4Addr>().is_err();
    (!is_usual).then(|| {
        format!(
            "The bucket name {bucket} is unusual: OUTSCALE has such buckets, and may refuse to make another"
        )
    })
}

fn check_manifest_url(text: &str) -> Result<()> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(()),
        // The URL may be pre-signed, so it is not shown.
        _ => Err(Error::usage("The manifest URL is no http or https URL")),
    }
}

/// Prefixes that are accepted but make keys that nobody expects. Each a sentence.
pub(super) fn prefix_warnings(prefix: &str) -> Vec<String> {
    let shown = clean(prefix);
    let mut warnings = Vec::new();
    if prefix.starts_with('/') {
        warnings.push(format!(
            "The prefix '{shown}' starts with '/', so the object's key will too"
        ));
    }
    if prefix.contains(['%', '&']) {
        warnings.push(format!(
            "The prefix '{shown}' has a '%' or '&' in it, which some tools cannot read back"
        ));
    }
    if !prefix.is_empty() && !prefix.ends_with(['/', '-', '_', '.']) {
        warnings.push(format!(
            "The prefix '{shown}' is put before the object's name as it is; end it with '/' to make a folder"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
