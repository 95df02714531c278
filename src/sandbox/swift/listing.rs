//! One page of what an account or a container holds, as text or JSON.

use serde_json::{Value, json};

use super::html;
use crate::sandbox::wire::{Request, Response};

/// The longest page.
const MAX_LISTING: usize = 10_000;

/// A page of items that are sorted by name. `describe` says what JSON shows of one.
///
/// Clients ask on behind the last name they got until a page is empty, so `marker` must never be overlooked.
pub fn listing<'a, T>(
    items: impl IntoIterator<Item = (&'a String, T)>,
    request: &Request,
    describe: impl Fn(&str, T) -> Value,
) -> Response {
    let limit = match request.param("limit").map(|limit| limit.parse::<usize>()) {
        Some(Ok(limit)) if limit > MAX_LISTING => {
            return html(412, format!("Maximum limit is {MAX_LISTING}"));
        }
        Some(Ok(limit)) => limit,
        _ => MAX_LISTING,
    };
    let text = |name: &str| request.param(name).unwrap_or_default();
    let (prefix, marker, delimiter) = (text("prefix"), text("marker"), text("delimiter"));
    let mut page: Vec<(String, Value)> = Vec::new();
    for (name, item) in items {
        let Some(rest) = name.strip_prefix(&prefix) else {
            continue;
        };
        let cut = rest.find(&delimiter).filter(|_| !delimiter.is_empty());
        let shown = &name[..cut.map_or(name.len(), |at| prefix.len() + at + delimiter.len())];
        if *shown <= *marker || page.last().is_some_and(|(last, _)| last == shown) {
            continue;
        }
        if page.len() == limit {
            break;
        }
        let value = match cut {
            Some(_) => json!({"subdir": shown}),
            None => describe(name, item),
        };
        page.push((shown.to_owned(), value));
    }
    let wants_json = request.param("format").as_deref() == Some("json")
        || request
            .header("accept")
            .is_some_and(|accept| accept.contains("application/json"));
    if wants_json {
        let values: Value = page.into_iter().map(|(_, value)| value).collect();
        return Response::new(200)
            .header("content-type", "application/json; charset=utf-8")
            .body(values.to_string());
    }
    let text: String = page.iter().map(|(name, _)| format!("{name}\n")).collect();
    Response::new(if text.is_empty() { 204 } else { 200 })
        .header("content-type", "text/plain; charset=utf-8")
        .body(text)
}
