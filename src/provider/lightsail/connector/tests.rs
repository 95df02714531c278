use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::config::{BehaviorVersion, Credentials, Region};

use super::*;
use crate::provider::lightsail::calls::Calls;
use crate::provider::lightsail::credentials::time_limits;

/// A server that takes connections and never says a word; counts them.
fn silent() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            seen.fetch_add(1, Ordering::SeqCst);
            open.push(stream);
        }
    });
    (format!("http://{address}"), count)
}

#[tokio::test]
async fn a_read_that_a_silent_server_leaves_waiting_is_not_repeated() {
    let (url, count) = silent();
    let connector = Connector {
        http: Http::new(false),
        read_timeout: Duration::from_millis(100),
        instead: None,
    };
    let config = aws_sdk_lightsail::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-3"))
        .credentials_provider(Credentials::new("AKIA", "secret", None, None, "test"))
        .http_client(connector)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(time_limits())
        .endpoint_url(url)
        .build();
    let calls = Calls {
        client: aws_sdk_lightsail::Client::from_conf(config),
        with_raw: false,
    };
    let error = calls.records().await.expect_err("silence");
    assert_eq!(error.kind, Kind::Network, "{error:?}");
    assert!(
        error
            .one_line()
            .contains("No answer to GetExportSnapshotRecords"),
        "{error:?}"
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn reads_against_a_silent_server_end_within_twenty_seconds() {
    let limit = Connector::new(Http::new(false)).read_timeout;
    assert!(limit >= Duration::from_secs(10) && limit <= Duration::from_secs(20));
}

#[test]
fn the_time_of_an_answer_is_the_servers() {
    let capture = Capture::default();
    *capture.lock() = Reception {
        body: br#"{"operation":{"id":"x"}}"#.to_vec(),
        date: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
    };
    assert_eq!(capture.at().to_string(), "1994-11-06T08:49:37Z");
    assert_eq!(capture.member("operation")["id"], "x");
    assert_eq!(capture.member("other"), Value::Null);
    capture.lock().date = None;
    assert!(capture.at().as_second() > 1_700_000_000);
    capture.lock().body = b"[1]".to_vec();
    assert_eq!(capture.member("operation"), Value::Null);
}
