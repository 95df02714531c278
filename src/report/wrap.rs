//! Lines broken between words: a word that is broken cannot be read, and a command or an address that is cannot be copied.

use crate::error::{Hint, Part};
use crate::secret::clean;

/// Columns of standard error; `None` where it is no terminal.
pub(crate) fn stderr_width() -> Option<u16> {
    let term = console::Term::stderr();
    term.is_term().then(|| term.size().1)
}

/// The text in lines of at most `room` columns. What must stay whole and is longer has a line of its own, which the
/// terminal breaks on the screen only. All on one line without a limit.
pub(super) fn wrapped(text: impl Into<Hint>, room: Option<usize>) -> Vec<String> {
    let text = text.into();
    let Some(room) = room.map(|room| room.max(10)) else {
        return vec![text.to_string()];
    };
    let width = console::measure_text_width;
    let mut lines = vec![String::new()];
    for piece in pieces(&text) {
        let at = lines.len() - 1;
        let line = &mut lines[at];
        if line.is_empty() {
            line.push_str(&piece);
        } else if width(line) + 1 + width(&piece) <= room {
            line.push(' ');
            line.push_str(&piece);
        } else {
            lines.push(piece);
        }
    }
    lines
}

/// The same, the first line after `head` and the others below its end.
pub(super) fn hanging(head: &str, text: impl Into<Hint>, width: Option<usize>) -> String {
    let column = console::measure_text_width(head);
    let room = width.map(|width| width.saturating_sub(column));
    let below = format!("\n{}", " ".repeat(column));
    format!("{head}{}", wrapped(text, room).join(&below))
}

/// The text made safe for a terminal, as [`clean`] does it; a space between two pieces stays.
pub(super) fn cleaned(text: impl Into<Hint>) -> Hint {
    text.into().map(|piece| {
        let edge = |is_space| if is_space { " " } else { "" };
        let (starts, ends) = (
            piece.starts_with(char::is_whitespace),
            piece.ends_with(char::is_whitespace),
        );
        match clean(&piece) {
            inner if inner.is_empty() => edge(starts).to_owned(),
            inner => format!("{}{inner}{}", edge(starts), edge(ends)),
        }
    })
}

/// The words of a text; a command is one, together with what stands against it, such as a bracket.
fn pieces(text: &Hint) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    // Whether the next word goes on with the last one.
    let mut is_open = false;
    let mut push = |word: &str, is_open: bool| match pieces.last_mut().filter(|_| is_open) {
        Some(last) => last.push_str(word),
        None => pieces.push(word.to_owned()),
    };
    for part in text.parts() {
        match part {
            Part::Text(text) => {
                is_open &= !text.starts_with(char::is_whitespace);
                for word in text.split_whitespace() {
                    push(word, is_open);
                    is_open = false;
                }
                is_open = !text.ends_with(char::is_whitespace);
            }
            Part::Command(command) => {
                push(&command.to_string(), is_open);
                is_open = true;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
