//! What `-v` shows of an exchange: never a secret.

use std::time::Duration;

use serde_json::Value;

use super::{Reply, Request};
use crate::secret::{Url, clean, redact_header, redact_json};

pub(super) fn trace_request(request: &Request) {
    let Request {
        name, method, url, ..
    } = request;
    tracing::info!("{name}: {method} {url}");
    if tracing::enabled!(tracing::Level::DEBUG) {
        for (name, value) in &request.headers {
            let value = redact_header(name.as_str(), value.to_str().unwrap_or("(binary)"));
            tracing::debug!("> {name}: {value}");
        }
    }
    trace_body(">", &request.body);
}

pub(super) fn trace_reply(reply: &Reply, url: &Url, elapsed: Duration) {
    tracing::info!(
        "{}: HTTP {} from {url} after {} ms",
        reply.name,
        reply.status,
        elapsed.as_millis()
    );
    if tracing::enabled!(tracing::Level::DEBUG) {
        for (name, value) in &reply.headers {
            let value = redact_header(name.as_str(), value.to_str().unwrap_or("(binary)"));
            tracing::debug!("< {name}: {}", clean(value));
        }
    }
    trace_body("<", &reply.body);
}

/// Only JSON bodies are shown: nothing else can be masked member by member.
fn trace_body(direction: &str, body: &[u8]) {
    if !tracing::enabled!(tracing::Level::TRACE) || body.is_empty() {
        return;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => tracing::trace!("{direction} {}", clean(&redact_json(&value).to_string())),
        Err(_) => tracing::trace!("{direction} ({} bytes, not JSON)", body.len()),
    }
}
