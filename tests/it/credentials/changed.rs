//! Credentials that are changed where they come from while a wait goes on.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::canned::{Answer, Canned};
use crate::program::User;

const UUID: &str = "7bdc8ede-9098-4d79-9477-697f586cbd81";

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// A cloud that knows two keys: at the third look the old one is revoked, and the user writes the new one.
///
/// `answer` gives the reply to a request by whether its key or token is the new one; `None` asks for the refusal.
fn cloud(
    is_look: fn(&str) -> bool,
    user_writes: impl Fn() + Send + 'static,
    answer: impl Fn(&str, bool) -> Option<Answer> + Send + 'static,
    refusal: Answer,
) -> Canned {
    let looks = AtomicU32::new(0);
    let user_writes = Mutex::new(Some(user_writes));
    Canned::by(move |request| {
        if is_look(request) && looks.fetch_add(1, Ordering::Relaxed) == 2 {
            let rewrite = user_writes.lock().expect("not poisoned").take();
            rewrite.expect("once")();
        }
        let is_revoked = user_writes.lock().expect("not poisoned").is_none();
        answer(request, is_revoked).unwrap_or_else(|| refusal.clone())
    })
}

/// Waits; the export fails in the end, which only those with the new key are told.
#[track_caller]
fn is_seen_to_its_end(user: &User, task: &str) {
    let ran = user.run(&["wait", task, "--interval", "50ms", "--timeout", "40s", "-v"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(
        ran.stderr.contains("other credentials are there now"),
        "{}",
        ran.all()
    );
}

#[test]
fn a_new_key_in_the_osc_file_is_picked_up_during_a_wait() {
    let user = User::new();
    let path = user.home.path().join(".osc/config.json");
    let text =
        |key: &str| format!(r#"{{"default":{{"access_key":"{key}","secret_key":"s-{key}"}}}}"#);
    write(&path, &text("AKOLD"));
    let task = |state: &str| {
        Answer::json(
            200,
            &format!(
                r#"{{"SnapshotExportTasks":[{{"TaskId":"snap-export-12345678","State":"{state}","SnapshotId":"snap-12345678","Progress":3}}]}}"#
            ),
        )
    };
    let cloud = cloud(
        |request| request.contains("ReadSnapshotExportTasks"),
        move || write(&path, &text("AKNEW")),
        move |request, is_revoked| match request.contains("Credential=AKNEW") {
            true => Some(task("failed")),
            false => (!is_revoked).then(|| task("active")),
        },
        Answer::json(
            401,
            r#"{"Errors":[{"Type":"AccessDenied","Code":"1","Details":""}]}"#,
        ),
    );
    let user = user
        .with("OSC_ENDPOINT_API", &cloud.url())
        .with("OSC_ENDPOINT_OOS", &cloud.url());
    is_seen_to_its_end(&user, "snap-export-12345678");
}

#[test]
fn a_new_key_in_the_aws_file_is_picked_up_during_a_wait() {
    let user = User::new();
    let path = user.home.path().join(".aws/credentials");
    let text = |key: &str| {
        format!(
            "[default]\nregion = eu-west-3\naws_access_key_id = {key}\naws_secret_access_key = s\n"
        )
    };
    write(&path, &text("AKOLD"));
    let operation = |rest: &str| {
        Answer::json(
            200,
            &format!(
                r#"{{"operation":{{"id":"{UUID}","resourceName":"s","resourceType":"InstanceSnapshot","operationType":"ExportSnapshot","createdAt":1790000000,{rest}}}}}"#
            ),
        )
    };
    let cloud = cloud(
        |request| request.contains("GetOperation\r"),
        move || write(&path, &text("AKNEW")),
        move |request, is_revoked| {
            let is_new = request.contains("Credential=AKNEW");
            if is_revoked && !is_new {
                return None;
            }
            if !request.contains("GetOperation\r") {
                return Some(Answer::json(200, "{}"));
            }
            Some(operation(match is_new {
                true => r#""status":"Failed","isTerminal":true,"errorCode":"E","errorDetails":"d""#,
                false => r#""status":"Started","isTerminal":false"#,
            }))
        },
        Answer::json(
            400,
            r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
        ),
    );
    let user = user.with("AWS_ENDPOINT_URL_LIGHTSAIL", &cloud.url());
    is_seen_to_its_end(&user, &format!("lightsail/{UUID}"));
}

#[test]
fn a_new_key_in_rackspaces_file_is_picked_up_during_a_wait() {
    let user = User::new();
    let path = user.home.path().join(".rackspace_cloud_credentials");
    let text = |key: &str| format!("[rackspace_cloud]\nusername = u\napi_key = {key}\n");
    write(&path, &text("old-api-key"));
    let port = std::sync::Arc::new(Mutex::new(String::new()));
    let images = port.clone();
    let cloud = cloud(
        |request| request.starts_with("GET /v2/tasks/"),
        move || write(&path, &text("new-api-key")),
        move |request, is_revoked| {
            let is_new = request.contains("new-api-key") || request.contains("x-auth-token: new");
            if is_revoked && !is_new {
                return None;
            }
            let word = if is_new { "new" } else { "old" };
            if request.starts_with("POST") {
                let url = images.lock().expect("not poisoned").clone();
                return Some(Answer::json(
                    200,
                    &format!(
                        r#"{{"access":{{"token":{{"id":"{word}-token","expires":"2040-01-01T00:00:00Z"}},"user":{{"RAX-AUTH:defaultRegion":"DFW"}},"serviceCatalog":[{{"type":"image","name":"cloudImages","endpoints":[{{"region":"DFW","publicURL":"{url}/v2"}}]}}]}}}}"#
                    ),
                ));
            }
            let status = if is_new { "failure" } else { "processing" };
            Some(Answer::json(
                200,
                &format!(
                    r#"{{"id":"{UUID}","type":"export","status":"{status}","message":"m","created_at":"2026-11-21T02:30:19Z","input":{{"image_uuid":"{UUID}","receiving_swift_container":"c"}}}}"#
                ),
            ))
        },
        Answer::json(
            401,
            r#"{"unauthorized":{"code":401,"message":"Unable to authenticate user with credentials provided."}}"#,
        ),
    );
    *port.lock().expect("not poisoned") = cloud.url();
    let user = user.with("OS_AUTH_URL", &format!("{}/v2.0", cloud.url()));
    is_seen_to_its_end(&user, &format!("rackspace/{UUID}"));
}
