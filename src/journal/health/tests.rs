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
