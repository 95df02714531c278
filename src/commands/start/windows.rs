//! How long a cloud may take to list a new task, and all the times that follow from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::commands::context::Context;
use crate::provider::Provider;

/// The times that follow from a cloud's visibility delay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// How long a new task may usually be missing from the cloud's lists: what is set, else what the cloud is known for.
    pub(super) visibility: Duration,
    /// How long a task whose id is known may be missing. What is set may be longer than usual, never shorter.
    pub(crate) may_be_missing: Duration,
    /// A lost start that is not listed is given up after this, which no cloud promises.
    pub(super) closing: Duration,
    /// Between two polls for a task that is not listed.
    pub(super) pause: Duration,
    /// Between two looks at what another process does.
    pub(super) glance: Duration,
}

impl Windows {
    /// Those of a cloud.
    pub(crate) fn of(context: &Context, provider: &dyn Provider) -> Self {
        let usual = provider.capabilities().visibility;
        let visibility = context.visibility.unwrap_or(usual);
        let pause = visibility / 6;
        Windows {
            visibility,
            may_be_missing: visibility.max(usual),
            closing: visibility * 10,
            pause,
            glance: pause.min(Duration::from_millis(200)),
        }
    }

    /// When an open start of this age counts as never executed, if the cloud does not list it.
    pub(super) fn closes_at(self, age: Duration) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.closing.saturating_sub(age))
            .unwrap_or(now)
    }
}

/// How long ago something was, by this machine's clock and by the cloud's, as far as that told its time. The shorter time
/// counts: neither a clock that jumps nor a `Date` that lies makes anything older than it is.
pub(super) fn age(
    ours: Timestamp,
    clouds: Option<Timestamp>,
    skew: Option<SignedDuration>,
) -> Duration {
    let now = Timestamp::now();
    // Zero for what seems to come: a clock was set back since.
    let since =
        |then, now: Timestamp| Duration::try_from(now.duration_since(then)).unwrap_or_default();
    let by_cloud = clouds.zip(skew).and_then(|(then, skew)| {
        let now = now.checked_sub(skew).ok()?;
        // The cloud tells its time in whole seconds.
        Some(since(then, now) + Duration::from_secs(1))
    });
    since(ours, now).min(by_cloud.unwrap_or(Duration::MAX))
}
