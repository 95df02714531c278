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
use crate::deadline::Deadline;
use crate::error::{Error, Kind, Result};
use crate::pace::limit;
use crate::process;
use crate::secret::Secret;
use crate::text::in_words;

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
/// `what` names it in errors. `None` where the profile has neither; kind `timeout` where the command has not ended by the
/// deadline.
pub fn profile_secret(
    what: &str,
    value: Option<&Secret>,
    command: Option<&[String]>,
    deadline: Option<Deadline>,
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
    let failed =
        |error: Error| error.context(format!("The command for {what} ({program}) gave no secret"));
    let printed = printed(program, args, deadline).map_err(failed)?;
    let line = text::trimmed(printed.lines().next().unwrap_or_default());
    match Form::of(what).flaw(line) {
        Some(flaw) => Err(failed(no_secret(format!(
            "what it printed cannot be used: {flaw}"
        )))),
        None if line.is_empty() => Err(failed(no_secret("it printed nothing"))),
        None => Ok(Some(Secret::new(line))),
    }
}

fn no_secret(why: impl ToString) -> Error {
    Error::new(Kind::Credentials, why.to_string())
}

/// The first line that a command prints: not for ever, not without end, and not in spite of Ctrl-C.
fn printed(program: &str, args: &[String], deadline: Option<Deadline>) -> Result<String> {
    let stop = Stop::listen();
    let mut command = Command::new(program);
    // Standard input is not meant for it. Standard error stays the user's: a password manager may ask there.
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut running = Running::start(command).map_err(no_secret)?;
    let child = &mut running.child;
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
        if let Some(status) = running.child.try_wait().map_err(no_secret)? {
            break status;
        }
        if let Some(number) = stop.received() {
            running.end();
            stop.obey(number);
        }
        if deadline.is_some_and(|deadline| deadline.of_preparations().elapsed() > Duration::ZERO) {
            running.end();
            let why = "it did not end in the time that --timeout gives";
            return Err(Error::new(Kind::Timeout, why).hint(
                "no export is affected by that; give the command more time, and see why it hangs",
            ));
        }
        if began.elapsed() > limit(PATIENCE) {
            running.end();
            return Err(no_secret(format!(
                "it did not end within {}",
                in_words(limit(PATIENCE))
            )));
        }
        if began.elapsed() > limit(SOON) && !is_said {
            is_said = true;
            tracing::warn!("waiting for {program}, which is to tell a secret");
        }
        std::thread::sleep(GLANCE);
    };
    if !status.success() {
        return Err(no_secret(format!("it ended with {status}")));
    }
    // What it has left running may hold its output open.
    let bytes = first_line
        .recv_timeout(limit(AFTER))
        .map_err(|_| no_secret("it printed nothing"))?
        .map_err(no_secret)?;
    String::from_utf8(bytes).map_err(|_| no_secret("it printed no text"))
}

/// A command that is waited for.
struct Running {
    child: Child,
    /// It is the first of a process group of its own.
    #[cfg(unix)]
    leads: bool,
}

impl Running {
    /// Where there is no terminal to be asked at, what it starts in turn can be ended with it. On a terminal only the
    /// foreground group may ask, and that is ours.
    #[cfg(unix)]
    fn start(mut command: Command) -> std::io::Result<Self> {
        let leads = !process::has_terminal();
        if leads {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let child = command.spawn()?;
        Ok(Running { child, leads })
    }

    #[cfg(not(unix))]
    fn start(mut command: Command) -> std::io::Result<Self> {
        let child = command.spawn()?;
        Ok(Running { child })
    }

    /// Ends it; one that has ended already is as good.
    fn end(&mut self) {
        #[cfg(unix)]
        if self.leads {
            let group = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The signals that end a program: while this blocks, nobody else here can hear them.
#[cfg(unix)]
struct Stop(Vec<Heard>);

/// A signal that is listened to.
#[cfg(unix)]
struct Heard {
    number: i32,
    flag: Arc<AtomicBool>,
    id: Option<SigId>,
    /// Something here has its own use for it.
    is_shared: bool,
}

#[cfg(unix)]
impl Stop {
    /// What was ignored when this process was started stays so.
    fn listen() -> Self {
        let of = |number| {
            let is_shared = process::is_caught(number).unwrap_or(true);
            let flag = Arc::new(AtomicBool::new(false));
            let id = signal_hook::flag::register(number, flag.clone()).ok();
            Heard {
                number,
                flag,
                id,
                is_shared,
            }
        };
        let numbers = [SIGINT, SIGTERM].into_iter();
        Stop(
            numbers
                .filter(|number| process::is_ignored(*number) != Some(true))
                .map(of)
                .collect(),
        )
    }

    fn received(&self) -> Option<i32> {
        let is_set = |heard: &&Heard| heard.flag.load(Ordering::Relaxed);
        self.0.iter().find(is_set).map(|heard| heard.number)
    }

    fn obey(&self, number: i32) {
        let _ = signal_hook::low_level::emulate_default_handler(number);
    }
}

#[cfg(unix)]
impl Drop for Stop {
    fn drop(&mut self) {
        for heard in &self.0 {
            let Some(id) = heard.id else { continue };
            signal_hook::low_level::unregister(id);
            if !heard.is_shared {
                // A handler stays for good: without this the signal would do nothing from now on.
                let always = Arc::new(AtomicBool::new(true));
                let _ = signal_hook::flag::register_conditional_default(heard.number, always);
            }
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
