//! Tasks and images as the API gives them, turned into the domain. Absent, null and odd members are survived.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::errors::parse_time;
use super::profile::ID;
use super::rules::same_case;
use super::target::{Destination, Made};
use super::tasks::EXPORT;
use super::urls::below;
use crate::error::Kind;
use crate::provider::belief::{is_id, is_same};
use crate::provider::is_uuid;
use crate::secret::{Url, redact_json};
use crate::task::{
    Artifact, ArtifactKind, Fault, Progress, Raw, SCHEMA, Source, SourceKind, State, Target, Task,
    TaskId,
};

/// A task's words on the way to success.
pub(super) const STEPS: [&str; 3] = ["pending", "processing", "success"];
/// Of `com.rackspace__1__options`, the bit that marks Windows.
const WINDOWS: u64 = 4;

/// An object as the API gives it, read member by member.
#[derive(Clone, Copy)]
pub(super) struct Object<'a>(pub &'a Map<String, Value>);

impl<'a> Object<'a> {
    /// The object in a value, if it is one.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Object)
    }

    /// A member that is text and not empty.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn time(self, name: &str) -> Option<jiff::Timestamp> {
        parse_time(self.text(name)?)
    }

    fn inner(self, name: &str) -> Option<Object<'a>> {
        Object::of(self.0.get(name)?)
    }

    fn number(self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }
}

/// A task, shown or listed; `None` for what is no export or has no id that can be one, and for one that lies elsewhere
/// than it was told to go. `files` is where Cloud Files is, if that is known.
pub(super) fn task(value: &Value, region: &str, files: Option<&Url>) -> Option<Task> {
    let object = Object::of(value)?;
    let id = object.text("id").filter(|id| is_id(id))?;
    if object.text("type").is_some_and(|kind| kind != EXPORT) {
        return None;
    }
    let mut task = Task::unseen(ID, region, TaskId::from(id));
    let status = object.text("status").unwrap_or_default();
    let input = object.inner("input");
    task.snapshot = input
        .and_then(|input| input.text("image_uuid"))
        .map(same_case);
    task.target = input
        .and_then(|input| input.text("receiving_swift_container"))
        .map(|container| {
            let container = container.to_owned();
            Target::new(&Destination::CloudFiles { container })
        });
    task.state = match status {
        "pending" => State::Pending,
        "success" => State::Completed,
        "failure" => State::Failed,
        _ => State::Running,
    };
    task.provider_state = status.to_owned();
    task.progress = Progress::Step {
        steps: &STEPS,
        at: STEPS.iter().position(|step| *step == status),
    };
    // The API writes Python's None where it has nothing to say.
    task.message = object
        .text("message")
        .filter(|message| *message != "None")
        .map(str::to_owned);
    task.created_at = object.time("created_at");
    task.updated_at = object.time("updated_at");
    task.expires_at = object.time("expires_at");
    if task.state.is_terminal() {
        // It moves at a change of status only, and this was the last one.
        task.finished_at = task.updated_at;
    }
    if task.state == State::Failed {
        let unsaid = || "The provider gave no reason".to_owned();
        task.error = Some(Fault {
            kind: Kind::TaskFailed,
            code: None,
            message: task.message.clone().unwrap_or_else(unsaid),
            request_id: object.text("request_id").map(str::to_owned),
        });
    }
    if task.state == State::Completed {
        let said = object
            .inner("result")
            .and_then(|result| result.text("export_location"));
        let said = said.and_then(split_location);
        if said.is_some_and(|said| !is_place_of(&task, said)) {
            return None;
        }
        if let (Some((container, _)), None) = (said, &task.target) {
            let container = container.to_owned();
            task.target = Some(Target::new(&Destination::CloudFiles { container }));
        }
        task.artifact = artifact(&task, said, files);
    }
    task.raw = Raw::of(&redact_json(value));
    Some(task.told())
}

/// Container and object name of an export: as the cloud said, else by its rule `<container>/<uuid>.vhd`.
pub(super) fn location(task: &Task) -> Option<(String, String)> {
    let result = task.raw.member("result");
    let said = result["export_location"].as_str();
    if let Some((container, name)) = said.and_then(split_location) {
        return Some((container.to_owned(), name.to_owned()));
    }
    expected_location(task)
}

fn expected_location(task: &Task) -> Option<(String, String)> {
    let Destination::CloudFiles { container } = task.destination()?;
    Some((container, object_name(task.snapshot.as_deref()?)))
}

/// `<uuid>.vhd`, the name every export gets.
pub(super) fn object_name(image: &str) -> String {
    format!("{image}.vhd")
}

fn split_location(said: &str) -> Option<(&str, &str)> {
    let (container, name) = said.trim_start_matches('/').split_once('/')?;
    // A whole URL is not of the known form.
    (!container.is_empty() && !name.is_empty() && !container.ends_with(':'))
        .then_some((container, name))
}

/// Whether an export can have made this object: in its container, with a name that can be one and is no other image's.
fn is_place_of(task: &Task, (container, name): (&str, &str)) -> bool {
    let goes_to = task.destination();
    let is_there =
        goes_to.is_none_or(|Destination::CloudFiles { container: own }| own == container);
    let stem = name.strip_suffix(".vhd").unwrap_or(name);
    let other = |own: &str| is_uuid(stem) && !is_same(stem, own);
    is_there && is_id(name) && !task.snapshot.as_deref().is_some_and(other)
}

fn artifact(task: &Task, said: Option<(&str, &str)>, files: Option<&Url>) -> Option<Artifact> {
    let (container, name) = match said {
        Some((container, name)) => (container.to_owned(), name.to_owned()),
        None => expected_location(task)?,
    };
    Some(Artifact {
        uri: below(files?, &[&container, &name]).as_str().to_owned(),
        ..cloud_file(name)
    })
}

/// An artifact in Cloud Files, its place not yet filled in.
pub(super) fn cloud_file(name: String) -> Artifact {
    Artifact {
        kind: ArtifactKind::new(&Made::CloudFiles),
        uri: String::new(),
        id: Some(name),
        format: Some("vhd".into()),
        size_bytes: None,
        snapshots: Vec::new(),
        modified_at: None,
        exact: false,
    }
}

/// Why an image cannot be exported now, with the kind of error that makes.
pub(super) fn obstacle(image: Object, tenant: Option<&str>) -> Option<(Kind, String)> {
    let status = image.text("status").unwrap_or("unknown");
    if let (Some(owner), Some(tenant)) = (image.text("owner"), tenant)
        && owner != tenant
    {
        let reason = format!("it belongs to the account {owner}, and only its owner may export it");
        return Some((Kind::Permission, reason));
    }
    if options(image) & WINDOWS != 0 {
        let reason = "its licence (Windows) does not allow an export";
        return Some((Kind::Conflict, reason.into()));
    }
    if status != "active" {
        let reason = format!("its status is '{status}', and it must be 'active'");
        return Some((Kind::Conflict, reason));
    }
    None
}

/// What makes it doubtful that an image can be exported, without being a rule.
pub(super) fn doubt(image: Object) -> Option<String> {
    let options = options(image);
    (options != 0 && options & WINDOWS == 0).then(|| {
        format!("the image has com.rackspace__1__options {options}; the export may be refused for licensing reasons")
    })
}

fn options(image: Object) -> u64 {
    let name = "com.rackspace__1__options";
    let text = image.text(name).and_then(|text| text.trim().parse().ok());
    text.or_else(|| image.number(name)).unwrap_or(0)
}

/// An image; `None` without an id.
pub(super) fn source(value: &Value, region: &str, tenant: Option<&str>) -> Option<Source> {
    let image = Object::of(value)?;
    let status = image.text("status").unwrap_or_default();
    let obstacle = obstacle(image, tenant).map(|(_, reason)| reason);
    let disk = image.number("virtual_size").or_else(|| {
        let gigabytes = image.number("min_disk").filter(|size| *size > 0)?;
        gigabytes.checked_mul(1 << 30)
    });
    let source = Source {
        schema: SCHEMA,
        provider: ID,
        region: region.to_owned(),
        id: image.text("id")?.to_owned(),
        name: image.text("name").map(str::to_owned),
        kind: SourceKind::Image,
        state: match status {
            "active" => "completed",
            "queued" | "saving" | "uploading" | "importing" => "pending",
            "killed" => "failed",
            other => other,
        }
        .to_owned(),
        provider_state: status.to_owned(),
        size_bytes: disk,
        created_at: image.time("created_at"),
        exportable: obstacle.is_none(),
        reason: obstacle,
        tags: BTreeMap::new(),
    };
    Some(source.told())
}

#[cfg(test)]
mod tests;
