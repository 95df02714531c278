//! The one reader of text that comes from a person: from an argument, a variable, a file, a secret command or standard input.
//!
//! White space around a value goes. What is still unusable is refused before anything is sent, by the name of where it stands.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// White space, also the kinds that editors and word processors make, and the mark that programs on Windows begin a text with.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// The text without white space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Why a value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It stands in these quotes.
    Quoted(char),
    /// It has a character that it cannot have, the `at`-th.
    Odd { at: usize, character: char },
    /// It is no text, because of this byte.
    NotUtf8(u8),
}

/// The first odd character, escaped, and nothing else of the value.
impl Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Flaw::Quoted(quote) => {
                write!(f, "it stands in quotes ({quote}), which are no part of it")
            }
            Flaw::Odd {
                at,
                character: character @ ('"' | '\'' | '`' | ' '),
            } => write!(f, "character {at} is '{character}'"),
            Flaw::Odd { at, character } => {
                write!(f, "character {at} is '{}'", character.escape_default())
            }
            Flaw::NotUtf8(byte) => write!(f, "it is not UTF-8 (the byte \\x{byte:02x})"),
        }
    }
}

/// What a value may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A key of a pair: visible ASCII, not in quotes.
    Key,
    /// A token, which becomes a header: visible ASCII, not in quotes.
    Token,
    /// What a person logs in with: no control characters.
    Login,
    /// The name of a region: what is printed of ASCII, not in quotes.
    Region,
    /// Anything else: no control characters.
    Plain,
    /// Data and lists, which may have several lines.
    Lines,
}

impl Form {
    /// The form of a variable or a member of a file, by its name.
    pub(crate) fn of(name: &str) -> Form {
        const FORMS: [(Form, &[&str]); 5] = [
            (Form::Key, &["access_key", "secret_key", "access_key_id"]),
            (Form::Token, &["token"]),
            (
                Form::Login,
                &[
                    "api_key",
                    "password",
                    "secret",
                    "username",
                    "user_id",
                    "credential_id",
                ],
            ),
            (Form::Region, &["region", "region_name"]),
            (Form::Lines, &["_b64", "no_proxy"]),
        ];
        let name = name.to_ascii_lowercase();
        let mut forms = FORMS.into_iter();
        let found = forms.find(|(_, ends)| ends.iter().any(|end| name.ends_with(end)));
        found.map_or(Form::Plain, |(form, _)| form)
    }

    /// What a value of this form that cannot be used is an error of.
    fn kind(self) -> Kind {
        match self {
            Form::Key | Form::Token | Form::Login => Kind::Credentials,
            Form::Region | Form::Plain | Form::Lines => Kind::Usage,
        }
    }

    /// What is wrong with a value.
    pub(crate) fn flaw(self, value: &str) -> Option<Flaw> {
        let quote = value
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`'));
        if matches!(self, Form::Key | Form::Token | Form::Region)
            && let Some(quote) = quote
            && value.len() > 1
            && value.ends_with(quote)
        {
            return Some(Flaw::Quoted(quote));
        }
        let is_odd = |c: char| match self {
            Form::Key | Form::Token => !c.is_ascii_graphic(),
            Form::Region => c != ' ' && !c.is_ascii_graphic(),
            Form::Login | Form::Plain => is_control(c),
            Form::Lines => false,
        };
        let (index, character) = value.chars().enumerate().find(|(_, c)| is_odd(*c))?;
        let at = index + 1;
        Some(Flaw::Odd { at, character })
    }

    /// The refusal of a value; `place` is where it stands, such as the name of a variable.
    pub(crate) fn refusal(self, place: impl Display, flaw: Flaw) -> Error {
        let error = Error::new(self.kind(), format!("{place} cannot be used: {flaw}"));
        match flaw {
            Flaw::Quoted(_) => {
                error.hint("write it without the quotes; docker --env-file and the like keep them")
            }
            Flaw::Odd { .. } | Flaw::NotUtf8(_) => error,
        }
    }

    /// Refuses a value that cannot be used.
    pub(crate) fn check(self, place: impl Display, value: &str) -> Result<()> {
        let flaw = self.flaw(value);
        flaw.map_or(Ok(()), |flaw| Err(self.refusal(place, flaw)))
    }
}

/// What no name, number or password has in it: it is a slip, and some of it splits what is sent.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text as it is shown where its odd characters matter: `eu-west\u{200b}-2`, `caf\xe9/`.
pub(crate) fn escaped(text: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in text.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                ' '..='~' => shown.push(c),
                _ if c.is_alphanumeric() => shown.push(c),
                _ => shown.extend(c.escape_default()),
            }
        }
        for byte in chunk.invalid() {
            shown += &format!("\\x{byte:02x}");
        }
    }
    shown
}

/// A variable's value.
pub(super) fn variable<'v>(name: &str, value: &'v OsStr) -> Result<&'v str> {
    let form = Form::of(name);
    let Some(text) = value.to_str() else {
        let odd = value.as_encoded_bytes().utf8_chunks();
        let odd = odd.flat_map(|chunk| chunk.invalid()).next().copied();
        let flaw = Flaw::NotUtf8(odd.unwrap_or_default());
        return Err(form.refusal(format!("The value of {name}"), flaw));
    };
    let text = trimmed(text);
    form.check(format!("The value of {name}"), text)?;
    Ok(text)
}

/// A path that a person wrote: `~/` is the home directory, and bytes that are no text stay as they are.
pub(crate) fn path(typed: &OsStr, home: Option<&Path>) -> Result<PathBuf> {
    let typed = typed
        .to_str()
        .map_or(typed, |text| OsStr::new(trimmed(text)));
    if typed.as_encoded_bytes().starts_with(b"$") {
        let shown = escaped(typed);
        return Err(Error::usage(format!(
            "The path {shown} begins with a variable, which nobody has expanded"
        ))
        .hint("only a shell expands variables; write the path itself, or begin it with ~/"));
    }
    match (Path::new(typed).strip_prefix("~"), home) {
        (Err(_), _) => Ok(typed.into()),
        (Ok(below), Some(home)) => Ok(home.join(below)),
        (Ok(_), None) => Err(Error::usage(format!(
            "The path {} cannot be used: no home directory is known",
            escaped(typed)
        ))),
    }
}

/// The text of a file, without a mark at its beginning; `None` where there is no file. The error says why it cannot be
/// read, and in which line.
pub(crate) fn read_file(path: &Path) -> std::result::Result<Option<String>, String> {
    match std::fs::read(path) {
        Ok(bytes) => decoded(&bytes).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The text of a file's bytes.
pub(crate) fn decoded(bytes: &[u8]) -> std::result::Result<String, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line_at = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let is_wide = [b"\xff\xfe", b"\xfe\xff"]
        .iter()
        .any(|mark| bytes.starts_with(*mark));
    if is_wide || bytes.iter().take(4).any(|byte| *byte == 0) {
        return Err("line 1 is UTF-16, not UTF-8; save the file as UTF-8".to_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let (line, byte) = (line_at(at), bytes[at]);
            Err(format!(
                "line {line} is not UTF-8 (the byte \\x{byte:02x}); save the file as UTF-8"
            ))
        }
    }
}

/// The line in which the last of these words stands, each looked for after the one before it.
pub(super) fn line_of(text: &str, words: &[&str]) -> Option<usize> {
    let is_inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let at = words.iter().try_fold(0, |from, word| {
        let mut places = text[from..].match_indices(word).map(|(at, _)| from + at);
        places
            .find(|at| {
                let (before, after) = (&text[..*at], &text[at + word.len()..]);
                !before.ends_with(is_inner) && !after.starts_with(is_inner)
            })
            .map(|at| at + word.len())
    })?;
    Some(1 + text[..at].matches('\n').count())
}

#[cfg(test)]
mod tests;
