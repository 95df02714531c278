//! When a command has to be over: the time given with `--timeout`, as a moment.

use std::time::Duration;

use tokio::time::Instant;

use crate::pace;

/// What a poll that is made at the deadline is given to be answered, and a command of the user's to end.
const GRACE: Duration = Duration::from_millis(1500);
/// The same where the limit is zero: one poll, which takes as long as polls take.
const ONE_POLL: Duration = Duration::from_secs(10);

/// One deadline for a whole command, counted from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    at: Instant,
    end: Instant,
}

impl Deadline {
    /// So long from now.
    pub fn after(limit: Duration) -> Self {
        let at = Instant::now() + limit;
        let grace = if limit.is_zero() { ONE_POLL } else { GRACE };
        let end = at + pace::limit(grace);
        Deadline { at, end }
    }

    /// When the last poll is made.
    pub fn at(self) -> Instant {
        self.at
    }

    /// When what comes before the first poll is given up.
    pub fn of_preparations(self) -> Instant {
        self.end - pace::limit(GRACE)
    }

    /// When nothing is waited for any longer.
    pub fn end(self) -> Instant {
        self.end
    }
}
