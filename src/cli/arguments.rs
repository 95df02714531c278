//! Arguments as they were typed, before clap reads them.

use std::ffi::{OsStr, OsString};

use clap::{Command, CommandFactory};

use super::Cli;
use crate::error::{Error, Result};
use crate::settings::text::{Form, escaped, trimmed};

/// Values that stay as they are, by what the help calls them: paths, and what others are to run.
const UNTOUCHED: [&str; 3] = ["FILE", "DIRECTORY", "COMMAND"];

/// The arguments without white space around them; what then cannot be used is a `usage` error that names it.
///
/// Paths keep their bytes, and what a shell or a sandbox is to run is nobody's business here.
pub(crate) fn tidy(args: Vec<OsString>) -> Result<Vec<OsString>> {
    let is_usual = |arg: &OsString| arg.to_str().is_some_and(is_tidy);
    if args.iter().skip(1).all(is_usual) {
        return Ok(args);
    }
    let mut untouched = Vec::new();
    collect(&Cli::command(), &mut untouched);
    let is_sandbox = args.iter().any(|arg| arg == "sandbox");
    let mut is_value = true; // The program's own name.
    let mut is_rest = false;
    let tidied = args.into_iter().map(|arg| {
        let stays = is_rest || is_value || has_attached(&arg, &untouched);
        is_value = untouched.iter().any(|option| arg == option.as_str());
        is_rest |= is_sandbox && arg == "--";
        if stays { Ok(arg) } else { tidied(&arg) }
    });
    tidied.collect()
}

fn is_tidy(text: &str) -> bool {
    let mut parts = text.split('=');
    parts.all(|part| trimmed(part).len() == part.len()) && Form::Plain.flaw(text).is_none()
}

/// One argument; of `--option=value` the value.
fn tidied(arg: &OsStr) -> Result<OsString> {
    let shown = escaped(arg);
    let Some(text) = arg.to_str() else {
        return Err(Error::usage(format!("The argument '{shown}' is not UTF-8")));
    };
    let text = trimmed(text);
    let text = match text.split_once('=') {
        Some((option, value)) if option.starts_with("--") => format!("{option}={}", trimmed(value)),
        _ => text.to_owned(),
    };
    match Form::Plain.flaw(&text) {
        Some(flaw) => Err(Error::usage(format!(
            "The argument '{shown}' cannot be used: {flaw}"
        ))),
        None => Ok(text.into()),
    }
}

/// Whether it is one of these options with its value.
fn has_attached(arg: &OsStr, options: &[String]) -> bool {
    let bytes = arg.as_encoded_bytes();
    let mut options = options.iter();
    options.any(|option| {
        let rest = bytes.strip_prefix(option.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"="))
    })
}

/// The options whose values stay as they are.
fn collect(command: &Command, options: &mut Vec<String>) {
    for arg in command.get_arguments() {
        let mut names = arg.get_value_names().into_iter().flatten();
        if let Some(long) = arg.get_long()
            && names.any(|name| UNTOUCHED.contains(&name.as_str()))
        {
            options.push(format!("--{long}"));
        }
    }
    for sub in command.get_subcommands() {
        collect(sub, options);
    }
}

#[cfg(test)]
mod tests;
