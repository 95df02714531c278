//! The credentials in use, and when they end: remembered as they pass by, so that nothing is fetched twice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    ProvideCredentials, Result, SharedCredentialsProvider, future,
};

use crate::http::Http;
use crate::secret::Secret;

/// Credentials that end so soon are fetched anew.
const MARGIN: Duration = Duration::from_secs(60);

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
    seen: Arc<Mutex<Option<Credentials>>>,
    /// Never shows their secrets.
    http: Http,
}

impl Watched {
    /// Watches what this gives.
    pub(super) fn new(source: SharedCredentialsProvider, http: Http) -> Self {
        Watched {
            source,
            seen: Arc::default(),
            http,
        }
    }

    /// What was seen last; `None` as long as nothing was fetched.
    pub(super) fn life(&self) -> Option<Life> {
        let credentials = self.last()?;
        Some(Life {
            is_temporary: credentials.session_token().is_some(),
            ends_at: credentials.expiry(),
        })
    }

    /// Those that were seen last while they are good, else new ones.
    pub(super) async fn current(&self) -> Result {
        let is_good = |credentials: &Credentials| {
            let ends_at = credentials.expiry();
            ends_at.is_none_or(|ends_at| SystemTime::now() + MARGIN < ends_at)
        };
        match self.last().filter(is_good) {
            Some(credentials) => Ok(credentials),
            None => self.provide_credentials().await,
        }
    }

    fn last(&self) -> Option<Credentials> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let credentials = self.source.provide_credentials().await?;
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen = Some(credentials.clone());
            for secret in [
                Some(credentials.secret_access_key()),
                credentials.session_token(),
            ] {
                secret
                    .into_iter()
                    .for_each(|secret| self.http.hide(&Secret::new(secret)));
            }
            Ok(credentials)
        })
    }
}
