//! What the SDK's failures mean. The reply is read here and not by the SDK: where a body has a `code` of its own the SDK
//! loses the error's type, its `tip` and its `docs` (aws/aws-sdk issue 665).

use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::provider::http::{Reply, chain};

/// What "in a few minutes" is worth: the pause suggested where Lightsail says that it is not ready.
const NOT_READY_PAUSE: Duration = Duration::from_secs(20);
const WELCOME: &str =
    "open https://lightsail.aws.amazon.com once with this account, which signs it up for Lightsail";

/// The body of an error. IAM writes `Message`, Lightsail `message`; every member may be missing.
#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
    docs: Option<String>,
    tip: Option<String>,
}

/// A failed call as an error whose sentence is `what`, where nothing more precise is known.
///
/// `maybe_executed` is set on everything after which a start may be under way.
pub fn of_call<E>(what: &str, call: &'static str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + 'static,
{
    if let Some(response) = error.raw_response() {
        return of_reply(what, &reply(call, response));
    }
    if let Some(refused) = find::<CredentialsError>(error) {
        return of_credentials(refused);
    }
    if let Some(ours) = find::<Error>(error) {
        return ours.clone().context(what);
    }
    match error {
        SdkError::TimeoutError(_) => Error::new(Kind::Network, what)
            .cause(format!("Lightsail did not answer {call} in time"))
            .maybe_executed(),
        SdkError::ConstructionFailure(_) => Error::new(Kind::Internal, what).cause(chain(error)),
        other => Error::new(Kind::Network, what)
            .cause(chain(other))
            .maybe_executed(),
    }
}

/// No request was signed, so none was sent.
fn of_credentials(error: &CredentialsError) -> Error {
    if let Some(network) = find::<Error>(error).filter(|ours| ours.kind == Kind::Network) {
        let mut failed = network
            .clone()
            .context("The AWS credentials cannot be fetched");
        failed.details.maybe_executed = false;
        return failed;
    }
    Error::new(Kind::Credentials, "There are no usable AWS credentials")
        .cause(chain(error))
        .hint("log in again (aws sso login) or check the profile: aws sts get-caller-identity")
}

fn find<'e, T: std::error::Error + 'static>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e T> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<T>())
}

fn reply(call: &'static str, response: &HttpResponse) -> Reply {
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers() {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    Reply {
        name: call,
        status: response.status().as_u16(),
        headers,
        body: response.body().bytes().unwrap_or_default().to_vec(),
    }
}

fn of_reply(what: &str, reply: &Reply) -> Error {
    let request_id = reply.header("x-amzn-requestid").map(str::to_owned);
    if reply.is_success() {
        return Error::new(
            Kind::Provider,
            format!("The reply to {} is not what the API promises", reply.name),
        )
        .cause(format!("HTTP {}", reply.status))
        .cause(reply.excerpt())
        .request_id(request_id)
        .hint("check that the endpoint is right (-v shows it)")
        .maybe_executed();
    }
    let parsed = serde_json::from_slice::<Body>(&reply.body).ok();
    let is_ours = parsed.is_some();
    let body = parsed.unwrap_or_default();
    let name = reply
        .header("x-amzn-errortype")
        .or(body.kind.as_deref())
        .or(body.code.as_deref())
        .map(short_name)
        .filter(|name| !name.is_empty());
    let message = body.message.clone().unwrap_or_default();
    let kind = classify(name, body.code.as_deref(), &message, reply.status, is_ours);
    let sentence = match kind {
        Kind::Credentials => "Lightsail refused the credentials",
        _ => what,
    };
    let mut error = Error::new(kind, sentence)
        .request_id(request_id)
        .retry_after(reply.retry_after());
    error = match name {
        Some(name) => error.code(name),
        None => error.cause(format!("HTTP {}", reply.status)),
    };
    error = error.cause(if is_ours { message } else { reply.excerpt() });
    if let Some(tip) = body.tip.filter(|tip| !tip.is_empty()) {
        error = error.hint(tip);
    }
    if let Some(docs) = body.docs.filter(|docs| !docs.is_empty()) {
        error = error.hint(format!("see {docs}"));
    }
    if kind == Kind::Unavailable && reply.status < 500 && error.details.retry_after.is_none() {
        error.details.retry_after = Some(NOT_READY_PAUSE);
    }
    error = advise(error, name.unwrap_or_default(), reply.name);
    if reply.status >= 500 && kind != Kind::RateLimited || reply.status == 408 {
        error = error.maybe_executed();
    }
    error
}

/// `com.amazonaws#NotFoundException:http://…` is `NotFoundException`.
fn short_name(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or(name);
    name.rsplit('#').next().unwrap_or(name).trim()
}

/// By the error's name and code, then by status: live statuses may differ from the model's.
fn classify(
    name: Option<&str>,
    code: Option<&str>,
    message: &str,
    status: u16,
    is_json: bool,
) -> Kind {
    let name = name.unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if is(&["NotFound", "DoesNotExist"]) || code == Some("DoesNotExist") {
        Kind::NotFound
    } else if is(&["AccessDenied"]) {
        Kind::Permission
    } else if is(&[
        "Unauthenticated",
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "OptInRequired",
        "IncompleteSignature",
        "InvalidSignature",
        "SignatureDoesNotMatch",
        "MissingAuthenticationToken",
    ]) {
        Kind::Credentials
    } else if is(&[
        "Throttl",
        "TooManyRequests",
        "RequestLimitExceeded",
        "SlowDown",
    ]) {
        Kind::RateLimited
    } else if is(&["AccountSetupInProgress", "RegionSetupInProgress"]) {
        Kind::Unavailable
    } else if is(&["LimitExceeded", "ServiceQuotaExceeded"]) {
        Kind::Quota
    } else if is(&["InvalidInput", "OperationFailure"]) {
        let is_early = ["try again in a few minutes", "wait for it to complete"]
            .iter()
            .any(|words| message.contains(words));
        if is_early {
            Kind::Unavailable
        } else {
            Kind::Provider
        }
    } else {
        match status {
            401 => Kind::Credentials,
            403 => Kind::Permission,
            // A page that says "not found" comes from something else than Lightsail.
            404 if is_json => Kind::NotFound,
            429 => Kind::RateLimited,
            408 | 428 | 500.. => Kind::Unavailable,
            _ => Kind::Provider,
        }
    }
}

fn advise(error: Error, name: &str, call: &str) -> Error {
    let starts = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if starts(&["AccountSetup", "OptInRequired", "UnrecognizedClient"]) {
        error.hint(WELCOME)
    } else if starts(&["ExpiredToken"]) {
        error.hint("get new temporary credentials, for instance with aws sso login")
    } else if starts(&["InvalidSignature", "SignatureDoesNotMatch"]) {
        error.hint("check the secret key, the region and this machine's clock")
    } else if error.kind == Kind::Permission && call == "ExportSnapshot" {
        error
            .hint("allow lightsail:ExportSnapshot to this user or role")
            .hint("an account's first export also needs iam:CreateServiceLinkedRole for lightsail.amazonaws.com")
    } else if error.kind == Kind::Permission {
        error.hint(format!("allow lightsail:{call} to this user or role"))
    } else if error.kind == Kind::Provider && name.is_empty() {
        error.hint("check that the endpoint is right (-v shows it)")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
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
                body: body.as_bytes().to_vec(),
            },
        )
    }

    #[test]
    fn an_error_is_known_by_its_name_and_code_before_its_status() {
        let typed = |name| format!(r#"{{"__type":"{name}","message":"m"}}"#);
        for (status, body, kind) in [
            (404, typed("NotFoundException"), Kind::NotFound),
            (400, typed("com.amazonaws.lightsail#NotFoundException"), Kind::NotFound),
            (400, r#"{"__type":"X","code":"DoesNotExist"}"#.into(), Kind::NotFound),
            (403, r#"{"__type":"AccessDeniedException","Message":"no"}"#.into(), Kind::Permission),
            (400, typed("AccessDeniedException"), Kind::Permission),
            (401, typed("UnauthenticatedException"), Kind::Credentials),
            (400, typed("UnrecognizedClientException"), Kind::Credentials),
            (400, typed("ExpiredTokenException"), Kind::Credentials),
            (403, typed("InvalidClientTokenId"), Kind::Credentials),
            (400, typed("ThrottlingException"), Kind::RateLimited),
            (503, typed("ThrottlingException"), Kind::RateLimited),
            (428, typed("AccountSetupInProgressException"), Kind::Unavailable),
            (400, typed("RegionSetupInProgressException"), Kind::Unavailable),
            (428, "{}".into(), Kind::Unavailable),
            (500, typed("ServiceException"), Kind::Unavailable),
            (503, "<html>busy</html>".into(), Kind::Unavailable),
            (400, typed("InvalidInputException"), Kind::Provider),
            (
                400,
                r#"{"__type":"InvalidInputException","message":"Please try again in a few minutes."}"#.into(),
                Kind::Unavailable,
            ),
            (404, "<html>nothing here</html>".into(), Kind::Provider),
            (404, "{}".into(), Kind::NotFound),
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
        assert_eq!(error.details.hints, ["do this", "see https://docs.example"]);
    }

    #[test]
    fn only_a_reply_that_proves_nothing_leaves_a_start_unknown() {
        for (status, body, unknown) in [
            (400, r#"{"__type":"InvalidInputException"}"#, false),
            (400, r#"{"__type":"ThrottlingException"}"#, false),
            (503, r#"{"__type":"ThrottlingException"}"#, false),
            (500, r#"{"__type":"ServiceException"}"#, true),
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
}
