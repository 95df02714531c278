//! `snapexport list`: what can be exported from a cloud.

use jiff::Timestamp;

use super::{Ending, Tally};
use crate::cli::Output;
use crate::context::Context;
use crate::error::Result;
use crate::provider;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport list outscale
  snapexport list rackspace -o json | jq -r 'select(.exportable).id'")]
pub struct Args {
    /// The cloud
    #[arg(value_name = "PROVIDER", value_parser = provider_names())]
    pub provider: String,
}

pub(super) fn provider_names() -> clap::builder::PossibleValuesParser {
    provider::REGISTRY
        .iter()
        .map(|entry| entry.id.0)
        .collect::<Vec<_>>()
        .into()
}

/// Runs `list`.
pub async fn run(context: &Context, args: Args) -> Result<Ending> {
    let entry = provider::by_name(&args.provider)?;
    let provider = context.connect(entry, None, None).await?;
    let sources = provider.exportable().await?;
    let mut printer = context.printer(Output::Table);
    printer.sources(&sources, Timestamp::now());
    Ok(Tally::default().close(&printer))
}
