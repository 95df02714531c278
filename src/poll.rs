//! The shared poller: many tasks, batched per account, misses tolerated, events out.
//!
//! It knows the [`Provider`] trait and no provider. It draws nothing: an [`Event`] goes to whoever listens.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::error::{Error, Kind, Result};
use crate::pace::{Pace, Seen, pause};
use crate::provider::Provider;
use crate::task::{ProviderId, State, Task, TaskId};
use crate::text;

/// A wait that never had contact gives up after this.
pub const PATIENCE_BEFORE_CONTACT: Duration = Duration::from_secs(60);
/// A wait that had contact gives up after this long without.
pub const PATIENCE_AFTER_CONTACT: Duration = Duration::from_secs(3600);
/// How long the last look may take beyond the deadline.
const LAST_LOOK: Duration = Duration::from_secs(10);
/// Artifacts looked at in one look; of a thousand that end at once the rest stay marked as derived.
const LOCATED_AT_MOST: usize = 16;
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

/// Tasks of one account.
pub struct Group {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// Which tasks.
    pub tasks: Vec<Watched>,
    /// How long to leave the provider alone before the first look.
    pub first_look: Duration,
}

/// How to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Stop after this time; zero: one look. `None`: no limit.
    pub timeout: Option<Duration>,
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
    groups: Vec<Group>,
    options: Options,
    interrupt: impl Future<Output = ()>,
    mut listener: impl FnMut(Event<'_>),
) -> (Vec<(usize, Outcome)>, End) {
    let deadline = options.timeout.map(|timeout| Instant::now() + timeout);
    let mut looks = FuturesUnordered::new();
    let mut done: Vec<(usize, Outcome)> = Vec::new();
    let mut end = End::AllDone;
    let mut waiting: Vec<Option<Ledger>> = Vec::new();
    for group in groups {
        let due = bounded(Instant::now() + group.first_look, deadline);
        let ledger = Ledger::new(group, options.interval);
        for open in ledger.open.iter().filter(|open| open.contact.is_some()) {
            listener(Event::Changed {
                index: open.index,
                task: &open.task,
                remaining: None,
            });
        }
        looks.push(look(
            waiting.len(),
            ledger.provider.clone(),
            ledger.ids(),
            due,
            deadline,
        ));
        waiting.push(Some(ledger));
    }
    let mut tick = tokio::time::interval(TICK);
    tokio::pin!(interrupt);
    loop {
        let (slot, result) = tokio::select! {
            biased;
            () = &mut interrupt => { end = End::Interrupted; break; }
            finished = looks.next() => match finished { Some(finished) => finished, None => break },
            _ = tick.tick() => { listener(Event::Tick); continue; }
        };
        let Some(mut ledger) = waiting[slot].take() else {
            continue;
        };
        let settled = done.len();
        ledger.enter(result, &mut done, &mut listener);
        if ledger.open.is_empty() {
            if options.any && !done.is_empty() {
                end = End::AnyDone;
                break;
            }
            continue;
        }
        let any_ended = done[settled..]
            .iter()
            .any(|(_, outcome)| matches!(outcome, Outcome::Settled(_)));
        let now = Instant::now();
        if options.any && any_ended {
            waiting[slot] = Some(ledger);
            end = End::AnyDone;
            break;
        }
        if deadline.is_some_and(|deadline| now >= deadline) {
            end = End::TimedOut;
            ledger.give_up(now, &mut done, &mut listener);
            continue;
        }
        let due = bounded(now + ledger.pause(), deadline);
        looks.push(look(
            slot,
            ledger.provider.clone(),
            ledger.ids(),
            due,
            deadline,
        ));
        waiting[slot] = Some(ledger);
    }
    let left = waiting.into_iter().flatten().flat_map(|ledger| ledger.open);
    done.extend(left.map(|open| (open.index, Outcome::UnderWay(open.task))));
    done.sort_by_key(|(index, _)| *index);
    (done, end)
}

/// Never past the deadline: the last look is then, instead of a sleep beyond it.
fn bounded(due: Instant, deadline: Option<Instant>) -> Instant {
    deadline.map_or(due, |deadline| due.min(deadline))
}

async fn look(
    slot: usize,
    provider: Arc<dyn Provider>,
    ids: Vec<TaskId>,
    due: Instant,
    deadline: Option<Instant>,
) -> (usize, Result<Vec<Result<Task>>>) {
    sleep_until(due).await;
    let looking = look_and_locate(provider.as_ref(), &ids);
    let result = match deadline {
        None => looking.await,
        Some(deadline) => {
            let limit = deadline.max(Instant::now()) + LAST_LOOK;
            timeout_at(limit, looking).await.unwrap_or_else(|_| {
                Err(Error::new(
                    Kind::Network,
                    format!("{} did not answer in time", provider.id()),
                ))
            })
        }
    };
    (slot, result)
}

/// A look, and for what has just completed another one at where the artifact lies, if that is only known by rule.
async fn look_and_locate(provider: &dyn Provider, ids: &[TaskId]) -> Result<Vec<Result<Task>>> {
    let mut slots = provider.look(ids).await?;
    let derived = |task: &&mut Task| {
        task.state == State::Completed
            && task
                .artifact
                .as_ref()
                .is_some_and(|artifact| !artifact.exact)
    };
    for task in slots
        .iter_mut()
        .flatten()
        .filter(derived)
        .take(LOCATED_AT_MOST)
    {
        match timeout(LAST_LOOK, provider.locate(task)).await {
            Ok(Ok(artifact)) => task.artifact = Some(artifact),
            // The export is complete all the same; its artifact stays marked as derived.
            Ok(Err(error)) => {
                tracing::info!("{}: artifact not verified: {}", task.id, error.one_line())
            }
            Err(_) => tracing::info!("{}: artifact not verified: no answer in time", task.id),
        }
    }
    Ok(slots)
}

/// What is known of a group.
struct Ledger {
    provider: Arc<dyn Provider>,
    pace: Pace,
    open: Vec<Open>,
    started: Instant,
    idle_looks: u32,
    misses: u32,
    retry_after: Option<Duration>,
    remaining: Option<Duration>,
    last_miss: Option<Error>,
}

/// A task that has not ended.
struct Open {
    index: usize,
    task: Task,
    may_be_missing_until: Instant,
    /// When it was last seen; `None`: never in this wait.
    contact: Option<Instant>,
    estimate: Option<Estimate>,
}

impl Ledger {
    fn new(group: Group, interval: Option<Duration>) -> Self {
        let capabilities = group.provider.capabilities();
        let started = Instant::now();
        Ledger {
            pace: match interval {
                Some(interval) => Pace::Fixed(interval),
                None => Pace::Between(capabilities.pace_min, capabilities.pace_max),
            },
            open: group
                .tasks
                .into_iter()
                .map(|watched| Open {
                    index: watched.index,
                    task: watched.task,
                    may_be_missing_until: started + watched.may_be_missing,
                    contact: watched.is_fresh.then_some(started),
                    estimate: None,
                })
                .collect(),
            provider: group.provider,
            started,
            idle_looks: 0,
            misses: 0,
            retry_after: None,
            remaining: None,
            last_miss: None,
        }
    }

    fn ids(&self) -> Vec<TaskId> {
        self.open.iter().map(|open| open.task.id.clone()).collect()
    }

    fn pause(&self) -> Duration {
        let seen = Seen {
            idle_looks: self.idle_looks,
            misses: self.misses,
            retry_after: self.retry_after,
            remaining: self.remaining,
        };
        pause(self.pace, seen, jitter())
    }

    /// Enters the result of a look; what is over moves to `done`.
    fn enter(
        &mut self,
        result: Result<Vec<Result<Task>>>,
        done: &mut Vec<(usize, Outcome)>,
        listener: &mut impl FnMut(Event<'_>),
    ) {
        let now = Instant::now();
        let slots = match result {
            Ok(slots) => slots,
            Err(error) => self.open.iter().map(|_| Err(error.clone())).collect(),
        };
        self.retry_after = None;
        self.remaining = None;
        let silent_since = self
            .open
            .iter()
            .map(|open| open.contact.unwrap_or(self.started))
            .min();
        let (mut changed, mut answered, mut miss) = (false, false, None);
        let mut slots = slots.into_iter();
        for mut open in std::mem::take(&mut self.open) {
            let slot = slots.next().unwrap_or_else(|| {
                Err(Error::new(
                    Kind::Internal,
                    format!("No answer concerns task {}", open.task.id),
                ))
            });
            match slot {
                Ok(task) => {
                    answered = true;
                    changed |= open.see(task, now, listener);
                    if open.task.is_settled() {
                        listener(Event::Settled {
                            index: open.index,
                            task: &open.task,
                        });
                        done.push((open.index, Outcome::Settled(open.task)));
                    } else {
                        let remaining = open.remaining(now);
                        self.remaining = [self.remaining, remaining].into_iter().flatten().min();
                        self.open.push(open);
                    }
                }
                Err(error) => match self.verdict(&open, error, now) {
                    Verdict::Tolerated(error) => {
                        self.retry_after = self.retry_after.max(error.details.retry_after);
                        miss = Some(error);
                        self.open.push(open);
                    }
                    Verdict::Expected => {
                        answered = true;
                        self.open.push(open);
                    }
                    Verdict::Final(error) => {
                        listener(Event::Lost {
                            index: open.index,
                            error: &error,
                        });
                        done.push((open.index, Outcome::Lost(open.task, error)));
                    }
                },
            }
        }
        let silent_for = silent_since.map_or(Duration::ZERO, |since| now - since);
        let provider = self.provider.id();
        match miss {
            Some(error) => {
                self.misses += 1;
                listener(Event::Missed {
                    provider,
                    error: &error,
                    silent_for,
                });
                self.last_miss = Some(error);
            }
            None => {
                if self.misses > 0 && answered {
                    listener(Event::Recovered {
                        provider,
                        silent_for,
                    });
                }
                self.misses = 0;
                self.last_miss = None;
                self.idle_looks = if changed { 0 } else { self.idle_looks + 1 };
            }
        }
    }

    /// Whether a failed look at a task ends the wait for it.
    fn verdict(&self, open: &Open, error: Error, now: Instant) -> Verdict {
        match error.kind {
            Kind::NotFound if now < open.may_be_missing_until => return Verdict::Expected,
            Kind::NotFound | Kind::Credentials | Kind::Permission | Kind::Usage => {
                return Verdict::Final(error);
            }
            _ => {}
        }
        let (silent_for, patience) = match open.contact {
            Some(contact) => (now - contact, PATIENCE_AFTER_CONTACT),
            None => (now - self.started, PATIENCE_BEFORE_CONTACT),
        };
        if silent_for < patience {
            return Verdict::Tolerated(error);
        }
        Verdict::Final(self.lost_contact(open, error, silent_for))
    }

    fn lost_contact(&self, open: &Open, error: Error, silent_for: Duration) -> Error {
        let (provider, id) = (self.provider.id(), &open.task.id);
        let span = text::duration(silent_for);
        let sentence = match open.contact {
            Some(_) => format!(
                "Contact with {provider} was lost {span} ago; {id} was {} then",
                open.task.state
            ),
            None => format!("No contact with {provider} in {span}; nothing is known of {id}"),
        };
        error.context(sentence).hint(format!(
            "the task is not affected; try again with: snapexport wait {provider}/{id}"
        ))
    }

    /// Time is up: what was never seen is lost, the rest goes on.
    fn give_up(
        self,
        now: Instant,
        done: &mut Vec<(usize, Outcome)>,
        listener: &mut impl FnMut(Event<'_>),
    ) {
        let verdicts: Vec<Option<Error>> = self
            .open
            .iter()
            .map(|open| {
                let error = self.last_miss.clone().filter(|_| open.contact.is_none())?;
                Some(self.lost_contact(open, error, now - self.started))
            })
            .collect();
        for (open, verdict) in self.open.into_iter().zip(verdicts) {
            let outcome = match verdict {
                Some(error) => {
                    listener(Event::Lost {
                        index: open.index,
                        error: &error,
                    });
                    Outcome::Lost(open.task, error)
                }
                None => Outcome::UnderWay(open.task),
            };
            done.push((open.index, outcome));
        }
    }
}

enum Verdict {
    /// A miss; look again.
    Tolerated(Error),
    /// Not listed yet, as new tasks may be.
    Expected,
    /// The wait for this task is over.
    Final(Error),
}

impl Open {
    /// Takes a sighting; true if anything a person would see is new.
    fn see(&mut self, mut task: Task, now: Instant, listener: &mut impl FnMut(Event<'_>)) -> bool {
        task.inherit(&self.task);
        let is_new = self.contact.is_none() || is_different(&self.task, &task);
        self.contact = Some(now);
        self.task = task;
        if let Some(percent) = self.task.percent() {
            self.estimate.get_or_insert(Estimate {
                since: now,
                from: percent,
            });
        }
        if is_new {
            let remaining = self.remaining(now);
            listener(Event::Changed {
                index: self.index,
                task: &self.task,
                remaining,
            });
        }
        is_new
    }

    fn remaining(&self, now: Instant) -> Option<Duration> {
        self.estimate?.remaining(now, self.task.percent()?)
    }
}

fn is_different(old: &Task, new: &Task) -> bool {
    old.state != new.state
        || old.provider_state != new.provider_state
        || old.progress != new.progress
        || old.message != new.message
        || old.error != new.error
        || old.artifact != new.artifact
}

/// The pace of a percentage since it was first seen.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    since: Instant,
    from: u8,
}

impl Estimate {
    /// Time to 100 %, if the percentage has moved.
    fn remaining(self, now: Instant, percent: u8) -> Option<Duration> {
        let moved = percent.checked_sub(self.from).filter(|moved| *moved > 0)?;
        Some((now - self.since).mul_f64(f64::from(100 - percent.min(100)) / f64::from(moved)))
    }
}

/// A number from 0.0 to 1.0 that differs between processes and moments.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0u8) % 1000) as f64 / 1000.0
}
