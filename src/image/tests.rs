use std::io::{Seek, Write};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::inside::Seen;
use super::*;

const MIB: usize = 1 << 20;
/// The disk in each image.
const SIZE: usize = 4 * MIB;

/// The disk: a master boot record, a partition with ext4 of this many blocks, and data in its last megabyte.
fn disk(blocks: u32) -> Vec<u8> {
    let mut disk = vec![0; SIZE];
    disk[0] = 0xeb;
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk[446 + 4] = 0x83;
    put_le(&mut disk, 446 + 8, 2048);
    put_le(&mut disk, 446 + 12, 4096);
    file_system(&mut disk[MIB..], 0x438, &[0x53, 0xef]);
    put_le(&mut disk, MIB + 0x404, blocks);
    put_le(&mut disk, MIB + 0x460, 0x40);
    disk[SIZE - 512..].fill(7);
    disk
}

fn put_le(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_be(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

fn file_system(bytes: &mut [u8], at: usize, magic: &[u8]) {
    bytes[at..at + magic.len()].copy_from_slice(magic);
}

/// Clusters of 64 KiB: header, refcount table, refcount block, L1, L2, then the disk without its middle.
fn qcow2(disk: &[u8]) -> Vec<u8> {
    let cluster = 65_536;
    let mut image = vec![0; 5 * cluster];
    image[..4].copy_from_slice(qcow2::MAGIC);
    for (at, value) in [(4, 3), (20, 16), (28, SIZE), (36, 1), (44, 3 * cluster)] {
        put_be(&mut image, at, u32::try_from(value).expect("small"));
    }
    for (at, value) in [(52, cluster), (56, 1), (96, 4), (100, 104)] {
        put_be(&mut image, at, u32::try_from(value).expect("small"));
    }
    put_be(&mut image, cluster + 4, 2 * 65_536);
    put_be(&mut image, 3 * cluster, 0x8000_0000);
    put_be(&mut image, 3 * cluster + 4, 4 * 65_536);
    for (index, part) in disk.chunks(cluster).enumerate() {
        if part.iter().any(|byte| *byte != 0) {
            let at = image.len();
            put_be(&mut image, 4 * cluster + index * 8, 0x8000_0000);
            put_be(
                &mut image,
                4 * cluster + index * 8 + 4,
                u32::try_from(at).expect("small"),
            );
            image.extend_from_slice(part);
        }
    }
    for index in 0..image.len() / cluster {
        image[2 * cluster + index * 2 + 1] = 1;
    }
    image
}

fn summed(bytes: &mut [u8], at: usize) {
    put_be(bytes, at, 0);
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    put_be(bytes, at, !sum);
}

fn vhd_footer(kind: u32) -> Vec<u8> {
    let mut footer = vec![0; 512];
    footer[..8].copy_from_slice(vhd::COOKIE);
    put_be(&mut footer, 20, 512);
    put_be(&mut footer, 52, u32::try_from(SIZE).expect("small"));
    put_be(&mut footer, 60, kind);
    summed(&mut footer, 64);
    footer
}

/// Blocks of 2 MiB, each with its bitmap.
fn vhd_dynamic(disk: &[u8]) -> Vec<u8> {
    let footer = vhd_footer(3);
    let mut header = vec![0; 1024];
    header[..8].copy_from_slice(b"cxsparse");
    put_be(&mut header, 20, 1536);
    put_be(&mut header, 28, 2);
    put_be(&mut header, 32, 2 << 20);
    summed(&mut header, 36);
    let mut table = vec![0xff; 512];
    put_be(&mut table, 0, 4);
    put_be(&mut table, 4, 4 + 1 + 4096);
    let mut image = [footer.clone(), header, table].concat();
    for block in disk.chunks(2 * MIB) {
        image.extend_from_slice(&[0xff; 512]);
        image.extend_from_slice(block);
    }
    [image, footer].concat()
}

/// Grains of 64 KiB; those of zeros are left out.
fn vmdk(disk: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 128 * 512];
    image[..4].copy_from_slice(vmdk::MAGIC);
    let sectors = u32::try_from(SIZE / 512).expect("small");
    for (at, value) in [
        (4, 1),
        (8, 3),
        (12, sectors),
        (20, 128),
        (28, 1),
        (36, 4),
        (44, 512),
    ] {
        put_le(&mut image, at, value);
    }
    put_le(&mut image, 56, 8);
    image[73..77].copy_from_slice(b"\n \r\n");
    let told =
        b"# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\n";
    image[512..512 + told.len()].copy_from_slice(told);
    put_le(&mut image, 8 * 512, 9);
    for (index, grain) in disk.chunks(65_536).enumerate() {
        if grain.iter().any(|byte| *byte != 0) {
            let at = u32::try_from(image.len() / 512).expect("small");
            put_le(&mut image, 9 * 512 + index * 4, at);
            image.extend_from_slice(grain);
        }
    }
    image
}

/// Blocks of 1 MiB; one of zeros is left out.
fn vdi(disk: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 2048];
    image[0x40..0x44].copy_from_slice(vdi::SIGNATURE);
    for (at, value) in [(0x44, 0x0001_0001), (0x4c, 1), (0x154, 512), (0x158, 2048)] {
        put_le(&mut image, at, value);
    }
    put_le(&mut image, 0x170, u32::try_from(SIZE).expect("small"));
    for (at, value) in [(0x178, 1 << 20), (0x180, 4)] {
        put_le(&mut image, at, value);
    }
    let mut count = 0;
    for (index, block) in disk.chunks(MIB).enumerate() {
        let is_there = block.iter().any(|byte| *byte != 0);
        put_le(
            &mut image,
            512 + index * 4,
            if is_there { count } else { u32::MAX },
        );
        if is_there {
            count += 1;
            image.extend_from_slice(block);
        }
    }
    put_le(&mut image, 0x184, count);
    image
}

/// An image of the disk in each format.
fn built(disk: &[u8]) -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Raw, disk.to_vec()),
        (Format::Qcow2, qcow2(disk)),
        (Format::Vhd, [disk, &vhd_footer(2)].concat()),
        (Format::Vhd, vhd_dynamic(disk)),
        (Format::Vmdk, vmdk(disk)),
        (Format::Vdi, vdi(disk)),
    ]
}

/// More such images, as `qemu-img` makes them; none where it is not installed.
fn made(disk: &[u8]) -> Vec<(Format, String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("raw"), disk).expect("it writes");
    let options: [(Format, &str, &[&str]); 12] = [
        (Format::Qcow2, "qcow2", &[]),
        (Format::Qcow2, "qcow2", &["-c"]),
        (Format::Qcow2, "qcow2", &["-o", "compat=0.10"]),
        (Format::Qcow2, "qcow2", &["-o", "cluster_size=512"]),
        (
            Format::Qcow2,
            "qcow2",
            &["-o", "cluster_size=2M,preallocation=metadata"],
        ),
        (Format::Qcow2, "qcow2", &["-o", "extended_l2=on"]),
        (Format::Vhd, "vpc", &["-o", "force_size=on"]),
        (Format::Vhd, "vpc", &["-o", "subformat=fixed,force_size=on"]),
        (Format::Vmdk, "vmdk", &[]),
        (Format::Vmdk, "vmdk", &["-o", "subformat=streamOptimized"]),
        (Format::Vdi, "vdi", &[]),
        (Format::Vdi, "vdi", &["-o", "static=on"]),
    ];
    let convert = |(format, name, options): (Format, &str, &[&str])| {
        let run = Command::new("qemu-img")
            .args(["convert", "-f", "raw", "-O", name])
            .args(options)
            .args(["raw", "image"])
            .current_dir(folder.path())
            .output()
            .ok()?;
        assert!(run.status.success(), "{name} {options:?}: {run:?}");
        let image = std::fs::read(folder.path().join("image")).expect("an image");
        Some((format, format!("{name} {options:?}"), image))
    };
    options.into_iter().filter_map(convert).collect()
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("it writes");
    file.rewind().expect("it rewinds");
    file
}

fn failures(checks: &[Check]) -> Vec<&Check> {
    checks.iter().filter(|check| check.is_failure()).collect()
}

/// The names of the checks of structure that fail.
fn failed(format: Format, bytes: &[u8]) -> Vec<String> {
    let checked = structure(&file_of(bytes), format).expect("it reads").checks;
    failures(&checked)
        .iter()
        .map(|check| check.name.clone())
        .collect()
}

fn seen(format: Format, bytes: &[u8]) -> String {
    let checks = contents(&file_of(bytes), format).expect("it reads");
    let lines = checks.iter().map(|check| {
        let (name, result, detail) = (&check.name, check.result.as_str(), &check.detail);
        format!("{name} {result}: {detail}\n")
    });
    lines.collect()
}

#[test]
fn an_image_that_is_right_passes_and_tells_its_size_in_every_format() {
    // The last cluster of an image may be cut where the disk ends.
    let odd = disk(2048)[..SIZE - 3 * 512].to_vec();
    let whole = disk(2048);
    let images = built(&whole)
        .into_iter()
        .map(|(format, bytes)| (format, "built".to_owned(), bytes));
    for (disk, images) in [
        (&whole, images.chain(made(&whole)).collect::<Vec<_>>()),
        (&odd, made(&odd)),
    ] {
        for (format, name, bytes) in images {
            let file = file_of(&bytes);
            assert_eq!(Format::of(&file).expect("it reads"), format, "{name}");
            let found = structure(&file, format).expect("it reads");
            assert_eq!(
                failures(&found.checks),
                Vec::<&Check>::new(),
                "{format:?} {name}"
            );
            assert_eq!(
                found.virtual_size,
                Some(disk.len() as u64),
                "{format:?} {name}"
            );
        }
    }
}

#[test]
fn what_is_on_the_disk_is_seen_through_the_image() {
    let whole = disk(2048);
    let images = built(&whole)
        .into_iter()
        .map(|(format, bytes)| (format, "built".to_owned(), bytes));
    for (format, name, bytes) in images.chain(made(&whole)) {
        let seen = seen(format, &bytes);
        let expected = match format {
            Format::Vmdk | Format::Vdi => "partition table not_possible",
            _ => {
                "boot sector passed: with boot code\npartition table passed: MBR with 1 partition\n\
                  partition 1 passed: ext4, 2 MiB at byte 1048576\n"
            }
        };
        assert!(seen.starts_with(expected), "{format:?} {name}: {seen}");
    }
    let larger = seen(Format::Raw, &disk(2049));
    assert!(
        larger.contains("partition 1 failed: ext4 of 2 MiB, in 2 MiB"),
        "{larger}"
    );
    let cut = seen(Format::Raw, &whole[..2 * MIB]);
    assert!(cut.contains("ends beyond the disk"), "{cut}");
}

#[test]
fn every_file_system_is_known_by_its_beginning() {
    for (at, magic, kind) in [
        (0, &b"LUKS\xba\xbe"[..], "LUKS"),
        (0, b"XFSB", "xfs"),
        (536, b"LVM2 001", "LVM"),
        (4086, b"SWAPSPACE2", "swap"),
        (0x10040, b"_BHRfS_M", "btrfs"),
        (0x438, &[0x53, 0xef], "ext2"),
        (3, b"NTFS    ", "ntfs"),
        (3, b"EXFAT   ", "exfat"),
        (82, b"FAT32   ", "fat"),
        (54, b"FAT16   ", "fat"),
    ] {
        let mut disk = vec![0; MIB];
        file_system(&mut disk, at, magic);
        if kind == "LVM" {
            file_system(&mut disk, 512, b"LABELONE");
        }
        // A boot sector with text where partitions would stand is no partition table.
        disk[440..512].fill(0x20);
        file_system(&mut disk, 510, &[0x55, 0xaa]);
        if kind == "LVM" {
            assert!(Seen::of(&disk).is_some_and(|seen| seen.kind == kind));
            continue;
        }
        let seen = seen(Format::Raw, &disk);
        assert!(
            seen.contains(&format!("disk passed: {kind}, 1 MiB at byte 0")),
            "{kind}: {seen}"
        );
    }
    let mut ext3 = vec![0; MIB];
    file_system(&mut ext3, 0x438, &[0x53, 0xef]);
    ext3[0x45c] = 4;
    assert!(seen(Format::Raw, &ext3).contains("ext3"));
    assert!(seen(Format::Raw, &vec![0; MIB]).contains("disk not_possible: nothing that is known"));
}

/// A GPT with one partition of a megabyte.
fn gpt(sector: usize) -> Vec<u8> {
    let mut disk = vec![0; SIZE];
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    };
    let block = |at: usize| u32::try_from(at / sector).expect("small");
    let entries = 2 * sector;
    disk[entries] = 1;
    put_le(&mut disk, entries + 32, block(MIB));
    put_le(&mut disk, entries + 40, block(2 * MIB) - 1);
    let sum = crc(&disk[entries..entries + 128 * 128]);
    file_system(&mut disk, SIZE - sector, b"EFI PART");
    let header = &mut disk[sector..sector + 512];
    file_system(header, 0, b"EFI PART");
    for (at, value) in [
        (12, 92),
        (24, 1),
        (32, block(SIZE) - 1),
        (72, 2),
        (80, 128),
        (84, 128),
    ] {
        put_le(header, at, value);
    }
    put_le(header, 88, sum);
    let sum = crc(&header[..92]);
    put_le(header, 16, sum);
    disk
}

#[test]
fn a_gpt_is_checked_by_its_sums_and_its_copy() {
    for sector in [512, 4096] {
        let disk = gpt(sector);
        let found = seen(Format::Raw, &disk);
        assert!(found.contains("passed: GPT with 1 partition\n"), "{found}");
        assert!(found.contains("1 MiB at byte 1048576"), "{found}");
        for at in [sector + 40, 2 * sector + 33, SIZE - sector] {
            let mut damaged = disk.clone();
            damaged[at] ^= 1;
            let found = seen(Format::Raw, &damaged);
            assert!(
                found.contains("partition table failed: GPT: "),
                "{at}: {found}"
            );
            // What a guest wrote is not the copy's fault.
            assert_eq!(failed(Format::Raw, &damaged), [""; 0]);
        }
        let cut = seen(Format::Raw, &disk[..SIZE - sector]);
        assert!(cut.contains("its copy at the end of the disk"), "{cut}");
    }
}

#[test]
fn logical_partitions_are_followed_and_a_chain_in_a_circle_ends() {
    let mut disk = disk(2048);
    disk[462 + 4] = 5;
    put_le(&mut disk, 462 + 8, 100);
    put_le(&mut disk, 462 + 12, 1000);
    for (at, more) in [(100, 50), (150, 0)] {
        let record = &mut disk[at * 512..][..512];
        record[510..].copy_from_slice(&[0x55, 0xaa]);
        put_le(record, 446 + 8, 1);
        put_le(record, 446 + 12, 10);
        put_le(record, 462 + 8, more);
        put_le(record, 462 + 12, if more == 0 { 0 } else { 50 });
    }
    let found = seen(Format::Raw, &disk);
    assert!(found.contains("MBR with 3 partitions"), "{found}");
    assert!(
        found.contains("partition 6 not_possible: nothing that is known, 5 KiB at byte 77312"),
        "{found}"
    );
    put_le(&mut disk, 150 * 512 + 462 + 12, 50);
    assert!(seen(Format::Raw, &disk).contains("MBR with"));
}

/// A change to an image.
type Damage = fn(&mut Vec<u8>);

#[test]
fn what_is_wrong_is_said_by_name() {
    let images = built(&disk(2048));
    let damages: &[(usize, &str, Damage)] = &[
        (0, "sectors", |image| image.truncate(SIZE - 1)),
        (0, "sectors", Vec::clear),
        (1, "header", |image| image[3] = 0),
        (1, "header", |image| image[7] = 4),
        (1, "header", |image| image[23] = 40),
        (1, "header", |image| image[79] |= 2),
        (1, "header", |image| image[72] = 1),
        (1, "header", |image| image.truncate(60)),
        (1, "self-contained", |image| {
            put_be(image, 12, 200);
            put_be(image, 16, 9);
            file_system(image, 200, b"/etc/pass");
        }),
        (1, "self-contained", |image| image[79] |= 4),
        (1, "L1 table", |image| put_be(image, 36, 0)),
        (1, "L1 table", |image| put_be(image, 36, 0xffff_ffff)),
        (1, "L1 table", |image| put_be(image, 44, 0x7fff_0000)),
        (1, "L2 tables", |image| {
            put_be(image, 3 * 65_536 + 4, 0x7fff_0000)
        }),
        (1, "L2 tables", |image| {
            put_be(image, 3 * 65_536 + 4, 4 * 65_536 + 512)
        }),
        (1, "L2 tables", |image| {
            put_be(image, 4 * 65_536 + 4, 0x7fff_0000)
        }),
        (1, "L2 tables", |image| {
            put_be(image, 4 * 65_536, 0x4000_ffff)
        }),
        (1, "L2 tables", |image| image.truncate(image.len() - 65_536)),
        (1, "refcounts", |image| put_be(image, 52, 0x7fff_0000)),
        (1, "refcounts", |image| {
            put_be(image, 65_536 + 4, 0x7fff_0000)
        }),
        (1, "refcounts", |image| put_be(image, 56, 0)),
        (1, "snapshots", |image| put_be(image, 60, 0xffff)),
        (1, "snapshots", |image| put_be(image, 60, 0xffff_ffff)),
        (2, "footer", |image| *image.last_mut().expect("a byte") ^= 1),
        (2, "footer", |image| image.truncate(SIZE)),
        (2, "footer", |image| image.truncate(100)),
        (2, "data", |image| drop(image.drain(..512))),
        (3, "footer", |image| image.truncate(image.len() - 512)),
        (3, "copy of the footer", |image| image[500] = 1),
        (3, "dynamic header", |image| image[512] = 0),
        (3, "dynamic header", |image| image[600] = 1),
        (3, "dynamic header", |image| {
            put_be(image, 512 + 28, 1);
            summed(&mut image[512..1536], 36);
        }),
        (3, "blocks", |image| put_be(image, 1536, 0x7fff_ffff)),
        (3, "blocks", |image| put_be(image, 1536, 4 + 4097 + 1)),
        (4, "header", |image| image[0] = 0),
        (4, "header", |image| image[75] = b'\n'),
        (4, "header", |image| {
            *image = b"# Disk DescriptorFile\nRW 1 FLAT \"a\"".to_vec()
        }),
        (4, "header", |image| put_le(image, 20, 0)),
        (4, "header", |image| put_le(image, 44, 0)),
        (4, "descriptor", |image| image[512] = b'!'),
        (4, "descriptor", |image| {
            file_system(image, 512 + 32, b"parentCID=1234")
        }),
        (4, "descriptor", |image| put_le(image, 28, 0x7fff_ffff)),
        (4, "footer", |image| image[56..64].fill(0xff)),
        (4, "grain tables", |image| put_le(image, 56, 0x7fff_ffff)),
        (4, "grain tables", |image| {
            put_le(image, 8 * 512, 0x7fff_ffff)
        }),
        (4, "grain tables", |image| {
            put_le(image, 9 * 512, 0x7fff_ffff)
        }),
        (4, "grain tables", |image| image.truncate(image.len() - 512)),
        (5, "header", |image| image[0x40] = 0),
        (5, "header", |image| put_le(image, 0x178, 0)),
        (5, "header", |image| put_le(image, 0x180, 3)),
        (5, "type", |image| put_le(image, 0x4c, 4)),
        (5, "block map", |image| put_le(image, 0x154, 0x7fff_ffff)),
        (5, "block map", |image| put_le(image, 512, 0x7fff_ffff)),
        (5, "block map", |image| put_le(image, 0x184, 1)),
        (5, "block map", |image| image.truncate(image.len() - 512)),
    ];
    for (at, (which, check, damage)) in damages.iter().enumerate() {
        let (format, mut image) = images[*which].clone();
        damage(&mut image);
        let failed = failed(format, &image);
        assert!(
            failed.iter().any(|name| name == check),
            "{at}: {check} of {format:?}: {failed:?}"
        );
    }
    let differencing = [disk(2048), vhd_footer(4)].concat();
    assert!(failed(Format::Vhd, &differencing).contains(&"type".to_owned()));
}

#[test]
fn tables_that_name_each_other_take_no_longer_than_the_file_is_long() {
    let mut image = qcow2(&disk(2048));
    // Every entry of a large L1 names the same L2, which is the L1 itself.
    put_be(&mut image, 36, 8192);
    for index in 0..8192 {
        put_be(&mut image, 3 * 65_536 + index * 8 + 4, 3 * 65_536);
    }
    assert!(failed(Format::Qcow2, &image).contains(&"L2 tables".to_owned()));
    let mut image = vmdk(&disk(2048));
    put_le(&mut image, 12, u32::MAX);
    for index in 0..1 << 13 {
        put_le(&mut image, 8 * 512 + index * 4, 8);
    }
    assert!(failed(Format::Vmdk, &image).contains(&"grain tables".to_owned()));
}

/// Numbers that are the same in each run.
fn random() -> impl FnMut() -> usize {
    let mut state = 1_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap_or(0)
    }
}

#[test]
fn an_image_that_is_made_to_do_harm_does_none() {
    const EXTREMES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    // A small disk, so that many can be tried.
    let small = &disk(2048)[..SIZE];
    let mut random = random();
    for (format, image) in built(small) {
        let places: Vec<usize> = match format {
            Format::Qcow2 => (0..104).chain((1..5).map(|at| at * 65_536)).collect(),
            _ => (0..2048).step_by(3).collect(),
        };
        let file = file_of(&image);
        let write = |at: usize, bytes: &[u8]| {
            (&file)
                .seek(io::SeekFrom::Start(at as u64))
                .expect("it seeks");
            (&file).write_all(bytes).expect("it writes");
        };
        for _ in 0..1500 {
            let mut touched = Vec::new();
            for _ in 0..1 + random() % 3 {
                let at = places[random() % places.len()];
                // From the end too, where footers are.
                let at = if random().is_multiple_of(4) {
                    image.len() - 512 + at % 505
                } else {
                    at
                };
                let value = EXTREMES[random() % EXTREMES.len()];
                write(at, &vec![value; 1 + random() % 8]);
                touched.push(at);
            }
            // Sums that fit lead further in.
            if format == Format::Vhd {
                for (at, length) in [(image.len() - 512, 512), (512, 1024)] {
                    let mut bytes = vec![0; length];
                    Source::of(&file)
                        .expect("a file")
                        .read(at as u64, &mut bytes)
                        .expect("it reads");
                    summed(&mut bytes, if length == 512 { 64 } else { 36 });
                    write(at, &bytes);
                }
            }
            structure(&file, format).expect("it reads");
            contents(&file, format).expect("it reads");
            write(0, &image[..4096]);
            for at in touched {
                let end = (at + 8).min(image.len());
                write(at, &image[at..end]);
            }
            file.set_len(image.len() as u64).expect("it is cut");
            write(image.len() - 512, &image[image.len() - 512..]);
        }
        for cut in [0, 1, 511, 512, 1024, 2048, image.len() / 2, image.len() - 1] {
            file.set_len(cut as u64).expect("it is cut");
            for other in [
                Format::Raw,
                Format::Qcow2,
                Format::Vhd,
                Format::Vmdk,
                Format::Vdi,
            ] {
                structure(&file, other).expect("it reads");
                contents(&file, other).expect("it reads");
            }
            Format::of(&file).expect("it reads");
        }
    }
}

#[test]
fn a_guest_cannot_make_its_raw_disk_another_image() {
    let mut disk = disk(2048);
    disk[..4].copy_from_slice(qcow2::MAGIC);
    assert_eq!(failed(Format::Raw, &disk), [""; 0]);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it packs");
    encoder.finish().expect("it packs")
}

#[test]
fn a_gzip_file_is_right_only_to_its_last_byte() {
    // Of zeros alone, a copy from elsewhere would be the same.
    let mut random = random();
    let varied: Vec<u8> = (0..MIB).map(|_| b"abcd"[random() % 4]).collect();
    let member = packed(&varied);
    let right = |packed: &[u8]| !gunzip(packed).expect("it reads").is_failure();
    assert!(right(&member));
    assert!(right(&packed(b"")));
    assert!(
        right(&[&member[..], &packed(b"more"), &packed(b"")].concat()),
        "of several members"
    );
    let end = member.len();
    for (at, what) in [
        (0, "magic"),
        (2, "method"),
        (end / 2, "data"),
        (end - 8, "CRC"),
        (end - 1, "length"),
    ] {
        let mut damaged = member.clone();
        damaged[at] ^= 0x40;
        assert!(!right(&damaged), "{what}");
        assert!(
            !right(&[&member[..], &damaged].concat()),
            "{what} of the second member"
        );
    }
    for more in [&b"\0"[..], b"garbage", b"\x1f", b"\x1f\x8b\x08", &[0; 512]] {
        assert!(!right(&[&member[..], more].concat()), "{more:?} at the end");
    }
    for length in [0, 1, 10, end / 2, end - 8, end - 1] {
        assert!(!right(&member[..length]), "cut to {length}");
    }
}
