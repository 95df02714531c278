//! Progress of bytes: one bar, or a line now and then.

use std::io::Write;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::bars;
use super::canvas::Canvas;
use super::reporter::Choice;
use super::terminal::Terminal;
use crate::secret::clean;
use crate::text;

/// Redraws a second, at most.
const REDRAWS: u8 = 20;
/// Between two lines, where nothing can be redrawn.
const LINE: Duration = Duration::from_secs(10);
/// What went before counts no more for the rate.
const MEMORY: Duration = Duration::from_secs(15);

/// How far a fetch is.
pub(crate) struct Transfer {
    name: String,
    size: u64,
    view: View,
    began: Instant,
    /// Bytes that were there at moments of late, from which the rate is.
    seen: Vec<(Instant, u64)>,
    line: Instant,
    /// Whether there was anything to draw.
    is_begun: bool,
}

enum View {
    Bar(ProgressBar, Canvas),
    Lines,
    Silent,
}

impl Transfer {
    /// Of an object of this name and size.
    pub(super) fn new(name: &str, size: u64, choice: Choice, terminal: Terminal) -> Self {
        let view = match choice {
            Choice::Bars => {
                console::set_colors_enabled(terminal.stderr_color);
                let canvas = Canvas::new(terminal.is_reflowing);
                // Nothing is drawn before there is anything to tell.
                let bar = ProgressBar::hidden();
                bar.set_length(size);
                let is_narrow = usize::from(Term::stderr().size().1) < bars::NARROW;
                let length = if is_narrow { 6 } else { 24 };
                bar.set_style(bars::style(&format!("{{bar:{length}.cyan}} {{wide_msg}}")));
                View::Bar(bar, canvas)
            }
            Choice::Lines => View::Lines,
            Choice::Silent => View::Silent,
        };
        let now = Instant::now();
        Transfer {
            name: clean(name),
            size,
            view,
            began: now,
            seen: Vec::new(),
            line: now,
            is_begun: false,
        }
    }

    /// So many bytes are there.
    pub(crate) fn at(&mut self, bytes: u64) {
        let now = Instant::now();
        if let View::Bar(bar, canvas) = &self.view
            && !self.is_begun
        {
            let target = Box::new(canvas.clone());
            bar.set_draw_target(ProgressDrawTarget::term_like_with_hz(target, REDRAWS));
        }
        self.is_begun = true;
        self.seen.retain(|(at, _)| now - *at < MEMORY);
        self.seen.push((now, bytes));
        let said = self.words(bytes, now);
        match &self.view {
            View::Bar(bar, _) => {
                bar.set_position(bytes);
                bar.set_message(said);
            }
            View::Lines if now - self.line >= LINE => {
                self.line = now;
                // Nobody to tell when this fails.
                let _ = writeln!(std::io::stderr().lock(), "{}: {said}", self.name);
            }
            View::Lines | View::Silent => {}
        }
    }

    /// `1.2 GiB of 8.0 GiB  210 MiB/s, 33 s left`
    fn words(&self, bytes: u64, now: Instant) -> String {
        let of = format!("{} of {}", text::bytes(bytes), text::bytes(self.size));
        let Some((since, before)) = self.seen.first() else {
            return of;
        };
        let seconds = (now - *since).as_secs_f64();
        if seconds < 0.2 {
            return of;
        }
        let rate = bytes.saturating_sub(*before) as f64 / seconds;
        if bytes >= self.size {
            // What is left to do takes its time too.
            return format!("{of}, checking");
        }
        let mut said = format!("{of}  {}/s", text::bytes(rate as u64));
        if rate >= 1.0 && now - self.began > Duration::from_secs(1) {
            let left = Duration::from_secs_f64((self.size - bytes) as f64 / rate);
            said += &format!(", {} left", text::duration(left));
        }
        said
    }

    /// It is over, or something else is to be said.
    pub(crate) fn finish(self) {
        if let View::Bar(bar, canvas) = &self.view
            && self.is_begun
        {
            let took = text::duration(self.began.elapsed());
            let came = self.seen.last().map_or(0, |(_, bytes)| *bytes);
            let of = format!("{} of {}", text::bytes(came), text::bytes(self.size));
            bar.set_message(format!("{of}  {took}"));
            bar.abandon();
            let _ = canvas.leave();
        }
    }
}
