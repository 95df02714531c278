//! The sandbox's own time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::shape::Shape;

/// The machine's clock, and how far the sandbox is ahead of it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_millis: AtomicU64,
}

impl Clock {
    /// Lets this much time pass at once.
    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// The moment that it is, in a sandbox where an export takes `duration` and leaves such things behind.
    pub(crate) fn moment(&self, duration: Duration, shape: Shape) -> Moment {
        let ahead = Duration::from_millis(self.ahead_millis.load(Ordering::Relaxed));
        let client = Timestamp::now();
        Moment {
            now: client.checked_add(ahead).unwrap_or(Timestamp::MAX),
            client,
            duration,
            shape,
        }
    }
}

/// What a cloud needs to know beside the request.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// The sandbox's time: what becomes of exports, tokens and locks goes by it, and each response bears it as its `Date`.
    pub(crate) now: Timestamp,
    /// The time on the clients' clocks.
    pub(crate) client: Timestamp,
    /// How long an export takes.
    pub(crate) duration: Duration,
    /// What exports leave behind.
    pub(crate) shape: Shape,
}

impl Moment {
    /// How far something started at `start` is: 0.0 at the start, 1.0 and more once an export's time has passed.
    pub(crate) fn fraction(&self, start: Timestamp) -> f64 {
        let elapsed = self.now.duration_since(start).as_secs_f64();
        elapsed / self.duration.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// How far a date is ahead that a client has signed: by its own clock, or by the sandbox's, as some do once they have read a `Date`.
    pub(crate) fn ahead(&self, signed_at: Timestamp) -> SignedDuration {
        let by = |clock| signed_at.duration_since(clock);
        let (theirs, ours) = (by(self.client), by(self.now));
        if ours.abs() < theirs.abs() {
            ours
        } else {
            theirs
        }
    }

    /// When something started at `start` has gone through `fraction` of an export's time.
    pub(crate) fn at(&self, start: Timestamp, fraction: f64) -> Timestamp {
        let offset = self.duration.mul_f64(fraction);
        start.checked_add(offset).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
impl Moment {
    /// A moment at which sandbox and clients agree on the time.
    pub(crate) fn new(now: Timestamp, duration: Duration) -> Self {
        Moment {
            now,
            client: now,
            duration,
            shape: Shape::default(),
        }
    }
}

#[cfg(test)]
mod tests;
