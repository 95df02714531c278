//! The AWS SDK over the client that all clouds share: its limits, its tracing, its one TLS stack.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use reqwest::Url;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::provider::http::{Http, Reply, Request};

/// Calls by their names on the wire, so that messages can say which one it was.
const CALLS: [&str; 8] = [
    "ExportSnapshot",
    "GetOperation",
    "GetOperations",
    "GetExportSnapshotRecords",
    "GetInstanceSnapshot",
    "GetInstanceSnapshots",
    "GetDiskSnapshot",
    "GetDiskSnapshots",
];
/// What the SDK asks besides: STS, single sign-on, a container's agent.
const CREDENTIALS_CALL: &str = "the request for credentials";

/// Hands the SDK's requests to [`Http::once`]. A failure keeps our own error as its source.
#[derive(Clone)]
pub struct Connector(pub Http);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = into_ours(request).map_err(|error| ConnectorError::user(error.into()))?;
            let reply = http.once(request).await.map_err(connector_error)?;
            into_sdk(reply).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn into_ours(request: HttpRequest) -> Result<Request> {
    let cannot =
        |why: String| Error::new(Kind::Internal, "A request to AWS cannot be built").cause(why);
    let request = request
        .try_into_http1x()
        .map_err(|error| cannot(error.to_string()))?;
    let (parts, body) = request.into_parts();
    let target = parts.headers.get("x-amz-target");
    let called = target.and_then(|value| value.to_str().ok()?.rsplit('.').next());
    let name = CALLS
        .into_iter()
        .find(|call| Some(*call) == called)
        .unwrap_or(CREDENTIALS_CALL);
    let url = Url::parse(&parts.uri.to_string()).map_err(|error| cannot(error.to_string()))?;
    let body = body
        .bytes()
        .ok_or_else(|| cannot("its body is a stream".into()))?
        .to_vec();
    Ok(Request {
        name,
        method: parts.method,
        url,
        headers: parts.headers,
        body,
    })
}

/// The SDK repeats what is an I/O failure and nothing else.
fn connector_error(error: Error) -> ConnectorError {
    if error.kind == Kind::Network {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), None)
    }
}

pub(super) fn into_sdk(reply: Reply) -> Result<HttpResponse> {
    let name = reply.name;
    let strange = |what: &str| {
        Error::new(
            Kind::Provider,
            format!("The reply to {name} has a strange {what}"),
        )
        .maybe_executed()
    };
    let status = reply.status.try_into().map_err(|_| strange("status"))?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    for (key, value) in &reply.headers {
        // A header that is no text is nothing the API knows.
        if let Ok(value) = value.to_str() {
            response
                .headers_mut()
                .try_append(key.as_str().to_owned(), value.to_owned())
                .map_err(|_| strange("header"))?;
        }
    }
    Ok(response)
}

/// Keeps the body of a call's last reply: the SDK's types drop what they do not know, and scripts want the API's own object.
#[derive(Clone, Debug, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Capture {
    fn name(&self) -> &'static str {
        "Capture"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> std::result::Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}
