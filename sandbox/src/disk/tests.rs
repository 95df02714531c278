use super::*;
use std::process::Command;

#[test]
fn the_disk_follows_from_the_label_alone() {
    assert_eq!(raw("a"), raw("a"));
    assert_ne!(raw("a"), raw("b"));
    assert!(raw("web server").starts_with(b"web server\0"));
    assert_eq!(raw("a")[510..512], [0x55, 0xaa]);
}

/// Where qemu-img is at hand, it is the judge.
#[test]
fn qemu_accepts_the_qcow2_image_and_finds_the_raw_disk_in_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let (image, disk) = (
        directory.path().join("i.qcow2"),
        directory.path().join("d.raw"),
    );
    let bytes = qcow2("web server");
    assert!(bytes.starts_with(b"QFI\xfb") && bytes.len() < DISK_SIZE);
    std::fs::write(&image, bytes).expect("written");
    let qemu = |args: &[&str]| {
        let output = Command::new("qemu-img")
            .args(args)
            .arg(&image)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}");
        Some(text)
    };
    let Some(info) = qemu(&["info"]) else { return };
    assert!(info.contains("4 MiB"), "{info}");
    let check = qemu(&["check"]).expect("it was there");
    assert!(check.contains("No errors"), "{check}");
    let target = disk.to_str().expect("UTF-8");
    Command::new("qemu-img")
        .args([
            "convert",
            "-O",
            "raw",
            image.to_str().expect("UTF-8"),
            target,
        ])
        .status()
        .expect("it was there");
    assert!(std::fs::read(&disk).expect("converted") == raw("web server"));
}

#[test]
fn qemu_accepts_a_large_image_and_finds_the_raw_disk_in_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("large.qcow2");
    let disk = large("web server", 9, 40 << 20);
    assert_eq!(disk.len(), 40 << 20);
    std::fs::write(&path, large_qcow2(disk.clone()).to_vec()).expect("written");
    let plain = directory.path().join("large.raw");
    let run = |args: &[&str]| Command::new("qemu-img").args(args).output().ok();
    let [image, target] = [&path, &plain].map(|path| path.to_str().expect("UTF-8"));
    let Some(check) = run(&["check", image]) else {
        return;
    };
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(text.contains("No errors"), "{text}");
    run(&["convert", "-O", "raw", image, target]).expect("it was there");
    assert!(std::fs::read(&plain).expect("converted") == disk.to_vec());
}
