//! What a refusal means, by its code and HTTP status (docs.outscale.com, "API error codes"). Its `Type` is no help:
//! throttling and wrong keys are both `AccessDenied`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::rules::what_can_be_exported;
use crate::error::{Error, Hint, Kind, Reason};
use crate::http::Reply;
use crate::text;

/// The code for a snapshot that does not exist, or is another account's.
const NO_SNAPSHOT: u32 = 5054;

/// How the caller comes to the cloud, as far as it bears on what a refusal means.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// The region that nobody named.
    pub(super) default_region: Option<String>,
    /// A client certificate is shown.
    pub(super) has_certificate: bool,
}

/// The refusal as an error. `what` completes "OUTSCALE refused …" and names the id.
pub(super) fn refused(reply: &Reply, what: &str, caller: &Caller) -> Error {
    let said = Said::read(reply);
    let number = said.code.as_deref().and_then(|code| code.parse().ok());
    let (kind, reason) = match meaning(reply.status, number) {
        // A proxy's page says nothing about what OUTSCALE allows.
        (Kind::Permission, _) if !said.is_api => {
            (Kind::Provider, "something before OUTSCALE forbids it")
        }
        meaning => meaning,
    };
    let sentence = match kind {
        Kind::Unavailable => format!("OUTSCALE did not do {what}: {reason}"),
        _ => format!("OUTSCALE refused {what}: {reason}"),
    };
    let mut error = Error::new(kind, sentence)
        .cause(said.words)
        .request_id(said.request_id)
        .retry_after(reply.retry_after());
    if let Some(code) = said.code {
        error = error.code(code);
    }
    if kind == Kind::Unavailable {
        // It may have acted before it failed.
        error = error.maybe_executed();
    }
    if number == Some(NO_SNAPSHOT) {
        error = error.because(Reason::NoSource);
    }
    error.hints(hints(reply, number, caller))
}

/// The kind and the reason, from the HTTP status and the number in `Code`.
fn meaning(status: u16, code: Option<u32>) -> (Kind, &'static str) {
    match (status, code) {
        (429, _) | (503, Some(6)) => (Kind::RateLimited, "too many requests"),
        (500.., _) => (Kind::Unavailable, "the platform is out of order"),
        (401, Some(1)) => (
            Kind::Credentials,
            "the access key or its signature is not accepted",
        ),
        (401, Some(4 | 5 | 7)) | (403, _) => (Kind::Permission, "this access key may not do it"),
        (401, Some(11)) => (Kind::Credentials, "the access key is locked"),
        (401, Some(13)) => (Kind::Credentials, "the access key is locked for a minute"),
        (401, Some(14)) => (
            Kind::Permission,
            "an API access rule forbids it from this address or without a client certificate",
        ),
        (401, Some(20)) => (Kind::Credentials, "the password has expired"),
        (401, _) => (Kind::Credentials, "the credentials are not accepted"),
        (_, Some(4002)) => (Kind::NotFound, "the bucket does not exist"),
        (_, Some(4088)) => (Kind::Provider, "the bucket cannot be reached"),
        (_, Some(NO_SNAPSHOT)) => (
            Kind::NotFound,
            "there is no such snapshot, or it is another account's",
        ),
        (_, Some(5058)) => (Kind::NotFound, "there is no such export task"),
        (_, Some(5000..=5999)) => (Kind::NotFound, "something it names does not exist"),
        (_, Some(6000..=6999 | 9000..=9999)) | (409, _) => {
            (Kind::Conflict, "the state of the resource forbids it now")
        }
        (_, Some(8000..=8999)) => (Kind::Provider, "it is not supported for this resource"),
        (_, Some(10008)) => (Kind::Quota, "too many snapshots are under way"),
        (_, Some(10000..=10999)) => (Kind::Quota, "a limit of the account is reached"),
        (_, Some(3001)) => (Kind::Provider, "this API does not know something it holds"),
        (404 | 405, _) => (Kind::Provider, "the endpoint does not offer this call"),
        _ => (Kind::Provider, "a value in it is not accepted"),
    }
}

/// What to do about it, most useful first.
fn hints(reply: &Reply, code: Option<u32>, caller: &Caller) -> Vec<Hint> {
    match (reply.status, code) {
        (401, Some(1)) => {
            let clock = reply
                .date()
                .and_then(|theirs| clock_hint(Timestamp::now(), theirs));
            let keys = "check the access key and its secret before the next try: four wrong signatures in a row lock the key";
            let region = caller.default_region.as_ref().map(|region| {
                format!("no region is set, so {region} was asked, and a key is known in its own region only: name it with --region or OSC_REGION")
            });
            let first = clock.into_iter().chain(region);
            first.chain([keys.to_owned()]).map(Hint::from).collect()
        }
        (401, Some(4 | 5 | 7)) => {
            vec![format!("its user needs the action api:{}", reply.name).into()]
        }
        (401, Some(11)) => vec!["ask the account's administrator to unlock the key".into()],
        (401, Some(13)) => vec![
            "wait before the next try: every four further refusals add a minute, up to ten".into(),
        ],
        (401, Some(14)) => {
            let certificate = if caller.has_certificate {
                "no rule accepts this client certificate from this address; check which certificate it is (doctor shows it)"
            } else {
                "if a rule asks for a client certificate, name one: OSC_X509_CLIENT_CERT and OSC_X509_CLIENT_KEY, or x509_client_cert and x509_client_key in the profile"
            };
            let rules = "ask the account's administrator about its API access rules";
            vec![certificate.into(), rules.into()]
        }
        (_, Some(NO_SNAPSHOT)) => {
            vec![what_can_be_exported()]
        }
        (_, Some(10000..=10999)) => {
            vec![Hint::say("wait for exports to end: ").and_run("snapexport status --remote")]
        }
        (404 | 405, _) => vec!["check that the endpoint is right (-v shows it)".into()],
        _ => Vec::new(),
    }
}

/// A clock that is too far off is refused just like a wrong key: more than about 3 s ahead, or 5 min behind.
fn clock_hint(ours: Timestamp, theirs: Timestamp) -> Option<String> {
    let ahead = ours.duration_since(theirs);
    if ahead >= SignedDuration::from_secs(3) {
        Some(format!(
            "set this machine's clock: it is {} ahead of OUTSCALE's",
            text::in_words(ahead.unsigned_abs())
        ))
    } else if ahead <= SignedDuration::from_mins(-5) {
        Some(format!(
            "set this machine's clock: it is {} behind OUTSCALE's",
            text::in_words(ahead.unsigned_abs())
        ))
    } else {
        None
    }
}

/// What a refusal says, in any of the forms it comes in.
struct Said {
    /// It is JSON, as everything that OUTSCALE itself says.
    is_api: bool,
    code: Option<String>,
    words: String,
    request_id: Option<String>,
}

impl Said {
    fn read(reply: &Reply) -> Said {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |pointer: &str| match body.pointer(pointer)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        // The API's own form, then application/problem+json, then a gateway's, then whatever a proxy wrote.
        let words = text("/Errors/0/Details")
            .or_else(|| text("/Errors/0/Type"))
            .or_else(|| text("/detail"))
            .or_else(|| text("/title"))
            .or_else(|| text("/message"))
            .or_else(|| text("/Message"))
            .or_else(|| text("/__type"))
            .unwrap_or_else(|| reply.excerpt());
        Said {
            is_api: body.is_object(),
            code: text("/Errors/0/Code"),
            words: if words.is_empty() {
                format!("HTTP {}", reply.status)
            } else {
                words
            },
            request_id: text("/ResponseContext/RequestId")
                .or_else(|| reply.request_id().map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests;
