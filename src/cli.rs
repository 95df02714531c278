//! What can be typed: clap types and help. No I/O.

mod arguments;

pub(crate) use arguments::tidy;

use clap::{Parser, Subcommand};

use crate::commands::{
    cancel, completions, doctor, export, fetch, list, man, status, verify, wait,
};
use crate::error::EXIT_CODES;
use crate::options::Global;

/// Get a snapshot out of a cloud: start the export, watch it, know how it ended.
///
/// Exports run in the cloud and take minutes to hours. They go on when this program ends; `wait` picks them up again.
#[derive(Debug, Parser)]
#[command(name = "snapexport", version, max_term_width = 100, after_help = after_help(), subcommand_required = true, arg_required_else_help = true, args_override_self = true)]
pub struct Cli {
    /// Options every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What stands below the help: the exit codes, and how to begin.
fn after_help() -> String {
    let codes: String = EXIT_CODES
        .iter()
        .map(|code| format!("  {:<8}  {}\n", code.numbers(), code.plain()))
        .collect();
    format!(
        "Exit codes:\n{codes}Treat any other code as a failure.\n
Try it without a cloud account:
  snapexport --sandbox list outscale
  snapexport --sandbox export outscale snap-0a1b2c3d --bucket demo --wait"
    )
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start an export
    Export(export::Args),
    /// Show tasks once
    Status(status::Args),
    /// Block until tasks end; the exit code tells how
    Wait(wait::Args),
    /// Show what can be exported
    List(list::Args),
    /// Show which credentials, region and endpoint would be used, and whether they work
    Doctor(doctor::Args),
    /// Cancel exports, where the cloud can
    Cancel(cancel::Args),
    /// Bring an exported image to this machine, verified
    Fetch(fetch::Args),
    /// Check fetched images again, offline
    Verify(verify::Args),
    /// Run the three clouds' APIs, simulated on loopback
    #[cfg(feature = "sandbox")]
    Sandbox(crate::commands::sandbox::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Print a page of the manual
    Man(man::Args),
}

#[cfg(test)]
mod tests;
