//! Failed exchanges in words.

use std::error::Error as StdError;
use std::io;

use super::CONNECT_TIMEOUT;
use super::reach::host;
use crate::error::{Error, Kind};
use crate::pace::limit;
use crate::secret::{Url, clean};
use crate::settings::Setting;

/// Why no connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The host's name has no address.
    Name,
    /// The two did not agree on a secure connection.
    Tls,
    /// Nobody answers, the network is down, or the like.
    Other,
}

impl Cause {
    /// By the types of the errors below: their words differ from version to version, and from system to system.
    fn of(error: &reqwest::Error, is_direct: bool) -> Cause {
        // Without a proxy in between, only a handshake waits for an answer while a connection is made.
        let is_end = |error: &io::Error| is_direct && error.kind() == io::ErrorKind::UnexpectedEof;
        let is_tls =
            |error: &Any| error.is::<rustls::Error>() || error.downcast_ref().is_some_and(is_end);
        if error.is_dns() {
            Cause::Name
        } else if all(error).any(is_tls) {
            Cause::Tls
        } else {
            Cause::Other
        }
    }
}

/// An error that can be asked for its type.
type Any = dyn StdError + 'static;

/// An error and all that are below it, the outermost first.
fn all(error: &Any) -> impl Iterator<Item = &Any> {
    std::iter::successors(Some(error), |&error| {
        // An I/O error that was made of another one names that one's source as its own.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &Any),
            None => error.source(),
        }
    })
}

/// The outermost error of a type, of an error and all that are below it.
pub fn find<T: StdError + 'static>(error: &Any) -> Option<&T> {
    all(error).find_map(|error| error.downcast_ref::<T>())
}

/// A failed exchange in words. DNS, refused connections and TLS are told apart.
pub(super) fn network_error(
    name: &str,
    url: &Url,
    proxy: Option<&Setting>,
    error: &reqwest::Error,
) -> Error {
    let cause = Cause::of(error, proxy.is_none());
    let sentence = if error.is_timeout() && error.is_connect() {
        format!(
            "No connection to {} within {} s",
            host(url),
            limit(CONNECT_TIMEOUT).as_secs_f64()
        )
    } else if error.is_connect() && cause == Cause::Tls {
        format!("No secure connection to {} (TLS failed)", host(url))
    } else if error.is_connect() {
        format!("No connection to {}", host(url))
    } else {
        format!("The connection to {} broke during {name}", host(url))
    };
    let built = Error::new(Kind::Network, sentence).cause(innermost(error));
    if error.is_connect() || error.is_builder() {
        let hint = match cause {
            Cause::Tls => {
                "check the endpoint and the certificate authorities (SSL_CERT_FILE adds a private one)"
            }
            Cause::Name => "is the region or endpoint right, and is there a network?",
            Cause::Other => "check the endpoint, the region and the network",
        };
        match proxy {
            Some(proxy) => built.hint(hint).hint(format!(
                "the way there is the proxy {} from {}; NO_PROXY exempts hosts from it",
                proxy.value, proxy.origin
            )),
            None => built.hint(hint),
        }
    } else {
        built.maybe_executed()
    }
}

/// What the libraries in between say, which only tells that there was an error below it.
const WRAPPERS: [&str; 11] = [
    "client error (",
    "dns error",
    "error resolving",
    "tcp connect error",
    "tcp open error",
    "error trying to connect",
    "an error occurred while",
    "dispatch failure",
    "io error",
    "other",
    "failed to load credentials",
];

/// What is really wrong, without what libraries put around it; all of it is for those who asked for more (`-v`).
pub fn innermost(error: &dyn StdError) -> String {
    let parts = parts(error);
    tracing::info!("cause: {}", parts.join(": "));
    let is_wrapper = |part: &&String| {
        !part.contains(": ") && WRAPPERS.iter().any(|wrapper| part.starts_with(wrapper))
    };
    let told: Vec<&str> = parts
        .iter()
        .filter(|part| !is_wrapper(part))
        .map(String::as_str)
        .collect();
    match told[..] {
        [] => parts.last().cloned().unwrap_or_default(),
        _ => told.join(": "),
    }
}

/// The sources of an error, outermost first, without repetition. The outermost sentence of reqwest only repeats the URL.
pub fn chain(error: &dyn StdError) -> String {
    parts(error).join(": ")
}

fn parts(error: &dyn StdError) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        let text = clean(&source.to_string());
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = source.source();
    }
    if parts.is_empty() {
        parts.push(clean(&error.to_string()));
    }
    parts
}

#[cfg(test)]
mod tests;
