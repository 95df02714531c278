//! `verify`: fetched images are checked again, offline, against their evidence.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use snapexport::fetch::{Evidence, FetchedFile, Hashing, Origin};
use snapexport::image::Check;
use snapexport::task::SCHEMA;

use crate::program::{Ran, User};

/// Folder of what was fetched, and who fetched it.
struct Fetched {
    user: User,
    folder: tempfile::TempDir,
}

impl Fetched {
    fn new() -> Self {
        Fetched {
            user: User::new(),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.folder.path().join(name.as_ref())
    }

    /// A file with evidence that fits it.
    fn file(&self, name: impl AsRef<OsStr>, bytes: &[u8], format: Option<&str>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("it writes");
        evidence(&[&path], format).write(&path).expect("it writes");
        path
    }

    fn verify(&self, args: &[&OsStr]) -> Ran {
        let mut command = self.user.command(&["verify"]);
        let output = command.args(args).current_dir(self.folder.path());
        Ran::from(output.output().expect("it runs"), &["verify"])
    }

    /// The line of one file.
    fn json(&self, path: &Path, more: &[&str]) -> (Value, Option<i32>) {
        let args = [&["-o", "json"], more].concat();
        let args: Vec<&OsStr> = args
            .iter()
            .map(OsStr::new)
            .chain([path.as_os_str()])
            .collect();
        let ran = self.verify(&args);
        let lines = ran.json();
        assert_eq!(lines.len(), 1, "{}", ran.all());
        if ran.code != Some(0) {
            assert_eq!(ran.json_error(), lines[0]["error"], "{}", ran.all());
        }
        (lines[0].clone(), ran.code)
    }
}

fn evidence(paths: &[&Path], format: Option<&str>) -> Evidence {
    let file = |path: &&Path| {
        let file = std::fs::File::open(path).expect("it is there");
        FetchedFile {
            path: path.to_path_buf(),
            device: None,
            format: format.map(str::to_owned),
            size_bytes: file.metadata().expect("a file").len(),
            virtual_size_bytes: None,
            sha256: Hashing::new(file).finish().expect("it reads"),
        }
    };
    Evidence {
        schema: SCHEMA,
        provider: "outscale".to_owned(),
        region: "eu-west-2".to_owned(),
        account: None,
        task_id: None,
        snapshot: Some("snap-0a1b2c3d".to_owned()),
        source: Origin {
            uri: "s3://demo/disk".to_owned(),
            etag: None,
            size_bytes: None,
        },
        files: paths.iter().map(file).collect(),
        checks: vec![Check::passed("size", "1 byte")],
        started_at: jiff::Timestamp::UNIX_EPOCH,
        finished_at: jiff::Timestamp::UNIX_EPOCH,
        request_ids: Vec::new(),
        version: "0.1.0".to_owned(),
    }
}

/// A disk with a master boot record and one partition without a file system.
fn disk() -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk[450] = 0x83;
    disk[454..462].copy_from_slice(&[8, 0, 0, 0, 8, 0, 0, 0]);
    disk[600_000] = 1;
    disk
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it packs");
    encoder.finish().expect("it packs")
}

/// The result of a check in a line.
fn result<'l>(line: &'l Value, name: &str) -> &'l str {
    let checks = line["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("{name}: {line}"))["result"]
        .as_str()
        .expect("a word")
}

#[test]
fn a_file_that_is_as_it_was_fetched_is_right() {
    let fetched = Fetched::new();
    let path = fetched.file("disk.raw", &disk(), Some("raw"));
    let (line, code) = fetched.json(&path, &[]);
    assert_eq!((&line["ok"], code), (&Value::Bool(true), Some(0)), "{line}");
    for name in ["size", "sha256", "sectors", "partition table"] {
        assert_eq!(result(&line, name), "passed", "{line}");
    }
    // It checks no raw image, installed or not.
    assert_eq!(result(&line, "qemu-img check"), "not_possible", "{line}");
    assert!(!line.to_string().contains("boot sector"), "{line}");
    let (line, code) = fetched.json(&path, &["--deep"]);
    assert_eq!(
        (result(&line, "boot sector"), code),
        ("passed", Some(0)),
        "{line}"
    );
    assert_eq!(
        line.to_string().matches("partition table").count(),
        1,
        "{line}"
    );
    assert_eq!(result(&line, "partition 1"), "not_possible", "{line}");
    let ran = fetched.verify(&[path.as_os_str()]);
    assert!(ran.stdout.contains("disk.raw: right\n"), "{}", ran.all());
    assert!(ran.stderr.is_empty(), "{}", ran.all());
}

#[test]
fn a_file_that_changed_is_exit_code_1_and_each_check_is_named() {
    let fetched = Fetched::new();
    let mut bytes = disk();
    for (change, failed) in [
        (900_000, vec!["sha256"]),
        (0, vec!["size", "sha256", "sectors"]),
    ] {
        let path = fetched.file("disk.raw", &bytes, Some("raw"));
        match change {
            0 => bytes.truncate(700_001),
            at => bytes[at] ^= 1,
        }
        std::fs::write(&path, &bytes).expect("it writes");
        let (line, code) = fetched.json(&path, &[]);
        assert_eq!(code, Some(1), "{line}");
        assert_eq!(
            (&line["ok"], &line["error"]["kind"]),
            (&false.into(), &"corrupt".into())
        );
        for name in ["size", "sha256", "sectors"] {
            let expected = if failed.contains(&name) {
                "failed"
            } else {
                "passed"
            };
            assert_eq!(result(&line, name), expected, "{line}");
        }
        let ran = fetched.verify(&[path.as_os_str()]);
        assert!(ran.stdout.contains("disk.raw: not right"), "{}", ran.all());
        assert!(ran.stderr.contains("sha256"), "{}", ran.all());
    }
}

#[test]
fn without_evidence_nothing_is_called_right() {
    let fetched = Fetched::new();
    let bare = fetched.path("bare.raw");
    std::fs::write(&bare, disk()).expect("it writes");
    let cut = fetched.file("cut.raw", &disk(), None);
    std::fs::write(fetched.path("cut.raw.export.json"), "{").expect("it writes");
    let gone = fetched.file("gone.raw", &disk(), None);
    std::fs::remove_file(&gone).expect("it goes");
    for (path, kind, words) in [
        (bare, "internal", "has no evidence"),
        (cut, "corrupt", "no evidence of a fetch"),
        (gone, "internal", "cannot be read"),
        (
            fetched.folder.path().to_owned(),
            "internal",
            "cannot be read",
        ),
    ] {
        let (line, code) = fetched.json(&path, &[]);
        assert_eq!(
            (code, &line["ok"]),
            (Some(1), &Value::Bool(false)),
            "{line}"
        );
        assert_eq!(line["error"]["kind"], kind, "{line}");
        let ran = fetched.verify(&[path.as_os_str()]);
        assert!(ran.stderr.contains(words), "{}", ran.all());
    }
}

#[test]
fn of_many_files_each_is_told_and_the_wrong_ones_decide() {
    let fetched = Fetched::new();
    let right = fetched.file("right.raw", &disk(), None);
    let wrong = fetched.file("wrong.raw", &disk(), None);
    std::fs::write(&wrong, "").expect("it writes");
    // Of two disks of one export there is one evidence.
    let both = [fetched.path("web-sda1.raw"), fetched.path("web-sdb.raw")];
    both.iter()
        .for_each(|path| std::fs::write(path, disk()).expect("it writes"));
    let paths: Vec<&Path> = both.iter().map(PathBuf::as_path).collect();
    let evidence = evidence(&paths, Some("raw"));
    evidence.write(&fetched.path("web")).expect("it writes");
    let all: Vec<&OsStr> = [&wrong, &right, &both[0], &both[1]]
        .map(|path| path.as_os_str())
        .into();
    let ids = fetched.verify(&[&[OsStr::new("-q")], &all[..]].concat());
    let expected: Vec<String> = all[1..]
        .iter()
        .map(|path| format!("{}\n", path.display()))
        .collect();
    assert_eq!(
        (ids.code, &ids.stdout),
        (Some(1), &expected.concat()),
        "{}",
        ids.all()
    );
    assert_eq!(fetched.verify(&all[1..]).code, Some(0));
    assert_eq!(fetched.verify(&[]).code, Some(2));
}

#[test]
fn a_packed_file_is_unpacked_to_its_last_byte() {
    let fetched = Fetched::new();
    let whole = packed(&disk());
    let path = fetched.file("disk.qcow2.gz", &whole, Some("qcow2"));
    let (line, code) = fetched.json(&path, &[]);
    assert_eq!((result(&line, "gzip"), code), ("passed", Some(0)), "{line}");
    assert_eq!(result(&line, "structure"), "not_possible", "{line}");
    // The sums fit what was fetched; it is not what gzip makes.
    let garbage = [&whole[..], b"\0"].concat();
    for bytes in [&whole[..whole.len() - 1], &garbage, &disk()] {
        let path = fetched.file("disk.raw.gz", bytes, None);
        let (line, code) = fetched.json(&path, &[]);
        assert_eq!((result(&line, "gzip"), code), ("failed", Some(1)), "{line}");
        assert_eq!(result(&line, "sha256"), "passed", "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_is_found_whatever_its_name() {
    use std::os::unix::ffi::OsStrExt;
    let fetched = Fetched::new();
    for name in [&b"a\\b\nc "[..], b" not text \xff", b"-dash", b"json:{}"] {
        let name = OsStr::from_bytes(name);
        fetched.file(name, &disk(), None);
        let ran = fetched.verify(&[
            OsStr::new("-o"),
            OsStr::new("json "),
            OsStr::new("--"),
            name,
        ]);
        assert_eq!(ran.code, Some(0), "{name:?}: {}", ran.all());
    }
}

#[test]
fn a_format_that_is_not_known_is_said_and_another_than_the_evidence_says_is_wrong() {
    let fetched = Fetched::new();
    let (line, code) = fetched.json(&fetched.file("disk", &disk(), Some("vhdx")), &["--deep"]);
    assert_eq!(
        (result(&line, "structure"), code),
        ("not_possible", Some(0)),
        "{line}"
    );
    let (line, code) = fetched.json(&fetched.file("disk", &disk(), Some("vhd")), &["--deep"]);
    assert_eq!(
        (result(&line, "footer"), code),
        ("failed", Some(1)),
        "{line}"
    );
    assert_eq!(result(&line, "qemu-img check"), "not_possible", "{line}");
}

/// Whether the tool is here that makes images.
fn convert(folder: &Path, from: &str, to: &str, options: &[&str]) -> bool {
    let mut command = Command::new("qemu-img");
    command
        .args(["convert", "-f", "raw"])
        .args(options)
        .args([from, to]);
    match command.current_dir(folder).output() {
        Ok(run) => {
            assert!(run.status.success(), "{run:?}");
            true
        }
        Err(_) => false,
    }
}

#[test]
fn qemu_img_is_asked_too_where_it_is_installed() {
    let fetched = Fetched::new();
    std::fs::write(fetched.path("raw"), disk()).expect("it writes");
    for format in ["qcow2", "vmdk", "vdi"] {
        let made = format!("disk.{format}");
        if !convert(fetched.folder.path(), "raw", &made, &["-O", format]) {
            return;
        }
        let bytes = std::fs::read(fetched.path(&made)).expect("an image");
        let path = fetched.file(&made, &bytes, Some(format));
        let (line, code) = fetched.json(&path, &["--deep"]);
        assert_eq!(
            (result(&line, "qemu-img check"), code),
            ("passed", Some(0)),
            "{line}"
        );
        let mut without = fetched.user.command(&["verify", "-o", "json"]);
        let output = without
            .arg(&path)
            .env("PATH", "")
            .output()
            .expect("it runs");
        let line = &Ran::from(output, &["verify", "-o", "json"]).json()[0];
        assert_eq!(result(line, "qemu-img check"), "not_possible", "{line}");
        assert_eq!(line["ok"], true, "{line}");
    }
    // A reference count that is wrong is seen by it alone.
    let mut bytes = std::fs::read(fetched.path("disk.qcow2")).expect("an image");
    bytes[2 * 65_536 + 1] = 0;
    let path = fetched.file("disk.qcow2", &bytes, Some("qcow2"));
    let (line, code) = fetched.json(&path, &[]);
    assert_eq!(
        (result(&line, "qemu-img check"), code),
        ("failed", Some(1)),
        "{line}"
    );
    assert_eq!(result(&line, "refcounts"), "passed", "{line}");
}

#[test]
fn an_image_that_needs_another_file_is_not_shown_to_qemu_img() {
    let fetched = Fetched::new();
    std::fs::write(fetched.path("raw"), disk()).expect("it writes");
    let options = ["-O", "qcow2", "-B", "raw", "-F", "raw"];
    if !convert(fetched.folder.path(), "raw", "top", &options) {
        return;
    }
    let bytes = std::fs::read(fetched.path("top")).expect("an image");
    let (line, code) = fetched.json(&fetched.file("top.qcow2", &bytes, None), &["--deep"]);
    assert_eq!(
        (result(&line, "self-contained"), code),
        ("failed", Some(1)),
        "{line}"
    );
    assert_eq!(result(&line, "qemu-img check"), "not_possible", "{line}");
}
