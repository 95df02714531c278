//! When calls for starts go out on one account: at the cloud's rate, after the pauses that it asks for, within `--timeout`.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::deadline::Deadline;
use crate::error::{Error, Kind, Result};
use crate::options::Limit;
use crate::pace;
use crate::text;

/// How long a cloud that throttles is asked again where `--timeout` does not say.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// The pause after a throttled call, in pauses between two starts: a second at five a second. It doubles each time,
const FIRST_PAUSE: u32 = 5;
/// up to this.
const LONGEST_PAUSE: u32 = 150;

/// The turns of all starts on one account.
pub(super) struct Turns {
    /// Between two starts.
    pause: Duration,
    limit: Limit,
    deadline: Option<Deadline>,
    /// When the next call may go out.
    next: Cell<Instant>,
    throttled: Cell<Option<Throttled>>,
    /// The cloud asks for more time than there is: nothing more is sent.
    closed: RefCell<Option<Error>>,
}

/// An account that is asked for too much.
#[derive(Clone, Copy)]
struct Throttled {
    since: Instant,
    until: Instant,
    /// Pauses so far; calls that were under way at once count once.
    rounds: u32,
}

impl Turns {
    /// With so long between two starts. The limit bounds all of them together; zero repeats no throttled call.
    pub(super) fn new(pause: Duration, (limit, deadline): (Limit, Option<Deadline>)) -> Self {
        Turns {
            pause,
            limit,
            deadline,
            next: Cell::new(Instant::now()),
            throttled: Cell::default(),
            closed: RefCell::default(),
        }
    }

    /// Waits until the next call may go out. An error where none may any more.
    pub(super) async fn take(&self) -> Result<()> {
        loop {
            if let Some(error) = &*self.closed.borrow() {
                return Err(error.clone());
            }
            let now = Instant::now();
            let held = self.throttled.get().map_or(now, |held| held.until);
            let at = self.next.get().max(held);
            if at <= now {
                self.next.set(now + self.pause);
                return Ok(());
            }
            sleep_until(at).await;
        }
    }

    /// Resolves when `--timeout` has passed; never without one.
    pub(super) async fn over(&self) {
        self.until(Deadline::at).await;
    }

    /// The same for a call that has left: its reply is better waited for.
    pub(super) async fn over_for_replies(&self) {
        self.until(Deadline::end).await;
    }

    async fn until(&self, moment: impl Fn(Deadline) -> Instant) {
        // Of a wait, zero means one look; of a start, one attempt.
        match self
            .deadline
            .filter(|_| self.limit != Limit::After(Duration::ZERO))
        {
            Some(deadline) => sleep_until(moment(deadline)).await,
            None => pending().await,
        }
    }

    /// The limit in words, where there is one.
    pub(super) fn words(&self) -> String {
        match self.limit {
            Limit::After(limit) => text::duration(limit),
            Limit::None => text::duration(pace::limit(PATIENCE)),
        }
    }

    /// A call was answered: the cloud does not throttle any more, unless another call has met that meanwhile.
    pub(super) fn answered(&self) {
        let held = self.throttled.get();
        if held.is_some_and(|held| held.until <= Instant::now()) {
            self.throttled.set(None);
        }
    }

    /// Holds all calls back after one that was throttled. Gives the pause where it is a new one; the error back, with the
    /// time in words, where it would end too late.
    pub(super) fn hold(&self, error: Error) -> Result<Option<Duration>> {
        let now = Instant::now();
        let held = self.throttled.get().unwrap_or(Throttled {
            since: now,
            until: now,
            rounds: 0,
        });
        let is_new = held.until <= now;
        let rounds = held.rounds + u32::from(is_new);
        let asked = error.details.asked_pause.or(error.details.retry_after);
        let pause = asked.unwrap_or_else(|| self.own_pause(rounds));
        let patience = held.since + pace::limit(PATIENCE);
        let end = self.deadline.map_or(patience, Deadline::at);
        if now + pause > end {
            let error = self.too_long(error, asked);
            self.closed.replace(Some(error.clone()));
            return Err(error);
        }
        self.throttled.set(Some(Throttled {
            until: held.until.max(now + pause),
            rounds,
            ..held
        }));
        Ok(is_new.then_some(pause))
    }

    fn own_pause(&self, rounds: u32) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << rounds.saturating_sub(1).min(16));
        self.pause * doubled.min(LONGEST_PAUSE)
    }

    fn too_long(&self, error: Error, asked: Option<Duration>) -> Error {
        let limit = self.words();
        let sentence = match asked {
            Some(asked) => format!(
                "The cloud asks for a pause of {}, longer than the {limit} that are waited",
                text::duration(asked)
            ),
            None => format!("The cloud still throttles after the {limit} that are waited"),
        };
        let more = asked
            .map_or(Duration::ZERO, |asked| asked * 2)
            .max(PATIENCE * 2);
        error.context(sentence).hint(format!(
            "--timeout {} waits longer; the same command again starts only what was not started",
            text::duration(more).replace(' ', "")
        ))
    }
}

/// Whether the cloud refused a call only because there were too many, or asks to come back later.
pub(super) fn is_throttled(error: &Error) -> bool {
    match error.kind {
        Kind::RateLimited => true,
        Kind::Unavailable => error.details.retry_after.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
