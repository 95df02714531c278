use super::*;
use crate::blob::md5_hex;
use std::process::Command;

#[test]
fn each_part_has_the_md5_that_is_told_of_it() {
    let size = 20 << 20;
    for number in 0..count(size) {
        let part = part("web", size, number).to_vec();
        assert_eq!(md5("web", size, number), md5_hex(&part), "{number}");
    }
}

/// Where qemu-img is at hand, it is the judge.
#[test]
fn the_parts_together_are_a_disk_image_that_qemu_accepts() {
    let size = 20 << 20;
    let parts = (0..count(size)).map(|number| part("web", size, number));
    let image = Blob::join(parts.collect()).to_vec();
    assert!(image.starts_with(b"conectix") && image[image.len() - 512..] == image[..512]);
    let directory = tempfile::tempdir().expect("a directory");
    let [path, plain] = ["i.vhd", "i.raw"].map(|name| directory.path().join(name));
    std::fs::write(&path, image).expect("written");
    let [path, target] = [&path, &plain].map(|path| path.to_str().expect("UTF-8"));
    let run = |args: &[&str]| Command::new("qemu-img").args(args).output().ok();
    let Some(info) = run(&["info", "-f", "vpc", path]) else {
        return;
    };
    assert!(info.status.success(), "{info:?}");
    let converted = run(&["convert", "-f", "vpc", "-O", "raw", path, target]);
    assert!(converted.expect("it was there").status.success());
    let disk = std::fs::read(&plain).expect("converted");
    assert_eq!(disk.len() as u64, super::disk(size));
    assert!(disk.starts_with(b"web\0") && disk[510..512] == [0x55, 0xaa]);
    assert_eq!(disk[(4 << 20) + (8 << 20) - 512..][..6], *b"part 1");
}
