//! Recorded replies, played to a cloud's client over HTTP: for the corpus and the fuzz targets.
//!
//! ```text
//! ReadSnapshotExportTasks 200
//! retry-after: 5
//!
//! {"SnapshotExportTasks": []}
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::single::located;
use reqwest::header::{HeaderName, HeaderValue};
use snapexport::error::{Error, Result};
use snapexport::http::{Http, Limits};
use snapexport::provider::{self, Provider, TaskFilter, lightsail, outscale, rackspace};
use snapexport::settings::Sources;
use snapexport::task::{ExportRequest, Source, State, Target, Task, TaskId};
use tokio::runtime::Runtime;

/// A call of a cloud: its name in the corpus, the marks by which its request is known, and how a client is led to make it.
struct Call {
    name: &'static str,
    /// Each stands in the first line of the request, in lower case, or in its headers.
    marks: &'static [&'static str],
    job: Job,
}

/// What a client is asked to do.
#[derive(Clone, Copy)]
enum Job {
    Start,
    Look,
    List,
    Sources,
    Locate,
}

const fn call(name: &'static str, marks: &'static [&'static str], job: Job) -> Call {
    Call { name, marks, job }
}

/// A cloud, as the tape plays it.
pub struct Deck {
    cloud: &'static str,
    calls: &'static [Call],
    snapshot: &'static str,
    task: &'static str,
    target: fn() -> Target,
    /// A reply with nothing in it.
    nothing: &'static str,
}

pub static OUTSCALE: Deck = Deck {
    cloud: "outscale",
    calls: &[
        call(
            "CreateSnapshotExportTask",
            &["/createsnapshotexporttask"],
            Job::Start,
        ),
        call(
            "ReadSnapshotExportTasks",
            &["/readsnapshotexporttasks"],
            Job::List,
        ),
        call("ReadSnapshots", &["/readsnapshots "], Job::Sources),
        call("ListObjectsV2", &["get /backups"], Job::Locate),
    ],
    snapshot: "snap-87654321",
    task: "snap-export-12345678",
    target: || {
        Target::new(&outscale::Destination::Oos {
            bucket: "backups".into(),
            prefix: Some("web/".into()),
            format: "qcow2".into(),
        })
    },
    nothing: r#"{"ResponseContext": {"RequestId": "r"}, "SnapshotExportTasks": [], "Snapshots": []}"#,
};

pub static LIGHTSAIL: Deck = Deck {
    cloud: "lightsail",
    calls: &[
        call("ExportSnapshot", &[".exportsnapshot\r"], Job::Start),
        call("GetOperation", &[".getoperation\r"], Job::Look),
        call("GetOperations", &[".getoperations\r"], Job::List),
        call(
            "GetExportSnapshotRecords",
            &[".getexportsnapshotrecords\r"],
            Job::List,
        ),
        call(
            "GetInstanceSnapshots",
            &[".getinstancesnapshots\r"],
            Job::Sources,
        ),
        call("GetDiskSnapshots", &[".getdisksnapshots\r"], Job::Sources),
    ],
    snapshot: "web-1",
    task: "cc59c7d3-c056-47b2-a9f2-8e1525695bbb",
    target: || Target::new(&lightsail::Destination::Ec2),
    nothing: "{}",
};

pub static RACKSPACE: Deck = Deck {
    cloud: "rackspace",
    calls: &[
        call("create task", &["post /v2/tasks "], Job::Start),
        call("show task", &["get /v2/tasks/"], Job::Look),
        call("list tasks", &["get /v2/tasks"], Job::List),
        call("list images", &["get /v2/images"], Job::Sources),
        call("login v2", &["post /v2.0/tokens"], Job::List),
        call("login v3", &["post /v3/auth/tokens"], Job::List),
    ],
    snapshot: "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
    task: "cc59c7d3-c056-47b2-a9f2-8e1525695bbb",
    target: || {
        Target::new(&rackspace::Destination::CloudFiles {
            container: "exports".into(),
        })
    },
    nothing: r#"{"tasks": [], "images": []}"#,
};

/// What a client made of a reply.
#[derive(Debug, Default)]
pub struct Parsed {
    pub tasks: Vec<Task>,
    pub sources: Vec<Source>,
    pub errors: Vec<Error>,
}

/// A recorded reply as bytes that can be sent.
#[derive(Clone, Default)]
struct Recording {
    call: usize,
    /// What is sent; a call is answered so once, as there may be further pages.
    bytes: Option<Vec<u8>>,
}

/// A server that plays one recording at a time, and the cloud's client that hears it.
pub struct Player {
    deck: &'static Deck,
    url: String,
    recording: Arc<Mutex<Recording>>,
    runtime: Runtime,
    client: Arc<dyn Provider>,
}

impl Player {
    pub fn new(deck: &'static Deck) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let recording = Arc::new(Mutex::new(Recording::default()));
        let played = recording.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let played = played.clone();
                // A client that leaves is no concern of the tape's.
                std::thread::spawn(move || drop(play(deck, stream, &played)));
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let client = connect(&runtime, deck, &url, Access::Token);
        Player {
            deck,
            url,
            recording,
            runtime,
            client,
        }
    }

    /// Plays a recording, whatever its bytes are, and does what makes the client ask for it.
    pub fn play(&self, data: &[u8]) -> Parsed {
        let recording = Recording::read(data, self.deck.calls);
        let call = &self.deck.calls[recording.call];
        *self.recording.lock().expect("not poisoned") = recording;
        let version = match call.name {
            "login v2" => Some("v2.0"),
            "login v3" => Some("v3"),
            _ => None,
        };
        // A login happens once a client.
        let of_login = version
            .map(|version| connect(&self.runtime, self.deck, &self.url, Access::Login(version)));
        let client = of_login.as_deref().unwrap_or(self.client.as_ref());
        self.runtime.block_on(self.deck.make(client, call.job))
    }
}

/// How a Rackspace client gets its token.
#[derive(Clone, Copy)]
enum Access {
    Token,
    Login(&'static str),
}

/// A client of which every call goes to one server.
fn connect(runtime: &Runtime, deck: &Deck, url: &str, access: Access) -> Arc<dyn Provider> {
    let mut variables = vec![
        ("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK".to_owned()),
        (
            "OSC_SECRET_KEY",
            "SKEXAMPLE00000000000000000000000000000SK".to_owned(),
        ),
        ("OSC_ENDPOINT_API", url.to_owned()),
        ("OSC_ENDPOINT_OOS", url.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "SKEXAMPLE".to_owned()),
        ("AWS_REGION", "eu-west-3".to_owned()),
        ("AWS_ENDPOINT_URL_LIGHTSAIL", url.to_owned()),
        ("OS_OBJECT_STORE_URL", url.to_owned()),
        ("RAX_REGION", "DFW".to_owned()),
    ];
    match access {
        Access::Token => variables.extend([
            ("AUTH_TOKEN", "0123456789abcdef".to_owned()),
            ("API_ENDPOINT", format!("{url}/v2")),
        ]),
        Access::Login(version) => variables.extend([
            ("OS_USERNAME", "ops".to_owned()),
            ("OS_PASSWORD", "a-long-password".to_owned()),
            ("OS_PROJECT_NAME", "10042".to_owned()),
            ("OS_AUTH_URL", format!("{url}/{version}")),
            ("OS_IMAGE_URL", format!("{url}/v2")),
        ]),
    }
    let sources = Sources {
        env: variables.into_iter().collect(),
        ..Sources::default()
    };
    let limits = Limits {
        string: 16 * 1024,
        deadline: None,
        first_byte: Duration::from_millis(500),
        reply: Duration::from_secs(1),
        body: 1024 * 1024,
        attempts: 1,
    };
    let entry = provider::by_name(deck.cloud).expect("registered");
    let client = (entry.connect)(&sources, Http::with_limits(false, limits));
    runtime.block_on(client).expect("it connects")
}

impl Deck {
    async fn make(&self, client: &dyn Provider, job: Job) -> Parsed {
        let mut parsed = Parsed::default();
        match job {
            Job::Start => {
                let request = ExportRequest::new(self.snapshot, (self.target)());
                parsed.take(client.start(&request).await, |parsed, task| {
                    parsed.tasks.push(task);
                });
            }
            Job::Look => {
                let ids = [TaskId::from(self.task)];
                parsed.take(client.look(&ids).await, |parsed, slots| {
                    for slot in slots {
                        parsed.take(slot, |parsed, task| parsed.tasks.push(task));
                    }
                });
            }
            Job::List => parsed.take(
                client.tasks(&TaskFilter::default()).await,
                |parsed, tasks| parsed.tasks.extend(tasks),
            ),
            Job::Sources => parsed.take(client.exportable().await, |parsed, sources| {
                parsed.sources.extend(sources);
            }),
            Job::Locate => {
                let mut task = Task::unseen(client.id(), "eu-west-2", TaskId::from(self.task));
                task.state = State::Completed;
                task.snapshot = Some(self.snapshot.into());
                task.target = Some((self.target)());
                // Where it lies is told elsewhere; here only the reply counts.
                parsed.take(located(client, &task).await, |_, _| {});
            }
        }
        parsed
    }
}

impl Parsed {
    fn take<T>(&mut self, result: Result<T>, keep: impl FnOnce(&mut Self, T)) {
        match result {
            Ok(value) => keep(self, value),
            Err(error) => self.errors.push(error),
        }
    }
}

impl Recording {
    /// Reads any bytes: what is missing has a default, what cannot be sent is left out.
    fn read(data: &[u8], calls: &[Call]) -> Self {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&data[..end], &data[end + 2..]),
            None => (data, &[][..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let first = lines.next().and_then(|line| line.rsplit_once(' '));
        let (name, status) = first.unwrap_or_default();
        let call = calls.iter().position(|call| call.name == name);
        // Others have no body, or are followed by a second reply.
        let is_whole = |status: &u16| (200..600).contains(status) && ![204, 304].contains(status);
        let status = status.parse().ok().filter(is_whole).unwrap_or(200);
        let mut bytes = format!(
            "HTTP/1.1 {status} Recorded\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let name = name.trim().parse::<HeaderName>();
            let value = HeaderValue::from_str(value.trim());
            if let (Ok(name), Ok(value)) = (name, value)
                && !["content-length", "transfer-encoding", "connection"].contains(&name.as_str())
                && let Ok(value) = value.to_str()
            {
                bytes += &format!("{name}: {value}\r\n");
            }
        }
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Recording {
            call: call.unwrap_or(0),
            bytes: Some(bytes),
        }
    }
}

/// Answers the recorded call with the recording, once, and every other with nothing.
fn play(deck: &Deck, stream: TcpStream, recording: &Mutex<Recording>) -> std::io::Result<()> {
    let nothing = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        deck.nothing.len(),
        deck.nothing
    );
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while reader.read_line(&mut head)? > 0 && !head.ends_with("\r\n\r\n") {}
        if head.is_empty() {
            return Ok(());
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| {
            let length = line.strip_prefix("content-length:")?;
            length.trim().parse().ok()
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let bytes = {
            let mut recording = recording.lock().expect("not poisoned");
            let marks = deck.calls[recording.call].marks;
            let is_meant = marks.iter().any(|mark| head.contains(mark));
            let once = if is_meant {
                recording.bytes.take()
            } else {
                None
            };
            once.unwrap_or_else(|| nothing.clone().into_bytes())
        };
        writer.write_all(&bytes)?;
    }
}
