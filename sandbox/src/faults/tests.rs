use super::*;
use crate::outscale::{ACCESS_KEY, SECRET_KEY, Story, Task};
use crate::signature::{AWS4, signed};
use crate::wire::Response;
use crate::{Moment, SERVICES, World};

#[test]
fn faults_are_read_as_they_are_written() {
    for (text, attempts, what) in [
        (
            "outscale:CreateSnapshotExportTask:1:throttle",
            (1, 1),
            What::Throttle(None),
        ),
        ("outscale:*:*:throttle=5/s", (1, u32::MAX), What::Rate(5)),
        (
            "lightsail:*:2+:status=500",
            (2, u32::MAX),
            What::Status(500),
        ),
        (
            "rackspace:create task:1-3:unlisted=4",
            (1, 3),
            What::Unlisted(Duration::from_secs(4)),
        ),
        (
            "oos:ListObjectsV2:*:delay=300ms",
            (1, u32::MAX),
            What::Delay(Duration::from_millis(300)),
        ),
        (
            "outscale:*:1:redirect=http://127.0.0.1:1/x",
            (1, 1),
            What::Redirect("http://127.0.0.1:1/x".into()),
        ),
        ("oos:get object:4+:changed", (4, u32::MAX), What::Changed),
        (
            "oos:get object:*:slow=64MiB/s",
            (1, u32::MAX),
            What::Slow(64 << 20),
        ),
        (
            "rackspace:*:*:etag=W/\"x\"",
            (1, u32::MAX),
            What::Etag("W/\"x\"".into()),
        ),
        ("lightsail:GetSnapshotBlock:2:stale", (2, 2), What::Stale),
    ] {
        let fault: Fault = text.parse().expect(text);
        assert_eq!(
            (fault.attempts.first, fault.attempts.last),
            attempts,
            "{text}"
        );
        assert_eq!(fault.what, what, "{text}");
    }
}

#[test]
fn what_cannot_be_a_fault_is_refused_by_name() {
    for (text, named) in [
        ("outscale:1:throttle", "PROVIDER:CALL:ATTEMPT:WHAT"),
        ("azure:*:1:throttle", "'azure'"),
        ("lightsail:exportSnapshot:1:throttle", "'exportSnapshot'"),
        ("outscale:*:*:throttle=0/s", "'0/s'"),
        ("lightsail:ExportSnapshot:0:throttle", "'0'"),
        ("lightsail:ExportSnapshot:3-1:throttle", "'3-1'"),
        ("lightsail:ExportSnapshot:soon:throttle", "'soon'"),
        ("lightsail:ExportSnapshot:1:status=200", "'200'"),
        ("lightsail:ExportSnapshot:1:explode", "'explode'"),
        ("lightsail:ExportSnapshot:1:delay=long", "'long'"),
        ("lightsail:GetOperation:1:no-task", "starts an export"),
        ("oos:*:1:unlisted=3", "starts an export"),
        ("oos:get object:1:slow=fast", "'fast'"),
        ("oos:get object:1:slow=0/s", "'0/s'"),
        ("oos:get object:1:etag=", "'etag='"),
        ("oos:get object:1:stale", "lightsail's"),
    ] {
        let why = text.parse::<Fault>().expect_err(text);
        assert!(why.contains(named), "{text}: {why}");
    }
}

#[test]
fn a_file_holds_the_same_faults() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("faults.toml");
    let write = |text: &str| std::fs::write(&path, text).expect("written");
    write(
        "[[fault]]\nprovider = \"rackspace\"\ncall = \"show task\"\nattempt = 2\nwhat = \"expire\"\n",
    );
    let expected: Fault = "rackspace:show task:2:expire".parse().expect("good");
    assert_eq!(Fault::read_file(&path).expect("good"), [expected]);
    for (text, named) in [
        (
            "[[fault]]\nprovider = \"x\"\ncall = \"*\"\nattempt = 2\nwhat = \"expire\"\n",
            "'x'",
        ),
        ("[[faults]]\n", "faults"),
        ("[[fault]]\nprovider = \"oos\"\n", "call"),
    ] {
        write(text);
        let error = Fault::read_file(&path).expect_err("bad");
        assert!(error.to_string().ends_with("faults.toml cannot be used"));
        assert!(error.cause.contains(named), "{}", error.cause);
    }
}

/// What comes of a part of an object of which these faults are due, and how the whole one begins.
fn part(faults: &[&str], headers: &[(&str, &str)]) -> (Response, Vec<u8>) {
    let now = jiff::Timestamp::now();
    let mut world = World::default();
    let task = world.outscale.start(Task {
        id: "snap-export-12d8b47d".into(),
        snapshot: "snap-0a1b2c3d".into(),
        account: crate::outscale::ACCOUNT.into(),
        bucket: "demo".into(),
        prefix: None,
        format: "raw".into(),
        story: Story::Completes,
        started_at: now - SignedDuration::from_mins(1),
        cancelled_at_percent: None,
    });
    let path = format!("/demo/{}", task.key());
    let moment = Moment::new(now, Duration::from_secs(1));
    let mut ask = |headers: &[(&str, &str)], faults: &[Fault]| {
        let hash = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        let request = Request {
            method: "GET".into(),
            path: path.clone(),
            query: String::new(),
            headers: headers
                .iter()
                .chain([&hash])
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: Vec::new(),
        };
        let request = signed(request, AWS4, "s3", (ACCESS_KEY, SECRET_KEY), now);
        let oos = SERVICES.iter().find(|service| service.name == "oos");
        match play(&mut world, faults, oos.expect("there"), &request, &moment) {
            Delivery::Whole(response, _) => response,
            _ => panic!("not delivered"),
        }
    };
    let whole = ask(&[], &[]).body.to_vec();
    let faults: Vec<Fault> = faults
        .iter()
        .map(|what| format!("oos:get object:*:{what}").parse().expect(what))
        .collect();
    (ask(headers, &faults), whole)
}

#[test]
fn data_goes_wrong_as_it_is_told() {
    let range = [("range", "bytes=100-199")];
    let header = |response: &Response, name: &str| {
        let found = response.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (right, whole) = part(&["delay=0"], &range);
    assert_eq!(right.body.to_vec(), whole[100..200]);

    let (corrupt, _) = part(&["corrupt"], &range);
    let mut expected = whole[100..200].to_vec();
    expected[50] ^= 1;
    assert_eq!((corrupt.status, corrupt.body.to_vec()), (206, expected));

    let (changed, _) = part(&["changed"], &range);
    assert_ne!(changed.body.to_vec(), whole[100..200]);
    assert_ne!(header(&changed, "etag"), header(&right, "etag"));
    let old = header(&right, "etag");
    let (refused, _) = part(&["changed"], &[range[0], ("if-match", &old)]);
    assert_eq!(refused.status, 412);

    let (tagged, _) = part(&["etag=abc-2"], &[range[0], ("if-match", "\"abc-2\"")]);
    assert_eq!(
        (tagged.status, header(&tagged, "etag")),
        (206, "\"abc-2\"".into())
    );
    let (weak, _) = part(&["etag=W/\"x\""], &range);
    assert_eq!(header(&weak, "etag"), "W/\"x\"");

    let (encoded, _) = part(&["encoded"], &range);
    assert_eq!(header(&encoded, "content-encoding"), "gzip");
    assert_eq!(encoded.body.to_vec(), whole[100..200]);

    let (all, _) = part(&["whole"], &range);
    assert_eq!((all.status, all.body.to_vec()), (200, whole.clone()));

    for (what, end) in [("longer", 199 + 1024), ("shorter", 149)] {
        let (other, _) = part(&[what], &range);
        let expected = format!("bytes 100-{end}/{}", whole.len());
        assert_eq!(header(&other, "content-range"), expected);
        assert_eq!(other.body.to_vec(), whole[100..=end], "{what}");
    }

    let (slow, _) = part(&["slow=1KiB/s", "corrupt"], &range);
    assert_eq!(slow.pace, Some(1024), "faults meet");
    let (none, _) = part(&["status=416"], &range);
    let text = String::from_utf8(none.body.to_vec()).expect("XML");
    assert!(
        none.status == 416 && text.contains("<Code>InvalidRange<"),
        "{text}"
    );
}
