//! Completion of what is being typed: from the journal and the configuration only, never over the network.
//!
//! The script in `completions/` asks the program itself, at every press of the key, what may come next. So it knows
//! this version's commands, and the user's own tasks. Whatever goes wrong, it offers less and says nothing.

mod candidates;
mod glance;

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;

use crate::cli::Cli;
use crate::commands::man;
use crate::provider;
use crate::settings::Env;
use candidates::{Candidates, What};
use glance::Glance;

/// The variable by which a script asks for candidates; its value is the shell.
pub const VARIABLE: &str = "_SNAPEXPORT_COMPLETE";

/// What may come next, in the form that the shell reads. `args` are `snapexport -- snapexport WORD…`.
pub fn answer(shell: &str, args: &[String], env: Env) -> String {
    let mut words = args.iter().skip_while(|arg| *arg != "--").skip(1);
    let words: Vec<String> = words.by_ref().cloned().collect();
    if words.is_empty() {
        return String::new();
    }
    let mut command = command(Candidates::new(Glance::new(&words, env), words.clone()));
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let mut text = Vec::new();
    let written = Shells::builtins()
        .completer(shell)
        .map(|shell| shell.write_complete(&mut command, words, None, &mut text));
    match written {
        Some(Ok(())) => String::from_utf8_lossy(&text).into_owned(),
        _ => String::new(),
    }
}

/// The command line, with what is known for its values. By the values' names, so that a new command needs nothing here.
fn command(candidates: Candidates) -> Command {
    each_argument(Cli::command(), &|arg| {
        let name = arg.get_value_names().and_then(|names| names.first());
        let name = name.map(|name| name.as_str().to_owned());
        match name.as_deref() {
            Some("FILE") => return arg.value_hint(ValueHint::FilePath),
            Some("PAGE") => {
                return arg.add(ArgValueCandidates::new(|| {
                    man::names().map(CompletionCandidate::new).collect()
                }));
            }
            Some("DIRECTORY") => return arg.value_hint(ValueHint::DirPath),
            _ => {}
        }
        let what = match (arg.get_id().as_str(), name.as_deref()) {
            (_, Some("TASK")) => What::Task,
            (_, Some("SNAPSHOT" | "IMAGE")) => What::Snapshot,
            (id, _) if id == "profile" || id.ends_with("_profile") => What::Profile,
            ("region", _) => What::Region,
            (id, _) => match provider::clouds()
                .filter_map(|entry| entry.place)
                .find(|place| place.word == id)
            {
                Some(place) => What::Place(place.word),
                None => return arg,
            },
        };
        let candidates = candidates.clone();
        arg.add(ArgValueCompleter::new(move |typed: &std::ffi::OsStr| {
            typed
                .to_str()
                .map_or_else(Vec::new, |typed| candidates.of(what, typed))
        }))
    })
}

fn each_argument(command: Command, change: &impl Fn(Arg) -> Arg) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = command.mut_args(change);
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| each_argument(sub, change))
    })
}
