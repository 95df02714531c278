//! The shared poller: many tasks, batched per account, misses tolerated, events out.
//!
//! It knows the [`Provider`] trait and no provider. It draws nothing: an [`Event`] goes to whoever listens.

mod ledger;

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::deadline::Deadline;
use crate::error::{Error, Kind, Result};
use crate::pace;
use crate::provider::{self, Provider};
use crate::task::{ProviderId, State, Task};

use self::ledger::Ledger;

/// A wait that never had contact gives up after this.
const PATIENCE_BEFORE_CONTACT: Duration = Duration::from_secs(60);
/// A wait that had contact gives up after this long without.
const PATIENCE_AFTER_CONTACT: Duration = Duration::from_secs(3600);
/// The most that one look adds to the time without an answer: the rest this machine slept, or the process was stopped.
const LONGEST_LOOK: Duration = Duration::from_secs(120);
/// How long a look at one artifact may take, and at as many as [`LOCATED_TOGETHER`]; more take longer in proportion.
const LOCATE_LIMIT: Duration = Duration::from_secs(5);
/// Artifacts that are looked at within [`LOCATE_LIMIT`].
const LOCATED_TOGETHER: u32 = 16;
/// How often listeners are told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// A task to wait for.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its number among all tasks of this wait; events carry it.
    pub index: usize,
    /// What is known of it.
    pub task: Task,
    /// Until then the provider may not list it yet, because it was only just started.
    pub may_be_missing: Duration,
    /// It comes straight from its start: this is a sighting, not a memory.
    pub is_fresh: bool,
}

/// Makes a provider anew from where its credentials come from, in case they have been changed there.
pub type Renew<'a> = Rc<dyn Fn() -> LocalBoxFuture<'a, Result<Arc<dyn Provider>>> + 'a>;

/// Tasks of one account.
pub struct Group<'a> {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// Which tasks.
    pub tasks: Vec<Watched>,
    /// How long to leave the provider alone before the first look.
    pub first_look: Duration,
    /// Asked once credentials are refused, before they are called refused for good.
    pub renew: Option<Renew<'a>>,
}

/// How to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Stop then. `None`: no limit.
    pub deadline: Option<Deadline>,
    /// The user's pace; `None`: the provider's.
    pub interval: Option<Duration>,
    /// Stop at the first task that ends.
    pub any: bool,
}

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A task was seen, and it is not as it was before (or this is the first sight).
    Changed {
        /// Which task.
        index: usize,
        /// As it is now.
        task: &'a Task,
        /// Time to its end, by its own progress.
        remaining: Option<Duration>,
    },
    /// The wait for a task is over: it ended, or it is stalled.
    Settled {
        /// Which task.
        index: usize,
        /// As it ended.
        task: &'a Task,
    },
    /// A look failed and will be repeated.
    Missed {
        /// Who was asked.
        provider: ProviderId,
        /// Why it failed.
        error: &'a Error,
        /// How long there has been no answer.
        silent_for: Duration,
    },
    /// Answers come again.
    Recovered {
        /// Who answers.
        provider: ProviderId,
        /// How long there was no answer.
        silent_for: Duration,
    },
    /// The wait for a task is over without its end.
    Lost {
        /// Which task.
        index: usize,
        /// Why.
        error: &'a Error,
    },
    /// The next look at these tasks is due after `pause`.
    Planned {
        /// Which tasks.
        indices: &'a [usize],
        /// The look before had an answer.
        has_answered: bool,
        /// How long their provider is left alone.
        pause: Duration,
    },
    /// Time passes.
    Tick,
}

/// How the wait for one task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ended, or is stalled.
    Settled(Task),
    /// It goes on: time ran out, another one ended first, or the wait was interrupted.
    UnderWay(Task),
    /// Contact was lost or refused for good.
    Lost(Task, Error),
}

impl Outcome {
    /// The task as last seen.
    pub fn task(&self) -> &Task {
        match self {
            Outcome::Settled(task) | Outcome::UnderWay(task) | Outcome::Lost(task, _) => task,
        }
    }
}

/// Why the wait as a whole ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing is left to wait for.
    AllDone,
    /// `--any`: one ended.
    AnyDone,
    /// `--timeout` passed.
    TimedOut,
    /// The caller's `interrupt` came true.
    Interrupted,
}

/// Waits. Returns the outcomes with their tasks' indices, in that order, and why it stopped.
pub async fn watch(
    groups: Vec<Group<'_>>,
    options: Options,
    interrupt: impl Future<Output = ()>,
    mut listener: impl FnMut(Event<'_>),
) -> (Vec<(usize, Outcome)>, End) {
    let deadline = options.deadline;
    let mut looks = FuturesUnordered::new();
    let mut done: Vec<(usize, Outcome)> = Vec::new();
    let mut end = End::AllDone;
    let mut waiting: Vec<Option<Ledger>> = Vec::new();
    for group in groups {
        let due = bounded(Instant::now() + group.first_look, deadline);
        let ledger = Ledger::new(group, options.interval);
        for open in ledger.open.iter().filter(|open| open.has_contact) {
            listener(Event::Changed {
                index: open.index,
                task: &open.task,
                remaining: None,
            });
        }
        ledger.tell_plan(due, &mut listener);
        looks.push(look(waiting.len(), ledger.question(), due, deadline));
        waiting.push(Some(ledger));
    }
    let mut tick = tokio::time::interval(TICK);
    // After a sleep of the machine one tick is enough.
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    tokio::pin!(interrupt);
    loop {
        let (slot, answer) = tokio::select! {
            biased;
            () = &mut interrupt => { end = End::Interrupted; break; }
            finished = looks.next() => match finished { Some(finished) => finished, None => break },
            _ = tick.tick() => { listener(Event::Tick); continue; }
        };
        let Some(mut ledger) = waiting[slot].take() else {
            continue;
        };
        if let Some(renewed) = answer.renewed {
            ledger.provider = renewed;
        }
        ledger.enter(answer.slots, &mut done, &mut listener);
        let has_ended = |(_, outcome): &(usize, Outcome)| matches!(outcome, Outcome::Settled(_));
        if options.any && done.iter().any(has_ended) {
            waiting[slot] = Some(ledger);
            end = End::AnyDone;
            break;
        }
        if ledger.open.is_empty() {
            continue;
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| now >= deadline.at()) {
            end = End::TimedOut;
            ledger.give_up(&mut done, &mut listener);
            continue;
        }
        let due = bounded(now + ledger.pause(), deadline);
        ledger.tell_plan(due, &mut listener);
        looks.push(look(slot, ledger.question(), due, deadline));
        waiting[slot] = Some(ledger);
    }
    let left = waiting.into_iter().flatten().flat_map(|ledger| ledger.open);
    done.extend(left.map(|open| (open.index, Outcome::UnderWay(open.task))));
    done.sort_by_key(|(index, _)| *index);
    (done, end)
}

/// Never past the deadline: the last look is then, instead of a sleep beyond it.
fn bounded(due: Instant, deadline: Option<Deadline>) -> Instant {
    deadline.map_or(due, |deadline| due.min(deadline.at()))
}

/// Whom to ask about what.
struct Question<'a> {
    provider: Arc<dyn Provider>,
    renew: Option<Renew<'a>>,
    known: Vec<Task>,
}

/// What came of a look.
struct Answer {
    slots: Result<Vec<Result<Task>>>,
    /// The provider with new credentials, if the old ones were refused and there were others.
    renewed: Option<Arc<dyn Provider>>,
}

async fn look(
    slot: usize,
    question: Question<'_>,
    due: Instant,
    deadline: Option<Deadline>,
) -> (usize, Answer) {
    sleep_until(due).await;
    let Question {
        provider,
        renew,
        known,
    } = question;
    let asking = ask(provider.clone(), renew, &known);
    let mut answer = match deadline {
        None => asking.await,
        Some(deadline) => timeout_at(deadline.end(), asking)
            .await
            .unwrap_or_else(|_| {
                let error = Error::new(
                    Kind::Network,
                    format!("{} did not answer in time", provider.id()),
                );
                Answer {
                    slots: Err(error),
                    renewed: None,
                }
            }),
    };
    if let Ok(slots) = &mut answer.slots {
        let provider = answer.renewed.as_ref().unwrap_or(&provider);
        locate(provider.as_ref(), slots, deadline).await;
    }
    (slot, answer)
}

/// Asks; once more with other credentials, if these are refused and there are others by now. The same are never sent again.
async fn ask(provider: Arc<dyn Provider>, renew: Option<Renew<'_>>, known: &[Task]) -> Answer {
    let slots = provider::look_again(provider.as_ref(), known).await;
    let is_refused = matches!(&slots, Err(error) if error.kind == Kind::Credentials);
    let Some(renew) = renew.filter(|_| is_refused) else {
        return Answer {
            slots,
            renewed: None,
        };
    };
    match renew().await {
        Ok(renewed) if renewed.credentials_tag() != provider.credentials_tag() => {
            tracing::info!(
                "{}: other credentials are there now; trying them",
                provider.id()
            );
            Answer {
                slots: provider::look_again(renewed.as_ref(), known).await,
                renewed: Some(renewed),
            }
        }
        _ => Answer {
            slots,
            renewed: None,
        },
    }
}

/// Looks at where the artifacts of completed tasks lie, where that is only known by rule.
///
/// The export is complete whatever comes of it, so it costs little time: what does not answer stays marked as derived.
pub(crate) async fn locate(
    provider: &dyn Provider,
    slots: &mut [Result<Task>],
    deadline: Option<Deadline>,
) {
    let derived = |task: &&mut Task| {
        task.state == State::Completed
            && task
                .artifact
                .as_ref()
                .is_some_and(|artifact| !artifact.exact)
    };
    let mut ended: Vec<&mut Task> = slots.iter_mut().flatten().filter(derived).collect();
    let known: Vec<Task> = ended.iter().map(|task| (**task).clone()).collect();
    if known.is_empty() {
        return;
    }
    let times = u32::try_from(known.len())
        .unwrap_or(u32::MAX)
        .div_ceil(LOCATED_TOGETHER);
    let limit = Instant::now() + pace::limit(LOCATE_LIMIT).saturating_mul(times);
    let limit = deadline.map_or(limit, |deadline| limit.min(deadline.end()));
    let Ok(found) = timeout_at(limit, provider.locate(&known)).await else {
        return tracing::info!(
            "{}: artifacts not verified: no answer in time",
            provider.id()
        );
    };
    for (task, found) in ended.iter_mut().zip(found) {
        match found {
            Ok(artifact) => task.found(artifact),
            Err(error) => {
                tracing::info!("{}: artifact not verified: {}", task.id, error.one_line());
            }
        }
    }
}
