//! What earlier starts of the same export have become, by this user or another process: adopted rather than doubled.

use std::time::Duration;

use jiff::Timestamp;

use super::Starter;
use crate::commands::settle::{CLOSING, Found, GLANCE, Patience, settle_one, visibility};
use crate::error::{Error, Kind, Result};
use crate::journal::{Claim, Entry, Intent, Journal};
use crate::secret::clean;
use crate::task::{ExportRequest, State, Task};

/// How long another process may take to start the same export.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(180);

impl Starter<'_> {
    /// Starts of the same export whose outcome is not known, whatever credentials they were sent with: keys change.
    pub(super) fn left(&self, journal: &Journal, request: &ExportRequest) -> Result<Vec<Intent>> {
        let mut left = journal.intents()?;
        left.retain(|left| {
            left.provider == self.provider.id()
                && left.region == self.provider.region()
                && left.request == *request
        });
        Ok(left)
    }

    /// The task that an earlier, unfinished start of the same export has become. One that failed since is no reason not to start.
    pub(super) async fn take_left(&self, journal: &Journal, left: &Intent) -> Result<Option<Task>> {
        match settle_one(
            self.context,
            journal,
            self.provider,
            left,
            Patience::Wait,
            Some(self.signals),
        )
        .await?
        {
            Found::Task(task) if !matches!(task.state, State::Failed | State::Cancelled) => {
                Ok(Some(*task))
            }
            Found::Task(task) => {
                self.printer().note(&format!(
                    "The export of {} begun at {} became {} and is {}; starting another",
                    clean(&left.request.snapshot),
                    left.made_at.strftime("%H:%M UTC"),
                    task.id,
                    task.state
                ));
                Ok(None)
            }
            Found::Nothing => Ok(None),
            Found::Later => {
                self.go_on()?;
                let cause = format!(
                    "it was begun at {}, and the cloud does not list it so far",
                    left.made_at.strftime("%H:%M:%S UTC")
                );
                Err(self.doubt(Error::new(Kind::MaybeStarted, cause), left))
            }
            Found::Elsewhere => {
                tokio::time::sleep(GLANCE).await;
                Ok(None)
            }
        }
    }

    /// Writes the intent down. A task: somebody else has started the same, or did before a crash.
    pub(super) async fn claim(&self, intent: &mut Intent) -> Result<Option<Task>> {
        let Some(journal) = self.journal else {
            return Ok(None);
        };
        let patience = tokio::time::Instant::now() + PATIENCE_WITH_OTHERS;
        loop {
            self.go_on()?;
            match journal.claim(intent, Timestamp::now()) {
                Ok(Claim::Mine(id)) => {
                    intent.id = id;
                    return Ok(None);
                }
                Ok(Claim::Running(known)) => {
                    if let Some(task) = self.still_running(journal, &known).await? {
                        return Ok(Some(task));
                    }
                    intent.known.push(known.task.id);
                }
                Ok(Claim::Left(left)) => {
                    if let Some(task) = self.take_left(journal, &left).await? {
                        return Ok(Some(task));
                    }
                }
                Ok(Claim::Taken) if tokio::time::Instant::now() < patience => {
                    tokio::time::sleep(GLANCE).await
                }
                Ok(Claim::Taken) => {
                    return Err(Error::new(
                        Kind::Conflict,
                        format!(
                            "Another process has been starting the export of {} for minutes",
                            clean(&intent.request.snapshot)
                        ),
                    )
                    .hint("see whether it hangs; --new starts another export whatever it does"));
                }
                // Somebody writes at length. Without the claim the same export could be started twice.
                Err(error)
                    if error.kind == Kind::Unavailable
                        && tokio::time::Instant::now() < patience =>
                {
                    tokio::time::sleep(GLANCE).await;
                }
                Err(error) if error.kind == Kind::Unavailable => {
                    return Err(error.context(format!(
                        "The export of {} was not sent: the journal is locked",
                        clean(&intent.request.snapshot)
                    )));
                }
                // Without a place to write, an export is still better than none; the id is on standard output.
                Err(error) => {
                    self.printer().warn(&format!(
                        "{}; the export is started all the same, so note its id",
                        error.one_line()
                    ));
                    return Ok(None);
                }
            }
        }
    }

    /// The task that this user has started and the cloud's list lacks, unless it has ended or is gone.
    pub(super) async fn still_running(
        &self,
        journal: &Journal,
        known: &Entry,
    ) -> Result<Option<Task>> {
        let visibility = visibility(self.context, self.provider);
        let started_at = known.started_at.unwrap_or(Timestamp::MIN);
        let age = Duration::try_from(Timestamp::now().duration_since(started_at));
        if age.as_ref().is_ok_and(|age| *age < visibility) {
            return Ok(Some(known.task.clone()));
        }
        let slots = self
            .provider
            .look_again(std::slice::from_ref(&known.task))
            .await?;
        match slots.into_iter().next() {
            Some(Ok(mut task)) => {
                task.inherit(&known.task);
                let account = self.provider.account();
                if let Err(error) = journal.record_sight(&task, &account, Timestamp::now()) {
                    tracing::info!("{}", error.one_line());
                }
                Ok(Some(task).filter(|task| !task.is_settled()))
            }
            Some(Err(error)) if error.kind != Kind::NotFound => Err(error),
            // However late the cloud is: it has forgotten this one.
            _ if age.is_ok_and(|age| age >= visibility * CLOSING) => Ok(None),
            _ => Err(Error::new(
                Kind::Conflict,
                format!(
                    "The export of {} that was started at {} as {} is not known to the cloud yet",
                    clean(known.task.snapshot.as_deref().unwrap_or_default()),
                    started_at.strftime("%H:%M:%S UTC"),
                    known.task.id
                ),
            )
            .hint(format!("wait for it: snapexport wait {}", known.task.id))
            .hint("--new starts another export whatever became of it")),
        }
    }
}
