//! The one error type. Its [`Kind`] alone decides the exit code.

mod hint;

pub(crate) use hint::shell_word;
pub use hint::{Command, Hint, Part};

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A server that asks to be left alone for longer is asked again after this all the same: it may have meant milliseconds.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);
/// The longest pause that is told as it was asked for: a clock must still be able to add it.
const LONGEST_TOLD: Duration = Duration::from_secs(365 * 86_400);

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in the words of the JSON contract (`error.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Wrong usage or bad input; nothing was sent.
    Usage,
    /// Credentials are missing or were refused.
    Credentials,
    /// The credentials are good, but may not do this.
    Permission,
    /// The task, snapshot, bucket or container does not exist.
    NotFound,
    /// The provider's state forbids this now.
    Conflict,
    /// A limit of the account is reached.
    Quota,
    /// Too many requests; not executed.
    RateLimited,
    /// The provider is out of order for the moment; not executed.
    Unavailable,
    /// No contact with the provider.
    Network,
    /// `--timeout` passed; the task goes on.
    Timeout,
    /// A start whose outcome is not known.
    MaybeStarted,
    /// The task ended `failed` or `cancelled`.
    TaskFailed,
    /// The provider calls the task running but reports an error it will not recover from.
    Stalled,
    /// Ctrl-C or SIGTERM; the task goes on.
    Interrupted,
    /// The provider answered something it should not, or refused a value.
    Provider,
    /// A file on this machine is not what it must be.
    Corrupt,
    /// A defect or a local failure (disk, permissions).
    Internal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 17] = [
        Kind::Usage,
        Kind::Credentials,
        Kind::Permission,
        Kind::NotFound,
        Kind::Conflict,
        Kind::Quota,
        Kind::RateLimited,
        Kind::Unavailable,
        Kind::Network,
        Kind::Timeout,
        Kind::MaybeStarted,
        Kind::TaskFailed,
        Kind::Stalled,
        Kind::Interrupted,
        Kind::Provider,
        Kind::Corrupt,
        Kind::Internal,
    ];

    /// The process exit code, as `snapexport --help` documents it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Kind::Usage => 2,
            Kind::TaskFailed | Kind::Stalled => 3,
            Kind::Credentials | Kind::Permission => 4,
            Kind::NotFound => 5,
            Kind::MaybeStarted => 6,
            Kind::Timeout => 124,
            Kind::Interrupted => 130,
            Kind::Conflict
            | Kind::Quota
            | Kind::RateLimited
            | Kind::Unavailable
            | Kind::Network
            | Kind::Provider
            | Kind::Corrupt
            | Kind::Internal => 1,
        }
    }

    /// Whether the same read may succeed a moment later.
    pub const fn is_transient(self) -> bool {
        matches!(self, Kind::RateLimited | Kind::Unavailable | Kind::Network)
    }

    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::Credentials => "credentials",
            Kind::Permission => "permission",
            Kind::NotFound => "not_found",
            Kind::Conflict => "conflict",
            Kind::Quota => "quota",
            Kind::RateLimited => "rate_limited",
            Kind::Unavailable => "unavailable",
            Kind::Network => "network",
            Kind::Timeout => "timeout",
            Kind::MaybeStarted => "maybe_started",
            Kind::TaskFailed => "task_failed",
            Kind::Stalled => "stalled",
            Kind::Interrupted => "interrupted",
            Kind::Provider => "provider",
            Kind::Corrupt => "corrupt",
            Kind::Internal => "internal",
        }
    }
}

/// An exit code and what it means: for the help, the manual and the README alike.
pub struct ExitCode {
    /// The code; two that mean much the same stand together.
    pub codes: &'static [u8],
    /// Its meaning, with backticks around what is typed.
    pub meaning: &'static str,
}

impl ExitCode {
    /// Such as `130, 143`.
    pub fn numbers(&self) -> String {
        let numbers: Vec<String> = self.codes.iter().map(u8::to_string).collect();
        numbers.join(", ")
    }

    /// Its meaning without backticks.
    pub fn plain(&self) -> String {
        self.meaning.replace('`', "")
    }
}

/// Every exit code there is.
pub const EXIT_CODES: [ExitCode; 9] = [
    ExitCode {
        codes: &[0],
        meaning: "done; for `wait`, all tasks completed",
    },
    ExitCode {
        codes: &[1],
        meaning: "an error not listed here: network, provider fault",
    },
    ExitCode {
        codes: &[2],
        meaning: "wrong usage or bad input; nothing was sent",
    },
    ExitCode {
        codes: &[3],
        meaning: "a task failed, was cancelled, or is stalled",
    },
    ExitCode {
        codes: &[4],
        meaning: "credentials missing, refused or not allowed",
    },
    ExitCode {
        codes: &[5],
        meaning: "not found: the task, snapshot, bucket or container",
    },
    ExitCode {
        codes: &[6],
        meaning: "the outcome of a start is not known: it may be running",
    },
    ExitCode {
        codes: &[124],
        meaning: "`--timeout` passed; the task goes on",
    },
    ExitCode {
        codes: &[130, 143],
        meaning: "interrupted, terminated (the process dies by the signal); the task goes on",
    },
];

/// One sentence of what failed, the cause below it, and what to do next.
///
/// Display gives the sentence; the report layer draws the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// Decides the exit code.
    pub kind: Kind,
    /// One sentence that names the id it concerns, without a full stop.
    pub message: String,
    /// The rest, boxed so that a `Result` stays small.
    pub details: Box<Details>,
}

/// Why it failed, for callers that decide by it: nobody goes by the words of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is configured at all, as opposed to something that does not work.
    NothingConfigured,
    /// Credentials are there, and nothing says which of them are meant.
    NoneChosen,
    /// The snapshot or image that was asked for does not exist.
    NoSource,
    /// The cloud does not know the type of task that it was asked for.
    UnknownTaskType,
    /// The mark at which a list was to go on is gone.
    LostMarker,
    /// A login was refused that may be meant in another form.
    WrongSecret,
    /// The task that was asked for is there, and exports nothing.
    NoExport,
    /// An object is not what it was when its fetch began.
    ObjectChanged,
    /// A reply holds not the bytes that were asked for; another may.
    BadPart,
    /// Time ran out before a start was sent: nothing goes on that could be waited for.
    NothingStarted,
}

/// What stands below the sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The provider's own code, such as `5054` or `NotFoundException`.
    pub code: Option<String>,
    /// The provider's words, or the chain of causes, outermost first.
    pub causes: Vec<String>,
    /// What to do, most useful first; a command where there is one.
    pub hints: Vec<Hint>,
    /// The provider's id of the request, for its support.
    pub request_id: Option<String>,
    /// How long the provider asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The same as it was asked for, however long.
    pub asked_pause: Option<Duration>,
    /// The setting that is wrong, such as `region`.
    pub about: Option<&'static str>,
    /// What a caller decides by where the kind alone does not say it.
    pub reason: Option<Reason>,
    /// The request may have been read by the provider before the failure.
    pub maybe_executed: bool,
}

/// What somebody else says is cut to so many bytes: a message has to fit on a screen and in a variable of a hook.
const LONGEST_WORDS: usize = 4096;

/// Words of a cloud as they become ours: cut, which is marked, at the end of a character. The whole stands in the raw object.
pub fn words(text: impl Into<String>) -> String {
    let mut text = text.into();
    if text.len() > LONGEST_WORDS {
        text.truncate(text.floor_char_boundary(LONGEST_WORDS - '…'.len_utf8()));
        text.shrink_to_fit();
        text.push('…');
    }
    text
}

impl Error {
    /// An error with its sentence; the builder methods add the rest.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: words(message),
            details: Box::default(),
        }
    }

    /// Bad input: nothing was sent.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(Kind::Usage, message)
    }

    /// Adds a line below the sentence. Empty text adds nothing.
    #[must_use]
    pub fn cause(mut self, text: impl Into<String>) -> Self {
        let text = words(text);
        if !text.is_empty() {
            self.details.causes.push(text);
        }
        self
    }

    /// Adds a hint of what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.details.hints.push(hint.into());
        self
    }

    /// Adds hints, if there are any.
    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = impl Into<Hint>>) -> Self {
        self.details.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Sets the provider's code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.details.code = Some(words(code));
        self
    }

    /// Sets the provider's request id.
    #[must_use]
    pub fn request_id(mut self, id: Option<String>) -> Self {
        self.details.request_id = id.map(words);
        self
    }

    /// Sets how long the provider asks to be left alone; what is longer than [`LONGEST_RETRY_AFTER`] counts as that.
    #[must_use]
    pub fn retry_after(mut self, delay: Option<Duration>) -> Self {
        self.details.retry_after = delay.map(|delay| delay.min(LONGEST_RETRY_AFTER));
        self.details.asked_pause = delay.map(|delay| delay.min(LONGEST_TOLD));
        self
    }

    /// Marks a failure after which nobody knows whether the request was executed.
    #[must_use]
    pub fn maybe_executed(mut self) -> Self {
        self.details.maybe_executed = true;
        self
    }

    /// Names the setting that is wrong, as `doctor` calls it.
    #[must_use]
    pub fn about(mut self, setting: &'static str) -> Self {
        self.details.about = Some(setting);
        self
    }

    /// Says why, for callers that decide by it.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.details.reason = Some(reason);
        self
    }

    /// Whether this is why.
    pub fn is_because(&self, reason: Reason) -> bool {
        self.details.reason == Some(reason)
    }

    /// The process exit code.
    pub fn exit_code(&self) -> u8 {
        match self.details.reason {
            Some(Reason::NothingStarted) => 1,
            _ => self.kind.exit_code(),
        }
    }

    /// Whether there is nothing to ask the cloud with.
    pub fn is_absence(&self) -> bool {
        self.is_because(Reason::NothingConfigured) || self.is_because(Reason::NoneChosen)
    }

    /// Marks that nothing is configured at all.
    #[must_use]
    pub fn absence(self) -> Self {
        self.because(Reason::NothingConfigured)
    }

    /// The same, on a condition.
    #[must_use]
    pub fn absence_if(self, is_absence: bool) -> Self {
        if is_absence { self.absence() } else { self }
    }

    /// The same error with a sentence that names the item it is about: its own, or else this one.
    #[must_use]
    pub fn naming(self, item: &str, sentence: impl FnOnce() -> String) -> Self {
        match self.message.contains(item) {
            true => self,
            false => self.context(sentence()),
        }
    }

    /// The same error with another sentence; the old one becomes the first cause.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        let old = std::mem::replace(&mut self.message, words(message));
        self.details.causes.insert(0, old);
        self
    }

    /// The same error with each of its texts rewritten.
    #[must_use]
    pub fn map_texts(mut self, change: impl Fn(String) -> String) -> Self {
        let details = &mut self.details;
        for text in std::iter::once(&mut self.message)
            .chain(&mut details.causes)
            .chain(&mut details.code)
            .chain(&mut details.request_id)
        {
            *text = change(std::mem::take(text));
        }
        for hint in &mut details.hints {
            *hint = std::mem::take(hint).map(&change);
        }
        self
    }

    /// What a start makes of a failure: not known where it may have been executed.
    #[must_use]
    pub fn of_start(mut self) -> Self {
        if self.details.maybe_executed {
            self.kind = Kind::MaybeStarted;
        }
        self
    }

    /// Sentence and causes in one line, for notes and JSON.
    pub fn one_line(&self) -> String {
        let all: Vec<&str> = std::iter::once(&self.message)
            .chain(&self.details.causes)
            .map(String::as_str)
            .collect();
        words(all.join(": "))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Of several tasks' exit codes the one that counts: 3 wins over every other, then 6, 4, 5, 1, 124.
pub fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    const ORDER: [u8; 7] = [3, 6, 4, 5, 2, 1, 124];
    let rank = |code: &u8| ORDER.iter().position(|c| c == code).unwrap_or(ORDER.len());
    codes.into_iter().min_by_key(rank).unwrap_or(0)
}

#[cfg(test)]
mod tests;
