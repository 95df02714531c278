//! Lists that come in pages: the one loop that follows them, whatever a cloud calls its way to the next one.

use std::collections::HashSet;
use std::future::Future;
use std::hash::Hash;

use crate::error::{Error, Kind, Result};
use crate::text;

/// Pages after which a list counts as endless.
const MOST: usize = 1000;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T, N> {
    /// What it lists.
    pub items: Vec<T>,
    /// What asks for the next page, such as a token or a link; `None` on the last one.
    pub next: Option<N>,
}

/// Everything that a call lists: `read` gets what asks for a page, `None` for the first.
///
/// A page that is named a second time, and a list of more than a thousand pages, are errors of kind `provider`: what
/// was read until then may lack the very item that is looked for, which must not be called not found.
pub(crate) async fn pages<T, N, F>(call: &str, read: impl Fn(Option<N>) -> F) -> Result<Vec<T>>
where
    N: Clone + Eq + Hash,
    F: Future<Output = Result<Page<T, N>>>,
{
    let mut all = Vec::new();
    let mut named = HashSet::new();
    let mut wanted = None;
    loop {
        let page = read(wanted).await?;
        all.extend(page.items);
        let Some(next) = page.next else {
            return Ok(all);
        };
        let read_so_far = named.len() + 1;
        let why = if !named.insert(next.clone()) {
            "the next page is one that was named before"
        } else if read_so_far == MOST {
            "there are still more"
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
