//! Lines broken between words: a word that is broken cannot be read, and a command or an address that is cannot be copied.

/// Programs that hints name commands of.
const PROGRAMS: [&str; 4] = ["snapexport", "aws", "swift", "chmod"];
/// Words at the beginning of a command that are part of it however they look: the program and what it is to do.
const OPENING: usize = 3;

/// Columns of standard error; `None` where it is no terminal.
pub(crate) fn stderr_width() -> Option<u16> {
    let term = console::Term::stderr();
    term.is_term().then(|| term.size().1)
}

/// The text in lines of at most `room` columns. What must stay whole and is longer has a line of its own, which the
/// terminal breaks on the screen only. All on one line without a limit.
pub(super) fn wrapped(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room.map(|room| room.max(10)) else {
        return vec![text.to_owned()];
    };
    let width = console::measure_text_width;
    let mut lines = vec![String::new()];
    for piece in pieces(text) {
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
pub(super) fn hanging(head: &str, text: &str, width: Option<usize>) -> String {
    let column = console::measure_text_width(head);
    let room = width.map(|width| width.saturating_sub(column));
    let below = format!("\n{}", " ".repeat(column));
    format!("{head}{}", wrapped(text, room).join(&below))
}

/// The words of a text; those of a command are one.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_command = 0;
    let mut last = "";
    for word in text.split_whitespace() {
        if in_command > 0 && belongs(word, last, in_command) {
            in_command += 1;
            let at = pieces.len() - 1;
            pieces[at].push(' ');
            pieces[at].push_str(word);
        } else {
            in_command = usize::from(PROGRAMS.contains(&word.trim_start_matches('(')));
            pieces.push(word.to_owned());
        }
        last = word;
    }
    pieces
}

/// Whether a word goes on with a command. Hints do not quote commands, so this goes by what words look like.
fn belongs(word: &str, last: &str, so_far: usize) -> bool {
    let is_prose = |c: char| c.is_ascii_lowercase() || matches!(c, '\'' | ',' | '.' | ';');
    let is_over = last.ends_with([',', ';', ':', ')']);
    !is_over
        && !word.starts_with('(')
        && (so_far < OPENING || last.starts_with("--") || !word.chars().all(is_prose))
}

#[cfg(test)]
mod tests;
