//! Which of the things that are listed are shown: by age and by name. By state, each command has its own words.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use crate::options::parse_span;
use crate::provider;
use crate::report::Printer;
use crate::task::{Source, Task};

/// By age and by name; the same for snapshots, images and tasks.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Filters")]
pub struct Filter {
    /// Only what was made, or a task that was started, after this: an age (12h, 7d, 2w) or a date (2026-01-31, or with a time as 2026-01-31T08:00:00Z; UTC unless an offset as +01:00 follows)
    #[arg(long, value_name = "AGE|DATE", value_parser = parse_moment, allow_hyphen_values = true)]
    pub newer_than: Option<Moment>,
    /// Only what was made, or a task that was started, before this: an age or a date, as for --newer-than
    #[arg(long, value_name = "AGE|DATE", value_parser = parse_moment, allow_hyphen_values = true)]
    pub older_than: Option<Moment>,
    /// Only what has such an id or name, a task also such a snapshot, bucket or container; * stands for any text, ? for one character. Repeatable
    #[arg(long, value_name = "PATTERN")]
    pub name: Vec<String>,
}

/// A point in time, as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long ago.
    Ago(SignedDuration),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// The time it means now.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::Ago(age) => now.checked_sub(age).unwrap_or(Timestamp::MIN),
            Moment::At(time) => time,
        }
    }
}

/// Reads an age, a date (its first moment) or a date with time, each in UTC unless it has an offset.
fn parse_moment(typed: &str) -> Result<Moment, String> {
    let typed = typed.trim();
    if let Ok(time) = typed.parse::<Timestamp>() {
        return Ok(Moment::At(time));
    }
    // A civil time would be read with a zone or an offset behind it ignored.
    if let Ok(civil) = typed.parse::<DateTime>() {
        if has_zone(typed) {
            return Err("write the time with its offset, as 2026-01-31T09:00:00+01:00".to_owned());
        }
        let time = civil.to_zoned(TimeZone::UTC).map_err(|e| e.to_string())?;
        return Ok(Moment::At(time.timestamp()));
    }
    let like = "write an age like 12h, 7d or 2w, or a date like 2026-01-31";
    let age = parse_span(typed, ['d', 'h'], like)?;
    Ok(Moment::Ago(
        SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX),
    ))
}

/// Whether a date says more than date and time.
fn has_zone(date: &str) -> bool {
    let time = date.get("2026-01-31".len()..).unwrap_or_default();
    time.contains(['[', '+', '-'])
}

/// What can be filtered.
pub trait Listed {
    /// Under which names it is known.
    fn names(&self) -> Vec<String>;
    /// When it was made or started.
    fn made_at(&self) -> Option<Timestamp>;
}

impl Listed for Source {
    fn names(&self) -> Vec<String> {
        [Some(self.id.clone()), self.name.clone()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn made_at(&self) -> Option<Timestamp> {
        self.created_at
    }
}

impl Listed for Task {
    fn names(&self) -> Vec<String> {
        let (words, place) = match provider::goal(self) {
            Some(goal) => (Some(goal.words), goal.place),
            None => (None, None),
        };
        [
            Some(self.id.to_string()),
            self.snapshot.clone(),
            words,
            place,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn made_at(&self) -> Option<Timestamp> {
        self.created_at
    }
}

impl Filter {
    /// Whether it asks for an age.
    pub fn has_age(&self) -> bool {
        self.newer_than.is_some() || self.older_than.is_some()
    }

    /// Whether the name fits one of the patterns, if there are any.
    pub fn fits_name(&self, listed: &impl Listed) -> bool {
        let names = listed.names();
        self.name.is_empty()
            || self
                .name
                .iter()
                .any(|pattern| names.iter().any(|name| fits(pattern, name)))
    }

    /// Whether the age fits; `None` where one is asked for and nobody knows it.
    pub fn fits_age(&self, listed: &impl Listed, now: Timestamp) -> Option<bool> {
        if !self.has_age() {
            return Some(true);
        }
        let made_at = listed.made_at()?;
        let is_newer = self.newer_than.is_none_or(|then| made_at >= then.at(now));
        let is_older = self.older_than.is_none_or(|then| made_at < then.at(now));
        Some(is_newer && is_older)
    }

    /// Keeps what passes, `is_wanted` included; says what is left out for want of a date, and if nothing is left at all.
    pub(crate) fn sift<T: Listed>(
        &self,
        items: Vec<T>,
        is_wanted: impl Fn(&T) -> bool,
        printer: &Printer,
    ) -> Vec<T> {
        let (now, total) = (Timestamp::now(), items.len());
        let mut undated = 0;
        let kept: Vec<T> = items
            .into_iter()
            .filter(|item| self.fits_name(item) && is_wanted(item))
            .filter(|item| {
                let fits = self.fits_age(item, now);
                undated += usize::from(fits.is_none());
                fits == Some(true)
            })
            .collect();
        say_left_out(printer, undated);
        if kept.is_empty() && total > 0 {
            say_nothing_matches(printer, total);
        }
        kept
    }
}

/// What has no date cannot be called new or old.
pub(crate) fn say_left_out(printer: &Printer, undated: usize) {
    if undated > 0 {
        printer.note(format!(
            "Left out, because nobody says when: {}",
            match undated {
                1 => "1 entry".to_owned(),
                many => format!("{many} entries"),
            }
        ));
    }
}

/// An empty answer is one that a person wants to have explained.
pub(crate) fn say_nothing_matches(printer: &Printer, total: usize) {
    printer.note(format!("Nothing matches the filters, of {total} in all."));
}

/// Whether a pattern of `*` and `?` stands for the whole name.
fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when the characters after the last star turn out not to fit.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, n));
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((after_star, taken)) => {
                    (p, n) = (after_star, taken + 1);
                    retry = Some((after_star, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
