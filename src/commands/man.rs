//! `snapexport man`: print a page of the manual.

use super::Ending;
use crate::error::{Error, Result};
use crate::report;

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

/// The name and the text of every page, as `cargo run --example generate` wrote them.
const PAGES: &[(&str, &str)] = &include!("../../man/pages.rs");

/// The names of the pages, short as one would type them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PAGES
        .iter()
        .map(|(name, _)| name.trim_start_matches("snapexport-"))
}

/// Runs `man`.
pub(crate) fn run(args: &Args) -> Result<Ending> {
    let wanted = args.page.as_deref().unwrap_or("snapexport");
    let prefixed = format!("snapexport-{wanted}");
    let page = PAGES
        .iter()
        .find(|(name, _)| *name == wanted || *name == prefixed);
    let Some((_, text)) = page else {
        let names: Vec<&str> = names().collect();
        let wanted = crate::secret::clean(wanted);
        return Err(Error::usage(format!("The manual has no page '{wanted}'"))
            .hints(crate::suggest::hint(&wanted, names.iter().copied()))
            .hint(format!("the pages are: {}", names.join(", "))));
    };
    report::document(text)?;
    Ok(Ending::Code(0))
}
