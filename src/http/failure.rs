//! Failed exchanges in words.

use reqwest::Url;

use super::CONNECT_TIMEOUT;
use crate::error::{Error, Kind};
use crate::secret::{clean, redact_url};
use crate::settings::Setting;

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
    let built = Error::new(Kind::Network, sentence).cause(innermost(error));
    if error.is_connect() || error.is_builder() {
        let hint = if is_tls {
            "check the endpoint and the certificate authorities (SSL_CERT_FILE adds a private one)"
        } else if causes.contains("dns error") || causes.contains("lookup address") {
            "is the region or endpoint right, and is there a network?"
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
pub fn innermost(error: &dyn std::error::Error) -> String {
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
pub fn chain(error: &dyn std::error::Error) -> String {
    parts(error).join(": ")
}

fn parts(error: &dyn std::error::Error) -> Vec<String> {
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
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Layer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    fn layers(words: &[&'static str]) -> Layer {
        let inner = words
            .iter()
            .rev()
            .fold(None, |inner, word| Some(Box::new(Layer(word, inner))));
        Layer("outermost", inner)
    }

    #[test]
    fn what_libraries_put_around_a_cause_is_left_out() {
        let unknown = "failed to lookup address information: Name or service not known";
        for (words, expected) in [
            (
                &[
                    "client error (Connect)",
                    "dns error",
                    "error resolving DNS",
                    unknown,
                ][..],
                unknown,
            ),
            (
                &[
                    "client error (Connect)",
                    "tcp connect error",
                    "Connection refused (os error 111)",
                ],
                "Connection refused (os error 111)",
            ),
            (
                &[
                    "an error occurred while loading credentials",
                    "the token has expired",
                ],
                "the token has expired",
            ),
            (
                &["profile `x`", "dispatch failure", "no key"],
                "profile `x`: no key",
            ),
            (&["client error (Connect)", "dns error"], "dns error"),
            (&[], "outermost"),
        ] {
            assert_eq!(innermost(&layers(words)), expected);
        }
    }
}
