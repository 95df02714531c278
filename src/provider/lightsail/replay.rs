//! Recorded replies through the SDK's parsers and ours, for fuzzing.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::calls::Calls;
use super::connector::into_sdk;
use super::{join, merge, sources};
use crate::error::{Error, Kind};
use crate::http::Reply;
use crate::provider::recorded::{Parsed, Recorded};

const REGION: &str = "eu-west-3";
const CALLS: [&str; 6] = [
    "ExportSnapshot",
    "GetOperation",
    "GetOperations",
    "GetExportSnapshotRecords",
    "GetInstanceSnapshots",
    "GetDiskSnapshots",
];

/// Answers the first request with the reply, and what comes after it not at all.
#[derive(Clone, Debug)]
struct Tape(Arc<Mutex<Option<Reply>>>);

impl HttpClient for Tape {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Tape {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let reply = self.0.lock().ok().and_then(|mut tape| tape.take());
        HttpConnectorFuture::ready(
            reply
                .ok_or_else(|| Error::new(Kind::Network, "the tape has ended"))
                .and_then(into_sdk)
                .map_err(|error| ConnectorError::other(error.into(), None)),
        )
    }
}

thread_local! {
    /// A client is made once: that takes longer than a call.
    static PLAYER: (Tape, Calls) = {
        let tape = Tape(Arc::default());
        let config = aws_sdk_lightsail::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("AK", "SK", None, None, "recorded"))
            .http_client(tape.clone())
            .retry_config(RetryConfig::disabled())
            .build();
        (tape, Calls(aws_sdk_lightsail::Client::from_conf(config)))
    };
}

/// Reads a recorded reply as the call it names would.
#[doc(hidden)]
pub async fn fuzz_replies(data: &[u8]) -> Parsed {
    let Recorded { call, reply } = Recorded::read(data, &CALLS);
    let calls = PLAYER.with(|(tape, calls)| {
        if let Ok(mut tape) = tape.0.lock() {
            *tape = Some(reply);
        }
        calls.clone()
    });
    let mut parsed = Parsed::default();
    let of_operation = |seen| merge::task(REGION, Some(&seen), None);
    match call {
        "ExportSnapshot" => parsed.take(calls.export_snapshot("web-1").await, |parsed, seen| {
            parsed
                .tasks
                .extend(seen.into_iter().filter_map(of_operation));
        }),
        "GetOperation" => parsed.take(calls.operation("1").await, |parsed, seen| {
            parsed.tasks.extend(of_operation(seen));
        }),
        "GetOperations" => parsed.take(calls.operations().await, |parsed, seen| {
            parsed
                .tasks
                .extend(seen.into_iter().filter_map(of_operation));
        }),
        "GetInstanceSnapshots" => parsed.take(calls.instance_snapshots().await, |parsed, seen| {
            let sources = seen
                .iter()
                .filter_map(|one| sources::of_instance(REGION, one));
            parsed.sources.extend(sources);
        }),
        "GetDiskSnapshots" => parsed.take(calls.disk_snapshots().await, |parsed, seen| {
            let sources = seen.iter().filter_map(|one| sources::of_disk(REGION, one));
            parsed.sources.extend(sources);
        }),
        _ => parsed.take(calls.records().await, |parsed, seen| {
            let tasks = seen
                .iter()
                .filter_map(|one| merge::task(REGION, None, Some(one)));
            parsed.tasks.extend(tasks);
            // Each record against an operation of the same snapshot.
            let operation = aws_sdk_lightsail::types::Operation::builder()
                .resource_name("web-1")
                .created_at(aws_sdk_lightsail::primitives::DateTime::from_secs(
                    1_768_480_496,
                ))
                .build();
            let records: Vec<_> = seen.iter().map(|one| &one.typed).collect();
            join::join(&[join::Claim::of_operation(&operation)], &records);
        }),
    }
    parsed
}
