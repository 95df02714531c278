//! Lightsail's API (version 2016-11-28, AWS JSON 1.1) as far as exports need it: who asks, what is asked, and the refusals.
//! EC2, where exports arrive, and EBS, from where they can be fetched, answer at the same address.

pub(crate) mod ebs;
pub(crate) mod ec2;
mod front;
mod state;

use serde_json::{Map, Value, json};

use self::front::{Fault, TYPE, authenticate};
pub(crate) use self::state::State;
use self::state::{Export, Of};
use crate::clock::Moment;
use crate::ids::random_uuid;
use crate::{World, wire};

/// The sample account's access key id.
pub(crate) const ACCESS_KEY: &str = "AKIASANDBOXLIGHTSAIL";
/// The sample account's secret access key.
pub(crate) const SECRET_KEY: &str = "sandbox/lightsail/secret/key/of/40/chars";
/// The region the samples live in.
pub(crate) const REGION: &str = "eu-west-3";

const PREFIX: &str = "Lightsail_20161128.";
/// Small, so that every list of the samples has several pages.
const PAGE: usize = 5;
/// What a call does with its checked input.
type Run = fn(&mut State, &Map<String, Value>, &Moment) -> Result<Value, Fault>;

/// A call by name, with the members its input may have; the first is required where `is_required`.
struct Call {
    name: &'static str,
    members: &'static [&'static str],
    is_required: bool,
    run: Run,
}

const fn call(
    name: &'static str,
    members: &'static [&'static str],
    is_required: bool,
    run: Run,
) -> Call {
    Call {
        name,
        members,
        is_required,
        run,
    }
}

const CALLS: [Call; 9] = [
    call(
        "ExportSnapshot",
        &["sourceSnapshotName"],
        true,
        export_snapshot,
    ),
    call("GetOperation", &["operationId"], true, get_operation),
    call("GetOperations", &["pageToken"], false, get_operations),
    call(
        "GetOperationsForResource",
        &["resourceName", "pageToken"],
        true,
        get_operations_for_resource,
    ),
    call(
        "GetExportSnapshotRecords",
        &["pageToken"],
        false,
        get_records,
    ),
    call(
        "GetInstanceSnapshot",
        &["instanceSnapshotName"],
        true,
        |state, input, _| get_snapshot(state, input, Of::Instance, "instanceSnapshot"),
    ),
    call(
        "GetInstanceSnapshots",
        &["pageToken"],
        false,
        |state, input, _| get_snapshots(state, input, Of::Instance, "instanceSnapshots"),
    ),
    call(
        "GetDiskSnapshot",
        &["diskSnapshotName"],
        true,
        |state, input, _| get_snapshot(state, input, Of::Disk, "diskSnapshot"),
    ),
    call(
        "GetDiskSnapshots",
        &["pageToken"],
        false,
        |state, input, _| get_snapshots(state, input, Of::Disk, "diskSnapshots"),
    ),
];

/// Answers a request.
pub(crate) fn handle(
    world: &mut World,
    request: &wire::Request,
    moment: &Moment,
) -> wire::Response {
    if ec2::is_meant(request) {
        return ec2::handle(&world.lightsail, request, moment);
    }
    if ebs::is_meant(request) {
        return ebs::handle(&world.lightsail, request, moment);
    }
    let response = match answer(&mut world.lightsail, request, moment) {
        Ok(output) => wire::Response::new(200)
            .header("content-type", TYPE)
            .body(output.to_string()),
        Err(fault) => fault.response(),
    };
    response.header("x-amzn-RequestId", random_uuid())
}

/// A refusal by name, with any status.
pub(crate) fn refusal(status: u16, kind: &'static str, message: &str) -> wire::Response {
    Fault {
        status,
        ..Fault::new(kind, message)
    }
    .response()
    .header("x-amzn-RequestId", random_uuid())
}

fn answer(state: &mut State, request: &wire::Request, moment: &Moment) -> Result<Value, Fault> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let name = target.strip_prefix(PREFIX).unwrap_or_default();
    let call = CALLS
        .iter()
        .find(|call| call.name == name && request.method == "POST" && request.path == "/")
        .filter(|_| request.header("content-type") == Some(TYPE))
        .ok_or_else(|| Fault::new("UnknownOperationException", "The operation is not known."))?;
    authenticate(request, moment, "lightsail")?;
    let input: Value = serde_json::from_slice(&request.body)
        .map_err(|_| Fault::new("SerializationException", "The body is no JSON."))?;
    let Value::Object(mut input) = input else {
        let message = "Start of structure or map found where not expected.";
        return Err(Fault::new("SerializationException", message));
    };
    input.retain(|_, value| !value.is_null());
    check_input(call, &input)?;
    (call.run)(state, &input, moment)
}

/// Strict on purpose: what the model does not have is a client's mistake.
fn check_input(call: &Call, input: &Map<String, Value>) -> Result<(), Fault> {
    for (name, value) in input {
        if !call.members.contains(&name.as_str()) {
            return Err(Fault::input(format!("{} has no member {name}", call.name)));
        }
        if !value.is_string() {
            let message = format!("The value of {name} can not be converted to a String");
            return Err(Fault::new("SerializationException", message));
        }
    }
    let required = call.members[0];
    if call.is_required && text(input, required).trim().is_empty() {
        return Err(Fault::input(format!(
            "1 validation error detected: Value at '{required}' failed to satisfy constraint: Member must not be null"
        )));
    }
    Ok(())
}

fn text<'i>(input: &'i Map<String, Value>, name: &str) -> &'i str {
    input.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn export_snapshot(
    state: &mut State,
    input: &Map<String, Value>,
    moment: &Moment,
) -> Result<Value, Fault> {
    let name = text(input, "sourceSnapshotName");
    let snapshot = state
        .snapshot(name)
        .ok_or_else(|| Fault::not_found("snapshot", name))?;
    let is_ready = matches!(snapshot.state.as_str(), "available" | "completed");
    if !is_ready {
        let message = format!(
            "The snapshot {name} is not ready: its state is {}.",
            snapshot.state
        );
        return Err(Fault::new("OperationFailureException", message));
    }
    if ["cpanel", "django", "ghost"]
        .iter()
        .any(|fixed| snapshot.blueprint.starts_with(fixed))
    {
        let message = format!(
            "Snapshots of {} instances cannot be exported.",
            snapshot.blueprint
        );
        return Err(Fault::input(message));
    }
    // To the millisecond, as the API gives times.
    let now = jiff::Timestamp::from_millisecond(moment.now.as_millisecond()).unwrap_or(moment.now);
    let export = Export::new(name, now);
    let operation = state.operation(&export, moment);
    state.exports.push(export);
    state.starts += 1;
    Ok(json!({"operations": [operation]}))
}

fn get_operation(
    state: &mut State,
    input: &Map<String, Value>,
    moment: &Moment,
) -> Result<Value, Fault> {
    let id = text(input, "operationId");
    state
        .exports
        .iter()
        .find(|export| export.operation_id == id && !export.is_expired)
        .map(|export| json!({"operation": state.operation(export, moment)}))
        .ok_or_else(|| Fault::not_found("Operation", id))
}

fn get_operations(
    state: &mut State,
    input: &Map<String, Value>,
    moment: &Moment,
) -> Result<Value, Fault> {
    page("operations", operations(state, moment, |_| true), input)
}

fn get_operations_for_resource(
    state: &mut State,
    input: &Map<String, Value>,
    moment: &Moment,
) -> Result<Value, Fault> {
    let name = text(input, "resourceName");
    let found = operations(state, moment, |export| state.resource_name(export) == name);
    page("operations", found, input)
}

/// Oldest first.
fn operations(state: &State, moment: &Moment, keep: impl Fn(&Export) -> bool) -> Vec<Value> {
    let readable = state.exports.iter().filter(|export| !export.is_expired);
    readable
        .filter(|export| keep(export))
        .map(|export| state.operation(export, moment))
        .collect()
}

fn get_records(
    state: &mut State,
    input: &Map<String, Value>,
    moment: &Moment,
) -> Result<Value, Fault> {
    let exports = state.exports.iter();
    let records = exports.filter_map(|export| state.record(export, moment));
    page("exportSnapshotRecords", records.collect(), input)
}

fn get_snapshot(
    state: &State,
    input: &Map<String, Value>,
    of: Of,
    member: &'static str,
) -> Result<Value, Fault> {
    let name = text(input, &format!("{member}Name"));
    let what = if of == Of::Instance {
        "InstanceSnapshot"
    } else {
        "DiskSnapshot"
    };
    state
        .snapshot(name)
        .filter(|snapshot| snapshot.of == of)
        .map(|snapshot| json!({member: snapshot.object()}))
        .ok_or_else(|| Fault::not_found(what, name))
}

fn get_snapshots(
    state: &State,
    input: &Map<String, Value>,
    of: Of,
    member: &'static str,
) -> Result<Value, Fault> {
    let snapshots = state.snapshots.iter().filter(|snapshot| snapshot.of == of);
    page(
        member,
        snapshots.map(|snapshot| snapshot.object()).collect(),
        input,
    )
}

/// One page of a list. A token is good for the list it came from alone.
fn page(member: &str, items: Vec<Value>, input: &Map<String, Value>) -> Result<Value, Fault> {
    let start = match text(input, "pageToken") {
        "" => 0,
        token => (1..items.len())
            .find(|start| page_token(member, *start) == token)
            .ok_or_else(|| Fault::input("The page token is invalid."))?,
    };
    let mut output = json!({});
    let end = items.len().min(start + PAGE);
    if end < items.len() {
        output["nextPageToken"] = page_token(member, end).into();
    }
    output[member] = items[start..end].to_vec().into();
    Ok(output)
}

fn page_token(member: &str, start: usize) -> String {
    let text = format!("{member}@{start}");
    text.bytes()
        .map(|byte| format!("{:02x}", byte ^ 0x5a))
        .collect()
}

#[cfg(test)]
mod tests;
