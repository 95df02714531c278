use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{ACCESS_KEY, ACCOUNT, SECRET_KEY, handle};
use crate::clock::Moment;
use crate::signature::{AWS4, OSC4, Scheme, signed};
use crate::{World, wire};

const NOW: Timestamp = Timestamp::constant(1_768_480_496, 0);
const KEY: (&str, &str) = (ACCESS_KEY, SECRET_KEY);

fn at(seconds: i64) -> Moment {
    Moment::new(
        NOW + SignedDuration::from_secs(seconds),
        Duration::from_secs(100),
    )
}

fn request(path: &str, body: &Value) -> wire::Request {
    wire::Request {
        method: "POST".into(),
        path: path.into(),
        query: String::new(),
        headers: Vec::new(),
        body: body.to_string().into(),
    }
}

fn answer(response: &wire::Response) -> Value {
    let body: Value = serde_json::from_slice(&response.body.to_vec()).expect("JSON");
    let id = body["ResponseContext"]["RequestId"].as_str();
    assert!(id.is_some_and(crate::ids::is_uuid), "{body}");
    body
}

/// Status and code of the answer to a well-signed call.
fn refusal(world: &mut World, call: &str, body: &Value) -> (u16, String) {
    let (status, body) = ask(world, call, body, 0);
    let code = body["Errors"][0]["Code"].as_str().unwrap_or("none");
    (status, code.to_owned())
}

fn ask(world: &mut World, call: &str, body: &Value, seconds: i64) -> (u16, Value) {
    let moment = at(seconds);
    let request = request(&format!("/api/v1/{call}"), body);
    let response = handle(
        world,
        &signed(request, AWS4, "api", KEY, moment.now),
        &moment,
    );
    (response.status, answer(&response))
}

fn export(snapshot: &str, bucket: &str, format: &str) -> Value {
    json!({"SnapshotId": snapshot, "OsuExport": {"OsuBucket": bucket, "DiskImageFormat": format}})
}

#[test]
fn both_algorithms_and_all_spellings_of_the_version_are_accepted() {
    let mut world = World::default();
    for scheme in [OSC4, AWS4] {
        for version in ["v1", "V1", "latest"] {
            let request = request(&format!("/api/{version}/ReadSnapshots"), &json!({}));
            let response = handle(
                &mut world,
                &signed(request, scheme, "api", KEY, NOW),
                &at(0),
            );
            assert_eq!(response.status, 200, "{scheme:?} {version}");
        }
    }
}

#[test]
fn a_doubled_slash_is_signed_as_one() {
    // osc-cli joins its endpoint and `/api/latest/...` with a slash, and signs the path without it.
    for scheme in [OSC4, AWS4] {
        let call = request("/api/latest/ReadSnapshots", &json!({}));
        let mut sent = signed(call, scheme, "api", KEY, NOW);
        sent.path = "//api/latest/ReadSnapshots".into();
        let response = handle(&mut World::default(), &sent, &at(0));
        assert_eq!(response.status, 200, "{scheme:?}");
    }
}

#[test]
fn wrong_keys_and_clocks_are_refused_alike() {
    let attempt = |scheme: Scheme, key, seconds| {
        let time = NOW + SignedDuration::from_secs(seconds);
        let request = signed(
            request("/api/v1/ReadSnapshots", &json!({})),
            scheme,
            "api",
            key,
            time,
        );
        let response = handle(&mut World::default(), &request, &at(0));
        let code = answer(&response)["Errors"][0]["Code"]
            .as_str()
            .map(str::to_owned);
        (response.status, code)
    };
    let denied = (401, Some("1".to_owned()));
    for scheme in [OSC4, AWS4] {
        assert_eq!(attempt(scheme, KEY, 2).0, 200);
        assert_eq!(attempt(scheme, KEY, -800).0, 200);
        assert_eq!(attempt(scheme, KEY, 4), denied);
        assert_eq!(attempt(scheme, KEY, -86_400), denied);
        assert_eq!(attempt(scheme, (ACCESS_KEY, "wrong"), 0), denied);
        assert_eq!(attempt(scheme, ("AKUNKNOWN", SECRET_KEY), 0), denied);
    }
    let unsigned = request("/api/v1/ReadSnapshots", &json!({}));
    let response = handle(&mut World::default(), &unsigned, &at(0));
    assert_eq!(
        (response.status, &answer(&response)["Errors"][0]["Code"]),
        (401, &json!("1"))
    );
}

#[test]
fn a_key_is_locked_after_four_wrong_signatures_in_a_row() {
    let mut world = World::default();
    let body = json!({});
    for _ in 0..4 {
        let wrong = request("/api/v1/ReadSnapshots", &body);
        let wrong = signed(wrong, AWS4, "api", (ACCESS_KEY, "wrong"), NOW);
        assert_eq!(handle(&mut world, &wrong, &at(0)).status, 401);
    }
    assert_eq!(
        refusal(&mut world, "ReadSnapshots", &body),
        (401, "13".into())
    );
    assert_eq!(ask(&mut world, "ReadSnapshots", &body, 61).0, 200);
}

#[test]
fn what_the_cloud_refuses_is_refused_with_its_code() {
    let deep = json!({"SnapshotId": "snap-0a1b2c3d", "OsuExport": {"OsuBucket": "demo",
        "DiskImageFormat": "raw", "OsuApiKey": {"ApiKeyId": "a", "SecretKey": "b", "Extra": 1}}});
    let null = json!({"SnapshotId": "snap-0a1b2c3d", "OsuExport": {"OsuBucket": "demo",
        "DiskImageFormat": "raw", "OsuPrefix": null}});
    let half = json!({"SnapshotId": "snap-0a1b2c3d", "OsuExport": {"OsuBucket": "demo",
        "DiskImageFormat": "raw", "OsuApiKey": {"ApiKeyId": "a"}}});
    let create = "CreateSnapshotExportTask";
    let read = "ReadSnapshotExportTasks";
    for (call, body, status, code) in [
        ("CreateNothing", json!({}), 404, "12000"),
        (read, json!({"Extra": 1}), 400, "3001"),
        (read, json!({"Filters": {"States": []}}), 400, "3001"),
        (read, json!([]), 400, "3001"),
        (read, json!({"ResultsPerPage": 0}), 400, "4047"),
        (read, json!({"ResultsPerPage": 1001}), 400, "4047"),
        (read, json!({"NextPageToken": "!"}), 400, "4047"),
        (create, deep, 400, "3001"),
        (create, null, 400, "4047"),
        (create, half, 400, "3002"),
        (create, json!({}), 400, "7000"),
        (
            create,
            json!({"SnapshotId": "snap-0a1b2c3d", "OsuExport": {}}),
            400,
            "7000",
        ),
        (create, export("ami-12345678", "demo", "raw"), 400, "4104"),
        (create, export("snap-1234567", "demo", "raw"), 400, "4105"),
        (create, export("snap-00000000", "demo", "raw"), 400, "5054"),
        (create, export("snap-0a1b2c3d", "FOO", "raw"), 400, "4047"),
        (create, export("snap-0a1b2c3d", "demo", "vmdk"), 400, "4047"),
        (create, export("snap-3d4e5f60", "demo", "raw"), 409, "6003"),
        ("DeleteExportTask", json!({}), 400, "7000"),
        (
            "DeleteExportTask",
            json!({"ExportTaskId": "task-1"}),
            400,
            "4104",
        ),
        (
            "DeleteExportTask",
            json!({"ExportTaskId": "snap-export-1"}),
            400,
            "4105",
        ),
        (
            "DeleteExportTask",
            json!({"ExportTaskId": "snap-export-00000000"}),
            400,
            "5058",
        ),
    ] {
        let mut world = World::default();
        assert_eq!(
            refusal(&mut world, call, &body),
            (status, code.into()),
            "{call} {body}"
        );
        assert_eq!(world.outscale.starts, 0, "{call} {body}");
    }
    let mut get = request("/api/v1/ReadSnapshots", &json!({}));
    get.method = "GET".into();
    let response = handle(&mut World::default(), &get, &at(0));
    assert_eq!(
        (response.status, &answer(&response)["Errors"][0]["Code"]),
        (405, &json!("2"))
    );
}

#[test]
fn a_dry_run_checks_and_starts_nothing() {
    let mut world = World::default();
    let mut body = export("snap-0a1b2c3d", "new-bucket", "raw");
    body["DryRun"] = true.into();
    let (status, answer) = ask(&mut world, "CreateSnapshotExportTask", &body, 0);
    assert_eq!((status, answer.get("SnapshotExportTask")), (200, None));
    assert_eq!(world.outscale.starts, 0);
    assert!(!world.outscale.buckets.contains_key("new-bucket"));
}

#[test]
fn lists_come_in_pages_and_filters_hold() {
    let mut world = World::default();
    for _ in 0..5 {
        ask(
            &mut world,
            "CreateSnapshotExportTask",
            &export("snap-0a1b2c3d", "demo", "raw"),
            0,
        );
    }
    ask(
        &mut world,
        "CreateSnapshotExportTask",
        &export("snap-1b2c3d4e", "demo", "raw"),
        0,
    );
    let mut body = json!({"ResultsPerPage": 2, "Filters": {"SnapshotIds": ["snap-0a1b2c3d"]}});
    let mut ids = Vec::new();
    let mut pages = 0;
    loop {
        let (_, page) = ask(&mut world, "ReadSnapshotExportTasks", &body, 0);
        pages += 1;
        let tasks = page["SnapshotExportTasks"].as_array().expect("a list");
        ids.extend(tasks.iter().map(|task| task["TaskId"].to_string()));
        match page.get("NextPageToken") {
            Some(token) => body["NextPageToken"] = token.clone(),
            None => break,
        }
    }
    ids.dedup();
    assert_eq!((pages, ids.len()), (3, 5));
    for (filters, count) in [
        (json!({}), 11),
        (json!({"AccountIds": [ACCOUNT]}), 10),
        (json!({"SnapshotIds": ["snap-0a1b2c3d", "nonsense"]}), 1),
        (json!({"States": ["pending", "in-queue"]}), 2),
        (json!({"Tags": ["Name=database"]}), 1),
        (
            json!({"FromCreationDate": "2026-01-12T00:00:00.000Z", "VolumeSizes": [4]}),
            3,
        ),
    ] {
        let (_, page) = ask(&mut world, "ReadSnapshots", &json!({"Filters": filters}), 0);
        let found = page["Snapshots"].as_array().map(Vec::len);
        assert_eq!(found, Some(count), "{filters}");
    }
}

#[test]
fn only_a_task_that_has_hardly_begun_can_be_cancelled() {
    for (seconds, status, state) in [
        (5, 200, "cancelled"),
        (50, 409, "uploading"),
        (100, 200, "completed"),
    ] {
        let mut world = World::default();
        let body = export("snap-0a1b2c3d", "demo", "raw");
        let (_, created) = ask(&mut world, "CreateSnapshotExportTask", &body, 0);
        let id = created["SnapshotExportTask"]["TaskId"].clone();
        let (found, _) = ask(
            &mut world,
            "DeleteExportTask",
            &json!({"ExportTaskId": id}),
            seconds,
        );
        let (_, page) = ask(&mut world, "ReadSnapshotExportTasks", &json!({}), seconds);
        let seen = page["SnapshotExportTasks"][0]["State"].clone();
        assert_eq!((found, seen), (status, json!(state)), "after {seconds} s");
    }
}
