//! What clients that nobody here wrote rely on in the sandbox, each learned from one that stumbled.
//! `tests/real-clients/run` holds the sandbox against the clients themselves.

use reqwest::Method;
use serde_json::Value;
use snapexport_sandbox::{Options, Sandbox};

use crate::rackspace::{origin, send, token};

const ACCOUNT: &str = "MossoCloudFS_9c24e3db-52bf-4f26-8dc1-220871796e9f";

/// The JSON and the status of `GET` on this path, with a good token.
async fn get(sandbox: &Sandbox, path: &str) -> (u16, Value) {
    let (url, token) = (format!("{}{path}", origin(sandbox)), token(sandbox).await);
    let reply = send(Method::GET, &url, &[("x-auth-token", &token)], "").await;
    (
        reply.status,
        serde_json::from_slice(&reply.body).unwrap_or_default(),
    )
}

/// `swift list` asks on behind the last name until it gets an empty page: without that it never ends.
#[tokio::test]
async fn a_list_of_containers_ends_behind_the_last_marker() {
    let sandbox = Sandbox::start(Options::default()).await.expect("started");
    for (query, names) in [
        ("format=json", vec!["demo", "exports"]),
        ("format=json&limit=1", vec!["demo"]),
        ("format=json&prefix=e", vec!["exports"]),
        ("format=json&marker=demo", vec!["exports"]),
        ("format=json&marker=exports", vec![]),
    ] {
        let (status, page) = get(&sandbox, &format!("/v1/{ACCOUNT}?{query}")).await;
        let items = page.as_array().expect("a list");
        let found: Vec<_> = items.iter().map(|item| item["name"].as_str()).collect();
        let expected: Vec<_> = names.into_iter().map(Some).collect();
        assert_eq!((status, found), (200, expected), "{query}");
    }
    let too_long = get(&sandbox, &format!("/v1/{ACCOUNT}?limit=10001")).await;
    assert_eq!(too_long.0, 412);
}

#[tokio::test]
async fn a_container_is_listed_by_delimiter() {
    let sandbox = Sandbox::start(Options::default()).await.expect("started");
    let token = token(&sandbox).await;
    let container = format!("/v1/{ACCOUNT}/demo");
    for object in ["a/1", "a/2", "b"] {
        let url = format!("{}{container}/{object}", origin(&sandbox));
        let reply = send(Method::PUT, &url, &[("x-auth-token", &token)], "x").await;
        assert_eq!(reply.status, 201);
    }
    let (_, page) = get(&sandbox, &format!("{container}?format=json&delimiter=/")).await;
    assert_eq!(page[0]["subdir"], "a/");
    assert_eq!(page[1]["name"], "b");
    assert_eq!(page.as_array().map(Vec::len), Some(2));
    let next = get(
        &sandbox,
        &format!("{container}?format=json&delimiter=/&marker=a/"),
    )
    .await;
    assert_eq!(next.1[0]["name"], "b");
}

/// The glance client keeps the schema and makes an option of each property that can be written. `--file` is its own
/// option: a `file` that is not read-only breaks every later call of it, until its cache is removed.
#[tokio::test]
async fn the_image_schema_says_what_cannot_be_written() {
    let sandbox = Sandbox::start(Options::default()).await.expect("started");
    let (_, schema) = get(&sandbox, "/v2/schemas/image").await;
    for name in [
        "file",
        "self",
        "schema",
        "status",
        "size",
        "checksum",
        "created_at",
    ] {
        assert_eq!(schema["properties"][name]["readOnly"], true, "{name}");
    }
    for name in ["id", "name", "tags", "min_disk", "disk_format"] {
        assert!(schema["properties"][name].is_object(), "{name}");
        assert_eq!(
            schema["properties"][name]["readOnly"],
            Value::Null,
            "{name}"
        );
    }
}
