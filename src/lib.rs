//! snapexport: get a snapshot out of a cloud, see how far it is, know how it ended.
//!
//! Four layers, and only the last one speaks: what was typed is parsed, resolved, done, reported.
//!
//! ```text
//!  argv ──▶ cli ──▶ commands/* ──▶ provider/*  ──▶ a cloud (or the sandbox)
//!           parse    resolve, do ─▶ poll ─────▶ Event ──▶ report/* ──▶ stderr, stdout
//!                        └────────▶ journal
//! ```
//!
//! | looking for | look in |
//! |---|---|
//! | options and help | [`cli`], and the `Args` of each file in [`commands`] |
//! | the meaning of an exit code | [`error::Kind`] |
//! | what a task is, and its JSON | [`task`] |
//! | what a cloud must be able to do | [`provider::Provider`] |
//! | when the next look is due | [`pace`] |
//! | what `--timeout` bounds | [`deadline`] |
//! | where a variable is read | [`settings`], and `places` of each cloud in [`provider`] |
//! | the context of a run | `commands::context` |
//! | whether a disk image is whole | [`image`] |
//! | what was fetched, and the proof | [`fetch`] |
//! | the manual, JSON Schema, scripts for shells | `examples/generate` |
//! | the form of a JSON line | [`schema`] |
//! | what the Tab key offers | [`completion`] |
//! | anything printed | [`report`] |
#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod completion;
pub mod deadline;
pub mod error;
pub mod fetch;
pub mod http;
pub mod image;
pub mod journal;
mod options;
pub mod pace;
pub mod poll;
pub mod process;
pub mod provider;
pub mod report;
pub mod schema;
pub mod secret;
pub mod settings;
mod suggest;
pub mod task;
mod text;

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{Cli, Command};
use crate::commands::context::Context;
use crate::commands::{Ending, stated_output};
use crate::error::{Error, Kind};
use crate::options::Output;
use crate::settings::Env;

/// The arguments as they are shown, also those that are no text.
pub fn shown(args: &[OsString]) -> Vec<String> {
    let text = |arg: &OsString| arg.to_string_lossy().into_owned();
    args.iter().map(text).collect()
}

/// Runs the program with these arguments (the program's name first) and this environment.
pub async fn run(args: impl IntoIterator<Item = impl Into<OsString>>, env: Env) -> Ending {
    let typed: Vec<OsString> = args.into_iter().map(Into::into).collect();
    if let Some(shell) = env.get(completion::VARIABLE) {
        // Whoever asks this is no person: what cannot be written is not said.
        let _ = report::document(&completion::answer(shell, &shown(&typed), env.clone()));
        return Ending::Code(0);
    }
    let stated = stated_output(&shown(&typed), &env);
    let typed = match cli::tidy(typed) {
        Ok(typed) => typed,
        Err(error) => return failed(&error, stated),
    };
    let args = shown(&typed);
    let stated = stated_output(&args, &env);
    let cli = match Cli::try_parse_from(typed) {
        Ok(cli) => cli,
        Err(error) => return parse_failed(error, &args, &env),
    };
    // What needs no settings must work also where they are broken.
    let without_settings = match &cli.command {
        Command::Completions(args) => Some(commands::completions::run(args)),
        Command::Man(args) => Some(commands::man::run(args)),
        _ => None,
    };
    if let Some(result) = without_settings {
        return result.unwrap_or_else(|error| failed(&error, stated));
    }
    let mut context = match Context::resolve(cli.global, env).await {
        Ok(context) => context,
        Err(error) => return failed(&error, stated),
    };
    report::trace::start(context.verbosity(), context.is_quiet());
    let deadline = match &cli.command {
        Command::Status(args) => args.asking.timeout.deadline(),
        Command::List(args) => args.asking.timeout.deadline(),
        Command::Doctor(args) => args.asking.timeout.deadline(),
        Command::Cancel(args) => args.asking.timeout.deadline(),
        // Of these, `--timeout` is about the waiting too.
        _ => None,
    };
    if let Some(deadline) = deadline {
        context.sources.deadline = Some(deadline);
        context.http = context.http.until(deadline);
    }
    let command = async {
        match cli.command {
            Command::Completions(args) => commands::completions::run(&args),
            Command::Man(args) => commands::man::run(&args),
            Command::Export(args) => commands::export::run(&mut context, args).await,
            Command::Status(args) => commands::status::run(&context, args).await,
            Command::Wait(args) => commands::wait::run(&mut context, args).await,
            Command::List(args) => commands::list::run(&context, args).await,
            Command::Doctor(args) => commands::doctor::run(&context, args).await,
            Command::Cancel(args) => commands::cancel::run(&context, args).await,
            Command::Fetch(args) => commands::fetch::run(&context, args).await,
            Command::Verify(args) => Ok(commands::verify::run(&context, &args)),
            #[cfg(feature = "sandbox")]
            Command::Sandbox(args) => commands::sandbox::run(&context, args).await,
        }
    };
    let result = match deadline {
        None => command.await,
        Some(deadline) => tokio::time::timeout_at(deadline.end(), command)
            .await
            .unwrap_or_else(|_| Err(out_of_time())),
    };
    result.unwrap_or_else(|error| {
        let printer = context.printer(Output::Table);
        printer.error(&error);
        printer.last_error(&error);
        Ending::Code(error.exit_code())
    })
}

/// Something hung that no server was to blame for, such as a command for credentials.
fn out_of_time() -> Error {
    Error::new(
        Kind::Timeout,
        "The command did not end in the time that --timeout gives",
    )
    .hint("give it more time; with -v it says what it waits for")
}

/// The system refuses what every run needs.
pub fn not_begun(why: &std::io::Error, output: Option<Output>) -> Ending {
    let error = Error::new(Kind::Internal, "The program cannot begin")
        .cause(why.to_string())
        .hint("let it open more files: ulimit -n 1024 in the same shell");
    failed(&error, output)
}

/// An error from before there are settings.
fn failed(error: &Error, output: Option<Output>) -> Ending {
    let printer = report::Printer::plain(output.unwrap_or(Output::Table));
    printer.error(error);
    printer.last_error(error);
    Ending::Code(error.exit_code())
}

/// Adds what may have been meant to a word that stands where the cloud of an `export` belongs, unless clap knows.
fn with_tip(mut error: clap::Error, args: &[String]) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let is_after_export = args
        .iter()
        .position(|arg| arg == word)
        .is_some_and(|at| args[..at].iter().any(|arg| arg == "export"));
    if is_after_export && error.get(ContextKind::SuggestedSubcommand).is_none() {
        let tip = commands::export::cloud_first(word).into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// What is missing where a command line ends too early.
fn nothing_to_run(args: &[String]) -> String {
    if args.iter().any(|arg| arg == "export") {
        let clouds = provider::names().join(", ");
        format!("The cloud to export from is missing: {clouds}")
    } else {
        "The command is missing; snapexport --help lists them".to_owned()
    }
}

/// The sentence of an error of clap's, which is followed by tips and the usage.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

/// Help and version are no errors; a wrong command line is one, in clap's words.
fn parse_failed(error: clap::Error, args: &[String], env: &Env) -> Ending {
    let error = with_tip(error, args);
    let text = error.render();
    if !error.use_stderr() {
        report::usage(&text.to_string(), false);
        return Ending::Code(0);
    }
    report::usage(&text.to_string(), true);
    if stated_output(args, env) == Some(Output::Json) {
        let sentence = match error.kind() {
            // Clap says it by the help, or by the names of all commands.
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
                nothing_to_run(args)
            }
            _ => first_paragraph(&text.to_string()),
        };
        let printer = report::Printer::plain(Output::Json);
        printer.last_error(&Error::usage(sentence));
    }
    Ending::Code(2)
}
