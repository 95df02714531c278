//! What the object store says.

use super::*;
use reqwest::header::HeaderMap;

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        name: "ListObjectsV2",
        status,
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

#[test]
fn a_list_gives_keys_and_sizes() {
    let xml = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>b</Name><Prefix>a&amp;</Prefix>\
        <Contents><Key>a&amp;b/&#xe9;&lt;&#10;</Key><LastModified>x</LastModified><Size>12</Size></Contents>\
        <Contents><Key>plain &nope;</Key></Contents></ListBucketResult>";
    let objects = read_list(&reply(200, xml)).expect("a list");
    let found: Vec<(&str, Option<u64>)> =
        objects.iter().map(|o| (o.key.as_str(), o.size)).collect();
    assert_eq!(found, [("a&b/é<\n", Some(12)), ("plain &nope;", None)]);
    let empty = "<ListBucketResult></ListBucketResult>";
    assert_eq!(read_list(&reply(200, empty)).expect("empty"), []);
    let error = read_list(&reply(200, "<html>log in</html>")).expect_err("no list");
    assert_eq!(error.kind, Kind::Provider);
}

#[test]
fn refusals_are_told_apart() {
    for (status, code, kind) in [
        (403, "InvalidAccessKeyId", Kind::Credentials),
        (403, "SignatureDoesNotMatch", Kind::Credentials),
        (403, "AccessDenied", Kind::Permission),
        (404, "NoSuchBucket", Kind::NotFound),
        (503, "SlowDown", Kind::RateLimited),
        (500, "InternalError", Kind::Unavailable),
        (301, "PermanentRedirect", Kind::Provider),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>why</Message></Error>");
        let error = refused(&reply(status, &body), "demo");
        assert_eq!(error.kind, kind, "{status} {code}");
        assert_eq!(error.details.code.as_deref(), Some(code));
        assert_eq!(error.details.causes, ["why"]);
    }
}

#[test]
fn queries_are_encoded_strictly() {
    assert_eq!(encode("a b/é+~"), "a%20b%2F%C3%A9%2B~");
}
