//! What became of starts whose outcome is not known: the cloud is looked at, nothing is sent again.

use std::time::Duration;

use jiff::Timestamp;

use super::signals::Signals;
use crate::commands::context::Context;
use crate::error::Result;
use crate::journal::{Intent, Journal, Settled};
use crate::options::Output;
use crate::provider::{self, Entry, Provider, TaskFilter};
use crate::secret::clean;
use crate::task::{ExportRequest, Task};

/// Looks for a task whose start may have been lost, spread over the provider's visibility delay.
pub(super) const SEARCHES: u32 = 6;
/// A lost start that the cloud does not list is given up after this many times the visibility delay, which no cloud promises.
pub(super) const CLOSING: u32 = 10;
/// How far the cloud's clock may be from ours.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);
/// How often to see whether it has.
pub(super) const GLANCE: Duration = Duration::from_millis(200);

/// Fills in what the provider leaves out of its answer to a start, or to a look at what we started at `started_at`.
pub(super) fn complete(
    mut task: Task,
    request: &ExportRequest,
    started_at: Option<Timestamp>,
) -> Task {
    task.snapshot
        .get_or_insert_with(|| request.snapshot.clone());
    task.target.get_or_insert_with(|| request.target.clone());
    // Our own clock stands in for the provider's; a fraction of a second would claim more than it knows.
    let ours = started_at.and_then(|at| Timestamp::from_second(at.as_second()).ok());
    task.created_at = task.created_at.or(ours);
    task
}

/// The cloud's exports of the same snapshot to the same place, of those begun `since` where the cloud says when.
pub(super) async fn same(
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

/// The task an intent has become, if the cloud has it: one that was not there before, did not begin before either, and
/// is no other start's. It takes the intent's place in the journal.
///
/// An id alone does not tell: a cloud may show an old export under another id once it has forgotten part of it.
pub(super) async fn find(
    provider: &dyn Provider,
    journal: Option<&Journal>,
    intent: &Intent,
) -> Result<Option<Task>> {
    let since = intent
        .cloud_at
        .checked_sub(CLOCK_MARGIN)
        .unwrap_or(intent.cloud_at);
    let is_new = |task: &Task| {
        !intent.known.contains(&task.id) && task.created_at.is_none_or(|created| created >= since)
    };
    let found: Vec<Task> = same(provider, &intent.request, Some(since))
        .await?
        .into_iter()
        .filter(is_new)
        .map(|task| complete(task, &intent.request, Some(intent.made_at)))
        .collect();
    let Some(journal) = journal else {
        return Ok(found.into_iter().next());
    };
    // A journal that cannot be used must not keep anybody from what the cloud has.
    let free: Vec<Task> = found
        .into_iter()
        .filter(|task| !journal.is_started(task).unwrap_or(false))
        .collect();
    // While several starts are open and there are fewer tasks, nobody can tell whose they are.
    if free.len() < journal.open_alike(intent).unwrap_or(0) {
        return Ok(None);
    }
    let now = Timestamp::now();
    Ok(free
        .into_iter()
        .find(|task| journal.settle_found(intent, task, now).unwrap_or(true)))
}

/// How long to look for a task that the provider does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Until the provider usually lists one.
    Wait,
    /// Once.
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
                "{subject} was never started: the cloud does not list it"
            )),
            Ok(Found::Later) => printer.note(&format!(
                "{subject}: whether it was started is not known; if the cloud does not list it by {}, it was not",
                closes_at(context, provider, intent).strftime("%H:%M:%S UTC")
            )),
            Ok(Found::Elsewhere) => {}
            Err(error) => printer.note(&format!(
                "{subject}: whether it was started is still not known: {}",
                error.one_line()
            )),
        }
    }
}

/// The same on every account that has any, of the clouds that are wanted; for `status`.
pub async fn settle_everywhere(
    context: &Context,
    journal: &Journal,
    is_wanted: impl Fn(&Entry) -> bool,
) {
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
        if !is_wanted(entry) {
            continue;
        }
        match context
            .connect(entry, intent.profile.as_deref(), Some(&intent.region))
            .await
        {
            Ok(provider) => {
                settle_left(context, journal, provider.as_ref(), &[]).await;
                name_foreign(context, provider.as_ref(), &left);
            }
            Err(error) => context.printer(Output::Id).note(&format!(
                "Whether the export of {} was started is not known: {}",
                clean(&intent.request.snapshot),
                error.one_line()
            )),
        }
    }
}

/// Names the starts that only the credentials they were sent with can look up.
fn name_foreign(context: &Context, provider: &dyn Provider, left: &[Intent]) {
    let is_foreign = |intent: &&Intent| {
        intent.provider == provider.id()
            && intent.region == provider.region()
            && intent.account != provider.account()
    };
    for intent in left.iter().filter(is_foreign) {
        context.printer(Output::Id).note(&format!(
            "Whether the export of {} begun at {} was started is not known: it was begun as {}, and these credentials are {}",
            clean(&intent.request.snapshot),
            intent.made_at.strftime("%H:%M UTC"),
            clean(&intent.account),
            clean(&provider.account())
        ));
    }
}

pub(super) fn is_of(intent: &Intent, provider: &dyn Provider) -> bool {
    intent.provider == provider.id()
        && intent.account == provider.account()
        && intent.region == provider.region()
}

/// What became of a start that was left open.
pub(super) enum Found {
    Task(Box<Task>),
    /// It was never executed: it would be listed by now, however late.
    Nothing,
    /// The cloud does not list it, and still may.
    Later,
    /// Another process is looking.
    Elsewhere,
}

pub(super) async fn settle_one(
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
    let mut intent = intent.clone();
    if intent.made_at > Timestamp::now() {
        // The clock was set back since: the delay counts from now, once.
        intent.made_at = Timestamp::now();
        if let Err(error) = journal.renew(&intent, intent.made_at) {
            tracing::info!("{}", error.one_line());
        }
    }
    let visibility = visibility(context, provider);
    let closes_at = closes_at(context, provider, &intent);
    let patient_until = match patience {
        Patience::Wait => after(intent.made_at, visibility),
        Patience::Look => Timestamp::MIN,
    };
    let pause = visibility / SEARCHES;
    let result = loop {
        match find(provider, Some(journal), &intent).await {
            Ok(Some(task)) => return Ok(Found::Task(Box::new(task))),
            Ok(None) if Timestamp::now() >= closes_at => break Ok(Found::Nothing),
            Ok(None) if Timestamp::now() >= patient_until => break Ok(Found::Later),
            Ok(None) => tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = interrupted(signals) => break Ok(Found::Later),
            },
            Err(error) => break Err(error),
        }
    };
    let settled = match &result {
        // Other credentials may see less; who began it has to look.
        Ok(Found::Nothing) if intent.account == provider.account() => Settled::NotExecuted,
        _ => Settled::Unknown,
    };
    if let Err(error) = journal.settle(&intent, &settled, Timestamp::now()) {
        tracing::info!("{}", error.one_line());
    }
    result
}

/// When a lost start counts as never executed, if the cloud does not list it.
pub(super) fn closes_at(context: &Context, provider: &dyn Provider, intent: &Intent) -> Timestamp {
    let sent_at = intent.made_at.min(Timestamp::now());
    after(sent_at, visibility(context, provider) * CLOSING)
}

fn after(time: Timestamp, delay: Duration) -> Timestamp {
    time.checked_add(delay).unwrap_or(time)
}

/// Resolves when a signal has come; never where nobody listens for one.
async fn interrupted(signals: Option<&Signals>) {
    match signals {
        Some(signals) => signals.wait().await,
        None => std::future::pending().await,
    }
}

/// How long a task that was started may be missing before it is not found. What is set may be longer than usual, never shorter.
pub(super) fn may_be_missing(context: &Context, provider: &dyn Provider) -> Duration {
    visibility(context, provider).max(provider.capabilities().visibility)
}

/// How long a task may usually be missing from the provider's lists.
pub(super) fn visibility(context: &Context, provider: &dyn Provider) -> Duration {
    context
        .visibility
        .unwrap_or_else(|| provider.capabilities().visibility)
}
