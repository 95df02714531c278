//! What a server is granted: time, bytes and attempts.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::pace;

/// Time to connect, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a whole exchange.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a server is granted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until its answer begins; the connection is part of it.
    pub first_byte: Duration,
    /// For the whole exchange.
    pub reply: Duration,
    /// A reply longer than this, in bytes, is refused.
    pub body: usize,
    /// Bytes of one string in its JSON, at most; the rest of it is not kept.
    pub string: usize,
    /// Attempts of a read, the first included.
    pub attempts: u32,
    /// When the command that asks is to be over.
    pub deadline: Option<Deadline>,
}

impl Limits {
    pub(super) fn in_this_process(self) -> Self {
        Limits {
            first_byte: pace::limit(self.first_byte),
            reply: pace::limit(self.reply),
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            first_byte: Duration::from_secs(15),
            reply: REPLY_TIMEOUT,
            body: 32 * 1024 * 1024,
            // Four times what is shown of it.
            string: 16 * 1024,
            attempts: 3,
            deadline: None,
        }
    }
}
