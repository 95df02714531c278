//! `snapexport cancel`: cancel exports where the cloud can. Only what was seen cancelled is called so.

use std::time::Duration;

use jiff::Timestamp;

use super::near::first_hint;
use super::reference::{self, Asked, Named, typed_form};
use super::status::look;
use super::{Ending, Tally, nothing_to_do, words_or_none};
use crate::commands::context::Context;
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::journal::Journal;
use crate::options::{Asking, Output};
use crate::report::{Printer, stage};
use crate::task::{State, Task, TaskId, TaskObject};

/// Between two looks while a cancellation that was asked for does not show. A request without a proper answer is sent again after each.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Arguments of `cancel`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport cancel snap-export-12345678
  snapexport status --provider outscale --state pending -q | snapexport cancel - --allow-empty

OUTSCALE cancels an export that has hardly begun; Lightsail and Rackspace cancel none (exit code 2, nothing is sent).
Asks nobody for confirmation. Prints the tasks that are cancelled, those that were so before among them. Exit code 0: all are;
1: one is not, because it has ended, is too far, or the cloud did not answer; its state is said.")]
pub struct Args {
    /// The tasks: the provider's ids, qualified (lightsail/ID) where a bare one is ambiguous; - reads them from standard input
    #[arg(required = true, value_name = "TASK")]
    pub tasks: Vec<String>,
    /// With -: an empty standard input is nothing to do (exit code 0), not an error
    #[arg(long)]
    pub allow_empty: bool,
    /// How long it may take.
    #[command(flatten)]
    pub asking: Asking,
}

/// Runs `cancel`.
pub(crate) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let mut journal = context.existing_journal();
    let printer = context.printer(Output::Table);
    let Some(words) = words_or_none(context, &args.tasks, "task", args.allow_empty).await? else {
        return Ok(nothing_to_do(&printer, "task"));
    };
    let named = reference::resolve_all(&words, context, &mut journal)?;
    // All of them before the first is sent: exit code 2 means that nothing was.
    let program = reference::program(context, journal.is_some());
    let known: Vec<Task> = named.iter().map(|one| one.remembered("")).collect();
    let mut teller = Teller {
        printer,
        known: &known,
        is_journaled: journal.is_some(),
        tally: Tally::default(),
        cancelled: Vec::new(),
    };
    for (index, error) in refusals(&named, &program) {
        teller.tell(index, Err(NotCancelled::unseen(error)));
    }
    if !teller.tally.0.is_empty() {
        if teller.tally.0.len() < known.len() {
            let printer = &teller.printer;
            printer.note("Nothing was sent, not for the other tasks either.");
        }
        return Ok(teller.close());
    }
    let (asked, errors) = reference::connect(context, named).await;
    for (index, error) in errors {
        teller.tell(index, Err(NotCancelled::unseen(error)));
    }
    for asked in &asked {
        cancel_all(asked, journal.as_ref(), &program, &mut teller).await;
    }
    Ok(teller.close())
}

/// Why a task is not cancelled, and as what it was seen.
struct NotCancelled {
    error: Error,
    seen: Option<Box<Task>>,
}

impl NotCancelled {
    fn unseen(error: Error) -> Self {
        NotCancelled { error, seen: None }
    }

    fn seen(error: Error, task: Task) -> Self {
        NotCancelled {
            error,
            seen: Some(Box::new(task)),
        }
    }
}

/// What came of the wish to cancel a task.
type Cancelled = std::result::Result<Task, NotCancelled>;

/// Says what becomes of each task as soon as it is known.
struct Teller<'k> {
    printer: Printer,
    /// What is known of the tasks, in the order in which they were named.
    known: &'k [Task],
    is_journaled: bool,
    tally: Tally,
    cancelled: Vec<(usize, Task)>,
}

impl Teller<'_> {
    fn tell(&mut self, index: usize, cancelled: Cancelled) {
        let NotCancelled { error, seen } = match cancelled {
            Ok(task) => {
                let typed = typed_form(&task, self.is_journaled);
                self.printer.task(&task, &typed);
                return self.cancelled.push((index, task));
            }
            Err(not_cancelled) => not_cancelled,
        };
        let known = &self.known[index];
        let error = error.naming(known.id.as_str(), || {
            format!("The export {} was not cancelled", known.qualified())
        });
        self.printer.failed_item(match seen {
            Some(seen) => TaskObject::with_error(&seen, &error),
            None => TaskObject::not_known(known, &error),
        });
        self.printer.error(&error);
        self.tally.add(error);
    }

    /// Prints the table in the order in which the tasks were named.
    fn close(mut self) -> Ending {
        self.cancelled.sort_by_key(|(index, _)| *index);
        let tasks = self.cancelled.into_iter().map(|(_, task)| task);
        let tasks: Vec<Task> = tasks.collect();
        self.printer.table(&tasks, Timestamp::now());
        self.tally.close(&self.printer)
    }
}

/// An error for each task of a cloud that cannot cancel, with its place among them.
fn refusals(named: &[Named], program: &Command) -> Vec<(usize, Error)> {
    let refusal = |(index, one): (usize, &Named)| {
        let typed = format!("{}/{}", one.entry.id, one.id);
        let known = one.known.as_ref().map(|known| &known.task);
        let refusal = one.entry.no_cancel?.refusal(&typed, known);
        let next = match one.ended() {
            Some(_) => {
                Hint::say("see how it ended: ").and_run(program.clone().and("status").arg(&typed))
            }
            None => Hint::say("let it end: ").and_run(program.clone().and("wait").arg(&typed)),
        };
        Some((index, first_hint(refusal, Some(next))))
    };
    named.iter().enumerate().filter_map(refusal).collect()
}

/// Cancels the tasks of one account, one after the other. Refused credentials are not sent again: that may lock the key.
async fn cancel_all(
    asked: &Asked,
    journal: Option<&Journal>,
    program: &Command,
    teller: &mut Teller<'_>,
) {
    let mut refused: Option<Error> = None;
    for ((index, named), seen) in asked.tasks.iter().zip(look(asked, journal).await) {
        let cancelled = match (seen, &refused) {
            (Ok(task), _) if task.state.is_terminal() => ended(task, None, program),
            (Ok(task), Some(error)) => Err(NotCancelled::seen(error.clone(), task)),
            (Ok(_), None) => cancel_one(asked, named, journal, program).await,
            (Err(error), _) => Err(NotCancelled::unseen(error)),
        };
        if let Err(NotCancelled { error, .. }) = &cancelled
            && error.kind == Kind::Credentials
        {
            refused.get_or_insert_with(|| error.clone());
        }
        teller.tell(*index, cancelled);
    }
}

/// Asks for the cancellation and looks what came of it.
async fn cancel_one(
    asked: &Asked,
    named: &Named,
    journal: Option<&Journal>,
    program: &Command,
) -> Cancelled {
    let alone = Asked {
        provider: asked.provider.clone(),
        may_be_missing: asked.may_be_missing,
        tasks: vec![(0, named.clone())],
    };
    let mut reply = asked.provider.cancel(&named.id).await;
    let mut pauses = PAUSES.iter();
    loop {
        let sight = look(&alone, journal).await.remove(0);
        if let Ok(task) = &sight
            && task.state.is_terminal()
        {
            return ended(task.clone(), reply.err(), program);
        }
        match (&reply, pauses.next()) {
            (Err(error), _) if is_final(error, &sight) => {
                return not_cancelled(&named.id, sight, reply, program);
            }
            (_, None) => return not_cancelled(&named.id, sight, reply, program),
            (_, Some(pause)) => tokio::time::sleep(*pause).await,
        }
        if reply.is_err() {
            reply = asked.provider.cancel(&named.id).await;
        }
    }
}

/// Whether asking again is in vain. A task that can be seen but is not found may be too new for part of the cloud.
fn is_final(refusal: &Error, sight: &Result<Task>) -> bool {
    let is_new = refusal.kind == Kind::NotFound && sight.is_ok();
    !refusal.kind.is_transient() && !is_new
}

/// What to say of a task that has ended: cancelled is what was wanted, whoever did it.
fn ended(task: Task, refusal: Option<Error>, program: &Command) -> Cancelled {
    if task.state == State::Cancelled {
        return Ok(task);
    }
    let mut error = Error::new(
        Kind::Conflict,
        format!(
            "The export {} cannot be cancelled any more: it is {}",
            task.id, task.state
        ),
    );
    if let Some(refusal) = refusal {
        error = error.cause(refusal.one_line());
    }
    let status = program.clone().and("status").arg(typed_form(&task, false));
    let hint = Hint::say("see how it ended: ").and_run(status);
    Err(NotCancelled::seen(error.hint(hint), task))
}

/// The error of a task that goes on as far as anybody knows, with what was seen of it.
fn not_cancelled(
    id: &TaskId,
    sight: Result<Task>,
    reply: Result<()>,
    program: &Command,
) -> Cancelled {
    let seen = sight.as_ref().ok().cloned().map(Box::new);
    let error = why_not(id, sight, reply, program);
    Err(NotCancelled { error, seen })
}

fn why_not(id: &TaskId, sight: Result<Task>, reply: Result<()>, program: &Command) -> Error {
    let goes_on = Hint::say("look again: ").and_run(program.clone().and("status").arg(id));
    match (reply, sight) {
        (Err(refusal), Ok(task)) => {
            let verb = if refusal.details.maybe_executed {
                "has not been seen cancelled"
            } else {
                "is not cancelled"
            };
            let stage = stage::in_brief(&task);
            refusal
                .context(format!("The export {id} {verb}: it is {stage}"))
                .hint(
                    Hint::say("the export goes on: ").and_run(program.clone().and("wait").arg(id)),
                )
        }
        (Err(refusal), Err(unseen)) => refusal
            .context(format!(
                "Whether the export {id} was cancelled is not known"
            ))
            .cause(unseen.one_line())
            .hint(goes_on),
        (Ok(()), Ok(task)) => Error::new(
            Kind::Provider,
            format!(
                "The cancellation of {id} was accepted, but it is still {}",
                stage::in_brief(&task)
            ),
        )
        .hint(goes_on),
        (Ok(()), Err(unseen)) => {
            let mut error = unseen.context(format!(
                "The cancellation of {id} was accepted, but whether it is cancelled is not known"
            ));
            if error.kind == Kind::NotFound {
                error.kind = Kind::Provider;
            }
            first_hint(error, Some(goes_on))
        }
    }
}

#[cfg(test)]
mod tests;
