//! Progress on a terminal: one bar a task, redrawn in place; past ten tasks one bar for all.

use std::collections::BTreeMap;
use std::time::Duration;

use console::{Style, Term};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::canvas::Canvas;
use super::link::link;
use super::{Reporter, Terminal};
use crate::poll::Event;
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
const NARROW: usize = 60;

/// Draws bars on standard error.
pub struct Bars {
    multi: MultiProgress,
    canvas: Canvas,
    rows: BTreeMap<usize, Row>,
    shared: Option<Shared>,
    trouble: Option<ProgressBar>,
    trouble_text: String,
    with_color: bool,
    with_links: bool,
}

struct Row {
    task: Task,
    remaining: Option<Duration>,
    seen_at: Duration,
    is_over: bool,
    bar: Option<ProgressBar>,
}

/// The one bar for many tasks, and the lines of the latest changes below it.
struct Shared {
    bar: ProgressBar,
    recent: Vec<ProgressBar>,
    order: Vec<usize>,
}

impl Bars {
    /// Bars for this terminal.
    pub fn new(terminal: Terminal) -> Self {
        // Templates name colours, and would ask the environment and standard output about them.
        console::set_colors_enabled(terminal.stderr_color);
        let canvas = Canvas::new(terminal.is_reflowing);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(canvas.clone()), REDRAWS);
        Bars {
            multi: MultiProgress::with_draw_target(target),
            canvas,
            rows: BTreeMap::new(),
            shared: None,
            trouble: None,
            trouble_text: String::new(),
            with_color: terminal.stderr_color,
            with_links: terminal.stderr_links,
        }
    }

    fn draw(&mut self, elapsed: Duration) {
        if elapsed < QUIET_START || (self.rows.is_empty() && self.trouble_text.is_empty()) {
            return;
        }
        let width = usize::from(Term::stderr().size().1);
        if self.rows.len() > MOST_BARS {
            self.draw_shared(elapsed, width);
        } else {
            let labels = labels(self.rows.values().map(|row| &row.task));
            let column = labels
                .iter()
                .map(|label| console::measure_text_width(label))
                .max()
                .unwrap_or(0);
            let column = column.min(if width < NARROW { 10 } else { 24 });
            for (row, label) in self.rows.values_mut().zip(labels) {
                row.bar
                    .get_or_insert_with(|| self.multi.add(ProgressBar::new(100)));
                let label = text::shorten(&label, column);
                let blanks = column.saturating_sub(console::measure_text_width(&label));
                // Once it has ended there is something to see at the provider's.
                let console = Some(&row.task)
                    .filter(|_| self.with_links && row.is_over)
                    .and_then(provider::console_url);
                let label = link(&label, console.as_ref()) + &" ".repeat(blanks);
                show(row, &label, elapsed, width, self.with_color);
            }
        }
        self.draw_trouble();
    }

    fn draw_trouble(&mut self) {
        if self.trouble_text.is_empty() {
            if let Some(bar) = self.trouble.take() {
                self.multi.remove(&bar);
            }
            return;
        }
        let bar = self.trouble.get_or_insert_with(|| {
            let bar = self.multi.add(ProgressBar::new(0));
            bar.set_style(style("{wide_msg}"));
            bar
        });
        let label = Style::new()
            .yellow()
            .for_stderr()
            .force_styling(self.with_color);
        bar.set_message(label.apply_to(&self.trouble_text).to_string());
    }

    fn draw_shared(&mut self, elapsed: Duration, width: usize) {
        for row in self.rows.values_mut() {
            if let Some(bar) = row.bar.take() {
                self.multi.remove(&bar);
            }
        }
        let shared = self.shared.get_or_insert_with(|| Shared {
            bar: self.multi.add(ProgressBar::new(0)),
            recent: (0..RECENT)
                .map(|_| {
                    let line = self.multi.add(ProgressBar::new(0));
                    line.set_style(style("  {wide_msg}"));
                    line
                })
                .collect(),
            order: Vec::new(),
        });
        let over = self.rows.values().filter(|row| row.is_over).count();
        let length = if width < NARROW { 8 } else { 24 };
        shared
            .bar
            .set_style(style(&format!("{{bar:{length}.cyan}} {{wide_msg}}")));
        shared.bar.set_length(self.rows.len() as u64);
        shared.bar.set_position(over as u64);
        shared.bar.set_message(format!(
            "{}  {}",
            summary(&self.rows),
            text::duration(elapsed)
        ));
        for (line, index) in shared.recent.iter().zip(&shared.order) {
            let task = &self.rows[index].task;
            let percent = task
                .percent()
                .map_or_else(String::new, |percent| format!(" {percent} %"));
            line.set_message(clean(&format!(
                "{} {}{percent}",
                task.id, task.provider_state
            )));
        }
    }

    fn note_change(&mut self, index: usize) {
        if let Some(shared) = &mut self.shared {
            shared.order.retain(|other| *other != index);
            shared.order.insert(0, index);
            shared.order.truncate(RECENT);
        }
    }
}

impl Reporter for Bars {
    fn event(&mut self, event: &Event<'_>, elapsed: Duration) {
        match event {
            Event::Changed {
                index,
                task,
                remaining,
            } => {
                let row = self.rows.entry(*index).or_insert_with(|| Row {
                    task: (*task).clone(),
                    remaining: None,
                    seen_at: elapsed,
                    is_over: false,
                    bar: None,
                });
                row.task = (*task).clone();
                row.remaining = *remaining;
                row.seen_at = elapsed;
                row.is_over = task.is_settled();
                self.note_change(*index);
            }
            Event::Settled { .. } => {}
            Event::Missed {
                provider,
                error,
                silent_for,
            } => {
                self.trouble_text = clean(&format!(
                    "no answer from {provider} for {}, trying again: {}",
                    text::duration(*silent_for),
                    error.one_line()
                ));
            }
            Event::Recovered { .. } => self.trouble_text.clear(),
            Event::Lost { index, .. } => {
                if let Some(row) = self.rows.get_mut(index) {
                    row.is_over = true;
                }
            }
            Event::Planned { .. } | Event::Tick => {}
        }
        self.draw(elapsed);
    }

    fn aside(&mut self, print: &mut dyn FnMut()) {
        self.multi.suspend(print);
    }

    fn finish(&mut self) {
        let shared = self
            .shared
            .iter()
            .flat_map(|shared| std::iter::once(&shared.bar).chain(&shared.recent));
        for bar in self
            .rows
            .values()
            .filter_map(|row| row.bar.as_ref())
            .chain(shared)
            .chain(&self.trouble)
        {
            bar.abandon();
        }
        // Nobody to tell when this fails.
        let _ = self.canvas.leave();
    }
}

/// The snapshot's name where it tells the tasks apart, else the task's id.
fn labels<'t>(tasks: impl Iterator<Item = &'t Task>) -> Vec<String> {
    let tasks: Vec<&Task> = tasks.collect();
    tasks
        .iter()
        .map(|task| {
            let same = tasks
                .iter()
                .filter(|other| other.snapshot == task.snapshot)
                .count();
            match &task.snapshot {
                Some(snapshot) if same == 1 => clean(snapshot),
                _ => clean(task.id.as_str()),
            }
        })
        .collect()
}

/// Draws a task's row: the bar with percent, the spinner with the flag, or the steps.
fn show(row: &Row, label: &str, elapsed: Duration, width: usize, with_color: bool) {
    let Some(bar) = &row.bar else { return };
    let task = &row.task;
    let is_narrow = width < NARROW;
    let paint = |style: Style, text: &str| {
        style
            .for_stderr()
            .force_styling(with_color)
            .apply_to(text)
            .to_string()
    };
    let sign = match task.state {
        State::Completed => paint(Style::new().green(), "✓"),
        State::Failed | State::Cancelled => paint(Style::new().red(), "✗"),
        _ if task.is_stalled() => paint(Style::new().red(), "!"),
        _ => "{spinner}".to_owned(),
    };
    match task.progress {
        Progress::Percent(percent) => {
            let length = if is_narrow { 6 } else { 24 };
            let color = if with_color { ".cyan" } else { "" };
            bar.set_style(style(&format!(
                "{sign} {{prefix}} {{bar:{length}{color}}} {{pos:>3}} % {{wide_msg}}"
            )));
            bar.set_position(u64::from(percent));
        }
        Progress::Flag { .. } | Progress::Step { .. } => {
            bar.set_style(style(&format!("{sign} {{prefix}} {{wide_msg}}")));
        }
    }
    bar.set_prefix(label.to_owned());
    bar.set_message(message(row, elapsed, is_narrow));
    bar.tick();
}

/// What stands right of the bar: the provider's word, time, and the estimate.
fn message(row: &Row, elapsed: Duration, is_narrow: bool) -> String {
    let task = &row.task;
    let time = text::duration(if row.is_over { row.seen_at } else { elapsed });
    let word = clean(&task.provider_state);
    let reason = task.error.as_ref().map(|error| clean(&error.message));
    if let Some(reason) = reason {
        return format!("{word} {time}: {reason}");
    }
    match task.progress {
        Progress::Percent(_) => {
            let left = row
                .remaining
                .map(|remaining| remaining.saturating_sub(elapsed.saturating_sub(row.seen_at)));
            match left {
                Some(left) if !row.is_over && !is_narrow => {
                    format!("{word} {time}, about {} left", text::duration(left))
                }
                _ if is_narrow => format!("{time} {word}"),
                _ => format!("{word} {time}"),
            }
        }
        Progress::Flag { is_terminal } => {
            let flag = if is_narrow {
                format!("{is_terminal}")
            } else {
                format!("isTerminal: {is_terminal}")
            };
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

/// `3 of 40 ended, 1 failed, 30 running, 7 pending`
fn summary(rows: &BTreeMap<usize, Row>) -> String {
    let count = |state: State| rows.values().filter(|row| row.task.state == state).count();
    let over = rows.values().filter(|row| row.is_over).count();
    let failed = count(State::Failed) + count(State::Cancelled);
    let mut parts = vec![format!("{over} of {} ended", rows.len())];
    for (number, word) in [
        (failed, "failed"),
        (count(State::Running), "running"),
        (count(State::Pending), "pending"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    parts.join(", ")
}

fn style(template: &str) -> ProgressStyle {
    // Templates are ours; one that did not parse would show in every test of the bars.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
