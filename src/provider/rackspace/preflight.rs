//! What can be known before a start: almost every mistake is otherwise accepted and fails minutes later.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::errors::{files_refusal, refusal};
use super::offer;
use super::rules::container_of;
use super::session::{Service, Session};
use super::tasks;
use super::urls::below;
use super::wire::{Object, doubt, object_name, obstacle};
use crate::error::{Command, Error, Hint, Kind, Reason, Result};
use crate::pace::limit;
use crate::secret::Url;
use crate::suggest;
use crate::task::ExportRequest;

/// How long to look for the name that was meant, once one does not exist.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pages of a container's list at most: a million objects.
const MAX_PAGES: usize = 100;

/// Looks at images, containers and objects: what several have in common once. An error where an export cannot succeed, else
/// warnings.
pub(super) async fn preflight(
    session: &Session,
    requests: &[ExportRequest],
) -> Result<Vec<Result<Vec<String>>>> {
    let names = requests.iter().map(|request| request.snapshot.as_str());
    let shown = show_images(session, &names.collect::<Vec<_>>()).await?;
    let lacks_export = shown.iter().any(Result::is_ok) && offer::is_missing(session).await;
    let owner = shown.iter().flatten().find_map(|shown| {
        let owner = Object::of(shown)?.text("owner")?;
        Some(owner.to_owned())
    });
    let mut slots: Vec<Result<Vec<String>>> = shown
        .into_iter()
        .zip(requests)
        .map(|(shown, request)| match shown? {
            _ if lacks_export => Err(offer::no_export(&request.snapshot)),
            shown => check_image(session, &request.snapshot, &shown),
        })
        .collect();
    let mut containers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, request) in requests
        .iter()
        .enumerate()
        .filter(|(i, _)| slots[*i].is_ok())
    {
        let container = containers.entry(container_of(request)?).or_default();
        container.push(index);
    }
    for (container, indices) in containers {
        let images = indices
            .iter()
            .map(|index| requests[*index].snapshot.as_str());
        let images: Vec<&str> = images.collect();
        let looked = look_at_files(session, owner.as_deref(), &container, &images).await;
        for (position, index) in indices.into_iter().enumerate() {
            let slot = &mut slots[index];
            match &looked {
                Ok(taken) if taken.contains(&object_name(images[position])) => {
                    *slot = Err(is_taken(&container, images[position]));
                }
                Ok(_) => {}
                Err(error) if matches!(error.kind, Kind::NotFound | Kind::Usage) => {
                    *slot = Err(error.clone());
                }
                Err(error) => {
                    if let Ok(warnings) = slot {
                        warnings.push(unchecked(&container, error));
                    }
                }
            }
        }
    }
    Ok(slots)
}

/// What speaks against an export of this image: an error, or a warning.
fn check_image(session: &Session, image: &str, shown: &Value) -> Result<Vec<String>> {
    let Some(object) = Object::of(shown) else {
        return Ok(Vec::new());
    };
    if let Some((kind, reason)) = obstacle(object, session.tenant().as_deref()) {
        return Err(Error::new(
            kind,
            format!("The image {image} cannot be exported: {reason}"),
        )
        .hint(Hint::run("snapexport list rackspace").and(" shows what can be exported")));
    }
    Ok(doubt(object).into_iter().collect())
}

/// The images of these ids: one list for several. What is not listed is asked for by its id.
async fn show_images(session: &Session, ids: &[&str]) -> Result<Vec<Result<Value>>> {
    let listed = match ids {
        [] | [_] => Vec::new(),
        _ => {
            let images = session.base(Service::Images, None).await?;
            match tasks::images(session, &images).await {
                // Who may not list may still look at each.
                Err(error) if error.kind == Kind::Permission => Vec::new(),
                listed => listed?,
            }
        }
    };
    let mut slots = Vec::with_capacity(ids.len());
    for id in ids {
        let is_it = |image: &&Value| {
            let listed = image["id"].as_str();
            listed.is_some_and(|listed| listed.eq_ignore_ascii_case(id))
        };
        slots.push(match listed.iter().find(is_it) {
            Some(image) => Ok(image.clone()),
            None => match show_image(session, id).await {
                Err(error) if error.kind != Kind::NotFound => return Err(error),
                slot => slot,
            },
        });
    }
    Ok(slots)
}

pub(super) async fn show_image(session: &Session, image: &str) -> Result<Value> {
    let images = session.base(Service::Images, None).await?;
    let url = below(&images, &["images", image]);
    let region = session.region();
    session
        .read("show image", Method::GET, &url, |reply| {
            match reply.status {
                200 => reply.json(),
                404 => {
                    let error = refusal(&reply, format!("There is no image {image} in {region}"));
                    if error.kind != Kind::NotFound {
                        return Err(refusal(
                            &reply,
                            format!("The image {image} cannot be looked at"),
                        ));
                    }
                    let list = Hint::run("snapexport list rackspace")
                        .and(" shows the images; another region has others (--region)");
                    Err(error.because(Reason::NoSource).hint(list))
                }
                _ => Err(refusal(
                    &reply,
                    format!("The image {image} cannot be looked at"),
                )),
            }
        })
        .await
}

/// Which of the objects that exports of these images would make are there already.
async fn look_at_files(
    session: &Session,
    owner: Option<&str>,
    container: &str,
    images: &[&str],
) -> Result<BTreeSet<String>> {
    let files = session.base(Service::Files, owner).await?;
    look_at_container(session, &files, container).await?;
    let wanted: BTreeSet<String> = images.iter().map(|image| object_name(image)).collect();
    if wanted.len() > 1 {
        return listed_of(session, &below(&files, &[container]), wanted).await;
    }
    let mut there = BTreeSet::new();
    for name in wanted {
        let url = below(&files, &[container, &name]);
        if is_there(session, "look at object", &url).await? {
            there.insert(name);
        }
    }
    Ok(there)
}

/// Those of several objects that a container lists, page by page from the first of them to the last.
async fn listed_of(
    session: &Session,
    container: &Url,
    wanted: BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    let mut there = BTreeSet::new();
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
        return Ok(there);
    };
    // A list begins behind its marker.
    let mut marker = first[..first.len() - 1].to_owned();
    for _ in 0..MAX_PAGES {
        let mut url = container.clone();
        url.query_pairs_mut()
            .append_pair("format", "json")
            .append_pair("marker", &marker);
        let page: Vec<Value> = session
            .read("list container", Method::GET, &url, |reply| {
                match reply.is_success() {
                    true => reply.json(),
                    false => Err(files_refusal(&reply, "Cloud Files refused the list")),
                }
            })
            .await?;
        let names: Vec<&str> = page
            .iter()
            .filter_map(|object| object["name"].as_str())
            .collect();
        let are_there = names.iter().filter(|name| wanted.contains(**name));
        there.extend(are_there.map(|name| (*name).to_owned()));
        match names.last() {
            Some(name) if *name < last.as_str() && *name > marker.as_str() => {
                marker = (*name).to_owned();
            }
            _ => break,
        }
    }
    Ok(there)
}

fn is_taken(container: &str, image: &str) -> Error {
    let name = object_name(image);
    Error::new(
        Kind::Conflict,
        format!("The container '{container}' already has the object {name}, and an export overwrites nothing"),
    )
    .hint(
        Hint::say("use another container, or delete the object with its segments: ")
            .and_run(
                Command::from("swift delete")
                    .arg(container)
                    .and("--prefix")
                    .arg(name),
            ),
    )
}

/// Whether the container is there; kind `not_found`, with the way to make it, where it is not.
pub(super) async fn look_at_container(
    session: &Session,
    files: &Url,
    container: &str,
) -> Result<()> {
    let url = below(files, &[container]);
    if is_there(session, "look at container", &url).await? {
        return Ok(());
    }
    let region = session.region();
    let error = Error::new(
        Kind::NotFound,
        format!("There is no container '{container}' in {region}"),
    );
    let error = error.hints(meant_container(session, files, container).await);
    let put = Command::from("curl -X PUT -H \"X-Auth-Token: $AUTH_TOKEN\"").arg(&url);
    let post = Command::from("swift post").arg(container);
    Err(error.hint(
        Hint::say("create it: ")
            .and_run(post)
            .and(" (or ")
            .and_run(put)
            .and(")"),
    ))
}

async fn is_there(session: &Session, name: &'static str, url: &Url) -> Result<bool> {
    session
        .read(name, Method::HEAD, url, |reply| match reply.status {
            404 => Ok(false),
            _ if reply.is_success() => Ok(true),
            _ => Err(files_refusal(&reply, "Cloud Files refused the look")),
        })
        .await
}

/// The container that may have been meant by a name that does not exist. Finding none is no failure.
async fn meant_container(session: &Session, files: &Url, container: &str) -> Option<String> {
    let mut url = files.clone();
    url.set_query(Some("format=json"));
    let list = session.read("list containers", Method::GET, &url, |reply| {
        reply.json::<Vec<Value>>()
    });
    let listed = tokio::time::timeout(limit(PATIENCE), list)
        .await
        .ok()?
        .ok()?;
    suggest::hint(
        container,
        listed.iter().filter_map(|one| one["name"].as_str()),
    )
}

fn unchecked(container: &str, error: &Error) -> String {
    format!(
        "the container '{container}' could not be checked ({}); if it is missing, the export fails later",
        error.one_line()
    )
}
