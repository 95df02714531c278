//! What is told of a failed exchange.

use super::*;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use reqwest::dns::{Name, Resolve, Resolving};

/// Knows no name.
struct Nameless;

impl Resolve for Nameless {
    fn resolve(&self, _name: Name) -> Resolving {
        Box::pin(async { Err(io::Error::other("no such host").into()) })
    }
}

/// How a request to `https://HOST:PORT/` fails.
async fn failure(host: &str, port: u16) -> reqwest::Error {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .dns_resolver(Arc::new(Nameless));
    let client = client.build().expect("a client");
    let sent = client.get(format!("https://{host}:{port}/")).send().await;
    sent.expect_err("no connection")
}

/// A port of this machine where every connection is answered with `answer` and closed; `None`: nobody listens.
fn port(answer: Option<&'static [u8]>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("bound").port();
    if let Some(answer) = answer {
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer);
            }
        });
    }
    port
}

#[tokio::test]
async fn why_no_connection_was_made_is_told_by_type() {
    for (host, port, is_direct, expected) in [
        (
            "127.0.0.1",
            port(Some(b"HTTP/1.1 400 Bad\r\n\r\n")),
            true,
            Cause::Tls,
        ),
        (
            "127.0.0.1",
            port(Some(b"HTTP/1.1 400 Bad\r\n\r\n")),
            false,
            Cause::Tls,
        ),
        ("127.0.0.1", port(Some(b"")), true, Cause::Tls),
        ("127.0.0.1", port(Some(b"")), false, Cause::Other),
        ("127.0.0.1", port(None), true, Cause::Other),
        ("api.example.com", 443, true, Cause::Name),
    ] {
        let error = failure(host, port).await;
        let cause = Cause::of(&error, is_direct);
        assert_eq!(cause, expected, "{is_direct} {error:?}");
    }
}

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
