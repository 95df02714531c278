//! Whether a reply is about what was asked. A cache may mix replies up and a server may lie: what does not fit counts as no
//! reply, and what was asked for is never replaced by what came back.

use super::{Provider, is_uuid};
use crate::error::{Error, Kind, Reason, Result};
use crate::secret::clean;
use crate::task::{ExportRequest, State, Task};

/// The longest id that a task can be asked for by.
const LONGEST_ID: usize = 256;

/// Whether this can be the id of a task or of what it made. Those of all clouds are letters, digits and a few signs that
/// mean nothing to a shell, in a path or at the end of a line; none begins as an option does.
pub(super) fn is_id(text: &str) -> bool {
    let is_of_id = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(is_of_id)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Whether two ids or names are the same. A UUID is in any case.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one == other || is_uuid(one) && one.eq_ignore_ascii_case(other)
}

/// Whether a reply can be about the start of an export: the task has an id, and is not another's.
pub(super) fn is_start_of(task: &Task, request: &ExportRequest) -> bool {
    let snapshot = task.snapshot.as_deref();
    let target = task.target.as_ref();
    is_id(task.id.as_str())
        && snapshot.is_none_or(|snapshot| is_same(snapshot, &request.snapshot))
        && target.is_none_or(|target| !target.contradicts(&request.target))
}

/// [`Provider::look_again`], of which only what is about the known tasks is believed.
pub async fn look_again(provider: &dyn Provider, known: &[Task]) -> Result<Vec<Result<Task>>> {
    let slots = provider.look_again(known).await?.into_iter();
    let believed = slots.zip(known).map(|(slot, known)| believe(slot, known));
    Ok(believed.collect())
}

fn believe(slot: Result<Task>, known: &Task) -> Result<Task> {
    let is_complete = known.state == State::Completed;
    match slot {
        Ok(task) => match difference(&task, known) {
            Some(what) => Err(mixed_up(known, &what)),
            None if stays_complete(&task, known) => Ok(known.clone()),
            None => Ok(task),
        },
        Err(mut error) if error.is_because(Reason::NoExport) => {
            error.kind = Kind::Provider;
            Err(error)
        }
        // Clouds forget; what was complete stays so.
        Err(error) if error.kind == Kind::NotFound && is_complete => Ok(known.clone()),
        Err(error) => Err(error),
    }
}

/// Whether a task was seen to complete and is called something else now, which is said: it stays complete.
pub fn stays_complete(task: &Task, known: &Task) -> bool {
    let stays = known.state == State::Completed && task.state != State::Completed;
    if stays {
        tracing::warn!(
            "{} contradicts itself: {} was seen to complete, and is called '{}' now; it stays completed",
            known.provider,
            known.id,
            clean(&task.provider_state)
        );
    }
    stays
}

/// In what a task differs from the one that was asked for. What a cloud leaves out is no difference.
fn difference(task: &Task, known: &Task) -> Option<String> {
    if !is_same(task.id.as_str(), known.id.as_str()) {
        return Some(format!("the task '{}'", clean(task.id.as_str())));
    }
    if let (Some(snapshot), Some(known)) = (&task.snapshot, &known.snapshot)
        && !is_same(snapshot, known)
    {
        return Some(format!(
            "the snapshot '{}', not of '{}'",
            clean(snapshot),
            clean(known)
        ));
    }
    match (&task.target, &known.target) {
        (Some(target), Some(known)) if target.contradicts(known) => Some(format!(
            "an export to {}, not to {}",
            clean(&target.identity()),
            clean(&known.identity())
        )),
        _ => None,
    }
}

/// The error of a reply about something else.
pub(super) fn mixed_up(known: &Task, what: &str) -> Error {
    let sentence = format!("The reply about {} is not about it", known.qualified());
    Error::new(Kind::Provider, sentence)
        .cause(format!("it is of {what}"))
        .hint("check that the endpoint is right (-v shows it)")
}

/// The error of a list that has the same twice, and not alike.
pub(super) fn twice(call: &str, id: &str) -> Error {
    let sentence = format!("The reply to {call} lists {id} twice, and not alike");
    Error::new(Kind::Provider, sentence).hint("ask again: one of the two is out of date")
}

#[cfg(test)]
mod tests;
