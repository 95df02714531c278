//! Progress on a terminal: one bar a task, redrawn in place; past ten tasks one bar for all.

use std::time::Duration;

use console::{Style, Term};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::{Board, Row};
use super::canvas::Canvas;
use super::link::link;
use super::stage;
use super::terminal::Terminal;
use crate::provider;
use crate::secret::clean;
use crate::task::{Progress, State, Task};
use crate::text;

/// Nothing is drawn before: what is over at once needs no bar.
const QUIET_START: Duration = Duration::from_millis(250);
/// Redraws a second, at most.
const REDRAWS: u8 = 20;
/// More tasks than this share one bar.
const MOST_BARS: usize = 10;
/// With one bar for all, how many of the latest changes are shown below it.
const RECENT: usize = 3;
/// Under this many columns a bar is drawn short, and without its estimate.
pub(super) const NARROW: usize = 60;

/// Draws bars on standard error.
pub(super) struct Bars {
    multi: MultiProgress,
    canvas: Canvas,
    /// The lines on the screen, from the top.
    drawn: Vec<ProgressBar>,
    terminal: Terminal,
}

/// A line of a frame: a template for indicatif, and what fills it.
#[derive(Debug, Default)]
struct Line {
    template: String,
    prefix: String,
    message: String,
    position: usize,
    length: usize,
}

impl Bars {
    /// Bars for this terminal.
    pub(super) fn new(terminal: Terminal) -> Self {
        // Templates name colours, and would ask the environment and standard output about them.
        console::set_colors_enabled(terminal.stderr_color);
        let canvas = Canvas::new(terminal.is_reflowing);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(canvas.clone()), REDRAWS);
        Bars {
            multi: MultiProgress::with_draw_target(target),
            canvas,
            drawn: Vec::new(),
            terminal,
        }
    }

    /// Draws the board.
    pub(super) fn draw(&mut self, board: &Board) {
        if board.now < QUIET_START {
            return;
        }
        let width = usize::from(Term::stderr().size().1);
        let lines = frame(board, width, self.terminal);
        for left_over in self.drawn.drain(lines.len().min(self.drawn.len())..) {
            self.multi.remove(&left_over);
        }
        while self.drawn.len() < lines.len() {
            self.drawn.push(self.multi.add(ProgressBar::new(0)));
        }
        for (bar, line) in self.drawn.iter().zip(lines) {
            bar.set_style(style(&line.template));
            bar.set_length(line.length as u64);
            bar.set_position(line.position as u64);
            bar.set_prefix(line.prefix);
            bar.set_message(line.message);
            bar.tick();
        }
    }

    /// Runs `print` with the bars out of the way.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        self.multi.suspend(print);
    }

    /// Draws the last frame and leaves it on the screen.
    pub(super) fn finish(&self) {
        self.drawn.iter().for_each(ProgressBar::abandon);
        // Nobody to tell when this fails.
        let _ = self.canvas.leave();
    }
}

/// What is to stand on the screen: the tasks, and below them who does not respond.
fn frame(board: &Board, width: usize, terminal: Terminal) -> Vec<Line> {
    let rows: Vec<&Row> = board.seen().collect();
    let mut lines = if rows.len() > MOST_BARS {
        shared(board, &rows, width < NARROW)
    } else {
        let names = names(&rows, width < NARROW, terminal);
        rows.iter()
            .zip(names)
            .map(|(row, name)| Line {
                prefix: name,
                ..bar(row, board.now, width < NARROW, terminal)
            })
            .collect()
    };
    lines.extend(board.trouble.as_ref().map(|trouble| Line {
        template: "{wide_msg}".to_owned(),
        message: paint(Style::new().yellow(), &clean(&trouble.text), terminal),
        ..Line::default()
    }));
    lines
}

/// The one bar for many tasks, and the latest changes below it.
fn shared(board: &Board, rows: &[&Row], is_narrow: bool) -> Vec<Line> {
    let length = if is_narrow { 8 } else { 24 };
    let all = Line {
        template: format!("{{bar:{length}.cyan}} {{wide_msg}}"),
        message: format!("{}  {}", summary(rows), text::duration(board.now)),
        position: rows.iter().filter(|row| !row.is_open()).count(),
        length: rows.len(),
        ..Line::default()
    };
    let latest = board.latest().into_iter().take(RECENT).map(|row| {
        let (id, word) = (&row.task.id, stage::word(&row.task));
        let percent = stage::percent(&row.task).map(|percent| format!(" {percent}"));
        Line {
            template: "  {wide_msg}".to_owned(),
            message: clean(&format!("{id} {word}{}", percent.unwrap_or_default())),
            ..Line::default()
        }
    });
    std::iter::once(all).chain(latest).collect()
}

/// `3 of 40 ended, 1 failed, 30 running, 7 pending`
fn summary(rows: &[&Row]) -> String {
    let count = |state: State| rows.iter().filter(|row| row.task.state == state).count();
    let over = rows.iter().filter(|row| !row.is_open()).count();
    let counts = [
        (count(State::Failed) + count(State::Cancelled), "failed"),
        (count(State::Stalled), "stalled"),
        (count(State::Running), "running"),
        (count(State::Pending), "pending"),
    ];
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let mut parts = vec![format!("{over} of {} ended", rows.len())];
    parts.extend(counts.map(|(number, word)| format!("{number} {word}")));
    parts.join(", ")
}

/// The names of tasks as a column; where the terminal opens links, those that are over lead to the provider's console.
fn names(rows: &[&Row], is_narrow: bool, terminal: Terminal) -> Vec<String> {
    let width = console::measure_text_width;
    let names: Vec<String> = rows.iter().map(|row| name(&row.task, rows)).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let column = widest.min(if is_narrow { 10 } else { 24 });
    let padded = |(row, name): (&&Row, &String)| {
        let name = text::shorten(name, column);
        let blanks = column.saturating_sub(width(&name));
        // Once it has ended there is something to see at the provider's.
        let console = Some(&row.task)
            .filter(|_| terminal.stderr_links && !row.is_open())
            .and_then(provider::console_url);
        link(&name, console.as_ref()) + &" ".repeat(blanks)
    };
    rows.iter().zip(&names).map(padded).collect()
}

/// The snapshot's name where it tells the tasks apart, else the task's id.
fn name(task: &Task, rows: &[&Row]) -> String {
    let is_same = |row: &&&Row| row.task.snapshot == task.snapshot;
    match &task.snapshot {
        Some(snapshot) if rows.iter().filter(is_same).count() == 1 => clean(snapshot),
        _ => clean(task.id.as_str()),
    }
}

/// A task's line but for its name: the bar with percent, the spinner with the flag, or the steps.
fn bar(row: &Row, now: Duration, is_narrow: bool, terminal: Terminal) -> Line {
    let task = &row.task;
    let sign = match task.state {
        State::Completed => paint(Style::new().green(), "✓", terminal),
        State::Failed | State::Cancelled => paint(Style::new().red(), "✗", terminal),
        State::Stalled => paint(Style::new().red(), "!", terminal),
        State::Pending | State::Running => "{spinner}".to_owned(),
    };
    let bar = stage::percent(task).map(|percent| {
        let length = if is_narrow { 6 } else { 24 };
        let color = if terminal.stderr_color { ".cyan" } else { "" };
        format!("{{bar:{length}{color}}} {percent:>5} ")
    });
    Line {
        template: format!("{sign} {{prefix}} {}{{wide_msg}}", bar.unwrap_or_default()),
        message: message(row, now, is_narrow),
        position: task.percent().map_or(0, usize::from),
        length: 100,
        ..Line::default()
    }
}

/// What stands right of the bar: the provider's word, time, and the estimate.
fn message(row: &Row, now: Duration, is_narrow: bool) -> String {
    let task = &row.task;
    let time = text::duration(row.waited(now));
    let word = clean(stage::word(task));
    if let Some(error) = &task.error {
        return format!("{word} {time}: {}", clean(&error.message));
    }
    match task.progress {
        Progress::Percent(_) if is_narrow => format!("{time} {word}"),
        Progress::Percent(_) => {
            let left = stage::left(row, now).map(|left| format!(", {left}"));
            format!("{word} {time}{}", left.unwrap_or_default())
        }
        Progress::Flag { is_terminal } if is_narrow => format!("{word}  {is_terminal}  {time}"),
        Progress::Flag { .. } => {
            let flag = stage::flag(task).unwrap_or_default();
            format!("{word}  {flag}  {time}")
        }
        Progress::Step { steps, at } => {
            format!("{}  {time}", steps_text(steps, at, &word, is_narrow))
        }
    }
}

/// `pending → [processing] → success`; narrow: `processing 2/3`.
fn steps_text(steps: &[&str], at: Option<usize>, word: &str, is_narrow: bool) -> String {
    match at {
        Some(at) if is_narrow => format!("{word} {}/{}", at + 1, steps.len()),
        Some(at) => steps
            .iter()
            .enumerate()
            .map(|(index, step)| {
                if index == at {
                    format!("[{step}]")
                } else {
                    (*step).to_owned()
                }
            })
            .collect::<Vec<_>>()
            .join(" → "),
        None => format!("[{word}]"),
    }
}

fn paint(style: Style, text: &str, terminal: Terminal) -> String {
    let style = style.for_stderr().force_styling(terminal.stderr_color);
    style.apply_to(text).to_string()
}

pub(super) fn style(template: &str) -> ProgressStyle {
    // Templates are ours; one that did not parse would show in every test of the bars.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests;
