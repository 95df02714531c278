//! The one HTTP client: time limits, size limits, read retries, no redirects, tracing without secrets.

mod body;
mod contact;
mod failure;
mod flow;
mod heard;
mod limits;
mod log;
mod message;
mod network;
mod pages;
mod reach;
mod words;

pub use self::contact::Contact;
pub use self::failure::{chain, find, innermost};
pub use self::flow::Flow;
pub use self::limits::{CONNECT_TIMEOUT, Limits, REPLY_TIMEOUT};
use self::message::MOST_PARTS;
pub use self::message::{Reply, Request, http_date, strip_tags};
pub use self::network::Network;
pub(crate) use self::pages::{Page, pages};
pub use self::reach::is_loopback;

use std::fmt::{self, Display};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout_at;

use self::body::Body;
use self::failure::network_error;
use self::heard::Heard;
use self::log::{trace_reply, trace_request};
use self::reach::{host, is_metadata};
use crate::deadline::Deadline;
use crate::error::{Error, Kind, Result};
use crate::pace;
use crate::secret::{Secret, Url, clean};

/// A read that has taken longer than this is not repeated.
const READ_BUDGET: Duration = Duration::from_secs(5);
/// The longest `Retry-After` that a read waits for by itself; a longer one is the caller's to plan.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The client all clouds share. Cheap to clone.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    allow_http: bool,
    limits: Limits,
    network: Network,
    plain: OnceLock<reqwest::Client>,
    tls: OnceLock<reqwest::Client>,
    heard: Arc<Heard>,
}

impl Http {
    /// A client; `allow_http` permits plain http to other hosts than loopback.
    pub fn new(allow_http: bool) -> Self {
        Http::with_limits(allow_http, Limits::default())
    }

    /// A client with limits of its own, for tests that cannot wait for those of every day.
    pub fn with_limits(allow_http: bool, limits: Limits) -> Self {
        Http::reaching(allow_http, limits, Network::default(), Arc::default())
    }

    fn reaching(allow_http: bool, limits: Limits, network: Network, heard: Arc<Heard>) -> Self {
        Http(Arc::new(Inner {
            allow_http,
            limits,
            network,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
            heard,
        }))
    }

    /// What the last reply told beside its content; `None` as long as nobody has answered.
    pub fn contact(&self) -> Option<Contact> {
        self.0.heard.contact()
    }

    /// What a server is granted.
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// How servers are reached.
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// A client like this one for a command that is to be over then.
    #[must_use]
    pub fn until(&self, deadline: Deadline) -> Self {
        self.granting(Limits {
            deadline: Some(deadline),
            ..self.0.limits
        })
    }

    /// A client like this one that keeps what is said in its full length, for those who want the clouds' own objects.
    #[must_use]
    pub fn whole(&self) -> Self {
        self.granting(Limits {
            string: usize::MAX,
            ..self.0.limits
        })
    }

    fn granting(&self, limits: Limits) -> Self {
        let Inner { network, heard, .. } = &*self.0;
        Http::reaching(self.0.allow_http, limits, network.clone(), heard.clone())
    }

    /// Whether the clouds' own objects are wanted.
    pub fn is_whole(&self) -> bool {
        self.0.limits.string == usize::MAX
    }

    /// A client like this one that reaches its servers so.
    #[must_use]
    pub fn over(&self, network: Network) -> Self {
        Http::reaching(
            self.0.allow_http,
            self.0.limits,
            network,
            self.0.heard.clone(),
        )
    }

    /// A client that reaches its servers likewise and shares nothing with this one.
    #[must_use]
    pub fn apart(&self) -> Self {
        let network = self.0.network.clone();
        Http::reaching(self.0.allow_http, self.0.limits, network, Arc::default())
    }

    /// Masks a secret in all that is answered, although it was not sent from here.
    pub fn hide(&self, secret: &Secret) {
        self.0.heard.hide(secret);
    }

    /// Parses an endpoint: a missing scheme means https; plain http off loopback is refused (kind `usage`).
    pub fn endpoint(&self, text: &str, origin: impl Display) -> Result<Url> {
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
        let network = if tls {
            &self.0.network
        } else {
            &Network::default()
        };
        let client = build_client(tls, network)?;
        Ok(slot.get_or_init(|| client).clone())
    }

    /// Sends a request once and reads the whole reply, whatever its status.
    ///
    /// A failure is kind `network`; `maybe_executed` is set on it unless the connection was never made.
    pub async fn once(&self, request: Request) -> Result<Reply> {
        self.refuse_plain_http(&request)?;
        let client = self.client(&request.url)?;
        let limits = self.0.limits.in_this_process();
        let (name, gives_credentials) = (request.name, request.gives_credentials);
        let secrets = self.0.heard.secrets(&request, &self.0.network);
        trace_request(&request);
        let url = request.url.clone();
        let started = std::time::Instant::now();
        let sent_at = Timestamp::now();
        let late = |limit: Duration| {
            Error::new(
                Kind::Network,
                format!(
                    "{} did not answer {name} within {} s",
                    host(&url),
                    limit.as_secs_f64()
                ),
            )
            .maybe_executed()
        };
        let proxy = self.0.network.proxy(&url);
        let failed = |error: &reqwest::Error| network_error(name, &url, proxy.as_ref(), error);
        let exchange = async {
            let sent = client
                .request(request.method, url::Url::from(request.url))
                .headers(request.headers)
                .body(request.body)
                .send();
            let mut response = tokio::time::timeout(limits.first_byte, sent)
                .await
                .map_err(|_| late(limits.first_byte))?
                .map_err(|error| failed(&error))?;
            let (status, headers) = (
                response.status().as_u16(),
                std::mem::take(response.headers_mut()),
            );
            let (mut body, mut length) = (Body::new(limits.string), 0);
            while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
                length += chunk.len();
                if length > limits.body {
                    return Err(Error::new(
                        Kind::Provider,
                        format!(
                            "The reply to {name} is larger than {}",
                            crate::text::bytes(limits.body as u64)
                        ),
                    )
                    .maybe_executed());
                }
                body.push(&chunk).await;
            }
            let reply = Reply {
                name,
                status,
                headers,
                body: body.finish(),
            };
            if reply.has_too_many_parts() {
                let sentence = format!("The reply to {name} has too many parts");
                return Err(Error::new(Kind::Provider, sentence)
                    .cause(format!(
                        "more than {MOST_PARTS} values; no page of a list has so many"
                    ))
                    .hint("check that the endpoint is right (-v shows it)")
                    .maybe_executed());
            }
            Ok(reply)
        };
        let exchange = async {
            tokio::time::timeout(limits.reply, exchange)
                .await
                .unwrap_or_else(|_| Err(late(limits.reply)))
        };
        let reply = match limits.deadline {
            None => exchange.await?,
            Some(deadline) => timeout_at(deadline.of_preparations(), exchange)
                .await
                .unwrap_or_else(|_| {
                    let why = format!(
                        "{} did not answer {name} in the time that --timeout gives",
                        host(&url)
                    );
                    Err(Error::new(Kind::Timeout, why).maybe_executed())
                })?,
        };
        let reply = match gives_credentials && reply.is_success() {
            true => reply,
            false => reply.without(&secrets),
        };
        let contact = Contact::of(reply.date(), sent_at, Timestamp::now());
        self.0.heard.answered(contact);
        trace_reply(&reply, &url, started.elapsed(), self.is_whole());
        if (300..400).contains(&reply.status) && reply.status != 304 {
            return Err(Error::new(
                Kind::Provider,
                format!(
                    "{} answered {name} with a redirect, which is not followed",
                    host(&url)
                ),
            )
            .cause(format!(
                "HTTP {} to {}",
                reply.status,
                clean(&shown_location(&reply, &url))
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
            if attempt >= self.0.limits.attempts
                || began.elapsed() > pace::limit(READ_BUDGET)
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

/// It knows secrets.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

fn build_client(tls: bool, network: &Network) -> Result<reqwest::Client> {
    // Fails only if one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .connect_timeout(pace::limit(CONNECT_TIMEOUT))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("snapexport/", env!("CARGO_PKG_VERSION")));
    let builder = if tls {
        builder
    } else {
        builder.tls_certs_only([])
    };
    network.apply(builder)?.build().map_err(|error| {
        let failed = if network.has_certificate() {
            let sentence = "The client certificate cannot be used with its key";
            Error::new(Kind::Credentials, sentence)
        } else {
            Error::new(Kind::Internal, "The HTTP client cannot be set up")
        };
        failed.cause(chain(&error))
    })
}

/// Where a redirect leads, without what signs or authorises.
fn shown_location(reply: &Reply, from: &Url) -> String {
    let text = reply.header("location").unwrap_or_default();
    match from.join(text) {
        Ok(url) if !text.is_empty() => url.to_string(),
        _ => "nowhere".to_owned(),
    }
}

#[cfg(test)]
mod tests;
