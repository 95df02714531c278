//! The sheet of `doctor`: for each cloud what is used and from where, then a line for each check.

use console::Style;

use super::terminal::Terminal;
use super::wrap::{cleaned, wrapped};
use crate::error::Hint;
use crate::provider::check::{Check, Sheet, Verdict};
use crate::secret::clean;

/// On a terminal narrower than this, what stands beside each other otherwise stands below each other.
const NARROW: usize = 60;
/// Before everything that belongs to a cloud.
const INDENT: usize = 2;

/// All sheets for people, below each other.
pub(super) fn text(sheets: &[Sheet], terminal: Terminal) -> String {
    let page = Page {
        width: terminal.stdout_width.map(usize::from),
        is_coloured: terminal.stdout_color,
    };
    let blocks: Vec<String> = sheets.iter().map(|sheet| page.block(sheet)).collect();
    blocks.join("\n\n")
}

/// What lines have to fit on.
struct Page {
    width: Option<usize>,
    is_coloured: bool,
}

impl Page {
    fn block(&self, sheet: &Sheet) -> String {
        let title = sheet.provider.map_or("this machine", |id| id.0);
        let mut lines = vec![self.painted(Style::new().bold(), title)];
        let column = column(sheet);
        for setting in &sheet.settings {
            let (value, origin) = (clean(&setting.value), clean(&setting.origin));
            let text = format!("{value} (from {origin})").into();
            lines.extend(self.entry(setting.name, &Style::new(), column, &text));
        }
        if !sheet.settings.is_empty() {
            lines.push(String::new());
        }
        for check in &sheet.checks {
            let style = style_of(check.verdict);
            let message = clean(&check.message).into();
            lines.extend(self.entry(&head(check), &style, column, &message));
            // What is as it should be needs nothing done about it.
            let hint = check.hint.as_ref().filter(|_| check.verdict != Verdict::Ok);
            if let Some(hint) = hint {
                let text = Hint::say("→ ").and_hint(cleaned(hint));
                lines.extend(self.entry("", &Style::new(), column, &text));
            }
        }
        lines.join("\n")
    }

    /// A name and its text, beside each other or below each other; the first word of the name in this style.
    fn entry(&self, name: &str, style: &Style, column: usize, text: &Hint) -> Vec<String> {
        // A word stays whole, and one that has no room beside the name may have it below.
        let longest = text
            .to_string()
            .split_whitespace()
            .map(console::measure_text_width)
            .max();
        let needed = NARROW.max(INDENT + column + longest.unwrap_or(0));
        let is_narrow = self.width.is_some_and(|width| width < needed);
        let (word, rest) = name.split_at(name.find(' ').unwrap_or(name.len()));
        let shown = format!("{}{rest}", self.painted(style.clone(), word));
        let margin = " ".repeat(INDENT);
        if is_narrow {
            let inner = " ".repeat(2 * INDENT);
            let head = (!name.is_empty()).then(|| format!("{margin}{shown}"));
            let room = self.width.map(|width| width.saturating_sub(2 * INDENT));
            let body = wrapped(text, room).into_iter();
            return head
                .into_iter()
                .chain(body.map(|line| format!("{inner}{line}")))
                .collect();
        }
        let room = self
            .width
            .map(|width| width.saturating_sub(INDENT + column));
        let gap = " ".repeat(column - console::measure_text_width(name));
        let hang = " ".repeat(column);
        wrapped(text, room)
            .into_iter()
            .enumerate()
            .map(|(index, line)| match index {
                0 => format!("{margin}{shown}{gap}{line}"),
                _ => format!("{margin}{hang}{line}"),
            })
            .collect()
    }

    fn painted(&self, style: Style, text: &str) -> String {
        let style = style.force_styling(self.is_coloured);
        style.apply_to(text).to_string()
    }
}

/// Where the texts of a sheet begin.
fn column(sheet: &Sheet) -> usize {
    let settings = sheet.settings.iter().map(|setting| setting.name.len());
    let checks = sheet.checks.iter().map(|check| head(check).len());
    settings.chain(checks).max().unwrap_or(0) + 2
}

fn head(check: &Check) -> String {
    format!("{:<7}  {}", check.verdict.as_str(), check.name)
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Ok => Style::new().green(),
        Verdict::Warning => Style::new().yellow(),
        Verdict::Problem => Style::new().red().bold(),
        Verdict::Unknown => Style::new().dim(),
    }
}

#[cfg(test)]
mod tests;
