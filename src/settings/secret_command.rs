//! Secrets that a command of the user's tells, such as a password manager.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::SigId;
#[cfg(unix)]
use signal_hook::consts::{SIGINT, SIGTERM};

use super::text::{self, Form};
use crate::error::{Error, Kind, Result};
use crate::pace::limit;
use crate::secret::Secret;

/// A person may have to type a passphrase or touch a key.
const PATIENCE: Duration = Duration::from_secs(120);
/// After this time it is said what is waited for.
const SOON: Duration = Duration::from_secs(3);
/// How often to see whether it has ended.
const GLANCE: Duration = Duration::from_millis(5);
/// How long its output may take when it has ended.
const AFTER: Duration = Duration::from_secs(1);
/// More than any secret is long, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A secret that stands in a profile, or is what a command prints (its first line).
///
/// `what` names it in errors. `None` where the profile has neither.
pub fn profile_secret(
    what: &str,
    value: Option<&Secret>,
    command: Option<&[String]>,
) -> Result<Option<Secret>> {
    let Some(command) = command else {
        return Ok(value.cloned());
    };
    if value.is_some() {
        return Err(Error::usage(format!(
            "The profile has both {what} and {what}_command; keep one"
        )));
    }
    let Some((program, args)) = command.split_first() else {
        return Err(Error::usage(format!(
            "The profile's {what}_command is empty"
        )));
    };
    let failed = |why: String| {
        Error::new(
            Kind::Credentials,
            format!("The command for {what} ({program}) gave no secret"),
        )
        .cause(why)
    };
    let printed = printed(program, args).map_err(failed)?;
    let line = text::trimmed(printed.lines().next().unwrap_or_default());
    match Form::of(what).flaw(line) {
        Some(flaw) => Err(failed(format!("what it printed cannot be used: {flaw}"))),
        None if line.is_empty() => Err(failed("it printed nothing".into())),
        None => Ok(Some(Secret::new(line))),
    }
}

/// The first line that a command prints: not for ever, not without end, and not in spite of Ctrl-C.
fn printed(program: &str, args: &[String]) -> std::result::Result<String, String> {
    let stop = Stop::listen();
    // Standard error stays the user's: a password manager may ask there.
    let mut child = Command::new(program)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let (sender, first_line) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut output = BufReader::new(output.take(LONGEST));
            let mut line = Vec::new();
            let read = output.read_until(b'\n', &mut line);
            let _ = sender.send(read.map(|_| line));
            // The rest is not wanted, but who says it is to end well.
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        });
    }
    let began = Instant::now();
    let mut is_said = false;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if let Some(number) = stop.received() {
            end(&mut child);
            stop.obey(number);
        }
        if began.elapsed() > limit(PATIENCE) {
            end(&mut child);
            return Err(format!(
                "it did not end within {} s",
                limit(PATIENCE).as_secs_f64()
            ));
        }
        if began.elapsed() > limit(SOON) && !is_said {
            is_said = true;
            tracing::warn!("waiting for {program}, which is to tell a secret");
        }
        std::thread::sleep(GLANCE);
    };
    if !status.success() {
        return Err(format!("it ended with {status}"));
    }
    // What it has left running may hold its output open.
    let bytes = first_line
        .recv_timeout(limit(AFTER))
        .map_err(|_| "it printed nothing".to_owned())?
        .map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it printed no text".into())
}

/// Ends a command that is not waited for any longer; one that has ended already is as good.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The signals that end a program: while this blocks, nobody else here can hear them.
#[cfg(unix)]
struct Stop(Vec<(i32, Arc<AtomicBool>, Option<SigId>)>);

#[cfg(unix)]
impl Stop {
    fn listen() -> Self {
        let of = |number| {
            let flag = Arc::new(AtomicBool::new(false));
            let id = signal_hook::flag::register(number, flag.clone()).ok();
            (number, flag, id)
        };
        Stop([SIGINT, SIGTERM].map(of).into())
    }

    fn received(&self) -> Option<i32> {
        let mut all = self.0.iter();
        let found = all.find(|(_, flag, _)| flag.load(Ordering::Relaxed))?;
        Some(found.0)
    }

    fn obey(&self, number: i32) {
        let _ = signal_hook::low_level::emulate_default_handler(number);
    }
}

#[cfg(unix)]
impl Drop for Stop {
    fn drop(&mut self) {
        for id in self.0.iter().filter_map(|(_, _, id)| *id) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Elsewhere the console ends the command, and this with it.
#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn listen() -> Self {
        Stop
    }

    fn received(&self) -> Option<i32> {
        None
    }

    fn obey(&self, _: i32) {}
}

#[cfg(test)]
mod tests;
