//! Rackspace: replies that no sandbox gives.

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
