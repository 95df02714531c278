//! Looking at bytes in their order on a thread of its own: hashing and unpacking take a core each.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use bytes::Bytes;

/// Pieces that wait for it at most.
const WAITING: usize = 8;

/// Something that looks at bytes. An error ends it.
pub(super) trait Look: Send + 'static {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The thread of one. Dropped before its end, it stops, and is waited for: it may write where another begins again.
pub(super) struct Beside<T> {
    sender: Option<SyncSender<Bytes>>,
    thread: Option<JoinHandle<io::Result<T>>>,
    is_stopped: Arc<AtomicBool>,
}

impl<T: Look> Beside<T> {
    pub(super) fn start(name: &str, mut looks: T) -> io::Result<Self> {
        let (sender, receiver) = sync_channel::<Bytes>(WAITING);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = is_stopped.clone();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || {
            for bytes in receiver {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                looks.see(&bytes)?;
            }
            Ok(looks)
        })?;
        Ok(Beside {
            sender: Some(sender),
            thread: Some(thread),
            is_stopped,
        })
    }

    /// Passes the next bytes on. An error is that by which it has ended.
    pub(super) fn see(&mut self, bytes: Bytes) -> io::Result<()> {
        let sent = self.sender.as_ref().map(|sender| sender.send(bytes));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => match self.thread.take().map(JoinHandle::join) {
                Some(Ok(Err(error))) => Err(error),
                _ => Err(died()),
            },
        }
    }

    /// There are no more.
    pub(super) fn finish(mut self) -> io::Result<T> {
        self.sender = None;
        let thread = self.thread.take().ok_or_else(died)?;
        thread.join().unwrap_or_else(|_| Err(died()))
    }
}

impl<T> Drop for Beside<T> {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.sender = None;
        // What it came to nobody wants to know.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn died() -> io::Error {
    io::Error::other("a thread has died")
}
