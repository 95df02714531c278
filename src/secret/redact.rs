//! Masked by name: JSON, text that may be a piece of it, and headers.

use serde_json::Value;

use super::names::is_secret_name;
use super::{MASK, Url};

/// A header's value as it may be shown.
pub fn redact_header<'v>(name: &str, value: &'v str) -> &'v str {
    if is_secret_name(name) { MASK } else { value }
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
                        _ if is_secret_name(key) && !value.is_object() => mask(value),
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
                    collect(value, is_secret_name(key) || is_token_id, found);
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
            && (is_secret_name(name(at - 2))
                // `"token": {"id": …`, as identity services write it.
                || at >= 4
                    && name(at - 2) == "id"
                    && between(at - 3) == ":{"
                    && is_secret_name(name(at - 4)));
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

/// Text without its secrets where it is a URL; any other text stays as it is.
fn redact_if_url(text: &str) -> String {
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    match Url::parse(text) {
        Ok(url) if is_web && text.contains(['@', '?', '#']) => url.to_string(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
