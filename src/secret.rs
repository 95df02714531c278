//! Secrets that cannot be printed, and text that came from a server made safe to print.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A secret: no `Display`, and `Debug` shows only a mask.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Secret(secret.into())
    }

    /// A number that differs when the secret does, within this process. See [`crate::provider::Provider::credentials_tag`].
    pub fn tag(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Headers whose values are secrets.
const SECRET_HEADERS: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "x-auth-token",
    "x-subject-token",
    "x-storage-token",
    "x-amz-security-token",
    "cookie",
    "set-cookie",
    "x-auth-key",
];

/// A header's value as it may be shown.
pub fn redact_header<'v>(name: &str, value: &'v str) -> &'v str {
    if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        MASK
    } else {
        value
    }
}

/// A URL as it may be shown: no password, no value of a query parameter that signs or authorises.
pub fn redact_url(url: &Url) -> String {
    let mut url = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // Both calls fail only for URLs that cannot hold credentials.
        let _ = url.set_password(None);
        let _ = url.set_username("");
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(k, v)| {
                let v = if is_secret_key(&k) { MASK.into() } else { v };
                (k.into_owned(), v.into_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

/// Whether a JSON member or query parameter of this name holds a secret.
fn is_secret_key(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    [
        "secret",
        "password",
        "passcode",
        "apikey",
        "signature",
        "token",
        "credential",
        "sessiontoken",
    ]
    .iter()
    .any(|word| name.ends_with(word) || name.contains("secret"))
        && name != "nextpagetoken"
        && name != "pagetoken"
}

/// A JSON value with every secret in it masked, wherever it stands.
///
/// An object under a secret name keeps its shape: `OsuApiKey` shows `ApiKeyId` and masks `SecretKey`; `token` masks its `id`.
pub fn redact_json(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    let masked = match value {
                        Value::String(_) if is_secret_key(key) => Value::from(MASK),
                        Value::Object(inner) if key == "token" => Value::Object(
                            inner
                                .iter()
                                .map(|(k, v)| {
                                    let hide = k == "id" && v.is_string();
                                    (k.clone(), if hide { MASK.into() } else { redact_json(v) })
                                })
                                .collect(),
                        ),
                        other => redact_json(other),
                    };
                    (key.clone(), masked)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(redact_json).collect()),
        other => other.clone(),
    }
}

/// Text from a server, made safe for a terminal or a pipe: control characters become spaces,
/// marks that reorder text are dropped, runs of white space shrink to one.
pub fn clean(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_bidi_mark(*c)).map(|c| {
        if c.is_control() || c == '\u{2028}' || c == '\u{2029}' {
            ' '
        } else {
            c
        }
    });
    let mut out = String::with_capacity(text.len());
    for c in visible {
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

/// Marks that change the direction of the text around them (Unicode UAX 9), and invisible ones.
fn is_bidi_mark(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), MASK);
    }

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
    fn urls_are_masked() {
        let url = Url::parse("https://u:p@h/x?X-Amz-Signature=abc&prefix=a").expect("a URL");
        assert_eq!(redact_url(&url), "https://h/x?X-Amz-Signature=***&prefix=a");
    }

    #[test]
    fn server_text_cannot_drive_a_terminal() {
        for (dirty, expected) in [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m", "[31mred [0m"),
            ("two\r\nlines\u{0}", "two lines"),
            ("a\u{202e}cba", "acba"),
            ("csi\u{9b}2J", "csi 2J"),
        ] {
            assert_eq!(clean(dirty), expected, "{dirty:?}");
        }
    }
}
