//! What is masked by its name.

use super::*;

use serde_json::json;

#[test]
fn bodies_are_masked_by_member_name() {
    let body = json!({
        "SnapshotId": "snap-1", "NextPageToken": "p2",
        "OsuExport": {"OsuApiKey": {"ApiKeyId": "AK", "SecretKey": "SK"}},
        "auth": {"RAX-KSKEY:apiKeyCredentials": {"username": "u", "apiKey": "k"}},
        "access": {"token": {"id": "t", "expires": "2026"}},
    });
    assert_eq!(
        redact_json(&body),
        json!({
            "SnapshotId": "snap-1", "NextPageToken": "p2",
            "OsuExport": {"OsuApiKey": {"ApiKeyId": "AK", "SecretKey": MASK}},
            "auth": {"RAX-KSKEY:apiKeyCredentials": {"username": "u", "apiKey": MASK}},
            "access": {"token": {"id": MASK, "expires": "2026"}},
        })
    );
}

#[test]
fn values_of_secret_members_are_masked_whatever_they_are() {
    let body = json!({"password": ["a", 7, {"n": "shown", "apiKey": 5}], "token": 12, "secret": null,
        "link": "https://u:p@h/x?X-Amz-Signature=abc", "more": "see https://u:p@h"});
    assert_eq!(
        redact_json(&body),
        json!({"password": [MASK, MASK, {"n": "shown", "apiKey": MASK}], "token": MASK, "secret": null,
            "link": "https://h/x?X-Amz-Signature=***", "more": "see https://u:p@h"})
    );
}

#[test]
fn pieces_of_json_in_text_lose_their_secrets_too() {
    for (text, expected) in [
        (
            r#"{"SecretKey": "SK1", "Bucket": "b"#,
            r#"{"SecretKey": "***", "Bucket": "b"#,
        ),
        (r#"bad: {"SecretKey":"SK1"#, r#"bad: {"SecretKey":"***"#),
        (
            r#"{"Details": "no: {\"SecretKey\": \"SK1\", \"x\": 1}"}"#,
            r#"{"Details": "no: {\"SecretKey\": \"***\", \"x\": 1}"}"#,
        ),
        (
            r#"{"SecretKey": "S\"SK1", "x": 1"#,
            r#"{"SecretKey": "***", "x": 1"#,
        ),
        (r#"say "hello" to "token""#, r#"say "hello" to "token""#),
        ("no quotes: token=1", "no quotes: token=1"),
    ] {
        assert_eq!(redact_text(text), expected);
    }
}
