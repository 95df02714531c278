//! Sending a start: once, and again only where it was surely not executed.

use std::time::Duration;

use jiff::Timestamp;

use super::Starter;
use super::claim::Attempt;
use crate::error::Result;
use crate::secret::clean;
use crate::task::{ExportRequest, Task};

/// Attempts of a start that was surely not executed.
const ATTEMPTS: u32 = 3;
/// The pause before the second; it doubles, where the cloud asks for no other.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause before such an attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Starter<'_> {
    /// Step 5. The task, or why there is none: kind `maybe_started` where nobody knows.
    pub(super) async fn send(&self, attempt: &Attempt) -> Result<Task> {
        let request = &attempt.intent.request;
        let mut number = 1;
        loop {
            let error = match self.send_once(request).await {
                Ok(task) => return Ok(task),
                Err(error) => error,
            };
            let pause = error
                .details
                .retry_after
                .unwrap_or(FIRST_PAUSE * 2u32.pow(number - 1));
            if number == ATTEMPTS || !error.kind.is_transient() || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::info!("not started ({}), again in {pause:?}", error.one_line());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.wait() => return Err(error),
            }
            number += 1;
            // Whoever finds the intent has to look for what is sent now, not for what was sent before the pause.
            if let Some(journal) = self.search.journal
                && let Err(error) = journal.renew(&attempt.intent, Timestamp::now())
            {
                tracing::info!("{}", error.one_line());
            }
        }
    }

    /// A request that has left cannot be taken back: a signal waits for its reply, and says so.
    async fn send_once(&self, request: &ExportRequest) -> Result<Task> {
        let reply = self.search.provider.start(request);
        tokio::pin!(reply);
        tokio::select! {
            reply = &mut reply => return reply,
            () = self.signals.wait() => {}
        }
        self.printer().note(format!(
            "The start of {} is under way; waiting for its reply. Interrupt again to leave at once: the next export or status finds out what became of it",
            clean(&request.snapshot)
        ));
        reply.await
    }
}
