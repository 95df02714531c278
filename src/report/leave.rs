//! What must not stay behind on the terminal, however the program ends.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle_progress::TermProgress;

static HAS_PROGRESS: AtomicBool = AtomicBool::new(false);
static HAS_BARS: AtomicBool = AtomicBool::new(false);

/// Notes whether the terminal shows progress of ours outside its text (OSC 9;4).
pub(super) fn progress_is(shown: bool) {
    HAS_PROGRESS.store(shown, Ordering::Relaxed);
}

/// Notes whether the cursor stands at the end of a bar.
pub(super) fn bars_are(shown: bool) {
    HAS_BARS.store(shown, Ordering::Relaxed);
}

/// What puts the terminal in order. It is due once.
pub(super) fn text() -> String {
    let mut text = String::new();
    if HAS_PROGRESS.swap(false, Ordering::Relaxed) {
        text += &TermProgress::remove().to_string();
    }
    if HAS_BARS.swap(false, Ordering::Relaxed) {
        text += "\r\n";
    }
    text
}

/// Puts the terminal in order for an end that nothing else is done before.
pub(crate) fn at_once() {
    let text = text();
    if !text.is_empty() {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}
