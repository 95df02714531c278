//! Looking in the cloud for the tasks that starts have become. Nothing is sent here.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::windows::{Windows, age};
use crate::commands::context::Context;
use crate::error::{Kind, Result};
use crate::http::Http;
use crate::journal::{Intent, Journal, Settled};
use crate::provider::{Provider, Realm, TaskFilter, is_uuid};
use crate::task::{ExportRequest, Task};

/// How far the cloud's clock may be from ours.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// One account, and what this user remembers of it.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    /// Who is asked.
    pub(crate) provider: &'a dyn Provider,
    /// `None`: nothing is remembered.
    pub(super) journal: Option<&'a Journal>,
    /// How long to look.
    pub(crate) windows: Windows,
    /// Whose last reply tells the cloud's time.
    http: &'a Http,
}

/// What became of a start that was left open.
pub(crate) enum Found {
    /// This task.
    Task(Box<Task>),
    /// It was never executed: it would be listed by now, however late.
    Nothing,
    /// The cloud does not list it, and still may.
    Later,
    /// Another process is looking.
    Elsewhere,
}

impl<'a> Search<'a> {
    /// In the account of this provider.
    pub(crate) fn new(
        context: &'a Context,
        provider: &'a dyn Provider,
        journal: Option<&'a Journal>,
    ) -> Self {
        Search {
            provider,
            journal,
            windows: Windows::of(context, provider),
            http: &context.http,
        }
    }

    /// The account, as the journal and as its cloud know it.
    pub(super) async fn whose(&self) -> (String, Realm) {
        (self.provider.account(), self.provider.realm().await)
    }

    /// How far this machine's clock is ahead of the cloud's, as far as that told its time.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
        self.http.contact().and_then(|contact| contact.skew)
    }

    /// The cloud's time now, as far as it told it.
    pub(super) fn cloud_now(&self) -> Option<Timestamp> {
        Timestamp::now().checked_sub(self.skew()?).ok()
    }

    /// How old an open start is. Where the cloud tells its time only since, by its clock it is new.
    pub(super) fn age(&self, intent: &Intent) -> Duration {
        if let (Some(journal), None, Some(now)) = (self.journal, intent.cloud_at, self.cloud_now())
        {
            if let Err(error) = journal.date(intent, now) {
                tracing::info!("{}", error.one_line());
            }
            return Duration::ZERO;
        }
        age(intent.made_at, intent.cloud_at, self.skew())
    }

    /// When an open start counts as never executed, if the cloud does not list it.
    pub(crate) fn closes_at(&self, intent: &Intent) -> Timestamp {
        self.windows.closes_at(self.age(intent))
    }

    /// The starts that were left open in this cloud and region, whatever credentials they were sent with.
    pub(crate) fn left_open(&self) -> Result<Vec<Intent>> {
        let mut left = self.journal.map_or(Ok(Vec::new()), Journal::intents)?;
        left.retain(|left| {
            left.provider == self.provider.id() && left.region == self.provider.region()
        });
        Ok(left)
    }

    /// The cloud's exports of the same snapshot to the same place, of those begun `since` where the cloud says when.
    pub(super) async fn same(
        &self,
        request: &ExportRequest,
        since: Option<Timestamp>,
    ) -> Result<Vec<Task>> {
        let filter = TaskFilter {
            snapshots: vec![request.snapshot.clone()],
            since,
            with_completed: false,
        };
        let mut tasks = self.provider.tasks(&filter).await?;
        tasks.retain(|task| is_same(task, request));
        Ok(tasks)
    }

    /// Looks up a start that was left open, at least once and until `patience` or the wait is over, and settles it as far
    /// as that tells.
    pub(crate) async fn settle_left(
        &self,
        left: &Intent,
        patience: Duration,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Found> {
        let taken = self
            .journal
            .map(|journal| journal.take_over(left, Timestamp::now()));
        let intent = match taken {
            Some(Ok(Some(intent))) => intent,
            Some(Ok(None)) => return Ok(Found::Elsewhere),
            // A journal that cannot be written must not keep anybody from looking.
            Some(Err(_)) | None => left.clone(),
        };
        let began = Instant::now();
        let result = match self.find(&intent, patience, interrupted).await {
            Ok(Some(task)) => return Ok(Found::Task(Box::new(task))),
            // Its age when the look began: by then the cloud has told its time.
            Ok(None)
                if self.age(&intent).saturating_sub(began.elapsed()) >= self.windows.closing =>
            {
                Ok(Found::Nothing)
            }
            Ok(None) => Ok(Found::Later),
            Err(error) => Err(error),
        };
        let settled = match &result {
            // Other credentials may see less; who began it has to look.
            Ok(Found::Nothing) if self.is_ours(&intent).await => Settled::NotExecuted,
            _ => Settled::Unknown,
        };
        self.settle(&intent, &settled).ok();
        result
    }

    /// Whether a start was surely made in this account.
    pub(crate) async fn is_ours(&self, intent: &Intent) -> bool {
        let realm = self.provider.realm().await;
        // Where nothing but a key tells, all accounts at one address are called the same.
        let is_named = realm.key.is_none();
        is_named && intent.account == self.provider.account() || intent.realm.is_surely(&realm)
    }

    /// Polls for the task that a start has become, until it is listed or `patience` or the wait is over. What is found
    /// takes the intent's place in the journal.
    ///
    /// A poll that fails is repeated as one that finds nothing; refused credentials are not sent again.
    pub(super) async fn find(
        &self,
        intent: &Intent,
        patience: Duration,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Option<Task>> {
        let until = Instant::now() + patience;
        tokio::pin!(interrupted);
        loop {
            let is_last = Instant::now() >= until;
            match self.find_once(intent).await {
                Ok(None) if !is_last => {}
                Err(error) if !is_last && error.kind != Kind::Credentials => {
                    tracing::info!("looking for the task: {}", error.one_line());
                }
                result => return result,
            }
            tokio::select! {
                () = tokio::time::sleep(self.windows.pause) => {}
                () = &mut interrupted => return Ok(None),
            }
        }
    }

    /// A task that was not there before the start, did not begin before either, and is no other start's.
    ///
    /// An id alone does not tell: a cloud may show an old export under another id once it has forgotten part of it.
    async fn find_once(&self, intent: &Intent) -> Result<Option<Task>> {
        // By the clock that was behind: the cloud's own time of it may have been a lie.
        let began = intent
            .cloud_at
            .map_or(intent.made_at, |at| at.min(intent.made_at));
        let since = began.checked_sub(CLOCK_MARGIN).unwrap_or(began);
        let mut found = self.same(&intent.request, Some(since)).await?;
        found.retain(|task| {
            !intent.known.contains(&task.id)
                && task.created_at.is_none_or(|created| created >= since)
        });
        let mut found = found
            .into_iter()
            .map(|task| complete(task, &intent.request, Some(intent.made_at)));
        let Some(journal) = self.journal else {
            return Ok(found.next());
        };
        let found: Vec<Task> = found.collect();
        // A journal that cannot be used must not keep anybody from what the cloud has.
        let free = journal.free_for(intent, found.clone()).unwrap_or(found);
        let now = Timestamp::now();
        Ok(free
            .into_iter()
            .find(|task| journal.settle_found(intent, task, now).unwrap_or(true)))
    }

    /// Ends an intent in the journal, if there is one. What cannot be written stays for the next command to look up, which
    /// is safe.
    pub(super) fn settle(&self, intent: &Intent, settled: &Settled<'_>) -> Result<()> {
        let Some(journal) = self.journal else {
            return Ok(());
        };
        let settled = journal.settle(intent, settled, Timestamp::now());
        settled.inspect_err(|error| tracing::info!("{}", error.one_line()))
    }
}

/// Whether a task exports the same snapshot to the same place.
pub(super) fn is_same(task: &Task, request: &ExportRequest) -> bool {
    let is_of = |snapshot: &String| {
        // Ids are spelt in capitals by some, names are not the same then.
        *snapshot == request.snapshot
            || is_uuid(snapshot) && snapshot.eq_ignore_ascii_case(&request.snapshot)
    };
    let target = task.target.as_ref();
    task.snapshot.as_ref().is_some_and(is_of)
        && target.is_some_and(|target| target.is_same_place(&request.target))
}

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
