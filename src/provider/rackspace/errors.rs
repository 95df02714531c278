//! Refusals in the four forms that Rackspace's services use, read by one reader.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Kind, Reason};
use crate::http::{Reply, strip_tags};

/// What a refusal says, whichever service said it.
#[derive(Debug, Default, PartialEq)]
struct Said {
    /// The fault's name (`overLimit`, `itemNotFound`), where it has one.
    name: Option<String>,
    /// The words, without tags.
    message: String,
    /// When to come back, as the body tells it.
    retry_at: Option<Timestamp>,
    /// Whether it is said in JSON, as the services do when asked to.
    is_json: bool,
}

/// The error that a reply outside 2xx means; `sentence` says what failed.
///
/// That something is not there or not allowed is believed only in the API's own JSON, which every request asks for:
/// a page is a proxy's or a gateway's, and says nothing about what was asked for (kind `provider`).
pub(super) fn refusal(reply: &Reply, sentence: impl Into<String>) -> Error {
    let said = read(&reply.body);
    let is_json = said.is_json;
    let mut error = told(reply, said, sentence.into());
    if matches!(error.kind, Kind::Permission | Kind::NotFound) && !is_json {
        error.kind = Kind::Provider;
        error.details.hints = vec![
            "check that the endpoint is right (-v shows it); a proxy may stand before it".into(),
        ];
    }
    error
}

/// The same for Cloud Files, which refuses in HTML, and to HEAD without a body.
pub(super) fn files_refusal(reply: &Reply, sentence: impl Into<String>) -> Error {
    told(reply, read(&reply.body), sentence.into())
}

fn told(reply: &Reply, said: Said, sentence: String) -> Error {
    let kind = match reply.status {
        401 => Kind::Credentials,
        403 => Kind::Permission,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        413 | 429 => Kind::RateLimited,
        500..=599 => Kind::Unavailable,
        _ => Kind::Provider,
    };
    let mut error = Error::new(kind, sentence)
        .cause(if said.message.is_empty() {
            format!("HTTP {} without a reason", reply.status)
        } else {
            format!("HTTP {}: {}", reply.status, said.message)
        })
        .request_id(reply.request_id().map(str::to_owned));
    error.details.code = said.name;
    // Glance has no code for that, only words.
    if said.message.contains("Invalid type value") {
        error = error.because(Reason::UnknownTaskType);
    }
    match kind {
        Kind::RateLimited => {
            let now = reply.date().unwrap_or_else(Timestamp::now);
            let in_body = said.retry_at.map(|at| {
                Duration::try_from(at.duration_since(now)).unwrap_or_default()
            });
            error.retry_after(reply.retry_after().or(in_body))
        }
        Kind::Unavailable => error.retry_after(reply.retry_after()),
        Kind::Credentials if asks_for_passcode(reply) => error.hint(
            "the account asks for a second factor; log in with an API key instead (RAX_USERNAME and RAX_API_KEY)",
        ),
        Kind::Permission => error.hint("the user needs the role cloudImages:admin or admin to start exports, observer to see them"),
        _ => error,
    }
}

fn asks_for_passcode(reply: &Reply) -> bool {
    reply
        .header("www-authenticate")
        .is_some_and(|text| text.starts_with("OS-MF"))
}

/// JSON with a message at the top or in its first object that has one; else text, freed of tags.
fn read(body: &[u8]) -> Said {
    let Ok(Value::Object(json)) = serde_json::from_slice::<Value>(body) else {
        return Said {
            message: page_text(&String::from_utf8_lossy(body)),
            ..Said::default()
        };
    };
    let text = |value: &Value| value.as_str().map(strip_tags);
    if let Some(message) = json.get("message").and_then(text) {
        return Said {
            message,
            is_json: true,
            ..Said::default()
        };
    }
    json.iter()
        .find_map(|(name, value)| {
            let retry = ["retryAfter", "retryAt"]
                .iter()
                .find_map(|key| value.get(key)?.as_str());
            Some(Said {
                name: Some(name.clone()).filter(|name| name != "error"),
                message: value.get("message").and_then(text)?,
                retry_at: retry.and_then(parse_time),
                is_json: true,
            })
        })
        .unwrap_or_default()
}

/// The text of a page: its body without the title, which only says the same again, cut to what a person reads.
fn page_text(page: &str) -> String {
    let page = page.split_once("</title>").map_or(page, |(_, rest)| rest);
    shortened(&strip_tags(page), 500)
}

/// The text up to so many characters.
pub(super) fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A time in UTC, with `Z`, an offset, the letters `UTC` (seen from the UK), or nothing behind it.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let bare = text.strip_suffix("UTC").unwrap_or(text).trim_end();
    text.parse().or_else(|_| format!("{bare}Z").parse()).ok()
}

#[cfg(test)]
mod tests;
