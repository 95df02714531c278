//! What each cloud says when it refuses or is out of order.

use std::time::Duration;

use serde_json::json;

use crate::clock::Moment;
use crate::lightsail::{ebs, ec2};
use crate::wire::{Request, Response};
use crate::{lightsail, oos, outscale, rackspace, swift};

/// Too many requests: never executed.
pub(crate) fn throttled(
    service: &str,
    request: &Request,
    pause: Option<Duration>,
    moment: &Moment,
) -> Response {
    let response = match service {
        "lightsail" if ec2::is_meant(request) => {
            ec2::refusal(503, "RequestLimitExceeded", "Request limit exceeded.")
        }
        "lightsail" if ebs::is_meant(request) => ebs::refusal(
            400,
            "RequestThrottledException",
            "ACCOUNT_THROTTLED",
            "Rate exceeded",
        ),
        // Called AccessDenied although it is none: only status and code tell.
        "outscale" => outscale::refuse(503, "6", "AccessDenied", "The request was throttled."),
        "oos" => oos::refuse(503, "SlowDown", "Please reduce your request rate."),
        "lightsail" => lightsail::refusal(400, "ThrottlingException", "Rate exceeded"),
        _ => {
            let at = moment
                .now
                .checked_add(pause.unwrap_or(Duration::from_secs(1)))
                .unwrap_or(moment.now);
            let limit = json!({"overLimit": {
                "code": 413, "message": "OverLimit Retry...", "details": "Error Details...",
                "retryAfter": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            }});
            Response::json(413, &limit)
        }
    };
    match pause {
        Some(pause) => response.header("retry-after", pause.as_secs().to_string()),
        None => response,
    }
}

/// The body that belongs to a status, by cloud and, at Rackspace, by service.
pub(crate) fn refusal(service: &str, call: &str, request: &Request, status: u16) -> Response {
    let is_own_fault = status < 500;
    match service {
        "lightsail" if ec2::is_meant(request) => {
            let (code, message) = match status {
                401 => (
                    "AuthFailure",
                    "AWS was not able to validate the provided access credentials",
                ),
                403 => (
                    "UnauthorizedOperation",
                    "You are not authorized to perform this operation.",
                ),
                _ if is_own_fault => ("InvalidParameterValue", "A value is not accepted."),
                _ => ("InternalError", "An internal error has occurred"),
            };
            ec2::refusal(status, code, message)
        }
        "lightsail" if ebs::is_meant(request) => {
            let (kind, reason, message) = match status {
                401 | 403 => (
                    "AccessDeniedException",
                    "UNAUTHORIZED_ACCOUNT",
                    "You do not have the permission.",
                ),
                402 => (
                    "ServiceQuotaExceededException",
                    "DEPENDENCY_SERVICE_QUOTA_EXCEEDED",
                    "A quota is exceeded.",
                ),
                404 => (
                    "ResourceNotFoundException",
                    "SNAPSHOT_NOT_FOUND",
                    "The snapshot does not exist.",
                ),
                _ if is_own_fault => (
                    "ValidationException",
                    "INVALID_PARAMETER_VALUE",
                    "A value is not accepted.",
                ),
                502.. => return Response::new(status),
                _ => (
                    "InternalServerException",
                    "",
                    "An internal error has occurred.",
                ),
            };
            ebs::refusal(status, kind, reason, message)
        }
        "outscale" => match status {
            401 => outscale::refuse(
                401,
                "1",
                "AccessDenied",
                "The request could not be authenticated.",
            ),
            429 => outscale::refuse(429, "24", "AccessDenied", "The request rate is exceeded."),
            _ if is_own_fault => outscale::refuse(
                status,
                "4047",
                "InvalidParameterValue",
                "A value is not accepted.",
            ),
            _ => outscale::refuse(
                status,
                "2000",
                "InternalError",
                "An internal error occurred.",
            ),
        },
        "oos" => match status {
            412 => oos::refuse(
                412,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            ),
            416 => oos::refuse(
                416,
                "InvalidRange",
                "The requested range is not satisfiable",
            ),
            _ if is_own_fault => oos::refuse(status, "AccessDenied", "Access Denied"),
            _ => oos::refuse(
                status,
                "InternalError",
                "We encountered an internal error. Please try again.",
            ),
        },
        "lightsail" => match status {
            401 => lightsail::refusal(
                401,
                "UnauthenticatedException",
                "The request could not be authenticated.",
            ),
            403 => lightsail::refusal(403, "AccessDeniedException", "The caller may not do this."),
            429 => lightsail::refusal(429, "ThrottlingException", "Rate exceeded"),
            _ if is_own_fault => lightsail::refusal(
                status,
                "InvalidInputException",
                "The input is not accepted.",
            ),
            // A service that is out of order does not always get to write a body.
            502.. => Response::new(status),
            _ => lightsail::refusal(
                status,
                "ServiceException",
                "The service is not able to process the request.",
            ),
        },
        _ => match call {
            "login" => rackspace::identity_fault(status),
            "look at container" | "look at object" | "get object" | "list container" => {
                swift::traced(swift::refusal(status))
            }
            _ => rackspace::image_fault(request, status),
        },
    }
}

/// Credentials that were good a moment ago.
pub(crate) fn expired(service: &str, call: &str, request: &Request) -> Response {
    match service {
        "lightsail" if ebs::is_meant(request) => ebs::refusal(
            403,
            "ExpiredTokenException",
            "",
            "The security token included in the request is expired",
        ),
        "lightsail" => lightsail::refusal(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        "oos" => oos::refuse(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        _ => refusal(service, call, request, 401),
    }
}

/// What a proxy or a login page says in a cloud's place.
pub(crate) fn garbage() -> Response {
    Response::new(200)
        .header("content-type", "text/html; charset=utf-8")
        .body("<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Welcome to the guest network</h1></body></html>")
}
