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
    sent: Mutex<BTreeSet<String>>,
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
        locked(&self.sent).insert(secret.expose().to_owned());
    }

    /// The secrets of this request, of the way that it takes, and of all requests before it. Signatures, which are of one
    /// request only, are not kept.
    pub(super) fn secrets(&self, request: &Request, network: &Network) -> Known {
        let secrets = request.secrets();
        let mut sent = locked(&self.sent);
        for secret in &secrets {
            if !secret.contains("Signature=") && sent.len() < MOST_SECRETS {
                sent.insert(secret.clone());
            }
        }
        let (users, passwords) = network.proxy_accounts();
        let all = secrets.iter().chain(&*sent).chain(&passwords);
        Known::new(all.map(String::as_str)).and_names(users.iter().map(String::as_str))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
