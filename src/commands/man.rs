//! `snapexport man`: print a page of the manual.

use super::Ending;
use crate::error::{Error, Result};
use crate::{manual, report};

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport man | man -l -
  snapexport man wait | man -l -
  snapexport man snapexport-exit-codes | man -l -

There is a page for each command (wait, export-outscale, …), and exit-codes, config and json.")]
pub struct Args {
    /// The page, with or without snapexport- before it; without one, the page of snapexport itself
    #[arg(value_name = "PAGE")]
    pub page: Option<String>,
}

/// Runs `man`.
pub fn run(args: &Args) -> Result<Ending> {
    let pages = manual::pages();
    let wanted = args.page.as_deref().unwrap_or("snapexport");
    let prefixed = format!("snapexport-{wanted}");
    let page = pages
        .iter()
        .find(|page| page.name == wanted || page.name == prefixed);
    let Some(page) = page else {
        let names: Vec<&str> = pages
            .iter()
            .map(|page| page.name.trim_start_matches("snapexport-"))
            .collect();
        let wanted = crate::secret::clean(wanted);
        return Err(Error::usage(format!("The manual has no page '{wanted}'"))
            .hints(crate::suggest::hint(&wanted, names.iter().copied()))
            .hint(format!("the pages are: {}", names.join(", "))));
    };
    report::document(&page.roff)?;
    Ok(Ending::Code(0))
}
