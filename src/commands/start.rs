//! Starting an export exactly once: intent first, one attempt, then looking instead of sending again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::signals::Signals;
use crate::cli::Output;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::{Claim, Intent, Journal, Settled};
use crate::provider::{self, Provider, TaskFilter};
use crate::report::Printer;
use crate::secret::clean;
use crate::task::{ExportRequest, State, Task};

/// Attempts of a start that was surely not executed.
const ATTEMPTS: u32 = 3;
/// The longest pause before such an attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Looks for a task whose start may have been lost, spread over the provider's visibility delay.
const SEARCHES: u32 = 6;
/// How long another process may take to start the same export.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(180);
/// How far the cloud's clock may be from ours.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);
/// How often to see whether it has.
const GLANCE: Duration = Duration::from_millis(200);

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
        let mut intent = self.intent(request);
        if let Some(journal) = self.journal.filter(|_| !self.is_new) {
            let is_same = |left: &&Intent| is_of(left, self.provider) && left.request == *request;
            if let Some(left) = journal.intents().unwrap_or_default().iter().find(is_same)
                && let Some(task) = self.take_left(journal, left).await?
            {
                return Ok(self.adopted(task, request));
            }
        }
        let before = same(self.provider, request, None).await?;
        // Where no setting names it, the first answer does.
        intent.region = self.provider.region().to_owned();
        if !self.is_new
            && let Some(running) = before.iter().find(|task| !task.is_settled())
        {
            let task = self.adopted(running.clone(), request);
            self.remember(&task);
            return Ok(task);
        }
        intent.known = before.into_iter().map(|task| task.id).collect();
        self.go_on()?;
        for warning in self.provider.preflight(request).await? {
            self.printer().warn(&warning);
        }
        if let Some(task) = self.claim(&mut intent).await? {
            return Ok(self.adopted(task, request));
        }
        let sent = match self.send(&intent).await {
            Err(error) if error.kind == Kind::MaybeStarted => {
                self.search_or_doubt(&intent, error).await
            }
            other => other,
        };
        match sent {
            Ok(task) => {
                let task = complete(task, request, Some(intent.made_at));
                self.settle(&intent, &Settled::Started(&task));
                Ok(task)
            }
            Err(error) => {
                let is_unknown = error.kind == Kind::MaybeStarted;
                self.settle(
                    &intent,
                    if is_unknown {
                        &Settled::Unknown
                    } else {
                        &Settled::NotExecuted
                    },
                );
                Err(error)
            }
        }
    }

    /// The task that an earlier, unfinished start of the same export has become. One that failed since is no reason not to start.
    async fn take_left(&self, journal: &Journal, left: &Intent) -> Result<Option<Task>> {
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
            Found::Task(_) | Found::Nothing => Ok(None),
            Found::Later | Found::Elsewhere => {
                tokio::time::sleep(GLANCE).await;
                Ok(None)
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

    fn intent(&self, request: &ExportRequest) -> Intent {
        let made_at = Timestamp::now();
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
            known: Vec::new(),
            made_at,
        }
    }

    /// Writes the intent down. A task: somebody else has started the same, or did before a crash.
    async fn claim(&self, intent: &mut Intent) -> Result<Option<Task>> {
        let Some(journal) = self.journal else {
            return Ok(None);
        };
        let patience = tokio::time::Instant::now() + PATIENCE_WITH_OTHERS;
        loop {
            self.go_on()?;
            let since = intent
                .made_at
                .checked_sub(visibility(self.context, self.provider))
                .unwrap_or(intent.made_at);
            match journal.claim(intent, since, Timestamp::now()) {
                Ok(Claim::Mine(id)) => {
                    intent.id = id;
                    return Ok(None);
                }
                Ok(Claim::Running(task)) => return Ok(Some(*task)),
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

    /// One attempt; another only after one that was surely not executed.
    async fn send(&self, intent: &Intent) -> Result<Task> {
        let mut attempt = 1;
        loop {
            let error = match self.provider.start(&intent.request).await {
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
    async fn search_or_doubt(&self, intent: &Intent, error: Error) -> Result<Task> {
        let pause = visibility(self.context, self.provider) / SEARCHES;
        for _ in 0..=SEARCHES {
            match find(self.provider, intent).await {
                Ok(Some(task)) => return Ok(task),
                Ok(None) => {}
                Err(error) => tracing::info!("looking for the task: {}", error.one_line()),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.wait() => break,
            }
        }
        let snapshot = clean(&intent.request.snapshot);
        Err(error
            .context(format!(
                "Whether the export of {snapshot} was started is not known"
            ))
            .hint("it was not sent again; see what the cloud has with: snapexport status --remote")
            .hint("the same export command looks for it first, and adopts it if it is there"))
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

/// Fills in what the provider leaves out of its answer to a start, or to a look at what we started at `started_at`.
fn complete(mut task: Task, request: &ExportRequest, started_at: Option<Timestamp>) -> Task {
    task.snapshot
        .get_or_insert_with(|| request.snapshot.clone());
    task.target.get_or_insert_with(|| request.target.clone());
    // Our own clock stands in for the provider's; a fraction of a second would claim more than it knows.
    let ours = started_at.and_then(|at| Timestamp::from_second(at.as_second()).ok());
    task.created_at = task.created_at.or(ours);
    task
}

/// The cloud's exports of the same snapshot to the same place, of those begun `since` where the cloud says when.
async fn same(
    provider: &dyn Provider,
    request: &ExportRequest,
    since: Option<Timestamp>,
) -> Result<Vec<Task>> {
    let filter = TaskFilter {
        snapshot: Some(request.snapshot.clone()),
        since,
    };
    let tasks = provider.tasks(&filter).await?;
    Ok(tasks
        .into_iter()
        .filter(|task| {
            task.target
                .as_ref()
                .is_some_and(|target| target.is_same_place(&request.target))
        })
        .collect())
}

/// The task an intent has become, if the cloud has it: one that was not there before, and did not begin before either.
///
/// An id alone does not tell: a cloud may show an old export under another id once it has forgotten part of it.
async fn find(provider: &dyn Provider, intent: &Intent) -> Result<Option<Task>> {
    let since = intent
        .made_at
        .checked_sub(CLOCK_MARGIN)
        .unwrap_or(intent.made_at);
    let is_ours = |task: &Task| {
        !intent.known.contains(&task.id) && task.created_at.is_none_or(|created| created >= since)
    };
    Ok(same(provider, &intent.request, Some(since))
        .await?
        .into_iter()
        .find(is_ours))
}

/// Whether to wait until the provider would list a task before its absence says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Wait; afterwards it is known.
    Wait,
    /// Look once; what cannot be known yet stays open.
    Look,
}

/// Looks up what became of starts that a dead process or a lost reply left open, on this account, but for `except`.
pub async fn settle_left(
    context: &Context,
    journal: &Journal,
    provider: &dyn Provider,
    except: &[ExportRequest],
) {
    let left = match journal.intents() {
        Ok(left) => left,
        Err(error) => return tracing::info!("{}", error.one_line()),
    };
    let printer = context.printer(Output::Id);
    for intent in left
        .iter()
        .filter(|intent| is_of(intent, provider) && !except.contains(&intent.request))
    {
        let subject = format!(
            "The export of {} begun at {}",
            clean(&intent.request.snapshot),
            intent.made_at.strftime("%H:%M UTC")
        );
        match settle_one(context, journal, provider, intent, Patience::Look, None).await {
            Ok(Found::Task(task)) => {
                printer.note(&format!(
                    "{subject} was started, although no reply came: {} ({})",
                    task.id, task.state
                ));
            }
            Ok(Found::Nothing) => printer.note(&format!(
                "{subject} was never started: the cloud does not have it"
            )),
            Ok(Found::Later) => {
                printer.note(&format!("{subject}: whether it was started is not known yet; look again in half a minute"));
            }
            Ok(Found::Elsewhere) => {}
            Err(error) => printer.note(&format!(
                "{subject}: whether it was started is still not known: {}",
                error.one_line()
            )),
        }
    }
}

/// The same on every account that has any; for `status`.
pub async fn settle_everywhere(context: &Context, journal: &Journal) {
    let left = match journal.intents() {
        Ok(left) => left,
        Err(error) => return tracing::info!("{}", error.one_line()),
    };
    let mut accounts: Vec<&Intent> = Vec::new();
    for intent in &left {
        let is_same = |other: &&Intent| {
            other.provider == intent.provider
                && other.profile == intent.profile
                && other.region == intent.region
        };
        if !accounts.iter().any(is_same) {
            accounts.push(intent);
        }
    }
    for intent in accounts {
        let Ok(entry) = provider::by_name(intent.provider.0) else {
            continue;
        };
        match context
            .connect(entry, intent.profile.as_deref(), Some(&intent.region))
            .await
        {
            Ok(provider) => settle_left(context, journal, provider.as_ref(), &[]).await,
            Err(error) => context.printer(Output::Id).note(&format!(
                "Whether the export of {} was started is not known: {}",
                clean(&intent.request.snapshot),
                error.one_line()
            )),
        }
    }
}

fn is_of(intent: &Intent, provider: &dyn Provider) -> bool {
    intent.provider == provider.id()
        && intent.account == provider.account()
        && intent.region == provider.region()
}

/// What became of a start that was left open.
enum Found {
    Task(Box<Task>),
    Nothing,
    Later,
    /// Another process is looking.
    Elsewhere,
}

async fn settle_one(
    context: &Context,
    journal: &Journal,
    provider: &dyn Provider,
    intent: &Intent,
    patience: Patience,
    signals: Option<&Signals>,
) -> Result<Found> {
    // A journal that cannot be written must not keep anybody from looking.
    if let Ok(false) = journal.take_over(intent) {
        return Ok(Found::Elsewhere);
    }
    let visibility = visibility(context, provider);
    // Never longer than that from now on, should the clock have been set back since.
    let sent_at = intent.made_at.min(Timestamp::now());
    let visible_at = sent_at.checked_add(visibility).unwrap_or(sent_at);
    let pause = visibility / SEARCHES;
    let result = loop {
        match find(provider, intent).await {
            Ok(Some(task)) => {
                break Ok(Found::Task(Box::new(complete(
                    task,
                    &intent.request,
                    Some(intent.made_at),
                ))));
            }
            // Not listed although it would be by now: it was never executed.
            Ok(None) if Timestamp::now() >= visible_at => break Ok(Found::Nothing),
            Ok(None) if patience == Patience::Look => break Ok(Found::Later),
            Ok(None) => tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = interrupted(signals) => break Ok(Found::Later),
            },
            Err(error) => break Err(error),
        }
    };
    let settled = match &result {
        Ok(Found::Task(task)) => Settled::Started(task),
        Ok(Found::Nothing) => Settled::NotExecuted,
        _ => Settled::Unknown,
    };
    if let Err(error) = journal.settle(intent, &settled, Timestamp::now()) {
        tracing::info!("{}", error.one_line());
    }
    result
}

/// Resolves when a signal has come; never where nobody listens for one.
async fn interrupted(signals: Option<&Signals>) {
    match signals {
        Some(signals) => signals.wait().await,
        None => std::future::pending().await,
    }
}

/// How long a task may be missing from the provider's lists.
fn visibility(context: &Context, provider: &dyn Provider) -> Duration {
    context
        .visibility
        .unwrap_or_else(|| provider.capabilities().visibility)
}
