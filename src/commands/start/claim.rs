//! Writing a start down before it is sent, so that of all who want the same export one sends it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::windows::age;
use super::{Search, Starter};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::journal::{Claim, Entry, Intent, Journal};
use crate::pace::limit;
use crate::provider::look_again;
use crate::secret::clean;
use crate::task::{State, Task};
use crate::text;

/// How long another process may take to start the same export, its pauses and its search for a lost reply among it.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(180);

/// A start that nobody else sends: it is written down, or there is no place for that. Made here alone.
pub(super) struct Attempt {
    pub(super) intent: Intent,
}

/// What came of the wish to send a start.
pub(super) enum Claimed {
    /// It is ours to send.
    Mine(Box<Attempt>),
    /// It was started already, by somebody else or where the cloud's list lacks it.
    Running(Box<Task>),
    /// Another of the same was left open: its outcome has to be looked up first.
    Left,
}

impl Starter<'_> {
    /// Step 4. Waits while another process starts the same.
    pub(super) async fn claim(&self, mut intent: Intent) -> Result<Claimed> {
        let Some(journal) = self.search.journal else {
            return Ok(Claimed::Mine(Box::new(Attempt { intent })));
        };
        let glance = self.search.windows.glance;
        let patience = Instant::now() + limit(PATIENCE_WITH_OTHERS);
        loop {
            self.go_on()?;
            let is_patient = Instant::now() < patience;
            match journal.claim(&intent, Timestamp::now()) {
                Ok(Claim::Mine(id)) => {
                    intent.id = Some(id);
                    return Ok(Claimed::Mine(Box::new(Attempt { intent })));
                }
                Ok(Claim::Running(known)) => match self.still_running(journal, &known).await? {
                    Some(task) => return Ok(Claimed::Running(Box::new(task))),
                    None => intent.known.push(known.task.id),
                },
                Ok(Claim::Left(_)) => return Ok(Claimed::Left),
                Ok(Claim::Taken) if is_patient => tokio::time::sleep(glance).await,
                Ok(Claim::Taken) => {
                    let sentence = format!(
                        "Another process has been starting the export of {} for minutes",
                        clean(&intent.request.snapshot)
                    );
                    return Err(Error::new(Kind::Conflict, sentence).hint(
                        "see whether it hangs; --new starts another export whatever it does",
                    ));
                }
                // Somebody writes at length. Without the claim the same export could be started twice.
                Err(error) if error.kind == Kind::Unavailable && is_patient => {
                    tokio::time::sleep(glance).await;
                }
                Err(error) if error.kind == Kind::Unavailable => {
                    return Err(error.context(format!(
                        "The export of {} was not sent: the journal is locked",
                        clean(&intent.request.snapshot)
                    )));
                }
                // Without a place to write, an export is still better than none; the id is on standard output.
                Err(error) => {
                    self.printer().warn(format!(
                        "{}; the export is started all the same, so note its id",
                        error.one_line()
                    ));
                    return Ok(Claimed::Mine(Box::new(Attempt { intent })));
                }
            }
        }
    }

    /// The task that this user has started and the cloud's list lacks, unless it has ended or is gone.
    async fn still_running(&self, journal: &Journal, known: &Entry) -> Result<Option<Task>> {
        let Search {
            provider, windows, ..
        } = self.search;
        let started_at = known.started_at.unwrap_or(Timestamp::MIN);
        // Looked at all the same, if a clock was set back since.
        let age = age(started_at, known.task.created_at, self.search.skew());
        if started_at <= Timestamp::now() && age < windows.visibility {
            return Ok(Some(known.task.clone()));
        }
        let asked = std::slice::from_ref(&known.task);
        // One that was seen under way is not gone at the first poll that lacks it.
        let is_running = matches!(known.task.state, State::Running | State::Stalled);
        let patience = Some(windows.visibility).filter(|_| is_running);
        let until = Instant::now() + patience.unwrap_or_default();
        let mut slots = look_again(provider, asked).await?;
        while matches!(&slots[..], [Err(error)] if error.kind == Kind::NotFound)
            && Instant::now() < until
        {
            tokio::time::sleep(windows.pause).await;
            slots = look_again(provider, asked).await?;
        }
        match slots.pop() {
            Some(Ok(mut task)) => {
                task.inherit(&known.task);
                let account = provider.account();
                if let Err(error) = journal.record_sight(&task, &account, Timestamp::now()) {
                    tracing::info!("{}", error.one_line());
                }
                Ok(Some(task).filter(|task| !task.is_settled()))
            }
            Some(Err(error)) if error.kind != Kind::NotFound => Err(error),
            // However late the cloud is: it has forgotten this one.
            _ if age >= windows.closing => Ok(None),
            _ => {
                let sentence = format!(
                    "The export of {} that was started at {} as {} is not known to the cloud yet",
                    clean(known.task.snapshot.as_deref().unwrap_or_default()),
                    text::moment(started_at, Timestamp::now()),
                    known.task.id
                );
                Err(Error::new(Kind::Conflict, sentence)
                    .hint(
                        Hint::say("wait for it: ")
                            .and_run(Command::from("snapexport wait").arg(&known.task.id)),
                    )
                    .hint("--new starts another export whatever became of it"))
            }
        }
    }
}
