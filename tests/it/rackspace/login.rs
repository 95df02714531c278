//! Rackspace: logging in, tokens and regions.

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
