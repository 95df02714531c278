//! What is refused before anything is sent.

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
        (request(SNAP, "ab", None, "qcow2"), Some("3 to 255")),
        (
            request(SNAP, &"a".repeat(256), None, "qcow2"),
            Some("3 to 255"),
        ),
        (
            request(SNAP, "my bucket", None, "qcow2"),
            Some("no bucket name"),
        ),
        (request(SNAP, "b/p", None, "qcow2"), Some("no bucket name")),
        (request(SNAP, "café", None, "qcow2"), Some("no bucket name")),
        // What OUTSCALE has had, though S3 would not take it.
        (request(SNAP, &"a".repeat(64), None, "qcow2"), None),
        (request(SNAP, "my_backups", None, "qcow2"), None),
        (request(SNAP, "backups-", None, "qcow2"), None),
        (request(SNAP, "demo.", None, "qcow2"), None),
        (request(SNAP, "de..mo", None, "qcow2"), None),
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

#[test]
fn unusual_bucket_names_are_warned_of_and_usual_ones_are_not() {
    for name in [
        "my_backups",
        "backups-",
        "demo.",
        "-demo",
        "de..mo",
        "10.0.0.1",
        &"a".repeat(64),
    ] {
        assert!(
            bucket_warning(name).is_some_and(|text| text.contains(name)),
            "{name}"
        );
    }
    for name in ["demo", "my.bucket-1", "123", &"a".repeat(63)] {
        assert_eq!(bucket_warning(name), None);
    }
}

#[test]
fn a_path_for_a_bucket_is_answered_with_the_options_that_were_meant() {
    for (bucket, hint) in [
        ("s3://b-1/p/q", "--bucket b-1 --prefix p/q"),
        ("s3://b-1", "--bucket b-1"),
        ("b-1/", "--bucket b-1"),
        ("b-1/my files/", "--bucket b-1 --prefix 'my files/'"),
    ] {
        let error = check_bucket(bucket).expect_err(bucket);
        let hint_said = error.details.hints[0].to_string();
        assert!(hint_said.ends_with(hint), "{bucket}: {hint_said}");
    }
}
