//! Requests and replies.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::secret::{Known, Url, clean, redact_header, redact_text, secrets_in};

/// A request, complete but for the connection.
#[derive(Clone)]
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
    /// Whether a success is credentials, which may be those that were sent: only a failure is cleared of them.
    pub gives_credentials: bool,
}

impl Request {
    /// A request without headers or body.
    pub fn new(name: &'static str, method: Method, url: impl Into<Url>) -> Self {
        Request {
            name,
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            gives_credentials: false,
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

    /// The secrets that it carries: what stands in its secret headers, and in the secret members of its body or query.
    pub(super) fn secrets(&self) -> Vec<String> {
        let headers = self.headers.iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            (redact_header(name.as_str(), value) != value).then(|| value.to_owned())
        });
        let body = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        let members = secrets_in(&body).into_iter().map(str::to_owned);
        let form = body
            .is_null()
            .then(|| url::form_urlencoded::parse(&self.body));
        let fields = form.into_iter().flatten().chain(self.url.query_pairs());
        let fields = fields.filter(|(name, value)| redact_header(name, value) != value);
        let fields = fields.map(|(_, value)| value.into_owned());
        headers.chain(members).chain(fields).collect()
    }
}

/// Headers and body may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request {
            name, method, url, ..
        } = self;
        write!(f, "{name}: {method} {url}")
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
    pub body: Bytes,
}

/// The headers in which servers say what they call a request: AWS's, S3's, OpenStack's.
const REQUEST_IDS: [&str; 5] = [
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-openstack-request-id",
    "x-compute-request-id",
    "x-trans-id",
];

pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let id = REQUEST_IDS.iter().find_map(|name| headers.get(*name))?;
    id.to_str().ok().filter(|id| !id.is_empty())
}

/// The values in a reply, at most: each costs memory many times its own length, and a page of a thousand things has fewer.
pub(super) const MOST_PARTS: usize = 250_000;

impl Reply {
    /// Whether it holds more values than any reply of an API.
    pub(super) fn has_too_many_parts(&self) -> bool {
        if self.body.len() <= MOST_PARTS {
            return false;
        }
        let (mut parts, mut is_text, mut is_escaped) = (0, false, false);
        for byte in &self.body {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_text => is_escaped = true,
                b'"' => is_text = !is_text,
                b',' | b'[' | b'{' if !is_text => parts += 1,
                _ => {}
            }
        }
        parts > MOST_PARTS
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What the server calls the request.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
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
    pub(super) fn without(mut self, secrets: &Known) -> Self {
        if let Some(body) = secrets.mask_bytes(&self.body) {
            self.body = body.into();
        }
        for value in self.headers.values_mut() {
            let Ok(Cow::Owned(masked)) = value.to_str().map(|text| secrets.mask(text)) else {
                continue;
            };
            if let Ok(masked) = HeaderValue::from_str(&masked) {
                *value = masked;
            }
        }
        self
    }

    /// The server's clock, from the `Date` header.
    pub fn date(&self) -> Option<Timestamp> {
        http_date(self.header("date")?)
    }

    /// The `Retry-After` header, as seconds or as an HTTP date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let at = http_date(text)?;
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

/// A time as headers write it, such as `Fri, 21 Nov 2026 02:30:19 GMT`.
pub fn http_date(text: &str) -> Option<Timestamp> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text).ok()
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
