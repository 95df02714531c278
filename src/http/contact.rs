//! What a reply tells beside its content: that somebody answers, and what their clock says.

use jiff::{SignedDuration, Timestamp};

/// Somebody has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// How far this machine's clock is ahead of theirs, at least; negative where it is behind. `None` where they did not tell.
    pub skew: Option<SignedDuration>,
}

impl Contact {
    /// From the `Date` of a reply, and when its request was sent and it came, by this machine's clock.
    pub(super) fn of(date: Option<Timestamp>, sent: Timestamp, came: Timestamp) -> Self {
        let skew = date.map(|date| {
            // The header has whole seconds, and was written at some time between the two.
            let latest = date.saturating_add(SignedDuration::from_secs(1));
            let latest = latest.unwrap_or(date);
            if sent > latest {
                sent.duration_since(latest)
            } else if came < date {
                came.duration_since(date)
            } else {
                SignedDuration::ZERO
            }
        });
        Contact { skew }
    }
}

#[cfg(test)]
mod tests;
