//! The AWS SDK over the client that all clouds share: its limits, its tracing, its one TLS stack.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::errors::{START, not_an_answer};
use crate::error::{Error, Kind, Result};
use crate::http::{CONNECT_TIMEOUT, Http, Reply, Request, http_date};
use crate::pace::limit;
use crate::secret::Url;

/// Calls by their names on the wire, so that messages can say which one it was.
const CALLS: [&str; 8] = [
    START,
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

/// The time for one attempt of a read: more is a server that will not answer.
const READ_TIMEOUT: Duration = Duration::from_secs(15);

/// Hands the SDK's requests to [`Http::once`]. A failure keeps our own error as its source.
#[derive(Clone)]
pub(super) struct Connector {
    http: Http,
    read_timeout: Duration,
    /// Where requests go that are meant for a host of AWS, by the beginning of its name.
    instead: Option<(&'static str, Url)>,
}

impl Connector {
    /// Over this client, with its limits; reads have less time than a start.
    pub(super) fn new(http: Http) -> Self {
        Connector {
            http,
            read_timeout: limit(READ_TIMEOUT),
            instead: None,
        }
    }

    /// The same, where what is meant for the hosts of a service goes to this address: for requests that are not signed.
    #[must_use]
    pub(super) fn instead_of(self, hosts: &'static str, address: &Option<Url>) -> Self {
        let instead = address.clone().map(|address| (hosts, address));
        Connector { instead, ..self }
    }

    /// Sends a request once.
    async fn send(
        &self,
        request: HttpRequest,
    ) -> std::result::Result<HttpResponse, ConnectorError> {
        let mut request = into_ours(request).map_err(|error| ConnectorError::user(error.into()))?;
        if let Some((hosts, address)) = &self.instead
            && request
                .url
                .host_str()
                .is_some_and(|host| host.starts_with(hosts))
        {
            let mut url = address.clone();
            let path = request.url.path();
            url.set_path(&format!("{}{path}", address.path().trim_end_matches('/')));
            url.set_query(request.url.query());
            request.url = url;
        }
        let (name, began) = (request.name, Instant::now());
        let exchange = self.http.once(request);
        // A start's outcome is worth waiting for longer.
        let reply = if name == START {
            exchange.await
        } else {
            let limited = timeout(self.read_timeout, exchange).await;
            limited.unwrap_or_else(|_| Err(no_answer(name, self.read_timeout)))
        };
        let is_slow = began.elapsed() >= self.read_timeout.min(limit(CONNECT_TIMEOUT));
        let reply = reply.map_err(|error| connector_error(error, is_slow))?;
        into_sdk(reply).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

fn no_answer(name: &str, limit: Duration) -> Error {
    let sentence = format!("No answer to {name} within {} s", limit.as_secs_f64());
    Error::new(Kind::Network, sentence).maybe_executed()
}

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
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.send(request).await })
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
        gives_credentials: name == CREDENTIALS_CALL,
    })
}

/// The SDK repeats what is an I/O failure and nothing else. Who has waited in vain for seconds does not wait again.
fn connector_error(error: Error, is_slow: bool) -> ConnectorError {
    if error.kind == Kind::Network && !is_slow {
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
    // The SDK takes it for an empty object, and so an account for an empty one. What gives credentials has rules of its own.
    if reply.is_success() && reply.body.is_empty() && name != CREDENTIALS_CALL {
        return Err(not_an_answer(&reply));
    }
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
pub(super) struct Capture(Arc<Mutex<Reception>>);

#[derive(Debug, Default)]
struct Reception {
    body: Vec<u8>,
    /// The `Date` header.
    date: Option<String>,
}

impl Capture {
    /// A member of the body, which is JSON; null where there is none.
    pub(super) fn member(&self, name: &str) -> Value {
        let body: Option<Value> = serde_json::from_slice(&self.lock().body).ok();
        body.and_then(|mut body| Some(body.get_mut(name)?.take()))
            .unwrap_or_default()
    }

    /// Bytes of the body.
    pub(super) fn size(&self) -> usize {
        self.lock().body.len()
    }

    /// When the server said so, by its own clock; by ours where it does not tell.
    pub(super) fn at(&self) -> Timestamp {
        let told = self.lock().date.as_deref().and_then(http_date);
        told.unwrap_or_else(Timestamp::now)
    }

    fn lock(&self) -> MutexGuard<'_, Reception> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let response = context.response();
        *self.lock() = Reception {
            body: response.body().bytes().unwrap_or_default().to_vec(),
            date: response.headers().get("date").map(str::to_owned),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
