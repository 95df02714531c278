//! Secrets that cannot be printed, and text that came from a server made safe to print.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// Keeps this process's memory out of core dumps, as far as the system lets it; commands it runs are not touched.
#[cfg(target_os = "linux")]
pub fn keep_out_of_core_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // A precaution: without it the program is as good as any other.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Keeps this process's memory out of core dumps, as far as the system lets it.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn keep_out_of_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    let _ = setrlimit(Resource::Core, none);
}

/// Elsewhere there is nothing to be asked for.
#[cfg(not(unix))]
pub fn keep_out_of_core_dumps() {}

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

/// Headers whose values are secrets, beside those whose names say so ([`is_secret_key`]).
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
    if is_secret_header(name) { MASK } else { value }
}

/// Whether a header of this name carries a secret.
pub fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) || is_secret_key(name)
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
    // Where single sign-on puts its tokens; no API reads it.
    if url
        .fragment()
        .is_some_and(|fragment| fragment.contains('='))
    {
        url.set_fragment(Some(MASK));
    }
    url.to_string()
}

/// The same for text that may be a URL; any other text stays as it is.
fn redact_if_url(text: &str) -> String {
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    match Url::parse(text) {
        Ok(url) if is_web && text.contains(['@', '?', '#']) => redact_url(&url),
        _ => text.to_owned(),
    }
}

/// Whether a JSON member or query parameter of this name holds a secret.
fn is_secret_key(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    // Where a list goes on is no secret.
    if ["nextpagetoken", "pagetoken", "nexttoken"].contains(&name.as_str()) {
        return false;
    }
    [
        "password",
        "passwd",
        "pwd",
        "passcode",
        "apikey",
        "privatekey",
        "signature",
        "sig",
        "token",
        "credential",
    ]
    .iter()
    .any(|word| name.ends_with(word))
        || name.contains("secret")
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
                        _ if is_secret_key(key) && !value.is_object() => mask(value),
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
        Value::String(text) => redact_if_url(text).into(),
        other => other.clone(),
    }
}

/// The value of a secret member: nothing of it is shown but that it is there.
fn mask(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::String(_) | Value::Number(_) => MASK.into(),
        Value::Array(items) => Value::Array(items.iter().map(mask).collect()),
        Value::Object(_) => redact_json(value),
    }
}

/// The secrets that a JSON value holds: the texts that [`redact_json`] masks by the names of their members.
pub fn secrets_in(value: &Value) -> Vec<&str> {
    fn collect<'v>(value: &'v Value, is_secret: bool, found: &mut Vec<&'v str>) {
        match value {
            Value::String(text) if is_secret => found.push(text),
            Value::Array(items) => items
                .iter()
                .for_each(|item| collect(item, is_secret, found)),
            Value::Object(map) => {
                for (key, value) in map {
                    let is_token_id = is_secret && key == "id";
                    collect(value, is_secret_key(key) || is_token_id, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, false, &mut found);
    found
}

/// Text that may hold pieces of JSON, such as a body cut short, with the values of secret members masked.
pub fn redact_text(text: &str) -> String {
    // JSON inside a JSON string has its quotes escaped, so what is inside a string and what outside is not asked:
    // a name, a colon and a value are three pieces between quotes, whatever the backslashes.
    let pieces: Vec<&str> = text.split('"').collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < pieces.len() {
        if at > 0 {
            out.push('"');
        }
        let between = |at: usize| pieces[at].replace(['\\', ' ', '\n', '\r', '\t'], "");
        let name = |at: usize| pieces[at].trim_end_matches('\\');
        let is_value = at >= 2
            && between(at - 1) == ":"
            && (is_secret_key(name(at - 2))
                // `"token": {"id": …`, as identity services write it.
                || at >= 4
                    && name(at - 2) == "id"
                    && between(at - 3) == ":{"
                    && is_secret_key(name(at - 4)));
        if !is_value {
            out.push_str(pieces[at]);
            at += 1;
            continue;
        }
        out.push_str(MASK);
        if pieces[at - 1].ends_with('\\') {
            out.push('\\');
        } else {
            // An escaped quote does not end the value.
            while pieces[at].ends_with('\\') && at + 1 < pieces.len() {
                at += 1;
            }
        }
        at += 1;
    }
    out
}

/// Text from a server, made safe for a terminal or a pipe: control characters become spaces,
/// marks that reorder or hide text are dropped, runs of white space shrink to one.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text) {
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

/// Text of several lines, made safe in the same way; its lines and its spaces stay.
pub fn clean_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .flat_map(|line| {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, "\n"),
                None => (line, ""),
            };
            visible(line).chain(end.chars())
        })
        .collect()
}

/// JSON text in which nothing can drive a terminal either: what [`clean`] would change is written as `\uXXXX`.
///
/// JSON has such characters only inside strings, where the escape means the same.
pub fn escape_json(json: String) -> String {
    // The writer has escaped what is below U+0020; most JSON is plain ASCII.
    if json.bytes().all(|byte| byte.is_ascii() && byte != 0x7f) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        let is_layout = c == '\n';
        if !is_layout && (is_control(c) || is_hidden_mark(c)) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| !is_hidden_mark(*c))
        .map(|c| if is_control(c) { ' ' } else { c })
}

/// C0, DEL and C1, and the two separators that some programs take for line ends.
fn is_control(c: char) -> bool {
    c.is_control() || c == '\u{2028}' || c == '\u{2029}'
}

/// Marks that change the direction of the text around them (Unicode UAX 9), and invisible ones.
fn is_hidden_mark(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_kept_out_of_core_dumps() {
        use rustix::process::{DumpableBehavior, dumpable_behavior};
        keep_out_of_core_dumps();
        let behavior = dumpable_behavior().expect("the system says");
        assert_eq!(behavior, DumpableBehavior::NotDumpable);
    }

    #[test]
    fn urls_are_masked() {
        let url = Url::parse("https://u:p@h/x?X-Amz-Signature=abc&prefix=a").expect("a URL");
        assert_eq!(redact_url(&url), "https://h/x?X-Amz-Signature=***&prefix=a");
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

    #[test]
    fn json_keeps_every_character_and_shows_none_that_hides() {
        let text = json!({"a": "csi\u{9b}2J \u{202e}cba\u{7f} \u{e0041} é 漢"});
        let escaped = escape_json(text.to_string());
        assert!(
            escaped.contains(r"csi\u009b2J \u202ecba\u007f \udb40\udc41 é 漢"),
            "{escaped}"
        );
        assert_eq!(serde_json::from_str::<Value>(&escaped).expect("JSON"), text);
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
