//! `snapexport list`: what can be exported from a cloud.

use clap::ValueEnum;
use jiff::Timestamp;

use super::filter::Filter;
use super::{Ending, Tally};
use crate::commands::context::Context;
use crate::error::Result;
use crate::options::{Asking, Output};
use crate::provider;
use crate::task::Source;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport list outscale
  snapexport list lightsail --exportable --name 'web-*' --newer-than 7d
  snapexport list rackspace --exportable --older-than 30d -q |
    snapexport export rackspace - --container archive --allow-empty

Nothing that matches is no error: the exit code is 0, and a note on standard error says so.")]
pub struct Args {
    /// The cloud
    #[arg(value_name = "PROVIDER", value_parser = provider_names())]
    pub provider: String,
    /// Only what can be exported now
    #[arg(long, help_heading = "Filters")]
    pub exportable: bool,
    /// Only what is in one of these states; repeat, or separate by commas
    #[arg(
        long,
        value_name = "STATE",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub state: Vec<SourceState>,
    /// Which to show.
    #[command(flatten)]
    pub filter: Filter,
    /// How long it may take.
    #[command(flatten)]
    pub asking: Asking,
}

/// The common states of what can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceState {
    /// It is still being made
    Pending,
    /// It is whole
    Completed,
    /// Making it failed
    Failed,
    /// The cloud has a word of its own for it, such as deleting or deactivated
    Other,
}

impl SourceState {
    fn of(source: &Source) -> Self {
        match source.state.as_str() {
            "pending" => SourceState::Pending,
            "completed" => SourceState::Completed,
            "failed" => SourceState::Failed,
            _ => SourceState::Other,
        }
    }
}

pub(super) fn provider_names() -> clap::builder::PossibleValuesParser {
    provider::names().into()
}

/// Runs `list`.
pub(crate) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let entry = provider::by_name(&args.provider)?;
    let provider = context.connect(entry, None, None).await?;
    let sources = provider.exportable().await?;
    context.remember_sources(&sources);
    let mut printer = context.printer(Output::Table);
    let is_wanted = |source: &Source| {
        (source.exportable || !args.exportable)
            && (args.state.is_empty() || args.state.contains(&SourceState::of(source)))
    };
    let total = sources.len();
    let shown = args.filter.sift(sources, is_wanted, &printer);
    if !shown.is_empty() || total == 0 {
        printer.sources(&shown, Timestamp::now());
    }
    if total == 0
        && let Some(hint) = provider.none_exportable()
    {
        printer.note(hint);
    }
    Ok(Tally::default().close(&printer))
}
