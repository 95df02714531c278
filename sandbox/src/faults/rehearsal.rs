//! Playing faults: attempts counted in the world, what is due done before, instead of, or after a call.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, What, bodies, call_of, calls_of};
use crate::clock::Moment;
use crate::lightsail::ebs;
use crate::shape::Shape;
use crate::wire::{Request, Response};
use crate::{Service, World};

/// How far a rehearsal has come. Other faults than before begin it anew.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rehearsal {
    script: Vec<String>,
    counts: BTreeMap<String, u32>,
    hidden: Vec<Hidden>,
    /// When calls were let through by a limit on their rate, by the fault that sets it.
    #[serde(default)]
    passed: BTreeMap<String, Vec<Timestamp>>,
}

/// A task that is missing from lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hidden {
    task: String,
    until: Timestamp,
}

impl Rehearsal {
    /// How often a call (`*`: any) of a provider was attempted while there were faults.
    pub fn count(&self, provider: &str, call: &str) -> u32 {
        self.counts
            .get(&format!("{provider}:{call}"))
            .copied()
            .unwrap_or(0)
    }

    /// Whether one more call now would be too many for this rate; if not, it is let through.
    fn is_over(&mut self, fault: &Fault, calls: u32, now: Timestamp) -> bool {
        let passed = self.passed.entry(fault.text.clone()).or_default();
        passed.retain(|then| now.duration_since(*then) < SignedDuration::from_secs(1));
        let is_over = passed.len() >= calls as usize;
        if !is_over {
            passed.push(now);
        }
        is_over
    }

    /// Counts an attempt and tells what is due at it.
    fn due(&mut self, faults: &[Fault], service: &str, call: &str, now: Timestamp) -> Vec<What> {
        if !self
            .script
            .iter()
            .eq(faults.iter().map(|fault| &fault.text))
        {
            let script = faults.iter().map(|fault| fault.text.clone()).collect();
            *self = Rehearsal {
                script,
                ..Rehearsal::default()
            };
        }
        for name in [call, "*"] {
            *self.counts.entry(format!("{service}:{name}")).or_default() += 1;
        }
        let is_due = |fault: &&Fault| {
            let count = self.count(service, fault.call.unwrap_or("*"));
            fault.service == service
                && fault.call.is_none_or(|named| named == call)
                && (fault.attempts.first..=fault.attempts.last).contains(&count)
        };
        let mut due: Vec<&Fault> = faults.iter().filter(is_due).collect();
        due.retain(|fault| match fault.what {
            What::Rate(calls) => self.is_over(fault, calls, now),
            _ => true,
        });
        due.into_iter().map(|fault| fault.what.clone()).collect()
    }
}

/// How an answer comes to the client.
pub(crate) enum Delivery {
    /// As it should, this much later.
    Whole(Response, Duration),
    /// Half of its body.
    Cut(Response),
    /// Not at all: the connection is reset.
    Reset,
    /// Not at all: nothing is heard any more.
    Never,
}

/// Answers a request, with the faults that are due.
pub(crate) fn play(
    world: &mut World,
    faults: &[Fault],
    service: &Service,
    request: &Request,
    moment: &Moment,
) -> Delivery {
    if faults.is_empty() {
        // The next rehearsal begins at the first attempt.
        world.rehearsal = Rehearsal::default();
        return Delivery::Whole((service.handler)(world, request, moment), Duration::ZERO);
    }
    let call = call_of(service.name, request);
    let due = world
        .rehearsal
        .due(faults, service.name, call, moment.client);
    if let Some(delivery) = due
        .iter()
        .find_map(|what| instead(what, service, call, request, moment))
    {
        return delivery;
    }
    if due.contains(&What::Expire) {
        world.rackspace.revoke_tokens();
    }
    let mut twisted = moment.clone();
    due.iter().for_each(|what| twist(what, &mut twisted.shape));
    let mut response = execute(world, service, call, request, &twisted);
    let is_start = calls_of(service.name).is_some_and(|calls| calls.start == Some(call));
    if is_start && response.status < 300 {
        for what in &due {
            if let (What::Unlisted(time), Some(task)) = (what, new_task(&response)) {
                let until = moment.now.checked_add(*time).unwrap_or(Timestamp::MAX);
                world.rehearsal.hidden.push(Hidden { task, until });
            }
        }
        if due.contains(&What::NoTask) {
            response = without_task(response);
        }
    }
    due.iter()
        .fold(Delivery::Whole(response, Duration::ZERO), after)
}

/// What comes in place of the call.
fn instead(
    what: &What,
    service: &Service,
    call: &str,
    request: &Request,
    moment: &Moment,
) -> Option<Delivery> {
    let status = |status| bodies::refusal(service.name, call, request, status);
    let response = match what {
        What::Throttle(pause) => bodies::throttled(service.name, request, *pause, moment),
        What::Rate(_) => bodies::throttled(service.name, request, None, moment),
        What::Status(code) => status(*code),
        What::ResetBefore => return Some(Delivery::Reset),
        What::SilenceBefore => return Some(Delivery::Never),
        What::Garbage => bodies::garbage(),
        What::Stale if ebs::is_meant(request) => ebs::stale(call),
        What::Redirect(url) => Response::new(307).header("location", url.clone()),
        // Only Rackspace has tokens, which the handler refuses once they are gone.
        What::Expire if service.name != "rackspace" => bodies::expired(service.name, call, request),
        _ => return None,
    };
    Some(Delivery::Whole(response, Duration::ZERO))
}

/// How things look to who asks now.
fn twist(what: &What, shape: &mut Shape) {
    match what {
        What::Changed => shape.is_changed = true,
        What::Etag(etag) => shape.etag = Some(etag.clone()),
        What::Portion(portion) => shape.portion = *portion,
        _ => {}
    }
}

/// What becomes of the answer to a call that was executed.
fn after(delivery: Delivery, what: &What) -> Delivery {
    match (delivery, what) {
        (Delivery::Whole(..), What::ResetAfter) => Delivery::Reset,
        (Delivery::Whole(..), What::SilenceAfter) => Delivery::Never,
        (Delivery::Whole(response, _), What::Truncate) => Delivery::Cut(response),
        (Delivery::Whole(response, late), What::Delay(time)) => {
            Delivery::Whole(response, late + *time)
        }
        (Delivery::Whole(response, late), what) => Delivery::Whole(altered(response, what), late),
        (Delivery::Cut(response), what) => Delivery::Cut(altered(response, what)),
        (delivery, _) => delivery,
    }
}

/// The same answer with another body, or another word about it.
fn altered(mut response: Response, what: &What) -> Response {
    match what {
        What::Corrupt => response.body = response.body.corrupt(),
        What::Slow(pace) => response.pace = Some(*pace),
        What::Encoded => return response.header("content-encoding", "gzip"),
        _ => {}
    }
    response
}

/// Runs a call. A list is asked of a world without the hidden tasks.
fn execute(
    world: &mut World,
    service: &Service,
    call: &str,
    request: &Request,
    moment: &Moment,
) -> Response {
    world
        .rehearsal
        .hidden
        .retain(|hidden| moment.now < hidden.until);
    let is_list = calls_of(service.name).is_some_and(|calls| calls.lists.contains(&call));
    if !is_list || world.rehearsal.hidden.is_empty() {
        return (service.handler)(world, request, moment);
    }
    let mut shown = world.clone();
    for hidden in &world.rehearsal.hidden {
        shown.outscale.hide(&hidden.task);
        shown.lightsail.hide(&hidden.task);
        shown.rackspace.hide(&hidden.task);
    }
    (service.handler)(&mut shown, request, moment)
}

/// The id of the task in the answer to a start.
fn new_task(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body.to_vec()).ok()?;
    ["/SnapshotExportTask/TaskId", "/operations/0/id", "/id"]
        .iter()
        .find_map(|pointer| body.pointer(pointer)?.as_str().map(str::to_owned))
}

/// The same success, of which nothing but the envelope is left.
fn without_task(mut response: Response) -> Response {
    let body: Value = serde_json::from_slice(&response.body.to_vec()).unwrap_or_default();
    let rest = match body.get("ResponseContext") {
        Some(context) => json!({"ResponseContext": context}),
        None => json!({}),
    };
    response.headers.retain(|(name, _)| name != "location");
    response.body(rest.to_string())
}
