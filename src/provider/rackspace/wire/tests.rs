//! What a task and an image say.

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
fn the_artifact_is_where_the_cloud_said_and_never_exact_unseen() {
    let derived = "https://files/v1/acct/exports/3f457ab0-edb1-4ad2-9754-c3b5621dbad3.vhd";
    for (result, uri) in [
        (
            json!({"export_location": "exports/x.vhd"}),
            "https://files/v1/acct/exports/x.vhd",
        ),
        (
            json!({"export_location": "https://elsewhere/x.vhd"}),
            derived,
        ),
        (json!({}), derived),
        (Value::Null, derived),
    ] {
        let task = shown(json!({"status": "success", "result": result}));
        let artifact = task.artifact.expect("it succeeded");
        assert_eq!(
            (artifact.uri.as_str(), artifact.exact),
            (uri, false),
            "{result}"
        );
    }
    assert!(shown(json!({"status": "processing"})).artifact.is_none());
}

#[test]
fn a_task_that_cannot_be_one_or_made_something_elsewhere_is_not_believed() {
    let uuid = "00000000-edb1-4ad2-9754-c3b5621dbad3";
    let at = |place: String| json!({"status": "success", "result": {"export_location": place}});
    for extra in [
        json!({"id": "a b"}),
        json!({"id": "a/b"}),
        json!({"id": "x\ny"}),
        json!({"id": " "}),
        json!({"type": "import"}),
        json!({"type": "api_image_import"}),
        at("other/x.vhd".into()),
        at(format!("other/{IMAGE}.vhd")),
        at(format!("exports/{uuid}.vhd")),
        at("exports/$(id).vhd".into()),
        at("exports/../../x".into()),
    ] {
        let mut value = json!({
            "id": ID_TEXT, "type": "export", "status": "pending",
            "input": {"image_uuid": IMAGE, "receiving_swift_container": "exports"},
        });
        if let (Some(value), Some(extra)) = (value.as_object_mut(), extra.as_object()) {
            value.extend(extra.clone());
        }
        assert_eq!(task(&value, "DFW", None), None, "{extra}");
    }
    // Where it was told to go is said by where it lies, if by nothing else.
    let value =
        json!({"id": ID_TEXT, "status": "success", "result": {"export_location": "a/x.vhd"}});
    let container = task(&value, "DFW", None).and_then(|task| task.destination());
    let own = Destination::CloudFiles {
        container: "a".into(),
    };
    assert_eq!(container, Some(own));
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
