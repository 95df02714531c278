//! Rackspace: the provider against the sandbox, and against replies that no sandbox gives.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use snapexport::context::Sources;
use snapexport::error::{Error, Kind};
use snapexport::provider::http::{Http, Reply, Request};
use snapexport::provider::{Provider, TaskFilter, rackspace};
use snapexport::sandbox::{Options, Sandbox};
use snapexport::task::{ExportRequest, Progress, State, Target, Task, TaskId};

use crate::canned::{Answer, Canned};

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
    ExportRequest {
        snapshot: image.into(),
        target: Target::CloudFiles {
            container: container.into(),
        },
    }
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
        provider
            .preflight(&request)
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
    assert!(said.exact, "the cloud said where it is");
    let found = provider.locate(&task).await.expect("there");
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
        raw: Value::Null,
        ..task
    };
    let found = provider.locate(&remembered).await.expect("there");
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
        let error = provider
            .preflight(&request(image, container))
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
    let error = provider
        .preflight(&request(WEB, "nowhere"))
        .await
        .expect_err("no container");
    assert!(error.details.hints[0].contains("swift post nowhere"));
    assert_eq!(
        provider.preflight(&request(CURSED, "exports")).await,
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
    let ec2 = ExportRequest {
        snapshot: WEB.into(),
        target: Target::Ec2,
    };
    for bad in [
        request("web-1", "exports"),
        request(WEB, ""),
        request(WEB, "a/b"),
        request(WEB, "a.b"),
        request(WEB, "a?b"),
        ec2,
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
    assert!(unknown.details.hints[0].contains("48 h"));
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
        snapshot: Some(WEB.into()),
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
        snapshot: None,
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

#[tokio::test]
async fn wrong_credentials_are_refused_with_the_clouds_words() {
    let sandbox = sandbox(50).await;
    for changes in [
        &[("RAX_API_KEY", "wrong")][..],
        &[("RAX_USERNAME", "nobody")],
        &[("OS_TENANT_ID", "42")],
    ] {
        let provider = connect(&sources(&sandbox, changes))
            .await
            .expect("complete");
        let error = provider
            .look(&[TaskId::from(UNKNOWN)])
            .await
            .expect_err("refused");
        assert_eq!(error.kind, Kind::Credentials, "{changes:?}");
        assert_eq!(error.details.code.as_deref(), Some("unauthorized"));
        assert!(
            !format!("{error:?}").contains("wrong"),
            "no secret in an error"
        );
        let start = provider
            .start(&request(WEB, "exports"))
            .await
            .expect_err("refused");
        assert_eq!(start.kind, Kind::Credentials);
    }
    assert_eq!(sandbox.with_world(|world| world.rackspace.starts), Ok(0));
}

#[tokio::test]
async fn every_way_to_log_in_reaches_the_same_account() {
    let sandbox = sandbox(50).await;
    let origin = origin(&sandbox);
    let v3 = format!("{origin}/v3");
    let key = "5a4d0b0c5a4d0b0c5a4d0b0c5a4d0b0c";
    let os = [
        ("RAX_USERNAME", ""),
        ("RAX_API_KEY", ""),
        ("OS_USERNAME", "sandbox"),
    ];
    for (extra, account) in [
        (vec![("RAX_REGION", "dfw")], "sandbox"),
        (vec![("OS_AUTH_URL", v3.as_str())], "sandbox"),
        (vec![("OS_AUTH_URL", origin.as_str())], "sandbox"),
        (
            [&os[..], &[("OS_PASSWORD", "Sandbox-Passw0rd")]].concat(),
            "sandbox",
        ),
        (
            [
                &os[..],
                &[("OS_API_KEY", key), ("OS_TENANT_NAME", "981977")],
            ]
            .concat(),
            "sandbox@981977",
        ),
        (
            [
                &os[..],
                &[("OS_PASSWORD", key), ("OS_AUTH_SYSTEM", "rackspace")],
            ]
            .concat(),
            "sandbox",
        ),
        (
            [
                &os[..],
                &[
                    ("OS_PASSWORD", "Sandbox-Passw0rd"),
                    ("OS_AUTH_SYSTEM", "rackspace"),
                ],
            ]
            .concat(),
            "sandbox",
        ),
        (
            [
                &os[..],
                &[
                    ("OS_PASSWORD", "Sandbox-Passw0rd"),
                    ("OS_AUTH_URL", v3.as_str()),
                    ("OS_PROJECT_NAME", "981977"),
                ],
            ]
            .concat(),
            "sandbox@981977",
        ),
    ] {
        let provider = connect(&sources(&sandbox, &extra)).await.expect("complete");
        assert_eq!(
            (provider.region(), provider.account().as_str()),
            ("DFW", account),
            "{extra:?}"
        );
        let warnings = provider.preflight(&request(WEB, "exports")).await;
        assert_eq!(warnings, Ok(Vec::new()), "{extra:?}");
    }
}

#[tokio::test]
async fn a_token_works_with_and_without_the_version_in_its_endpoint() {
    let sandbox = sandbox(50).await;
    let (token, origin) = (token(&sandbox).await, origin(&sandbox));
    let with_v2 = format!("{origin}/v2");
    let without_login = [("RAX_USERNAME", ""), ("RAX_API_KEY", "")];
    for pair in [
        [
            ("AUTH_TOKEN", token.as_str()),
            ("API_ENDPOINT", with_v2.as_str()),
        ],
        [
            ("OS_AUTH_TOKEN", token.as_str()),
            ("OS_IMAGE_URL", origin.as_str()),
        ],
    ] {
        let sources = sources(&sandbox, &[&without_login[..], &pair].concat());
        let provider = connect(&sources).await.expect("complete");
        assert_eq!(provider.account(), "token@127.0.0.1");
        // Cloud Files is found in the token's own catalogue, by the owner of the image.
        assert_eq!(
            provider.preflight(&request(DB, "exports")).await,
            Ok(Vec::new())
        );
        assert_eq!(provider.tasks(&TaskFilter::default()).await, Ok(Vec::new()));
    }
    let foreign = [
        &without_login[..],
        &[
            ("AUTH_TOKEN", token.as_str()),
            ("API_ENDPOINT", with_v2.as_str()),
            ("OS_AUTH_URL", ""),
        ],
    ]
    .concat();
    let provider = connect(&sources(&sandbox, &foreign))
        .await
        .expect("complete");
    let warnings = provider
        .preflight(&request(DB, "exports"))
        .await
        .expect("only a doubt");
    assert!(
        warnings[0].contains("OS_AUTH_URL is not set"),
        "the default identity service does not see this token: {warnings:?}"
    );
    let stale = [
        &without_login[..],
        &[("AUTH_TOKEN", "stale"), ("API_ENDPOINT", with_v2.as_str())],
    ]
    .concat();
    let provider = connect(&sources(&sandbox, &stale)).await.expect("complete");
    let error = provider
        .start(&request(DB, "exports"))
        .await
        .expect_err("refused");
    assert_eq!(error.kind, Kind::Credentials);
    assert!(
        error.details.hints[0].contains("get a new one"),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_region_is_the_accounts_own_unless_said_and_must_be_in_the_catalogue() {
    let sandbox = sandbox(50).await;
    let provider = connect(&sources(&sandbox, &[("RAX_REGION", "")]))
        .await
        .expect("logged in");
    assert_eq!(provider.region(), "DFW");
    let lon = Sources {
        region: Some("lon".into()),
        ..sources(&sandbox, &[])
    };
    let provider = connect(&lon).await.expect("not yet asked");
    assert_eq!(provider.region(), "LON");
    let error = provider
        .start(&request(WEB, "exports"))
        .await
        .expect_err("a UK region");
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.details.hints, ["its regions are: DFW"]);
}

#[tokio::test]
async fn a_token_is_kept_between_runs_and_replaced_when_it_is_refused() {
    let sandbox = sandbox(50).await;
    let directory = tempfile::tempdir().expect("a directory");
    let sources = Sources {
        cache_dir: Some(PathBuf::from(directory.path())),
        ..sources(&sandbox, &[])
    };
    let logins = || {
        sandbox
            .with_world(|world| world.rackspace.logins)
            .expect("a count")
    };
    for _ in 0..3 {
        let provider = connect(&sources).await.expect("complete");
        provider.exportable().await.expect("a list");
    }
    assert_eq!(logins(), 1, "one login for three runs");

    let provider = connect(&sources).await.expect("complete");
    sandbox
        .with_world(|world| world.rackspace.revoke_tokens())
        .expect("done");
    let looked = provider
        .look(&[TaskId::from(UNKNOWN)])
        .await
        .expect("an answer");
    assert_eq!(
        looked[0].as_ref().expect_err("unknown").kind,
        Kind::NotFound
    );
    assert_eq!(logins(), 2, "a read logs in again");

    sandbox
        .with_world(|world| world.rackspace.revoke_tokens())
        .expect("done");
    provider
        .start(&request(WEB, "exports"))
        .await
        .expect("a refused token executed nothing");
    assert_eq!(
        (logins(), sandbox.with_world(|world| world.rackspace.starts)),
        (3, Ok(1))
    );
}

#[tokio::test]
async fn the_preview_is_the_request_that_a_start_sends() {
    let sandbox = sandbox(50).await;
    let provider = connected(&sandbox).await;
    let shown = provider.preview(&request(WEB, "exports"));
    assert_eq!(
        shown.url, "https://dfw.images.api.rackspacecloud.com/v2/tasks",
        "before any login"
    );
    provider.exportable().await.expect("a list");
    let shown = provider.preview(&request(WEB, "exports"));
    assert_eq!(
        (shown.method, shown.url),
        ("POST", format!("{}/v2/tasks", origin(&sandbox)))
    );
    assert_eq!(
        shown.body,
        json!({"type": "export", "input": {"image_uuid": WEB, "receiving_swift_container": "exports"}})
    );
}

/// A provider with a token, whose images are where a test says.
async fn with_answers(answers: Vec<Answer>) -> (Canned, Arc<dyn Provider>) {
    let canned = Canned::start(answers);
    let sources = Sources {
        env: [
            ("AUTH_TOKEN", "t0ken".to_owned()),
            ("API_ENDPOINT", canned.url()),
            ("RAX_REGION", "DFW".into()),
            ("OS_OBJECT_STORE_URL", format!("{}/v1/acct", canned.url())),
        ]
        .into_iter()
        .collect(),
        ..Sources::default()
    };
    let provider = connect(&sources).await.expect("complete");
    (canned, provider)
}

#[tokio::test]
async fn after_a_start_only_what_was_surely_not_executed_may_be_tried_again() {
    let over = r#"{"overLimit":{"code":413,"message":"OverLimit Retry...","details":"Error Details...","retryAfter":"2012-11-14T21:51:28UTC"}}"#;
    for (answer, kind) in [
        (Answer::Hangup, Kind::MaybeStarted),
        (Answer::html(500, "<h1>500</h1>"), Kind::MaybeStarted),
        (
            Answer::json(503, r#"{"serviceUnavailable":{"code":503,"message":"x"}}"#),
            Kind::MaybeStarted,
        ),
        (Answer::html(504, "gateway"), Kind::MaybeStarted),
        (Answer::json(201, "{}"), Kind::MaybeStarted),
        (
            Answer::html(201, "<html>welcome</html>"),
            Kind::MaybeStarted,
        ),
        (
            Answer::json(
                400,
                r#"{"message":"Task &#x27;type&#x27; is required<br />"}"#,
            ),
            Kind::Provider,
        ),
        (Answer::html(401, "no"), Kind::Credentials),
        (
            Answer::html(
                403,
                "You are not authorized to complete tasks_api_access action.",
            ),
            Kind::Permission,
        ),
        (Answer::html(405, "no"), Kind::Provider),
        (Answer::json(413, over), Kind::RateLimited),
        (Answer::json(429, "{}"), Kind::RateLimited),
        (Answer::html(415, "no"), Kind::Provider),
    ] {
        let (canned, provider) = with_answers(vec![answer.clone()]).await;
        let error = provider
            .start(&request(WEB, "exports"))
            .await
            .expect_err("refused or lost");
        assert_eq!(error.kind, kind, "{answer:?}: {}", error.one_line());
        if kind == Kind::MaybeStarted {
            assert!(
                error.message.contains(WEB) && !error.details.hints.is_empty(),
                "{error:?}"
            );
        }
        assert_eq!(canned.requests().len(), 1, "{answer:?}: sent once");
    }
    let (canned, provider) = with_answers(vec![Answer::json(
        201,
        r#"{"id":"cc59c7d3-c056-47b2-a9f2-8e1525695bbb"}"#,
    )])
    .await;
    let task = provider
        .start(&request(WEB, "exports"))
        .await
        .expect("an id is enough");
    assert_eq!(
        (task.snapshot.as_deref(), task.state),
        (Some(WEB), State::Running)
    );
    let sent = &canned.requests()[0];
    assert!(sent.starts_with("POST /v2/tasks "), "{sent}");
    let body = sent.split_once("\r\n\r\n").expect("a body").1;
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        body,
        json!({"type": "export", "input": {"image_uuid": WEB, "receiving_swift_container": "exports"}})
    );
}

#[tokio::test]
async fn a_cloud_that_does_not_know_the_type_export_in_lists_is_asked_without() {
    let refused = r#"{"message": "Invalid type value: export<br /><br />\n\n\n", "code": "400 Bad Request", "title": "Bad Request"}"#;
    let listed = r#"{"tasks":[
        {"id":"cc59c7d3-c056-47b2-a9f2-8e1525695bbb","type":"export","status":"processing","created_at":"2026-11-21T02:30:19Z"},
        {"id":"a69d98b4-8443-4c1b-ae2a-ecfa4aca2988","type":"import","status":"success","created_at":"2026-11-21T02:30:18Z"}]}"#;
    let (canned, provider) =
        with_answers(vec![Answer::json(400, refused), Answer::json(200, listed)]).await;
    let tasks = provider
        .tasks(&TaskFilter::default())
        .await
        .expect("a list");
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["cc59c7d3-c056-47b2-a9f2-8e1525695bbb"]);
    let asked = canned.requests();
    assert!(
        asked[0].contains("type=export") && !asked[1].contains("type="),
        "{asked:?}"
    );
}

#[tokio::test]
async fn lists_that_lead_elsewhere_or_in_circles_are_refused() {
    let page = |next: &str| {
        Answer::json(
            200,
            &json!({"tasks": [{"id": UNKNOWN, "status": "pending"}], "next": next}).to_string(),
        )
    };
    let elsewhere = "http://127.0.0.2:1/v2/tasks?marker=x";
    for (next, word) in [
        ("/v2/tasks?marker=x", "do not end"),
        (elsewhere, "another host"),
    ] {
        let (canned, provider) = with_answers(vec![page(next)]).await;
        let error = provider
            .tasks(&TaskFilter::default())
            .await
            .expect_err("refused");
        assert_eq!(error.kind, Kind::Provider);
        assert!(error.message.contains(word), "{error}");
        assert!(canned.requests().len() <= 2, "{next}");
    }
    let last = Answer::json(200, r#"{"tasks": [], "next": "/v2/tasks?marker=y"}"#);
    let (_canned, provider) = with_answers(vec![page("/v2/tasks?marker=x"), last]).await;
    assert_eq!(
        provider
            .tasks(&TaskFilter::default())
            .await
            .expect("an empty last page")
            .len(),
        1
    );
}

#[tokio::test]
async fn a_look_survives_what_is_no_task_and_one_wall_is_one_error() {
    let ids = [TaskId::from(UNKNOWN), TaskId::from(WEB)];
    let import = format!(r#"{{"id":"{UNKNOWN}","type":"import","status":"success"}}"#);
    for (answer, kind) in [
        (Answer::html(200, "<html>Log in</html>"), Kind::Provider),
        (Answer::json(200, r#"{"ok": true}"#), Kind::Provider),
        (Answer::json(200, "[]"), Kind::Provider),
        (Answer::json(200, &import), Kind::NotFound),
    ] {
        let (_canned, provider) = with_answers(vec![answer.clone()]).await;
        let slots = provider.look(&ids).await.expect("answers");
        let kinds: Vec<Kind> = slots
            .into_iter()
            .map(|slot| slot.expect_err("no task").kind)
            .collect();
        assert_eq!(kinds, [kind, kind], "{answer:?}");
    }
    for (answer, kind) in [
        (Answer::html(401, "x"), Kind::Credentials),
        (Answer::html(403, "x"), Kind::Permission),
        (Answer::Hangup, Kind::Network),
        (Answer::html(503, "x"), Kind::Unavailable),
    ] {
        let (_canned, provider) = with_answers(vec![answer.clone()]).await;
        let error = provider.look(&ids).await.expect_err("the same for all");
        assert_eq!(error.kind, kind, "{answer:?}");
        assert!(!format!("{error:?}").contains("t0ken"));
    }
}

#[tokio::test]
async fn a_storage_that_refuses_the_look_is_a_doubt_not_a_refusal() {
    let image =
        json!({"id": WEB, "status": "active", "com.rackspace__1__options": "1"}).to_string();
    let (_canned, provider) = with_answers(vec![
        Answer::json(200, &image),
        Answer::html(403, "<h1>Forbidden</h1>"),
    ])
    .await;
    let warnings = provider
        .preflight(&request(WEB, "exports"))
        .await
        .expect("only doubts");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("licensing") && warnings[1].contains("could not be checked"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_lost_object_is_not_found() {
    let (_canned, provider) = with_answers(vec![Answer::html(404, "")]).await;
    let mut task = Task::unseen(rackspace::ID, "DFW", TaskId::from(UNKNOWN));
    task.snapshot = Some(WEB.into());
    task.target = Some(request(WEB, "exports").target);
    let error = provider.locate(&task).await.expect_err("gone");
    assert_eq!(error.kind, Kind::NotFound);
    assert!(error.message.contains(&format!("{WEB}.vhd")), "{error}");
}

/// The sandbox's own strictness, held against the recorded answers of Glance, Keystone and Swift.
#[tokio::test]
async fn the_sandbox_refuses_as_the_recorded_services_do() {
    let sandbox = sandbox(50).await;
    let (origin, token) = (origin(&sandbox), token(&sandbox).await);
    let tasks = format!("{origin}/v2/tasks");
    let export = r#"{"type":"export","input":{}}"#;
    let show = format!("{tasks}/{UNKNOWN}");
    let list = |query: &str| format!("{tasks}?{query}");
    for (method, url, body, status, words) in [
        (
            Method::POST,
            tasks.clone(),
            "",
            400,
            "Body expected in request.",
        ),
        (
            Method::POST,
            tasks.clone(),
            "{\"type\":",
            400,
            "Malformed JSON in request body.",
        ),
        (
            Method::POST,
            tasks.clone(),
            r#"{"input":{}}"#,
            400,
            "Task &#x27;type&#x27; is required",
        ),
        (
            Method::POST,
            tasks.clone(),
            r#"{"type":"export"}"#,
            400,
            "Task &#x27;input&#x27; is required",
        ),
        (
            Method::POST,
            tasks.clone(),
            r#"{"type":"clone","input":{}}"#,
            400,
            "is not one of",
        ),
        (
            Method::POST,
            tasks.clone(),
            r#"{"type":"export","input":{},"nonsense":1}"#,
            400,
            "Additional properties are not allowed",
        ),
        (
            Method::POST,
            tasks.clone(),
            r#"{"type":"export","input":null}"#,
            500,
            "The server has either erred",
        ),
        (Method::POST, tasks.clone(), export, 201, "\"pending\""),
        (Method::GET, show.clone(), "", 404, "Could not find task"),
        (Method::DELETE, show, "", 405, "auto deleted"),
        (
            Method::PUT,
            tasks.clone(),
            "{}",
            405,
            "not allowed for this resource",
        ),
        (
            Method::GET,
            list("marker=xyz"),
            "",
            400,
            "Invalid marker format",
        ),
        (
            Method::GET,
            list(&format!("marker={UNKNOWN}")),
            "",
            400,
            "was not found",
        ),
        (
            Method::GET,
            list("status=done"),
            "",
            400,
            "Invalid status value: done",
        ),
        (
            Method::GET,
            list("sort_dir=up"),
            "",
            400,
            "Invalid sort direction: up",
        ),
        (
            Method::GET,
            list("sort_key=nope"),
            "",
            400,
            "Sort key supplied was not valid.",
        ),
        (
            Method::GET,
            list("limit=-1"),
            "",
            400,
            "limit param must be positive",
        ),
        (
            Method::GET,
            list("limit=200"),
            "",
            200,
            "\"first\":\"/v2/tasks?limit=200\"",
        ),
        (
            Method::GET,
            format!("{origin}/v2/nope"),
            "",
            404,
            "The resource could not be found.",
        ),
        (
            Method::GET,
            format!("{origin}/v2/schemas/task"),
            "",
            200,
            "\"export\"",
        ),
        (
            Method::GET,
            format!("{origin}/v1/MossoCloudFS_other/exports"),
            "",
            403,
            "Access was denied",
        ),
        (
            Method::POST,
            format!("{origin}/v2.0/tokens"),
            "{}",
            400,
            "unable to parse Auth data",
        ),
        (
            Method::POST,
            format!("{origin}/v3/auth/tokens"),
            r#"{"auth":{}}"#,
            401,
            "The request you have made requires authentication.",
        ),
    ] {
        let headers = [("x-auth-token", token.as_str()), ("accept", "*/*")];
        let reply = send(method.clone(), &url, &headers, body).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, status, "{method} {url} {body}: {text}");
        assert!(text.contains(words), "{method} {url} {body}: {text}");
    }
    for (accept, content_type) in [
        ("application/json", "application/json"),
        ("*/*", "text/html; charset=UTF-8"),
    ] {
        let reply = send(
            Method::GET,
            &tasks,
            &[("x-auth-token", "bogus"), ("accept", accept)],
            "",
        )
        .await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (401, Some(content_type))
        );
        assert!(
            reply
                .header("www-authenticate")
                .is_some_and(|text| text.starts_with("Keystone uri="))
        );
    }
    let container = format!("{origin}/v1/MossoCloudFS_9c24e3db-52bf-4f26-8dc1-220871796e9f/fresh");
    let headers = [("x-auth-token", token.as_str())];
    for status in [201, 202] {
        assert_eq!(
            send(Method::PUT, &container, &headers, "").await.status,
            status
        );
    }
    assert_eq!(
        send(Method::HEAD, &container, &headers, "").await.status,
        204
    );
    assert_eq!(
        send(Method::GET, &container, &headers, "").await.status,
        204,
        "an empty text listing"
    );
}
