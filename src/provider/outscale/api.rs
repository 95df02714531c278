//! Calls of the OUTSCALE API: `POST {endpoint}/{Action}` with a JSON object.

use std::time::SystemTime;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::credentials::Account;
use super::errors::{Caller, refused};
use super::sign::{self, Keys};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Page, Reply, Request, pages};
use crate::secret::{Url, redact_json};

/// The largest page the API gives (spec 1.42: 1 to 1000).
pub(super) const PAGE: usize = 1000;

/// The API of one region, for one access key.
pub(super) struct Api {
    pub(super) http: Http,
    keys: Keys,
    region: String,
    endpoint: Url,
    caller: Caller,
}

impl Api {
    pub(super) fn new(http: Http, account: &Account) -> Self {
        Api {
            http,
            keys: account.keys.clone(),
            region: account.region.clone(),
            endpoint: account.api.clone(),
            caller: account.caller.clone(),
        }
    }

    /// Where a call goes.
    pub(super) fn url(&self, call: &str) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(&format!(
            "{}/{call}",
            self.endpoint.path().trim_end_matches('/')
        ));
        url
    }

    /// A request signed now: each attempt needs its own.
    fn request(&self, call: &'static str, body: &Value) -> Result<Request> {
        let request = Request::new(call, Method::POST, self.url(call))
            .header("content-type", "application/json")?
            .body(body.to_string());
        sign::sign(
            request,
            &self.keys,
            &self.region,
            sign::API,
            SystemTime::now(),
        )
    }

    /// Sends a call once and gives back its reply if it is a success. `what` names the deed and its object in errors.
    pub(super) async fn once(&self, call: &'static str, body: &Value, what: &str) -> Result<Reply> {
        let reply = self.http.once(self.request(call, body)?).await?;
        accept(reply, what, &self.caller)
    }

    /// A call that changes nothing, repeated while its failure is transient.
    pub(super) async fn read(&self, call: &'static str, body: &Value, what: &str) -> Result<Value> {
        self.http
            .read(
                || self.request(call, body),
                |reply| accept(reply, what, &self.caller)?.json(),
            )
            .await
    }

    /// Everything that a `Read…` call lists under `member`, as `keep` makes it of each, page by page.
    pub(super) async fn list<T>(
        &self,
        call: &'static str,
        member: &str,
        filters: &Map<String, Value>,
        what: &str,
        keep: impl Fn(Value) -> Result<Option<T>>,
    ) -> Result<Vec<T>> {
        let mut first = json!({"ResultsPerPage": PAGE});
        if !filters.is_empty() {
            first["Filters"] = filters.clone().into();
        }
        pages(call, |token: Option<String>| {
            let mut body = first.clone();
            if let Some(token) = token {
                body["NextPageToken"] = token.into();
            }
            let keep = &keep;
            async move {
                let read = |reply| {
                    let reply = accept(reply, what, &self.caller)?;
                    let page = take_page(call, member, reply.json()?)?;
                    Ok(Page {
                        size: reply.body.len(),
                        ..page
                    })
                };
                let page = self.http.read(|| self.request(call, &body), read).await?;
                let kept = page.items.into_iter().map(keep);
                Ok(Page {
                    items: kept.filter_map(Result::transpose).collect::<Result<_>>()?,
                    next: page.next,
                    size: page.size,
                })
            }
        })
        .await
    }
}

/// What a page lists under `member`, and the token of the next page, if there is one.
pub(super) fn take_page(call: &str, member: &str, mut page: Value) -> Result<Page<Value, String>> {
    let is_ours = page.get("ResponseContext").is_some();
    let items = match page.get_mut(member).map(Value::take) {
        Some(Value::Array(items)) => items,
        // No member is required, but an answer with neither is somebody else's, and an error in a success nobody's.
        None if is_ours && page.get("Errors").is_none() => Vec::new(),
        _ => return Err(not_an_answer(call, &page)),
    };
    match page.get_mut("NextPageToken").map(Value::take) {
        None | Some(Value::Null) => Ok(Page {
            items,
            next: None,
            size: 0,
        }),
        Some(Value::String(token)) => Ok(Page {
            items,
            next: Some(token).filter(|token| !token.is_empty()),
            size: 0,
        }),
        Some(_) => Err(not_an_answer(call, &page)),
    }
}

/// A list that holds something which is not what it lists: to leave it out could hide the very task that is looked for.
pub(super) fn not_a_member(call: &str, what: &str) -> Error {
    Error::new(
        Kind::Provider,
        format!("The reply to {call} lists {what} without a proper id"),
    )
    .hint("check that the endpoint is right (-v shows it)")
}

/// Whether a success is the API's own word. What a proxy says in its place tells nothing of what was done.
pub(super) fn acknowledged(reply: &Reply, what: &str) -> Result<()> {
    let answer: Value = reply.json().unwrap_or_default();
    if answer.get("ResponseContext").is_some() && answer.get("Errors").is_none() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unavailable,
        format!("The answer to {what} is not what the API promises"),
    )
    .cause(format!("HTTP {}, {}", reply.status, reply.excerpt()))
    .hint("check that the endpoint is right (-v shows it)")
    .maybe_executed())
}

fn accept(reply: Reply, what: &str, caller: &Caller) -> Result<Reply> {
    if reply.is_success() {
        Ok(reply)
    } else {
        Err(refused(&reply, what, caller))
    }
}

pub(super) fn not_an_answer(call: &str, page: &Value) -> Error {
    let start: String = redact_json(page).to_string().chars().take(200).collect();
    Error::new(
        Kind::Provider,
        format!("The reply to {call} is not what the API promises"),
    )
    .cause(start)
    .hint("check that the endpoint is right (-v shows it)")
}
