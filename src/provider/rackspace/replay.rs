//! Recorded replies through the parsers, for fuzzing.

use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;

use super::grant::Grant;
use super::identity::{v2_grant, v3_grant};
use super::urls::follow;
use super::{errors, tasks, wire};
use crate::provider::recorded::{Parsed, Recorded};

const CALLS: [&str; 6] = [
    "create task",
    "show task",
    "list tasks",
    "list images",
    "login v2",
    "login v3",
];
const REGION: &str = "DFW";

/// Reads a recorded reply as the call it names would.
#[doc(hidden)]
pub fn fuzz_replies(data: &[u8]) -> Parsed {
    let Recorded { call, reply } = Recorded::read(data, &CALLS);
    let mut parsed = Parsed::default();
    if !reply.is_success() {
        parsed
            .errors
            .push(errors::refusal(&reply, "The call was refused"));
        return parsed;
    }
    let use_grant = |parsed: &mut Parsed, grant: Grant| {
        for kind in ["image", "object-store"] {
            parsed.take(grant.endpoint(kind, "cloudImages", REGION), |_, _| {});
        }
        // Whatever time it names, nothing overflows.
        let _ = grant.is_fresh(Timestamp::now());
    };
    match call {
        "login v2" => parsed.take(v2_grant(&reply), use_grant),
        "login v3" => parsed.take(v3_grant(&reply), use_grant),
        "list tasks" | "list images" => {
            let member = if call == "list tasks" {
                "tasks"
            } else {
                "images"
            };
            let page = reply
                .json()
                .and_then(|page| tasks::take_page(call, member, page));
            parsed.take(page, |parsed, (items, next)| {
                let read = |item: &Value| wire::task(item, REGION, None);
                parsed.tasks.extend(items.iter().filter_map(read));
                let read = |item: &Value| wire::source(item, REGION, Some("10042"));
                parsed.sources.extend(items.iter().filter_map(read));
                if let (Some(next), Ok(base)) = (next, Url::parse("https://h:8443/v2/tasks")) {
                    parsed.take(follow(&base, &next), |_, _| {});
                }
            });
        }
        _ => parsed.take(reply.json::<Value>(), |parsed, value| {
            let files = Url::parse("https://files/v1/account").ok();
            if let Some(task) = wire::task(&value, REGION, files.as_ref()) {
                let _ = wire::location(&task);
                parsed.tasks.push(task);
            }
        }),
    }
    parsed
}
