//! What was verified of a file, for people: its verdict, then a line for each check.

use console::Style;

use super::terminal::Terminal;
use super::wrap::hanging;
use crate::image::Outcome;
use crate::schema::VerifiedObject;
use crate::secret::clean;

/// With fewer columns for what was found, it stands below.
const NARROW: usize = 24;
const INDENT: &str = "    ";

/// The lines of a file.
pub(super) fn text(object: &VerifiedObject<'_>, terminal: Terminal) -> String {
    let painted = |style: Style, text: &str| {
        let style = style.force_styling(terminal.stdout_color);
        style.apply_to(text).to_string()
    };
    let width = terminal.stdout_width.map(usize::from);
    let verdict = match object.ok {
        true => painted(Style::new().green(), "right"),
        false => painted(Style::new().red().bold(), "not right"),
    };
    let mut lines = vec![format!("{}: {verdict}", clean(&object.path))];
    let longest = object.checks.iter().map(|check| check.name.len()).max();
    for check in object.checks {
        let (word, style) = match check.result {
            Outcome::Passed => ("passed      ", Style::new().green()),
            Outcome::Failed => ("failed      ", Style::new().red().bold()),
            Outcome::NotPossible => ("not possible", Style::new().dim()),
        };
        let column = longest.unwrap_or(0);
        let head = format!(
            "  {}  {:column$}  ",
            painted(style, word),
            clean(&check.name)
        );
        let detail = clean(&check.detail);
        let room = width.map(|width| width.saturating_sub(console::measure_text_width(&head)));
        match room.is_some_and(|room| room < NARROW) {
            true => {
                lines.push(head.trim_end().to_owned());
                lines.push(hanging(INDENT, detail, width));
            }
            false => lines.push(hanging(&head, detail, width)),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
