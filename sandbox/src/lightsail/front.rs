//! Who asks, and how a refusal looks.

use serde_json::json;

use super::{ACCESS_KEY, REGION, SECRET_KEY};
use crate::clock::Moment;
use crate::signature::{self, AWS4};
use crate::wire;

/// The media type of requests and answers.
pub(crate) const TYPE: &str = "application/x-amz-json-1.1";
/// How far a signature's time may be off.
const MAX_SKEW_SECONDS: i64 = 300;

/// A refusal, as the API words it.
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) code: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) tip: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Fault {
            status: 400,
            kind,
            code: None,
            message: message.into(),
            tip: None,
        }
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Fault {
            tip: Some("Check the input of the request and try again."),
            ..Fault::new("InvalidInputException", message)
        }
    }

    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        Fault {
            status: 404,
            code: Some("DoesNotExist"),
            tip: Some("List the resources of this region to see what there is."),
            ..Fault::new(
                "NotFoundException",
                format!("The {what} does not exist: {name}"),
            )
        }
    }

    pub(crate) fn response(self) -> wire::Response {
        let mut body = json!({"__type": self.kind});
        if let Some(code) = self.code {
            body["code"] = code.into();
        }
        body["message"] = self.message.into();
        if let Some(tip) = self.tip {
            body["docs"] =
                "https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/Welcome.html"
                    .into();
            body["tip"] = tip.into();
        }
        wire::Response::new(self.status)
            .header("content-type", TYPE)
            .header("x-amzn-errortype", self.kind)
            .body(body.to_string())
    }
}

/// Recomputes the signature; refusals are those of AWS's common front.
pub(crate) fn authenticate(
    request: &wire::Request,
    moment: &Moment,
    service: &str,
) -> Result<(), Fault> {
    if request.header("authorization").is_none() {
        let message = "Missing Authentication Token";
        return Err(Fault::new("MissingAuthenticationTokenException", message));
    }
    let claim = signature::claim(request, &[AWS4]).ok_or_else(|| {
        let message =
            "Authorization header requires existence of the parts of Signature Version 4.";
        Fault::new("IncompleteSignatureException", message)
    })?;
    if claim.access_key != ACCESS_KEY || request.header("x-amz-security-token").is_some() {
        let message = "The security token included in the request is invalid.";
        return Err(Fault::new("UnrecognizedClientException", message));
    }
    let bad = |message: &str| Fault::new("InvalidSignatureException", message);
    if claim.service != service {
        let message = format!("Credential should be scoped to correct service: '{service}'.");
        return Err(bad(&message));
    }
    if claim.region != REGION {
        return Err(bad("Credential should be scoped to a valid region."));
    }
    if moment.ahead(claim.signed_at).as_secs().abs() > MAX_SKEW_SECONDS {
        let message = format!(
            "Signature expired: {} is not near {}",
            claim.signed_at, moment.now
        );
        return Err(bad(&message));
    }
    if !claim.is_signed_with(SECRET_KEY, request) {
        return Err(bad(
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method.",
        ));
    }
    Ok(())
}
