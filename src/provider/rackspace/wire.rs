//! Tasks and images as the API gives them, turned into the domain. Absent, null and odd members are survived.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ID;
use super::errors::parse_time;
use super::target::{Destination, Made};
use super::urls::below;
use crate::error::Kind;
use crate::secret::{Url, redact_json};
use crate::task::{
    Artifact, ArtifactKind, Fault, Progress, SCHEMA, Source, SourceKind, State, Target, Task,
    TaskId,
};

/// A task's words on the way to success.
pub const STEPS: [&str; 3] = ["pending", "processing", "success"];
/// Of `com.rackspace__1__options`, the bit that marks Windows.
const WINDOWS: u64 = 4;

/// An object as the API gives it, read member by member.
#[derive(Clone, Copy)]
pub struct Object<'a>(pub &'a Map<String, Value>);

impl<'a> Object<'a> {
    /// The object in a value, if it is one.
    pub fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Object)
    }

    /// A member that is text and not empty.
    pub fn text(self, name: &str) -> Option<&'a str> {
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

/// A task, shown or listed; `None` without an id. `files` is where Cloud Files is, if that is known.
pub fn task(value: &Value, region: &str, files: Option<&Url>) -> Option<Task> {
    let object = Object::of(value)?;
    let mut task = Task::unseen(ID, region, TaskId::from(object.text("id")?));
    let status = object.text("status").unwrap_or_default();
    let input = object.inner("input");
    task.snapshot = input
        .and_then(|input| input.text("image_uuid"))
        .map(str::to_owned);
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
        task.artifact = artifact(&task, said, files);
    }
    task.raw = redact_json(value);
    Some(task)
}

/// Container and object name of an export: as the cloud said, else by its rule `<container>/<uuid>.vhd`.
pub fn location(task: &Task) -> Option<(String, String)> {
    let said = task.raw["result"]["export_location"].as_str();
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
pub fn object_name(image: &str) -> String {
    format!("{image}.vhd")
}

fn split_location(said: &str) -> Option<(&str, &str)> {
    let (container, name) = said.trim_start_matches('/').split_once('/')?;
    // A whole URL is not of the known form.
    (!container.is_empty() && !name.is_empty() && !container.ends_with(':'))
        .then_some((container, name))
}

fn artifact(task: &Task, said: Option<&str>, files: Option<&Url>) -> Option<Artifact> {
    let said = said.and_then(split_location);
    let (container, name) = match said {
        Some((container, name)) => (container.to_owned(), name.to_owned()),
        None => expected_location(task)?,
    };
    Some(Artifact {
        uri: below(files?, &[&container, &name]).as_str().to_owned(),
        exact: said.is_some(),
        ..cloud_file(name)
    })
}

/// An artifact in Cloud Files, its place not yet filled in.
pub fn cloud_file(name: String) -> Artifact {
    Artifact {
        kind: ArtifactKind::new(&Made::CloudFiles),
        uri: String::new(),
        id: Some(name),
        format: Some("vhd".into()),
        size_bytes: None,
        exact: false,
    }
}

/// Why an image cannot be exported now, with the kind of error that makes.
pub fn obstacle(image: Object, tenant: Option<&str>) -> Option<(Kind, String)> {
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
pub fn doubt(image: Object) -> Option<String> {
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
pub fn source(value: &Value, region: &str, tenant: Option<&str>) -> Option<Source> {
    let image = Object::of(value)?;
    let status = image.text("status").unwrap_or_default();
    let obstacle = obstacle(image, tenant).map(|(_, reason)| reason);
    let disk = image.number("virtual_size").or_else(|| {
        let gigabytes = image.number("min_disk").filter(|size| *size > 0)?;
        gigabytes.checked_mul(1 << 30)
    });
    Some(Source {
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID_TEXT: &str = "cc59c7d3-c056-47b2-a9f2-8e1525695bbb";
    const IMAGE: &str = "3f457ab0-edb1-4ad2-9754-c3b5621dbad3";

    fn shown(extra: Value) -> Task {
        let mut value = json!({
            "id": ID_TEXT, "type": "export", "status": "pending",
            "input": {"image_uuid": IMAGE, "receiving_swift_container": "exports"},
            "created_at": "2026-11-21T02:30:19Z", "updated_at": "2026-11-21T02:30:26Z",
        });
        if let (Some(value), Some(extra)) = (value.as_object_mut(), extra.as_object()) {
            value.extend(extra.clone());
        }
        let files = Url::parse("https://files/v1/acct").expect("a URL");
        task(&value, "DFW", Some(&files)).expect("a task")
    }

    #[test]
    fn every_status_has_a_state_and_an_unknown_one_goes_on() {
        for (status, state, at) in [
            ("pending", State::Pending, Some(0)),
            ("processing", State::Running, Some(1)),
            ("success", State::Completed, Some(2)),
            ("failure", State::Failed, None),
            ("pondering", State::Running, None),
        ] {
            let task = shown(json!({"status": status}));
            assert_eq!(task.state, state, "{status}");
            assert_eq!(
                task.progress,
                Progress::Step { steps: &STEPS, at },
                "{status}"
            );
            assert_eq!(task.finished_at.is_some(), state.is_terminal(), "{status}");
            assert_eq!(task.error.is_some(), state == State::Failed, "{status}");
        }
    }

    #[test]
    fn four_kinds_of_message_mean_none() {
        for (message, expected) in [
            (json!({"message": "None"}), None),
            (json!({"message": ""}), None),
            (json!({"message": null}), None),
            (json!({}), None),
            (
                json!({"message": "Container not found. Container: x"}),
                Some("Container not found. Container: x"),
            ),
        ] {
            let extra = [json!({"status": "failure"}), message.clone()];
            let merged: Map<String, Value> = extra
                .iter()
                .filter_map(Value::as_object)
                .flat_map(|map| map.clone())
                .collect();
            let task = shown(Value::Object(merged));
            assert_eq!(task.message.as_deref(), expected, "{message}");
            let fault = task.error.expect("it failed");
            assert_eq!(
                fault.message,
                expected.unwrap_or("The provider gave no reason")
            );
        }
    }

    #[test]
    fn the_artifact_is_exact_only_where_the_cloud_said_it() {
        let derived = "https://files/v1/acct/exports/3f457ab0-edb1-4ad2-9754-c3b5621dbad3.vhd";
        for (result, uri, exact) in [
            (
                json!({"export_location": "other/x.vhd"}),
                "https://files/v1/acct/other/x.vhd",
                true,
            ),
            (
                json!({"export_location": "https://elsewhere/x.vhd"}),
                derived,
                false,
            ),
            (json!({}), derived, false),
            (Value::Null, derived, false),
        ] {
            let task = shown(json!({"status": "success", "result": result}));
            let artifact = task.artifact.expect("it succeeded");
            assert_eq!(
                (artifact.uri.as_str(), artifact.exact),
                (uri, exact),
                "{result}"
            );
        }
        assert!(shown(json!({"status": "processing"})).artifact.is_none());
    }

    #[test]
    fn listed_tasks_have_no_input_and_odd_values_are_survived() {
        let item = json!({"id": ID_TEXT, "status": "success", "created_at": 7, "message": [1], "input": "x", "result": 3});
        let task = task(&item, "DFW", None).expect("a task");
        assert_eq!(
            (task.snapshot, task.target, task.artifact),
            (None, None, None)
        );
        assert_eq!((task.created_at, task.message), (None, None));
        assert!(
            super::task(&json!({"status": "success"}), "DFW", None).is_none(),
            "no id"
        );
    }

    #[test]
    fn images_that_cannot_be_exported_say_why() {
        let options = "com.rackspace__1__options";
        for (image, kind, word) in [
            (
                json!({"status": "active", "owner": "1", options: "0"}),
                None,
                "",
            ),
            (json!({"status": "active", "owner": "1"}), None, ""),
            (
                json!({"status": "active", "owner": "1", options: "1"}),
                None,
                "",
            ),
            (
                json!({"status": "active", "owner": "1", options: "4"}),
                Some(Kind::Conflict),
                "licence",
            ),
            (
                json!({"status": "active", "owner": "1", options: "5"}),
                Some(Kind::Conflict),
                "licence",
            ),
            (
                json!({"status": "deactivated", "owner": "1"}),
                Some(Kind::Conflict),
                "deactivated",
            ),
            (
                json!({"status": "active", "owner": "2"}),
                Some(Kind::Permission),
                "owner",
            ),
            (json!({}), Some(Kind::Conflict), "unknown"),
        ] {
            let found = obstacle(Object::of(&image).expect("an object"), Some("1"));
            assert_eq!(found.as_ref().map(|(kind, _)| *kind), kind, "{image}");
            assert!(
                found.is_none_or(|(_, reason)| reason.contains(word)),
                "{image}"
            );
        }
    }
}
