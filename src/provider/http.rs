//! The one HTTP client: time limits, size limits, read retries, no redirects, tracing without secrets.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::secret::{
    MASK, clean, is_secret_header, redact_header, redact_json, redact_text, redact_url, secrets_in,
};

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
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            first_byte: Duration::from_secs(15),
            reply: REPLY_TIMEOUT,
            body: 32 * 1024 * 1024,
        }
    }
}

/// A secret shorter than this is not looked for in replies: it would be found in innocent words.
const SHORTEST_SECRET: usize = 6;
/// A read that has taken longer than this is not repeated.
const READ_BUDGET: Duration = Duration::from_secs(5);
/// Attempts of a read, the first included.
const READ_ATTEMPTS: u32 = 3;
/// The longest `Retry-After` that a read waits for by itself; a longer one is the caller's to plan.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5);

/// A request, complete but for the connection.
#[derive(Clone, Debug)]
pub struct Request {
    /// The API's name of the call, for messages.
    pub name: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Headers; authorisation among them.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(name: &'static str, method: Method, url: Url) -> Self {
        Request {
            name,
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// Sets a header. A value that cannot stand in a header is a `usage` error.
    pub fn header(mut self, name: &'static str, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            Error::usage(format!(
                "The value for the header {name} has characters that HTTP does not allow"
            ))
        })?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// A reply, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The API's name of the call.
    pub name: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON of a known shape. Anything else is an error of kind `provider` that names the call.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(
                Kind::Provider,
                format!("The reply to {} is not what the API promises", self.name),
            )
            .cause(format!("HTTP {}, {error}", self.status))
            .cause(self.excerpt())
            .hint("check that the endpoint is right (-v shows it)")
        })
    }

    /// The reply without these secrets, should the server repeat some: nothing can quote them then.
    #[must_use]
    fn without(mut self, secrets: &[String]) -> Self {
        for secret in secrets {
            // As it is, as JSON writes it in a string, and in a string that quotes JSON, and as a URL does.
            let json = in_json(secret);
            let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for form in [secret.as_str(), &json, &in_json(&json), &url] {
                let body = String::from_utf8_lossy(&self.body);
                if body.contains(form) {
                    self.body = body.replace(form, MASK).into_bytes();
                }
                for value in self.headers.values_mut() {
                    let cleaned = value
                        .to_str()
                        .ok()
                        .filter(|text| text.contains(form))
                        .and_then(|text| HeaderValue::from_str(&text.replace(form, MASK)).ok());
                    if let Some(cleaned) = cleaned {
                        *value = cleaned;
                    }
                }
            }
        }
        self
    }

    /// The server's clock, from the `Date` header.
    pub fn date(&self) -> Option<Timestamp> {
        let text = self.header("date")?;
        jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()
    }

    /// The `Retry-After` header, as seconds or as an HTTP date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let at = jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()?;
        let now = self.date().unwrap_or_else(Timestamp::now);
        Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
    }

    /// The start of the body as one safe line: what a person needs to see that a proxy answered. HTML loses its tags.
    pub fn excerpt(&self) -> String {
        const LENGTH: usize = 200;
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(8 * LENGTH)]);
        let text = if text.trim_start().starts_with('<') {
            strip_tags(&text)
        } else {
            text.into_owned()
        };
        let text = clean(&redact_text(&text));
        match text.char_indices().nth(LENGTH) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

/// HTML or XML without tags, with the common entities resolved.
pub fn strip_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        out.push(' ');
        rest = rest[start..]
            .find('>')
            .map_or("", |end| &rest[start + end + 1..]);
    }
    out.push_str(rest);
    for (entity, text) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, text);
    }
    clean(&out)
}

/// The client all clouds share. Cheap to clone.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    allow_http: bool,
    limits: Limits,
    plain: OnceLock<reqwest::Client>,
    tls: OnceLock<reqwest::Client>,
}

impl Http {
    /// A client; `allow_http` permits plain http to other hosts than loopback.
    pub fn new(allow_http: bool) -> Self {
        Http::with_limits(allow_http, Limits::default())
    }

    /// A client with limits of its own, for tests that cannot wait for those of every day.
    pub fn with_limits(allow_http: bool, limits: Limits) -> Self {
        Http(Arc::new(Inner {
            allow_http,
            limits,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        }))
    }

    /// Parses an endpoint: a missing scheme means https; plain http off loopback is refused (kind `usage`).
    pub fn endpoint(&self, text: &str, origin: &str) -> Result<Url> {
        let text = text.trim();
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let bad = |why: &str| {
            // A password may stand before the host, or what looks like one.
            let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
            Error::usage(format!(
                "The endpoint '{}' from {origin} cannot be used: {why}",
                clean(shown)
            ))
        };
        let url = Url::parse(&full).map_err(|error| bad(&error.to_string()))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("a name and password in it would show up in logs"));
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.0.allow_http || is_loopback(&url) => Ok(url),
            "http" => Err(bad("plain http would send credentials in the clear")
                .hint("use https, or pass --allow-http if the network can be trusted")),
            other => Err(bad(&format!("'{other}' is not http or https"))),
        }
    }

    /// The reqwest client for a URL: loading the system's certificates is left to those who need them, and what is
    /// for this machine goes through no proxy.
    pub fn client(&self, url: &Url) -> Result<reqwest::Client> {
        let (slot, tls) = if url.scheme() == "http" && is_loopback(url) {
            (&self.0.plain, false)
        } else {
            (&self.0.tls, true)
        };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let client = build_client(tls).map_err(|error| {
            Error::new(Kind::Internal, "The HTTP client cannot be set up").cause(chain(&error))
        })?;
        Ok(slot.get_or_init(|| client).clone())
    }

    /// Sends a request once and reads the whole reply, whatever its status.
    ///
    /// A failure is kind `network`; `maybe_executed` is set on it unless the connection was never made.
    pub async fn once(&self, request: Request) -> Result<Reply> {
        self.refuse_plain_http(&request)?;
        let client = self.client(&request.url)?;
        let limits = self.0.limits;
        let name = request.name;
        let shown = redact_url(&request.url);
        let secrets = secrets_of(&request);
        trace_request(&request, &shown);
        let started = std::time::Instant::now();
        let late = |limit: Duration| {
            Error::new(
                Kind::Network,
                format!(
                    "{} did not answer {name} within {} s",
                    host(&request.url),
                    limit.as_secs_f64()
                ),
            )
            .maybe_executed()
        };
        let exchange = async {
            let sent = client
                .request(request.method, request.url.clone())
                .headers(request.headers)
                .body(request.body)
                .send();
            let mut response = tokio::time::timeout(limits.first_byte, sent)
                .await
                .map_err(|_| late(limits.first_byte))?
                .map_err(|error| network_error(name, &request.url, &error))?;
            let (status, headers) = (
                response.status().as_u16(),
                std::mem::take(response.headers_mut()),
            );
            let mut body = Vec::new();
            while let Some(chunk) = response
                .chunk()
                .await
                .map_err(|error| network_error(name, &request.url, &error))?
            {
                if body.len() + chunk.len() > limits.body {
                    return Err(Error::new(
                        Kind::Provider,
                        format!(
                            "The reply to {name} is larger than {}",
                            crate::text::bytes(limits.body as u64)
                        ),
                    )
                    .maybe_executed());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Reply {
                name,
                status,
                headers,
                body,
            })
        };
        let reply = tokio::time::timeout(limits.reply, exchange)
            .await
            .unwrap_or_else(|_| Err(late(limits.reply)))?;
        let reply = reply.without(&secrets);
        trace_reply(&reply, &shown, started.elapsed());
        if (300..400).contains(&reply.status) && reply.status != 304 {
            return Err(Error::new(
                Kind::Provider,
                format!(
                    "{} answered {name} with a redirect, which is not followed",
                    host(&request.url)
                ),
            )
            .cause(format!(
                "HTTP {} to {}",
                reply.status,
                clean(&shown_location(&reply, &request.url))
            ))
            .hint("check that the endpoint is right; a proxy or login page may stand before it"));
        }
        Ok(reply)
    }

    /// Not only endpoints are checked but every request: some of the SDK's addresses come from elsewhere.
    fn refuse_plain_http(&self, request: &Request) -> Result<()> {
        let url = &request.url;
        if url.scheme() == "https" || self.0.allow_http || is_loopback(url) || is_metadata(url) {
            return Ok(());
        }
        Err(Error::usage(format!(
            "{} is not sent to {}: plain http would send credentials in the clear",
            request.name,
            host(url)
        ))
        .hint("use https, or pass --allow-http if the network can be trusted"))
    }

    /// A read: built and sent anew for each attempt, repeated while `parse` or the network fail transiently.
    pub async fn read<T>(
        &self,
        build: impl Fn() -> Result<Request> + Send + Sync,
        parse: impl Fn(Reply) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let mut attempt = 1;
        let began = std::time::Instant::now();
        loop {
            let error = match self.once(build()?).await.and_then(&parse) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = error
                .details
                .retry_after
                .unwrap_or(Duration::from_millis(200) * 3u32.pow(attempt - 1));
            if attempt == READ_ATTEMPTS
                || began.elapsed() > READ_BUDGET
                || !error.kind.is_transient()
                || pause > MAX_RETRY_AFTER
            {
                return Err(error);
            }
            tracing::info!(
                "attempt {attempt} failed ({}), again in {pause:?}",
                error.one_line()
            );
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

fn build_client(tls: bool) -> std::result::Result<reqwest::Client, reqwest::Error> {
    // Fails only if one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("snapexport/", env!("CARGO_PKG_VERSION")));
    let builder = if tls {
        builder
    } else {
        builder.tls_certs_only([]).no_proxy()
    };
    builder.build()
}

/// Whether a URL's host is this machine by its form alone, without a look-up.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Whether a URL is of the services that clouds offer to their own machines: on the link itself, and in plain http by design.
fn is_metadata(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_link_local(),
        Some(url::Host::Ipv6(ip)) => ip.segments()[..2] == [0xfd00, 0x0ec2],
        _ => false,
    }
}

/// The secrets that a request carries: what stands in its secret headers and in the secret members of its body.
fn secrets_of(request: &Request) -> Vec<String> {
    let headers = request
        .headers
        .iter()
        .filter(|(name, _)| is_secret_header(name.as_str()))
        .filter_map(|(_, value)| value.to_str().ok().map(str::to_owned));
    let body = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    let members = secrets_in(&body).into_iter().map(str::to_owned);
    headers
        .chain(members)
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .collect()
}

/// The text as it stands between the quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Where a redirect leads, without what signs or authorises.
fn shown_location(reply: &Reply, from: &Url) -> String {
    let text = reply.header("location").unwrap_or_default();
    match from.join(text) {
        Ok(url) if !text.is_empty() => redact_url(&url),
        _ => "nowhere".to_owned(),
    }
}

/// Host and port, for messages.
fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => redact_url(url),
    }
}

/// A failed exchange in words. The causes tell DNS, refused connections and TLS apart.
fn network_error(name: &str, url: &Url, error: &reqwest::Error) -> Error {
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
        built.hint(hint)
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

fn trace_request(request: &Request, shown: &str) {
    tracing::info!("{}: {} {shown}", request.name, request.method);
    if tracing::enabled!(tracing::Level::DEBUG) {
        for (name, value) in &request.headers {
            let value = redact_header(name.as_str(), value.to_str().unwrap_or("(binary)"));
            tracing::debug!("> {name}: {value}");
        }
    }
    trace_body(">", &request.body);
}

fn trace_reply(reply: &Reply, shown: &str, elapsed: Duration) {
    tracing::info!(
        "{}: HTTP {} from {shown} after {} ms",
        reply.name,
        reply.status,
        elapsed.as_millis()
    );
    if tracing::enabled!(tracing::Level::DEBUG) {
        for (name, value) in &reply.headers {
            let value = redact_header(name.as_str(), value.to_str().unwrap_or("(binary)"));
            tracing::debug!("< {name}: {}", clean(value));
        }
    }
    trace_body("<", &reply.body);
}

/// Only JSON bodies are shown: nothing else can be masked member by member.
fn trace_body(direction: &str, body: &[u8]) {
    if !tracing::enabled!(tracing::Level::TRACE) || body.is_empty() {
        return;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => tracing::trace!("{direction} {}", clean(&redact_json(&value).to_string())),
        Err(_) => tracing::trace!("{direction} ({} bytes, not JSON)", body.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_default_to_https_and_refuse_plain_http_off_loopback() {
        let strict = Http::new(false);
        for (text, expected) in [
            ("api.example.com", Some("https://api.example.com/")),
            (
                "api.example.com/api/v1",
                Some("https://api.example.com/api/v1"),
            ),
            ("http://127.0.0.1:8000", Some("http://127.0.0.1:8000/")),
            ("http://localhost:8000/x", Some("http://localhost:8000/x")),
            ("http://[::1]:1", Some("http://[::1]:1/")),
            ("http://api.example.com", None),
            ("http://127.0.0.1.example.com", None),
            ("ftp://127.0.0.1", None),
            ("https://", None),
            ("https://user:hunter2@api.example.com", None),
            ("http://user:hunter2@[", None),
        ] {
            let url = strict.endpoint(text, "a test").map(|url| url.to_string());
            assert_eq!(url.as_deref().ok(), expected, "{text}");
            if let Err(error) = url {
                assert_eq!(error.kind, Kind::Usage, "{text}");
                assert!(!error.message.contains("hunter2"), "{error}");
            }
        }
        assert!(
            Http::new(true)
                .endpoint("http://api.example.com", "a test")
                .is_ok()
        );
    }

    #[test]
    fn html_becomes_a_sentence() {
        let html = "<html><h1>404 Not Found</h1> It&#x27;s gone.<br /><br />\n</html>";
        assert_eq!(strip_tags(html), "404 Not Found It's gone.");
    }
}
