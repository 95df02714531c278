//! What to do next, for people: text and commands, so that nobody has to guess where a command begins.

use std::borrow::Cow;
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
    Command(Command),
}

/// What can be pasted into a shell.
///
/// `Command::from("swift delete").arg("my box").and("--prefix IMAGE.vhd")` reads `swift delete 'my box' --prefix IMAGE.vhd`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command(Vec<Word>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// Ours, placeholders and pipes too: it stands as it is.
    Ours(String),
    /// From elsewhere, such as an id: quoted where a shell would read more into it.
    Foreign(String),
}

impl Command {
    /// Goes on with words of ours.
    #[must_use]
    pub fn and(mut self, words: &'static str) -> Self {
        self.0.push(Word::Ours(words.to_owned()));
        self
    }

    /// Goes on with a word from elsewhere.
    #[must_use]
    pub fn arg(mut self, word: impl fmt::Display) -> Self {
        self.0.push(Word::Foreign(word.to_string()));
        self
    }

    /// Goes on with several words from elsewhere.
    #[must_use]
    pub fn args(self, words: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        words.into_iter().fold(self, Command::arg)
    }

    /// Goes on with another command.
    #[must_use]
    pub fn and_command(mut self, other: &Command) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    /// The same command for who uses the simulated clouds.
    fn in_sandbox(mut self) -> Self {
        let is_led = |word: &Word| matches!(word, Word::Ours(words) if words.contains("--sandbox"));
        if !self.0.iter().any(is_led) {
            for word in &mut self.0 {
                if let Word::Ours(words) = word {
                    let led = words.split(' ').map(|word| match word {
                        "snapexport" => "snapexport --sandbox",
                        other => other,
                    });
                    *words = led.collect::<Vec<_>>().join(" ");
                }
            }
        }
        self
    }

    fn map(self, change: impl Fn(String) -> String) -> Self {
        let changed = self.0.into_iter().map(|word| match word {
            Word::Ours(words) => Word::Ours(change(words)),
            Word::Foreign(word) => Word::Foreign(change(word)),
        });
        Command(changed.collect())
    }
}

/// Only words of ours are known before the program runs.
impl From<&'static str> for Command {
    fn from(words: &'static str) -> Self {
        Command::default().and(words)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match word {
                Word::Ours(words) => f.write_str(words)?,
                Word::Foreign(word) => f.write_str(&shell_word(word))?,
            }
        }
        Ok(())
    }
}

/// A text as one word of a shell: in single quotes where that is needed.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&b);
    // Some shells read a word that begins with = as the name of a program.
    if text.bytes().all(is_plain) && !text.is_empty() && !text.starts_with('=') {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

impl Hint {
    /// A hint that begins with text.
    pub fn say(text: impl Into<String>) -> Self {
        Hint::default().and(text)
    }

    /// A hint that begins with a command.
    pub fn run(command: impl Into<Command>) -> Self {
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
    pub fn and_run(mut self, command: impl Into<Command>) -> Self {
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
            Part::Command(command) => Part::Command(command.in_sandbox()),
            text => text,
        });
        Hint(led.collect())
    }

    /// The same hint with each piece rewritten.
    #[must_use]
    pub fn map(self, change: impl Fn(String) -> String) -> Self {
        let changed = self.0.into_iter().map(|part| match part {
            Part::Text(text) => Part::Text(change(text)),
            Part::Command(command) => Part::Command(command.map(&change)),
        });
        Hint(changed.collect())
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Command(command) => command.fmt(f),
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

#[cfg(test)]
mod tests;
