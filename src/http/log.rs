//! What `-v` shows of an exchange: never a secret.

use std::time::Duration;

use serde_json::Value;

use super::{Reply, Request};
use crate::error::words;
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
    trace_body(">", &request.body, true);
}

pub(super) fn trace_reply(reply: &Reply, url: &Url, elapsed: Duration, is_whole: bool) {
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
    trace_body("<", &reply.body, is_whole);
}

/// Only JSON bodies are shown: nothing else can be masked member by member.
fn trace_body(direction: &str, body: &[u8], is_whole: bool) {
    if !tracing::enabled!(tracing::Level::TRACE) || body.is_empty() {
        return;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => {
            let mut shown = redact_json(&value);
            if !is_whole {
                cut(&mut shown);
            }
            tracing::trace!("{direction} {}", clean(&shown.to_string()));
        }
        Err(_) => tracing::trace!("{direction} ({} bytes, not JSON)", body.len()),
    }
}

/// A string that was cut while it was read may end in the middle of a secret: its end is not shown.
fn cut(value: &mut Value) {
    match value {
        Value::String(text) => *text = words(std::mem::take(text)),
        Value::Array(items) => items.iter_mut().for_each(cut),
        Value::Object(members) => members.values_mut().for_each(cut),
        _ => {}
    }
}
