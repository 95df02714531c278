//! Arguments as they were typed, before clap reads them.

use std::ffi::{OsStr, OsString};

use clap::{Command, CommandFactory};

use super::Cli;
use crate::error::{Error, Result};
use crate::settings::text::{Form, escaped, trimmed};

/// Values that stay as they are, bytes that are no text among them, by what the help calls them.
const PATHS: [&str; 2] = ["FILE", "DIRECTORY"];
/// Text that stays as it is: others are to run it.
const COMMANDS: [&str; 1] = ["COMMAND"];

/// The arguments without white space around them; what then cannot be used is a `usage` error that names it.
///
/// Paths keep their bytes, and what a shell or a sandbox is to run is nobody's business here.
pub(crate) fn tidy(args: Vec<OsString>) -> Result<Vec<OsString>> {
    let is_usual = |arg: &OsString| arg.to_str().is_some_and(is_tidy);
    if args.iter().skip(1).all(is_usual) {
        return Ok(args);
    }
    let command = Cli::command();
    let (paths, commands) = (
        options_of(&command, Some(&PATHS)),
        options_of(&command, Some(&COMMANDS)),
    );
    let valued = options_of(&command, None);
    let is_sandbox = args.iter().any(|arg| arg == "sandbox");
    let is_any =
        |arg: &OsStr, options: &[String]| options.iter().any(|option| arg == option.as_str());
    let mut is_path = true; // The program's own.
    let mut is_command = false;
    let mut is_rest = false;
    // Whether the words of the command are paths; known with its name, the first word that is no option's value.
    let mut takes_paths = None;
    let (mut is_value, mut is_after_dashes) = (true, false);
    let tidied = args.into_iter().map(|arg| {
        let is_option = arg.as_encoded_bytes().starts_with(b"-") && !is_after_dashes;
        let is_word = !is_value && !is_option;
        let tidy = if is_path || has_attached(&arg, &paths) || is_word && takes_paths == Some(true)
        {
            Ok(arg.clone())
        } else if is_rest || is_command || has_attached(&arg, &commands) {
            as_text(&arg).map(OsString::from)
        } else {
            tidied(&arg)
        };
        if is_word {
            takes_paths.get_or_insert_with(|| {
                let own = arg.to_str().and_then(|name| command.find_subcommand(name));
                own.is_some_and(|own| own.get_positionals().any(|word| is_named(word, &PATHS)))
            });
        }
        (is_path, is_command) = (is_any(&arg, &paths), is_any(&arg, &commands));
        is_value = is_option && is_any(&arg, &valued);
        is_after_dashes |= arg == "--";
        is_rest |= is_sandbox && arg == "--";
        tidy
    });
    tidied.collect()
}

fn is_tidy(text: &str) -> bool {
    let mut parts = text.split('=');
    parts.all(|part| trimmed(part).len() == part.len()) && Form::Plain.flaw(text).is_none()
}

fn as_text(arg: &OsStr) -> Result<&str> {
    arg.to_str()
        .ok_or_else(|| Error::usage(format!("The argument '{}' is not UTF-8", escaped(arg))))
}

/// One argument; of `--option=value` the value.
fn tidied(arg: &OsStr) -> Result<OsString> {
    let text = trimmed(as_text(arg)?);
    let text = match text.split_once('=') {
        Some((option, value)) if option.starts_with("--") => format!("{option}={}", trimmed(value)),
        _ => text.to_owned(),
    };
    match Form::Plain.flaw(&text) {
        Some(flaw) => Err(Error::usage(format!(
            "The argument '{}' cannot be used: {flaw}",
            escaped(arg)
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

/// The options that take a value of one of these names, or of any.
fn options_of(command: &Command, names: Option<&[&str]>) -> Vec<String> {
    let is_one = |arg: &&clap::Arg| match names {
        Some(names) => is_named(arg, names),
        None => arg.get_value_names().is_some(),
    };
    let own = command.get_arguments().filter(is_one).flat_map(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        long.into_iter().chain(short)
    });
    let below = command.get_subcommands();
    own.chain(below.flat_map(|sub| options_of(sub, names)))
        .collect()
}

/// Whether the help calls its value so.
fn is_named(arg: &clap::Arg, names: &[&str]) -> bool {
    let mut own = arg.get_value_names().into_iter().flatten();
    own.any(|name| names.contains(&name.as_str()))
}

#[cfg(test)]
mod tests;
