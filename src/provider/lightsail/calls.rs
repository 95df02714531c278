//! The API calls that an export needs. The SDK has neither paginators nor waiters for Lightsail; the loop over pages is ours.

use std::cmp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_sdk_lightsail::Client;
use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::primitives::DateTime;
use aws_sdk_lightsail::types::{DiskSnapshot, ExportSnapshotRecord, InstanceSnapshot, Operation};
use jiff::Timestamp;
use serde_json::Value;

use super::connector::Capture;
use super::errors::{of_call, of_start};
use crate::error::{Error, Kind, Result};
use crate::http::{Page, pages};
use crate::provider::belief::{is_id, is_same, twice};
use crate::secret::clean;
use crate::task::Raw;

/// A thing as the SDK understands it, and as the API said it.
#[derive(Clone, Debug)]
pub(super) struct Seen<T> {
    /// The SDK's type; words it does not know are kept.
    pub typed: T,
    /// The API's JSON object, unchanged and not yet cleared of secrets; only where it was asked for.
    pub raw: Raw,
    /// When it was said.
    pub at: Timestamp,
}

/// Lightsail in one region, for one caller.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub client: Client,
    /// Whether its own objects are wanted.
    pub with_raw: bool,
}

impl Calls {
    /// ExportSnapshot, sent once: the call has no idempotency token, so a repetition could start a second export.
    pub(super) async fn export_snapshot(&self, snapshot: &str) -> Result<Vec<Seen<Operation>>> {
        let capture = Capture::default();
        let once = aws_sdk_lightsail::Config::builder().retry_config(RetryConfig::disabled());
        let output = self
            .client
            .export_snapshot()
            .source_snapshot_name(snapshot)
            .customize()
            .config_override(once)
            .interceptor(capture.clone())
            .send()
            .await
            .map_err(|error| of_start(snapshot, &error))?;
        let operations = output.operations.unwrap_or_default();
        Ok(self.seen_all(operations, &capture, "operations"))
    }

    /// Pairs what the SDK read with the API's own objects, which stand in the same order, where they are wanted.
    fn seen_all<T>(&self, typed: Vec<T>, capture: &Capture, member: &str) -> Vec<Seen<T>> {
        let at = capture.at();
        let said = self.with_raw.then(|| capture.member(member));
        let mut said = match said {
            Some(Value::Array(objects)) => objects.into_iter(),
            _ => Vec::new().into_iter(),
        };
        let pair = |typed| Seen {
            typed,
            raw: Raw::of(&said.next().unwrap_or_default()),
            at,
        };
        typed.into_iter().map(pair).collect()
    }

    /// GetOperation. An id that Lightsail does not know is kind `not_found`.
    pub(super) async fn operation(&self, id: &str) -> Result<Seen<Operation>> {
        let capture = Capture::default();
        let output = self
            .client
            .get_operation()
            .operation_id(id)
            .customize()
            .interceptor(capture.clone())
            .send()
            .await
            .map_err(|error| {
                let what = format!("The operation {id} cannot be read");
                of_call(&what, "GetOperation", &error)
            })?;
        let typed = output.operation.ok_or_else(|| {
            Error::new(
                Kind::Provider,
                format!("The reply to GetOperation holds no operation {id}"),
            )
        })?;
        if let Some(other) = typed.id().filter(|other| !is_same(other, id)) {
            let sentence = format!("The reply to GetOperation {id} is of another operation");
            return Err(Error::new(Kind::Provider, sentence).cause(format!("'{}'", clean(other))));
        }
        let raw = match self.with_raw {
            true => Raw::of(&capture.member("operation")),
            false => Raw::default(),
        };
        let at = capture.at();
        Ok(Seen { typed, raw, at })
    }

    /// GetOperations, all pages: up to 200 a page, oldest first.
    pub(super) async fn operations(&self) -> Result<Vec<Seen<Operation>>> {
        self.some_operations(usize::MAX, |_| true)
            .await
            .map(|(all, _)| all)
    }

    /// The same, of so many pages at most and only those that are wanted; and how many pages there were, if these were all.
    pub(super) async fn some_operations(
        &self,
        most: usize,
        is_wanted: impl Fn(&Operation) -> bool,
    ) -> Result<(Vec<Seen<Operation>>, Option<usize>)> {
        let (count, is_cut) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (number, cut, is_wanted) = (&count, &is_cut, &is_wanted);
        let all = pages("GetOperations", |token| async move {
            let capture = Capture::default();
            let output = self
                .client
                .get_operations()
                .set_page_token(token)
                .customize()
                .interceptor(capture.clone())
                .send()
                .await
                .map_err(|error| {
                    of_call("The operations cannot be listed", "GetOperations", &error)
                })?;
            let operations = output.operations.unwrap_or_default();
            let mut seen = self.seen_all(operations, &capture, "operations");
            seen.retain(|seen| is_wanted(&seen.typed));
            for Seen { typed, .. } in &mut seen {
                typed.location = None;
            }
            let is_last = number.fetch_add(1, Ordering::Relaxed) + 1 >= most;
            let next = output.next_page_token;
            cut.store(is_last && next.is_some(), Ordering::Relaxed);
            Ok(page(seen, next.filter(|_| !is_last), capture.size()))
        })
        .await
        .and_then(|all| {
            each_once("GetOperations", all, Operation::id, |op| {
                op.status_changed_at()
            })
        })?;
        let is_whole = !is_cut.into_inner();
        Ok((all, is_whole.then(|| count.into_inner())))
    }

    /// GetExportSnapshotRecords, all pages: the API has neither filter nor look-up by name. What nobody needs of a hundred
    /// thousand is left out.
    pub(super) async fn records(&self) -> Result<Vec<Seen<ExportSnapshotRecord>>> {
        const CALL: &str = "GetExportSnapshotRecords";
        pages(CALL, |token| async move {
            let capture = Capture::default();
            let output = self
                .client
                .get_export_snapshot_records()
                .set_page_token(token)
                .customize()
                .interceptor(capture.clone())
                .send()
                .await
                .map_err(|error| of_call("The export records cannot be listed", CALL, &error))?;
            let records = output.export_snapshot_records.unwrap_or_default();
            let mut seen = self.seen_all(records, &capture, "exportSnapshotRecords");
            for Seen { typed, .. } in &mut seen {
                (typed.arn, typed.location) = (None, None);
                if let Some(info) = &mut typed.source_info {
                    (info.arn, info.from_resource_name, info.from_resource_arn) =
                        (None, None, None);
                    (info.instance_snapshot_info, info.disk_snapshot_info) = (None, None);
                }
            }
            Ok(page(seen, output.next_page_token, capture.size()))
        })
        .await
        .and_then(|all| {
            each_once(CALL, all, ExportSnapshotRecord::name, |rec| {
                rec.created_at()
            })
        })
    }

    /// GetInstanceSnapshot; kind `not_found` where there is none of this name.
    pub(super) async fn instance_snapshot(&self, name: &str) -> Result<InstanceSnapshot> {
        let sent = self
            .client
            .get_instance_snapshot()
            .instance_snapshot_name(name)
            .send();
        const CALL: &str = "GetInstanceSnapshot";
        let output = sent.await.map_err(|error| {
            let what = format!("The instance snapshot '{name}' cannot be read");
            of_call(&what, CALL, &error)
        })?;
        output
            .instance_snapshot
            .ok_or_else(|| no_snapshot_in(CALL, name))
    }

    /// GetDiskSnapshot; kind `not_found` where there is none of this name.
    pub(super) async fn disk_snapshot(&self, name: &str) -> Result<DiskSnapshot> {
        let sent = self
            .client
            .get_disk_snapshot()
            .disk_snapshot_name(name)
            .send();
        const CALL: &str = "GetDiskSnapshot";
        let output = sent.await.map_err(|error| {
            let what = format!("The disk snapshot '{name}' cannot be read");
            of_call(&what, CALL, &error)
        })?;
        output
            .disk_snapshot
            .ok_or_else(|| no_snapshot_in(CALL, name))
    }

    /// GetInstanceSnapshots, all pages.
    pub(super) async fn instance_snapshots(&self) -> Result<Vec<InstanceSnapshot>> {
        const CALL: &str = "GetInstanceSnapshots";
        pages(CALL, |token| async move {
            let capture = Capture::default();
            let call = self.client.get_instance_snapshots().set_page_token(token);
            let sent = call.customize().interceptor(capture.clone()).send();
            let output = sent.await.map_err(|error| {
                of_call("The instance snapshots cannot be listed", CALL, &error)
            })?;
            let snapshots = output.instance_snapshots.unwrap_or_default();
            Ok(page(snapshots, output.next_page_token, capture.size()))
        })
        .await
    }

    /// GetDiskSnapshots, all pages.
    pub(super) async fn disk_snapshots(&self) -> Result<Vec<DiskSnapshot>> {
        const CALL: &str = "GetDiskSnapshots";
        pages(CALL, |token| async move {
            let capture = Capture::default();
            let call = self.client.get_disk_snapshots().set_page_token(token);
            let sent = call.customize().interceptor(capture.clone()).send();
            let output = sent
                .await
                .map_err(|error| of_call("The disk snapshots cannot be listed", CALL, &error))?;
            let snapshots = output.disk_snapshots.unwrap_or_default();
            Ok(page(snapshots, output.next_page_token, capture.size()))
        })
        .await
    }
}

/// What a list holds, each once: of two of the same id the later, by its own time. Where no time tells, and where an id is
/// none, it is no list.
fn each_once<T: PartialEq>(
    call: &str,
    all: Vec<Seen<T>>,
    id: impl Fn(&T) -> Option<&str>,
    time: impl Fn(&T) -> Option<&DateTime>,
) -> Result<Vec<Seen<T>>> {
    let mut once: Vec<Seen<T>> = Vec::with_capacity(all.len());
    let mut places = HashMap::new();
    for seen in all {
        let Some(own) = id(&seen.typed) else {
            once.push(seen);
            continue;
        };
        if !is_id(own) {
            let sentence = format!("The reply to {call} lists what has no proper id");
            return Err(Error::new(Kind::Provider, sentence).cause(format!("'{}'", clean(own))));
        }
        let at = *places.entry(own.to_owned()).or_insert(once.len());
        let Some(other) = once.get_mut(at) else {
            once.push(seen);
            continue;
        };
        match time(&other.typed).partial_cmp(&time(&seen.typed)) {
            Some(cmp::Ordering::Less) => *other = seen,
            Some(cmp::Ordering::Equal) if other.typed != seen.typed => {
                return Err(twice(call, own));
            }
            _ => {}
        }
    }
    Ok(once)
}

fn no_snapshot_in(call: &str, name: &str) -> Error {
    let sentence = format!("The reply to {call} holds no snapshot '{name}'");
    Error::new(Kind::NotFound, sentence)
}

/// A page, from what the SDK read. An empty token is none.
fn page<T>(items: Vec<T>, token: Option<String>, size: usize) -> Page<T, String> {
    let next = token.filter(|token| !token.is_empty());
    Page { items, next, size }
}
