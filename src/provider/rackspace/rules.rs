//! What an export must look like, checked before anything is sent, and what is sent.

use serde_json::{Value, json};

use super::target::Destination;
use super::tasks::EXPORT;
use crate::error::{Error, Hint, Result};
use crate::provider::{is_uuid, name_problem};
use crate::secret::clean;
use crate::task::ExportRequest;

/// The longest name of a container, counted as it stands in a URL (docs-cloud-files).
const LONGEST_CONTAINER: usize = 256;

/// Refuses (kind `usage`) what the cloud would refuse or fail later.
pub(super) fn check(request: &ExportRequest) -> Result<()> {
    let container = container_of(request)?;
    check_image(&request.snapshot)?;
    container_problem(&container).map_or(Ok(()), Err)
}

/// Refuses what is no image id.
pub(super) fn check_image(image: &str) -> Result<()> {
    if is_uuid(image) {
        return Ok(());
    }
    let sentence = format!(
        "'{}' is not an image id: Rackspace's are UUIDs",
        clean(image)
    );
    let list = Hint::run("snapexport list rackspace").and(" shows the ids");
    Err(Error::usage(sentence).hint(list))
}

/// A UUID means the same in any case, but the cloud compares text: it is sent, and its object named, in lower case.
pub(super) fn same_case(id: impl Into<String>) -> String {
    let id = id.into();
    if is_uuid(&id) {
        id.to_ascii_lowercase()
    } else {
        id
    }
}

/// Exactly the members the API takes: an unknown one is refused, and a null one breaks it.
pub(super) fn export_body(request: &ExportRequest) -> Value {
    let container = container_of(request).unwrap_or_default();
    json!({
        "type": EXPORT,
        "input": {"image_uuid": request.snapshot, "receiving_swift_container": container},
    })
}

/// The container an export goes to.
pub(super) fn container_of(request: &ExportRequest) -> Result<String> {
    match request.target.read() {
        Some(Destination::CloudFiles { container }) => Ok(container),
        None => Err(Error::usage(
            "A Rackspace image can only be exported to a Cloud Files container",
        )),
    }
}

/// Why an export cannot go to a container of this name.
pub(super) fn container_problem(container: &str) -> Option<Error> {
    if let Some(problem) = name_problem("container's name", container, LONGEST_CONTAINER) {
        return Some(problem);
    }
    if container.contains(['/', '?', '.']) {
        return Some(Error::usage(format!(
            "The container's name '{}' is not allowed: an export's container must have no '/', '?' or '.' in its name",
            clean(container)
        )));
    }
    let encoded: usize = container
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => 1,
            _ => 3,
        })
        .sum();
    (encoded > LONGEST_CONTAINER).then(|| {
        Error::usage(format!(
            "The container's name is {encoded} bytes long once encoded for a URL; the longest allowed is {LONGEST_CONTAINER}"
        ))
    })
}

#[cfg(test)]
mod tests;
