use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use super::*;
use crate::provider::{Answer, Block, Reader, RequestIds, Sums};
use crate::task::ProviderId;

/// Bytes that are there at once.
struct Memory(Vec<u8>);

#[async_trait]
impl Reader for Memory {
    async fn part(&self, first: u64, length: u64) -> Result<Answer<'_>> {
        let bytes = &self.0[first as usize..(first + length) as usize];
        let block = Block::Data(bytes.to_vec().into());
        Ok(Answer::Blocks(stream::iter([Ok(block)]).boxed()))
    }
}

fn object(bytes: Vec<u8>, name: &str, disk_size: Option<u64>) -> Object {
    Object {
        uri: "memory".to_owned(),
        name: name.to_owned(),
        device: None,
        size: bytes.len() as u64,
        etag: None,
        format: Some("raw".to_owned()),
        sums: Sums::None("it is a test's"),
        hashes: Vec::new(),
        disk_size,
        requests: RequestIds::default(),
        reader: Box::new(Memory(bytes)),
    }
}

/// A regular file stands in for a device: it has a size and holds other bytes.
async fn written(object: Object, device: &Path) -> Result<Evidence> {
    let image = Image::of(object);
    let about = About {
        provider: ProviderId("outscale"),
        region: "eu-west-2".to_owned(),
        account: None,
        task_id: None,
        snapshot: None,
    };
    let (object, never) = (&image.disks[0], std::future::pending());
    to_device(&image, object, &about, (device, None), never, |_| {}).await
}

#[tokio::test]
async fn a_device_has_the_disk_at_its_beginning_and_is_read_back() {
    let folder = tempfile::tempdir().expect("a directory");
    let device = folder.path().join("device");
    let disk: Vec<u8> = (0..3_000_000).map(|at| (at / 1000) as u8).collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &disk).expect("memory");
    let packed = packed.finish().expect("memory");
    for object in [
        object(disk.clone(), "disk.raw", None),
        object(packed, "disk.raw.gz", Some(3_000_000)),
    ] {
        std::fs::write(&device, vec![0xee; 4_000_000]).expect("written");
        let evidence = written(object, &device).await.expect("it fits");
        let now = std::fs::read(&device).expect("it is there");
        assert!(now[..disk.len()] == disk && now.len() == 4_000_000);
        assert_eq!(evidence.files[0].size_bytes, 3_000_000);
        assert!(
            evidence
                .checks
                .iter()
                .any(|check| check.name == "read back")
        );
    }
}

#[tokio::test]
async fn a_device_that_cannot_hold_the_disk_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a directory");
    let device = folder.path().join("device");
    std::fs::write(&device, vec![0xee; 1_000]).expect("written");
    let too_large = object(vec![1; 1_001], "disk.raw", None);
    let unpacks_to_more = object(vec![1; 10], "disk.raw.gz", Some(1_001));
    let mut is_no_raw = object(vec![1; 10], "disk.qcow2", None);
    is_no_raw.format = Some("qcow2".to_owned());
    for object in [too_large, unpacks_to_more, is_no_raw] {
        let error = written(object, &device).await.expect_err("it does not fit");
        assert_eq!(error.kind, Kind::Usage, "{}", error.one_line());
        assert_eq!(std::fs::read(&device).expect("it is there"), [0xee; 1_000]);
    }
}
