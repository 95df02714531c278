//! Rackspace: logging in, tokens and regions.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapexport::error::Kind;
use snapexport::provider::TaskFilter;
use snapexport::settings::{Origin, Sources};
use snapexport::task::TaskId;

use super::{DB, UNKNOWN, WEB, connect, connected, look, origin, request, sandbox, sources, token};
use crate::canned::{Answer, Canned};
use crate::single::checked;

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
        let warnings = checked(&*provider, &request(WEB, "exports")).await;
        assert_eq!(warnings, Ok(Vec::new()), "{extra:?}");
    }
}

#[tokio::test]
async fn a_token_is_its_tenants_so_that_none_settles_the_starts_of_another() {
    for (variables, account) in [
        (&[("TENANT_ID", "one")][..], "one@images.example"),
        (&[("TENANT_ID", "two")], "two@images.example"),
        (
            &[("API_ENDPOINT", "https://images.example/v2/981977")],
            "981977@images.example",
        ),
        (
            &[(
                "OS_OBJECT_STORE_URL",
                "https://files.example/v1/MossoCloudFS_1",
            )],
            "MossoCloudFS_1@images.example",
        ),
        (&[], "token@images.example"),
    ] {
        let token = [
            ("AUTH_TOKEN", "t0ken"),
            ("API_ENDPOINT", "https://images.example/v2"),
        ];
        let sources = Sources {
            env: token.iter().chain(variables).copied().collect(),
            ..Sources::default()
        };
        let provider = connect(&sources).await.expect("complete");
        assert_eq!(provider.account(), account, "{variables:?}");
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
            checked(&*provider, &request(DB, "exports")).await,
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
    let warnings = checked(&*provider, &request(DB, "exports"))
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
        error.details.hints[0].to_string().contains("get a new one"),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_region_is_the_accounts_own_unless_said_and_must_be_in_the_catalogue() {
    let sandbox = sandbox(50).await;
    let provider = connect(&sources(&sandbox, &[("RAX_REGION", "")]))
        .await
        .expect("not yet asked");
    assert_eq!(provider.region(), "", "nothing has told it yet");
    let shown = provider.preview(&request(WEB, "exports"));
    assert!(shown.url.contains("//REGION."), "{}", shown.url);
    let started = provider
        .start(&request(WEB, "exports"))
        .await
        .expect("started");
    assert_eq!((started.region.as_str(), provider.region()), ("DFW", "DFW"));
    assert_eq!(look(&*provider, &started.id).await.region, "DFW");
    let lon = Sources {
        region: Some(("lon".into(), Origin::Flag("--region"))),
        ..sources(&sandbox, &[])
    };
    let provider = connect(&lon).await.expect("not yet asked");
    assert_eq!(provider.region(), "LON");
    let error = provider
        .start(&request(WEB, "exports"))
        .await
        .expect_err("a UK region");
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.details.hints, ["its regions are: DFW".into()]);
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
    let passing = provider.start(&request(WEB, "exports")).await;
    let passing =
        passing.expect_err("whoever sends looks first whether the start is still its own");
    assert!(passing.kind.is_transient() && !passing.details.maybe_executed);
    provider
        .start(&request(WEB, "exports"))
        .await
        .expect("with the new token");
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

/// A login at a server that answers as a test says; images and files are there too.
fn at(canned: &Canned, cache: Option<&Path>) -> Sources {
    Sources {
        env: [
            ("RAX_USERNAME", "ops".to_owned()),
            ("RAX_API_KEY", "k3y-of-ops".into()),
            ("OS_AUTH_URL", canned.url()),
            ("OS_IMAGE_URL", canned.url()),
            ("OS_OBJECT_STORE_URL", format!("{}/v1/acct", canned.url())),
        ]
        .into_iter()
        .collect(),
        cache_dir: cache.map(PathBuf::from),
        ..Sources::default()
    }
}

fn granted(expires: &str, date: Option<Timestamp>) -> Answer {
    let body = json!({"access": {
        "token": {"id": "t0ken-of-ops", "expires": expires},
        "serviceCatalog": [],
        "user": {"RAX-AUTH:defaultRegion": "DFW"},
    }});
    let date = date.map(|at| ("date", at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    Answer::Reply(200, date.into_iter().collect(), body.to_string())
}

fn logins(canned: &Canned) -> usize {
    let requests = canned.requests();
    let is_login = |request: &&String| request.starts_with("POST /v2.0/tokens ");
    requests.iter().filter(is_login).count()
}

#[tokio::test]
async fn one_login_is_enough_whatever_the_servers_clock_or_the_tokens_end_say() {
    let behind = Timestamp::now() - SignedDuration::from_hours(72);
    let ahead = Timestamp::now() + SignedDuration::from_hours(72);
    let day = SignedDuration::from_hours(24);
    let shown = json!({"id": UNKNOWN, "type": "export", "status": "processing"}).to_string();
    for (expires, date, is_kept) in [
        ((behind + day).to_string(), Some(behind), true),
        ((ahead + day).to_string(), Some(ahead), true),
        // By our clock it has ended: it was granted this moment all the same.
        ((behind + day).to_string(), None, false),
        (Timestamp::now().to_string(), None, false),
        ("-009999-01-02T01:59:59Z".into(), None, false),
        ("9999-12-30T22:00:00Z".into(), Some(behind), false),
        ("soon".into(), None, false),
    ] {
        let answers = vec![granted(&expires, date), Answer::json(200, &shown)];
        let canned = Canned::start(answers);
        let directory = tempfile::tempdir().expect("a directory");
        let sources = at(&canned, Some(directory.path()));
        let provider = connect(&sources).await.expect("complete");
        for _ in 0..2 {
            let ids = [TaskId::from(UNKNOWN), TaskId::from(UNKNOWN)];
            let slots = provider.look(&ids).await.expect("answers");
            assert!(slots.iter().all(Result::is_ok), "{expires}: {slots:?}");
        }
        assert_eq!(logins(&canned), 1, "{expires} at {date:?}");
        let kept = std::fs::read_dir(directory.path()).expect("a list").count();
        assert_eq!(kept > 0, is_kept, "{expires} at {date:?}");
        let again = connect(&sources).await.expect("complete");
        let region = if is_kept { "DFW" } else { "" };
        assert_eq!(again.region(), region, "a kept token tells it");
    }
}

#[tokio::test]
async fn an_identity_service_that_is_down_is_a_failed_look_not_a_failed_connection() {
    let over = r#"{"overLimit":{"code":413,"message":"OverLimit Retry...","retryAfter":"soon"}}"#;
    let down = r#"{"serviceUnavailable":{"code":503,"message":"k3y-of-ops is fine, we are not"}}"#;
    for (answer, kind, code) in [
        (
            Answer::json(503, down),
            Kind::Unavailable,
            Some("serviceUnavailable"),
        ),
        (Answer::html(503, "<h1>Later</h1>"), Kind::Unavailable, None),
        (
            Answer::json(413, over),
            Kind::RateLimited,
            Some("overLimit"),
        ),
    ] {
        let canned = Canned::start(vec![answer.clone()]);
        let provider = connect(&at(&canned, None)).await.expect("nothing was sent");
        assert_eq!((canned.requests().len(), provider.region()), (0, ""));
        let ids = [TaskId::from(UNKNOWN)];
        let error = provider.look(&ids).await.expect_err("no login");
        assert_eq!(error.kind, kind, "{answer:?}");
        assert_eq!(error.message, "The login of 'ops' could not be done now");
        assert_eq!(error.details.code.as_deref(), code);
        assert!(!format!("{error:?}").contains("k3y-of-ops"), "{error:?}");
        let start = provider.start(&request(WEB, "exports")).await;
        assert_eq!(start.expect_err("no login").kind, kind, "surely not sent");
    }
}

#[tokio::test]
async fn a_refused_login_echoes_no_key_and_a_strangers_page_refuses_nothing() {
    let echo = r#"{"unauthorized":{"code":401,"message":"no user ops with apiKey k3y-of-ops"}}"#;
    let disabled = r#"{"userDisabled":{"code":403,"message":"User 'ops' is disabled"}}"#;
    for (answer, kind) in [
        (Answer::json(401, echo), Kind::Credentials),
        (Answer::json(403, disabled), Kind::Credentials),
        (
            Answer::html(403, "<h1>Blocked: k3y-of-ops</h1>"),
            Kind::Provider,
        ),
        (Answer::html(404, "<h1>404</h1>"), Kind::Provider),
    ] {
        let canned = Canned::start(vec![answer.clone()]);
        let provider = connect(&at(&canned, None)).await.expect("complete");
        let ids = [TaskId::from(UNKNOWN)];
        let error = provider.look(&ids).await.expect_err("refused");
        assert_eq!(error.kind, kind, "{answer:?}");
        assert_eq!(error.details.hints.len(), 1, "{error:?}");
        assert!(!format!("{error:?}").contains("k3y-of-ops"), "{error:?}");
    }
}
