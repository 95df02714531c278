//! What a refusal of OUTSCALE means.

use super::*;
use reqwest::header::HeaderMap;

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        name: "CreateSnapshotExportTask",
        status,
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

#[test]
fn status_and_code_decide_the_kind() {
    for (status, code, kind) in [
        (401, 1, Kind::Credentials),
        (401, 4, Kind::Permission),
        (401, 5, Kind::Permission),
        (401, 7, Kind::Permission),
        (401, 11, Kind::Credentials),
        (401, 13, Kind::Credentials),
        (401, 14, Kind::Permission),
        (401, 20, Kind::Credentials),
        (405, 2, Kind::Provider),
        (404, 12000, Kind::Provider),
        (400, 7000, Kind::Provider),
        (400, 3001, Kind::Provider),
        (400, 3002, Kind::Provider),
        (400, 4104, Kind::Provider),
        (400, 4047, Kind::Provider),
        (400, 4002, Kind::NotFound),
        (400, 4088, Kind::Provider),
        (400, 5054, Kind::NotFound),
        (400, 5058, Kind::NotFound),
        (400, 5064, Kind::NotFound),
        (409, 6007, Kind::Conflict),
        (409, 9029, Kind::Conflict),
        (400, 8017, Kind::Provider),
        (400, 10008, Kind::Quota),
        (400, 10026, Kind::Quota),
        (503, 6, Kind::RateLimited),
        (429, 24, Kind::RateLimited),
        (429, 25, Kind::RateLimited),
        (500, 2000, Kind::Unavailable),
        (503, 2000, Kind::Unavailable),
    ] {
        assert_eq!(meaning(status, Some(code)).0, kind, "{status} {code}");
    }
    for (status, kind) in [
        (401, Kind::Credentials),
        (403, Kind::Permission),
        (404, Kind::Provider),
        (409, Kind::Conflict),
        (429, Kind::RateLimited),
        (502, Kind::Unavailable),
    ] {
        assert_eq!(meaning(status, None).0, kind, "{status} without a code");
    }
}

#[test]
fn only_throttling_is_surely_not_executed_among_the_failures_of_the_platform() {
    let throttled = r#"{"Errors":[{"Type":"AccessDenied","Code":"6","Details":"slow"}]}"#;
    for (status, body, maybe) in [
        (429, "", false),
        (503, throttled, false),
        (503, "<html>Service Unavailable</html>", true),
        (500, "{}", true),
        (504, "", true),
    ] {
        let error = refused(
            &reply(status, body),
            "the export of snap-12345678",
            &Caller::default(),
        );
        assert_eq!(error.details.maybe_executed, maybe, "{status} {body}");
    }
}

#[test]
fn every_form_of_refusal_keeps_its_words() {
    for (body, words) in [
        (
            r#"{"Errors":[{"Type":"InvalidResource","Code":"5054","Details":"No snapshot"}],"ResponseContext":{"RequestId":"r"}}"#,
            "No snapshot",
        ),
        (
            r#"{"Errors":[{"Type":"InvalidResource","Code":"5054","Details":""}]}"#,
            "InvalidResource",
        ),
        (
            r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"a\u0007b"}"#,
            "a\u{7}b",
        ),
        (r#"{"__type":"Denied","message":"no"}"#, "no"),
        (
            "<html><body><h1>Bad gateway</h1></body></html>",
            "Bad gateway",
        ),
        ("", "HTTP 400"),
    ] {
        let error = refused(&reply(400, body), "the call", &Caller::default());
        assert_eq!(error.details.causes, [words], "{body}");
    }
    let error = refused(
        &reply(
            400,
            r#"{"Errors":[{"Code":5054}],"ResponseContext":{"RequestId":"r"}}"#,
        ),
        "the export of snap-12345678",
        &Caller::default(),
    );
    assert_eq!(error.details.code.as_deref(), Some("5054"));
    assert_eq!(error.details.request_id.as_deref(), Some("r"));
    assert_eq!(error.kind, Kind::NotFound);
}

#[test]
fn a_clock_that_is_off_is_named_where_it_can_be_the_cause() {
    let theirs: Timestamp = "2026-01-15T12:00:00Z".parse().expect("a time");
    for (offset, expected) in [
        (0, None),
        (2, None),
        (4, Some("4 seconds ahead")),
        (-240, None),
        (-600, Some("10 minutes behind")),
    ] {
        let hint = clock_hint(theirs + SignedDuration::from_secs(offset), theirs);
        match expected {
            Some(part) => assert!(hint.expect("a hint").contains(part), "{offset}"),
            None => assert_eq!(hint, None, "{offset}"),
        }
    }
}

#[test]
fn a_refused_key_is_told_what_fits_its_code_first() {
    let asked = || Caller {
        default_region: Some("eu-west-2".into()),
        has_certificate: false,
    };
    let shown = || Caller {
        has_certificate: true,
        ..Caller::default()
    };
    for (code, caller, first) in [
        (1, asked(), "no region is set, so eu-west-2 was asked"),
        (1, Caller::default(), "check the access key"),
        (14, Caller::default(), "OSC_X509_CLIENT_CERT"),
        (14, shown(), "this client certificate"),
        (4, asked(), "api:CreateSnapshotExportTask"),
    ] {
        let body = format!(r#"{{"Errors":[{{"Type":"AccessDenied","Code":"{code}"}}]}}"#);
        let error = refused(&reply(401, &body), "the call", &caller);
        let hint = error.details.hints.first().expect("a hint").to_string();
        assert!(hint.contains(first), "{code}: {hint}");
    }
}
