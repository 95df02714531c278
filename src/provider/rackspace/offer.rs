//! Whether a cloud has export tasks at all: stock Glance, and with it Rackspace Flex, has none.

use reqwest::Method;
use serde_json::Value;

use super::errors::refusal;
use super::session::{Service, Session};
use super::tasks::EXPORT;
use super::urls::below;
use crate::error::{Command, Error, Hint, Kind, Result};

/// What is said of a cloud without them.
pub(super) const NO_EXPORT: &str = "this cloud's images service offers no export task";

/// What can be done there instead.
pub(super) fn instead(image: &str) -> Hint {
    Hint::say("fetch the image itself instead: ")
        .and_run(Command::from("snapexport fetch rackspace").arg(image))
}

/// The form of a task, from `schemas/task`; `None` where the cloud does not show it.
pub(super) async fn task_schema(session: &Session) -> Result<Option<Value>> {
    let images = session.base(Service::Images, None).await?;
    let url = below(&images, &["schemas", "task"]);
    session
        .read("show schema", Method::GET, &url, |reply| {
            match reply.status {
                200 => reply.json().map(Some),
                404 => Ok(None),
                _ => Err(refusal(&reply, "Cloud Images cannot be looked at")),
            }
        })
        .await
}

/// Whether the types of tasks in this schema leave exports out.
pub(super) fn lacks_export(schema: Option<&Value>) -> bool {
    let types = schema.and_then(|schema| schema.pointer("/properties/type/enum")?.as_array());
    types.is_some_and(|types| !types.iter().any(|kind| kind == EXPORT))
}

/// Whether the cloud says that it has no export tasks. Asked once; a cloud that does not say may have them.
pub(super) async fn is_missing(session: &Session) -> bool {
    let ask = async || Ok::<bool, Error>(lacks_export(task_schema(session).await?.as_ref()));
    let asked = session.lacks_export.get_or_try_init(ask).await;
    asked.copied().unwrap_or_else(|error| {
        tracing::info!("rackspace: whether there are exports: {}", error.one_line());
        false
    })
}

/// The error for an image on such a cloud.
pub(super) fn no_export(image: &str) -> Error {
    let sentence = format!("The image {image} cannot be exported: {NO_EXPORT}");
    Error::new(Kind::Provider, sentence).hint(instead(image))
}
