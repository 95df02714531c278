//! What the SDK's failures mean. The reply is read here and not by the SDK: where a body has a `code` of its own the SDK
//! loses the error's type, its `tip` and its `docs` (aws/aws-sdk issue 665).

use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::error::{Error, Hint, Kind, words};
use crate::http::{Reply, chain, find, innermost};
use crate::secret::clean;

/// What "in a few minutes" is worth: the pause suggested where Lightsail says that it is not ready.
const NOT_READY_PAUSE: Duration = Duration::from_secs(20);
const WELCOME: &str =
    "open https://lightsail.aws.amazon.com once with this account, which signs it up for Lightsail";
const ENABLE: &str =
    "a region that is not enabled in the account refuses every key; check the region (--region)";
const UNKNOWN_KEY: &str = "AWS does not know this access key: check AWS_ACCESS_KEY_ID or the profile, and whether the key is still active";
const SESSION: &str = "a temporary key (ASIA…) needs its session token too: AWS_SESSION_TOKEN, or aws_session_token in the profile";
const UNUSABLE_KEY: &str = "check the access key and its secret: a blank, a quote or a line break in them breaks the signature";

/// Names of failures within Lightsail: after these nobody knows what was done, whatever the status.
const INTERNAL: [&str; 5] = [
    "ServiceException",
    "InternalFailure",
    "InternalServer",
    "ServiceUnavailable",
    "RequestTimeout",
];

/// The body of an error. Every member may be missing, and any may be of another type than promised.
#[derive(Debug, Default)]
struct Body(Value);

impl Body {
    fn read(bytes: &[u8]) -> Self {
        Body(serde_json::from_slice(bytes).unwrap_or_default())
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str().filter(|text| !text.is_empty())
    }

    /// IAM writes `Message`, Lightsail `message`.
    fn message(&self) -> Option<&str> {
        self.text("message").or_else(|| self.text("Message"))
    }
}

/// A failed call as an error whose sentence is `what`, where nothing more precise is known.
///
/// `maybe_executed` is set on everything after which a start may be under way.
pub(super) fn of_call<E>(what: &str, call: &'static str, error: &SdkError<E, HttpResponse>) -> Error
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
            .cause(innermost(other))
            .maybe_executed(),
    }
}

/// The call that starts an export.
pub(super) const START: &str = "ExportSnapshot";

/// A failed start. Where an export may be under way, the sentence says so little that the caller can say the rest.
pub(super) fn of_start<E>(snapshot: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + 'static,
{
    let not_started = format!("The export of '{snapshot}' was not started");
    let mut failed = of_call(&not_started, START, error).of_start();
    if failed.kind != Kind::MaybeStarted {
        return failed;
    }
    let unknown = no_proper_answer(snapshot);
    // What came in place of an answer has a sentence of its own.
    if error
        .raw_response()
        .is_some_and(|reply| reply.status().is_success())
    {
        return failed.context(unknown);
    }
    failed.message = unknown;
    failed
}

/// The sentence of a start after which nobody knows whether an export is under way.
pub(super) fn no_proper_answer(snapshot: &str) -> String {
    format!("No proper answer to {START} of '{snapshot}'")
}

/// No request was signed, so none was sent.
pub(super) fn of_credentials(error: &CredentialsError) -> Error {
    let (network, none) = (
        "The AWS credentials cannot be fetched",
        "There are no usable AWS credentials",
    );
    let mut failed = match find::<Error>(error) {
        Some(ours) if ours.kind == Kind::Network => ours.clone().context(network),
        Some(ours) => ours.clone().context(none),
        None => match find::<ErrorMetadata>(error) {
            Some(told) => of_metadata(none, told),
            None => Error::new(Kind::Credentials, none).cause(innermost(error)),
        },
    };
    failed.details.maybe_executed = false;
    if failed.kind != Kind::Credentials || !failed.details.hints.is_empty() {
        return failed;
    }
    failed.hint(
        Hint::say("log in again (")
            .and_run("aws sso login")
            .and(") or check the profile: ")
            .and_run("aws sts get-caller-identity"),
    )
}

/// What a service that gives credentials says of its refusal.
fn of_metadata(what: &str, told: &ErrorMetadata) -> Error {
    let (code, message) = (told.code(), told.message().unwrap_or_default());
    let kind = match classify(code, None, message, 0, true) {
        transient if transient.is_transient() => transient,
        _ => Kind::Credentials,
    };
    let error = Error::new(kind, what).cause(message);
    let id = told.extra("aws_request_id");
    let error = error.request_id(id.map(str::to_owned));
    code.map_or(error.clone(), |code| error.code(code))
}

/// A role that STS did not give.
pub(super) fn of_sts<E>(role: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let role = clean(role);
    if let Some(ours) = find::<Error>(error) {
        return ours.clone();
    }
    let what = format!("The role {role} cannot be assumed");
    match error.as_service_error() {
        Some(told) => of_metadata(&what, told.meta())
            .hint("check the role, its trust policy and the profile whose credentials assume it"),
        None => Error::new(Kind::Credentials, what).cause(innermost(error)),
    }
}

/// Credentials that were not given: `what` names who did not.
pub(super) fn of_fetch(what: &str, login: Option<Hint>, error: &CredentialsError) -> Error {
    if let Some(ours) = find::<Error>(error) {
        return ours.clone();
    }
    let failed = match find::<ErrorMetadata>(error) {
        Some(told) => of_metadata(what, told),
        None => Error::new(Kind::Credentials, what).cause(innermost(error)),
    };
    failed.hints(login)
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
        body: response.body().bytes().unwrap_or_default().to_vec().into(),
    }
}

/// A success that is none of Lightsail's.
pub(super) fn not_an_answer(reply: &Reply) -> Error {
    Error::new(
        Kind::Provider,
        format!("The reply to {} is not what the API promises", reply.name),
    )
    .cause(format!("HTTP {}", reply.status))
    .cause(reply.excerpt())
    .request_id(reply.request_id().map(str::to_owned))
    .hint("check that the endpoint is right (-v shows it)")
    .maybe_executed()
}

fn of_reply(what: &str, reply: &Reply) -> Error {
    let request_id = reply.request_id().map(str::to_owned);
    if reply.is_success() {
        return not_an_answer(reply);
    }
    let body = Body::read(&reply.body);
    let code = body.text("code");
    let name = reply
        .header("x-amzn-errortype")
        .or(body.text("__type"))
        .or(code)
        .map(short_name)
        .filter(|name| !name.is_empty());
    // What has neither comes from something that stands before Lightsail, such as a proxy.
    let is_ours = name.is_some() || request_id.is_some();
    let message = body.message().unwrap_or_default();
    let kind = classify(name, code, message, reply.status, is_ours);
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
    let is_bare = name.is_none() && message.is_empty();
    error = error.cause(if is_bare {
        reply.excerpt()
    } else {
        message.to_owned()
    });
    error = advise(error, name.unwrap_or_default(), reply.name);
    if let Some(tip) = body.text("tip") {
        error = error.hint(words(tip));
    }
    if let Some(docs) = body.text("docs") {
        error = error.hint(words(format!("see {docs}")));
    }
    let is_internal = matches!(reply.status, 408 | 500..)
        || name.is_some_and(|name| INTERNAL.iter().any(|word| name.starts_with(word)));
    if is_internal && kind != Kind::RateLimited {
        return error.maybe_executed();
    }
    if kind == Kind::Unavailable && error.details.retry_after.is_none() {
        error.details.retry_after = Some(NOT_READY_PAUSE);
    }
    error
}

/// `com.amazonaws#NotFoundException:http://…` is `NotFoundException`.
fn short_name(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or(name);
    name.rsplit('#').next().unwrap_or(name).trim()
}

/// By the error's name and code, then by status: live statuses may differ from the model's.
pub(super) fn classify(
    name: Option<&str>,
    code: Option<&str>,
    message: &str,
    status: u16,
    is_ours: bool,
) -> Kind {
    let name = name.unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if is(&["NotFound", "DoesNotExist"]) || code == Some("DoesNotExist") {
        Kind::NotFound
    } else if is(&["AccessDenied", "UnauthorizedOperation"]) {
        Kind::Permission
    } else if is(&[
        "Unauthenticated",
        "AuthFailure",
        "RequestExpired",
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "OptInRequired",
        "SubscriptionRequired",
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
    } else if is(&["AccountSetupInProgress", "RegionSetupInProgress"]) || is(&INTERNAL) {
        Kind::Unavailable
    } else if is(&["LimitExceeded", "ServiceQuotaExceeded"]) {
        Kind::Quota
    } else if is(&["InvalidInput", "OperationFailure"]) {
        // The service's own words, which no field repeats: Terraform's AWS provider waits on them too
        // (internal/service/lightsail).
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
            401 if is_ours => Kind::Credentials,
            403 if is_ours => Kind::Permission,
            404 if is_ours => Kind::NotFound,
            429 => Kind::RateLimited,
            408 | 428 | 500.. => Kind::Unavailable,
            _ => Kind::Provider,
        }
    }
}

fn advise(error: Error, name: &str, call: &str) -> Error {
    let starts = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if starts(&["AccountSetup", "SubscriptionRequired"]) {
        error.hint(WELCOME)
    } else if starts(&["OptInRequired"]) {
        error.hint(WELCOME).hint(ENABLE)
    } else if starts(&["UnrecognizedClient", "InvalidClientTokenId"]) {
        error
            .hint(UNKNOWN_KEY)
            .hint(SESSION)
            .hint(ENABLE)
            .hint(WELCOME)
    } else if starts(&["MissingAuthenticationToken", "IncompleteSignature"]) {
        error.hint(UNUSABLE_KEY)
    } else if starts(&["ExpiredToken"]) {
        error.hint(
            Hint::say("get new temporary credentials, for instance with ").and_run("aws sso login"),
        )
    } else if starts(&["InvalidSignature", "SignatureDoesNotMatch"]) {
        error
            .hint("check the secret key first, then the region (--region) and this machine's clock")
    } else if error.kind == Kind::Permission && call == START {
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
mod tests;
