//! Refusals in the four forms that Rackspace's services use, read by one reader.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::{Reply, strip_tags};
use crate::secret::{Known, Secret};

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
pub fn refusal(reply: &Reply, sentence: impl Into<String>) -> Error {
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
pub fn files_refusal(reply: &Reply, sentence: impl Into<String>) -> Error {
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
        .request_id(request_id(reply));
    error.details.code = said.name;
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

/// A secret shorter than this hides nothing, and masking it would garble every sentence.
const SHORTEST_SECRET: usize = 4;

/// The error with our own secrets masked, wherever they stand: a server or proxy may echo the request it got.
pub fn scrub(error: Error, secrets: &[&Secret]) -> Error {
    let known = Known::new(
        secrets.iter().map(|secret| secret.expose()),
        SHORTEST_SECRET,
    );
    error.map_texts(|text| known.mask(&text).into_owned())
}

/// Whether Glance does not know the type of task that it was asked to list: it has no code for that, only words.
pub fn is_unknown_type(error: &Error) -> bool {
    let causes = &error.details.causes;
    causes
        .iter()
        .any(|said| said.contains("Invalid type value"))
}

/// The id that the provider's support asks for.
pub fn request_id(reply: &Reply) -> Option<String> {
    reply
        .header("x-openstack-request-id")
        .or_else(|| reply.header("x-trans-id"))
        .map(str::to_owned)
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
pub fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A time in UTC, with `Z`, an offset, the letters `UTC` (seen from the UK), or nothing behind it.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let bare = text.strip_suffix("UTC").unwrap_or(text).trim_end();
    text.parse().or_else(|_| format!("{bare}Z").parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Reply {
        let headers: HeaderMap = headers
            .iter()
            .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v)))
            .collect();
        Reply {
            name: "test",
            status,
            headers,
            body: body.into(),
        }
    }

    #[test]
    fn every_family_of_refusals_gives_its_words() {
        for (body, name, message) in [
            (
                r#"{"message": "Task &#x27;type&#x27; is required<br /><br />\n\n\n", "code": "400 Bad Request", "title": "Bad Request"}"#,
                None,
                "Task 'type' is required",
            ),
            (
                r#"{"unauthorized":{"code":401,"message":"Unable to authenticate user with credentials provided."}}"#,
                Some("unauthorized"),
                "Unable to authenticate user with credentials provided.",
            ),
            (
                r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#,
                None,
                "The request you have made requires authentication.",
            ),
            (
                "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  Could not find task nope<br /><br />\n\n\n\n </body>\n</html>",
                None,
                "404 Not Found Could not find task nope",
            ),
            (
                "<html><h1>Not Found</h1><p>The resource could not be found.</p></html>",
                None,
                "Not Found The resource could not be found.",
            ),
            ("Maximum limit is 10000", None, "Maximum limit is 10000"),
            ("", None, ""),
            ("[1]", None, "[1]"),
            (r#"{"odd": true}"#, None, ""),
        ] {
            let said = read(body.as_bytes());
            assert_eq!(
                (said.name.as_deref(), said.message.as_str()),
                (name, message),
                "{body}"
            );
        }
    }

    #[test]
    fn statuses_map_to_kinds() {
        for (status, kind) in [
            (400, Kind::Provider),
            (401, Kind::Credentials),
            (403, Kind::Permission),
            (404, Kind::NotFound),
            (405, Kind::Provider),
            (413, Kind::RateLimited),
            (415, Kind::Provider),
            (429, Kind::RateLimited),
            (500, Kind::Unavailable),
            (503, Kind::Unavailable),
        ] {
            let own = reply(status, &[], r#"{"message": "no", "code": "404 Not Found"}"#);
            let error = refusal(&own, "x");
            assert_eq!(error.kind, kind, "{status}");
            assert_eq!(
                error.details.code, None,
                "a status is no code of the provider's"
            );
            assert_eq!(
                files_refusal(&reply(status, &[], ""), "x").kind,
                kind,
                "{status}"
            );
        }
    }

    #[test]
    fn a_strangers_page_says_nothing_of_what_was_asked_for() {
        for body in [
            "<html><h1>Forbidden</h1></html>",
            "Not Found",
            "",
            "{}",
            "[]",
        ] {
            for status in [403, 404] {
                let error = refusal(&reply(status, &[], body), "x");
                assert_eq!(error.kind, Kind::Provider, "{status} {body}");
                assert!(
                    error.details.hints[0].to_string().contains("proxy"),
                    "{error:?}"
                );
            }
        }
    }

    #[test]
    fn a_rate_limit_says_when_to_come_back_in_any_of_its_forms() {
        let over = |when: &str| {
            format!(
                r#"{{"overLimit":{{"code":413,"message":"OverLimit Retry...",{when}"details":"x"}}}}"#
            )
        };
        let date = ("date", "Sat, 13 Jun 2015 22:30:00 GMT");
        for (headers, body, seconds) in [
            (
                vec![date, ("retry-after", "7")],
                over(r#""retryAfter":"2015-06-13T22:30:10Z","#),
                Some(7),
            ),
            (
                vec![date],
                over(r#""retryAfter":"2015-06-13T22:30:10Z","#),
                Some(10),
            ),
            (
                vec![date],
                over(r#""retryAt":"2015-06-13T22:30:12UTC","#),
                Some(12),
            ),
            (
                vec![date],
                over(r#""retryAt":"2015-06-13T22:29:00Z","#),
                Some(0),
            ),
            (vec![date], over(r#""retryAt":"soon","#), None),
            (vec![date], over(""), None),
        ] {
            let error = refusal(&reply(413, &headers, &body), "x");
            assert_eq!(
                error.details.retry_after,
                seconds.map(Duration::from_secs),
                "{body}"
            );
            assert_eq!(error.details.code.as_deref(), Some("overLimit"));
        }
    }

    #[test]
    fn a_second_factor_is_explained() {
        let challenge = (
            "www-authenticate",
            "OS-MF sessionId='abc', factor='PASSCODE'",
        );
        let body = r#"{"unauthorized":{"code":401,"message":"Additional authentication credentials required."}}"#;
        let error = refusal(&reply(401, &[challenge], body), "x");
        assert!(error.details.hints[0].to_string().contains("API key"));
        assert!(
            !error.one_line().contains("abc"),
            "the session id stays out"
        );
    }
}
