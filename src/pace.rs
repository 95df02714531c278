//! When to look next: a pure function of what has been seen. And how long time limits are.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How many times shorter than written a time limit is.
static HASTE: AtomicU32 = AtomicU32::new(1);

/// Shortens the time limits of this process, for tests and rehearsals that are not to sit one out. Not the pauses between
/// looks and attempts, which spare the clouds, and not what the user or a cloud asks for.
pub(crate) fn hasten(by: u32) {
    HASTE.store(by.max(1), Ordering::Relaxed);
}

/// A time limit as it holds in this process.
pub(crate) fn limit(written: Duration) -> Duration {
    written / HASTE.load(Ordering::Relaxed)
}

/// What has been seen of a group of tasks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Looks since anything last changed.
    pub idle_looks: u32,
    /// Failed looks in a row.
    pub misses: u32,
    /// How long the provider asked to be left alone.
    pub retry_after: Option<Duration>,
    /// When the first of them may end, by its own progress.
    pub remaining: Option<Duration>,
}

/// The bounds of a provider, or the user's own pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// From the shortest, after a change, to the longest, with patience.
    Between(Duration, Duration),
    /// Always this.
    Fixed(Duration),
}

/// The pause before the next look. `jitter` from 0.0 to 1.0 spreads clients by a tenth to either side.
///
/// Grows by half with every look that shows nothing new, doubles with every miss, shortens towards the estimated end;
/// never under what the provider asked for.
pub fn pause(pace: Pace, seen: Seen, jitter: f64) -> Duration {
    let asked = seen.retry_after.unwrap_or_default();
    let (min, max) = match pace {
        Pace::Fixed(interval) => return interval.max(asked),
        Pace::Between(min, max) => (min, max),
    };
    let factor = if seen.misses > 0 {
        2f64.powi(seen.misses.min(16) as i32)
    } else {
        1.5f64.powi(seen.idle_looks.min(16) as i32)
    };
    let patient = min.mul_f64(factor).min(max);
    let hopeful = match seen.remaining {
        Some(remaining) if seen.misses == 0 => patient.min(remaining.max(min)),
        _ => patient,
    };
    hopeful
        .mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
        .max(asked)
}

#[cfg(test)]
mod tests;
