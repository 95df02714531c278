//! Starting an export exactly once: intent first, one attempt, then looking instead of sending again.

mod earlier;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::settle::{SEARCHES, closes_at, complete, find, same, visibility};
use super::signals::Signals;
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::{Intent, Journal, Settled};
use crate::options::Output;
use crate::provider::Provider;
use crate::report::Printer;
use crate::secret::clean;
use crate::task::{ExportRequest, Task, TaskId};

/// Attempts of a start that was surely not executed.
const ATTEMPTS: u32 = 3;
/// The longest pause before such an attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What became of one start.
pub enum Started {
    /// There is a task: new, or adopted.
    Task(Box<Task>),
    /// There is none, or nobody knows (kind `maybe_started`).
    Failed(Error),
    /// Credentials were refused before, or a signal came.
    NotSent,
}

/// Starts exports on one account.
pub struct Starter<'a> {
    context: &'a Context,
    provider: &'a dyn Provider,
    journal: Option<&'a Journal>,
    signals: &'a Signals,
    is_new: bool,
    is_refused: AtomicBool,
}

impl<'a> Starter<'a> {
    /// `is_new`: start another although an identical export is under way.
    pub fn new(
        context: &'a Context,
        provider: &'a dyn Provider,
        journal: Option<&'a Journal>,
        signals: &'a Signals,
        is_new: bool,
    ) -> Self {
        let is_refused = AtomicBool::new(false);
        Starter {
            context,
            provider,
            journal,
            signals,
            is_new,
            is_refused,
        }
    }

    /// Starts an export, or adopts the identical one that is under way.
    pub async fn start(&self, request: &ExportRequest) -> Started {
        if self.is_refused.load(Ordering::Relaxed) || self.signals.received().is_some() {
            return Started::NotSent;
        }
        match self.start_or_adopt(request).await {
            Ok(task) => Started::Task(Box::new(task)),
            Err(error) if error.kind == Kind::Interrupted => Started::NotSent,
            Err(error) => {
                if error.kind == Kind::Credentials {
                    self.is_refused.store(true, Ordering::Relaxed);
                }
                Started::Failed(error)
            }
        }
    }

    /// Looks before it leaps: what is under way is not doubled, what cannot succeed is not sent.
    async fn start_or_adopt(&self, request: &ExportRequest) -> Result<Task> {
        let mut before = same(self.provider, request, None).await?;
        if let Some(journal) = self.journal.filter(|_| !self.is_new) {
            let left = self.left(journal, request)?;
            for left in &left {
                if let Some(task) = self.take_left(journal, left).await? {
                    return Ok(self.adopted(task, request));
                }
            }
            if !left.is_empty() {
                before = same(self.provider, request, None).await?;
            }
        }
        if !self.is_new
            && let Some(running) = before.iter().find(|task| !task.is_settled())
        {
            let task = self.adopted(running.clone(), request);
            self.remember(&task);
            return Ok(task);
        }
        let mut intent = self.intent(request, before.into_iter().map(|task| task.id).collect());
        self.go_on()?;
        for warning in self.provider.preflight(request).await? {
            self.printer().warn(&warning);
        }
        if let Some(task) = self.claim(&mut intent).await? {
            return Ok(self.adopted(task, request));
        }
        match self.send(&intent).await {
            Ok(task) => {
                let task = complete(task, request, Some(intent.made_at));
                self.settle(&intent, &Settled::Started(&task));
                Ok(task)
            }
            Err(error) if error.kind == Kind::MaybeStarted => {
                if let Some(task) = self.search(&intent).await {
                    return Ok(task);
                }
                self.settle(&intent, &Settled::Unknown);
                Err(self.doubt(error, &intent))
            }
            Err(error) => {
                self.settle(&intent, &Settled::NotExecuted);
                Err(error)
            }
        }
    }

    /// Stops before the next request once the account's credentials were refused, or a signal came.
    fn go_on(&self) -> Result<()> {
        if self.is_refused.load(Ordering::Relaxed) || self.signals.received().is_some() {
            return Err(Error::new(
                Kind::Interrupted,
                "Stopped before anything was sent",
            ));
        }
        Ok(())
    }

    fn intent(&self, request: &ExportRequest, known: Vec<TaskId>) -> Intent {
        let made_at = Timestamp::now();
        let skew = self.context.http.contact().and_then(|contact| contact.skew);
        Intent {
            id: 0,
            provider: self.provider.id(),
            account: self.provider.account(),
            region: self.provider.region().to_owned(),
            profile: self.context.profile().map(str::to_owned),
            request: request.clone(),
            twin: if self.is_new {
                format!("{}-{}", std::process::id(), made_at.as_nanosecond())
            } else {
                String::new()
            },
            known,
            made_at,
            cloud_at: made_at
                .checked_sub(skew.unwrap_or_default())
                .unwrap_or(made_at),
        }
    }

    /// One attempt; another only after one that was surely not executed.
    async fn send(&self, intent: &Intent) -> Result<Task> {
        let mut attempt = 1;
        loop {
            let error = match self.start_to_its_reply(intent).await {
                Ok(task) => return Ok(task),
                Err(error) => error,
            };
            let pause = error
                .details
                .retry_after
                .unwrap_or(Duration::from_secs(1) * 2u32.pow(attempt - 1));
            if attempt == ATTEMPTS || !error.kind.is_transient() || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::info!("not started ({}), again in {pause:?}", error.one_line());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.wait() => return Err(error),
            }
            attempt += 1;
            self.renew(intent);
        }
    }

    /// A request that has left cannot be taken back: a signal waits for its reply, and says so.
    async fn start_to_its_reply(&self, intent: &Intent) -> Result<Task> {
        let reply = self.provider.start(&intent.request);
        tokio::pin!(reply);
        tokio::select! {
            reply = &mut reply => return reply,
            () = self.signals.wait() => {}
        }
        self.printer().note(&format!(
            "The start of {} is under way; waiting for its reply. Interrupt again to leave at once: the next export or status finds out what became of it",
            clean(&intent.request.snapshot)
        ));
        reply.await
    }

    /// Whoever finds the intent has to look for what is sent now, not for what was sent before the pause.
    fn renew(&self, intent: &Intent) {
        let renewed = self
            .journal
            .map(|journal| journal.renew(intent, Timestamp::now()));
        if let Some(Err(error)) = renewed {
            tracing::info!("{}", error.one_line());
        }
    }

    /// After a lost reply: the task that was not there before is ours. Never sends again.
    async fn search(&self, intent: &Intent) -> Option<Task> {
        let pause = visibility(self.context, self.provider) / SEARCHES;
        for _ in 0..=SEARCHES {
            match find(self.provider, self.journal, intent).await {
                Ok(Some(task)) => return Some(task),
                Ok(None) => {}
                Err(error) => tracing::info!("looking for the task: {}", error.one_line()),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.wait() => break,
            }
        }
        None
    }

    /// Nobody knows, and what to do about that.
    fn doubt(&self, error: Error, intent: &Intent) -> Error {
        // Without a row nothing was written down.
        let next = match self.journal.filter(|_| intent.id != 0) {
            Some(_) => format!(
                "the same export command adopts it as soon as it is listed, and starts it if it is not by {}; --new starts another at once",
                closes_at(self.context, self.provider, intent).strftime("%H:%M:%S UTC")
            ),
            None => "without a journal nothing remembers this: look before the same export is started again".to_owned(),
        };
        error
            .context(format!(
                "Whether the export of {} was started is not known",
                clean(&intent.request.snapshot)
            ))
            .hint("it was not sent again; see what the cloud has with: snapexport status --remote")
            .hint(next)
    }

    fn adopted(&self, mut task: Task, request: &ExportRequest) -> Task {
        task.adopted = true;
        complete(task, request, None)
    }

    /// Keeps an adopted task. One that this user has started before keeps its start.
    fn remember(&self, task: &Task) {
        let Some(journal) = self.journal else { return };
        let known = journal
            .find(task.id.as_str(), Some(task.provider.0))
            .unwrap_or_default();
        let mut kept = task.clone();
        if let Some(known) = known.iter().find(|known| known.started_at.is_some()) {
            kept.adopted = known.task.adopted;
            kept.created_at = kept.created_at.or(known.task.created_at);
        }
        let account = self.provider.account();
        self.told(
            task,
            journal.record_start(&kept, self.context.profile(), &account, Timestamp::now()),
        );
    }

    fn settle(&self, intent: &Intent, settled: &Settled<'_>) {
        let Some(journal) = self.journal else { return };
        let result = journal.settle(intent, settled, Timestamp::now());
        match settled {
            Settled::Started(task) => self.told(task, result),
            // It stays for the next command to look at, which is safe.
            _ => drop(result),
        }
    }

    /// A task that could not be remembered must at least be said.
    fn told(&self, task: &Task, result: Result<()>) {
        if let Err(error) = result {
            self.printer()
                .warn(&format!("{}; note the id {}", error.one_line(), task.id));
        }
    }

    fn printer(&self) -> Printer {
        self.context.printer(Output::Id)
    }
}
