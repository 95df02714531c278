use super::*;
use serde_json::json;

fn seen(state: &str, progress: Value, comment: &str) -> Task {
    let raw = json!({
        "TaskId": "snap-export-12d8b47d", "SnapshotId": "snap-aabbccdd", "State": state,
        "Progress": progress, "Comment": comment, "Tags": [{"Key": "k", "Value": "v"}],
        "OsuExport": {"OsuBucket": "backups", "OsuPrefix": "web/", "DiskImageFormat": "qcow2",
                      "OsuApiKey": {"ApiKeyId": "AK", "SecretKey": "hunter2"}},
    });
    task(&raw, "eu-west-2").expect("it has an id")
}

#[test]
fn the_words_of_all_versions_are_understood() {
    for (word, expected) in [
        ("pending", State::Pending),
        ("pending/queued", State::Pending),
        ("active", State::Running),
        ("initializing", State::Running),
        ("preparing", State::Running),
        ("uploading", State::Running),
        ("completed", State::Completed),
        ("cancelled", State::Cancelled),
        ("failed", State::Failed),
        ("verifying", State::Running),
        ("", State::Running),
    ] {
        let task = seen(word, json!(1), "Export of snapshot snap-aabbccdd");
        assert_eq!(task.state, expected, "{word}");
        assert_eq!(task.provider_state, word);
    }
}

#[test]
fn percent_is_kept_within_bounds() {
    for (progress, state, expected) in [
        (json!(13), "pending", 13),
        (json!(-5), "pending", 0),
        (json!(250), "uploading", 100),
        (json!(41.9), "uploading", 41),
        (json!("42"), "uploading", 0),
        (json!(1e300), "uploading", 100),
        (json!([1]), "uploading", 0),
        (Value::Null, "uploading", 0),
        (json!("50"), "completed", 100),
        (json!("all"), "completed", 100),
    ] {
        let task = seen(state, progress.clone(), "");
        assert_eq!(task.percent(), Some(expected), "{progress} {state}");
    }
}

#[test]
fn a_comment_is_an_error_only_where_it_is_one() {
    let comment = "Error accessing bucket b: S3ResponseError: 403 Forbidden";
    for (state, comment, expected) in [
        (
            "failed",
            "disk broke",
            Some((Kind::TaskFailed, "disk broke")),
        ),
        (
            "failed",
            "",
            Some((Kind::TaskFailed, "OUTSCALE gave no reason for the failure")),
        ),
        ("pending", comment, Some((Kind::Stalled, comment))),
        ("active", comment, Some((Kind::Stalled, comment))),
        ("pending", "Export of snapshot snap-aabbccdd", None),
        ("completed", comment, None),
        ("cancelled", "Cancelled by the user", None),
    ] {
        let error = seen(state, json!(1), comment).error;
        let found = error.as_ref().map(|e| (e.kind, e.message.as_str()));
        assert_eq!(found, expected, "{state} {comment}");
    }
}

#[test]
fn the_expected_key_follows_the_rule_and_is_not_called_exact() {
    assert_eq!(seen("uploading", json!(99), "").artifact, None);
    let artifact = seen("completed", json!(100), "")
        .artifact
        .expect("completed");
    let key = "web/snap-aabbccdd-12d8b47d.qcow2.gz";
    assert_eq!(artifact.id.as_deref(), Some(key));
    assert_eq!(artifact.uri, format!("s3://backups/{key}"));
    assert!(!artifact.exact);
}

#[test]
fn the_raw_task_holds_no_secret() {
    let raw = seen("pending", json!(0), "").raw.value().to_string();
    assert!(raw.contains("web/") && !raw.contains("hunter2"), "{raw}");
}

#[test]
fn an_answer_without_its_members_is_survived() {
    let bare = task(&json!({"TaskId": "snap-export-1"}), "r").expect("an id is enough");
    assert_eq!(
        (bare.state, bare.snapshot, bare.target),
        (State::Running, None, None)
    );
    assert!(task(&json!({"State": "completed"}), "r").is_none());
    assert!(task(&json!("text"), "r").is_none());
    assert!(source(&json!([]), "r").is_none());
}

#[test]
fn only_a_completed_snapshot_is_exportable() {
    for (word, state, exportable) in [
        ("completed", "completed", true),
        ("in-queue", "pending", false),
        ("pending/queued", "pending", false),
        ("importing", "pending", false),
        ("error", "failed", false),
        ("deleting", "deleting", false),
    ] {
        let raw = json!({"SnapshotId": "snap-12345678", "State": word, "VolumeSize": 10,
                             "Description": "web", "CreationDate": "2026-01-10T02:00:00.000Z"});
        let source = source(&raw, "eu-west-2").expect("it has an id");
        assert_eq!(
            (source.state.as_str(), source.exportable),
            (state, exportable)
        );
        assert_eq!(source.reason.is_none(), exportable, "{word}");
        assert_eq!(source.size_bytes, Some(10_737_418_240));
        assert_eq!(source.name.as_deref(), Some("web"));
        assert!(source.created_at.is_some());
    }
}
