use super::*;
use crate::outscale::{ACCESS_KEY, PARTNER_ACCESS_KEY, PARTNER_SECRET_KEY, SECRET_KEY};
use crate::signature::{OSC4, Scheme, signed};
use std::time::Duration;

const START: Timestamp = Timestamp::constant(1_768_480_496, 0);

/// A world with one export to `demo`, which takes 100 s from `START`, and its key.
fn exporting() -> (World, String) {
    let mut world = World::default();
    let snapshot = world.outscale.snapshots[0].clone();
    let task = world.outscale.start(Task {
        id: "snap-export-12d8b47d".into(),
        snapshot: snapshot.id,
        account: snapshot.account,
        bucket: "demo".into(),
        prefix: Some("a&b/".into()),
        format: "raw".into(),
        story: snapshot.story,
        started_at: START,
        cancelled_at_percent: None,
    });
    let key = task.key();
    (world, key)
}

fn ask(
    world: &mut World,
    (method, path, query): (&str, &str, &str),
    headers: &[(&str, &str)],
    (scheme, keys): (Scheme, (&str, &str)),
    seconds: i64,
) -> Response {
    let moment = Moment::new(
        START + SignedDuration::from_secs(seconds),
        Duration::from_secs(100),
    );
    let hash = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: headers
            .iter()
            .chain([&hash])
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        body: Vec::new(),
    };
    handle(
        world,
        &signed(request, scheme, "s3", keys, moment.now),
        &moment,
    )
}

const OURS: (Scheme, (&str, &str)) = (AWS4, (ACCESS_KEY, SECRET_KEY));

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    let mut headers = response.headers.iter();
    headers
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn the_object_is_there_once_the_task_is_completed_and_can_be_read_in_parts() {
    let (mut world, key) = exporting();
    let path = format!("/demo/{}", key.replace('&', "%26"));
    let get = ("GET", path.as_str(), "");
    let list = ("GET", "/demo", "list-type=2&prefix=a%26b%2F");
    let text = |response: Response| String::from_utf8(response.body.to_vec()).expect("XML");

    assert_eq!(ask(&mut world, get, &[], OURS, 99).status, 404);
    assert!(!text(ask(&mut world, list, &[], OURS, 99)).contains("<Key>"));

    let whole = ask(&mut world, get, &[], OURS, 100);
    assert_eq!(whole.status, 200);
    let listed = text(ask(&mut world, list, &[], OURS, 100));
    let size = format!("<Size>{}</Size>", whole.body.len());
    let shown = format!("<Key>{}</Key>", key.replace('&', "&amp;"));
    assert!(
        listed.contains(&size) && listed.contains(&shown),
        "{listed}"
    );

    let etag = header(&whole, "etag").expect("an ETag").to_owned();
    let part = ask(
        &mut world,
        get,
        &[("range", "bytes=2-9"), ("if-match", &etag)],
        OURS,
        100,
    );
    assert_eq!(part.status, 206);
    assert_eq!(part.body.to_vec(), whole.body.slice(2..10).to_vec());
    let range = format!("bytes 2-9/{}", whole.body.len());
    assert_eq!(header(&part, "content-range"), Some(range.as_str()));
    for (headers, status) in [
        ([("if-match", "\"x\""), ("range", "bytes=2-9")], 412),
        ([("if-range", "\"x\""), ("range", "bytes=2-9")], 200),
        ([("if-range", etag.as_str()), ("range", "bytes=2-9")], 206),
    ] {
        let answer = ask(&mut world, get, &headers, OURS, 100);
        assert_eq!(answer.status, status, "{headers:?}");
    }
    assert_eq!(
        ask(&mut world, get, &[("range", "bytes=99999999-")], OURS, 100).status,
        416
    );
}

#[test]
fn a_list_goes_on_with_its_token() {
    let (mut world, _) = exporting();
    for number in 0..4 {
        let mut task = world.outscale.tasks[0].clone();
        task.id = format!("snap-export-{number:08x}");
        world.outscale.start(task);
    }
    let (mut keys, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let query = format!("list-type=2&max-keys=2{token}");
        let response = ask(&mut world, ("GET", "/demo", &query), &[], OURS, 100);
        let text = String::from_utf8(response.body.to_vec()).expect("XML");
        pages += 1;
        keys.extend(text.split("<Key>").skip(1).map(str::to_owned));
        let Some((_, rest)) = text.split_once("<NextContinuationToken>") else {
            break;
        };
        let next = rest.split('<').next().expect("a token");
        token = format!(
            "&continuation-token={}",
            next.replace('=', "%3D").replace('+', "%2B")
        );
    }
    keys.dedup();
    assert_eq!((pages, keys.len()), (3, 5));
}

#[test]
fn lists_know_delimiters_encodings_and_the_older_call() {
    let (mut world, key) = exporting();
    let mut bare = world.outscale.tasks[0].clone();
    (bare.id, bare.prefix) = ("snap-export-00000001".into(), None);
    let bare = world.outscale.start(bare).key();
    let encoded = key.replace('&', "%26");
    let escaped = key.replace('&', "&amp;");
    for (query, shown, hidden) in [
        (
            "list-type=2&delimiter=%2F",
            vec![
                bare.as_str(),
                "<CommonPrefixes><Prefix>a&amp;b/</Prefix></CommonPrefixes>",
                "<KeyCount>2<",
            ],
            vec![escaped.as_str()],
        ),
        (
            "list-type=2&delimiter=%2F&prefix=a%26b%2F",
            vec![&escaped],
            vec![&bare, "<CommonPrefixes>"],
        ),
        (
            "list-type=2&encoding-type=url",
            vec![&encoded, "<EncodingType>url<"],
            vec![&escaped],
        ),
        ("list-type=2&start-after=b", vec![&bare], vec![&escaped]),
        (
            "max-keys=1",
            vec![&escaped, "<Marker></Marker>", "<IsTruncated>true<"],
            vec![&bare, "<NextMarker>", "<KeyCount>"],
        ),
        (
            "max-keys=1&delimiter=%2F",
            vec!["<NextMarker>a&amp;b/<"],
            vec![&bare],
        ),
        (
            "marker=b",
            vec![&bare, "<IsTruncated>false<"],
            vec![&escaped],
        ),
    ] {
        let response = ask(&mut world, ("GET", "/demo", query), &[], OURS, 100);
        let text = String::from_utf8(response.body.to_vec()).expect("XML");
        assert!(
            shown.iter().all(|part| text.contains(part)),
            "{query}: {text}"
        );
        assert!(
            !hidden.iter().any(|part| text.contains(part)),
            "{query}: {text}"
        );
    }
}

#[test]
fn refusals_have_the_codes_of_s3() {
    let theirs = (AWS4, (PARTNER_ACCESS_KEY, PARTNER_SECRET_KEY));
    for (request, who, status, code) in [
        (("GET", "/nowhere", ""), OURS, 404, "NoSuchBucket"),
        (("GET", "/partner", ""), OURS, 403, "AccessDenied"),
        (("GET", "/demo", ""), theirs, 403, "AccessDenied"),
        (
            ("GET", "/demo", ""),
            (AWS4, ("AK", "SK")),
            403,
            "InvalidAccessKeyId",
        ),
        (
            ("GET", "/demo", ""),
            (AWS4, (ACCESS_KEY, "SK")),
            403,
            "SignatureDoesNotMatch",
        ),
        (("GET", "/demo", ""), (OSC4, OURS.1), 403, "AccessDenied"),
        (("PUT", "/demo", ""), OURS, 409, "BucketAlreadyOwnedByYou"),
        (("PUT", "/partner", ""), OURS, 409, "BucketAlreadyExists"),
        (("PUT", "/New", ""), OURS, 400, "InvalidBucketName"),
        (("GET", "/demo/nothing", ""), OURS, 404, "NoSuchKey"),
        (("GET", "/demo", "location"), OURS, 501, "NotImplemented"),
        (("DELETE", "/demo", ""), OURS, 405, "MethodNotAllowed"),
    ] {
        let response = ask(&mut World::default(), request, &[], who, 0);
        let text = String::from_utf8_lossy(&response.body.to_vec()).into_owned();
        assert_eq!(response.status, status, "{request:?}: {text}");
        assert!(
            text.contains(&format!("<Code>{code}</Code>")),
            "{request:?}: {text}"
        );
    }
    let mut world = World::default();
    assert_eq!(
        ask(&mut world, ("PUT", "/new-one", ""), &[], OURS, 0).status,
        200
    );
    assert_eq!(
        ask(&mut world, ("HEAD", "/new-one", ""), &[], OURS, 0).status,
        200
    );
    let list = ask(&mut world, ("GET", "/", ""), &[], OURS, 0);
    let text = String::from_utf8_lossy(&list.body.to_vec()).into_owned();
    assert!(
        text.contains("<Name>new-one</Name>") && !text.contains("<Name>partner<"),
        "{text}"
    );
}

#[test]
fn objects_are_gzip_of_the_image() {
    use std::io::Read;
    let mut image = Vec::new();
    flate2::read::GzDecoder::new(gzip(&disk::qcow2("x")).as_slice())
        .read_to_end(&mut image)
        .expect("gzip");
    assert!(image == disk::qcow2("x"));
}
