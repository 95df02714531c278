//! A URL that redacts itself.

use std::fmt;
use std::ops::{Deref, DerefMut};

use url::ParseError;

use super::MASK;
use super::names::is_secret_name;

/// A URL whose `Display` and `Debug` show no password and no value of a query parameter that signs or authorises.
///
/// [`url::Url::as_str`] is the whole of it, for who sends it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url(url::Url);

impl Url {
    /// Reads an absolute URL.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        url::Url::parse(text).map(Url)
    }

    /// Where a link on the page of this URL leads.
    pub fn join(&self, link: &str) -> Result<Self, ParseError> {
        self.0.join(link).map(Url)
    }
}

impl From<url::Url> for Url {
    fn from(url: url::Url) -> Self {
        Url(url)
    }
}

impl From<Url> for url::Url {
    fn from(url: Url) -> Self {
        url.0
    }
}

impl Deref for Url {
    type Target = url::Url;

    fn deref(&self) -> &url::Url {
        &self.0
    }
}

impl DerefMut for Url {
    fn deref_mut(&mut self) -> &mut url::Url {
        &mut self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redacted(self.0.clone()).as_str())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn redacted(mut url: url::Url) -> url::Url {
    if !url.username().is_empty() || url.password().is_some() {
        // Both calls fail only for URLs that cannot hold credentials.
        let _ = url.set_password(None);
        let _ = url.set_username("");
    }
    if url.query_pairs().any(|(name, _)| is_secret_name(&name)) {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if is_secret_name(&name) {
                    MASK.into()
                } else {
                    value
                };
                (name.into_owned(), value.into_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    // Where single sign-on puts its tokens; no API reads it.
    if url
        .fragment()
        .is_some_and(|fragment| fragment.contains('='))
    {
        url.set_fragment(Some(MASK));
    }
    url
}

#[cfg(test)]
mod tests;
