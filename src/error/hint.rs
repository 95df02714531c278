//! What to do next, for people: text and commands, so that nobody has to guess where a command begins.

use std::fmt;

use serde::{Serialize, Serializer};

/// A sentence or less, without a full stop, with the commands in it.
///
/// `Hint::say("wait for it: ").and_run("snapexport wait t-1")` reads `wait for it: snapexport wait t-1`. Plain text is
/// a hint by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint(Vec<Part>);

/// A piece of a hint. The space between two pieces belongs to the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// What can be pasted into a shell, and so must not be broken.
    Command(String),
}

impl Hint {
    /// A hint that begins with text.
    pub fn say(text: impl Into<String>) -> Self {
        Hint::default().and(text)
    }

    /// A hint that begins with a command.
    pub fn run(command: impl Into<String>) -> Self {
        Hint::default().and_run(command)
    }

    /// Goes on with text.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// Goes on with a command.
    #[must_use]
    pub fn and_run(mut self, command: impl Into<String>) -> Self {
        self.0.push(Part::Command(command.into()));
        self
    }

    /// Goes on with another hint.
    #[must_use]
    pub fn and_hint(mut self, other: impl Into<Hint>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// Its pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The same hint for who uses the simulated clouds: our own commands lead there too.
    #[must_use]
    pub fn in_sandbox(self) -> Self {
        let led = self.0.into_iter().map(|part| match part {
            Part::Command(command) if !command.contains("--sandbox") => {
                Part::Command(command.replace("snapexport ", "snapexport --sandbox "))
            }
            other => other,
        });
        Hint(led.collect())
    }

    /// The same hint with each piece rewritten.
    #[must_use]
    pub fn map(self, change: impl Fn(String) -> String) -> Self {
        let changed = self.0.into_iter().map(|part| match part {
            Part::Text(text) => Part::Text(change(text)),
            Part::Command(command) => Part::Command(change(command)),
        });
        Hint(changed.collect())
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Command(command) => f.write_str(command),
        })
    }
}

/// In JSON it is what people read.
impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Hint::say(text)
    }
}

impl From<&String> for Hint {
    fn from(text: &String) -> Self {
        Hint::say(text)
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Hint::say(text)
    }
}

impl From<&Hint> for Hint {
    fn from(hint: &Hint) -> Self {
        hint.clone()
    }
}
