//! Lines broken between words: a word that is broken cannot be read, and a command or an address that is cannot be copied.

/// Programs that hints name commands of.
const PROGRAMS: [&str; 4] = ["snapexport", "aws", "swift", "chmod"];
/// Words at the beginning of a command that are part of it however they look: the program and what it is to do.
const OPENING: usize = 3;

/// Columns of standard error; `None` where it is no terminal.
pub fn stderr_width() -> Option<u16> {
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
mod tests {
    use super::*;

    #[test]
    fn lines_keep_within_the_room_and_lose_nothing() {
        let text = "the endpoint https://api.eu-west-2.outscale.com/api/v1 answers";
        assert_eq!(wrapped(text, None), [text]);
        for room in [12, 20, 40, 80] {
            let lines = wrapped(text, Some(room));
            assert_eq!(lines.join(" "), text, "{room}");
            for line in &lines {
                let is_one_word = !line.contains(' ');
                let columns = console::measure_text_width(line);
                assert!(columns <= room || is_one_word, "{room}: {line}");
            }
        }
    }

    #[test]
    fn a_command_and_an_address_stay_whole() {
        for (text, room, expected) in [
            (
                "let it end: snapexport --sandbox wait lightsail/5a1c2b3d",
                40,
                &[
                    "let it end:",
                    "snapexport --sandbox wait lightsail/5a1c2b3d",
                ][..],
            ),
            (
                "snapexport status --remote -q shows what the clouds have",
                36,
                &[
                    "snapexport status --remote -q shows",
                    "what the clouds have",
                ],
            ),
            (
                "copy it first (aws lightsail copy-snapshot) and wait",
                30,
                &["copy it first", "(aws lightsail copy-snapshot)", "and wait"],
            ),
            (
                "see https://docs.example.com/a/long/way for it",
                20,
                &["see", "https://docs.example.com/a/long/way", "for it"],
            ),
        ] {
            assert_eq!(wrapped(text, Some(room)), expected);
        }
    }

    #[test]
    fn what_follows_a_label_stands_below_its_beginning() {
        assert_eq!(
            hanging("  hint: ", "set the clock of this machine", Some(24)),
            "  hint: set the clock of\n        this machine"
        );
    }
}
