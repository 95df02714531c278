//! Options that several commands share, and how their values are read. No I/O.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{Span, SpanRelativeTo};

use crate::deadline::Deadline;
use crate::error::Error;

/// Options every command takes. What is not typed comes from the environment variable named in the help.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Use this profile of config.toml, or of the provider's own configuration [env: SNAPEXPORT_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Use this region [env: SNAPEXPORT_REGION]
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// How results are written to standard output [env: SNAPEXPORT_OUTPUT] [default: id for export, else table]
    #[arg(short, long, global = true, value_name = "FORM")]
    pub output: Option<Output>,
    /// Only ids on standard output, only errors on standard error [env: SNAPEXPORT_QUIET]
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Add the provider's own objects to JSON, as "raw" [env: SNAPEXPORT_RAW]
    #[arg(long, global = true)]
    pub raw: bool,
    /// Show progress: bars on a terminal, lines elsewhere; always: also with --quiet [env: SNAPEXPORT_PROGRESS] [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub progress: Option<When>,
    /// Use colours [env: SNAPEXPORT_COLOR, NO_COLOR, CLICOLOR_FORCE] [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<When>,
    /// Say what is asked of whom; repeat for headers and bodies. Secrets are masked [env: SNAPEXPORT_VERBOSE]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Use simulated clouds instead of real ones [env: SNAPEXPORT_SANDBOX]
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Read this configuration file [env: SNAPEXPORT_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Neither read nor write the journal of started exports; several processes at once may then start the same [env: SNAPEXPORT_NO_JOURNAL]
    #[arg(long, global = true)]
    pub no_journal: bool,
    /// Permit plain http to hosts other than this machine [env: SNAPEXPORT_ALLOW_HTTP]
    #[arg(long, global = true)]
    pub allow_http: bool,
}

/// Forms of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people; not a contract
    Table,
    /// One object per line
    Json,
    /// One id per line
    Id,
}

/// When to do something that depends on the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// As the terminal allows
    #[default]
    Auto,
    /// Whatever the terminal
    Always,
    /// Not at all
    Never,
}

/// How long a command may take that only asks.
#[derive(Clone, Copy, Debug, Args)]
pub struct Asking {
    /// Stop after this time (90s, 5m; none: no limit), whatever hangs
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_limit)]
    pub timeout: Limit,
}

/// How to wait: shared by `wait` and `export --wait`.
#[derive(Clone, Debug, Args)]
pub struct Waiting {
    /// Stop after this time (90s, 2h30m, 1d; 0: look once; none: no limit), whatever hangs. Exports that are under way go on
    #[arg(long, value_name = "DURATION", default_value = "none", value_parser = parse_limit)]
    pub timeout: Limit,
    /// Time between two looks; without it the tool chooses [env: SNAPEXPORT_INTERVAL]
    #[arg(long, value_name = "DURATION", value_parser = parse_interval)]
    pub interval: Option<Duration>,
    /// Write a line for every change as it happens; with -o json alone
    #[arg(long)]
    pub events: bool,
    /// Run this shell command for each task that ends, with the task in SNAPEXPORT_… variables and as JSON on its standard input
    #[arg(long, value_name = "COMMAND", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub on_done: Option<String>,
}

impl Waiting {
    /// Whether anything of it was typed that only means something where one waits.
    pub fn is_stated(&self) -> bool {
        self.interval.is_some() || self.events || self.on_done.is_some()
    }
}

/// A limit on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Exports take hours: wait on.
    None,
    /// Stop after this time; zero means one look.
    After(Duration),
}

impl Limit {
    /// When a command is to be over, if it begins now.
    pub fn deadline(self) -> Option<Deadline> {
        match self {
            Limit::None => None,
            Limit::After(limit) => Some(Deadline::after(limit)),
        }
    }
}

/// The error of a wish for events that the output has no place for.
pub(crate) fn events_without_json() -> Error {
    Error::usage("--events writes a line of JSON for every change, and JSON is not asked for")
        .hint("add -o json, or leave out --events")
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    match text.trim() {
        "none" => Ok(Limit::None),
        text => parse_duration(text).map(Limit::After),
    }
}

/// Parses an interval: a duration that is not zero.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("an interval of zero would ask without pause".into()),
        interval => Ok(interval),
    }
}

/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Parses a duration of ten years at most.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = parse_span(text, ['s', 'm'], "write it like 90s, 2h30m or 1d")?;
    // Clocks cannot add times without end.
    if duration > LONGEST {
        return Err("it is too long; ten years are the most".to_owned());
    }
    Ok(duration)
}

/// The one parser of durations and ages: `90s`, `2h30m`, `1d12h`, `2w`, `500ms`, `0`. A day has 24 hours, a week 7 days.
///
/// `units` are offered where one is missing, `like` where the text cannot be read.
pub(crate) fn parse_span(text: &str, units: [char; 2], like: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let [one, other] = units;
        return Err(format!(
            "a unit is missing; write {text}{one} or {text}{other}"
        ));
    }
    let span: Span = text.parse().map_err(|_| like.to_owned())?;
    if span.is_negative() {
        let positive = text.trim_start_matches('-');
        return Err(format!("it must not be negative; write {positive}"));
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "months and years differ in length; write days or weeks".to_owned())
}

#[cfg(test)]
mod tests;
