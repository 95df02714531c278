//! What is remembered over all requests, whatever way they take.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Contact, Network, Request};
use crate::secret::{Known, Secret};

/// Secrets that are remembered at most.
const MOST_SECRETS: usize = 32;

/// What the last reply told beside its content, and which secrets were sent.
#[derive(Default)]
pub(super) struct Heard {
    contact: Mutex<Option<Contact>>,
    /// A server may repeat them in any later reply.
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    secrets: BTreeSet<String>,
    /// All of them, made ready once for many replies.
    known: Option<Known>,
}

impl Sent {
    fn insert(&mut self, secret: &str) {
        if self.secrets.insert(secret.to_owned()) {
            self.known = None;
        }
    }

    fn known(&mut self) -> Known {
        let all = self.secrets.iter().map(String::as_str);
        self.known.get_or_insert_with(|| Known::new(all)).clone()
    }
}

impl Heard {
    /// What the last reply told; `None` as long as nobody has answered.
    pub(super) fn contact(&self) -> Option<Contact> {
        *locked(&self.contact)
    }

    /// Keeps what a reply told.
    pub(super) fn answered(&self, contact: Contact) {
        *locked(&self.contact) = Some(contact);
    }

    /// Keeps a secret that a server may know although it was not sent from here.
    pub(super) fn hide(&self, secret: &Secret) {
        locked(&self.sent).insert(secret.expose());
    }

    /// The secrets of this request, of the way that it takes, and of all requests before it. Signatures, which are of one
    /// request only, are not kept.
    pub(super) fn secrets(&self, request: &Request, network: &Network) -> Known {
        let (users, passwords) = network.proxy_accounts();
        let mut passing = Vec::new();
        let mut sent = locked(&self.sent);
        passwords.iter().for_each(|password| sent.insert(password));
        for secret in request.secrets() {
            if !secret.contains("Signature=") && sent.secrets.len() < MOST_SECRETS {
                sent.insert(&secret);
            } else if !sent.secrets.contains(&secret) {
                passing.push(secret);
            }
        }
        let known = sent.known().and_names(users.iter().map(String::as_str));
        known.and_passing(passing.iter().map(String::as_str))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
