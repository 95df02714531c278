//! What the cloud would refuse or get wrong, found before anything is sent.

use serde_json::Value;
use url::Url;

use super::target::{Destination, MANIFEST_URL};
use crate::error::{Error, Hint, Result};
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
        Error::usage(format!("{shown} is an export task, not a snapshot"))
            .hint(Hint::run(format!("snapexport status {shown}")).and(" shows how far it is"))
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

/// Refuses what can be no bucket's name.
pub(super) fn check_bucket(bucket: &str) -> Result<()> {
    let is_edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = bucket.as_bytes();
    let is_good = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|&b| is_edge(b) || b == b'-' || b == b'.')
        && is_edge(bytes[0])
        && is_edge(bytes[bytes.len() - 1])
        && !bucket.contains("..")
        && bucket.parse::<std::net::Ipv4Addr>().is_err();
    if is_good {
        return Ok(());
    }
    let error = Error::usage(format!(
        "'{}' is no bucket name: that is 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends",
        clean(bucket)
    ));
    Err(match bucket.split_once('/') {
        Some((name, rest)) => error.hint(format!(
            "a path in the bucket is a prefix: --bucket {} --prefix {}",
            clean(name),
            clean(rest)
        )),
        None => error,
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
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::task::Target;

    fn request(snapshot: &str, bucket: &str, prefix: Option<&str>, format: &str) -> ExportRequest {
        let target = Destination::Oos {
            bucket: bucket.into(),
            prefix: prefix.map(str::to_owned),
            format: format.into(),
        };
        ExportRequest::new(snapshot, Target::new(&target))
    }

    #[test]
    fn what_the_cloud_would_refuse_is_refused_with_the_rule() {
        const SNAP: &str = "snap-0a1b2c3d";
        let long = "p".repeat(994);
        for (request, expected) in [
            (request(SNAP, "demo", None, "qcow2"), None),
            (request(SNAP, "demo", Some("web/"), "raw"), None),
            (request(SNAP, "demo", Some(""), "vdi"), None),
            (request(SNAP, "my.bucket-1", Some("été/"), "vmdk"), None),
            (
                request("ami-12345678", "demo", None, "qcow2"),
                Some("machine image"),
            ),
            (
                request("vol-12345678", "demo", None, "qcow2"),
                Some("is a volume"),
            ),
            (
                request("snap-export-12345678", "demo", None, "qcow2"),
                Some("export task"),
            ),
            (
                request("snap-1234567", "demo", None, "qcow2"),
                Some("8 hex digits"),
            ),
            (
                request("snap-1234567g", "demo", None, "qcow2"),
                Some("8 hex digits"),
            ),
            (request("", "demo", None, "qcow2"), Some("8 hex digits")),
            (request(SNAP, "Demo", None, "qcow2"), Some("lower-case")),
            (request(SNAP, "ab", None, "qcow2"), Some("3 to 63")),
            (
                request(SNAP, &"a".repeat(64), None, "qcow2"),
                Some("3 to 63"),
            ),
            (request(SNAP, "-demo", None, "qcow2"), Some("both ends")),
            (request(SNAP, "demo.", None, "qcow2"), Some("both ends")),
            (
                request(SNAP, "de..mo", None, "qcow2"),
                Some("no bucket name"),
            ),
            (
                request(SNAP, "10.0.0.1", None, "qcow2"),
                Some("no bucket name"),
            ),
            (
                request(SNAP, "de_mo", None, "qcow2"),
                Some("no bucket name"),
            ),
            (request(SNAP, "", None, "qcow2"), Some("no bucket name")),
            (
                request(SNAP, "demo", None, "vhd"),
                Some("the formats are qcow2, raw"),
            ),
            (
                request(SNAP, "demo", Some(&long), "raw"),
                Some("longest allowed is 993"),
            ),
            (
                request(SNAP, "demo", Some("a\nb"), "raw"),
                Some("control character"),
            ),
        ] {
            match (validate(&request), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(part)) => {
                    assert_eq!(error.kind, Kind::Usage, "{request:?}");
                    assert!(
                        error.message.contains(part),
                        "{request:?}: {}",
                        error.message
                    );
                }
                (outcome, _) => panic!("{request:?}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn a_manifest_url_must_be_one_and_is_never_shown() {
        for (url, good) in [
            (
                "https://oos.eu-west-2.outscale.com/b/m.xml?X-Amz-Signature=s",
                true,
            ),
            ("ftp://h/m", false),
            ("secret-token", false),
        ] {
            let mut request = request("snap-0a1b2c3d", "demo", None, "raw");
            request.extras.insert(MANIFEST_URL.into(), url.into());
            let outcome = validate(&request);
            assert_eq!(outcome.is_ok(), good, "{url}");
            if let Err(error) = outcome {
                assert!(!error.one_line().contains(url), "{}", error.one_line());
            }
        }
    }

    #[test]
    fn odd_prefixes_are_warned_about() {
        for (prefix, count) in [
            ("", 0),
            ("web/", 0),
            ("web-", 0),
            ("web", 1),
            ("/web/", 1),
            ("a%b/", 1),
            ("/foo%bar&", 3),
        ] {
            assert_eq!(prefix_warnings(prefix).len(), count, "{prefix}");
        }
    }
}
