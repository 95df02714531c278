//! Tasks, shown one by one or listed page by page.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::errors::{refusal, shortened};
use super::rules::same_case;
use super::session::{Service, Session};
use super::urls::{below, follow};
use super::wire;
use crate::error::{Error, Hint, Kind, Reason, Result};
use crate::http::{Page, Reply, pages};
use crate::provider::{TaskFilter, is_uuid};
use crate::secret::{Url, clean, redact_json};
use crate::task::{State, Task, TaskId};

/// The type of the tasks we start.
pub(super) const EXPORT: &str = "export";
/// The name of the call that lists tasks.
const LIST: &str = "list tasks";
/// So many tasks are asked for one by one.
const FEW: usize = 4;
/// Requests under way at once while many tasks are looked at.
pub(super) const PARALLEL: usize = 4;

/// Looks at tasks, a few at a time; the answers are in order.
pub(super) async fn show_all(session: &Session, images: &Url, ids: &[TaskId]) -> Vec<Result<Task>> {
    let mut looks = Vec::with_capacity(ids.len());
    for id in ids {
        looks.push(show(session, images, id));
    }
    stream::iter(looks).buffered(PARALLEL).collect().await
}

/// Looks at tasks of which something is known. Of more than a few, a list tells which go on as they did; only the others
/// are asked for one by one, as a list says neither why one failed nor where it went.
pub(super) async fn look_again(
    session: &Session,
    images: &Url,
    known: &[Task],
) -> Result<Vec<Result<Task>>> {
    // Its own object is wanted of each.
    let is_listable = |task: &Task| task.snapshot.is_some() && !task.state.is_terminal();
    let listable = known.iter().filter(|task| is_listable(task)).count();
    let mut listed = HashMap::new();
    if listable > FEW && !session.http().is_whole() {
        let times = known.iter().filter(|task| is_listable(task));
        let times: Option<Vec<Timestamp>> = times.map(|task| task.created_at).collect();
        let filter = TaskFilter {
            since: times.and_then(|times| times.into_iter().min()),
            ..TaskFilter::default()
        };
        // Others may have started many more since: no more pages than there are tasks.
        match list_up_to(session, images, &filter, listable).await {
            Ok(tasks) => {
                let by_id = |task: Task| (same_case(task.id.as_str()), task);
                listed.extend(tasks.into_iter().map(by_id));
            }
            Err(error) if is_wall(&error) => return Err(error),
            // Who may not list may still ask for each.
            Err(error) => tracing::info!("rackspace: {}", error.one_line()),
        }
    }
    let look = |known: &Task| {
        let seen = listed.get(&same_case(known.id.as_str()));
        let seen = seen.filter(|_| is_listable(known));
        let seen = seen.filter(|seen| !seen.state.is_terminal());
        let seen = seen.map(|seen| Task {
            state: seen.state,
            provider_state: seen.provider_state.clone(),
            progress: seen.progress,
            updated_at: seen.updated_at,
            expires_at: seen.expires_at,
            ..known.clone()
        });
        let id = known.id.clone();
        async move {
            match seen {
                Some(task) => Ok(task.told()),
                None => show(session, images, &id).await,
            }
        }
    };
    let looks: Vec<_> = known.iter().map(look).collect();
    together(stream::iter(looks).buffered(PARALLEL).collect().await)
}

/// The same wall before every one of them is one error, not many.
pub(super) fn together(slots: Vec<Result<Task>>) -> Result<Vec<Result<Task>>> {
    let is_wall = |slot: &Result<Task>| slot.as_ref().is_err_and(is_wall);
    match slots.first() {
        Some(Err(first)) if slots.iter().all(is_wall) => Err(first.clone()),
        _ => Ok(slots),
    }
}

/// Looks at one task. Kind `not_found` for one that the cloud does not know or that is no export.
pub(super) async fn show(session: &Session, images: &Url, id: &TaskId) -> Result<Task> {
    let region = session.region();
    if !is_uuid(id.as_str()) {
        return Err(Error::new(
            Kind::NotFound,
            format!(
                "There is no Rackspace task '{}': its tasks have UUIDs",
                clean(id.as_str())
            ),
        ));
    }
    let url = below(images, &["tasks", &same_case(id.as_str())]);
    let value: Value = session
        .read("show task", Method::GET, &url, |reply| match reply.status {
            200 => reply.json(),
            404 => {
                let mut error = refusal(&reply, format!("Rackspace does not know the task {id} in {region}"));
                if error.kind == Kind::NotFound {
                    error = error.hint(
                        Hint::say("a task is forgotten 48 h after its end, which does not mean that it failed; see whether the object is there: ")
                            .and_run("swift stat CONTAINER IMAGE.vhd"),
                    );
                } else {
                    error.message = format!("The answer for the task {id} is not Rackspace's");
                }
                Err(error)
            }
            _ => Err(refusal(&reply, format!("The task {id} cannot be looked at"))),
        })
        .await?;
    let odd = |sentence: String| {
        let error = Error::new(Kind::Provider, sentence)
            .cause(shortened(&clean(&redact_json(&value).to_string()), 200))
            .hint("check that the endpoint is right (-v shows it)");
        session.explain(error)
    };
    if let Some(other) = value["id"]
        .as_str()
        .filter(|other| !other.eq_ignore_ascii_case(id.as_str()))
    {
        return Err(odd(format!(
            "The reply to show task {id} is of another one, '{}'",
            clean(other)
        )));
    }
    if let Some(kind) = value["type"].as_str().filter(|kind| *kind != EXPORT) {
        let sentence = format!(
            "The task {id} is of the type '{}', not an export",
            clean(kind)
        );
        return Err(Error::new(Kind::NotFound, sentence).because(Reason::NoExport));
    }
    // Where the object is matters only at the end, and a failure to find out must not hide the end.
    let files = match (value["status"].as_str(), value["owner"].as_str()) {
        (Some("success"), owner) => session.base(Service::Files, owner).await.ok(),
        _ => None,
    };
    let is_complete = value["status"].is_string();
    wire::task(&value, region, files.as_ref())
        .filter(|_| is_complete)
        .map(|task| kept(session, task))
        .ok_or_else(|| odd(format!("The reply to show task is not the task {id}")))
}

/// Of a task's own object, what is looked at later: whose it is, and where it went.
const NEEDED: [&str; 2] = ["owner", "result"];

fn kept(session: &Session, mut task: Task) -> Task {
    if !session.http().is_whole() {
        task.raw = task.raw.only(&NEEDED);
    }
    task
}

/// The exports of the filter's images that are under way, and those that it asks for beside them: complete, or since a time.
///
/// A list does not say what is exported, so each has to be asked: those that ended otherwise are left out unasked.
pub(super) async fn of_images(
    session: &Session,
    images: &Url,
    filter: &TaskFilter,
) -> Result<Vec<Task>> {
    let mut listed = list(session, images, filter).await?;
    listed.retain(|task| match task.state {
        _ if filter.since.is_some() => true,
        State::Completed => filter.with_completed,
        state => !state.is_terminal(),
    });
    let ids: Vec<TaskId> = listed.iter().map(|task| task.id.clone()).collect();
    let mut found = Vec::new();
    for (listed, shown) in listed.iter().zip(show_all(session, images, &ids).await) {
        match shown {
            Ok(task) if is_of(&task, filter) => found.push(task),
            Ok(_) => {}
            // Forgotten since it was listed.
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) if listed.state.is_terminal() && !is_wall(&error) => {
                tracing::info!("rackspace: {} is left out: {}", listed.id, error.one_line());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The account's images.
pub(super) async fn images(session: &Session, images: &Url) -> Result<Vec<Value>> {
    let mut url = below(images, &["images"]);
    url.set_query(Some("limit=100&visibility=private"));
    let keep = |image| Ok(Some(image));
    list_all(session, "list images", &url, "images", |_| true, keep).await
}

/// Whether an error says nothing about the task that was asked for: any other would have met it too.
pub(super) fn is_wall(error: &Error) -> bool {
    error.kind.is_transient() || matches!(error.kind, Kind::Credentials | Kind::Permission)
}

/// The export tasks that the cloud lists, newest first, back to a time.
pub(super) async fn list(
    session: &Session,
    images: &Url,
    wanted: &TaskFilter,
) -> Result<Vec<Task>> {
    list_up_to(session, images, wanted, usize::MAX).await
}

/// The same, of so many pages at most.
async fn list_up_to(
    session: &Session,
    images: &Url,
    wanted: &TaskFilter,
    most: usize,
) -> Result<Vec<Task>> {
    let with_type = list_from(session, images, wanted, "type=export&", most).await;
    let tasks = match with_type {
        // Stock Glance knows the tasks, but not the word.
        Err(error) if error.is_because(Reason::UnknownTaskType) => {
            list_from(session, images, wanted, "", most).await?
        }
        other => other?,
    };
    Ok(tasks)
}

async fn list_from(
    session: &Session,
    images: &Url,
    wanted: &TaskFilter,
    filter: &str,
    most: usize,
) -> Result<Vec<Task>> {
    let count = AtomicUsize::new(0);
    let mut url = below(images, &["tasks"]);
    url.set_query(Some(&format!(
        "{filter}limit=100&sort_key=created_at&sort_dir=desc"
    )));
    let read = |value: &Value| wire::task(value, session.region(), None);
    let is_wanted = |task: &Task| is_since(task, wanted.since);
    // Newest first: past the first older one, there is nothing to come.
    let go_on = |page: &[Value]| {
        if count.fetch_add(1, Ordering::Relaxed) + 1 >= most {
            return false;
        }
        page.last()
            .and_then(read)
            .is_none_or(|task| is_wanted(&task))
    };
    let keep = |value: Value| {
        if value["type"].as_str().is_some_and(|kind| kind != EXPORT) {
            return Ok(None);
        }
        // To leave one out could hide the very task that is looked for.
        let no_id = || not_a_list(LIST, "it lists a task without a proper id");
        let task = read(&value).ok_or_else(no_id)?;
        Ok(Some(kept(session, task)).filter(is_wanted))
    };
    let tasks = list_all(session, LIST, &url, "tasks", go_on, keep).await?;
    each_once(session, images, tasks).await
}

/// The tasks of a list that may have one twice: then the later counts, and where no time tells, it is asked for.
async fn each_once(session: &Session, images: &Url, tasks: Vec<Task>) -> Result<Vec<Task>> {
    let mut once: Vec<Task> = Vec::with_capacity(tasks.len());
    let mut places = HashMap::new();
    let time = |task: &Task| (task.updated_at, task.created_at);
    for task in tasks {
        let at = *places.entry(task.id.clone()).or_insert(once.len());
        match once.get_mut(at) {
            None => once.push(task),
            Some(other) if time(other) < time(&task) => *other = task,
            Some(other) if time(other) == time(&task) && *other != task => {
                *other = show(session, images, &task.id).await?;
            }
            Some(_) => {}
        }
    }
    Ok(once)
}

/// Everything in a list as `keep` makes it of each, following its links as long as `go_on` says so of the page just read. A page may be empty, and not
/// the last one; where the item that a link goes on behind is gone, the list is read again from its first page, once.
pub(super) async fn list_all<T>(
    session: &Session,
    call: &'static str,
    first: &Url,
    member: &str,
    go_on: impl Fn(&[Value]) -> bool,
    keep: impl Fn(Value) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    let list = async || list_once(session, call, first, member, &go_on, &keep).await;
    match list().await {
        Err(error) if error.is_because(Reason::LostMarker) => list().await,
        listed => listed,
    }
}

async fn list_once<T>(
    session: &Session,
    call: &'static str,
    first: &Url,
    member: &str,
    go_on: &impl Fn(&[Value]) -> bool,
    keep: &impl Fn(Value) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    pages(call, |link: Option<Url>| async move {
        let url = link.as_ref().unwrap_or(first);
        let read = |reply: Reply| match reply.status {
            200 => Ok(Page {
                size: reply.body.len(),
                ..take_page(call, member, reply.json()?)?
            }),
            status => {
                let error = refusal(&reply, format!("The request to {call} was refused"));
                Err(match status {
                    400 | 404 if link.is_some() => error.because(Reason::LostMarker),
                    _ => error,
                })
            }
        };
        let page = session.read(call, Method::GET, url, read).await?;
        let next = page.next.filter(|_| go_on(&page.items));
        let kept = page.items.into_iter().map(keep);
        Ok(Page {
            items: kept.filter_map(Result::transpose).collect::<Result<_>>()?,
            next: next.map(|link| follow(first, &link)).transpose()?,
            size: page.size,
        })
    })
    .await
}

/// What a page lists, and the link to the next one.
pub(super) fn take_page(call: &str, member: &str, mut page: Value) -> Result<Page<Value, String>> {
    let Some(Value::Array(items)) = page.get_mut(member).map(Value::take) else {
        return Err(not_a_list(call, &format!("it has no list '{member}'")));
    };
    let next = match page.get_mut("next").map(Value::take) {
        None | Some(Value::Null) => None,
        Some(Value::String(link)) => Some(link),
        Some(_) => return Err(not_a_list(call, "its link to the next page is none")),
    };
    Ok(Page {
        items,
        next,
        size: 0,
    })
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

/// Whether a task exports one of these images.
fn is_of(task: &Task, filter: &TaskFilter) -> bool {
    let is_it = |image: &String| {
        let snapshot = task.snapshot.as_deref();
        snapshot.is_some_and(|snapshot| snapshot.eq_ignore_ascii_case(image))
    };
    filter.snapshots.iter().any(is_it)
}
