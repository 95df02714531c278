use super::*;
use std::io::Read;

fn unpack(blob: &Blob) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(blob.to_vec().as_slice())
        .read_to_end(&mut plain)
        .expect("gzip with the right CRC and length");
    plain
}

#[test]
fn a_large_object_is_gzip_of_an_image_that_ends_as_its_tables_say() {
    for is_raw in [true, false] {
        let (blob, etag) = packed("web", is_raw, 2 * PART);
        assert!(
            (2 * PART..2 * PART + (1 << 20)).contains(&blob.len()),
            "{blob:?}"
        );
        assert!(etag.ends_with("-3"), "{etag}");
        let image = unpack(&blob);
        assert_eq!(image.len() % CLUSTER, 0);
        let disk = match is_raw {
            true => &image[..],
            false => {
                assert!(image.starts_with(b"QFI\xfb"));
                let size = u64::from_be_bytes(image[24..32].try_into().expect("8 bytes"));
                &image[image.len() - size as usize..]
            }
        };
        assert!(disk.starts_with(b"web\0") && disk[510..512] == [0x55, 0xaa]);
        let sectors = u32::from_le_bytes(disk[458..462].try_into().expect("4 bytes"));
        assert_eq!(sectors as usize * 512 + (1 << 20), disk.len());
        let has = |text: &str| {
            disk.chunks(512)
                .any(|sector| sector.starts_with(text.as_bytes()))
        };
        assert!(has("part 0 of web\n"));
    }
}

#[test]
fn its_etag_is_that_of_a_multipart_upload() {
    let (blob, etag) = packed("web", true, 2 * PART + (3 << 20));
    assert!((19 << 20..20 << 20).contains(&blob.len()), "{blob:?}");
    let bytes = blob.to_vec();
    let parts: Vec<u8> = bytes.chunks(PART as usize).flat_map(Md5::digest).collect();
    let count = bytes.len().div_ceil(PART as usize);
    assert_eq!(etag, format!("{}-{count}", hex(Md5::digest(parts))));
}

#[test]
fn one_of_few_bytes_is_what_was_asked_for_and_has_an_md5() {
    for size in [1, 1 << 20, (1 << 20) + 3] {
        let (blob, etag) = packed("web", true, size);
        assert!(
            blob.len() >= size && blob.len() < size + (1 << 20),
            "{size}: {blob:?}"
        );
        assert_eq!(etag, hex(blob.md5().finalize()));
        unpack(&blob);
    }
}

#[test]
fn one_of_gibibytes_takes_no_time_and_its_trailer_counts_beyond_32_bits() {
    let size = 8 << 30;
    let (blob, _) = packed("web", false, size);
    assert!(blob.len() >= size);
    let trailer = blob.slice(blob.len() - 4..blob.len()).to_vec();
    let length = u32::from_le_bytes(trailer.try_into().expect("4 bytes"));
    let unit = unit().plain + 512;
    assert!(u64::from(length) < 1023 * unit, "modulo 2^32");
    // The same part, far away: its number stands in its last bytes.
    let part = blob.slice(1000 * PART..1001 * PART);
    assert!(
        part.slice(PART - 512..PART)
            .to_vec()
            .starts_with(b"part 999 of web\n")
    );
}
