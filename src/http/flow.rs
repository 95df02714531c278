//! A reply that is read as it comes: objects are larger than memory.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::failure::network_error;
use super::log::trace_request;
use super::message::request_id;
use super::reach::host;
use super::{Http, Reply, Request};
use crate::error::{Error, Kind, Result};
use crate::secret::Url;

/// What is read of a refusal.
const REFUSAL: usize = 64 << 10;

/// A reply whose body is still to come.
pub struct Flow {
    name: &'static str,
    url: Url,
    response: reqwest::Response,
    /// The longest silence.
    patience: Duration,
}

impl Http {
    /// Sends a request once, and gives the reply as soon as it begins, whatever its status. No silence may last longer than
    /// the time for a first byte.
    pub async fn flow(&self, request: Request) -> Result<Flow> {
        self.refuse_plain_http(&request)?;
        let client = self.client(&request.url)?;
        let patience = self.limits().in_this_process().first_byte;
        trace_request(&request);
        let (name, url) = (request.name, request.url.clone());
        let sent = client
            .request(request.method, url::Url::from(request.url))
            .headers(request.headers)
            .body(request.body)
            .send();
        let proxy = self.network().proxy(&url);
        let response = timeout(patience, sent)
            .await
            .map_err(|_| silent(name, &url, patience))?
            .map_err(|error| network_error(name, &url, proxy.as_ref(), &error))?;
        Ok(Flow {
            name,
            url,
            response,
            patience,
        })
    }
}

impl Flow {
    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// What the server calls the request.
    pub fn request_id(&self) -> Option<&str> {
        request_id(self.response.headers())
    }

    /// The next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        let piece = timeout(self.patience, self.response.chunk())
            .await
            .map_err(|_| silent(self.name, &self.url, self.patience))?;
        piece.map_err(|error| network_error(self.name, &self.url, None, &error))
    }

    /// The reply as a whole, cut: for what is no body but a refusal.
    pub async fn refusal(mut self) -> Reply {
        let mut body = Vec::new();
        while let Ok(Some(piece)) = self.piece().await
            && body.len() < REFUSAL
        {
            body.extend_from_slice(&piece);
        }
        body.truncate(REFUSAL);
        Reply {
            name: self.name,
            status: self.status(),
            headers: self.response.headers().clone(),
            body: body.into(),
        }
    }
}

fn silent(name: &'static str, url: &Url, patience: Duration) -> Error {
    let seconds = patience.as_secs_f64();
    let sentence = format!("{} was silent for {seconds} s in {name}", host(url));
    Error::new(Kind::Network, sentence)
}
