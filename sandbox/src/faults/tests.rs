use super::*;

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
