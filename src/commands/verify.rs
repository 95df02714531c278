//! `snapexport verify`: check fetched images again, offline.

use std::path::{Path, PathBuf};

use super::{Ending, Tally};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::fetch;
use crate::image::Check;
use crate::options::Output;
use crate::schema::VerifiedObject;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport verify disk.qcow2
  snapexport verify --deep backups/*.raw
  snapexport verify disk.qcow2 -o json | jq '.checks[] | select(.result != \"passed\")'

Exits 0 where no check failed, else 1. What cannot be checked is said and is no failure.")]
pub struct Args {
    /// Fetched images; the evidence of each, NAME.export.json, must be beside it
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Look at the disk inside too: boot sector, partition table, file systems
    #[arg(long)]
    pub deep: bool,
}

/// Runs `verify`.
pub(crate) fn run(context: &Context, args: &Args) -> Ending {
    let mut printer = context.printer(Output::Table);
    let mut tally = Tally::default();
    for path in &args.files {
        let (checks, error) = match fetch::verify(path, args.deep) {
            Ok(checks) => {
                let error = verdict(path, &checks);
                (checks, error)
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        printer.verified(&VerifiedObject::new(path, &checks, error.as_ref()));
        if let Some(error) = error {
            // The table has said the rest.
            let is_told = printer.output() == Output::Table && !checks.is_empty();
            let mut shown = error.clone();
            shown.details.causes.retain(|_| !is_told);
            printer.error(&shown);
            tally.add(error);
        }
    }
    tally.close(&printer)
}

/// The error of a file of which a check failed.
fn verdict(path: &Path, checks: &[Check]) -> Option<Error> {
    let failed: Vec<&Check> = checks.iter().filter(|check| check.is_failure()).collect();
    if failed.is_empty() {
        return None;
    }
    let names: Vec<&str> = failed.iter().map(|check| check.name.as_str()).collect();
    let message = format!(
        "{} is not as it must be: {}",
        path.display(),
        names.join(", ")
    );
    let error = Error::new(Kind::Corrupt, message);
    let said = failed
        .iter()
        .map(|check| format!("{}: {}", check.name, check.detail));
    let error = said.fold(error, Error::cause);
    Some(error.hint("do not use it; export or fetch it anew before you delete what it was made of"))
}
