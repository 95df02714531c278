//! Looking at bytes in their order on a thread of its own: hashing and unpacking take a core each.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use bytes::Bytes;

/// Pieces that wait for it at most.
const WAITING: usize = 8;

/// Something that looks at bytes. An error ends it.
pub(super) trait Look: Send + 'static {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The thread of one.
pub(super) struct Beside<T> {
    sender: SyncSender<Bytes>,
    thread: Option<JoinHandle<io::Result<T>>>,
}

impl<T: Look> Beside<T> {
    pub(super) fn start(name: &str, mut looks: T) -> io::Result<Self> {
        let (sender, receiver) = sync_channel::<Bytes>(WAITING);
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || {
            for bytes in receiver {
                looks.see(&bytes)?;
            }
            Ok(looks)
        })?;
        Ok(Beside {
            sender,
            thread: Some(thread),
        })
    }

    /// Passes the next bytes on. An error is that by which it has ended.
    pub(super) fn see(&mut self, bytes: Bytes) -> io::Result<()> {
        match self.sender.send(bytes) {
            Ok(()) => Ok(()),
            Err(_) => match self.thread.take().map(JoinHandle::join) {
                Some(Ok(Err(error))) => Err(error),
                _ => Err(died()),
            },
        }
    }

    /// There are no more.
    pub(super) fn finish(self) -> io::Result<T> {
        drop(self.sender);
        let thread = self.thread.ok_or_else(died)?;
        thread.join().unwrap_or_else(|_| Err(died()))
    }
}

fn died() -> io::Error {
    io::Error::other("a thread has died")
}
