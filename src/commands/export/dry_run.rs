//! `export --dry-run`: looks at everything, sends nothing.

use super::failure;
use crate::commands::context::Context;
use crate::commands::start::{Exported, Search, snapshots_of};
use crate::commands::{Ending, Tally, near};
use crate::error::Result;
use crate::options::Output;
use crate::provider::{Provider, TaskFilter};
use crate::task::{ExportRequest, Task};

/// Prints the requests that would be sent, and why others would not.
pub(super) async fn run(
    context: &Context,
    provider: &dyn Provider,
    requests: &[ExportRequest],
    skips_exported: bool,
) -> Result<Ending> {
    let mut printer = context.printer(Output::Id);
    let requests = match skips_exported {
        true => not_exported(context, provider, requests).await?,
        false => requests.to_vec(),
    };
    let mut tally = Tally::default();
    let mut has_shown = false;
    let mut said = Vec::new();
    let sources = near::Sources::of(provider);
    let slots = match provider.preflight(&requests).await {
        Ok(slots) => slots,
        Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
    };
    for (request, slot) in requests.iter().zip(slots) {
        match slot {
            Ok(warnings) => {
                for warning in warnings {
                    if !said.contains(&warning) {
                        printer.warn(&warning);
                        said.push(warning);
                    }
                }
                printer.preview(&provider.preview(request));
                has_shown = true;
            }
            Err(error) => {
                let error = sources.hint(&request.snapshot, error).await;
                let (item, error) = failure(provider, request, error);
                printer.failed_item(item);
                printer.error(&error);
                tally.add(error);
            }
        }
    }
    if has_shown {
        printer.note("Checked; nothing was started.");
    }
    Ok(tally.close(&printer))
}

/// Those that were not exported before; the others are said.
async fn not_exported(
    context: &Context,
    provider: &dyn Provider,
    requests: &[ExportRequest],
) -> Result<Vec<ExportRequest>> {
    let filter = TaskFilter {
        snapshots: snapshots_of(requests),
        since: None,
        with_completed: true,
    };
    let listed: Vec<Task> = provider.tasks(&filter).await?;
    let journal = context.existing_journal();
    let search = Search::new(context, provider, journal.as_ref());
    let exported = Exported::to_leave_out(&search, requests, &listed).await;
    let printer = context.printer(Output::Id);
    let mut wanted = requests.to_vec();
    wanted.retain(|request| match exported.sentence(request, &listed) {
        Some(sentence) => {
            printer.note(format!("{sentence}; left out"));
            false
        }
        None => true,
    });
    Ok(wanted)
}
