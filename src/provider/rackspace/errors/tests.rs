//! What a refusal of Rackspace means.

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
        body: body.to_owned().into(),
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
