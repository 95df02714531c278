//! Replies that no simulation gives.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::canned::{Answer, Canned};
use crate::fake;

async fn connect_to(url: String) -> Arc<dyn Provider> {
    connect(vec![
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "a-secret".into()),
        ("AWS_REGION", "eu-west-3".into()),
        ("AWS_ENDPOINT_URL_LIGHTSAIL", url),
    ])
    .await
}

/// The API's name of the call in a request.
fn calls(request: &str) -> &str {
    let target = "Lightsail_20161128.";
    let name = request.split(target).nth(1).unwrap_or_default();
    name.split("\r\n").next().unwrap_or_default()
}

/// Answers about one export: an operation (`None`: forgotten), the list of operations, and the records.
fn cloud_of(operation: Option<Value>, operations: Value, records: Value) -> Canned {
    Canned::by(move |request| match (calls(request), &operation) {
        ("GetOperation", Some(operation)) => {
            Answer::json(200, &json!({"operation": operation}).to_string())
        }
        ("GetOperation", None) => Answer::json(
            404,
            r#"{"__type":"NotFoundException","code":"DoesNotExist","tip":"a tip"}"#,
        ),
        ("GetOperations", _) => Answer::json(200, &json!({"operations": operations}).to_string()),
        _ => Answer::json(200, &json!({"exportSnapshotRecords": records}).to_string()),
    })
}

fn operation(created_at: i64) -> Value {
    json!({"id": UNKNOWN, "resourceName": "web-1", "createdAt": created_at, "status": "Succeeded",
        "operationType": "ExportSnapshot", "isTerminal": true})
}

fn record(name: &str, created_at: i64) -> Value {
    json!({"name": format!("ExportSnapshotRecord-{name}"), "createdAt": created_at, "state": "Succeeded",
        "sourceInfo": {"name": "web-1", "resourceType": "InstanceSnapshot"},
        "destinationInfo": {"id": format!("ami-{name}"), "service": "Aws::EC2::Image"}})
}

fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().expect("an object").remove(member);
    object
}

/// What is known of a task after its start.
fn known(snapshot: &str, created_at: i64) -> Task {
    let mut task = Task::unseen(ID, "eu-west-3", UNKNOWN.into());
    task.snapshot = Some(snapshot.into());
    task.created_at = Timestamp::from_second(created_at).ok();
    task
}

async fn look_again(server: &Canned, task: &Task) -> snapexport::error::Result<Task> {
    let cloud = connect_to(server.url()).await;
    let slots = cloud.look_again(std::slice::from_ref(task)).await;
    slots.expect("an answer").remove(0)
}

#[tokio::test]
async fn an_operation_that_is_forgotten_is_found_by_the_record_of_its_snapshot_and_start() {
    let records = json!([record("old", 1_000), record("ours", 50_001)]);
    let server = cloud_of(None, json!([]), records);
    let found = look_again(&server, &known("web-1", 50_000)).await;
    let found = found.expect("by its record");
    assert_eq!(
        (found.id.as_str(), found.state),
        (UNKNOWN, State::Completed)
    );
    assert_eq!(
        found.raw.value()["record"]["name"],
        "ExportSnapshotRecord-ours"
    );
    assert_eq!(found.created_at.map(|at| at.as_second()), Some(50_000));

    let mut named = known("web-1", 900_000);
    named.raw = Raw::of(&json!({"record": {"name": "ExportSnapshotRecord-old"}}));
    let found = look_again(&server, &named).await.expect("by its name");
    assert_eq!(
        found.artifact.and_then(|made| made.id).as_deref(),
        Some("ami-old")
    );

    for lost in [known("web-2", 50_000), known("web-1", 900_000)] {
        let error = look_again(&server, &lost)
            .await
            .expect_err("no record fits");
        assert_eq!(error.kind, Kind::NotFound);
        assert_eq!(error.details.hints, ["a tip".into()]);
    }
}

#[tokio::test]
async fn a_record_is_joined_whatever_the_replies_leave_out() {
    let timeless = || without(operation(0), "createdAt");
    for (operation, record) in [
        (operation(50_000), record("r", 51_200)),
        (operation(50_000), without(record("r", 0), "createdAt")),
        (timeless(), record("r", 50_010)),
        (timeless(), without(record("r", 0), "createdAt")),
        (operation(i64::MAX / 4), record("r", 50_010)),
        (
            without(operation(50_000), "resourceName"),
            record("r", 50_010),
        ),
    ] {
        let shown = format!("{operation} {record}");
        let others = json!([operation]);
        let server = cloud_of(Some(operation), others, json!([record]));
        let task = look_again(&server, &known("web-1", 50_000)).await;
        let task = task.expect("known");
        assert_eq!(task.state, State::Completed, "{shown}");
        assert_eq!(
            task.raw.value()["record"]["name"],
            "ExportSnapshotRecord-r",
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_record_in_doubt_goes_to_the_operation_that_is_nearer() {
    let mut rival = operation(54_000);
    rival["id"] = json!("11111111-0000-4000-8000-000000000000");
    let records = json!([record("rivals", 54_001)]);
    let all = json!([operation(50_000), rival]);
    let server = cloud_of(Some(operation(50_000)), all, records);
    let task = look_again(&server, &known("web-1", 50_000)).await;
    let task = task.expect("known");
    assert_eq!(
        (task.state, &task.raw.value()["record"]),
        (State::Running, &Value::Null)
    );
}

#[tokio::test]
async fn an_old_export_keeps_its_start_when_its_operation_is_forgotten() {
    let records = json!([record("old", 1_002)]);
    for (operations, id, start) in [
        (json!([operation(1_000)]), UNKNOWN, 1_000),
        (json!([]), "ExportSnapshotRecord-old", 1_002),
        (json!([operation(i64::MAX / 4)]), UNKNOWN, 1_002),
    ] {
        let server = cloud_of(None, operations, records.clone());
        let cloud = connect_to(server.url()).await;
        let tasks = cloud.tasks(&TaskFilter::default()).await.expect("listed");
        let found: Vec<_> = tasks
            .iter()
            .map(|task| (task.id.as_str(), task.created_at.map(|at| at.as_second())))
            .collect();
        assert_eq!(found, [(id, Some(start))]);
        assert_eq!(
            tasks[0].raw.value()["record"]["name"],
            "ExportSnapshotRecord-old"
        );
    }
}

#[tokio::test]
async fn an_export_whose_record_is_missing_says_so_and_is_not_stalled_at_one_poll() {
    let now = Timestamp::now().as_second();
    for age in [600, 7_200] {
        let server = cloud_of(Some(operation(now - age)), json!([]), json!([]));
        let task = look_again(&server, &known("web-1", now - age)).await;
        let task = task.expect("known");
        assert_eq!(task.state, State::Running, "{age}");
        let said = task.message.unwrap_or_default();
        assert!(said.contains("record is not listed"), "{said}");
    }
}

#[tokio::test]
async fn a_proxys_page_is_no_verdict_about_the_task() {
    for status in [401, 403, 404] {
        let server = Canned::start(vec![Answer::html(status, "<html>proxy</html>")]);
        let cloud = connect_to(server.url()).await;
        let error = cloud.look(&[UNKNOWN.into()]).await.expect_err("no answer");
        assert_eq!(error.kind, Kind::Provider, "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_request_is_checked_and_shown_without_being_sent() {
    let server = Canned::start(vec![Answer::Hangup]);
    let cloud = connect_to(server.url()).await;
    for (snapshot, target, is_fine) in [
        ("web-1", ec2(), true),
        ("web.1 with_everything", ec2(), true),
        ("", ec2(), false),
        ("  ", ec2(), false),
        ("web\n1", ec2(), false),
        ("web-1", fake::target(), false),
    ] {
        let request = ExportRequest::new(snapshot, target);
        let checked = cloud.validate(&request).map_err(|error| error.kind);
        assert_eq!(
            checked,
            if is_fine { Ok(()) } else { Err(Kind::Usage) },
            "{request:?}"
        );
    }
    let long = cloud.validate(&export(&"x".repeat(256)));
    assert_eq!(long.map_err(|error| error.kind), Err(Kind::Usage));
    let preview = cloud.preview(&export("web-1"));
    assert_eq!((preview.call, preview.method), ("ExportSnapshot", "POST"));
    assert_eq!(preview.url, format!("{}/", server.url()));
    assert_eq!(preview.body, json!({"sourceSnapshotName": "web-1"}));
    assert_eq!((cloud.id(), cloud.region()), (ID, "eu-west-3"));
    // The account's number, which is in the id of the key.
    assert_eq!(cloud.account().len(), 12);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_start_is_sent_once_and_its_outcome_is_told_truly() {
    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    for (answer, kind) in [
        (Answer::Hangup, Kind::MaybeStarted),
        (
            Answer::html(502, "<html>Bad Gateway</html>"),
            Kind::MaybeStarted,
        ),
        (
            Answer::json(500, r#"{"__type":"ServiceException"}"#),
            Kind::MaybeStarted,
        ),
        (
            Answer::json(400, r#"{"__type":"InternalFailure"}"#),
            Kind::MaybeStarted,
        ),
        (Answer::html(200, "<html>log in</html>"), Kind::MaybeStarted),
        (
            Answer::json(200, r#"{"operations":[]}"#),
            Kind::MaybeStarted,
        ),
        (Answer::json(400, throttled), Kind::RateLimited),
        (
            Answer::json(428, r#"{"__type":"AccountSetupInProgressException"}"#),
            Kind::Unavailable,
        ),
        (Answer::html(302, "elsewhere"), Kind::Provider),
    ] {
        let server = Canned::start(vec![answer.clone()]);
        let cloud = connect_to(server.url()).await;
        let error = cloud.start(&export("web-1")).await.expect_err("no start");
        assert_eq!(error.kind, kind, "{answer:?}: {error:?}");
        assert!(error.message.contains("web-1"), "{answer:?}: {error:?}");
        if kind == Kind::MaybeStarted {
            // The caller says what is not known, and what to do.
            let said = format!("{} {:?}", error.one_line(), error.details.hints);
            for word in ["not started", "not known", "--remote"] {
                assert!(!said.contains(word), "{answer:?}: {said}");
            }
        }
        assert_eq!(server.requests().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_start_that_never_left_is_not_in_doubt() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", port.local_addr().expect("bound"));
    drop(port);
    let error = connect_to(url)
        .await
        .start(&export("web-1"))
        .await
        .expect_err("refused");
    assert_eq!(error.kind, Kind::Network, "{error:?}");
}

#[tokio::test]
async fn credentials_that_cannot_be_fetched_are_a_credentials_error_and_nothing_is_sent() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join(".aws")).expect("made");
    let config = "[profile p]\nregion = eu-west-3\ncredential_process = false\n";
    std::fs::write(home.path().join(".aws/config"), config).expect("written");
    let server = Canned::start(vec![Answer::Hangup]);
    let variables = [
        ("AWS_PROFILE", "p".to_owned()),
        ("AWS_ENDPOINT_URL", server.url()),
    ];
    let sources = Sources {
        env: variables.into_iter().collect(),
        home: Some(home.path().into()),
        ..Sources::default()
    };
    let cloud = (ENTRY.connect)(&sources, Http::new(false).whole())
        .await
        .expect("connected");
    assert_eq!(cloud.account(), "profile p");
    let error = cloud
        .start(&export("web-1"))
        .await
        .expect_err("no credentials");
    assert_eq!(error.kind, Kind::Credentials, "{error:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_read_is_repeated_while_the_failure_may_pass() {
    let operation =
        format!(r#"{{"operation":{{"id":"{UNKNOWN}","status":"Started","surprise":{{"a":1}}}}}}"#);
    let attempts = AtomicUsize::new(0);
    let server = Canned::by(move |request| {
        if calls(request) != "GetOperation" {
            return Answer::json(200, "{}");
        }
        match attempts.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::Hangup,
            1 => Answer::html(503, "<html>busy</html>"),
            _ => Answer::json(200, &operation),
        }
    });
    let cloud = connect_to(server.url()).await;
    let task = look(&*cloud, &UNKNOWN.into())
        .await
        .expect("at the third attempt");
    assert_eq!(
        task.raw.value()["operation"]["surprise"],
        json!({"a": 1}),
        "raw is what the API said"
    );
    let asked = server.requests();
    let reads = asked
        .iter()
        .filter(|request| calls(request) == "GetOperation");
    assert_eq!((reads.count(), asked.len()), (3, 4));
}

#[tokio::test]
async fn replies_that_are_no_api_are_errors_and_lists_without_end_too() {
    let same = r#"{"exportSnapshotRecords":[],"operations":[],"nextPageToken":"again"}"#;
    for answer in [
        Answer::html(200, "<html>log in</html>"),
        Answer::json(200, same),
        Answer::html(404, "<h1>no</h1>"),
    ] {
        let cloud = connect_to(Canned::start(vec![answer.clone()]).url()).await;
        let error = cloud
            .tasks(&TaskFilter::default())
            .await
            .expect_err("no list");
        assert_eq!(error.kind, Kind::Provider, "{answer:?}: {error:?}");
    }
}
