//! What a write on trial tells.

use super::*;

#[test]
fn a_trial_leaves_nothing_and_names_a_full_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = directory.path().join("journal.db");
    assert_eq!(trial(&journal), None);
    let left = std::fs::read_dir(directory.path()).expect("there").count();
    assert_eq!(left, 0);
    assert!(trial(&directory.path().join("no/journal.db")).is_some());
    let full = io::Error::from(io::ErrorKind::StorageFull);
    assert_eq!(not_written(&full), "the disk is full");
}

#[test]
fn a_trial_names_locks_that_do_not_work_and_leaves_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = directory.path().join("journal.db");
    let no_locks = |_: &File| Err(io::Error::from(io::ErrorKind::Unsupported));
    let problem = trial_with(&journal, no_locks).expect("named");
    assert!(problem.contains("locks do not work there"), "{problem}");
    assert!(problem.contains("network file systems"), "{problem}");
    let left = std::fs::read_dir(directory.path()).expect("there").count();
    assert_eq!(left, 0);
}

/// A file that is open for reading alone takes our kind of lock, and not SQLite's.
#[cfg(unix)]
#[test]
fn the_locks_of_sqlite_are_tried_too() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    try_locks(file.as_file()).expect("both work");
    let read_only = File::open(file.path()).expect("opened");
    drop(file);
    read_only.try_lock().expect("ours works");
    read_only.unlock().expect("unlocked");
    assert!(try_locks(&read_only).is_err());
}
