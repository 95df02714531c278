//! Servers that are broken, or mean harm: each cloud's provider against each of their tricks.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use snapexport::error::{Error, Kind};
use snapexport::http::{Http, Limits, Request};
use snapexport::provider::{Provider, TaskFilter, by_name};
use snapexport::settings::Sources;
use snapexport::task::TaskId;
use url::Url;

use crate::canned::{Answer, Canned};
use crate::program::{Ran, User};

const CLOUDS: [&str; 3] = ["outscale", "lightsail", "rackspace"];
const UUID: &str = "cc59c7d3-c056-47b2-a9f2-8e1525695bbb";

/// Credentials that lead every call of every cloud to one server.
pub fn variables(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK".into()),
        (
            "OSC_SECRET_KEY",
            "SKEXAMPLE00000000000000000000000000000SK".into(),
        ),
        ("OSC_ENDPOINT_API", url.into()),
        ("OSC_ENDPOINT_OOS", url.into()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "SKEXAMPLE".into()),
        ("AWS_REGION", "eu-west-3".into()),
        ("AWS_ENDPOINT_URL_LIGHTSAIL", url.into()),
        ("AUTH_TOKEN", "0123456789abcdef".into()),
        ("API_ENDPOINT", format!("{url}/v2")),
        ("OS_OBJECT_STORE_URL", url.into()),
        ("RAX_REGION", "DFW".into()),
    ]
}

pub async fn provider(cloud: &str, url: &str, limits: Limits) -> Arc<dyn Provider> {
    let sources = Sources {
        env: variables(url).into_iter().collect(),
        ..Sources::default()
    };
    let entry = by_name(cloud).expect("registered");
    let http = Http::with_limits(false, limits);
    (entry.connect)(&sources, http).await.expect("it connects")
}

fn failure<T>(result: snapexport::error::Result<T>) -> Error {
    match result {
        Err(error) => error,
        Ok(_) => panic!("this should have failed"),
    }
}

/// A server that does this with each connection, once it has read something.
struct Rude {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Rude {
    fn start(behave: fn(TcpStream) -> std::io::Result<()>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let _ = stream.read(&mut [0; 4096]);
                    // The client leaves, which is what is hoped for.
                    let _ = behave(stream);
                });
            }
        });
        Rude {
            address,
            connections,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn silent(mut stream: TcpStream) -> std::io::Result<()> {
    // Until the client leaves.
    while stream.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

fn slow_headers(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
    loop {
        stream.write_all(b"x-more: 1\r\n")?;
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn slow_body(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
    loop {
        stream.write_all(b" ")?;
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn endless_body(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    loop {
        stream.write_all(b"1000\r\n")?;
        stream.write_all(&[b' '; 0x1000])?;
        stream.write_all(b"\r\n")?;
    }
}

#[tokio::test]
async fn a_server_without_end_is_cut_off_in_time_and_in_size() {
    let limits = Limits {
        first_byte: Duration::from_millis(300),
        reply: Duration::from_millis(700),
        body: 100_000,
        ..Limits::default()
    };
    let tricks = [
        (silent as fn(TcpStream) -> _, Kind::Network, "within 0.3 s"),
        (slow_headers, Kind::Network, "within 0.3 s"),
        (slow_body, Kind::Network, "within 0.7 s"),
        (endless_body, Kind::Provider, "larger than 98 KiB"),
    ];
    let attempts = CLOUDS.into_iter().flat_map(|cloud| {
        tricks.map(|(behave, kind, words)| async move {
            let server = Rude::start(behave);
            let provider = provider(cloud, &server.url(), limits).await;
            let began = Instant::now();
            let error = failure(provider.exportable().await);
            assert_eq!(error.kind, kind, "{cloud}: {}", error.one_line());
            assert!(
                error.one_line().contains(words),
                "{cloud}: {}",
                error.one_line()
            );
            let tries = server.connections.load(Ordering::Relaxed);
            assert!(
                began.elapsed() < Duration::from_secs(25),
                "{cloud}: {tries} tries"
            );
            // Only what may pass is tried again.
            assert!(
                tries <= if kind == Kind::Network { 6 } else { 2 },
                "{cloud}: {tries} tries"
            );
        })
    });
    futures_util::future::join_all(attempts).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_carries_nothing_away() {
    for cloud in CLOUDS {
        let elsewhere = Canned::start(vec![Answer::json(200, "{}")]);
        for status in [301, 302, 307, 308] {
            let location = vec![(
                "location",
                format!("{}/steal?token=hunter2", elsewhere.url()),
            )];
            let server = Canned::start(vec![Answer::Reply(status, location, String::new())]);
            let provider = provider(cloud, &server.url(), Limits::default()).await;
            let error = failure(provider.exportable().await);
            assert_eq!(error.kind, Kind::Provider, "{cloud}: {}", error.one_line());
            assert!(
                error.one_line().contains("redirect"),
                "{cloud}: {}",
                error.one_line()
            );
            assert!(
                !error.one_line().contains("hunter2"),
                "{cloud}: {}",
                error.one_line()
            );
        }
        assert_eq!(elsewhere.requests(), [""; 0], "{cloud}");
    }
}

#[tokio::test]
async fn plain_http_leaves_this_machine_only_when_it_is_allowed() {
    // Documentation addresses (RFC 5737), which nobody owns.
    let request = |url: &str| Request::new("a call", Method::GET, Url::parse(url).expect("a URL"));
    let refused = failure(Http::new(false).once(request("http://192.0.2.1/")).await);
    assert_eq!(refused.kind, Kind::Usage, "{}", refused.one_line());
    assert!(refused.message.contains("a call"), "{refused}");
    let limits = Limits {
        first_byte: Duration::from_millis(200),
        ..Limits::default()
    };
    for (allow, url) in [
        (true, "http://192.0.2.1/"),
        // Where a cloud's machines get their credentials: plain by design, and it never leaves the host.
        (false, "http://169.254.170.2:1/"),
        (false, "http://127.0.0.1:1/"),
    ] {
        // Whatever becomes of it where this runs, it is tried.
        let outcome = Http::with_limits(allow, limits).once(request(url)).await;
        let kind = outcome.err().map(|error| error.kind);
        assert!(
            kind.is_none_or(|kind| kind == Kind::Network),
            "{url}: {kind:?}"
        );
    }
}

/// Replies with values that are out of range or of the wrong type; `None`: harmless, else the call that is to be named.
type Odd = (&'static str, Option<&'static str>);

async fn exportable(cloud: &str, body: &str) -> Result<usize, Error> {
    let server = Canned::start(vec![
        Answer::json(200, r#"{"ResponseContext":{}}"#),
        Answer::json(200, body),
    ]);
    let single = Canned::start(vec![Answer::json(200, body)]);
    // OUTSCALE's account is asked for first.
    let url = if cloud == "outscale" {
        server.url()
    } else {
        single.url()
    };
    let provider = provider(cloud, &url, Limits::default()).await;
    provider.exportable().await.map(|sources| sources.len())
}

#[tokio::test]
async fn lists_of_sources_with_odd_values_are_survived() {
    let outscale: [Odd; 6] = [
        (
            r#"{"ResponseContext":{},"Snapshots":[{"SnapshotId":"s","VolumeSize":1e300,"State":7,"Tags":{},"CreationDate":-1}]}"#,
            None,
        ),
        (
            r#"{"ResponseContext":{},"Snapshots":[{"SnapshotId":"s","VolumeSize":-5,"Tags":[1,{"Key":null}]}]}"#,
            None,
        ),
        (
            r#"{"ResponseContext":{},"Snapshots":[{"SnapshotId":"s","VolumeSize":18446744073709551615,"Progress":"x"}]}"#,
            None,
        ),
        (
            r#"{"ResponseContext":{},"Snapshots":"none"}"#,
            Some("ReadSnapshots"),
        ),
        (
            r#"{"ResponseContext":{},"Snapshots":[],"NextPageToken":5}"#,
            Some("ReadSnapshots"),
        ),
        (
            r#"{"Snapshots":[{"VolumeSize":1e999}]}"#,
            Some("ReadSnapshots"),
        ),
    ];
    let lightsail: [Odd; 4] = [
        (
            r#"{"instanceSnapshots":[{"name":"s","sizeInGb":2147483647,"fromAttachedDisks":[{"sizeInGb":2147483647},{"sizeInGb":-3}],"createdAt":null}]}"#,
            None,
        ),
        (
            r#"{"instanceSnapshots":[{"name":"s","sizeInGb":-1,"createdAt":-62135596801,"tags":[{}]}]}"#,
            None,
        ),
        (
            r#"{"instanceSnapshots":[{"name":7}]}"#,
            Some("GetInstanceSnapshots"),
        ),
        (
            r#"{"instanceSnapshots":"none"}"#,
            Some("GetInstanceSnapshots"),
        ),
    ];
    let rackspace: [Odd; 5] = [
        (
            r#"{"images":[{"id":"i","min_disk":-1,"virtual_size":"big","created_at":5,"owner":[]}]}"#,
            None,
        ),
        (
            r#"{"images":[{"id":"i","min_disk":18446744073709551615,"com.rackspace__1__options":1e300}]}"#,
            None,
        ),
        (r#"{"images":{"id":"i"}}"#, Some("list images")),
        (r#"{"images":[{"id":"i"}],"next":5}"#, Some("list images")),
        (r#"{"images":[{"id":1e999}]}"#, Some("list images")),
    ];
    for (cloud, table) in [
        ("outscale", &outscale[..]),
        ("lightsail", &lightsail),
        ("rackspace", &rackspace),
    ] {
        for (body, call) in table {
            match (exportable(cloud, body).await, call) {
                (Ok(count), None) => assert!(count >= 1, "{cloud} {body}"),
                (Err(error), Some(call)) => {
                    assert_eq!(
                        error.kind,
                        Kind::Provider,
                        "{cloud} {body}: {}",
                        error.one_line()
                    );
                    assert!(
                        error.one_line().contains(call),
                        "{cloud} {body}: {}",
                        error.one_line()
                    );
                }
                (other, _) => panic!("{cloud} {body}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn looks_at_tasks_with_odd_values_are_survived_and_never_called_not_found() {
    let task = |members: &str| {
        format!(
            r#"{{"ResponseContext":{{}},"SnapshotExportTasks":[{{"TaskId":"snap-export-1","State":"active",{members}}}]}}"#
        )
    };
    let operation = |members: &str| {
        format!(
            r#"{{"operation":{{"id":"{UUID}","status":"Started",{members}}},"exportSnapshotRecords":[]}}"#
        )
    };
    let shown = |members: &str| format!(r#"{{"id":"{UUID}","status":"processing",{members}}}"#);
    let no_id = r#"{"ResponseContext":{},"SnapshotExportTasks":[{"TaskId":5,"State":"active"}]}"#;
    for (cloud, id, body, call) in [
        (
            "outscale",
            "snap-export-1",
            task(r#""Progress":"42""#),
            None,
        ),
        (
            "outscale",
            "snap-export-1",
            task(r#""Progress":1e300"#),
            None,
        ),
        (
            "outscale",
            "snap-export-1",
            task(r#""Progress":-7,"Comment":[],"OsuExport":"x","Tags":7"#),
            None,
        ),
        (
            "outscale",
            "snap-export-1",
            task(r#""Progress":null,"SnapshotId":{}"#),
            None,
        ),
        (
            "outscale",
            "snap-export-1",
            task(r#""Progress":1e999"#),
            Some("ReadSnapshotExportTasks"),
        ),
        (
            "outscale",
            "snap-export-1",
            no_id.into(),
            Some("ReadSnapshotExportTasks"),
        ),
        (
            "outscale",
            "snap-export-1",
            r#"{"ResponseContext":{},"SnapshotExportTasks":{}}"#.into(),
            Some("ReadSnapshotExportTasks"),
        ),
        (
            "outscale",
            "snap-export-1",
            "[".repeat(100_000),
            Some("ReadSnapshotExportTasks"),
        ),
        (
            "lightsail",
            UUID,
            operation(r#""createdAt":null,"isTerminal":null"#),
            None,
        ),
        (
            "lightsail",
            UUID,
            operation(r#""createdAt":-99999999999"#),
            None,
        ),
        (
            "lightsail",
            UUID,
            operation(r#""isTerminal":"yes""#),
            Some("GetOperation"),
        ),
        (
            "lightsail",
            UUID,
            operation(r#""createdAt":"yesterday""#),
            Some("GetOperation"),
        ),
        (
            "lightsail",
            UUID,
            r#"{"operation":{"id":5}}"#.into(),
            Some("GetOperation"),
        ),
        ("lightsail", UUID, "[".repeat(100_000), Some("GetOperation")),
        (
            "rackspace",
            UUID,
            shown(r#""created_at":7,"message":[1],"input":"x","result":3"#),
            None,
        ),
        (
            "rackspace",
            UUID,
            shown(r#""expires_at":"-999999-13-45","updated_at":{}"#),
            None,
        ),
        (
            "rackspace",
            UUID,
            r#"{"id":5,"status":"success"}"#.into(),
            Some("show task"),
        ),
        (
            "rackspace",
            UUID,
            format!(r#"{{"id":"{UUID}","status":1e300}}"#),
            Some("show task"),
        ),
        // A cache that mixes up its answers must not end a wait.
        (
            "rackspace",
            UUID,
            r#"{"id":"00000000-c056-47b2-a9f2-8e1525695bbb","status":"success"}"#.into(),
            Some("show task"),
        ),
        ("rackspace", UUID, "[".repeat(100_000), Some("show task")),
    ] {
        let server = Canned::start(vec![Answer::json(200, &body)]);
        let provider = provider(cloud, &server.url(), Limits::default()).await;
        let shown: String = body.chars().take(120).collect();
        let seen = provider
            .look(&[TaskId::from(id)])
            .await
            .and_then(|mut slots| slots.remove(0));
        match (seen, call) {
            (Ok(task), None) => {
                assert_eq!(task.id.as_str(), id, "{cloud} {shown}");
                assert!(!task.state.is_terminal(), "{cloud} {shown}");
                assert!(task.percent().is_none_or(|percent| percent <= 100));
            }
            (Err(error), Some(call)) => {
                assert_eq!(
                    error.kind,
                    Kind::Provider,
                    "{cloud} {shown}: {}",
                    error.one_line()
                );
                assert!(
                    error.one_line().contains(call),
                    "{cloud} {shown}: {}",
                    error.one_line()
                );
            }
            (other, _) => panic!("{cloud} {shown}: {other:?}"),
        }
    }
}

/// A start is looked for in the list after its reply was lost: what cannot be read there must not count as absent.
#[tokio::test]
async fn a_list_with_a_task_that_cannot_be_read_is_no_list() {
    for (cloud, body, call) in [
        (
            "outscale",
            r#"{"ResponseContext":{},"SnapshotExportTasks":[{"State":"active"}]}"#,
            "ReadSnapshotExportTasks",
        ),
        (
            "rackspace",
            r#"{"tasks":[{"type":"export","status":"pending"}]}"#,
            "list tasks",
        ),
        (
            "lightsail",
            r#"{"operations":[{"id":7}],"exportSnapshotRecords":[{"name":7}]}"#,
            "Get",
        ),
    ] {
        let server = Canned::start(vec![Answer::json(200, body)]);
        let provider = provider(cloud, &server.url(), Limits::default()).await;
        let error = failure(provider.tasks(&TaskFilter::default()).await);
        assert_eq!(error.kind, Kind::Provider, "{cloud}: {}", error.one_line());
        assert!(
            error.one_line().contains(call),
            "{cloud}: {}",
            error.one_line()
        );
    }
}

#[tokio::test]
async fn pages_that_never_end_are_given_up() {
    // The token differs from page to page only where the server counts; here each cloud gets the same one for ever.
    for (cloud, body) in [
        (
            "outscale",
            r#"{"ResponseContext":{},"SnapshotExportTasks":[],"NextPageToken":"again"}"#,
        ),
        (
            "lightsail",
            r#"{"operations":[],"exportSnapshotRecords":[],"nextPageToken":"again"}"#,
        ),
        (
            "rackspace",
            r#"{"tasks":[{"id":"x","type":"export"}],"next":"/v2/tasks?marker=x"}"#,
        ),
    ] {
        let server = Canned::start(vec![Answer::json(200, body)]);
        let provider = provider(cloud, &server.url(), Limits::default()).await;
        let error = failure(provider.tasks(&TaskFilter::default()).await);
        let line = error.one_line();
        assert_eq!(error.kind, Kind::Provider, "{cloud}: {line}");
        assert!(
            line.contains("do not end") && line.contains("2 pages"),
            "{cloud}: {line}"
        );
        assert!(
            server.requests().len() <= 4,
            "{cloud}: {}",
            server.requests().len()
        );
    }
}

#[tokio::test]
async fn an_absurd_wish_to_be_left_alone_is_granted_for_an_hour_at_most() {
    let wishes = [
        "18446744073709551615",
        "99999999999999999999",
        "-5",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ];
    let attempts = CLOUDS.into_iter().flat_map(|cloud| {
        wishes.map(|wish| async move {
            let headers = vec![("retry-after", wish.to_owned())];
            let server = Canned::start(vec![Answer::Reply(429, headers, "{}".into())]);
            let provider = provider(cloud, &server.url(), Limits::default()).await;
            let error = failure(provider.exportable().await);
            assert_eq!(
                error.kind,
                Kind::RateLimited,
                "{cloud}: {}",
                error.one_line()
            );
            let granted = error.details.retry_after.unwrap_or_default();
            assert!(
                granted <= Duration::from_secs(3600),
                "{cloud} {wish}: {granted:?}"
            );
        })
    });
    futures_util::future::join_all(attempts).await;
}

/// What must not reach a terminal, and what of it a person should see.
const EVIL: &str = "a\u{1b}[2J\u{9b}31mb\u{202e}c\u{7f}\u{200b}d\u{2028}e\r\n\u{7}f";

fn assert_harmless(ran: &Ran) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        let evil =
            |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{200b}\u{2028}".contains(c));
        let found = text
            .find(evil)
            .map(|at| &text[at..(at + 8).min(text.len())]);
        assert!(found.is_none(), "{stream}: {found:?} in {:?}", ran.all());
    }
}

#[test]
fn no_text_of_a_server_drives_the_terminal_and_json_keeps_it_all() {
    let evil = serde_json::Value::from(EVIL).to_string();
    let list = |cloud: &str| match cloud {
        "outscale" => format!(
            r#"{{"ResponseContext":{{}},"Snapshots":[{{"SnapshotId":{evil},"State":{evil},"Description":{evil},"Tags":[{{"Key":{evil},"Value":{evil}}}]}}]}}"#
        ),
        "lightsail" => format!(
            r#"{{"instanceSnapshots":[{{"name":{evil},"state":{evil},"tags":[{{"key":{evil},"value":{evil}}}]}}],"diskSnapshots":[]}}"#
        ),
        _ => format!(r#"{{"images":[{{"id":{evil},"name":{evil},"status":{evil}}}]}}"#),
    };
    let look = |cloud: &str| match cloud {
        "outscale" => format!(
            r#"{{"ResponseContext":{{}},"SnapshotExportTasks":[{{"TaskId":"snap-export-1","SnapshotId":{evil},"State":"failed","Comment":{evil},"OsuExport":{{"OsuBucket":{evil},"DiskImageFormat":{evil}}}}}]}}"#
        ),
        "lightsail" => format!(
            r#"{{"operation":{{"id":"{UUID}","resourceName":{evil},"status":"Failed","isTerminal":true,"errorCode":{evil},"errorDetails":{evil}}},"exportSnapshotRecords":[]}}"#
        ),
        _ => format!(
            r#"{{"id":"{UUID}","status":"failure","message":{evil},"input":{{"image_uuid":{evil},"receiving_swift_container":{evil}}},"type":"export"}}"#
        ),
    };
    let refusal = |cloud: &str| match cloud {
        "outscale" => format!(
            r#"{{"Errors":[{{"Code":{evil},"Details":{evil}}}],"ResponseContext":{{"RequestId":{evil}}}}}"#
        ),
        "lightsail" => {
            format!(r#"{{"__type":{evil},"message":{evil},"tip":{evil},"docs":{evil}}}"#)
        }
        _ => format!(r#"{{{evil}:{{"message":{evil}}}}}"#),
    };
    for cloud in CLOUDS {
        let id = if cloud == "outscale" {
            "outscale/snap-export-1".to_owned()
        } else {
            format!("{cloud}/{UUID}")
        };
        for (status, body, args, code) in [
            (200, list(cloud), &["list", cloud][..], 0),
            (200, look(cloud), &["wait", &id], 3),
            (200, look(cloud), &["wait", &id, "--progress", "always"], 3),
            (200, look(cloud), &["status", &id], 0),
            (400, refusal(cloud), &["status", &id], 1),
            (200, EVIL.to_owned(), &["list", cloud], 1),
        ] {
            let server = Canned::start(vec![Answer::json(status, &body)]);
            let user = variables(&server.url())
                .into_iter()
                .fold(User::new(), |user, (name, value)| user.with(name, &value));
            let events: &[&str] = match args[0] {
                "wait" => &["-o", "json", "--events"],
                _ => &["-o", "json"],
            };
            for form in [
                events,
                &["-o", "table"],
                &["-o", "id"],
                &["-o", "json"],
                &["-o", "json", "--raw", "-vvv"],
            ] {
                let ran = user.run(&[args, form].concat());
                assert_eq!(ran.code, Some(code), "{}", ran.all());
                assert_harmless(&ran);
                if form.contains(&"json") && code != 1 {
                    let text = ran.json()[0].to_string();
                    assert!(
                        text.contains(evil.trim_matches('"')),
                        "{cloud} keeps it: {}",
                        ran.all()
                    );
                }
                if form.contains(&"json") && code == 1 && status == 400 {
                    let error = ran.json_error();
                    // Rackspace's words come as markup, of which only the text is kept; its code is as it came.
                    let member = if cloud == "rackspace" {
                        "code"
                    } else {
                        "message"
                    };
                    assert!(
                        error[member]
                            .as_str()
                            .is_some_and(|words| words.contains(EVIL)),
                        "{cloud}: {error}"
                    );
                }
            }
        }
        // What was typed may come from elsewhere too.
        for args in [
            &["wait", EVIL][..],
            &["list", EVIL],
            &[EVIL],
            &["export", "outscale", EVIL, "--bucket", EVIL],
        ] {
            let user = variables("http://127.0.0.1:9")
                .into_iter()
                .fold(User::new(), |user, (name, value)| user.with(name, &value));
            let ran = user.run(args);
            assert_eq!(ran.code, Some(2), "{}", ran.all());
            assert_harmless(&ran);
        }
    }
}

#[test]
fn what_is_for_this_machine_goes_through_no_proxy() {
    let proxy = Canned::start(vec![Answer::json(200, "{}")]);
    let server = Canned::start(vec![Answer::json(200, r#"{"images":[{"id":"i"}]}"#)]);
    let user = variables(&server.url())
        .into_iter()
        .fold(User::new(), |user, (name, value)| user.with(name, &value));
    let user = user
        .with("HTTP_PROXY", &proxy.url())
        .with("http_proxy", &proxy.url());
    let user = user.with("ALL_PROXY", &proxy.url());
    let ran = user.run(&["list", "rackspace", "-q"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "i\n"),
        "{}",
        ran.all()
    );
    assert_eq!(proxy.requests(), [""; 0]);
}
