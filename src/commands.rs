//! One file per command: its arguments, whose comments are the help, and the story of the command.

pub(crate) mod cancel;
mod checkup;
pub mod completions;
pub mod context;
pub(crate) mod doctor;
pub(crate) mod export;
mod filter;
mod follow;
pub(crate) mod list;
pub(crate) mod man;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
pub(crate) mod status;
pub(crate) mod wait;

mod near;
mod on_done;
#[doc(hidden)]
pub mod reference;
mod remote;
mod settle;
mod signals;
mod start;

use std::io::Read;

use crate::commands::context::Context;
use crate::error::{Error, Hint, Kind, worst};
use crate::secret::clean;
use crate::task::ProviderId;

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
        let code = worst(self.0.iter().map(|error| error.kind.exit_code()));
        self.0.iter().find(|error| error.kind.exit_code() == code)
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
                Ending::Code(error.kind.exit_code())
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

/// Reads what may be `-`: the words given, or one per line from standard input (blank lines and `#` comments skipped).
/// An empty standard input is `None` if that is allowed.
///
/// It is not by default: it is more often a command before the pipe that failed than a day on which there is nothing to do.
fn words_or_none(
    words: &[String],
    what: &str,
    allow_empty: bool,
) -> crate::error::Result<Option<Vec<String>>> {
    let all = read_words(words, what)?;
    match all.is_empty() {
        false => Ok(Some(all)),
        true if allow_empty => Ok(None),
        true => Err(Error::usage(format!("Standard input named no {what}"))
            .hint("if there may be none, say so with --allow-empty; else look at what should have named them")),
    }
}

/// What was said on standard input: its words, or where it is something else.
fn words_of(input: &[u8]) -> crate::error::Result<Vec<String>> {
    let text = std::str::from_utf8(input).map_err(|error| {
        let good = &input[..error.valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Error::usage(format!(
            "Standard input cannot be read as text: line {line} is not UTF-8"
        ))
    })?;
    // Programs on Windows begin a text with a mark, which files that are joined keep between them.
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    Ok(text
        .lines()
        .map(|line| line.trim_matches(is_blank))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

fn read_words(words: &[String], what: &str) -> crate::error::Result<Vec<String>> {
    let mut all = Vec::new();
    let mut has_read = false;
    for word in words {
        if word != "-" {
            all.push(word.clone());
            continue;
        }
        if has_read {
            return Err(Error::usage("Standard input ('-') can be given only once"));
        }
        has_read = true;
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input).map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("The {what}s cannot be read from standard input"),
            )
            .cause(error.to_string())
        })?;
        all.extend(words_of(&input)?);
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|word| seen.insert(word.clone()));
    Ok(all)
}

#[cfg(test)]
mod tests;
