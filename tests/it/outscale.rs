//! OUTSCALE against the sandbox, and against replies that no sandbox gives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use snapexport::error::{Error, Kind, Result};
use snapexport::http::Http;
use snapexport::provider::outscale::{Destination, MANIFEST_URL};
use snapexport::provider::{Provider, Shape, TaskFilter, by_name};
use snapexport::settings::Sources;
use snapexport::task::{ExportRequest, State, Target, Task, TaskId};
use snapexport_sandbox::{Options, Sandbox};

use crate::canned::{Answer, Canned};
use crate::single::{checked, located};

/// Long enough to be seen under way, short enough to wait for.
const DURATION: Duration = Duration::from_millis(600);

async fn sandbox(duration: Duration) -> Sandbox {
    let options = Options {
        duration,
        ..Options::default()
    };
    Sandbox::start(options).await.expect("loopback is there")
}

/// A provider on the sandbox, with variables put in place of its own.
async fn connect(sandbox: &Sandbox, more: &[(&'static str, &str)]) -> Arc<dyn Provider> {
    let mut variables = sandbox.variables();
    variables.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    connect_with(variables)
        .await
        .expect("credentials are there")
}

async fn connect_with(variables: Vec<(&'static str, String)>) -> Result<Arc<dyn Provider>> {
    let sources = Sources {
        env: variables.into_iter().collect(),
        ..Sources::default()
    };
    let entry = by_name("outscale").expect("registered");
    (entry.connect)(&sources, Http::new(false)).await
}

/// A provider whose API and object store are canned answers.
async fn canned(answers: Vec<Answer>) -> (Canned, Arc<dyn Provider>) {
    let server = Canned::start(answers);
    let provider = connect_with(vec![
        ("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK".into()),
        (
            "OSC_SECRET_KEY",
            "SKEXAMPLE00000000000000000000000000000SK".into(),
        ),
        ("OSC_ENDPOINT_API", server.url()),
        ("OSC_ENDPOINT_OOS", server.url()),
    ])
    .await
    .expect("credentials are there");
    (server, provider)
}

fn request(snapshot: &str, bucket: &str) -> ExportRequest {
    with(snapshot, bucket, "web/", "qcow2")
}

fn with(snapshot: &str, bucket: &str, prefix: &str, format: &str) -> ExportRequest {
    let target = Target::new(&Destination::Oos {
        bucket: bucket.into(),
        prefix: Some(prefix.into()),
        format: format.into(),
    });
    ExportRequest::new(snapshot, target)
}

/// Looks until the task is settled; gives every distinct state word on the way.
async fn watch(provider: &dyn Provider, id: &TaskId) -> (Task, Vec<String>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut words: Vec<String> = Vec::new();
    loop {
        let mut slots = provider
            .look(std::slice::from_ref(id))
            .await
            .expect("answers");
        let task = slots.remove(0).expect("known");
        if words.last() != Some(&task.provider_state) {
            words.push(task.provider_state.clone());
        }
        if task.is_settled() {
            return (task, words);
        }
        assert!(Instant::now() < deadline, "not settled: {words:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn starts(sandbox: &Sandbox) -> u64 {
    sandbox
        .with_world(|world| world.outscale.starts)
        .expect("in memory")
}

fn found<T>(outcome: Result<T>) -> Error {
    match outcome {
        Err(error) => error,
        Ok(_) => panic!("this should have failed"),
    }
}

#[tokio::test]
async fn an_export_completes_and_its_object_is_found() {
    let sandbox = sandbox(DURATION).await;
    let provider = connect(&sandbox, &[]).await;
    let request = request("snap-0a1b2c3d", "demo");
    assert_eq!(
        checked(&*provider, &request).await.expect("it can succeed"),
        [""; 0]
    );

    let started = provider.start(&request).await.expect("starts");
    assert_eq!(
        (started.state, started.percent()),
        (State::Pending, Some(0))
    );
    assert_eq!(started.snapshot.as_deref(), Some("snap-0a1b2c3d"));
    assert_eq!(started.target.as_ref(), Some(&request.target));
    let shape = by_name("outscale").expect("registered").shape;
    assert_eq!(shape(started.id.as_str()), Shape::Sure);
    assert_eq!(
        found(located(&*provider, &started).await).kind,
        Kind::NotFound
    );

    let (task, words) = watch(&*provider, &started.id).await;
    assert_eq!(words.last().map(String::as_str), Some("completed"));
    assert_eq!(
        (task.state, task.percent(), task.exit_code()),
        (State::Completed, Some(100), 0)
    );
    let expected = task.artifact.clone().expect("completed");
    assert!(!expected.exact);

    let located = located(&*provider, &task).await.expect("it is there");
    assert_eq!(located.uri, expected.uri);
    assert!(located.exact && located.size_bytes.is_some_and(|size| size > 0));
    assert_eq!(starts(&sandbox), 1);
}

#[tokio::test]
async fn other_ends_and_other_words_are_understood() {
    let sandbox = sandbox(DURATION).await;
    let provider = connect(&sandbox, &[]).await;
    for (snapshot, state, kind, word) in [
        (
            "snap-deadbeef",
            State::Failed,
            Some(Kind::TaskFailed),
            "failed",
        ),
        (
            "snap-57a11ed0",
            State::Stalled,
            Some(Kind::Stalled),
            "pending",
        ),
        ("snap-0ddba11e", State::Completed, None, "verifying"),
        ("snap-01d57a7e", State::Completed, None, "active"),
    ] {
        let started = provider
            .start(&request(snapshot, "demo"))
            .await
            .expect("starts");
        let (task, words) = watch(&*provider, &started.id).await;
        assert_eq!(task.state, state, "{snapshot}");
        assert_eq!(
            task.error.as_ref().map(|fault| fault.kind),
            kind,
            "{snapshot}"
        );
        assert!(
            words.iter().any(|seen| seen == word),
            "{snapshot}: {words:?}"
        );
        if let Some(fault) = task.error {
            assert!(fault.message.starts_with("Error"), "{}", fault.message);
            assert_eq!(
                task.message,
                Some(fault.message),
                "the provider's words, unchanged"
            );
        }
    }
}

#[tokio::test]
async fn an_unknown_task_is_not_found_in_its_slot_alone() {
    let sandbox = sandbox(DURATION).await;
    let provider = connect(&sandbox, &[]).await;
    let known = provider
        .start(&request("snap-0a1b2c3d", "demo"))
        .await
        .expect("starts")
        .id;
    let ids = [
        "snap-export-00000000".into(),
        known.clone(),
        "nonsense".into(),
    ];
    let slots = provider.look(&ids).await.expect("answers");
    let kinds: Vec<_> = slots
        .iter()
        .map(|slot| {
            slot.as_ref()
                .map(|task| &task.id)
                .map_err(|error| error.kind)
        })
        .collect();
    assert_eq!(
        kinds,
        [Err(Kind::NotFound), Ok(&known), Err(Kind::NotFound)]
    );
}

#[tokio::test]
async fn tasks_can_be_asked_for_by_snapshot() {
    let sandbox = sandbox(DURATION).await;
    let provider = connect(&sandbox, &[]).await;
    for snapshot in ["snap-0a1b2c3d", "snap-1b2c3d4e", "snap-0a1b2c3d"] {
        provider
            .start(&request(snapshot, "demo"))
            .await
            .expect("starts");
    }
    let filter = TaskFilter {
        snapshots: vec!["snap-0a1b2c3d".into()],
        with_completed: false,
        since: None,
    };
    assert_eq!(provider.tasks(&filter).await.expect("lists").len(), 2);
    assert_eq!(
        provider
            .tasks(&TaskFilter::default())
            .await
            .expect("lists")
            .len(),
        3
    );
}

#[tokio::test]
async fn a_thousand_tasks_are_one_look() {
    let sandbox = sandbox(Duration::from_secs(60)).await;
    let provider = connect(&sandbox, &[]).await;
    let first = provider
        .start(&request("snap-0a1b2c3d", "demo"))
        .await
        .expect("starts");
    let ids: Vec<TaskId> = sandbox
        .with_world(|world| {
            let sample = world.outscale.tasks[0].clone();
            let more = (1..1000).map(|number| {
                let mut task = sample.clone();
                task.id = format!("snap-export-{number:08x}");
                task
            });
            world.outscale.tasks.extend(more);
            world
                .outscale
                .tasks
                .iter()
                .map(|task| task.id.as_str().into())
                .collect()
        })
        .expect("in memory");
    let began = Instant::now();
    let slots = provider.look(&ids).await.expect("answers");
    assert_eq!(slots.iter().filter(|slot| slot.is_ok()).count(), 1000);
    assert_eq!(slots[0].as_ref().expect("known").id, first.id);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn the_list_of_snapshots_is_ours_and_says_what_can_be_exported() {
    let sandbox = sandbox(DURATION).await;
    let sources = connect(&sandbox, &[])
        .await
        .exportable()
        .await
        .expect("lists");
    let source = |id: &str| sources.iter().find(|source| source.id == id);
    let web = source("snap-0a1b2c3d").expect("a sample");
    assert!(web.exportable && web.reason.is_none());
    assert_eq!(web.name.as_deref(), Some("web server"));
    assert_eq!(web.size_bytes, Some(10 << 30));
    let queued = source("snap-4e5f6071").expect("a sample");
    assert!(!queued.exportable && queued.reason.is_some());
    assert!(
        source("snap-9ab1e5ca").is_none(),
        "another account's public snapshot"
    );
}

#[tokio::test]
async fn preflight_finds_what_cannot_succeed_and_warns_of_the_rest() {
    let sandbox = sandbox(DURATION).await;
    let provider = connect(&sandbox, &[]).await;
    for (snapshot, kind) in [
        ("snap-00000000", Kind::NotFound),
        ("snap-3d4e5f60", Kind::Conflict),
        ("snap-5f607182", Kind::Conflict),
        ("ami-12345678", Kind::Usage),
    ] {
        let error = found(checked(&*provider, &request(snapshot, "demo")).await);
        assert_eq!(error.kind, kind, "{snapshot}");
        assert!(error.message.contains(snapshot), "{}", error.message);
    }
    let good = "snap-0a1b2c3d";
    for (request, warning) in [
        (
            request(good, "brand-new"),
            "brand-new does not exist; OUTSCALE will create it",
        ),
        (request(good, "partner"), "partner could not be looked at"),
        (with(good, "demo", "web/", "vdi"), "will likely refuse vdi"),
    ] {
        let warnings = checked(&*provider, &request).await.expect("it may succeed");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(warning), "{warnings:?}");
    }
    assert_eq!(starts(&sandbox), 0, "preflight starts nothing");
}

#[tokio::test]
async fn refusals_of_a_start_keep_the_words_of_the_cloud() {
    let sandbox = sandbox(DURATION).await;
    let provider = connect(&sandbox, &[]).await;
    for (request, kind, code, hint) in [
        (
            request("snap-00000000", "demo"),
            Kind::NotFound,
            "5054",
            "snapexport list outscale",
        ),
        (
            with("snap-0a1b2c3d", "demo", "web/", "vmdk"),
            Kind::Provider,
            "4047",
            "--format qcow2",
        ),
    ] {
        let error = found(provider.start(&request).await);
        assert_eq!(error.kind, kind);
        assert_eq!(error.details.code.as_deref(), Some(code));
        assert!(
            error.message.contains(&request.snapshot),
            "{}",
            error.message
        );
        assert!(!error.details.causes.is_empty() && error.details.request_id.is_some());
        assert!(
            error
                .details
                .hints
                .iter()
                .any(|h| h.to_string().contains(hint)),
            "{:?}",
            error.details.hints
        );
    }
    let error = found(provider.start(&request("snap-4e5f6071", "demo")).await);
    assert_eq!(error.kind, Kind::Conflict);
    assert_eq!(starts(&sandbox), 0);
}

#[tokio::test]
async fn refused_credentials_are_asked_once_and_shown_nowhere() {
    let sandbox = sandbox(DURATION).await;
    let wrong = "SKWRONG000000000000000000000000000000000";
    for more in [
        ("OSC_SECRET_KEY", wrong),
        ("OSC_ACCESS_KEY", "AKUNKNOWN00000000000"),
    ] {
        let provider = connect(&sandbox, &[more]).await;
        let error = found(provider.look(&["snap-export-12345678".into()]).await);
        assert_eq!((error.kind, error.kind.exit_code()), (Kind::Credentials, 4));
        assert!(!format!("{error:?}").contains(wrong));
    }
    let (server, provider) = canned(vec![Answer::json(
        401,
        r#"{"Errors":[{"Type":"AccessDenied","Code":"1","Details":""}]}"#,
    )])
    .await;
    assert_eq!(found(provider.exportable().await).kind, Kind::Credentials);
    assert_eq!(
        server.requests().len(),
        1,
        "a second refusal would bring the lock nearer"
    );
}

#[tokio::test]
async fn a_bucket_in_another_account_needs_its_own_pair() {
    let sandbox = sandbox(DURATION).await;
    let [(id_name, id), (secret_name, secret)] = sandbox.partner_variables();
    let request = request("snap-0a1b2c3d", "partner");

    let provider = connect(&sandbox, &[(id_name, &id), (secret_name, &secret)]).await;
    let preview = provider.preview(&request);
    assert_eq!(preview.body["OsuExport"]["OsuApiKey"]["ApiKeyId"], id);
    assert!(
        !preview.body.to_string().contains(&secret),
        "{}",
        preview.body
    );
    assert_eq!(
        checked(&*provider, &request).await.expect("it can succeed"),
        [""; 0]
    );
    let started = provider.start(&request).await.expect("starts");
    assert!(!started.raw.value().to_string().contains(&secret));
    let (task, _) = watch(&*provider, &started.id).await;
    assert_eq!(task.state, State::Completed);
    assert!(located(&*provider, &task).await.expect("it is there").exact);

    let wrong = "SKWRONG000000000000000000000000000000000";
    let provider = connect(&sandbox, &[(id_name, &id), (secret_name, wrong)]).await;
    assert_eq!(
        found(checked(&*provider, &request).await).kind,
        Kind::Credentials
    );
    let started = provider.start(&request).await.expect("the cloud takes it");
    let (task, _) = watch(&*provider, &started.id).await;
    assert!(task.is_stalled());
    let message = task.error.expect("stalled").message;
    assert!(message.contains("SignatureDoesNotMatch"), "{message}");
}

#[tokio::test]
async fn a_start_is_sent_once_and_its_failure_says_whether_it_may_have_run() {
    let throttled = r#"{"Errors":[{"Type":"AccessDenied","Code":"6","Details":"slow down"}]}"#;
    for (answer, kind) in [
        (Answer::json(429, throttled), Kind::RateLimited),
        (Answer::json(503, throttled), Kind::RateLimited),
        (
            Answer::html(503, "<h1>Service Unavailable</h1>"),
            Kind::MaybeStarted,
        ),
        (
            Answer::json(500, r#"{"Errors":[{"Code":"2000"}]}"#),
            Kind::MaybeStarted,
        ),
        (Answer::html(504, ""), Kind::MaybeStarted),
        (Answer::Hangup, Kind::MaybeStarted),
        (
            Answer::json(200, r#"{"ResponseContext":{"RequestId":"r"}}"#),
            Kind::MaybeStarted,
        ),
        (Answer::html(200, "<h1>Log in</h1>"), Kind::MaybeStarted),
        (Answer::html(403, "<h1>Blocked</h1>"), Kind::Provider),
        (
            Answer::json(400, r#"{"__type":"Bad","message":"no"}"#),
            Kind::Provider,
        ),
    ] {
        let shown = format!("{answer:?}");
        let (server, provider) = canned(vec![answer]).await;
        let error = found(provider.start(&request("snap-0a1b2c3d", "demo")).await);
        assert_eq!(error.kind, kind, "{shown}");
        assert!(
            error.message.contains("snap-0a1b2c3d"),
            "{shown}: {}",
            error.message
        );
        assert_eq!(server.requests().len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_start_without_a_connection_was_surely_not_executed() {
    let provider = connect_with(vec![
        ("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK".into()),
        (
            "OSC_SECRET_KEY",
            "SKEXAMPLE00000000000000000000000000000SK".into(),
        ),
        ("OSC_ENDPOINT_API", "http://127.0.0.1:1".into()),
    ])
    .await
    .expect("credentials are there");
    let error = found(provider.start(&request("snap-0a1b2c3d", "demo")).await);
    assert_eq!(error.kind, Kind::Network);
}

#[tokio::test]
async fn reads_are_repeated_and_follow_pages_to_the_last_one() {
    let page = |number: u8, token: &str| {
        let task = format!(r#"{{"TaskId":"snap-export-{number}","SnapshotId":"snap-2"}}"#);
        let body = format!(
            r#"{{"SnapshotExportTasks":[{task}],"NextPageToken":"{token}","ResponseContext":{{}}}}"#
        );
        Answer::json(200, &body)
    };
    let answers = vec![Answer::json(500, "{}"), page(1, "second"), page(2, "")];
    let (server, provider) = canned(answers).await;
    let tasks = provider.tasks(&TaskFilter::default()).await.expect("lists");
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["snap-export-1", "snap-export-2"]);
    assert!(server.requests()[2].contains("second"));
    assert_eq!(server.requests().len(), 3, "one failure, two pages");
}

#[tokio::test]
async fn an_older_gateway_is_asked_without_the_filter() {
    let refusal =
        r#"{"Errors":[{"Type":"InvalidParameter","Code":"3001","Details":"SnapshotIds"}]}"#;
    let all = r#"{"SnapshotExportTasks":[{"TaskId":"snap-export-1","SnapshotId":"snap-0a1b2c3d"},{"TaskId":"snap-export-2","SnapshotId":"snap-1b2c3d4e"}]}"#;
    let (server, provider) = canned(vec![Answer::json(400, refusal), Answer::json(200, all)]).await;
    let filter = TaskFilter {
        snapshots: vec!["snap-1b2c3d4e".into()],
        with_completed: false,
        since: None,
    };
    let tasks = provider.tasks(&filter).await.expect("lists");
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["snap-export-2"]);
    let requests = server.requests();
    assert!(requests[0].contains("SnapshotIds") && !requests[1].contains("SnapshotIds"));
}

#[tokio::test]
async fn a_stranger_that_answers_json_is_not_taken_for_a_cloud_without_tasks() {
    let (_server, provider) = canned(vec![Answer::json(200, r#"{"status":"ok"}"#)]).await;
    let error = found(provider.look(&["snap-export-12345678".into()]).await);
    assert_eq!(error.kind, Kind::Provider);
}

#[tokio::test]
async fn snapshots_are_listed_where_the_account_may_not_be_asked_for() {
    let denied = r#"{"Errors":[{"Type":"AccessDenied","Code":"4","Details":""}]}"#;
    let list = r#"{"Snapshots":[{"SnapshotId":"snap-0a1b2c3d","State":"completed"}]}"#;
    let (server, provider) = canned(vec![Answer::json(401, denied), Answer::json(200, list)]).await;
    assert_eq!(provider.exportable().await.expect("lists").len(), 1);
    assert!(!server.requests()[1].contains("AccountIds"));
}

#[tokio::test]
async fn the_request_has_every_member_that_was_given_and_no_other() {
    let (_server, provider) = canned(vec![Answer::Hangup]).await;
    let mut full = request("snap-0a1b2c3d", "demo");
    let manifest_url = "https://oos.example/m.xml";
    full.extras.insert(MANIFEST_URL.into(), manifest_url.into());
    let preview = provider.preview(&full);
    assert_eq!(
        (preview.call, preview.method),
        ("CreateSnapshotExportTask", "POST")
    );
    assert!(
        preview.url.ends_with("/api/v1/CreateSnapshotExportTask"),
        "{}",
        preview.url
    );
    assert_eq!(
        preview.body.to_string(),
        r#"{"SnapshotId":"snap-0a1b2c3d","OsuExport":{"DiskImageFormat":"qcow2","OsuBucket":"demo","OsuPrefix":"web/","OsuManifestUrl":"https://oos.example/m.xml"}}"#
    );
    let bare = with("snap-0a1b2c3d", "demo", "", "qcow2");
    assert_eq!(
        provider.preview(&bare).body.to_string(),
        r#"{"SnapshotId":"snap-0a1b2c3d","OsuExport":{"DiskImageFormat":"qcow2","OsuBucket":"demo"}}"#
    );
}

#[tokio::test]
async fn what_is_no_list_is_not_called_not_found() {
    for body in [
        r#"{"SnapshotExportTasks":{},"ResponseContext":{}}"#,
        r#"{"SnapshotExportTasks":null,"ResponseContext":{}}"#,
        r#"{"SnapshotExportTasks":[null],"ResponseContext":{}}"#,
        r#"{"SnapshotExportTasks":[{"TaskId":12345678}],"ResponseContext":{}}"#,
        r#"{"Errors":[{"Code":"1"}],"ResponseContext":{}}"#,
    ] {
        let (_server, provider) = canned(vec![Answer::json(200, body)]).await;
        let error = found(provider.look(&["snap-export-12345678".into()]).await);
        assert_eq!(error.kind, Kind::Provider, "{body}");
    }
}

#[tokio::test]
async fn a_list_without_end_is_an_error_and_not_a_hang() {
    let page = |token: &str| {
        Answer::json(
            200,
            &format!(
                r#"{{"SnapshotExportTasks":[],"NextPageToken":"{token}","ResponseContext":{{}}}}"#
            ),
        )
    };
    let pages: Vec<Answer> = (0..200).map(|number| page(&format!("p{number}"))).collect();
    let (server, provider) = canned(pages).await;
    let error = found(provider.look(&["snap-export-12345678".into()]).await);
    assert_eq!(error.kind, Kind::Provider, "{error:?}");
    assert!(error.one_line().contains("201 pages"), "{error:?}");
    assert_eq!(server.requests().len(), 201);
}

#[tokio::test]
async fn a_proxys_page_is_not_taken_for_a_refusal_by_outscale() {
    let (_server, provider) =
        canned(vec![Answer::html(403, "<h1>Forbidden</h1> by the proxy")]).await;
    let error = found(provider.look(&["snap-export-12345678".into()]).await);
    assert_eq!(error.kind, Kind::Provider, "{error:?}");
}
