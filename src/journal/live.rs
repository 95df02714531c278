//! Whether the process that made an entry still lives: it holds a lock that the system releases with its death.

use std::cell::RefCell;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::settings::private_file::{open_own, private_file, private_folders};

/// This process, as others can see it.
#[derive(Debug)]
pub(super) struct Presence {
    /// The name others know it by.
    pub name: String,
    path: PathBuf,
    /// Held as long as the process lives.
    locks: RefCell<Vec<File>>,
}

impl Presence {
    /// Shows this process to the others that use the journal at `journal`.
    pub(super) fn show(journal: &Path) -> std::io::Result<Self> {
        let directory = directory(journal);
        private_folders().create(&directory)?;
        sweep(journal, &directory);
        // A process may have several: in tests one process plays many.
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let started = jiff::Timestamp::now().as_nanosecond();
        let name = format!("{}-{started}-{count}", std::process::id());
        let path = directory.join(&name);
        // Locked before it has its name: whoever sweeps must not take this process for a dead one.
        let unnamed = directory.join(format!(".{name}"));
        let lock = private_file().create_new(true).open(&unnamed)?;
        lock.lock()?;
        std::fs::rename(&unnamed, &path)?;
        Ok(Presence {
            name,
            path,
            locks: RefCell::new(vec![lock]),
        })
    }
}

impl Presence {
    /// Shows it again, where somebody has removed its file.
    pub(super) fn stay(&self, journal: &Path) -> std::io::Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        private_folders().create(directory(journal))?;
        let file = private_file().create_new(true).open(&self.path)?;
        file.lock()?;
        self.locks.borrow_mut().push(file);
        Ok(())
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // A file that stays is removed by whoever finds that nobody holds it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes what processes left that were killed.
fn sweep(journal: &Path, directory: &Path) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| !name.starts_with('.')) {
        is_alive(journal, &name);
    }
}

/// Whether the process of this name lives. Removes what a dead one left.
pub(super) fn is_alive(journal: &Path, name: &str) -> bool {
    // The journal may say anything, and what it says is no path.
    if !is_name(name) {
        return false;
    }
    let path = directory(journal).join(name);
    let Ok(file) = open_own(File::options().read(true), &path) else {
        return false;
    };
    match file.try_lock() {
        Ok(()) => {
            let _ = std::fs::remove_file(&path);
            false
        }
        Err(TryLockError::WouldBlock) => true,
        // Where locks do not work, nobody can be called dead.
        Err(TryLockError::Error(_)) => true,
    }
}

/// Whether a name is of the form that [`Presence::show`] gives: three numbers.
fn is_name(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    name.split('-').count() == 3 && name.split('-').all(is_number)
}

fn directory(journal: &Path) -> PathBuf {
    journal.with_extension("live")
}
