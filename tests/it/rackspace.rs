//! Rackspace: the provider against the sandbox, and against replies that no sandbox gives.

mod login;
mod replies;
mod strictness;

use std::sync::Arc;
use std::time::Duration;

use crate::single::{checked, located};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use snapexport::error::{Error, Kind};
use snapexport::http::{Http, Reply, Request};
use snapexport::provider::{Provider, TaskFilter, rackspace};
use snapexport::settings::Sources;
use snapexport::task::{ExportRequest, Progress, Raw, State, Target, Task, TaskId};
use snapexport_sandbox::{Options, Sandbox};

const WEB: &str = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
const DB: &str = "2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728";
const WINDOWS: &str = "9c0ffee1-4d2b-4a6f-8f3e-5b7d9a1c3e50";
const PUBLIC: &str = "b5d1a7e3-60c2-4f94-a8e6-1c3f5d7b9024";
const RETIRED: &str = "c3e5a7b9-1d2f-4c6e-9a8b-7d6f5e4c3b2a";
const SAVING: &str = "e8f6d4b2-9a7c-4e5d-8b3f-1a2c4e6f8091";
const CURSED: &str = "deadbeef-0bad-4dad-8bad-c0ffee000bad";
const UNKNOWN: &str = "112e4d54-20c0-4bfb-97db-be3ac6216086";

async fn sandbox(millis: u64) -> Sandbox {
    Sandbox::start(Options {
        duration: Duration::from_millis(millis),
        ..Options::default()
    })
    .await
    .expect("free ports")
}

/// The sandbox's variables, some of them changed; an empty value takes one away.
fn sources(sandbox: &Sandbox, changes: &[(&str, &str)]) -> Sources {
    let changes = changes
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let variables = sandbox
        .variables()
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v));
    Sources {
        env: variables.chain(changes).collect(),
        ..Sources::default()
    }
}

async fn connect(sources: &Sources) -> Result<Arc<dyn Provider>, Error> {
    (rackspace::ENTRY.connect)(sources, Http::new(false)).await
}

async fn connected(sandbox: &Sandbox) -> Arc<dyn Provider> {
    connect(&sources(sandbox, &[])).await.expect("complete")
}

fn request(image: &str, container: &str) -> ExportRequest {
    let target = Target::new(&rackspace::Destination::CloudFiles {
        container: container.into(),
    });
    ExportRequest::new(image, target)
}

async fn look(provider: &dyn Provider, id: &TaskId) -> Task {
    let mut slots = provider
        .look(std::slice::from_ref(id))
        .await
        .expect("an answer");
    slots.remove(0).expect("a task")
}

async fn ended(provider: &dyn Provider, id: &TaskId) -> Task {
    for _ in 0..400 {
        let task = look(provider, id).await;
        if task.state.is_terminal() {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the task {id} did not end");
}

pub fn origin(sandbox: &Sandbox) -> String {
    let variables = sandbox.variables();
    let url = variables.iter().find(|(name, _)| *name == "OS_AUTH_URL");
    url.expect("always there").1.replace("/v2.0", "")
}

pub async fn send(
    method: Method,
    url: &str,
    headers: &[(&'static str, &str)],
    body: &str,
) -> Reply {
    let mut request = Request::new("test", method, Url::parse(url).expect("a URL")).body(body);
    for (name, value) in headers {
        request = request.header(name, value).expect("a header");
    }
    Http::new(false).once(request).await.expect("a reply")
}

pub async fn token(sandbox: &Sandbox) -> String {
    let body = json!({"auth": {"RAX-KSKEY:apiKeyCredentials":
        {"username": "sandbox", "apiKey": "5a4d0b0c5a4d0b0c5a4d0b0c5a4d0b0c"}}});
    let url = format!("{}/v2.0/tokens", origin(sandbox));
    let reply = send(Method::POST, &url, &[], &body.to_string()).await;
    let body: Value = reply.json().expect("JSON");
    body["access"]["token"]["id"]
        .as_str()
        .expect("a token")
        .to_owned()
}

#[tokio::test]
async fn an_export_goes_from_pending_to_an_object_in_the_container() {
    let sandbox = sandbox(1000).await;
    let provider = connected(&sandbox).await;
    let request = request(WEB, "exports");
    provider.validate(&request).expect("valid");
    assert!(
        checked(&*provider, &request)
            .await
            .expect("can succeed")
            .is_empty()
    );

    let started = provider.start(&request).await.expect("started");
    assert_eq!(started.state, State::Pending);
    assert_eq!(started.snapshot.as_deref(), Some(WEB));
    assert_eq!(started.target.as_ref(), Some(&request.target));

    tokio::time::sleep(Duration::from_millis(300)).await;
    let running = look(&*provider, &started.id).await;
    assert_eq!(running.provider_state, "processing");
    assert!(matches!(
        running.progress,
        Progress::Step { at: Some(1), .. }
    ));

    let task = ended(&*provider, &started.id).await;
    assert_eq!(
        (task.state, task.message.as_deref()),
        (State::Completed, None)
    );
    assert!(task.finished_at.is_some() && task.expires_at > task.finished_at);
    let said = task.artifact.clone().expect("an artifact");
    assert!(!said.exact, "nobody has looked");
    let found = located(&*provider, &task).await.expect("there");
    assert_eq!(found.uri, said.uri);
    assert!(
        found.uri.ends_with(&format!("/exports/{WEB}.vhd")),
        "{}",
        found.uri
    );
    assert!(found.exact && found.size_bytes > Some(100_000));
    assert!(
        provider
            .aftermath(&task)
            .expect("something stays")
            .contains("exports")
    );
    assert_eq!(sandbox.with_world(|world| world.rackspace.starts), Ok(1));
}

#[tokio::test]
async fn a_large_export_is_located_with_the_size_of_all_its_segments() {
    let sandbox = sandbox(200).await;
    let provider = connected(&sandbox).await;
    let started = provider
        .start(&request(DB, "exports"))
        .await
        .expect("started");
    let task = ended(&*provider, &started.id).await;
    // What the journal keeps: image and container, without the cloud's own object.
    let remembered = Task {
        raw: Raw::default(),
        ..task
    };
    let found = located(&*provider, &remembered).await.expect("there");
    let token = token(&sandbox).await;
    let reply = send(Method::GET, &found.uri, &[("x-auth-token", &token)], "").await;
    assert!(
        reply
            .header("x-object-manifest")
            .is_some_and(|m| m.ends_with(".vhd-"))
    );
    assert_eq!(found.size_bytes, Some(reply.body.len() as u64));
    assert!(reply.body.starts_with(b"conectix"));
    let etag = reply.header("etag").expect("an Etag").to_owned();
    assert!(etag.starts_with('"'), "of a manifest it is quoted");
    for (header, status) in [("\"0000\"", 412), (etag.as_str(), 206)] {
        let headers = [
            ("x-auth-token", token.as_str()),
            ("if-match", header),
            ("range", "bytes=0-7"),
        ];
        let reply = send(Method::GET, &found.uri, &headers, "").await;
        assert_eq!(reply.status, status, "{header}");
    }
}

#[tokio::test]
async fn what_the_cloud_refuses_later_is_failed_with_its_own_words() {
    let sandbox = sandbox(200).await;
    let provider = connected(&sandbox).await;
    for (image, container, words) in [
        (CURSED, "exports", "Unknown error occurred during image export".to_owned()),
        (UNKNOWN, "exports", format!("Requested image for export was not found: {UNKNOWN}")),
        (PUBLIC, "exports", "An image may only be exported by the image owner.".into()),
        (WINDOWS, "exports", "Image cannot be exported due to licensing or billing restrictions (com.rackspace__1__options: '4')".into()),
        (WEB, "nowhere", "Container not found. Container: nowhere".into()),
    ] {
        let started = provider.start(&request(image, container)).await.expect("accepted all the same");
        let task = ended(&*provider, &started.id).await;
        assert_eq!(task.state, State::Failed, "{image}");
        let fault = task.error.expect("a reason");
        assert_eq!((fault.kind, fault.message), (Kind::TaskFailed, words));
        assert!(task.artifact.is_none());
    }
    let first = provider
        .start(&request(WEB, "demo"))
        .await
        .expect("started");
    let second = provider
        .start(&request(WEB, "demo"))
        .await
        .expect("accepted");
    assert_eq!(ended(&*provider, &first.id).await.state, State::Completed);
    let message = ended(&*provider, &second.id)
        .await
        .message
        .expect("a reason");
    assert_eq!(
        message,
        format!("Object already exists in user's container. Container/Object: demo/{WEB}.vhd")
    );
}

#[tokio::test]
async fn preflight_finds_what_would_fail_later() {
    let sandbox = sandbox(50).await;
    let provider = connected(&sandbox).await;
    let taken = provider
        .start(&request(WEB, "demo"))
        .await
        .expect("started");
    ended(&*provider, &taken.id).await;
    for (image, container, kind, word) in [
        (UNKNOWN, "exports", Kind::NotFound, "no image"),
        (WINDOWS, "exports", Kind::Conflict, "licence"),
        (PUBLIC, "exports", Kind::Permission, "owner"),
        (RETIRED, "exports", Kind::Conflict, "deactivated"),
        (SAVING, "exports", Kind::Conflict, "saving"),
        (WEB, "nowhere", Kind::NotFound, "no container 'nowhere'"),
        (WEB, "demo", Kind::Conflict, "already has the object"),
    ] {
        let error = checked(&*provider, &request(image, container))
            .await
            .expect_err("cannot succeed");
        assert_eq!(
            error.kind,
            kind,
            "{image} {container}: {}",
            error.one_line()
        );
        assert!(error.message.contains(word), "{error}");
        assert!(!error.details.hints.is_empty(), "{error}: what to do");
    }
    let error = checked(&*provider, &request(WEB, "nowhere"))
        .await
        .expect_err("no container");
    assert!(
        error.details.hints[0]
            .to_string()
            .contains("swift post nowhere")
    );
    assert_eq!(
        checked(&*provider, &request(CURSED, "exports")).await,
        Ok(Vec::new())
    );
    assert_eq!(
        sandbox.with_world(|world| world.rackspace.starts),
        Ok(1),
        "a preflight starts nothing"
    );
}

#[tokio::test]
async fn what_is_wrong_by_its_form_is_refused_before_anything_is_sent() {
    let sandbox = sandbox(50).await;
    let provider = connected(&sandbox).await;
    let elsewhere = ExportRequest::new(WEB, crate::fake::target());
    for bad in [
        request("web-1", "exports"),
        request(WEB, ""),
        request(WEB, "a/b"),
        request(WEB, "a.b"),
        request(WEB, "a?b"),
        elsewhere,
    ] {
        assert_eq!(
            provider.validate(&bad).expect_err("refused").kind,
            Kind::Usage,
            "{bad:?}"
        );
        assert_eq!(
            provider.start(&bad).await.expect_err("refused").kind,
            Kind::Usage,
            "{bad:?}"
        );
    }
    assert_eq!(
        sandbox.with_world(|world| (world.rackspace.starts, world.rackspace.logins)),
        Ok((0, 0))
    );
}

#[tokio::test]
async fn an_unknown_task_has_a_slot_of_its_own() {
    let sandbox = sandbox(5000).await;
    let provider = connected(&sandbox).await;
    let started = provider
        .start(&request(WEB, "exports"))
        .await
        .expect("started");
    let ids = [
        TaskId::from(UNKNOWN),
        started.id.clone(),
        TaskId::from("../images"),
    ];
    let slots = provider.look(&ids).await.expect("answers");
    let unknown = slots[0].as_ref().expect_err("unknown");
    assert_eq!(unknown.kind, Kind::NotFound);
    assert!(unknown.details.hints[0].to_string().contains("48 h"));
    assert_eq!(slots[1].as_ref().map(|task| &task.id), Ok(&started.id));
    assert_eq!(slots[2].as_ref().expect_err("no UUID").kind, Kind::NotFound);
}

#[tokio::test]
async fn tasks_are_listed_over_pages_and_found_by_their_image() {
    let sandbox = sandbox(60_000).await;
    let provider = connected(&sandbox).await;
    let before = jiff::Timestamp::now();
    for _ in 0..103 {
        provider
            .start(&request(UNKNOWN, "exports"))
            .await
            .expect("accepted");
    }
    let wanted = provider
        .start(&request(WEB, "exports"))
        .await
        .expect("started");
    let all = provider
        .tasks(&TaskFilter::default())
        .await
        .expect("a list");
    assert_eq!(all.len(), 104, "more than a page");
    assert_eq!(all[0].id, wanted.id, "newest first");
    assert_eq!(
        all[0].snapshot, None,
        "a list does not say what is exported"
    );
    let of_web = TaskFilter {
        snapshots: vec![WEB.into()],
        with_completed: false,
        since: Some(before),
    };
    let found = provider.tasks(&of_web).await.expect("a list");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0].id, found[0].snapshot.as_deref()),
        (&wanted.id, Some(WEB))
    );
    assert_eq!(found[0].target, Some(request(WEB, "exports").target));
    let later = before + jiff::SignedDuration::from_hours(1);
    let none = TaskFilter {
        snapshots: Vec::new(),
        with_completed: false,
        since: Some(later),
    };
    assert!(provider.tasks(&none).await.expect("a list").is_empty());
}

#[tokio::test]
async fn own_images_are_listed_with_the_reason_against_an_export() {
    let sandbox = sandbox(50).await;
    let sources = connected(&sandbox)
        .await
        .exportable()
        .await
        .expect("a list");
    let seen: Vec<(&str, bool)> = sources
        .iter()
        .map(|s| (s.id.as_str(), s.exportable))
        .collect();
    assert_eq!(
        seen,
        [
            (WEB, true),
            (DB, true),
            (WINDOWS, false),
            (RETIRED, false),
            (SAVING, false),
            (CURSED, true)
        ]
    );
    assert!(sources.iter().all(|s| s.exportable == s.reason.is_none()));
    assert_eq!(
        (sources[0].name.as_deref(), sources[0].size_bytes),
        (Some("web-1"), Some(20 << 30))
    );
    assert_eq!(
        (sources[0].state.as_str(), sources[4].state.as_str()),
        ("completed", "pending")
    );
}
