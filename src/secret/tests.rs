//! What a secret keeps to itself.

use super::*;

#[test]
fn a_secret_never_shows_itself() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), MASK);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_kept_out_of_core_dumps() {
    use rustix::process::{DumpableBehavior, dumpable_behavior};
    keep_out_of_core_dumps();
    let behavior = dumpable_behavior().expect("the system says");
    assert_eq!(behavior, DumpableBehavior::NotDumpable);
}
