//! Lightsail against its simulation, and against replies that no simulation gives.

use std::sync::Arc;
use std::time::Duration;

use crate::single::{checked, located};
use serde_json::json;
use snapexport::error::Kind;
use snapexport::http::Http;
use snapexport::provider::lightsail::{Destination, ENTRY, ID, Made};
use snapexport::provider::{Provider, Shape, TaskFilter};
use snapexport::settings::Sources;
use snapexport::task::{
    ArtifactKind, ExportRequest, Progress, Raw, SourceKind, State, Target, Task, TaskId,
};
use snapexport_sandbox::{Options, Sandbox};

mod replies;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

async fn sandbox(duration: Duration) -> Sandbox {
    let options = Options {
        duration,
        ..Options::default()
    };
    Sandbox::start(options).await.expect("a sandbox")
}

async fn connect(variables: Vec<(&'static str, String)>) -> Arc<dyn Provider> {
    let sources = Sources {
        env: variables.into_iter().collect(),
        ..Sources::default()
    };
    (ENTRY.connect)(&sources, Http::new(false).whole())
        .await
        .expect("connected")
}

fn export(snapshot: &str) -> ExportRequest {
    ExportRequest::new(snapshot, ec2())
}

fn ec2() -> Target {
    Target::new(&Destination::Ec2)
}

async fn look(cloud: &dyn Provider, id: &TaskId) -> snapexport::error::Result<Task> {
    cloud
        .look(std::slice::from_ref(id))
        .await
        .expect("an answer")
        .remove(0)
}

/// Every distinct sighting until the task has ended.
async fn follow(cloud: &dyn Provider, id: &TaskId) -> Vec<Task> {
    let mut seen: Vec<Task> = Vec::new();
    for _ in 0..400 {
        let task = look(cloud, id).await.expect("known");
        let is_over = task.state.is_terminal();
        if seen.last() != Some(&task) {
            seen.push(task);
        }
        if is_over {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} never ended: {:?}", seen.last());
}

fn starts(sandbox: &Sandbox) -> u64 {
    sandbox
        .with_world(|world| world.lightsail.starts)
        .expect("the world")
}

#[tokio::test]
async fn an_instance_snapshot_becomes_an_image() {
    let sandbox = sandbox(Duration::from_secs(2)).await;
    let cloud = connect(sandbox.variables()).await;
    let started = cloud.start(&export("web-1")).await.expect("started");
    assert_eq!(started.snapshot.as_deref(), Some("web-1"));
    assert_eq!(started.progress, Progress::Flag { is_terminal: false });
    assert_eq!(
        (started.state, started.artifact.is_none()),
        (State::Running, true)
    );

    let seen = follow(&*cloud, &started.id).await;
    // The operation ends first: the flag says so, and the task goes on.
    let between = seen
        .iter()
        .find(|t| t.progress == Progress::Flag { is_terminal: true } && t.state == State::Running)
        .expect("an operation that has ended before its record");
    assert_eq!(between.provider_state, "Started");
    let done = seen.last().expect("seen");
    assert_eq!(
        (done.state, done.provider_state.as_str()),
        (State::Completed, "Succeeded")
    );
    assert_eq!(done.created_at, started.created_at);
    let artifact = done.artifact.as_ref().expect("an image");
    assert_eq!(artifact.kind, ArtifactKind::new(&Made::Ami));
    assert!(artifact.exact);
    let id = artifact.id.as_deref().expect("an id");
    assert!(id.starts_with("ami-") && id.len() == 21, "{id}");
    assert_eq!(artifact.uri, format!("arn:aws:ec2:eu-west-3::image/{id}"));
    assert_eq!(done.raw.value()["operation"]["id"], started.id.as_str());
    assert_eq!(
        done.raw.value()["operation"]["operationType"],
        "ExportSnapshot"
    );
    assert_eq!(done.raw.value()["record"]["destinationInfo"]["id"], id);
    assert_eq!(artifact.snapshots, [format!("snap-{}", &id[4..])]);
    // Lightsail is done before EC2 has the image whole.
    let copying = seen.iter().filter(|task| task.provider_state == "pending");
    let percents: Vec<Option<u8>> = copying.map(Task::percent).collect();
    assert!(
        !percents.is_empty() && percents.iter().all(Option::is_some),
        "{percents:?}"
    );
    assert_eq!(located(&*cloud, done).await.expect("located"), *artifact);
    let bill = cloud.aftermath(done).expect("something stays billed");
    assert!(
        bill.contains(id) && bill.contains("web-1") && bill.contains("deregister"),
        "{bill}"
    );
    assert_eq!(starts(&sandbox), 1);
}

#[tokio::test]
async fn a_disk_snapshot_becomes_an_ebs_snapshot() {
    let sandbox = sandbox(Duration::from_millis(200)).await;
    let cloud = connect(sandbox.variables()).await;
    let started = cloud.start(&export("data-1")).await.expect("started");
    let seen = follow(&*cloud, &started.id).await;
    let done = seen.last().expect("seen");
    assert_eq!(done.snapshot.as_deref(), Some("data-1"));
    let artifact = done.artifact.as_ref().expect("a snapshot");
    assert_eq!(artifact.kind, ArtifactKind::new(&Made::EbsSnapshot));
    assert!(
        artifact
            .uri
            .starts_with("arn:aws:ec2:eu-west-3::snapshot/snap-"),
        "{}",
        artifact.uri
    );
}

#[tokio::test]
async fn a_failed_export_gives_lightsails_reason() {
    let sandbox = sandbox(Duration::from_millis(200)).await;
    let cloud = connect(sandbox.variables()).await;
    let started = cloud.start(&export("broken-1")).await.expect("started");
    let seen = follow(&*cloud, &started.id).await;
    let failed = seen.last().expect("seen");
    assert_eq!(
        (failed.state, failed.artifact.is_none()),
        (State::Failed, true)
    );
    let fault = failed.error.as_ref().expect("a reason");
    assert_eq!(
        (fault.kind, fault.code.as_deref()),
        (Kind::TaskFailed, Some("ExportSnapshotFailed"))
    );
    assert!(
        fault.message.contains("could not be exported"),
        "{}",
        fault.message
    );
    assert!(failed.finished_at.is_some());
    let none = located(&*cloud, failed)
        .await
        .expect_err("nothing was made");
    assert_eq!(none.kind, Kind::NotFound);
}

#[tokio::test]
async fn two_exports_of_one_snapshot_find_their_own_records() {
    let sandbox = sandbox(Duration::from_millis(300)).await;
    let cloud = connect(sandbox.variables()).await;
    let first = cloud.start(&export("web-1")).await.expect("started").id;
    tokio::time::sleep(Duration::from_millis(120)).await;
    let second = cloud.start(&export("web-1")).await.expect("started").id;
    follow(&*cloud, &second).await;
    let ids = [second.clone(), UNKNOWN.into(), first.clone()];
    let slots = cloud.look(&ids).await.expect("an answer");
    assert_eq!(
        slots[1].as_ref().map_err(|error| error.kind),
        Err(Kind::NotFound)
    );
    let (second, first) = (
        slots[0].as_ref().expect("known"),
        slots[2].as_ref().expect("known"),
    );
    assert_eq!([&second.id, &first.id], [&ids[0], &ids[2]]);
    assert_eq!(
        (second.state, first.state),
        (State::Completed, State::Completed)
    );
    assert_ne!(second.artifact, first.artifact);
    // The record was made when its operation was: the pairs are not crossed.
    for task in [first, second] {
        let made = |part: &str| {
            task.raw.value()[part]["createdAt"]
                .as_f64()
                .expect("a time")
        };
        assert!(
            (made("operation") - made("record")).abs() < 0.1,
            "{}",
            task.raw.value()
        );
    }
}

#[tokio::test]
async fn a_task_nobody_knows_is_not_found() {
    let sandbox = sandbox(Duration::from_millis(200)).await;
    let cloud = connect(sandbox.variables()).await;
    for id in [
        UNKNOWN,
        "ExportSnapshotRecord-00000000-0000-4000-8000-000000000000",
    ] {
        let error = look(&*cloud, &id.into()).await.expect_err("unknown");
        assert_eq!(error.kind, Kind::NotFound);
        assert!(error.message.contains(id), "{error}");
    }
}

#[tokio::test]
async fn the_list_has_old_exports_by_their_records_and_new_ones_by_their_operations() {
    let sandbox = sandbox(Duration::from_millis(600)).await;
    let cloud = connect(sandbox.variables()).await;
    let old = cloud.tasks(&TaskFilter::default()).await.expect("listed");
    assert_eq!(old.len(), 7, "the samples fill two pages");
    assert!(
        old.windows(2)
            .all(|pair| pair[0].created_at >= pair[1].created_at),
        "newest first"
    );
    assert!(
        old.iter()
            .all(|task| task.id.as_str().starts_with("ExportSnapshotRecord-"))
    );
    let again = look(&*cloud, &old[0].id)
        .await
        .expect("a record's name is an id too");
    assert_eq!((again.state, &again.id), (old[0].state, &old[0].id));
    // A list does not ask EC2 for what was made long ago.
    assert_eq!(old[0].raw.value()["ec2"], json!(null));
    assert_eq!(again.raw.value()["ec2"]["image"]["imageState"], "available");
    assert_eq!(
        Some(located(&*cloud, &old[0]).await.expect("located")),
        again.artifact
    );

    let started = cloud.start(&export("web-1")).await.expect("started");
    let filter = TaskFilter {
        snapshots: vec!["web-1".into()],
        with_completed: false,
        since: started.created_at,
    };
    // At once, though its record is not there yet, and later with it: one task, not two.
    for wait in [0, 700] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let found = cloud.tasks(&filter).await.expect("listed");
        let ids: Vec<&TaskId> = found.iter().map(|task| &task.id).collect();
        assert_eq!(ids, [&started.id], "after {wait} ms");
    }
    let every = TaskFilter {
        snapshots: vec!["web-1".into()],
        with_completed: false,
        since: None,
    };
    let every = cloud.tasks(&every).await.expect("listed");
    assert_eq!(every.len(), 4, "three of long ago and ours");
    assert_eq!(every[0].id, started.id);
    assert!(
        every
            .iter()
            .all(|task| task.snapshot.as_deref() == Some("web-1"))
    );
}

#[tokio::test]
async fn the_artifact_is_found_after_the_operation_was_forgotten() {
    let sandbox = sandbox(Duration::from_millis(100)).await;
    let cloud = connect(sandbox.variables()).await;
    let started = cloud.start(&export("web-1")).await.expect("started").id;
    let mut done = follow(&*cloud, &started).await.pop().expect("seen");
    sandbox
        .with_world(|world| world.lightsail.forget_operations())
        .expect("the world");
    let gone = look(&*cloud, &started).await.expect_err("forgotten");
    assert_eq!(gone.kind, Kind::NotFound);
    let again = cloud.look_again(std::slice::from_ref(&done)).await;
    let again = again.expect("an answer").remove(0).expect("by its record");
    assert_eq!((&again.id, again.state), (&started, State::Completed));
    assert_eq!(
        (&again.artifact, again.created_at),
        (&done.artifact, done.created_at)
    );
    assert_eq!(located(&*cloud, &done).await.ok(), done.artifact);
    // The journal keeps no raw objects; what was made is enough.
    done.raw = Raw::default();
    assert_eq!(located(&*cloud, &done).await.ok(), done.artifact);
}

#[tokio::test]
async fn snapshots_are_listed_with_what_speaks_against_them() {
    let sandbox = sandbox(Duration::from_secs(1)).await;
    let cloud = connect(sandbox.variables()).await;
    let sources = cloud.exportable().await.expect("listed");
    let found = |id: &str| {
        sources
            .iter()
            .find(|s| s.id == id)
            .unwrap_or_else(|| panic!("{id}"))
    };
    assert_eq!(sources.len(), 7);
    let web = found("web-1");
    assert_eq!(
        (web.kind, web.exportable),
        (SourceKind::InstanceSnapshot, true)
    );
    assert_eq!(
        (web.state.as_str(), web.provider_state.as_str()),
        ("completed", "available")
    );
    assert_eq!(web.tags.get("env").map(String::as_str), Some("prod"));
    assert_eq!(
        web.created_at.map(|t| t.to_string()).as_deref(),
        Some("2026-01-10T02:00:00.125Z")
    );
    assert_eq!(
        found("db-1").size_bytes,
        Some(104 << 30),
        "system disk and attached disk"
    );
    assert_eq!(found("data-1").kind, SourceKind::DiskSnapshot);
    let kept = found("web-1700000000");
    assert_eq!((kept.exportable, &kept.reason), (true, &None));
    for (id, word) in [("panel-1", "cPanel"), ("fresh-1", "pending")] {
        let reason = found(id).reason.clone().unwrap_or_default();
        assert!(
            !found(id).exportable && reason.contains(word),
            "{id}: {reason}"
        );
    }
}

#[tokio::test]
async fn a_preflight_warns_refuses_the_unknown_and_starts_nothing() {
    let sandbox = sandbox(Duration::from_secs(60)).await;
    let cloud = connect(sandbox.variables()).await;
    for (name, warning) in [
        ("web-1", None),
        ("data-1", None),
        ("panel-1", Some("cPanel")),
        ("web-1700000000", None),
        ("fresh-1", Some("pending")),
    ] {
        let said = checked(&*cloud, &export(name)).await.expect(name);
        assert_eq!(
            said.len(),
            usize::from(warning.is_some()),
            "{name}: {said:?}"
        );
        assert!(
            said.concat().contains(warning.unwrap_or("")),
            "{name}: {said:?}"
        );
    }
    let error = checked(&*cloud, &export("nothing"))
        .await
        .expect_err("unknown");
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(
        error.message,
        "There is no Lightsail snapshot 'nothing' in eu-west-3"
    );
    assert_eq!(starts(&sandbox), 0);
}

#[tokio::test]
async fn ten_exports_under_way_are_worth_a_warning() {
    let sandbox = sandbox(Duration::from_secs(10)).await;
    let cloud = connect(sandbox.variables()).await;
    for _ in 0..10 {
        cloud.start(&export("web-1")).await.expect("started");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let said = checked(&*cloud, &export("data-1")).await.expect("possible");
    assert!(
        said.concat().contains("10 exports are under way"),
        "{said:?}"
    );
    assert_eq!(starts(&sandbox), 10);
}

#[tokio::test]
async fn a_refused_start_says_why_and_is_not_in_doubt() {
    let sandbox = sandbox(Duration::from_secs(1)).await;
    let cloud = connect(sandbox.variables()).await;
    for (name, kind, code) in [
        ("nothing", Kind::NotFound, "NotFoundException"),
        ("panel-1", Kind::Provider, "InvalidInputException"),
        ("fresh-1", Kind::Provider, "OperationFailureException"),
    ] {
        let error = cloud.start(&export(name)).await.expect_err(name);
        assert_eq!(
            (error.kind, error.details.code.as_deref()),
            (kind, Some(code)),
            "{error:?}"
        );
        assert!(
            error.message.contains(name) && error.details.request_id.is_some(),
            "{error:?}"
        );
    }
    assert_eq!(starts(&sandbox), 0);
}

#[tokio::test]
async fn wrong_credentials_are_refused_in_one_sentence_that_holds_no_secret() {
    let sandbox = sandbox(Duration::from_secs(1)).await;
    for (name, value, code) in [
        (
            "AWS_ACCESS_KEY_ID",
            "AKIANOBODY0000000000",
            "UnrecognizedClientException",
        ),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wrong-secret",
            "InvalidSignatureException",
        ),
        (
            "AWS_SESSION_TOKEN",
            "wrong-secret",
            "UnrecognizedClientException",
        ),
        ("AWS_REGION", "us-east-1", "InvalidSignatureException"),
    ] {
        let mut variables = sandbox.variables();
        variables.retain(|(key, _)| *key != name);
        variables.push((name, value.into()));
        let cloud = connect(variables).await;
        let error = cloud.start(&export("web-1")).await.expect_err("refused");
        assert_eq!(
            (error.kind, error.details.code.as_deref()),
            (Kind::Credentials, Some(code))
        );
        assert!(!format!("{error:?}").contains("wrong-secret"), "{error:?}");
        let looked = cloud
            .look(&[UNKNOWN.into()])
            .await
            .expect_err("no answer for any");
        assert_eq!(looked.kind, Kind::Credentials);
    }
    assert_eq!(starts(&sandbox), 0);
}

#[test]
fn a_records_name_is_surely_ours_and_a_guid_may_be() {
    for (id, shape) in [
        (UNKNOWN, Shape::Possible),
        (
            "ExportSnapshotRecord-00000000-0000-4000-8000-000000000000",
            Shape::Sure,
        ),
        ("snap-export-12345678", Shape::No),
        ("web-1", Shape::No),
    ] {
        assert_eq!((ENTRY.shape)(id), shape, "{id}");
    }
}
