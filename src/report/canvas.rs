//! Where bars are drawn: the last lines of the terminal, taken away and written again as a whole.
//!
//! Each line has an end of its own, so that a terminal that becomes wider joins none of them to another.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::Term;
use indicatif::TermLike;

use super::leave;
use super::terminal::is_in_background;

/// A target for indicatif that survives changes of the terminal's width.
///
/// For each line that is drawn indicatif writes twice: the line, and blanks up to the right margin, which are left out here.
/// How the old lines are removed is decided here as well: only this place knows how many rows they take after a resize.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    term: Term,
    is_reflowing: bool,
    frame: Arc<Mutex<Frame>>,
}

#[derive(Debug, Default)]
struct Frame {
    /// What stands on the screen, and the width it was drawn for.
    shown: Vec<String>,
    width: u16,
    /// What is being drawn.
    next: Vec<String>,
    is_filler_due: bool,
}

impl Canvas {
    /// On standard error. `is_reflowing`: a terminal that becomes narrower breaks its lines anew.
    pub(super) fn new(is_reflowing: bool) -> Self {
        Canvas {
            term: Term::buffered_stderr(),
            is_reflowing,
            frame: Arc::default(),
        }
    }

    /// Leaves what is drawn on the screen; what comes next stands below it.
    pub(super) fn leave(&self) -> io::Result<()> {
        let mut frame = self.frame();
        if !std::mem::take(&mut frame.shown).is_empty() {
            leave::bars_are(false);
            self.term.write_str("\r\n")?;
            self.term.flush()?;
        }
        Ok(())
    }

    fn frame(&self) -> MutexGuard<'_, Frame> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frame {
    /// What takes the old lines away and writes the new ones.
    fn change(&mut self, width: u16, is_reflowing: bool) -> String {
        let columns = usize::from(width.max(1));
        let next: Vec<String> = std::mem::take(&mut self.next)
            .into_iter()
            .map(|line| console::truncate_str(&line, columns, "").into_owned())
            .collect();
        self.is_filler_due = false;
        if next == self.shown && (width == self.width || next.is_empty()) {
            return String::new();
        }
        let is_broken = is_reflowing && width < self.width;
        let rows: usize = self
            .shown
            .iter()
            .map(|line| match console::measure_text_width(line) {
                wide if is_broken => wide.div_ceil(columns).max(1),
                _ => 1,
            })
            .sum();
        let erase = match rows {
            0 => String::new(),
            1 => "\r\x1b[J".to_owned(),
            _ => format!("\r\x1b[{}A\x1b[J", rows - 1),
        };
        self.width = width;
        self.shown = next;
        erase + &self.shown.join("\r\n")
    }
}

impl TermLike for Canvas {
    fn width(&self) -> u16 {
        self.term.size().1
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.frame().next.push(line.to_owned());
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut frame = self.frame();
        if !frame.is_filler_due {
            frame.next.push(text.to_owned());
        }
        frame.is_filler_due = !frame.is_filler_due;
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut frame = self.frame();
        if is_in_background() {
            // What stands on the screen is followed by what the job in the foreground writes: it stays.
            *frame = Frame::default();
            leave::bars_are(false);
            return Ok(());
        }
        let text = frame.change(self.width(), self.is_reflowing);
        if text.is_empty() {
            return Ok(());
        }
        leave::bars_are(!frame.shown.is_empty());
        self.term.write_str(&text)?;
        self.term.flush()
    }
}

#[cfg(test)]
mod tests;
