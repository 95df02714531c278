//! AWS Signature Version 4, for the calls that no SDK makes for us. OUTSCALE accepts it beside its own OSC4.

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign as sign_v4,
};
use aws_sigv4::sign::v4;
use reqwest::header::{HeaderName, HeaderValue};

use crate::error::{Error, Kind, Result};
use crate::http::Request;

/// The service name of object stores.
pub(super) const OBJECT_STORE: &str = "s3";

/// The request with its `Authorization`. Every header it carries is signed, `Content-Type` too.
///
/// The object store wants the path encoded once and as it is, and the body's hash in a header.
pub(super) fn sign(
    mut request: Request,
    identity: Credentials,
    region: &str,
    service: &str,
    at: SystemTime,
) -> Result<Request> {
    let mut settings = SigningSettings::default();
    if service == OBJECT_STORE {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let name = request.name;
    let identity = identity.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(at)
        .settings(settings)
        .build()
        .map_err(|error| unsigned(name, error))?
        .into();
    let instructions = {
        let headers = request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method.as_str(),
            request.url.as_str(),
            headers,
            SignableBody::Bytes(&request.body),
        )
        .map_err(|error| unsigned(name, error))?;
        let (instructions, _signature) = sign_v4(signable, &params)
            .map_err(|error| unsigned(name, error))?
            .into_parts();
        instructions
    };
    for (header, value) in instructions.headers() {
        let header =
            HeaderName::from_bytes(header.as_bytes()).map_err(|error| unsigned(name, error))?;
        let value = HeaderValue::from_str(value).map_err(|error| unsigned(name, error))?;
        request.headers.insert(header, value);
    }
    Ok(request)
}

/// The causes are about form, such as a line break in the access key; they never quote the secret.
fn unsigned(name: &str, error: impl fmt::Display) -> Error {
    Error::new(
        Kind::Credentials,
        format!("The request {name} cannot be signed with this access key"),
    )
    .cause(error.to_string())
}
