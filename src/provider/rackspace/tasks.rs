//! Lists, page by page, and what can be told from a listed task.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Url};
use serde_json::Value;

use super::errors::refusal;
use super::session::{Session, below, follow};
use super::wire;
use crate::error::{Error, Kind, Result};
use crate::task::Task;

/// The type of the tasks we start.
pub const EXPORT: &str = "export";
/// The name of the call that lists tasks.
const LIST: &str = "list tasks";
/// How long an ended task is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(48);
/// Pages of a list at most: a list that does not end is a defect somewhere.
const MAX_PAGES: usize = 1000;

/// The export tasks that the cloud lists, newest first, back to a time.
pub async fn list(session: &Session, images: &Url, since: Option<Timestamp>) -> Result<Vec<Task>> {
    let with_type = list_from(session, images, since, "type=export&").await;
    let tasks = match with_type {
        // Stock Glance knows the tasks, but not the word.
        Err(error) if error.one_line().contains("Invalid type value") => {
            list_from(session, images, since, "").await?
        }
        other => other?,
    };
    Ok(tasks)
}

async fn list_from(
    session: &Session,
    images: &Url,
    since: Option<Timestamp>,
    filter: &str,
) -> Result<Vec<Task>> {
    let mut url = below(images, &["tasks"]);
    url.set_query(Some(&format!(
        "{filter}limit=100&sort_key=created_at&sort_dir=desc"
    )));
    let read = |value: &Value| wire::task(value, session.region(), None);
    let is_wanted = |task: &Task| is_since(task, since);
    // Newest first: past the first older one, there is nothing to come.
    let go_on = |page: &[Value]| {
        page.last()
            .and_then(read)
            .is_none_or(|task| is_wanted(&task))
    };
    let values = pages(session, LIST, &url, "tasks", go_on).await?;
    let tasks: Vec<Task> = values
        .iter()
        .filter(|value| value["type"].as_str().is_none_or(|kind| kind == EXPORT))
        // To leave one out could hide the very task that is looked for.
        .map(|value| read(value).ok_or_else(|| not_a_list(LIST, "it lists a task without an id")))
        .collect::<Result<_>>()?;
    Ok(tasks.into_iter().filter(is_wanted).collect())
}

/// Everything in a list, following its links as long as `go_on` says so of the page just read.
pub async fn pages(
    session: &Session,
    name: &'static str,
    first: &Url,
    member: &str,
    go_on: impl Fn(&[Value]) -> bool,
) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let mut url = first.clone();
    while seen.insert(url.to_string()) && seen.len() <= MAX_PAGES {
        let page: Value = session
            .read(name, Method::GET, &url, |reply| {
                if reply.status == 200 {
                    return reply.json();
                }
                Err(refusal(
                    &reply,
                    format!("The request to {name} was refused"),
                ))
            })
            .await?;
        let (items, next) = take_page(name, member, page)?;
        let is_wanted = !items.is_empty() && go_on(&items);
        all.extend(items);
        match next.filter(|_| is_wanted) {
            Some(next) => url = follow(first, &next)?,
            None => return Ok(all),
        }
    }
    Err(
        Error::new(Kind::Provider, format!("The pages of {name} do not end"))
            .cause(format!("{} pages read", seen.len())),
    )
}

/// What a page lists, and where the next one is.
pub fn take_page(
    name: &str,
    member: &str,
    mut page: Value,
) -> Result<(Vec<Value>, Option<String>)> {
    let Some(Value::Array(items)) = page.get_mut(member).map(Value::take) else {
        return Err(not_a_list(name, &format!("it has no list '{member}'")));
    };
    match page.get_mut("next").map(Value::take) {
        None | Some(Value::Null) => Ok((items, None)),
        Some(Value::String(next)) => Ok((items, Some(next))),
        Some(_) => Err(not_a_list(name, "its link to the next page is none")),
    }
}

fn not_a_list(name: &str, why: &str) -> Error {
    Error::new(
        Kind::Provider,
        format!("The reply to {name} is not what the API promises"),
    )
    .cause(why)
    .hint("check that the endpoint is right (-v shows it)")
}

/// Whether a task was started at or after a time. The cloud cuts its times to seconds.
fn is_since(task: &Task, since: Option<Timestamp>) -> bool {
    match (task.created_at, since) {
        (Some(created), Some(since)) => created.as_second() >= since.as_second(),
        _ => true,
    }
}

/// Whether a listed task is worth asking what it exports: still under way, or so new that the cloud still knows it.
pub fn is_recent(task: &Task, since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_some() || !task.state.is_terminal() || is_since(task, Some(now - KEPT))
}

/// Whether a task exports this image.
pub fn is_of(task: &Task, image: &str) -> bool {
    task.snapshot
        .as_deref()
        .is_some_and(|snapshot| snapshot.eq_ignore_ascii_case(image))
}
