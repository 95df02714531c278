//! What can be seen of a process only before Rust's runtime prepares it.
//!
//! The runtime opens `/dev/null` on a standard stream that is closed, so that what is written there seems to arrive.
//! Afterwards nothing tells it from the `/dev/null` that somebody gave on purpose.
#![deny(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

static IS_STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether this process was started with its standard output closed.
pub fn is_stdout_closed() -> bool {
    IS_STDOUT_CLOSED.load(Ordering::Relaxed)
}

#[cfg(unix)]
ctor::declarative::ctor! {
    /// Runs before `main` and before the runtime: a system call and an atomic, and nothing of the standard library's state.
    #[ctor(unsafe)]
    fn look() {
        let is_closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
        IS_STDOUT_CLOSED.store(is_closed, Ordering::Relaxed);
    }
}
