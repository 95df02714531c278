//! Waiting until the snapshots that are to be exported are made.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout_at;

use crate::deadline::Deadline;
use crate::error::{Error, Kind, Result};
use crate::provider::Provider;
use crate::report::Printer;
use crate::secret::clean;
use crate::task::{ExportRequest, Source};

/// Polls until none of them is still being made. One list serves all; what it does not show is for the start to judge.
pub(super) async fn wait(
    provider: &dyn Provider,
    requests: &[ExportRequest],
    pause: Duration,
    printer: &Printer,
) -> Result<()> {
    let mut told: Vec<String> = Vec::new();
    loop {
        let sources = match provider.exportable().await {
            Err(error) if error.kind.is_transient() => {
                tracing::info!("waiting for snapshots: {}", error.one_line());
                tokio::time::sleep(pause).await;
                continue;
            }
            sources => sources?,
        };
        let is_wanted = |source: &Source| requests.iter().any(|one| one.snapshot == source.id);
        let mut is_whole = true;
        let pending = sources.iter().filter(|source| source.state == "pending");
        for source in pending.filter(|source| is_wanted(source)) {
            is_whole = false;
            if !told.contains(&source.id) {
                told.push(source.id.clone());
                printer.note(format!(
                    "Waiting until {} is made (it is {})",
                    clean(&source.id),
                    clean(&source.provider_state)
                ));
            }
        }
        if is_whole {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
    }
}

/// The same, no longer than the command as a whole may take.
pub(super) async fn within<T>(
    deadline: Option<Deadline>,
    made: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(deadline) = deadline else {
        return made.await;
    };
    timeout_at(deadline.of_preparations(), made)
        .await
        .unwrap_or_else(|_| {
            let sentence = "Time ran out before everything was looked at; nothing was started";
            Err(Error::new(Kind::Timeout, sentence)
                .hint("run the same command again, with a longer --timeout"))
        })
}
