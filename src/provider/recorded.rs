//! Replies written down as text, so that parsers can be fed without a network.
//!
//! ```text
//! ReadSnapshotExportTasks 200
//! retry-after: 5
//!
//! {"SnapshotExportTasks": []}
//! ```

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};
use crate::http::Reply;
use crate::task::{Source, Task};

/// A reply and the call that it answers.
pub struct Recorded {
    /// One of the calls that were given, or `a call`.
    pub call: &'static str,
    /// What was answered.
    pub reply: Reply,
}

/// What parsers made of a reply.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Tasks in it.
    pub tasks: Vec<Task>,
    /// Things to export in it.
    pub sources: Vec<Source>,
    /// Why it is none, or holds none.
    pub errors: Vec<Error>,
}

impl Recorded {
    /// Reads any bytes: what is missing has a default, what makes no sense is left out.
    pub fn read(data: &[u8], calls: &[&'static str]) -> Self {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&data[..end], &data[end + 2..]),
            None => (data, &[][..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let (call, status) = lines
            .next()
            .and_then(|line| line.rsplit_once(' '))
            .unwrap_or_default();
        let call = calls.iter().find(|known| **known == call);
        let call = call.copied().unwrap_or("a call");
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if let (Ok(name), Ok(value)) = (
                name.trim().parse::<HeaderName>(),
                HeaderValue::from_str(value.trim()),
            ) {
                headers.append(name, value);
            }
        }
        let reply = Reply {
            name: call,
            status: status
                .parse()
                .ok()
                .filter(|s| (100..1000).contains(s))
                .unwrap_or(200),
            headers,
            body: body.to_vec(),
        };
        Recorded { call, reply }
    }
}

impl Parsed {
    /// Keeps what a parser made, or its error.
    pub fn take<T>(&mut self, result: Result<T>, keep: impl FnOnce(&mut Self, T)) {
        match result {
            Ok(value) => keep(self, value),
            Err(error) => self.errors.push(error),
        }
    }
}
