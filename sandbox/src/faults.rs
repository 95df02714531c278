//! Faults as data: which call of which cloud goes wrong, at which attempt, and how.
//!
//! A fault is written `PROVIDER:CALL:ATTEMPT:WHAT`, or as a `[[fault]]` table of a TOML file with these four keys.

mod bodies;
mod rehearsal;

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

pub(crate) use self::rehearsal::{Delivery, Rehearsal, play};
use crate::error::{Error, Failure};
use crate::lightsail::{ebs, ec2};
use crate::shape::Portion;
use crate::size::parse_size;
use crate::wire::Request;

/// The longest time a fault may name: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A fault: it happens at every attempt it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    service: &'static str,
    /// `None`: any.
    call: Option<&'static str>,
    attempts: Attempts,
    what: What,
    /// As it was written; tells one rehearsal from another.
    text: String,
}

/// Which attempts of a call, counted from 1 since these faults were first in force.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Attempts {
    first: u32,
    last: u32,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
enum What {
    /// Refused for its rate, in the cloud's own form; with a `Retry-After` if a time is given.
    Throttle(Option<Duration>),
    /// Refused in the same form while this many calls were let through within the last second.
    Rate(u32),
    /// Answered with this status and the cloud's own body for it. Not executed.
    Status(u16),
    /// The connection is reset; not executed.
    ResetBefore,
    /// Executed; then the connection is reset.
    ResetAfter,
    /// Executed; answered this much later.
    Delay(Duration),
    /// Never answered; not executed.
    SilenceBefore,
    /// Executed; never answered.
    SilenceAfter,
    /// Executed; half of the body comes, then the connection ends.
    Truncate,
    /// Executed; a bit of the body is another.
    Corrupt,
    /// Executed; the body comes at so many bytes a second.
    Slow(u64),
    /// Executed, where another object lies in the place of the one that was there.
    Changed,
    /// Executed; objects have this ETag.
    Etag(String),
    /// Executed; the body is said to be compressed, which it is not.
    Encoded,
    /// Executed; more comes, or less, than was asked for.
    Portion(Portion),
    /// The token of a page or a block has expired. Not executed.
    Stale,
    /// A page of HTML with status 200, as from a proxy. Not executed.
    Garbage,
    /// Answered with a redirect. Not executed.
    Redirect(String),
    /// Tokens run out, temporary credentials too; where there are none, the key is refused.
    Expire,
    /// Executed; the new task is missing from the cloud's lists for this time.
    Unlisted(Duration),
    /// Executed; the answer is a success that names no task.
    NoTask,
}

/// The calls of a service by their names in `-v`; the first is its start, if it has one.
struct Calls {
    service: &'static str,
    names: &'static [&'static str],
    start: Option<&'static str>,
    /// The calls that list tasks.
    lists: &'static [&'static str],
}

static CALLS: [Calls; 4] = [
    Calls {
        service: "outscale",
        names: &[
            "CreateSnapshotExportTask",
            "ReadSnapshotExportTasks",
            "DeleteExportTask",
            "ReadSnapshots",
            "ReadAccounts",
        ],
        start: Some("CreateSnapshotExportTask"),
        lists: &["ReadSnapshotExportTasks"],
    },
    Calls {
        service: "oos",
        names: &[
            "ListObjectsV2",
            "look at object",
            "get object",
            "list buckets",
            "create bucket",
        ],
        start: None,
        lists: &[],
    },
    Calls {
        service: "lightsail",
        names: &[
            "ExportSnapshot",
            "GetOperation",
            "GetOperations",
            "GetOperationsForResource",
            "GetExportSnapshotRecords",
            "GetInstanceSnapshot",
            "GetInstanceSnapshots",
            "GetDiskSnapshot",
            "GetDiskSnapshots",
            "DescribeImages",
            "DescribeSnapshots",
            "ListSnapshotBlocks",
            "GetSnapshotBlock",
        ],
        start: Some("ExportSnapshot"),
        lists: &[
            "GetOperations",
            "GetOperationsForResource",
            "GetExportSnapshotRecords",
        ],
    },
    Calls {
        service: "rackspace",
        names: &[
            "login",
            "create task",
            "show task",
            "list tasks",
            "show image",
            "get image file",
            "show schema",
            "list images",
            "look at container",
            "look at object",
            "get object",
            "list container",
        ],
        start: Some("create task"),
        lists: &["list tasks"],
    },
];

fn calls_of(service: &str) -> Option<&'static Calls> {
    CALLS.iter().find(|calls| calls.service == service)
}

/// The name of a request's call; empty for one that no fault can name (only `*` meets it).
fn call_of(service: &str, request: &Request) -> &'static str {
    let path: Vec<&str> = request
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let of_ec2 = ec2::action(request);
    let spoken = match service {
        "lightsail" if ec2::is_meant(request) => &of_ec2,
        "lightsail" if ebs::is_meant(request) => ebs::call(request),
        "outscale" => path.last().copied().unwrap_or_default(),
        "lightsail" => {
            let target = request.header("x-amz-target").unwrap_or_default();
            target.rsplit('.').next().unwrap_or_default()
        }
        "oos" => match (request.method.as_str(), path.len()) {
            ("GET", 0) => "list buckets",
            ("PUT", 1) => "create bucket",
            ("GET", 1) => "ListObjectsV2",
            ("HEAD", 2..) => "look at object",
            ("GET", 2..) => "get object",
            _ => "",
        },
        _ => match (request.method.as_str(), &path[..]) {
            ("POST", ["v2.0", "tokens"] | ["v3", "auth", "tokens"]) => "login",
            ("POST", ["v2", "tasks"]) => "create task",
            ("GET", ["v2", "tasks"]) => "list tasks",
            ("GET", ["v2", "tasks", _]) => "show task",
            ("GET", ["v2", "images"]) => "list images",
            ("GET", ["v2", "images", _]) => "show image",
            ("GET", ["v2", "images", _, "file"]) => "get image file",
            ("GET", ["v2", "schemas", _]) => "show schema",
            ("HEAD", ["v1", _, _]) => "look at container",
            ("GET", ["v1", _, _]) => "list container",
            ("HEAD", ["v1", _, _, ..]) => "look at object",
            ("GET", ["v1", _, _, ..]) => "get object",
            _ => "",
        },
    };
    let names = calls_of(service).map_or(&[][..], |calls| calls.names);
    names
        .iter()
        .copied()
        .find(|name| *name == spoken)
        .unwrap_or_default()
}

impl FromStr for Fault {
    type Err = String;

    /// `PROVIDER:CALL:ATTEMPT:WHAT`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, ':').map(str::trim);
        let (Some(service), Some(call), Some(attempts), Some(what)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("a fault is written PROVIDER:CALL:ATTEMPT:WHAT".into());
        };
        let calls = calls_of(service).ok_or_else(|| {
            format!("there is no provider '{service}' here: outscale, oos, lightsail or rackspace")
        })?;
        let call = match call {
            "*" => None,
            _ => Some(
                calls
                    .names
                    .iter()
                    .copied()
                    .find(|name| *name == call)
                    .ok_or_else(|| {
                        format!(
                            "{service} has no call '{call}'; its calls are: {}",
                            calls.names.join(", ")
                        )
                    })?,
            ),
        };
        let what = parse_what(what)?;
        let is_of_start = matches!(what, What::Unlisted(_) | What::NoTask);
        if is_of_start && (calls.start.is_none() || call.is_some() && call != calls.start) {
            return Err("unlisted and no-task concern the call that starts an export".into());
        }
        if what == What::Stale && !calls.names.contains(&"GetSnapshotBlock") {
            return Err(
                "stale concerns the tokens of pages and blocks, which are lightsail's".into(),
            );
        }
        Ok(Fault {
            service: calls.service,
            call,
            attempts: parse_attempts(attempts)?,
            what,
            text: text.to_owned(),
        })
    }
}

/// `1`, `2+`, `1-3`, `*`.
fn parse_attempts(text: &str) -> Result<Attempts, String> {
    let bad = || format!("the attempt '{text}' is not of the form 1, 2+, 1-3 or *");
    let number = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(bad)
    };
    let (first, last) = if text == "*" {
        (1, u32::MAX)
    } else if let Some(first) = text.strip_suffix('+') {
        (number(first)?, u32::MAX)
    } else if let Some((first, last)) = text.split_once('-') {
        (number(first)?, number(last)?)
    } else {
        (number(text)?, number(text)?)
    };
    if first > last {
        return Err(bad());
    }
    Ok(Attempts { first, last })
}

fn parse_what(text: &str) -> Result<What, String> {
    let (word, value) = match text.split_once('=') {
        Some((word, value)) => (word.trim(), Some(value.trim())),
        None => (text, None),
    };
    let time = |value: &str| {
        parse_time(value).map_err(|why| format!("the time '{value}' in '{text}': {why}"))
    };
    Ok(match (word, value) {
        ("throttle", None) => What::Throttle(None),
        ("throttle", Some(value)) => match value.strip_suffix("/s") {
            Some(calls) => What::Rate(parse_rate(calls)?),
            None => What::Throttle(Some(time(value)?)),
        },
        ("status", Some(value)) => match value.parse() {
            Ok(status @ 400..=599) => What::Status(status),
            _ => return Err(format!("the status '{value}' is not one from 400 to 599")),
        },
        ("reset-before", None) => What::ResetBefore,
        ("reset-after", None) => What::ResetAfter,
        ("delay", Some(value)) => What::Delay(time(value)?),
        ("silence-before", None) => What::SilenceBefore,
        ("silence-after", None) => What::SilenceAfter,
        ("truncate", None) => What::Truncate,
        ("corrupt", None) => What::Corrupt,
        ("slow", Some(value)) => What::Slow(parse_speed(value)?),
        ("changed", None) => What::Changed,
        ("etag", Some(value)) if is_header_text(value) => What::Etag(value.to_owned()),
        ("encoded", None) => What::Encoded,
        ("whole", None) => What::Portion(Portion::Whole),
        ("longer", None) => What::Portion(Portion::Longer),
        ("shorter", None) => What::Portion(Portion::Shorter),
        ("stale", None) => What::Stale,
        ("garbage", None) => What::Garbage,
        ("redirect", Some(value)) if is_header_text(value) => What::Redirect(value.to_owned()),
        ("expire", None) => What::Expire,
        ("unlisted", Some(value)) => What::Unlisted(time(value)?),
        ("no-task", None) => What::NoTask,
        _ => {
            return Err(format!(
                "'{text}' is not something that can happen: throttle, throttle=SECONDS, throttle=CALLS/s, status=CODE, reset-before, \
                 reset-after, delay=TIME, silence-before, silence-after, truncate, corrupt, slow=SIZE/s, changed, etag=TEXT, encoded, \
                 whole, longer, shorter, stale, garbage, redirect=URL, expire, unlisted=TIME, no-task"
            ));
        }
    })
}

/// How many calls a second are let through.
fn parse_rate(text: &str) -> Result<u32, String> {
    let calls = text.trim().parse().ok().filter(|calls| *calls > 0);
    calls.ok_or_else(|| format!("the rate '{text}/s' is not of the form 5/s"))
}

/// How many bytes come in a second.
fn parse_speed(text: &str) -> Result<u64, String> {
    let size = text
        .strip_suffix("/s")
        .and_then(|size| parse_size(size).ok());
    size.ok_or_else(|| format!("the speed '{text}' is not of the form 64KiB/s"))
}

/// `90s`, `2m30s`, `300ms`; a bare number counts seconds.
fn parse_time(text: &str) -> Result<Duration, &'static str> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let time: SignedDuration = text
        .parse()
        .map_err(|_| "write it like 90s, 30m or 2h30m")?;
    let time = Duration::try_from(time).map_err(|_| "it must not be negative")?;
    // Clocks cannot add times without end.
    if time > LONGEST {
        return Err("it is too long; ten years are the most");
    }
    Ok(time)
}

fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A fault file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    provider: String,
    call: String,
    attempt: Count,
    what: String,
}

/// `1` as people write it, or `"2+"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u32),
    Text(String),
}

impl Fault {
    /// The faults in a TOML file. Whatever else it holds is an error that names it.
    pub fn read_file(path: &Path) -> Result<Vec<Self>, Error> {
        let bad = |cause: &dyn Display| Failure::FaultFile(path.to_owned()).because(cause);
        let text = std::fs::read(path).map_err(|error| bad(&error))?;
        let text = std::str::from_utf8(&text).map_err(|error| {
            let good = &text[..error.valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            bad(&format_args!("line {line} is not UTF-8"))
        })?;
        let file: File = toml::from_str(text).map_err(|error| bad(&error))?;
        file.fault
            .iter()
            .map(|entry| {
                let attempt = match &entry.attempt {
                    Count::Number(number) => number.to_string(),
                    Count::Text(text) => text.clone(),
                };
                let text = format!("{}:{}:{attempt}:{}", entry.provider, entry.call, entry.what);
                text.parse()
                    .map_err(|why: String| bad(&format_args!("{text}: {why}")))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
