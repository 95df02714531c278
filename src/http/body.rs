//! The body of a reply while it is read: its strings are cut, and large ones come one at a time.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::words::Words;

/// What is longer, in bytes, is read and understood one at a time: each takes a multiple of its length.
const LARGE: usize = 1 << 20;
static TURN: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// What has come until now.
pub(super) struct Body {
    words: Words,
    kept: Vec<u8>,
    turn: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// Of whose strings so many bytes are kept.
    pub(super) fn new(string: usize) -> Self {
        Body {
            words: Words::new(string),
            kept: Vec::new(),
            turn: None,
        }
    }

    /// The next piece. Where it makes the body a large one, it waits until no other is.
    pub(super) async fn push(&mut self, piece: &[u8]) {
        self.words.push(piece, &mut self.kept);
        if self.kept.len() > LARGE && self.turn.is_none() {
            self.turn = TURN.clone().acquire_owned().await.ok();
        }
    }

    /// All of it. As long as somebody holds a large one, no other is read.
    pub(super) fn finish(self) -> Bytes {
        match self.turn {
            Some(turn) => Bytes::from_owner(Large(self.kept, turn)),
            None => self.kept.into(),
        }
    }
}

/// A body, and the turn that it takes.
struct Large(
    Vec<u8>,
    #[allow(dead_code, reason = "it ends when this does")] OwnedSemaphorePermit,
);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
