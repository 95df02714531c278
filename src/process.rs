//! What the system says of this process: its signals, its terminal, its standard input.

use std::time::Duration;

/// How long a person is given to type an answer.
const PATIENCE: Duration = Duration::from_secs(55);

/// Whether a signal is ignored: whoever started this process wished so, since nothing here ignores one. `None` where the
/// system does not tell.
pub fn is_ignored(number: i32) -> Option<bool> {
    is_in_mask("SigIgn:", number)
}

/// Whether a signal has a handler. `None` where the system does not tell.
pub fn is_caught(number: i32) -> Option<bool> {
    is_in_mask("SigCgt:", number)
}

fn is_in_mask(name: &str, number: i32) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix(name))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask & 1 << (number - 1) != 0)
}

/// Whether this process is in the foreground of the terminal that it was started from; false without one.
#[cfg(unix)]
pub fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok_and(|terminal| is_foreground(terminal) == Some(true))
}

#[cfg(not(unix))]
pub fn has_terminal() -> bool {
    false
}

/// Whether this process is in the foreground of a terminal. `None` for what is no terminal, or not the one that this
/// process was started from.
#[cfg(unix)]
pub(crate) fn is_foreground(terminal: impl std::os::fd::AsFd) -> Option<bool> {
    let foreground = rustix::termios::tcgetpgrp(terminal).ok()?;
    Some(foreground == rustix::process::getpgrp())
}

/// Whether a person can be asked: what is said is seen on a terminal, and this process is the one that its keyboard speaks to.
#[cfg(unix)]
pub fn can_ask() -> bool {
    rustix::termios::isatty(rustix::stdio::stderr()) && has_terminal()
}

#[cfg(not(unix))]
pub fn can_ask() -> bool {
    false
}

/// The next line that is typed on the terminal. Standard input may be meant for others.
pub async fn answer() -> std::io::Result<String> {
    let (sender, line) = tokio::sync::oneshot::channel();
    // A thread of its own, which nobody has to wait for at the end.
    std::thread::spawn(move || {
        let mut typed = String::new();
        let read = std::fs::File::open("/dev/tty")
            .map(std::io::BufReader::new)
            .and_then(|mut terminal| std::io::BufRead::read_line(&mut terminal, &mut typed));
        let _ = sender.send(read.map(|_| typed));
    });
    let typed = tokio::time::timeout(crate::pace::limit(PATIENCE), line).await;
    let late = || std::io::Error::other("nobody typed it in time");
    typed.map_err(|_| late())?.map_err(|_| late())?
}

/// From now on a command that inherits standard input reads nothing there: what is there is meant for others, such as
/// the lines of a shell's `while read` loop.
pub fn hide_input() {
    #[cfg(unix)]
    if let Ok(nothing) = std::fs::File::open("/dev/null") {
        // Only commands that read what is not theirs would notice a failure.
        let _ = rustix::stdio::dup2_stdin(nothing);
    }
}

/// Files that a run may have to open at once: an export in the sandbox, which runs in the same process, opens twenty.
#[cfg(unix)]
const FILES: usize = 24;

/// An error where fewer files can be opened than a run may need: a start whose reply cannot be heard for want of one
/// would be a start of unknown outcome. Raises the limit first, as far as that is this process's to do.
#[cfg(unix)]
pub fn enough_files() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    if files_to_open()? == FILES {
        return Ok(());
    }
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // What comes of it is counted.
    let _ = setrlimit(Resource::Nofile, raised);
    match files_to_open()? {
        FILES => Ok(()),
        few => Err(std::io::Error::other(format!(
            "only {few} more files can be opened at once, and it needs {FILES}"
        ))),
    }
}

/// How many files can be opened now; no more than [`FILES`] are tried. A limit says less: whoever started this process
/// may have left it open files of their own.
#[cfg(unix)]
fn files_to_open() -> std::io::Result<usize> {
    use rustix::io::Errno;
    let mut files = Vec::new();
    while files.len() < FILES {
        match std::fs::File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error)
                if [Errno::MFILE, Errno::NFILE]
                    .iter()
                    .any(|full| error.raw_os_error() == Some(full.raw_os_error())) =>
            {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(files.len())
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub fn enough_files() -> std::io::Result<()> {
    Ok(())
}
