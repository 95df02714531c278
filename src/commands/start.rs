//! Starting exports, each exactly once. What all of them need to know is read first, once (`batch`); then the story of each,
//! told from top to bottom:
//!
//! 1. an earlier start of the same export whose outcome is not known is looked up (`settle_earlier`);
//! 2. an export that is under way is adopted (`adopt`);
//! 3. the snapshot is checked (`check`);
//! 4. the start is written down, so that nobody else sends the same (`claim`);
//! 5. it is sent in its turn: one attempt, another only after one that was surely not executed (`send`);
//! 6. its task, its refusal or its loss is settled (`settle`).
//!
//! Before step 5 nothing was sent, and all can be given up at any moment; after it, every way out settles the claim.

mod batch;
mod claim;
mod exported;
mod search;
mod send;
mod steps;
mod turns;
mod windows;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use jiff::Timestamp;

use self::batch::Batch;
use self::claim::{Attempt, Claimed};
use self::search::complete;
use self::steps::{Earlier, Prepared, View};
use self::turns::Turns;
use super::signals::Signals;
use crate::commands::context::Context;
use crate::error::{Error, Hint, Kind, Result};
use crate::journal::{Intent, Journal, Settled};
use crate::options::Output;
use crate::pace;
use crate::provider::Realm;
use crate::report::Printer;
use crate::secret::clean;
use crate::task::{ExportRequest, State, Task};
use crate::text;

pub(super) use self::batch::snapshots_of;
pub(super) use self::exported::Exported;
pub(super) use self::search::{Found, Search};
pub(super) use self::steps::{Started, Wish};
pub(super) use self::windows::Windows;

/// Starts exports on one account.
pub(super) struct Starter<'a> {
    context: &'a Context,
    search: Search<'a>,
    signals: &'a Signals,
    wish: Wish,
    turns: Turns,
    batch: Batch,
    is_refused: Cell<bool>,
    /// What concerns all is said once.
    said: RefCell<HashSet<String>>,
}

impl<'a> Starter<'a> {
    /// For these exports: what all of them need is read here.
    pub(super) async fn of(
        context: &'a Context,
        search: Search<'a>,
        signals: &'a Signals,
        wish: Wish,
        requests: &[ExportRequest],
    ) -> Self {
        let usual = search.provider.capabilities().start_pause;
        let mut starter = Starter {
            context,
            search,
            signals,
            wish,
            turns: Turns::new(
                context.start_pause.unwrap_or_else(|| pace::limit(usual)),
                (wish.limit, wish.deadline),
            ),
            batch: Batch::default(),
            is_refused: Cell::new(false),
            said: RefCell::default(),
        };
        starter.read(requests).await;
        starter
    }

    /// Starts an export, or adopts the identical one that is under way.
    pub(super) async fn start(&self, request: &ExportRequest) -> Started {
        let mut error = match self.start_or_adopt(request).await {
            Ok(Some(task)) => return Started::Task(Box::new(task)),
            Ok(None) => return Started::LeftOut,
            Err(error) => error,
        };
        let snapshot = clean(&request.snapshot);
        if error.kind == Kind::Interrupted {
            if self.is_refused.get() {
                error.kind = Kind::Credentials;
            }
            let sentence = format!("The export of {snapshot} was not sent");
            return Started::NotSent(error.context(sentence));
        }
        if error.kind == Kind::Credentials {
            self.is_refused.set(true);
        }
        Started::Failed(error)
    }

    async fn start_or_adopt(&self, request: &ExportRequest) -> Result<Option<Task>> {
        let mut view = View::Shared;
        loop {
            let prepared = tokio::select! {
                biased;
                prepared = self.prepare(request, view) => prepared?,
                () = self.signals.wait() => return Err(self.stopped()),
                () = self.turns.over() => return Err(self.late(request)),
            };
            match prepared {
                Prepared::Task(task) => return Ok(Some(*task)),
                Prepared::LeftOut => return Ok(None),
                Prepared::Send(attempt) => match self.send(&attempt).await {
                    Some(reply) => return self.settle(*attempt, reply).await.map(Some),
                    // Somebody took this process for dead meanwhile, and may have sent the same.
                    None => view = View::Fresh,
                },
                Prepared::Again => view = View::Fresh,
            }
        }
    }

    /// Steps 1 to 4. Sends no start, and can be given up at any moment.
    async fn prepare(&self, request: &ExportRequest, view: View) -> Result<Prepared> {
        let view = match self.settle_earlier(request).await? {
            Earlier::None => view,
            Earlier::LookedUp => View::Fresh,
            Earlier::Task(task) => return Ok(Prepared::Task(task)),
        };
        let before = self.listed(request, view).await?;
        let exported = self.batch.exported.sentence(request, &before);
        if let Some(sentence) = exported.as_ref().filter(|_| self.wish.skips_exported) {
            self.printer().note(format!("{sentence}; left out"));
            return Ok(Prepared::LeftOut);
        }
        if let Some(task) = self.adopt(request, &before).await {
            return Ok(Prepared::Task(Box::new(task)));
        }
        let mut intent = self.intent(request, &before);
        self.check(request, view).await?;
        if let Some(sentence) = exported {
            self.note_once(&format!("{sentence}; --skip-exported leaves out what was"));
        }
        if self.search.journal.is_some() {
            (_, intent.realm) = self.search.whose().await;
        }
        self.take_turn().await?;
        Ok(match self.claim(intent).await? {
            Claimed::Mine(attempt) => Prepared::Send(attempt),
            Claimed::Running(task) => Prepared::Task(Box::new(adopted(request, *task))),
            Claimed::Left => Prepared::Again,
        })
    }

    /// Waits for the turn of a start; a signal ends that.
    async fn take_turn(&self) -> Result<()> {
        tokio::select! {
            biased;
            () = self.signals.wait() => Err(self.stopped()),
            turn = self.turns.take() => turn,
        }
    }

    /// Step 1. The task that an earlier start has become, whatever credentials it was sent with: keys change.
    /// One that failed since is no reason not to start.
    async fn settle_earlier(&self, request: &ExportRequest) -> Result<Earlier> {
        self.go_on()?;
        if self.wish.is_new {
            return Ok(Earlier::None);
        }
        let windows = self.search.windows;
        let mut earlier = self.search.left_open()?;
        earlier.retain(|left| left.is_start_of(request));
        if !earlier.is_empty() {
            let (account, realm) = self.search.whose().await;
            earlier.retain(|left| left.may_be_of(&account, &realm));
        }
        for left in &earlier {
            let patience = windows.visibility.saturating_sub(self.search.age(left));
            let found = self.search.settle_left(left, patience, self.signals.wait());
            match found.await? {
                Found::Task(task) if !matches!(task.state, State::Failed | State::Cancelled) => {
                    return Ok(Earlier::Task(Box::new(adopted(request, *task))));
                }
                Found::Task(task) => self.printer().note(format!(
                    "The export of {} begun at {} became {} and is {}; starting another",
                    clean(&request.snapshot),
                    text::moment(left.made_at, Timestamp::now()),
                    task.id,
                    task.state
                )),
                Found::Nothing => {}
                Found::Later => {
                    self.go_on()?;
                    let cause = format!(
                        "it was begun at {}, and the cloud does not list it so far",
                        text::moment(left.made_at, Timestamp::now())
                    );
                    return Err(self.doubt(Error::new(Kind::MaybeStarted, cause), left));
                }
                Found::Elsewhere => tokio::time::sleep(windows.glance).await,
            }
        }
        Ok(match earlier.is_empty() {
            true => Earlier::None,
            false => Earlier::LookedUp,
        })
    }

    /// Step 2. Of what the cloud had before, the export that is under way; it is remembered.
    async fn adopt(&self, request: &ExportRequest, before: &[Task]) -> Option<Task> {
        let running = before.iter().find(|task| !task.is_settled())?;
        if self.wish.is_new {
            return None;
        }
        let mut task = adopted(request, running.clone());
        let Some(journal) = self.search.journal else {
            return Some(task);
        };
        // One that this user has started before keeps its start.
        let known = journal
            .find(task.id.as_str(), Some(task.provider.0))
            .unwrap_or_default();
        let known = known.iter().find(|known| known.started_at.is_some());
        if let Some(known) = known {
            task.created_at = task.created_at.or(known.task.created_at);
        }
        let kept = Task {
            adopted: known.is_none_or(|known| known.task.adopted),
            ..task.clone()
        };
        let (account, realm) = self.search.whose().await;
        let profile = self.context.profile();
        self.warn_if_forgotten(
            &task,
            journal.record_start(&kept, profile, &account, &realm, Timestamp::now()),
        );
        Some(task)
    }

    /// What is about to be started, and what the cloud had before.
    fn intent(&self, request: &ExportRequest, before: &[Task]) -> Intent {
        let provider = self.search.provider;
        let made_at = Timestamp::now();
        Intent {
            id: None,
            provider: provider.id(),
            account: provider.account(),
            realm: Realm::default(),
            region: provider.region().to_owned(),
            profile: self.context.profile().map(str::to_owned),
            request: request.clone(),
            twin: if self.wish.is_new {
                format!("{}-{}", std::process::id(), made_at.as_nanosecond())
            } else {
                String::new()
            },
            known: before.iter().map(|task| task.id.clone()).collect(),
            made_at,
            cloud_at: self.search.cloud_now(),
        }
    }

    /// Step 6. After a lost reply, the task that was not there before is ours; nothing is sent again.
    async fn settle(&self, attempt: Attempt, reply: Result<Task>) -> Result<Task> {
        let intent = attempt.intent;
        let error = match reply {
            Ok(task) => {
                let mut task = complete(task, &intent.request, Some(intent.made_at));
                task.seen_at(Timestamp::now());
                let settled = self.search.settle(&intent, &Settled::Started(&task));
                self.warn_if_forgotten(&task, settled);
                return Ok(task);
            }
            Err(error) => error,
        };
        if error.kind != Kind::MaybeStarted {
            self.search.settle(&intent, &Settled::NotExecuted).ok();
            return Err(error);
        }
        let patience = self.search.windows.visibility;
        let found = tokio::select! {
            biased;
            found = self.search.find(&intent, patience, self.signals.wait()) => found,
            () = self.turns.over_for_replies() => Ok(None),
        };
        match found {
            Ok(Some(task)) => {
                self.warn_if_forgotten(&task, Ok(()));
                return Ok(task);
            }
            Ok(None) => {}
            Err(error) => tracing::info!("looking for the task: {}", error.one_line()),
        }
        let mut intent = intent;
        if self.search.settle(&intent, &Settled::Unknown).is_err() {
            // Nothing remembers it.
            intent.id = None;
        }
        Err(self.doubt(error, &intent))
    }

    /// Stops before anything is sent once a signal came or the account's credentials were refused.
    fn go_on(&self) -> Result<()> {
        if self.is_refused.get() || self.signals.received().is_some() {
            return Err(self.stopped());
        }
        Ok(())
    }

    fn stopped(&self) -> Error {
        let why = match self.is_refused.get() {
            true => "The account's credentials were refused before",
            false => "Stopped before anything was sent",
        };
        Error::new(Kind::Interrupted, why)
    }

    /// `--timeout` passed before the start was sent.
    fn late(&self, request: &ExportRequest) -> Error {
        let sentence = format!(
            "The export of {} was not started within {}",
            clean(&request.snapshot),
            self.turns.words()
        );
        Error::new(Kind::Timeout, sentence).hint(
            "the same command again starts what was not started, and adopts what is under way",
        )
    }

    /// Nobody knows, and what to do about that.
    fn doubt(&self, error: Error, intent: &Intent) -> Error {
        let next = match intent.id {
            Some(_) => format!(
                "the same export command adopts it as soon as it is listed, and starts it if it is not by {}; --new starts another at once",
                text::moment(self.search.closes_at(intent), Timestamp::now())
            ),
            None => "without a journal nothing remembers this: look before the same export is started again".to_owned(),
        };
        let snapshot = clean(&intent.request.snapshot);
        error
            .context(format!(
                "Whether the export of {snapshot} was started is not known"
            ))
            .hint(
                Hint::say("it was not sent again; see what the cloud has with: ")
                    .and_run("snapexport status --remote"),
            )
            .hint(next)
    }

    /// A task that could not be remembered must at least be said.
    fn warn_if_forgotten(&self, task: &Task, written: Result<()>) {
        let why = match written {
            Err(error) => error.one_line(),
            Ok(()) if self.search.journal.is_some_and(Journal::was_made_anew) => {
                "The journal was deleted meanwhile, and a new one was begun".to_owned()
            }
            Ok(()) => return,
        };
        self.printer()
            .warn(format!("{why}; note the id {}", task.id));
    }

    fn warn_once(&self, text: &str) {
        if self.said.borrow_mut().insert(text.to_owned()) {
            self.printer().warn(text);
        }
    }

    fn note_once(&self, text: &str) {
        if self.said.borrow_mut().insert(text.to_owned()) {
            self.printer().note(text);
        }
    }

    fn printer(&self) -> Printer {
        self.context.printer(Output::Id)
    }
}

fn adopted(request: &ExportRequest, mut task: Task) -> Task {
    task.adopted = true;
    complete(task, request, None)
}
