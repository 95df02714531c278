//! `--fetch` of a wait: what an export made is fetched as soon as it ends, a few at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::fetch::{What, about, left_behind};
use super::signals::Signals;
use crate::error::{Error, Hint, Reason, Result};
use crate::fetch::{Fetched, Wish, prepare, to_files};
use crate::provider::Provider;
use crate::report::Printer;
use crate::task::Task;
use crate::text;

/// What is said of a fetch.
enum Said {
    Begun {
        name: String,
        size: u64,
    },
    /// With what is left behind.
    Ended(Box<Task>, Result<Box<(Fetched, Option<Hint>)>>),
}

/// Brings home what ends.
pub(super) struct Homing {
    to: PathBuf,
    slots: Arc<Semaphore>,
    sender: UnboundedSender<Said>,
    receiver: UnboundedReceiver<Said>,
    signals: Signals,
    /// Those that have not ended.
    open: usize,
    /// There is one task in all: then what it leaves behind is said with the commands that delete it.
    is_alone: bool,
    /// That was said.
    pub(super) has_told: bool,
}

impl Homing {
    /// To a folder, so many at once; one alone may go to a file.
    pub(super) fn new(
        to: PathBuf,
        (tasks, at_once): (usize, usize),
        signals: &Signals,
    ) -> Result<Self> {
        if tasks > 1 && !to.is_dir() {
            let sentence = format!("{} is no folder, and there are {tasks} tasks", to.display());
            return Err(Error::usage(sentence).hint("make it, or fetch each to a file of its own"));
        }
        let (sender, receiver) = unbounded_channel();
        Ok(Homing {
            to,
            slots: Arc::new(Semaphore::new(at_once)),
            sender,
            receiver,
            signals: signals.clone(),
            open: 0,
            is_alone: tasks == 1,
            has_told: false,
        })
    }

    /// Fetches what this task made.
    pub(super) fn start(&mut self, provider: Arc<dyn Provider>, task: &Task) {
        let (slots, sender, signals) = (
            self.slots.clone(),
            self.sender.clone(),
            self.signals.clone(),
        );
        let (to, task) = (self.to.clone(), task.clone());
        self.open += 1;
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _slot = slots.acquire().await;
            let fetched = fetch(provider.as_ref(), &task, to, &sender, &signals).await;
            // Nobody listens any more after a second signal.
            let _ = sender.send(Said::Ended(Box::new(task), fetched.map(Box::new)));
        });
    }

    /// Waits for all that are under way, and gives what went wrong.
    pub(super) async fn finish(&mut self, printer: &mut Printer) -> Vec<Error> {
        let mut errors = Vec::new();
        while self.open > 0 {
            let Some(said) = self.receiver.recv().await else {
                break;
            };
            errors.extend(self.tell(said, printer));
        }
        errors
    }

    /// Says what is known by now, without waiting.
    pub(super) fn pass_on(&mut self, printer: &mut Printer) -> Vec<Error> {
        let mut errors = Vec::new();
        while let Ok(said) = self.receiver.try_recv() {
            errors.extend(self.tell(said, printer));
        }
        errors
    }

    fn tell(&mut self, said: Said, printer: &mut Printer) -> Option<Error> {
        match said {
            Said::Begun { name, size } => {
                printer.note(format!("Fetching {name} ({})", text::bytes(size)));
                None
            }
            Said::Ended(task, fetched) => {
                self.open -= 1;
                match fetched {
                    Ok(both) => {
                        let (fetched, left) = *both;
                        printer.brought(&fetched.paths, &fetched.evidence);
                        if let Some(hint) = left.filter(|_| self.is_alone) {
                            printer.note(hint);
                            self.has_told = true;
                        }
                        None
                    }
                    Err(error) => Some(error.naming(task.id.as_str(), || {
                        format!("What {} made was not fetched", task.id)
                    })),
                }
            }
        }
    }
}

async fn fetch(
    provider: &dyn Provider,
    task: &Task,
    to: PathBuf,
    sender: &UnboundedSender<Said>,
    signals: &Signals,
) -> Result<(Fetched, Option<Hint>)> {
    let what = What::Export(Box::new(task.clone()));
    let about = about(provider, &what).await;
    let wish = Wish {
        to: Some(to),
        ..Wish::default()
    };
    let mut is_second = false;
    loop {
        let image = what.open(provider).await?;
        let name = image.name.clone();
        let size = image.disks.iter().map(|disk| disk.size).sum();
        // Nobody listens any more after a second signal.
        let _ = sender.send(Said::Begun { name, size });
        match to_files(&image, &about, &wish, signals.wait(), |_| {}).await {
            // As `fetch` does it; a closure of both could not be sent to where this runs.
            Err(error) if error.is_because(Reason::ObjectChanged) && !is_second => is_second = true,
            fetched => {
                return fetched.map(|fetched| {
                    let left = left_behind(provider, &what, &fetched.evidence.source.uri);
                    (fetched, left)
                });
            }
        }
    }
}

/// Whether a folder or a file is meant is known before anything is started.
pub(super) fn check(to: &Path) -> Result<()> {
    match to.as_os_str() == "-" {
        true => Err(Error::usage(
            "--fetch writes files; fetch --to - writes to standard output",
        )),
        false => prepare(to),
    }
}
