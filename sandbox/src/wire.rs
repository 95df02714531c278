//! HTTP for the sandbox: requests read whole, answered by a pure function, served on loopback.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::Service;
use crate::blob::Blob;
use crate::clock::Clock;
use crate::faults::{Delivery, Fault, play};
use crate::shape::{Range, Shape};
use crate::store::Store;

/// The largest request body the sandbox reads.
const MAX_REQUEST: usize = 8 * 1024 * 1024;

/// A request, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Upper-case method.
    pub(crate) method: String,
    /// The path as sent, still percent-encoded.
    pub(crate) path: String,
    /// The query as sent, without the question mark; empty for none.
    pub(crate) query: String,
    /// Names in lower case, in the order sent.
    pub(crate) headers: Vec<(String, String)>,
    /// The body's bytes.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The first header of this (lower-case) name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path with percent-encoding resolved.
    pub(crate) fn decoded_path(&self) -> String {
        percent_decode(&self.path)
    }

    /// Query parameters, decoded.
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .into_owned()
            .collect()
    }

    /// The first query parameter of this name, decoded.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        self.params()
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

/// Percent-encoding resolved; bytes that are no UTF-8 become replacement characters.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers; `Content-Length` and `Date` are added.
    pub(crate) headers: Vec<(String, String)>,
    /// The body. For HEAD its length is announced and nothing is sent.
    pub(crate) body: Blob,
    /// How many bytes of it are sent in a second at most.
    pub(crate) pace: Option<u64>,
}

impl Response {
    /// An answer without body.
    pub(crate) fn new(status: u16) -> Self {
        Response {
            status,
            headers: Vec::new(),
            body: Vec::new().into(),
            pace: None,
        }
    }

    /// An answer with a JSON body of type `application/json`.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Response::new(status)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub(crate) fn body(mut self, body: impl Into<Blob>) -> Self {
        self.body = body.into();
        self
    }
}

/// First and last byte of a `Range`; `None` for one that is ignored because of its form.
pub(crate) fn range(text: &str, total: u64) -> Range {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = total.checked_sub(1);
    let (first, last) = match (first, last) {
        ("", suffix) => match suffix.parse::<u64>().ok()? {
            0 => return Some(Err(())),
            length => (total.saturating_sub(length), end?),
        },
        (first, "") => (first.parse().ok()?, end?),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end?)),
    };
    Some(if first <= last && first < total {
        Ok((first, last))
    } else {
        Err(())
    })
}

/// How the clouds behave, for all services alike.
pub(crate) struct Rules {
    /// How long an export takes.
    pub(crate) duration: Duration,
    /// What it leaves behind.
    pub(crate) shape: Shape,
    /// What time it is there.
    pub(crate) clock: Clock,
    /// What goes wrong.
    pub(crate) faults: Mutex<Arc<[Fault]>>,
}

impl Rules {
    fn faults(&self) -> Arc<[Fault]> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A body in one piece, or one that comes piece by piece.
type Body = Either<Full<Bytes>, StreamBody<Frames>>;

/// Serves one cloud until the task is aborted.
pub(crate) async fn serve(
    listener: TcpListener,
    store: Arc<Store>,
    rules: Arc<Rules>,
    to: &'static Service,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Most answers are small and whole: waiting to fill a packet would only slow them.
        let _ = stream.set_nodelay(true);
        let (store, rules) = (store.clone(), rules.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                Box::pin(answer(request, store.clone(), rules.clone(), to))
            });
            let mut connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // A connection that breaks is the client's business; one that a fault breaks is reset, not closed.
            if (&mut connection).await.is_err() {
                let _ = connection.into_parts().io.into_inner().set_zero_linger();
            }
        });
    }
}

/// An error resets the connection.
async fn answer(
    request: hyper::Request<Incoming>,
    store: Arc<Store>,
    rules: Arc<Rules>,
    service: &'static Service,
) -> std::io::Result<hyper::Response<Body>> {
    let (parts, body) = request.into_parts();
    let is_head = parts.method == hyper::Method::HEAD;
    let moment = rules.clock.moment(rules.duration, rules.shape.clone());
    let Ok(body) = Limited::new(body, MAX_REQUEST).collect().await else {
        return Ok(deliver(Response::new(413), is_head, 0, moment.now));
    };
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(k, v)| {
                (
                    k.as_str().to_owned(),
                    String::from_utf8_lossy(v.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.to_bytes().to_vec(),
    };
    let delivery = store
        .with(|world| play(world, &rules.faults(), service, &request, &moment))
        .unwrap_or_else(|error| {
            let response = Response::new(500).body(format!("{error}: {}", error.cause));
            Delivery::Whole(response, Duration::ZERO)
        });
    match delivery {
        Delivery::Whole(response, late) => {
            if !late.is_zero() {
                tokio::time::sleep(late).await;
            }
            let length = response.body.len();
            Ok(deliver(response, is_head, length, moment.now))
        }
        Delivery::Cut(response) if !is_head && response.body.len() > 1 => {
            let half = response.body.len() / 2;
            Ok(deliver(response, false, half, moment.now))
        }
        Delivery::Cut(_) | Delivery::Reset => Err(broken()),
        Delivery::Never => std::future::pending().await,
    }
}

fn broken() -> std::io::Error {
    std::io::ErrorKind::ConnectionReset.into()
}

/// An answer of which only the first `sent` bytes of the body come; if that is not all, the connection breaks then.
fn deliver(response: Response, is_head: bool, sent: u64, now: Timestamp) -> hyper::Response<Body> {
    // HTTP's own form of a date, in the sandbox's time.
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut head = hyper::Response::builder()
        .status(response.status)
        .header("date", date);
    for (name, value) in &response.headers {
        head = head.header(name, value);
    }
    let (body, pace) = (response.body, response.pace);
    if response.status != 204 {
        head = head.header("content-length", body.len());
    }
    let first = body.piece(0);
    let body = if is_head {
        Either::Left(Full::default())
    } else if body.len() == sent && first.len() as u64 == sent && pace.is_none() {
        Either::Left(Full::new(first))
    } else {
        let is_cut = sent < body.len();
        Either::Right(StreamBody::new(frames(body.slice(0..sent), is_cut, pace)))
    };
    head.body(body).unwrap_or_else(|_| {
        let mut response = hyper::Response::new(Either::Left(Full::default()));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

type Frames = BoxStream<'static, std::io::Result<Frame<Bytes>>>;

/// A body as it is sent: piece by piece as it is made, at a pace, and broken off at its end.
fn frames(body: Blob, is_cut: bool, pace: Option<u64>) -> Frames {
    let start = Instant::now();
    let pieces = stream::unfold(0, move |at| {
        let mut piece = body.piece(at);
        // Twenty pieces a second are a stream.
        let most = pace.map_or(u64::MAX, |pace| (pace / 20).max(1));
        piece.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        async move {
            if let Some(pace) = pace {
                let due = Duration::from_secs_f64(at as f64 / pace as f64);
                tokio::time::sleep_until(start + due).await;
            }
            let next = at + piece.len() as u64;
            (!piece.is_empty()).then_some((Ok(Frame::data(piece)), next))
        }
    });
    let end = stream::iter(is_cut.then_some(())).then(|()| async {
        // Time for the rest to leave before the error takes the connection down.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(broken())
    });
    pieces.chain(end).boxed()
}

#[cfg(test)]
mod tests;
