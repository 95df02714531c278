use super::*;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn evidence(names: &[&str]) -> Evidence {
    let file = |name: &&str| FetchedFile {
        path: Path::new("/elsewhere").join(name),
        device: None,
        format: Some("raw".to_owned()),
        size_bytes: 0,
        virtual_size_bytes: Some(0),
        sha256: SHA256.to_owned(),
    };
    Evidence {
        schema: SCHEMA,
        provider: "outscale".to_owned(),
        region: "eu-west-2".to_owned(),
        account: None,
        task_id: Some(TaskId::from("snap-export-12345678")),
        snapshot: None,
        source: Origin {
            uri: "s3://backups/disk.raw".to_owned(),
            etag: None,
            size_bytes: None,
        },
        files: names.iter().map(file).collect(),
        checks: vec![Check::not_possible("etag", "it is no MD5")],
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        request_ids: vec!["r-1".to_owned()],
        version: "0.1.0".to_owned(),
    }
}

#[test]
fn evidence_is_read_as_it_was_written_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("disk.raw");
    // What a killed process left is no hindrance.
    std::fs::write(beside(&image, ".export.json.new"), "{").expect("it writes");
    let written = evidence(&["disk.raw"]);
    for _ in 0..2 {
        written.write(&image).expect("it writes");
    }
    let (read, file) = Evidence::of(&image).expect("it is there");
    assert_eq!((&read, &file), (&written, &written.files[0]));
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["disk.raw.export.json", "disk.raw.sha256"]);
}

#[test]
fn every_image_of_one_export_has_its_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["web-sda1.raw", "web-sdb.raw"];
    std::fs::write(folder.path().join("a.export.json"), "[]").expect("it writes");
    evidence(&names)
        .write(&folder.path().join("web"))
        .expect("it writes");
    for name in names {
        let (_, file) = Evidence::of(&folder.path().join(name)).expect("it is there");
        assert!(file.is_named(OsStr::new(name)), "{name}");
    }
    let error = Evidence::of(&folder.path().join("web-sdc.raw")).expect_err("there is none");
    assert_eq!(error.kind, Kind::Internal);
    assert!(error.message.contains("has no evidence"), "{error}");
}

#[test]
fn evidence_that_is_damaged_or_of_another_file_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("disk.raw");
    evidence(&["other.raw"]).write(&image).expect("it writes");
    let of_other = Evidence::of(&image).expect_err("it is of another");
    let place = beside(&image, OBJECT);
    let whole = std::fs::read_to_string(&place).expect("text");
    let mut damaged = vec![of_other];
    for text in [
        "",
        "null",
        &whole[..whole.len() / 2],
        &whole.replace("\"schema\": 1", "\"schema\": 2"),
    ] {
        std::fs::write(&place, text).expect("it writes");
        damaged.push(Evidence::of(&image).expect_err(text));
    }
    for error in damaged {
        assert_eq!(error.kind, Kind::Corrupt, "{error:?}");
        assert!(error.message.contains("disk.raw.export.json"), "{error}");
    }
}

/// The judge is the program itself.
#[cfg(target_os = "linux")]
#[test]
fn sha256sum_takes_the_sums_whatever_the_name() {
    use std::os::unix::ffi::OsStrExt;
    let names: [&[u8]; 8] = [
        b"disk.raw",
        b"two words",
        b" *star",
        b"-dash",
        b"back\\slash\\n",
        b"line\nend",
        b"not text \xff",
        b"\\",
    ];
    for name in names.map(OsStr::from_bytes) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), "").expect("it writes");
        let mut evidence = evidence(&["disk.raw"]);
        evidence.files[0].path = folder.path().join(name);
        evidence
            .write(&folder.path().join("NAME"))
            .expect("it writes");
        let check = std::process::Command::new("sha256sum")
            .args(["--strict", "-c", "NAME.sha256"])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        assert!(check.status.success(), "{name:?}: {check:?}");
        let sums = std::fs::read(folder.path().join("NAME.sha256")).expect("sums");
        let own = std::process::Command::new("sha256sum")
            .arg("--")
            .arg(name)
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        assert_eq!(sums, own.stdout, "{name:?}");
    }
}
