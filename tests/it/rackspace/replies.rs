//! Rackspace: replies that no sandbox gives.

use std::sync::Arc;

use serde_json::{Value, json};
use snapexport::error::Kind;
use snapexport::provider::{Provider, TaskFilter, rackspace};
use snapexport::settings::Sources;
use snapexport::task::{State, Task, TaskId};

use super::{UNKNOWN, WEB, connect, request};
use crate::canned::{Answer, Canned};
use crate::single::{checked, located};

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
            Answer::json(
                403,
                r#"{"message":"You are not authorized to complete tasks_api_access action."}"#,
            ),
            Kind::Permission,
        ),
        (Answer::html(403, "<h1>Blocked</h1>"), Kind::Provider),
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
            // The caller says that the outcome is not known, and what to do.
            assert!(error.message.contains(WEB), "{error}");
            let said = error.one_line();
            assert!(
                !said.contains("known") && !said.contains("refused"),
                "{said}"
            );
            assert!(error.details.hints.is_empty(), "{error:?}");
        }
        let sent = canned.requests();
        let starts = sent.iter().filter(|request| request.starts_with("POST"));
        assert_eq!(starts.count(), 1, "{answer:?}: sent once");
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
}

#[tokio::test]
async fn a_list_goes_on_past_an_empty_page_and_begins_anew_where_its_marker_is_gone() {
    let page = |id: &str, next: Option<&str>| {
        let tasks = match id {
            "" => json!([]),
            id => json!([{"id": id, "type": "export", "status": "pending"}]),
        };
        Answer::json(200, &json!({"tasks": tasks, "next": next}).to_string())
    };
    let one = "11111111-0000-4000-8000-000000000000";
    let more = Some("/v2/tasks?marker=x");
    let gone = |status| Answer::json(status, r#"{"code": 404, "message": "no such marker"}"#);
    let listed = async |answers| {
        let (canned, provider) = with_answers(answers).await;
        let listed = provider.tasks(&TaskFilter::default()).await;
        (listed.map(|tasks| tasks.len()), canned.requests().len())
    };
    let empty = page("", Some("/v2/tasks?marker=y"));
    let pages = vec![page(UNKNOWN, more), empty, page(one, None)];
    assert_eq!(listed(pages).await, (Ok(2), 3));
    for status in [400, 404] {
        let pages = vec![page(UNKNOWN, more), gone(status), page(one, None)];
        assert_eq!(listed(pages).await, (Ok(1), 3), "{status}");
        // Twice is no accident.
        let pages = vec![
            page(UNKNOWN, more),
            gone(status),
            page(UNKNOWN, more),
            gone(status),
        ];
        let (refused, requests) = listed(pages).await;
        assert!(refused.is_err() && requests == 4, "{status}: {requests}");
    }
}

#[tokio::test]
async fn a_look_survives_what_is_no_task_and_one_wall_is_one_error() {
    let ids = [TaskId::from(UNKNOWN), TaskId::from(UNKNOWN)];
    let import = format!(r#"{{"id":"{UNKNOWN}","type":"import","status":"success"}}"#);
    for (answer, kind) in [
        (Answer::html(200, "<html>Log in</html>"), Kind::Provider),
        (Answer::json(200, r#"{"ok": true}"#), Kind::Provider),
        (Answer::json(200, "[]"), Kind::Provider),
        (Answer::html(404, "<h1>404 Not Found</h1>"), Kind::Provider),
        (Answer::html(404, ""), Kind::Provider),
        (Answer::html(403, "<h1>Blocked</h1>"), Kind::Provider),
        (
            Answer::json(
                404,
                r#"{"message":"Could not find task","code":"404 Not Found"}"#,
            ),
            Kind::NotFound,
        ),
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
        (Answer::json(403, r#"{"message":"x"}"#), Kind::Permission),
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
    let warnings = checked(&*provider, &request(WEB, "exports"))
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
    let error = located(&*provider, &task).await.expect_err("gone");
    assert_eq!(error.kind, Kind::NotFound);
    assert!(error.message.contains(&format!("{WEB}.vhd")), "{error}");
}

#[tokio::test]
async fn a_task_that_was_not_asked_for_is_no_answer() {
    let other = json!({"id": WEB, "type": "export", "status": "success"}).to_string();
    let (_canned, provider) = with_answers(vec![Answer::json(200, &other)]).await;
    let slots = provider.look(&[TaskId::from(UNKNOWN)]).await;
    let error = slots.expect("an answer").remove(0).expect_err("another");
    assert_eq!(error.kind, Kind::Provider);
    let is_named = |id| error.message.contains(id);
    assert!(is_named(UNKNOWN) && is_named(WEB), "{error}");
    let upper = TaskId::from(WEB.to_uppercase().as_str());
    let slots = provider.look(&[upper]).await.expect("an answer");
    assert_eq!(slots[0].as_ref().map(|task| task.id.as_str()), Ok(WEB));
}

#[tokio::test]
async fn a_server_that_echoes_the_request_does_not_make_us_print_the_token() {
    let echo = r#"{"headers":{"x-auth-token":"t0ken"},"said":"X-Auth-Token: t0ken"}"#;
    let told = r#"{"message":"the token t0ken may not"}"#;
    for answer in [
        Answer::json(200, echo),
        Answer::json(200, &format!("{}t0ken", "x".repeat(196))),
        Answer::json(201, echo),
        Answer::json(400, told),
        Answer::json(403, told),
        Answer::json(404, told),
        Answer::html(200, "<p>X-Auth-Token: t0ken</p>"),
        Answer::html(404, "<p>X-Auth-Token: t0ken</p>"),
        Answer::html(500, "<p>X-Auth-Token: t0ken</p>"),
        Answer::Reply(
            302,
            vec![("location", "/login?t0ken".into())],
            String::new(),
        ),
    ] {
        let (_canned, provider) = with_answers(vec![answer.clone()]).await;
        let mut errors = vec![
            provider.start(&request(WEB, "exports")).await.err(),
            provider.tasks(&TaskFilter::default()).await.err(),
        ];
        match provider.look(&[TaskId::from(UNKNOWN)]).await {
            Ok(slots) => errors.extend(slots.into_iter().map(Result::err)),
            Err(error) => errors.push(Some(error)),
        }
        for error in errors {
            let error = error.expect("none of these is an answer");
            assert!(
                !format!("{error:?}").contains("t0k"),
                "{answer:?}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn only_tasks_under_way_or_since_a_time_are_asked_for_their_image() {
    let item = |status: &str, at: &str| json!({"id": UNKNOWN, "type": "export", "status": status, "created_at": at});
    let (old, new) = ("2026-11-20T02:00:00Z", "2026-11-21T02:00:00Z");
    let list = |items: Vec<Value>| Answer::json(200, &json!({"tasks": items}).to_string());
    let ended: Vec<Value> = (0..150).map(|_| item("success", old)).collect();
    let shown = |image: &str| {
        let input = json!({"image_uuid": image, "receiving_swift_container": "exports"});
        let task = json!({"id": UNKNOWN, "type": "export", "status": "success", "input": input});
        Answer::json(200, &task.to_string())
    };
    let under_way = [vec![item("processing", new)], ended.clone()].concat();
    let just_ended = [vec![item("failure", new)], ended].concat();
    let since = Some("2026-11-21T01:00:00Z".parse().expect("a time"));
    let page = Answer::html(200, "<html>Log in</html>");
    for (listed, since, answer, requests, found) in [
        (&under_way, None, shown(WEB), 2, Ok(1)),
        (&under_way, None, shown(UNKNOWN), 2, Ok(0)),
        (&under_way, None, page.clone(), 2, Err(Kind::Provider)),
        (&just_ended, None, shown(WEB), 1, Ok(0)),
        (&just_ended, since, shown(WEB), 2, Ok(1)),
        (&just_ended, since, page, 2, Ok(0)),
        // Whoever cannot be reached may have what is looked for.
        (
            &just_ended,
            since,
            Answer::html(401, "no"),
            2,
            Err(Kind::Credentials),
        ),
    ] {
        let (canned, provider) = with_answers(vec![list(listed.clone()), answer.clone()]).await;
        let filter = TaskFilter {
            snapshots: vec![WEB.to_owned()],
            with_completed: false,
            since,
        };
        let tasks = provider.tasks(&filter).await;
        let count = tasks.map(|tasks| tasks.len()).map_err(|error| error.kind);
        assert_eq!(count, found, "{since:?} {answer:?}");
        assert_eq!(canned.requests().len(), requests, "{since:?} {answer:?}");
    }
}
