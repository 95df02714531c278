use super::*;

fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            name.parse::<HeaderName>().expect("a header"),
            HeaderValue::from_str(value).expect("a value"),
        );
    }
    of_reply(
        "It did not work",
        &Reply {
            name: "GetOperation",
            status,
            headers: map,
            body: body.as_bytes().to_vec().into(),
        },
    )
}

#[test]
fn an_error_is_known_by_its_name_and_code_before_its_status() {
    let typed = |name| format!(r#"{{"__type":"{name}","message":"m"}}"#);
    for (status, body, kind) in [
        (404, typed("NotFoundException"), Kind::NotFound),
        (
            400,
            typed("com.amazonaws.lightsail#NotFoundException"),
            Kind::NotFound,
        ),
        (
            400,
            r#"{"__type":"X","code":"DoesNotExist"}"#.into(),
            Kind::NotFound,
        ),
        (
            403,
            r#"{"__type":"AccessDeniedException","Message":"no"}"#.into(),
            Kind::Permission,
        ),
        (400, typed("AccessDeniedException"), Kind::Permission),
        (401, typed("UnauthenticatedException"), Kind::Credentials),
        (400, typed("UnrecognizedClientException"), Kind::Credentials),
        (400, typed("ExpiredTokenException"), Kind::Credentials),
        (
            400,
            typed("SubscriptionRequiredException"),
            Kind::Credentials,
        ),
        (403, typed("InvalidClientTokenId"), Kind::Credentials),
        (400, typed("ThrottlingException"), Kind::RateLimited),
        (503, typed("ThrottlingException"), Kind::RateLimited),
        (
            428,
            typed("AccountSetupInProgressException"),
            Kind::Unavailable,
        ),
        (
            400,
            typed("RegionSetupInProgressException"),
            Kind::Unavailable,
        ),
        (428, "{}".into(), Kind::Unavailable),
        (500, typed("ServiceException"), Kind::Unavailable),
        (503, "<html>busy</html>".into(), Kind::Unavailable),
        (400, typed("InvalidInputException"), Kind::Provider),
        (
            400,
            r#"{"__type":"InvalidInputException","message":"Please try again in a few minutes."}"#
                .into(),
            Kind::Unavailable,
        ),
        (404, "<html>nothing here</html>".into(), Kind::Provider),
        (404, "{}".into(), Kind::Provider),
        (404, r#"{"message":"no route"}"#.into(), Kind::Provider),
        (403, "<html>forbidden</html>".into(), Kind::Provider),
        (403, "".into(), Kind::Provider),
        (401, "<html>log in</html>".into(), Kind::Provider),
        (429, "".into(), Kind::RateLimited),
        (429, "<html>slow down</html>".into(), Kind::RateLimited),
        (400, typed("ServiceException"), Kind::Unavailable),
        (400, typed("InternalFailure"), Kind::Unavailable),
        (400, typed("InternalServerError"), Kind::Unavailable),
        (400, typed("ServiceUnavailable"), Kind::Unavailable),
        (400, typed("RequestTimeoutException"), Kind::Unavailable),
        (
            400,
            r#"{"__type":"NotFoundException","message":"a","Message":"b"}"#.into(),
            Kind::NotFound,
        ),
        (
            400,
            r#"{"__type":"NotFoundException","message":{"a":1},"tip":7}"#.into(),
            Kind::NotFound,
        ),
        (418, typed("NeverSeenException"), Kind::Provider),
    ] {
        assert_eq!(read(status, &[], &body).kind, kind, "{status} {body}");
    }
}

#[test]
fn the_header_wins_over_the_bodys_code_and_tip_and_docs_are_shown() {
    let error = read(
        400,
        &[
            (
                "x-amzn-errortype",
                "InvalidInputException:http://internal/x",
            ),
            ("x-amzn-requestid", "req-1"),
        ],
        r#"{"code":"SomethingElse","message":"bad","docs":"https://docs.example","tip":"do this"}"#,
    );
    assert_eq!(error.details.code.as_deref(), Some("InvalidInputException"));
    assert_eq!(error.details.request_id.as_deref(), Some("req-1"));
    assert_eq!(error.details.causes, ["bad"]);
    assert_eq!(
        error.details.hints,
        ["do this".into(), "see https://docs.example".into()]
    );
}

#[test]
fn only_a_reply_that_proves_nothing_leaves_a_start_unknown() {
    for (status, body, unknown) in [
        (400, r#"{"__type":"InvalidInputException"}"#, false),
        (400, r#"{"__type":"ThrottlingException"}"#, false),
        (503, r#"{"__type":"ThrottlingException"}"#, false),
        (500, r#"{"__type":"ServiceException"}"#, true),
        (400, r#"{"__type":"ServiceException"}"#, true),
        (400, r#"{"__type":"InternalFailure"}"#, true),
        (400, r#"{"__type":"RequestTimeout"}"#, true),
        (429, "", false),
        (403, "<html>forbidden</html>", false),
        (
            428,
            r#"{"__type":"AccountSetupInProgressException"}"#,
            false,
        ),
        (502, "<html>bad gateway</html>", true),
        (408, "", true),
        (200, "<html>log in</html>", true),
    ] {
        let error = read(status, &[], body);
        assert_eq!(error.details.maybe_executed, unknown, "{status} {body}");
    }
}

#[test]
fn a_page_in_place_of_json_is_told_as_text() {
    let error = read(404, &[], "<html><h1>Not here</h1></html>");
    assert_eq!(error.details.causes, ["HTTP 404", "Not here"]);
}

#[test]
fn a_request_id_proves_that_lightsail_itself_answered() {
    let ours = [("x-amzn-requestid", "req-1")];
    for (status, kind) in [
        (401, Kind::Credentials),
        (403, Kind::Permission),
        (404, Kind::NotFound),
    ] {
        assert_eq!(read(status, &ours, "{}").kind, kind, "{status}");
        assert_eq!(read(status, &[], "{}").kind, Kind::Provider, "{status}");
    }
}

#[test]
fn a_message_in_both_spellings_is_told_once() {
    let error = read(
        400,
        &[],
        r#"{"__type":"NotFoundException","message":"a","Message":"b"}"#,
    );
    assert_eq!(error.details.causes, ["a"]);
}

#[test]
fn the_hint_that_fits_the_code_comes_first() {
    for (name, first) in [
        ("UnrecognizedClientException", "AWS_ACCESS_KEY_ID"),
        ("InvalidClientTokenId", "AWS_ACCESS_KEY_ID"),
        ("SubscriptionRequiredException", "signs it up"),
        ("OptInRequired", "signs it up"),
        ("AccountSetupInProgressException", "signs it up"),
        ("ExpiredTokenException", "temporary credentials"),
        ("SignatureDoesNotMatch", "secret key"),
        ("IncompleteSignatureException", "blank"),
    ] {
        let body = format!(r#"{{"__type":"{name}","message":"m","tip":"try","docs":"https://d"}}"#);
        let hints = read(400, &[], &body).details.hints;
        let hints: Vec<String> = hints.iter().map(ToString::to_string).collect();
        assert!(hints[0].contains(first), "{name}: {hints:?}");
        assert_eq!(hints[hints.len() - 2..], ["try", "see https://d"], "{name}");
    }
    let unknown = read(400, &[], r#"{"__type":"UnrecognizedClientException"}"#);
    let hints: Vec<String> = unknown
        .details
        .hints
        .iter()
        .map(ToString::to_string)
        .collect();
    let names = |word: &str| hints.iter().any(|hint| hint.contains(word));
    assert!(
        names("AWS_SESSION_TOKEN") && names("--region") && names("signs it up"),
        "{hints:?}"
    );
}
