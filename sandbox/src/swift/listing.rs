//! One page of what an account or a container holds, as text or JSON.

use serde_json::{Value, json};

use super::html;
use crate::wire::{Request, Response};

/// The longest page.
const MAX_LISTING: usize = 10_000;

/// A page of names in order, after the marker: as JSON if asked for, else as text.
///
/// With a delimiter, names that have it behind the prefix are shown up to it, once.
pub(crate) fn listing<'a>(
    entries: impl Iterator<Item = (&'a str, Value)>,
    request: &Request,
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
    let mut chosen: Vec<(&str, Value)> = entries
        .filter_map(|(name, item)| {
            let rest = name.strip_prefix(&prefix)?;
            let cut = rest.find(&delimiter).filter(|_| !delimiter.is_empty());
            Some(match cut {
                None => (name, item),
                Some(at) => {
                    let shown = &name[..prefix.len() + at + delimiter.len()];
                    (shown, json!({"subdir": shown}))
                }
            })
        })
        .filter(|(name, _)| *name > marker.as_str())
        .collect();
    chosen.dedup_by(|(a, _), (b, _)| a == b);
    chosen.truncate(limit);
    let wants_json = request.param("format").as_deref() == Some("json")
        || request
            .header("accept")
            .is_some_and(|accept| accept.contains("application/json"));
    if wants_json {
        let items: Vec<Value> = chosen.into_iter().map(|(_, item)| item).collect();
        return Response::new(200)
            .header("content-type", "application/json; charset=utf-8")
            .body(Value::Array(items).to_string());
    }
    let text: String = chosen.iter().map(|(name, _)| format!("{name}\n")).collect();
    Response::new(if text.is_empty() { 204 } else { 200 })
        .header("content-type", "text/plain; charset=utf-8")
        .body(text)
}
