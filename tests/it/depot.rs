//! An object store of a test's own, with the cloud that exported to it: it serves one object in ranges, and misbehaves as told.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use md5::{Digest, Md5};

use crate::canned::{header, next_request};
use crate::program::User;

/// The task whose object it is.
pub const TASK: &str = "snap-export-0a1b2c3d";
/// What the object is called.
pub const NAME: &str = "snap-0a1b2c3d-0a1b2c3d.raw.gz";

/// An image of a cloud without exports, whose bytes it has too.
pub const IMAGE: &str = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";

/// What is done about a request for a range.
#[derive(Clone, Debug)]
pub enum Act {
    Serve,
    /// Status and type, in place of data, with an ETag of its own.
    Page(u16),
    /// 503, and how many seconds it asks for.
    Pause(u32),
    /// The whole object with status 200.
    Whole,
    /// So many bytes, then the connection breaks.
    Cut(usize),
    /// One byte less than asked for, as if that were all; or one more.
    Short,
    Long,
    /// Another range than was asked for.
    Elsewhere,
    /// The same, as a proxy may say it: a weak ETag, and the unit in large letters.
    Otherwise,
    /// One byte is another.
    Corrupt,
    /// After this time.
    Late(Duration),
}

/// What is to be done about the n-th request for bytes, which begins there.
type Plan = dyn Fn(usize, u64) -> Act + Send + Sync;

struct Inner {
    body: Vec<u8>,
    etag: String,
    plan: Box<Plan>,
    /// First byte and length of every range that was asked for.
    asked: Vec<(u64, u64)>,
    state: &'static str,
    /// What else a HEAD is answered with, each line ended.
    head: String,
    /// The size of the first part, where the store says it.
    first_part: Option<u64>,
    /// The size of the volume that the snapshot is of, in GiB.
    volume: Option<u64>,
    /// The size that is told before it is read, where that is not true.
    told: Option<u64>,
}

/// The store.
pub struct Depot {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Depot {
    pub fn of(body: &[u8], plan: impl Fn(usize, u64) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let inner = Arc::new(Mutex::new(Inner {
            etag: md5_hex(body),
            body: body.to_vec(),
            plan: Box::new(plan),
            asked: Vec::new(),
            state: "completed",
            head: String::new(),
            first_part: None,
            volume: None,
            told: None,
        }));
        let served = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                // A client that leaves is what some tests are about.
                std::thread::spawn(move || drop(serve(stream, &served)));
            }
        });
        Depot { url, inner }
    }

    /// The object is another one from now on.
    pub fn change(&self, body: &[u8]) {
        let mut inner = self.inner.lock().expect("not poisoned");
        inner.etag = md5_hex(body);
        inner.body = body.to_vec();
    }

    /// What the store calls the object's ETag.
    pub fn with_etag(self, etag: &str) -> Self {
        self.inner.lock().expect("not poisoned").etag = etag.into();
        self
    }

    /// What else the store says of the object.
    pub fn with_head(self, name: &str, value: &str) -> Self {
        let line = format!("{name}: {value}\r\n");
        self.inner.lock().expect("not poisoned").head += &line;
        self
    }

    /// The store says how large the first part is.
    pub fn with_first_part(self, size: u64) -> Self {
        self.inner.lock().expect("not poisoned").first_part = Some(size);
        self
    }

    /// The cloud says how large the volume is.
    pub fn with_volume(self, gib: u64) -> Self {
        self.inner.lock().expect("not poisoned").volume = Some(gib);
        self
    }

    /// How large the store says that it is, before it is read.
    pub fn with_told_size(self, size: u64) -> Self {
        self.inner.lock().expect("not poisoned").told = Some(size);
        self
    }

    /// What the cloud says of the task.
    pub fn with_state(self, state: &'static str) -> Self {
        self.inner.lock().expect("not poisoned").state = state;
        self
    }

    pub fn plan(&self, plan: impl Fn(usize, u64) -> Act + Send + Sync + 'static) {
        self.inner.lock().expect("not poisoned").plan = Box::new(plan);
    }

    /// The ranges that were asked for since this was last called.
    pub fn asked(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.inner.lock().expect("not poisoned").asked)
    }

    pub fn user(&self) -> User {
        User::new()
            .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
            .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
            .with("OSC_ENDPOINT_API", &self.url)
            .with("OSC_ENDPOINT_OOS", &self.url)
            .with("AUTH_TOKEN", "0123456789abcdef")
            .with("API_ENDPOINT", &format!("{}/v2", self.url))
            .with("RAX_REGION", "DFW")
    }
}

pub fn md5_hex(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn serve(stream: TcpStream, inner: &Mutex<Inner>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some((head, _)) = next_request(&mut reader)? {
        if !answer(&head, &mut writer, inner)? {
            break;
        }
    }
    Ok(())
}

/// Whether the connection goes on.
fn answer(head: &str, writer: &mut TcpStream, inner: &Mutex<Inner>) -> std::io::Result<bool> {
    let line = head.lines().next().unwrap_or_default().to_owned();
    let say = |writer: &mut TcpStream, status: u16, kind: &str, body: &str| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Depot\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
        );
        writer.write_all(format!("{head}{body}").as_bytes())
    };
    if line.starts_with("POST") {
        let (state, volume) = {
            let inner = inner.lock().expect("not poisoned");
            (inner.state, inner.volume)
        };
        if let Some(gib) = volume.filter(|_| line.contains("ReadSnapshots ")) {
            let body = format!(
                r#"{{"ResponseContext":{{"RequestId":"r"}},"Snapshots":[{{"SnapshotId":"snap-0a1b2c3d","State":"completed","VolumeSize":{gib}}}]}}"#
            );
            say(writer, 200, "application/json", &body)?;
            return Ok(true);
        }
        let task = format!(
            r#"{{"TaskId":"{TASK}","SnapshotId":"snap-0a1b2c3d","State":"{state}","Progress":100,"OsuExport":{{"OsuBucket":"demo","DiskImageFormat":"raw"}}}}"#
        );
        let body = format!(
            r#"{{"ResponseContext":{{"RequestId":"r"}},"Accounts":[{{"AccountId":"123456789012"}}],"SnapshotExportTasks":[{task}]}}"#
        );
        say(writer, 200, "application/json", &body)?;
        return Ok(true);
    }
    let (body, etag) = {
        let inner = inner.lock().expect("not poisoned");
        (inner.body.clone(), inner.etag.clone())
    };
    let total = body.len() as u64;
    if line.starts_with("GET /v2/images/") && !line.contains("/file ") {
        let sha512 = ring::digest::digest(&ring::digest::SHA512, &body);
        let sha512: String = sha512
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let image = format!(
            r#"{{"id":"{IMAGE}","status":"active","size":{total},"checksum":"{etag}","os_hash_algo":"sha512","os_hash_value":"{sha512}","disk_format":"raw","container_format":"bare"}}"#
        );
        say(writer, 200, "application/json", &image)?;
        return Ok(true);
    }
    if line.contains("list-type=2") {
        let list = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{NAME}</Key><Size>{total}</Size></Contents></ListBucketResult>"
        );
        say(writer, 200, "application/xml", &list)?;
        return Ok(true);
    }
    if line.starts_with("HEAD") {
        let (more, told) = {
            let inner = inner.lock().expect("not poisoned");
            (
                inner.head.clone(),
                inner
                    .first_part
                    .filter(|_| line.contains("partNumber=1"))
                    .or(inner.told),
            )
        };
        let length = told.unwrap_or(total);
        let head = format!(
            "HTTP/1.1 200 Depot\r\ncontent-length: {length}\r\netag: \"{etag}\"\r\nx-amz-request-id: HEAD\r\n{more}\r\n"
        );
        writer.write_all(head.as_bytes())?;
        return Ok(true);
    }
    let range =
        header(head, "range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let range = range.map(|(first, last)| (first.parse::<u64>(), last.parse::<u64>()));
    let Some((Ok(first), Ok(last))) = range else {
        say(writer, 400, "text/plain", "no range")?;
        return Ok(true);
    };
    let act = {
        let mut inner = inner.lock().expect("not poisoned");
        let number = inner.asked.len();
        inner.asked.push((first, last - first + 1));
        (inner.plan)(number, first)
    };
    if header(head, "if-match").is_some_and(|wanted| wanted.trim_matches('"') != etag) {
        say(
            writer,
            412,
            "application/xml",
            "<Error><Code>PreconditionFailed</Code></Error>",
        )?;
        return Ok(true);
    }
    let mut part = body[first as usize..=last as usize].to_vec();
    let (mut status, mut place) = (206, Some((first, last)));
    match act {
        Act::Page(status) => {
            let kind = "text/html\r\netag: \"of-this-page\"";
            say(writer, status, kind, "<html>sorry</html>")?;
            return Ok(true);
        }
        Act::Pause(seconds) => {
            let kind = format!("text/plain\r\nretry-after: {seconds}");
            say(writer, 503, &kind, "later")?;
            return Ok(true);
        }
        Act::Whole => {
            part = body;
            (status, place) = (200, None);
        }
        Act::Short => drop(part.pop()),
        Act::Long => part.push(0),
        Act::Elsewhere => place = Some((first + 1, last + 1)),
        Act::Corrupt => part[0] ^= 1,
        Act::Late(time) => std::thread::sleep(time),
        Act::Cut(_) | Act::Otherwise | Act::Serve => {}
    }
    let (unit, weak) = match act {
        Act::Otherwise => ("Bytes", "W/"),
        _ => ("bytes", ""),
    };
    let place =
        place.map(|(first, last)| format!("content-range: {unit} {first}-{last}/{total}\r\n"));
    let length = part.len();
    let head = format!(
        "HTTP/1.1 {status} Depot\r\ncontent-length: {length}\r\netag: {weak}\"{etag}\"\r\nx-amz-request-id: PART\r\n{}\r\n",
        place.unwrap_or_default()
    );
    writer.write_all(head.as_bytes())?;
    if let Act::Cut(bytes) = act {
        writer.write_all(&part[..bytes.min(length)])?;
        return Ok(false);
    }
    writer.write_all(&part)?;
    Ok(true)
}
