//! Lists that come in pages: the one loop that follows them, whatever a cloud calls its way to the next one.

use std::collections::HashSet;
use std::future::Future;
use std::hash::Hash;

use crate::error::{Error, Kind, Result};
use crate::text;

/// Pages after which a list counts as endless.
const MOST_PAGES: usize = 2000;
/// What is read of a list, at most: a hundred thousand tasks fit, and what never ends does not fill the memory.
const MOST_ITEMS: usize = 120_000;
/// In bytes of its replies.
const MOST_BYTES: usize = 100 << 20;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T, N> {
    /// What it lists.
    pub items: Vec<T>,
    /// What asks for the next page, such as a token or a link; `None` on the last one.
    pub next: Option<N>,
    /// Bytes of the reply that it came in.
    pub size: usize,
}

/// Everything that a call lists: `read` gets what asks for a page, `None` for the first.
///
/// A page that is named a second time, and a list that is longer than any, are errors of kind `provider`: what was read
/// until then may lack the very item that is looked for, which must not be called not found. `read` makes of a page what is
/// kept of it.
pub(crate) async fn pages<T, N, F>(call: &str, read: impl Fn(Option<N>) -> F) -> Result<Vec<T>>
where
    N: Clone + Eq + Hash,
    F: Future<Output = Result<Page<T, N>>>,
{
    let mut all = Vec::new();
    let mut bytes = 0;
    let mut named = HashSet::new();
    let mut wanted = None;
    loop {
        let page = read(wanted).await?;
        bytes += page.size;
        all.extend(page.items);
        let read_so_far = named.len() + 1;
        let is_endless = read_so_far == MOST_PAGES || all.len() > MOST_ITEMS || bytes > MOST_BYTES;
        let Some(next) = page.next else {
            return Ok(all);
        };
        let why = if !named.insert(next.clone()) {
            "the next page is one that was named before".to_owned()
        } else if is_endless {
            format!("there is more after {}", text::bytes(bytes as u64))
        } else {
            wanted = Some(next);
            continue;
        };
        return Err(
            Error::new(Kind::Provider, format!("The pages of {call} do not end")).cause(format!(
                "{} with {} read, and {why}",
                text::count(read_so_far, "page"),
                text::count(all.len(), "item"),
            )),
        );
    }
}

#[cfg(test)]
mod tests;
