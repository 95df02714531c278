use super::*;

#[test]
fn both_footers_agree_and_their_checksum_holds() {
    let image = vhd("web-1", 2);
    let (copy, footer) = (&image[..SECTOR], &image[image.len() - SECTOR..]);
    assert_eq!(copy, footer);
    assert_eq!(&footer[..8], b"conectix");
    let mut zeroed = footer.to_vec();
    zeroed[64..68].fill(0);
    assert_eq!(footer[64..68], checksum(&zeroed).to_be_bytes());
}

#[test]
fn every_allocated_block_is_where_the_table_says() {
    let image = vhd("web-1", 3);
    for block in 0..3 {
        let entry = 3 * SECTOR + block * 4;
        let sector = u32::from_be_bytes([
            image[entry],
            image[entry + 1],
            image[entry + 2],
            image[entry + 3],
        ]);
        let data = (sector as usize + 1) * SECTOR;
        assert!(
            image[data..].starts_with(format!("web-1 block {block}\n").as_bytes()),
            "block {block}"
        );
    }
}

#[test]
fn qemu_finds_a_vhd_in_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("web-1.vhd");
    std::fs::write(&path, vhd("web-1", 2)).expect("written");
    let run = std::process::Command::new("qemu-img")
        .args(["info", "--output=json"])
        .arg(&path)
        .output();
    // Not every machine that runs the tests has it.
    let Ok(output) = run else { return };
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(info["format"], "vpc");
    assert_eq!(info["virtual-size"], DISK);
}
