//! What `doctor` asks of a cloud, and what it is told: one line for each thing that must be right.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::Serialize;

use super::place::Place;
use crate::error::{Command, Error, Hint, Kind};
use crate::http::{Contact, Http};
use crate::settings::{Setting, Sources, open_file_warning};
use crate::task::ProviderId;
use crate::text;

/// What is to be checked beside the credentials.
#[derive(Clone, Copy, Debug)]
pub struct CheckRequest<'a> {
    /// Where settings come from.
    pub sources: &'a Sources,
    /// The place that exports are to go to, in the cloud's sense ([`super::PlaceOption`]).
    pub place: Option<&'a str>,
}

/// What was found about a cloud; about this machine, where no cloud is named.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The cloud.
    pub provider: Option<ProviderId>,
    /// What is used to reach it.
    pub settings: Vec<Setting>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

impl Sheet {
    /// What keeps it from working.
    pub fn problems(&self) -> impl Iterator<Item = &Check> {
        let is_problem = |check: &&Check| check.verdict == Verdict::Problem;
        self.checks.iter().filter(is_problem)
    }

    /// Whether nothing does.
    pub fn is_ok(&self) -> bool {
        self.problems().next().is_none()
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Exports work, but something may surprise.
    Warning,
    /// Exports will not work.
    Problem,
    /// It cannot be known, or was not looked at.
    Unknown,
}

impl Verdict {
    /// The word for it, on the sheet and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
            Verdict::Unknown => "unknown",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// What: `reachable`, `accepted`, `clock`, …
    pub name: &'static str,
    /// How it came out.
    #[serde(rename = "result")]
    pub verdict: Verdict,
    /// What was found, in a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub hint: Option<Hint>,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Check {
            name,
            verdict,
            message: message.into(),
            hint: None,
        }
    }

    /// As it should be.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Check::new(name, Verdict::Ok, message)
    }

    /// Something that may surprise.
    pub fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Check::new(name, Verdict::Warning, message)
    }

    /// Something that keeps exports from working.
    pub fn problem(name: &'static str, message: impl Into<String>) -> Self {
        Check::new(name, Verdict::Problem, message)
    }

    /// Something that cannot be known.
    pub fn unknown(name: &'static str, message: impl Into<String>) -> Self {
        Check::new(name, Verdict::Unknown, message)
    }

    /// An error as a problem: its sentence with the causes, and its hints.
    pub fn failed(name: &'static str, error: &Error) -> Self {
        let code = error.details.code.as_deref();
        let code = code.map_or_else(String::new, |code| format!(" (code {code})"));
        let hints = &error.details.hints;
        let hint = match hints.as_slice() {
            [] => Hint::run("snapexport doctor -v").and(" shows what was asked and answered"),
            [first, more @ ..] => more
                .iter()
                .fold(first.clone(), |all, hint| all.and("; ").and_hint(hint)),
        };
        Check {
            hint: Some(hint),
            ..Check::problem(name, format!("{}{code}", error.one_line()))
        }
    }

    /// The same finding, taken less seriously.
    #[must_use]
    pub fn as_warning(self) -> Self {
        let verdict = Verdict::Warning;
        Check { verdict, ..self }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What the first request to a cloud tells.
pub struct FirstContact {
    /// `reachable` and `accepted`.
    pub checks: Vec<Check>,
    /// Why nothing more can be asked; `None` where the credentials are good.
    pub closed: Option<&'static str>,
}

/// Reads reachability and acceptance off the first request; `who` is what its success says about the caller.
pub fn first_contact(host: &str, http: &Http, outcome: Result<String, &Error>) -> FirstContact {
    let answers = || Check::ok("reachable", format!("{host} answers"));
    let (reachable, accepted, closed) = match outcome {
        Ok(who) => (answers(), Check::ok("accepted", who), None),
        Err(error) => match error.kind {
            Kind::Permission => {
                let message = "the credentials are good, but may not do everything";
                (answers(), Check::ok("accepted", message), None)
            }
            Kind::Credentials => {
                let reachable = if http.contact().is_some() {
                    answers()
                } else {
                    Check::unknown("reachable", "not checked: there is nothing to send")
                };
                let why = "not checked: the credentials are not accepted";
                (reachable, Check::failed("accepted", error), Some(why))
            }
            Kind::RateLimited => {
                let why = "not checked: too many requests";
                let accepted = Check::unknown("accepted", why).hint("try again in a minute");
                (answers(), accepted, Some(why))
            }
            Kind::Usage => {
                let why = "not checked: the settings do not fit the account";
                (
                    Check::failed("reachable", error),
                    Check::unknown("accepted", why),
                    Some(why),
                )
            }
            // What came was no answer of this cloud's, but it came: the way there is not what is wrong.
            kind if kind != Kind::Network && http.contact().is_some() => {
                let why = "not checked: the cloud did not answer as it should";
                (answers(), Check::failed("accepted", error), Some(why))
            }
            _ => {
                let why = "not checked: the cloud cannot be reached";
                (
                    Check::failed("reachable", error),
                    Check::unknown("accepted", why),
                    Some(why),
                )
            }
        },
    };
    FirstContact {
        checks: vec![reachable, accepted],
        closed,
    }
}

/// How far a clock may be off before a cloud refuses what it signs.
#[derive(Clone, Copy, Debug)]
pub struct ClockLimits {
    /// Ahead of the cloud's.
    pub ahead: SignedDuration,
    /// Behind the cloud's.
    pub behind: SignedDuration,
}

/// A clock that is off by this much is worth a word, also where it is not refused.
const WORTH_A_WORD: SignedDuration = SignedDuration::from_secs(60);

/// Compares this machine's clock with the cloud's. `None` for limits: nothing is refused for its time.
pub fn clock(contact: Option<Contact>, limits: Option<ClockLimits>) -> Check {
    const NAME: &str = "clock";
    let Some(skew) = contact.and_then(|contact| contact.skew) else {
        return Check::unknown(NAME, "the cloud did not tell its time");
    };
    let size = skew.abs();
    let side = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    if size.as_secs() == 0 {
        return Check::ok(NAME, "this machine's clock goes as the cloud's does");
    }
    let span = text::in_words(size.unsigned_abs());
    let message = format!("this machine's clock is {span} {side} the cloud's");
    let set = Hint::say("set the clock, or let it be set (for instance ")
        .and_run("timedatectl set-ntp true")
        .and(")");
    let limit = limits.map(|limits| {
        if skew.is_negative() {
            limits.behind
        } else {
            limits.ahead
        }
    });
    match limit {
        Some(limit) if size > limit => {
            let why = format!(
                "{message}; more than {} is refused like a wrong key",
                text::in_words(limit.unsigned_abs())
            );
            Check::problem(NAME, why).hint(set)
        }
        Some(limit) if size.as_secs() * 2 >= limit.as_secs() => {
            let why = format!(
                "{message}; up to {} is accepted",
                text::in_words(limit.unsigned_abs())
            );
            Check::warning(NAME, why).hint(set)
        }
        _ if size > WORTH_A_WORD => Check::warning(NAME, message).hint(set),
        _ => Check::ok(NAME, message),
    }
}

/// Whether a region is known. New ones appear, so another is no problem.
pub fn region(region: &str, known: &[&str]) -> Check {
    const NAME: &str = "region";
    if region.is_empty() {
        return Check::unknown(NAME, "not known before a login");
    }
    if known.iter().any(|known| known.eq_ignore_ascii_case(region)) {
        return Check::ok(NAME, format!("{region} is a region, no availability zone"));
    }
    Check::warning(
        NAME,
        format!("{region} is no region that this version knows"),
    )
    .hint(format!(
        "check its spelling; known are {}",
        known.join(", ")
    ))
}

/// Whether the files in which secrets may stand are closed to others.
pub fn files(paths: &[PathBuf]) -> Check {
    const NAME: &str = "files";
    let there: Vec<String> = paths
        .iter()
        .filter(|path| path.is_file())
        .map(|path| path.display().to_string())
        .collect();
    let open: Vec<String> = paths
        .iter()
        .filter(|path| open_file_warning(path).is_some())
        .map(|path| path.display().to_string())
        .collect();
    match (&open[..], &there[..]) {
        ([], []) => Check::ok(NAME, "no file with secrets is used"),
        ([], _) => Check::ok(NAME, format!("only you can read {}", there.join(", "))),
        (open, _) => Check::warning(NAME, format!("others may read {}", open.join(", ")))
            .hint(Hint::run(Command::from("chmod 600").args(open))),
    }
}

/// What comes of looking at all the places where credentials stand: the first is used, the others may be another account's.
///
/// `advice` is about other tools, which may choose otherwise. `None` where nothing tells whom the first speaks for: then
/// nobody can say that another leads elsewhere, and what is wrong with a broken one `doctor` says in any case.
pub(crate) fn rivals<'s, T: 's>(
    places: impl IntoIterator<Item = Place<'s, T>>,
    advice: &str,
) -> Option<Check> {
    const NAME: &str = "sources";
    let mut places = places.into_iter();
    let first = places.next()?;
    let (used, who) = (first.origin, first.who?);
    let others: Vec<String> = places
        .filter_map(|place| Some((place.origin, place.who?)))
        .filter(|(_, other)| *other != who)
        .map(|(origin, other)| format!("{origin:#} ({other})"))
        .collect();
    if others.is_empty() {
        return Some(Check::ok(
            NAME,
            format!("{used:#}; nothing else says otherwise"),
        ));
    }
    let others = others.join(" and ");
    let message = format!("{used:#} ({who}) is used; {others} would lead elsewhere");
    Some(Check::warning(NAME, message).hint(advice))
}

#[cfg(test)]
mod tests;
