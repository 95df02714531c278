//! Rackspace: the sandbox against the recorded services.

use reqwest::Method;

use super::{UNKNOWN, origin, sandbox, send, token};

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
