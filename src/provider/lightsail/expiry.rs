//! When the credentials in use end: remembered as they pass by, so that nothing is fetched for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

/// What was seen of credentials. Nothing of their secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// Whether a session token belongs to them: they end some day.
    pub is_temporary: bool,
    /// When, if their source says so.
    pub ends_at: Option<SystemTime>,
}

/// Credentials that are watched on their way to the client.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    source: SharedCredentialsProvider,
    seen: Arc<Mutex<Option<Life>>>,
}

impl Watched {
    /// Watches what this gives.
    pub(super) fn new(source: SharedCredentialsProvider) -> Self {
        Watched {
            source,
            seen: Arc::default(),
        }
    }

    /// What was seen last; `None` as long as nothing was fetched.
    pub(super) fn life(&self) -> Option<Life> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let credentials = self.source.provide_credentials().await?;
            let life = Life {
                is_temporary: credentials.session_token().is_some(),
                ends_at: credentials.expiry(),
            };
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(life);
            Ok(credentials)
        })
    }
}
