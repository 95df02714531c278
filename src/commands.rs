//! One file per command: its arguments, whose comments are the help, and the story of the command.

pub(crate) mod cancel;
mod checkup;
pub mod completions;
pub(crate) mod context;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod fetch;
mod filter;
mod follow;
pub(crate) mod list;
pub(crate) mod man;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod wait;

mod homing;
mod near;
mod on_done;
#[doc(hidden)]
pub mod reference;
mod remote;
mod settle;
mod signals;
mod start;
mod words;

pub use self::context::stated_output;

use crate::commands::context::Context;
use crate::error::{Error, Hint, Kind, worst};
use crate::secret::clean;
use crate::task::ProviderId;
use words::words_or_none;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(u8),
    /// By this signal, which the process is to die of.
    Signal(i32),
}

/// Errors on the way, each already printed; the worst decides the exit code.
#[derive(Debug, Default)]
struct Tally(Vec<Error>);

impl Tally {
    fn add(&mut self, error: Error) {
        self.0.push(error);
    }

    fn worst(&self) -> Option<&Error> {
        let code = worst(self.0.iter().map(|error| error.exit_code()));
        self.0.iter().find(|error| error.exit_code() == code)
    }

    /// Prints the last line that JSON output promises, and gives the exit code.
    fn close(mut self, printer: &crate::report::Printer) -> Ending {
        if let Some(error) = printer.output_error() {
            printer.error(&error);
            self.add(error);
        }
        match self.worst() {
            Some(error) => {
                printer.last_error(error);
                Ending::Code(error.exit_code())
            }
            None => Ending::Code(0),
        }
    }
}

/// Notes which clouds are left out: nothing is configured for them.
fn not_asked(context: &Context, printer: &crate::report::Printer, absent: &[(ProviderId, Error)]) {
    let names: Vec<&str> = absent.iter().map(|(id, _)| id.0).collect();
    if names.is_empty() {
        return;
    }
    let why = match context.profile() {
        Some(name) => format!("no profile '{}'", clean(name)),
        None => "no credentials".to_owned(),
    };
    printer.note(format!("Not asked, {why}: {}", names.join(", ")));
}

/// That nothing is configured for any cloud, or none knows the profile. `hint` helps who has no credentials.
fn nobody_to_ask(context: &Context, absent: &[(ProviderId, Error)], hint: Hint) -> Error {
    let why = match context.profile() {
        Some(name) => format!("there is no profile '{}' for any", clean(name)),
        None => "there are no credentials for any".to_owned(),
    };
    let mut error = Error::new(Kind::Credentials, format!("No cloud can be asked: {why}"));
    for (id, absence) in absent {
        error = error.cause(format!("{id}: {}", absence.message));
        if context.profile().is_some() {
            // The same profile of ours may have been meant for each.
            for hint in &absence.details.hints {
                if !error.details.hints.contains(hint) {
                    error = error.hint(hint);
                }
            }
        }
    }
    match context.profile() {
        Some(_) => error,
        None => error.hint(hint),
    }
}

/// The end of a command that was given an empty standard input, and may be.
fn nothing_to_do(printer: &crate::report::Printer, what: &str) -> Ending {
    printer.note(format!("Standard input named no {what}; nothing to do."));
    Ending::Code(0)
}
