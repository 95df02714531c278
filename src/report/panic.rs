//! The last words of a defect: one line that says where, and nothing of what was at hand there.

use std::io::Write;
use std::panic::{Location, PanicHookInfo};

use crate::error::{Error, Hint, Kind};
use crate::options::Output;

/// From now on a panic ends the program with one sentence and exit code 1.
///
/// The payload stays unsaid: it may hold a secret or a server's bytes.
pub fn install(output: Option<Output>) {
    std::panic::set_hook(Box::new(move |panic| die(panic, output)));
}

fn die(panic: &PanicHookInfo<'_>, output: Option<Output>) -> ! {
    let error = defect(panic.location());
    // Not through the locks of the standard streams' users: one of them may be what panicked.
    let mut text = format!("{}error: {}\n", super::leave::text(), error.message);
    for hint in &error.details.hints {
        text += &format!("  hint: {hint}\n");
    }
    if output == Some(Output::Json) {
        text += &format!("{}\n", super::error_line(&error));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    std::process::exit(i32::from(error.exit_code()))
}

fn defect(location: Option<&Location<'_>>) -> Error {
    let place = location.map_or_else(String::new, |at| {
        // The whole path is that of the machine where this was built.
        let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
        format!(" ({file}:{})", at.line())
    });
    Error::new(
        Kind::Internal,
        format!("snapexport met a defect of its own and ends{place}"),
    )
    .hint(Hint::say("what was started goes on; see it with: ").and_run("snapexport status"))
}

#[cfg(test)]
mod tests;
