//! Waiting until the snapshots that are to be exported are made.

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use tokio::time::timeout_at;

use crate::deadline::Deadline;
use crate::error::{Error, Kind, Reason, Result};
use crate::provider::Provider;
use crate::report::Printer;
use crate::secret::clean;
use crate::task::{ExportRequest, Source};
use crate::text;

/// Waits until none of them is still being made, no longer than the command as a whole may take.
pub(super) async fn wait(
    provider: &dyn Provider,
    requests: &[ExportRequest],
    pause: Duration,
    printer: &Printer,
    deadline: Option<Deadline>,
) -> Result<()> {
    let unanswered = RefCell::new(Some("no list of what can be exported has come".to_owned()));
    let ready = until_ready(provider, requests, pause, printer, &unanswered);
    within(deadline, ready).await.map_err(|mut error| {
        if error.kind != Kind::Timeout {
            return error;
        }
        let what = match requests {
            [one] => clean(&one.snapshot),
            all => text::count(all.len(), "snapshot"),
        };
        error.message =
            format!("Time ran out before {what} could be exported; nothing was started");
        unanswered.take().into_iter().fold(error, Error::cause)
    })
}

/// Polls. One list serves all; what it does not show is for the start to judge.
async fn until_ready(
    provider: &dyn Provider,
    requests: &[ExportRequest],
    pause: Duration,
    printer: &Printer,
    unanswered: &RefCell<Option<String>>,
) -> Result<()> {
    let mut told: Vec<String> = Vec::new();
    loop {
        let sources = match provider.exportable().await {
            Err(error) if error.kind.is_transient() => {
                tracing::info!("waiting for snapshots: {}", error.one_line());
                unanswered.replace(Some(error.one_line()));
                tokio::time::sleep(pause).await;
                continue;
            }
            sources => sources?,
        };
        unanswered.take();
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
                .because(Reason::NothingStarted)
                .hint("run the same command again, with a longer --timeout"))
        })
}
