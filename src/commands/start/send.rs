//! Sending a start: once, and again only where it was surely not executed.

use std::time::Duration;

use jiff::Timestamp;

use super::Starter;
use super::claim::Attempt;
use super::turns::is_throttled;
use crate::error::{Error, Kind, Result};
use crate::secret::clean;
use crate::task::{ExportRequest, Task};

/// Attempts of a start that was surely not executed. One that is throttled is repeated for longer (`turns`).
const ATTEMPTS: u32 = 3;
/// The pause before the second; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

impl Starter<'_> {
    /// Step 5. The task, or why there is none: kind `maybe_started` where nobody knows. `None`, if the claim is not ours any
    /// more: nothing is under way then.
    pub(super) async fn send(&self, attempt: &Attempt) -> Option<Result<Task>> {
        let request = &attempt.intent.request;
        let mut number = 1;
        while self.is_still_ours(attempt) {
            let error = match self.send_once(request).await {
                Ok(task) => {
                    self.turns.answered();
                    return Some(Ok(task));
                }
                Err(error) => error,
            };
            if is_throttled(&error) {
                if let Err(error) = self.await_turn(error).await {
                    return Some(Err(error));
                }
                continue;
            }
            if number == ATTEMPTS || !error.kind.is_transient() {
                return Some(Err(error));
            }
            let pause = FIRST_PAUSE * 2u32.pow(number - 1);
            tracing::info!("not started ({}), again in {pause:?}", error.one_line());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.wait() => return Some(Err(error)),
                () = self.turns.over() => return Some(Err(error)),
            }
            number += 1;
        }
        None
    }

    /// After a throttled start: waits until another may go out. The refusal, where a signal or the limit comes before.
    async fn await_turn(&self, error: Error) -> Result<()> {
        let refusal = error.clone();
        self.hold(error)?;
        tokio::select! {
            biased;
            () = self.signals.wait() => Err(refusal),
            turn = self.turns.take() => turn,
            () = self.turns.over() => Err(refusal),
        }
    }

    /// Whether nobody has taken the start over. Whoever finds it left has to look for what is sent now.
    fn is_still_ours(&self, attempt: &Attempt) -> bool {
        let Some(journal) = self.search.journal.filter(|_| attempt.intent.id.is_some()) else {
            return true;
        };
        journal
            .renew(&attempt.intent, Timestamp::now(), self.search.cloud_now())
            .unwrap_or_else(|error| {
                // What was claimed is sent even where the disk is full by now.
                tracing::info!("{}", error.one_line());
                true
            })
    }

    /// A request that has left cannot be taken back: a signal waits for its reply, and says so.
    async fn send_once(&self, request: &ExportRequest) -> Result<Task> {
        let reply = self.search.provider.start(request);
        tokio::pin!(reply);
        tokio::select! {
            reply = &mut reply => return reply,
            () = self.signals.wait() => {}
            () = self.turns.over_for_replies() => return Err(self.unanswered(request)),
        }
        self.printer().note(format!(
            "The start of {} is under way; waiting for its reply. Interrupt again to leave at once: the next export or status finds out what became of it",
            clean(&request.snapshot)
        ));
        tokio::select! {
            reply = &mut reply => reply,
            () = self.turns.over_for_replies() => Err(self.unanswered(request)),
        }
    }

    /// The limit has passed, and the start may have been executed.
    fn unanswered(&self, request: &ExportRequest) -> Error {
        let sentence = format!(
            "No answer to the start of {} within {}",
            clean(&request.snapshot),
            self.turns.words()
        );
        Error::new(Kind::MaybeStarted, sentence)
    }
}
