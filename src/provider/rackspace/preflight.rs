//! What can be known before a start: almost every mistake is otherwise accepted and fails minutes later.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::errors::{files_refusal, refusal};
use super::offer;
use super::session::{Service, Session};
use super::urls::below;
use super::wire::{Object, doubt, object_name, obstacle};
use crate::error::{Command, Error, Hint, Kind, Reason, Result};
use crate::pace::limit;
use crate::secret::Url;
use crate::suggest;

/// How long to look for the name that was meant, once one does not exist.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at image, container and object. An error where the export cannot succeed, else warnings.
pub(super) async fn preflight(
    session: &Session,
    image: &str,
    container: &str,
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let shown = show_image(session, image).await?;
    if offer::is_missing(session).await {
        return Err(offer::no_export(image));
    }
    let object = Object::of(&shown);
    if let Some(object) = object {
        if let Some((kind, reason)) = obstacle(object, session.tenant().as_deref()) {
            return Err(Error::new(
                kind,
                format!("The image {image} cannot be exported: {reason}"),
            )
            .hint(Hint::run("snapexport list rackspace").and(" shows what can be exported")));
        }
        warnings.extend(doubt(object));
    }
    let owner = object.and_then(|object| object.text("owner"));
    match session.base(Service::Files, owner).await {
        Ok(files) => look_at_files(session, &files, image, container, &mut warnings).await?,
        Err(error) if error.kind == Kind::Usage => return Err(error),
        Err(error) => warnings.push(unchecked(container, &error)),
    }
    Ok(warnings)
}

async fn show_image(session: &Session, image: &str) -> Result<Value> {
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

async fn look_at_files(
    session: &Session,
    files: &Url,
    image: &str,
    container: &str,
    warnings: &mut Vec<String>,
) -> Result<()> {
    match look_at_container(session, files, container).await {
        Ok(()) => {}
        Err(error) if error.kind == Kind::NotFound => return Err(error),
        Err(error) => {
            warnings.push(unchecked(container, &error));
            return Ok(());
        }
    }
    let name = object_name(image);
    match is_there(session, "look at object", &below(files, &[container, &name])).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::new(
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
        )),
        Err(error) => {
            warnings.push(unchecked(container, &error));
            Ok(())
        }
    }
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
