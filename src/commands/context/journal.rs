//! The journal as a command sees it: what keeps it from being used is said, and keeps nobody from their exports.

use std::path::Path;

use jiff::Timestamp;

use super::Context;
use crate::error::{Error, Hint, Result};
use crate::journal::{Journal, Opened};
use crate::options::Output;
use crate::task::Source;

/// What works without the journal.
const WITHOUT_JOURNAL: &str = "what you started is not known now, but exports can be named by id";

fn moved(aside: &Path) -> Hint {
    Hint::say(format!(
        "The journal was damaged and is now {}; a new one was begun. Exports can still be named by id. A start whose outcome was not known is forgotten: before you start it again, look at ",
        aside.display()
    ))
    .and_run("snapexport status --remote")
}

impl Context {
    /// The journal, made if need be; `None` with `--no-journal`, or with a warning where it cannot be used:
    /// that must keep nobody from their exports. `meanwhile` says what is done without it.
    ///
    /// For whoever starts exports: it is read from end to end first.
    pub fn journal(&self, meanwhile: &str) -> Option<Journal> {
        self.opened(
            Journal::open_whole(self.journal_path.as_deref()?),
            meanwhile,
        )
    }

    /// The journal, if it exists already: what only reads does not make one.
    pub fn existing_journal(&self) -> Option<Journal> {
        let path = self
            .journal_path
            .as_deref()
            .filter(|_| self.has_journal())?;
        self.opened(Journal::open(path), WITHOUT_JOURNAL)
    }

    /// Keeps what was listed, for completion. Nobody misses it where there is no place for it.
    pub fn remember_sources(&self, sources: &[Source]) {
        let Some(path) = self.journal_path.as_deref() else {
            return;
        };
        let kept = Journal::open(path).and_then(|Opened { journal, moved_to }| {
            if let Some(aside) = moved_to {
                self.printer(Output::Table).warn(moved(&aside));
            }
            journal.record_sources(sources, Timestamp::now())
        });
        if let Err(error) = kept {
            tracing::info!("{}", error.one_line());
        }
    }

    /// Whether there is a journal, be it usable or not. One whose place cannot be looked at may be there.
    pub fn has_journal(&self) -> bool {
        self.journal_path
            .as_deref()
            .is_some_and(|path| !matches!(path.try_exists(), Ok(false)))
    }

    /// What to do about a journal that could be opened but not read: said, and moved aside if it is damaged.
    /// Gives whether it was moved.
    pub fn give_up_journal(&self, journal: &Journal, error: &Error) -> bool {
        let printer = self.printer(Output::Table);
        if let Ok(Some(aside)) = journal.discard_if_damaged() {
            printer.warn(moved(&aside));
            return true;
        }
        printer.warn(format!("{}; {WITHOUT_JOURNAL}", error.one_line()));
        false
    }

    fn opened(&self, opened: Result<Opened>, meanwhile: &str) -> Option<Journal> {
        let printer = self.printer(Output::Table);
        match opened {
            Ok(Opened { journal, moved_to }) => {
                if let Some(aside) = moved_to {
                    printer.warn(moved(&aside));
                }
                Some(journal)
            }
            Err(error) => {
                let said = Hint::say(format!("{}; {meanwhile}", error.one_line()));
                let hints = error.details.hints.iter();
                printer.warn(hints.fold(said, |said, hint| said.and(". ").and_hint(hint)));
                None
            }
        }
    }
}
