//! Signatures, against known ones.

use super::*;
use crate::error::Kind;
use crate::secret::Url;
use reqwest::Method;
use std::time::Duration;

/// 2026-01-15T12:34:56Z.
const AT: Duration = Duration::from_secs(1_768_480_496);

fn keys() -> Keys {
    Keys {
        id: "AKIDEXAMPLE0000000AK".into(),
        secret: Secret::new("SKEXAMPLE00000000000000000000000000000SK"),
    }
}

fn signed(url: &str, body: &str, content_type: Option<&str>, service: &str) -> Request {
    let url = Url::parse(url).expect("a URL");
    let mut request = Request::new("Call", Method::POST, url).body(body);
    if let Some(value) = content_type {
        request = request.header("content-type", value).expect("a header");
    }
    sign(
        request,
        &keys(),
        "eu-west-2",
        service,
        SystemTime::UNIX_EPOCH + AT,
    )
    .expect("signs")
}

/// Inputs and signatures of official clients (Rust `outscale_api`, Go SDK).
#[test]
fn signatures_match_those_of_official_clients() {
    let call = "https://api.eu-west-2.outscale.com/api/v1/ReadSnapshotExportTasks";
    let local = "http://127.0.0.1:18970/api/v1/ReadSnapshotExportTasks";
    let body = "{\"Filters\": {\"TaskIds\": [\"snap-export-12345678\"]}}";
    for (url, body, content_type, service, headers, signature) in [
        (
            call,
            body,
            Some("application/json"),
            "api",
            "content-type;host;x-amz-date",
            "e9d463833a0cba025dd2b780f53889c92c52d2850abec3dfe18fd29436eeb140",
        ),
        (
            call,
            body,
            None,
            "api",
            "host;x-amz-date",
            "6a5d956cda2376515a288c799f3e79909c4939c736877b26a75b0dac1e2497d6",
        ),
        (
            call,
            body,
            None,
            "oapi",
            "host;x-amz-date",
            "dacd62591b9043a3f69f6a799789f8e9f5a7a718bcb41419420a397c301244ed",
        ),
        (
            local,
            "{}",
            None,
            "oapi",
            "host;x-amz-date",
            "f083f0c9663e756a39d1e741f890a2a62d24ba5f2ddba527209d08809261419b",
        ),
    ] {
        let request = signed(url, body, content_type, service);
        assert_eq!(request.headers["x-amz-date"], "20260115T123456Z");
        assert_eq!(
            request.headers["authorization"],
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE0000000AK/20260115/eu-west-2/{service}/aws4_request, SignedHeaders={headers}, Signature={signature}"
            ),
        );
    }
}

#[test]
fn the_object_store_gets_the_hash_of_the_body() {
    let request = signed(
        "https://oos.eu-west-2.outscale.com/b",
        "",
        None,
        OBJECT_STORE,
    );
    assert_eq!(
        request.headers["x-amz-content-sha256"],
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn an_access_key_that_no_header_can_carry_is_an_error_without_the_secret() {
    let mut keys = keys();
    keys.id = "AK\n".into();
    let url = Url::parse("https://api.eu-west-2.outscale.com/").expect("a URL");
    let error = sign(
        Request::new("Call", Method::POST, url),
        &keys,
        "eu-west-2",
        API,
        SystemTime::UNIX_EPOCH + AT,
    )
    .expect_err("a line break");
    assert_eq!(error.kind, Kind::Credentials);
    assert!(!error.one_line().contains("SKEXAMPLE"));
}
