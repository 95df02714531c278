use super::*;
use std::time::Duration;

fn moment() -> Moment {
    Moment::new(
        "2026-02-01T12:00:00Z".parse().expect("a time"),
        Duration::from_secs(100),
    )
}

fn later(seconds: i64) -> Moment {
    let mut moment = moment();
    moment.now += jiff::SignedDuration::from_secs(seconds);
    moment
}

fn input(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn the_operation_succeeds_before_its_record_and_the_target_comes_last() {
    let mut state = State::default();
    let request = input(json!({"sourceSnapshotName": "web-1"}));
    let started = export_snapshot(&mut state, &request, &moment())
        .ok()
        .expect("started");
    assert_eq!(started["operations"][0]["isTerminal"], false);
    let export = state.exports.last().cloned().expect("kept");
    assert_eq!(state.record(&export, &later(1)), None);
    for (seconds, status, recorded) in [
        (3, "Started", "Started"),
        (86, "Succeeded", "Started"),
        (91, "Succeeded", "Succeeded"),
    ] {
        let record = state.record(&export, &later(seconds)).expect("listed");
        assert_eq!(state.operation(&export, &later(seconds))["status"], status);
        assert_eq!(record["state"], recorded);
        assert_eq!(
            record.get("destinationInfo").is_some(),
            recorded == "Succeeded"
        );
    }
}

#[test]
fn pages_are_small_and_a_foreign_token_is_refused() {
    let mut state = State::default();
    let first = get_records(&mut state, &Map::new(), &moment())
        .ok()
        .expect("a page");
    assert_eq!(
        first["exportSnapshotRecords"].as_array().map(Vec::len),
        Some(PAGE)
    );
    let token = first["nextPageToken"].clone();
    let second = get_records(&mut state, &input(json!({"pageToken": token})), &moment());
    let second = second.ok().expect("a page");
    assert_eq!(
        second["exportSnapshotRecords"].as_array().map(Vec::len),
        Some(2)
    );
    assert!(second.get("nextPageToken").is_none());
    let foreign = get_snapshots(
        &state,
        &input(json!({"pageToken": token})),
        Of::Instance,
        "instanceSnapshots",
    );
    assert_eq!(
        foreign.err().map(|fault| fault.kind),
        Some("InvalidInputException")
    );
}

#[test]
fn input_is_held_to_the_model() {
    for (name, body, kind) in [
        ("ExportSnapshot", json!({}), Some("InvalidInputException")),
        (
            "ExportSnapshot",
            json!({"sourceSnapshotName": "a", "x": "y"}),
            Some("InvalidInputException"),
        ),
        (
            "ExportSnapshot",
            json!({"sourceSnapshotName": 1}),
            Some("SerializationException"),
        ),
        ("GetOperations", json!({}), None),
    ] {
        let call = CALLS.iter().find(|call| call.name == name).expect("known");
        let refused = check_input(call, &input(body.clone())).err();
        assert_eq!(refused.map(|fault| fault.kind), kind, "{name} {body}");
    }
}
