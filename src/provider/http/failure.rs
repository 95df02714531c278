//! Failed exchanges in words.

use reqwest::Url;

use super::CONNECT_TIMEOUT;
use crate::error::{Error, Kind};
use crate::provider::Setting;
use crate::secret::{clean, redact_url};

/// Host and port, for messages.
pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => redact_url(url),
    }
}

/// A failed exchange in words. The causes tell DNS, refused connections and TLS apart.
pub(super) fn network_error(
    name: &str,
    url: &Url,
    proxy: Option<&Setting>,
    error: &reqwest::Error,
) -> Error {
    let causes = chain(error);
    let is_tls = causes.contains("certificate")
        || causes.contains("TLS")
        || causes.contains("handshake")
        || causes.contains("InvalidContentType")
        || causes.contains("corrupt message");
    let sentence = if error.is_timeout() && error.is_connect() {
        format!(
            "No connection to {} within {} s",
            host(url),
            CONNECT_TIMEOUT.as_secs()
        )
    } else if error.is_connect() && is_tls {
        format!("No secure connection to {} (TLS failed)", host(url))
    } else if error.is_connect() {
        format!("No connection to {}", host(url))
    } else {
        format!("The connection to {} broke during {name}", host(url))
    };
    let built = Error::new(Kind::Network, sentence).cause(causes);
    if error.is_connect() || error.is_builder() {
        let hint = if is_tls {
            "check the endpoint and the certificate authorities (SSL_CERT_FILE adds a private one)"
        } else {
            "check the endpoint, the region and the network"
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

/// The sources of an error, outermost first, without repetition. The outermost sentence of reqwest only repeats the URL.
pub fn chain(error: &dyn std::error::Error) -> String {
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
        clean(&error.to_string())
    } else {
        parts.join(": ")
    }
}
