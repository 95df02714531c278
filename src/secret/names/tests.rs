//! Which names are those of secrets.

use super::*;

#[test]
fn names_of_secrets_are_known_in_any_spelling() {
    for name in [
        "authorization",
        "Proxy-Authorization",
        "X-Auth-Token",
        "x-subject-token",
        "X-Storage-Token",
        "x-amz-security-token",
        "X-Amz-Signature",
        "cookie",
        "Set-Cookie",
        "x-auth-key",
        "SecretKey",
        "secret_access_key_id",
        "apiKey",
        "api_key",
        "password",
        "sig",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "NextPageToken",
        "pageToken",
        "nextToken",
        "ApiKeyId",
        "SnapshotId",
        "content-type",
        "x-trans-id",
        "www-authenticate",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}
