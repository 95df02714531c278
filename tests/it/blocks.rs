//! EC2's snapshots as a test has them: an export of Lightsail that is done, and the blocks of its disks.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::canned::next_request;
use crate::program::User;

/// Bytes of a block.
pub const BLOCK: usize = 512 << 10;
/// The task whose disks they are.
pub const TASK: &str = "cc59c7d3-c056-47b2-a9f2-8e1525695bbb";

/// What is done about a request for a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    Serve,
    /// A byte is another, and the checksum the right one.
    Corrupt,
    /// No checksum at all.
    NoSum,
    Short,
    Throttle,
    /// The token has run out.
    Expired,
    Broken,
    Forbidden,
}

/// What is to be done about the n-th request for a block.
type Plan = dyn Fn(usize) -> Act + Send + Sync;

struct Inner {
    /// Disks by their snapshots: blocks by their numbers.
    disks: BTreeMap<&'static str, BTreeMap<u32, Vec<u8>>>,
    plan: Box<Plan>,
    blocks: usize,
    lists: usize,
    /// Whether the n-th list is an object without blocks.
    is_hollow: fn(usize) -> bool,
}

pub struct Blocks {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

/// The system disk and the other one of the AMI.
pub const DISKS: [&str; 2] = ["snap-00000000000000001", "snap-00000000000000002"];

impl Blocks {
    /// Two disks of 1 GiB with a few blocks each.
    pub fn of(plan: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let block = |seed: u8| {
            (0..BLOCK)
                .map(|at| (at as u8).wrapping_mul(31) ^ seed)
                .collect()
        };
        let disk = |seed: u8| {
            let numbers = [0, 1, 15, 16, 700, 2047];
            let blocks = numbers
                .iter()
                .map(|number| (*number, block(seed ^ *number as u8)));
            blocks.collect::<BTreeMap<u32, Vec<u8>>>()
        };
        let inner = Arc::new(Mutex::new(Inner {
            disks: [(DISKS[0], disk(1)), (DISKS[1], disk(2))].into(),
            plan: Box::new(plan),
            blocks: 0,
            lists: 0,
            is_hollow: |_| false,
        }));
        let served = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || drop(serve(stream, &served)));
            }
        });
        Blocks { url, inner }
    }

    /// These lists are none.
    pub fn hollow(self, is_hollow: fn(usize) -> bool) -> Self {
        self.inner.lock().expect("not poisoned").is_hollow = is_hollow;
        self
    }

    /// Only the system disk.
    pub fn with_one_disk(self) -> Self {
        self.inner
            .lock()
            .expect("not poisoned")
            .disks
            .remove(DISKS[1]);
        self
    }

    /// The whole of a disk.
    pub fn disk(&self, snapshot: &str) -> Vec<u8> {
        let mut disk = vec![0; 1 << 30];
        for (number, block) in &self.inner.lock().expect("not poisoned").disks[snapshot] {
            let at = *number as usize * BLOCK;
            disk[at..at + BLOCK].copy_from_slice(block);
        }
        disk
    }

    /// Requests for blocks since this was last called.
    pub fn asked(&self) -> usize {
        std::mem::take(&mut self.inner.lock().expect("not poisoned").blocks)
    }

    pub fn user(&self) -> User {
        User::new()
            .with("AWS_ACCESS_KEY_ID", "AKIASANDBOXLIGHTSAIL")
            .with("AWS_SECRET_ACCESS_KEY", "secret-secret-secret")
            .with("AWS_REGION", "eu-west-3")
            .with("AWS_ENDPOINT_URL", &self.url)
    }
}

fn serve(stream: TcpStream, inner: &Mutex<Inner>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some((head, body)) = next_request(&mut reader)? {
        let (status, headers, body) = answer(&head, &String::from_utf8_lossy(&body), inner);
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Blocks\r\ncontent-length: {length}\r\n{headers}\r\n");
        writer.write_all(head.as_bytes())?;
        writer.write_all(&body)?;
    }
    Ok(())
}

fn answer(head: &str, body: &str, inner: &Mutex<Inner>) -> (u16, String, Vec<u8>) {
    let line = head.lines().next().unwrap_or_default();
    let json = |text: String| {
        (
            200,
            "content-type: application/x-amz-json-1.1\r\n".into(),
            text.into_bytes(),
        )
    };
    if head.contains("GetOperation\r") {
        return json(format!(
            r#"{{"operation":{{"id":"{TASK}","resourceName":"web-1","resourceType":"InstanceSnapshot","status":"Succeeded","isTerminal":true,"createdAt":1768000000,"statusChangedAt":1768003600}}}}"#
        ));
    }
    if head.contains("GetExportSnapshotRecords\r") {
        return json(
            r#"{"exportSnapshotRecords":[{"name":"ExportSnapshotRecord-a","createdAt":1768000001,"state":"Succeeded","sourceInfo":{"name":"web-1","resourceType":"InstanceSnapshot"},"destinationInfo":{"id":"ami-0a1b2c3d","service":"Aws::EC2::Image"}}]}"#.into(),
        );
    }
    if body.contains("Action=DescribeImages") {
        let disks = &inner.lock().expect("not poisoned").disks;
        let devices: String = ["/dev/sda1", "/dev/xvdf"]
            .iter()
            .zip(DISKS)
            .filter(|(_, snapshot)| disks.contains_key(snapshot))
            .map(|(device, snapshot)| {
                format!("<item><deviceName>{device}</deviceName><ebs><snapshotId>{snapshot}</snapshotId></ebs></item>")
            })
            .collect();
        let image = format!(
            "<item><imageId>ami-0a1b2c3d</imageId><imageState>available</imageState><rootDeviceName>/dev/sda1</rootDeviceName><blockDeviceMapping>{devices}</blockDeviceMapping></item>"
        );
        let text = format!(
            "<DescribeImagesResponse><imagesSet>{image}</imagesSet></DescribeImagesResponse>"
        );
        return (200, "content-type: text/xml\r\n".into(), text.into_bytes());
    }
    if body.contains("Action=DescribeSnapshots") {
        let text = "<DescribeSnapshotsResponse><snapshotSet/></DescribeSnapshotsResponse>";
        return (200, "content-type: text/xml\r\n".into(), text.into());
    }
    let path = line.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let mut inner = inner.lock().expect("not poisoned");
    let refuse = |status: u16, kind: &str, reason: &str| {
        let text = format!(r#"{{"Message":"no","Reason":"{reason}"}}"#);
        (
            status,
            format!("x-amzn-errortype: {kind}\r\n"),
            text.into_bytes(),
        )
    };
    match parts[..] {
        ["snapshots", snapshot, "blocks"] => {
            inner.lists += 1;
            if (inner.is_hollow)(inner.lists) {
                return json("{}".into());
            }
            let params: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect();
            let token = params.get("pageToken");
            let first = token.map(|token| token.trim_start_matches("page+").to_owned());
            let first = first.or_else(|| params.get("startingBlockIndex").cloned());
            let first: u32 = first.and_then(|text| text.parse().ok()).unwrap_or(0);
            let Some(disk) = inner.disks.get(snapshot) else {
                return refuse(404, "ResourceNotFoundException", "SNAPSHOT_NOT_FOUND");
            };
            // Every other page is empty, and a page has three blocks.
            let is_empty = token.is_none();
            let left: Vec<u32> = disk.range(first..).map(|(number, _)| *number).collect();
            let shown = &left[..left.len().min(if is_empty { 0 } else { 3 })];
            let blocks: Vec<String> = shown
                .iter()
                .map(|number| format!(r#"{{"BlockIndex":{number},"BlockToken":"t+/{number}="}}"#))
                .collect();
            let next = left
                .get(shown.len())
                .map(|next| format!(r#","NextToken":"page+{next}""#));
            json(format!(
                r#"{{"Blocks":[{}],"VolumeSize":1,"BlockSize":524288{}}}"#,
                blocks.join(","),
                next.unwrap_or_default()
            ))
        }
        ["snapshots", snapshot, "blocks", number] => {
            let act = (inner.plan)(inner.blocks);
            inner.blocks += 1;
            let token = url::form_urlencoded::parse(query.as_bytes()).next();
            let is_right = token.is_some_and(|(_, token)| token == format!("t+/{number}="));
            let number: u32 = number.parse().unwrap_or(u32::MAX);
            let Some(block) = inner.disks.get(snapshot).and_then(|disk| disk.get(&number)) else {
                return refuse(404, "ResourceNotFoundException", "SNAPSHOT_NOT_FOUND");
            };
            let sum = ring::digest::digest(&ring::digest::SHA256, block);
            let sum = aws_smithy_types::base64::encode(sum);
            let mut data = block.clone();
            let mut headers = format!(
                "x-amz-data-length: {BLOCK}\r\nx-amz-checksum: {sum}\r\nx-amz-checksum-algorithm: SHA256\r\n"
            );
            match act {
                Act::Serve if is_right => {}
                Act::Serve | Act::Expired => {
                    return refuse(400, "ValidationException", "INVALID_BLOCK_TOKEN");
                }
                Act::Corrupt => data[77] ^= 1,
                Act::NoSum => headers.clear(),
                Act::Short => data.truncate(BLOCK - 1),
                Act::Throttle => {
                    return refuse(400, "RequestThrottledException", "ACCOUNT_THROTTLED");
                }
                Act::Broken => return refuse(500, "InternalServerException", ""),
                Act::Forbidden => {
                    return refuse(403, "AccessDeniedException", "UNAUTHORIZED_ACCOUNT");
                }
            }
            (200, headers, data)
        }
        _ => refuse(404, "UnknownOperationException", ""),
    }
}
