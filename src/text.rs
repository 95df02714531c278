//! Durations, sizes and ages as people write them. Pure functions.

use std::time::Duration;

use jiff::Timestamp;

/// A year, in seconds.
const YEAR: u64 = 365 * 86_400;
/// Under this, days still say something.
const TWO_YEARS: u64 = 2 * YEAR;

/// `45s`, `3m05s`, `2h07m`, `3d04h`: two units at most.
pub(crate) fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{:02}s", seconds % 60),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// `14:05:09 UTC`, with its date where that is not today's.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> String {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let form = match day(at) == day(now) {
        true => "%H:%M:%S UTC",
        false => "%Y-%m-%d %H:%M:%S UTC",
    };
    at.strftime(form).to_string()
}

/// `1 second`, `90 seconds`, `23 hours`, `57 years`: the largest unit of which there are at least two, for sentences.
pub(crate) fn in_words(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [
        (YEAR, "year"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
    ];
    let seconds = span.as_secs();
    let unit = UNITS.iter().find(|(size, _)| seconds / size >= 2);
    let (size, noun) = unit.unwrap_or(&(1, "second"));
    count(usize::try_from(seconds / size).unwrap_or(usize::MAX), noun)
}

/// `512 B`, `1.5 MiB`, `10 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 10.0 && value.fract() >= 0.05);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// How long ago, as [`duration`] with one unit: `3m`, `2h`, `5d`, `4y`; a future time is `0s`.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        172_800..TWO_YEARS => format!("{}d", seconds / 86_400),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// The text cut to `width` columns, the cut marked.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

/// `1 task`, `3 tasks`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests;
