//! The journal as a command sees it: what keeps it from being used is said, and keeps nobody from their exports.

use std::path::Path;

use jiff::Timestamp;

use super::Context;
use crate::error::{Error, Hint, Result};
use crate::journal::{Journal, Opened, believe};
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
    /// Whether the journal may be believed; an error with what mends it where others may write it.
    pub fn believe_journal(&self) -> Result<()> {
        let path = self.journal_path.as_deref();
        path.map_or(Ok(()), |path| believe(path, &self.us))
    }

    /// The same for whoever starts exports, and must stop where it is not.
    pub fn believe_journal_or_stop(&self) -> Result<()> {
        self.believe_journal().map_err(|error| {
            error.hint("--no-journal exports without it: what was begun before is not known then")
        })
    }

    /// The journal, made if need be; `None` with `--no-journal`, or with a warning where it cannot be used:
    /// that must keep nobody from their exports. `meanwhile` says what is done without it.
    ///
    /// For whoever starts exports: it is read from end to end first, and one that others may write is an error.
    pub fn journal(&self, meanwhile: &str) -> Result<Option<Journal>> {
        self.believe_journal_or_stop()?;
        let path = self.journal_path.as_deref();
        Ok(path.and_then(|path| self.opened(Journal::open_whole(path), meanwhile)))
    }

    /// The journal, if it exists already: what only reads does not make one.
    pub fn existing_journal(&self) -> Option<Journal> {
        let path = self
            .journal_path
            .as_deref()
            .filter(|_| self.has_journal())?;
        let opened = self.believe_journal().and_then(|()| Journal::open(path));
        self.opened(opened, WITHOUT_JOURNAL)
    }

    /// Keeps what was listed, for completion. Nobody misses it where there is no place for it.
    pub fn remember_sources(&self, sources: &[Source]) {
        let Some(path) = self.journal_path.as_deref() else {
            return;
        };
        if let Err(error) = self.believe_journal() {
            return self.without(&error, "what was listed is not kept for the Tab key");
        }
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
                self.without(&error, meanwhile);
                None
            }
        }
    }

    /// Says what keeps the journal from being used, what is done without it, and what mends it.
    fn without(&self, error: &Error, meanwhile: &str) {
        let said = Hint::say(format!("{}; {meanwhile}", error.one_line()));
        let hints = error.details.hints.iter();
        let said = hints.fold(said, |said, hint| said.and(". ").and_hint(hint));
        self.printer(Output::Table).warn(said);
    }
}
