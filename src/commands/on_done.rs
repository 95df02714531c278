//! `--on-done COMMAND`: what the user wants done as each task ends.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::signals::Signals;
use crate::deadline::Deadline;
use crate::pace::limit;
use crate::report::{Printer, Reporter};
use crate::secret::clean;
use crate::task::Task;

/// Commands that run at once; a thousand tasks may end together.
const AT_ONCE: usize = 8;
/// How long output is still read after a command has ended: something it left running may hold its pipes open.
const GRACE: Duration = Duration::from_millis(200);

/// After this time of waiting for nothing else, it is said.
const SOON: Duration = Duration::from_secs(1);
const WAITING: &str = "Every task has ended or is left; waiting for the --on-done command";
const LEFT: &str = "The --on-done command still runs; it is left to itself";

/// What commands have to say.
enum Said {
    /// A line of output, without its end.
    Line(Vec<u8>),
    /// How one went wrong. It changes nothing about the export.
    Failed(String),
}

impl Said {
    fn print(&self, printer: &Printer) {
        match self {
            Said::Line(line) => printer.passed_on(line),
            // The user's own command went wrong: that is said also with --quiet.
            Said::Failed(text) => printer.answer(&[format!("warning: {text}")]),
        }
    }
}

/// Runs the command for each task that ends. Nobody has to wait for it before the end of the program.
pub(super) struct OnDone {
    command: String,
    slots: Arc<Semaphore>,
    sender: Option<UnboundedSender<Said>>,
    receiver: UnboundedReceiver<Said>,
}

impl OnDone {
    /// Ready to run this.
    pub(super) fn new(command: String) -> Self {
        let (sender, receiver) = unbounded_channel();
        OnDone {
            command,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            sender: Some(sender),
            receiver,
        }
    }

    /// Runs the command for a task; `object` is the task's JSON.
    pub(super) fn start(&self, task: &Task, object: String) {
        let Some(sender) = self.sender.clone() else {
            return;
        };
        let mut command = shell(&self.command);
        command.envs(variables(task));
        let slots = self.slots.clone();
        let id = task.id.clone();
        tokio::spawn(async move {
            // Held until the command has ended; the semaphore is never closed.
            let _slot = slots.acquire().await;
            let problem = match run(command, object, &sender).await {
                Ok(status) if status.success() => return,
                Ok(status) => format!("ended with {status}"),
                Err(error) => format!("could not be run: {error}"),
            };
            let _ = sender.send(Said::Failed(format!(
                "The --on-done command for {id} {problem}; the export is not affected"
            )));
        });
    }

    /// Prints what the commands have said since, above what the reporter draws.
    pub(super) fn pass_on(&mut self, printer: &Printer, reporter: &Reporter) {
        while let Ok(said) = self.receiver.try_recv() {
            reporter.aside(|| said.print(printer));
        }
    }

    /// Lets the commands end and prints what they still say. A signal or the deadline ends that: then those that run are
    /// left to themselves.
    pub(super) async fn finish(
        &mut self,
        printer: &Printer,
        signals: &Signals,
        deadline: Option<Deadline>,
    ) {
        let mut is_said = false;
        let soon = Instant::now() + limit(SOON);
        let (say, asked) = (tokio::time::sleep_until(soon), tokio::time::interval(GRACE));
        let end = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.end()).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(say, asked, end);
        loop {
            tokio::select! {
                biased;
                () = signals.wait() => return printer.note(LEFT),
                () = &mut end => return printer.warn(LEFT),
                said = self.last_said() => match said {
                    Some(said) => said.print(printer),
                    None => return,
                },
                () = &mut say, if !is_said => {
                    is_said = true;
                    printer.note(WAITING);
                }
                _ = asked.tick() => if signals.is_asked() {
                    printer.answer(&[WAITING.to_owned()]);
                }
            }
        }
    }

    /// The next thing said; `None` once every command has ended. No other is started after this was called.
    async fn last_said(&mut self) -> Option<Said> {
        self.sender = None;
        self.receiver.recv().await
    }
}

/// The system's shell, told to run this.
fn shell(command: &str) -> Command {
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut process = Command::new(shell);
    process.arg(option).arg(command);
    process
}

/// The task as variables. All of them are set, so that none is left from elsewhere; what is not known is empty.
fn variables(task: &Task) -> Vec<(&'static str, String)> {
    let artifact = task.artifact.as_ref();
    let error = task.error.as_ref();
    let percent = task.percent().map(|percent| percent.to_string());
    let kind = error.map(|error| error.kind.as_str());
    let pairs = [
        ("SNAPEXPORT_TASK_ID", Some(task.id.as_str())),
        ("SNAPEXPORT_PROVIDER", Some(task.provider.0)),
        ("SNAPEXPORT_TASK_REGION", Some(task.region.as_str())),
        ("SNAPEXPORT_SNAPSHOT", task.snapshot.as_deref()),
        ("SNAPEXPORT_STATE", Some(task.state.as_str())),
        (
            "SNAPEXPORT_PROVIDER_STATE",
            Some(task.provider_state.as_str()),
        ),
        ("SNAPEXPORT_PERCENT", percent.as_deref()),
        (
            "SNAPEXPORT_ARTIFACT_URI",
            artifact.map(|artifact| artifact.uri.as_str()),
        ),
        (
            "SNAPEXPORT_ARTIFACT_ID",
            artifact.and_then(|artifact| artifact.id.as_deref()),
        ),
        ("SNAPEXPORT_ERROR_KIND", kind),
        (
            "SNAPEXPORT_ERROR_MESSAGE",
            error.map(|error| error.message.as_str()),
        ),
    ];
    // A variable cannot hold a NUL, and is often printed: nothing from a server may drive the terminal.
    pairs
        .map(|(name, value)| (name, clean(value.unwrap_or_default())))
        .to_vec()
}

async fn run(
    mut command: Command,
    object: String,
    sender: &UnboundedSender<Said>,
) -> std::io::Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk = async {
        tokio::join!(
            feed(stdin, object),
            forward(stdout, sender),
            forward(stderr, sender)
        );
    };
    tokio::pin!(talk);
    tokio::select! {
        biased;
        () = &mut talk => child.wait().await,
        status = child.wait() => {
            let _ = tokio::time::timeout(GRACE, &mut talk).await;
            status
        }
    }
}

/// Writes the task; a command that does not read it is no error.
async fn feed(stdin: Option<ChildStdin>, object: String) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(format!("{object}\n").as_bytes()).await;
        let _ = stdin.shutdown().await;
    }
}

async fn forward(stream: Option<impl AsyncRead + Unpin>, sender: &UnboundedSender<Said>) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                line.pop_if(|last| *last == b'\n');
                let _ = sender.send(Said::Line(line));
            }
        }
    }
}

#[cfg(test)]
mod tests;
