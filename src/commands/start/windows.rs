//! How long a cloud may take to list a new task, and all the times that follow from it.

use std::time::Duration;

use jiff::Timestamp;

use crate::commands::context::Context;
use crate::journal::Intent;
use crate::provider::Provider;

/// A lost start that the cloud does not list is given up after this many times the visibility delay, which no cloud promises.
const CLOSING: u32 = 10;
/// Polls for a task that may have been lost, spread over the visibility delay.
const POLLS: u32 = 6;
/// The longest time between two looks at what another process does.
const GLANCE: Duration = Duration::from_millis(200);

/// The times that follow from a cloud's visibility delay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// How long a new task may usually be missing from the cloud's lists: what is set, else what the cloud is known for.
    pub(crate) visibility: Duration,
    usual: Duration,
}

impl Windows {
    /// Those of a cloud.
    pub(crate) fn of(context: &Context, provider: &dyn Provider) -> Self {
        let usual = provider.capabilities().visibility;
        Windows {
            visibility: context.visibility.unwrap_or(usual),
            usual,
        }
    }

    /// How long a task that was started may be missing before it is not found. What is set may be longer than usual, never shorter.
    pub(crate) fn may_be_missing(self) -> Duration {
        self.visibility.max(self.usual)
    }

    /// How long an open start is worth waiting for: what is left of the visibility delay.
    pub(super) fn until_listed(self, intent: &Intent) -> Duration {
        self.visibility.saturating_sub(age(intent.made_at))
    }

    /// Whether a task that was started then may usually be missing. One from the future (a clock was set back) may not.
    pub(super) fn is_fresh(self, started_at: Timestamp) -> bool {
        Duration::try_from(Timestamp::now().duration_since(started_at))
            .is_ok_and(|age| age < self.visibility)
    }

    /// Whether a task that was started then would be listed by now, however late.
    pub(super) fn is_closed(self, started_at: Timestamp) -> bool {
        age(started_at) >= self.visibility * CLOSING
    }

    /// When an open start counts as never executed, if the cloud does not list it.
    pub(crate) fn closes_at(self, intent: &Intent) -> Timestamp {
        let sent_at = intent.made_at.min(Timestamp::now());
        sent_at
            .checked_add(self.visibility * CLOSING)
            .unwrap_or(sent_at)
    }

    /// Between two polls for a task that is not listed.
    pub(super) fn pause(self) -> Duration {
        self.visibility / POLLS
    }

    /// Between two looks at what another process does.
    pub(super) fn glance(self) -> Duration {
        self.pause().min(GLANCE)
    }
}

/// Zero for what seems to come: a clock was set back since.
fn age(time: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(time)).unwrap_or_default()
}
