//! What the poller knows of the tasks of one account, and what each look adds to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    Event, Group, LONGEST_LOOK, Outcome, PATIENCE_AFTER_CONTACT, PATIENCE_BEFORE_CONTACT, Question,
    Renew,
};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::pace::{Pace, Seen, limit, pause};
use crate::provider::Provider;
use crate::task::{State, Task};
use crate::text;

/// What is known of a group.
pub(super) struct Ledger<'a> {
    pub(super) provider: Arc<dyn Provider>,
    renew: Option<Renew<'a>>,
    pace: Pace,
    pub(super) open: Vec<Open>,
    /// When the last look ended, and the pause that was planned after it.
    looked: Instant,
    planned: Duration,
    idle_looks: u32,
    misses: u32,
    retry_after: Option<Duration>,
    remaining: Option<Duration>,
    last_miss: Option<Error>,
}

/// A task that has not ended.
pub(super) struct Open {
    pub(super) index: usize,
    pub(super) task: Task,
    may_be_missing_until: Instant,
    /// Seen at least once in this wait.
    pub(super) has_contact: bool,
    /// Seen under way, in this wait or before: one "not found" is not its end.
    was_seen: bool,
    /// Known for longer than a new task may be missing.
    is_old: bool,
    /// When it was last seen in this wait.
    seen_at: Option<Timestamp>,
    /// Since when its provider does not know it, and what it said last.
    missing: Option<(Instant, Error)>,
    /// Time without an answer, as far as this process was awake to ask.
    silent: Duration,
    estimate: Option<Estimate>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(group: Group<'a>, interval: Option<Duration>) -> Self {
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
                    was_seen: matches!(watched.task.state, State::Running | State::Stalled),
                    task: watched.task,
                    may_be_missing_until: started + watched.may_be_missing,
                    has_contact: watched.is_fresh,
                    is_old: watched.may_be_missing >= limit(capabilities.visibility),
                    seen_at: None,
                    missing: None,
                    silent: Duration::ZERO,
                    estimate: None,
                })
                .collect(),
            provider: group.provider,
            renew: group.renew,
            looked: started,
            planned: group.first_look,
            idle_looks: 0,
            misses: 0,
            retry_after: None,
            remaining: None,
            last_miss: None,
        }
    }

    pub(super) fn question(&self) -> Question<'a> {
        let known = self.open.iter().map(|open| open.task.clone()).collect();
        Question {
            provider: self.provider.clone(),
            renew: self.renew.clone(),
            known,
        }
    }

    /// The pause before the next look.
    pub(super) fn pause(&mut self) -> Duration {
        let seen = Seen {
            idle_looks: self.idle_looks,
            misses: self.misses,
            retry_after: self.retry_after,
            remaining: self.remaining,
        };
        let planned = pause(self.pace, seen, jitter());
        // Whoever was never in contact is to know within the time promised.
        let is_in_contact = self.open.iter().any(|open| open.has_contact);
        self.planned = if is_in_contact {
            planned
        } else {
            planned.min(limit(PATIENCE_BEFORE_CONTACT))
        };
        self.planned
    }

    /// Says when the next look is due.
    pub(super) fn tell_plan(&self, due: Instant, listener: &mut impl FnMut(Event<'_>)) {
        let indices: Vec<usize> = self.open.iter().map(|open| open.index).collect();
        listener(Event::Planned {
            indices: &indices,
            has_answered: self.misses == 0 && self.open.iter().any(|open| open.has_contact),
            pause: due.saturating_duration_since(Instant::now()),
        });
    }

    /// Enters the result of a look; what is over moves to `done`.
    pub(super) fn enter(
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
        let awake = (now - self.looked).min(self.planned + LONGEST_LOOK);
        self.looked = now;
        let mut silent_for = self
            .open
            .iter()
            .map(|open| open.silent)
            .max()
            .unwrap_or_default();
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
                Err(error) => match self.verdict(open.missed(awake, &error, now), error, now) {
                    Verdict::Tolerated(error) => {
                        silent_for = silent_for.max(open.silent);
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
            Kind::NotFound if open.was_seen => {
                let delay = limit(self.provider.capabilities().visibility);
                let since = open.missing.as_ref().map_or(now, |(since, _)| *since);
                let until = open.may_be_missing_until.max(since + delay);
                return match now < until {
                    true => Verdict::Tolerated(error),
                    false => Verdict::Final(self.gone(open, error)),
                };
            }
            Kind::NotFound if now < open.may_be_missing_until => return Verdict::Expected,
            Kind::NotFound | Kind::Credentials | Kind::Permission | Kind::Usage => {
                return Verdict::Final(open.task.named_in(error));
            }
            _ => {}
        }
        let patience = if open.has_contact {
            PATIENCE_AFTER_CONTACT
        } else {
            PATIENCE_BEFORE_CONTACT
        };
        if open.silent < limit(patience) {
            return Verdict::Tolerated(error);
        }
        Verdict::Final(self.lost_contact(open, error))
    }

    /// A task that was seen and is missing now.
    fn gone(&self, open: &Open, error: Error) -> Error {
        let at = open.seen_at.map_or_else(String::new, |at| {
            format!(
                " when it was last seen, at {}",
                text::moment(at, Timestamp::now())
            )
        });
        error.context(format!(
            "The task {} was {}{at}, and {} does not know it now",
            open.task.qualified(),
            open.task.state,
            self.provider.id()
        ))
    }

    fn lost_contact(&self, open: &Open, error: Error) -> Error {
        let (provider, id) = (self.provider.id(), &open.task.id);
        let span = text::in_words(open.silent);
        let sentence = if open.has_contact {
            format!(
                "Contact with {provider} was lost {span} ago; {id} was {} then",
                open.task.state
            )
        } else {
            format!("No contact with {provider} in {span}; nothing is known of {id}")
        };
        error.context(sentence).hint(
            Hint::say("the task is not affected; try again with: ")
                .and_run(Command::from("snapexport wait").arg(open.task.qualified())),
        )
    }

    /// Time is up: what was never seen is lost, the rest goes on.
    pub(super) fn give_up(
        self,
        done: &mut Vec<(usize, Outcome)>,
        listener: &mut impl FnMut(Event<'_>),
    ) {
        let verdicts: Vec<Option<Error>> = self
            .open
            .iter()
            .map(|open| {
                if let Some((_, error)) = open
                    .missing
                    .clone()
                    .filter(|_| open.was_seen || open.is_old)
                {
                    let mut error = self.gone(open, error);
                    error.kind = Kind::Timeout;
                    let wait = Command::from("snapexport wait").arg(open.task.qualified());
                    return Some(error.hint(
                        Hint::say("one answer is not the end; ask again with: ").and_run(wait),
                    ));
                }
                let error = self.last_miss.clone()?;
                (!open.has_contact).then(|| self.lost_contact(open, error))
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
    /// Counts a look that did not find it.
    fn missed(&mut self, awake: Duration, error: &Error, now: Instant) -> &Self {
        self.silent += awake;
        if error.kind == Kind::NotFound {
            let since = self.missing.as_ref().map_or(now, |(since, _)| *since);
            self.missing = Some((since, error.clone()));
        }
        self
    }

    /// Takes a sighting; true if anything a person would see is new.
    fn see(&mut self, mut task: Task, now: Instant, listener: &mut impl FnMut(Event<'_>)) -> bool {
        task.inherit(&self.task);
        task.seen_at(Timestamp::now());
        let is_new = !self.has_contact || is_different(&self.task, &task);
        self.has_contact = true;
        self.seen_at = Some(Timestamp::now());
        self.was_seen = true;
        self.missing = None;
        self.silent = Duration::ZERO;
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
