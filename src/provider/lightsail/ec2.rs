//! EC2, as far as it tells what became of an export: two calls of its Query API (version 2016-11-15). The SDK's crate for
//! EC2 is some twenty times as large as all that is used here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use jiff::Timestamp;
use reqwest::Method;
use roxmltree::{Document, Node, ParsingOptions};
use serde::Serialize;

use super::errors::{classify, of_credentials};
use super::expiry::Watched;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Reply, Request};
use crate::provider::belief::is_id;
use crate::provider::sigv4;
use crate::secret::Url;

/// The most values of a filter (EC2's documentation of filters).
const MOST_VALUES: usize = 200;
/// Elements of a reply, at most; an image has some forty, and one of [`MOST_VALUES`] may have ten times as many.
const MOST_NODES: u32 = 200_000;

/// EC2 in the region of the exports, for the same caller.
pub(super) struct Ec2 {
    http: Http,
    credentials: Watched,
    region: String,
    endpoint: Url,
    has_answered: AtomicBool,
}

/// A machine image. Names as in EC2's JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    pub image_id: String,
    /// `pending`, `available`, `failed`, …
    pub image_state: String,
    /// Why it failed.
    pub state_reason: Option<String>,
    /// The EBS snapshots behind it, as far as it names them; the root device's first.
    pub snapshot_ids: Vec<String>,
    /// The devices of these, in the same order.
    #[serde(skip)]
    pub devices: Vec<String>,
}

/// An EBS snapshot. Names as in EC2's JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot {
    pub snapshot_id: String,
    /// `pending`, `completed`, `error`, …
    pub state: String,
    /// Why it failed.
    pub state_message: Option<String>,
    /// How far it is, such as `42%`.
    pub progress: Option<String>,
    pub completion_time: Option<Timestamp>,
}

impl Ec2 {
    pub(super) fn new(http: Http, credentials: Watched, region: String, endpoint: Url) -> Self {
        Ec2 {
            http,
            credentials,
            region,
            endpoint,
            has_answered: AtomicBool::new(false),
        }
    }

    /// DescribeImages: those of these ids that there are.
    pub(super) async fn images(&self, ids: &[String]) -> Result<BTreeMap<String, Image>> {
        self.described("DescribeImages", "image-id", ids, |item| {
            let (devices, snapshot_ids) = behind(item);
            let image = Image {
                image_id: text(item, "imageId")?,
                image_state: text(item, "imageState")?,
                state_reason: child(item, "stateReason").and_then(|why| text(why, "message")),
                snapshot_ids,
                devices,
            };
            Some((image.image_id.clone(), image))
        })
        .await
    }

    /// DescribeSnapshots: those of these ids that there are.
    pub(super) async fn snapshots(&self, ids: &[String]) -> Result<BTreeMap<String, Snapshot>> {
        self.described("DescribeSnapshots", "snapshot-id", ids, |item| {
            let snapshot = Snapshot {
                snapshot_id: text(item, "snapshotId")?,
                state: text(item, "status")?,
                state_message: text(item, "statusMessage"),
                progress: text(item, "progress"),
                completion_time: text(item, "completionTime").and_then(|time| time.parse().ok()),
            };
            Some((snapshot.snapshot_id.clone(), snapshot))
        })
        .await
    }

    /// Whether the caller may ask: kind `permission` and others if not.
    pub(super) async fn can_be_read(&self) -> Result<()> {
        let nothing = "0".repeat(17);
        self.images(&[format!("ami-{nothing}")]).await?;
        self.snapshots(&[format!("snap-{nothing}")]).await?;
        Ok(())
    }

    /// Whether an error tells more of the way to EC2 than of EC2: nobody has ever answered from there.
    pub(super) fn is_out_of_reach(&self, error: &Error) -> bool {
        error.kind == Kind::Network && !self.has_answered.load(Ordering::Relaxed)
    }

    /// By filter, as an id that does not exist would refuse a request for all others.
    async fn described<T>(
        &self,
        call: &'static str,
        filter: &str,
        ids: &[String],
        read: impl Fn(Node<'_, '_>) -> Option<(String, T)> + Send + Sync,
    ) -> Result<BTreeMap<String, T>> {
        let mut all = BTreeMap::new();
        for ids in ids.chunks(MOST_VALUES) {
            let body = form(call, filter, ids);
            let credentials = self.credentials.current().await;
            let credentials = credentials.map_err(|error| of_credentials(&error))?;
            let build = || {
                let request = Request::new(call, Method::POST, self.endpoint.clone());
                let form = "application/x-www-form-urlencoded; charset=utf-8";
                let request = request.header("content-type", form)?.body(body.clone());
                let now = SystemTime::now();
                sigv4::sign(request, credentials.clone(), &self.region, "ec2", now)
            };
            let parse = |reply: Reply| {
                self.has_answered.store(true, Ordering::Relaxed);
                read_items(&reply, &read)
            };
            all.extend(self.http.read(build, parse).await?);
        }
        Ok(all)
    }
}

fn form(call: &str, filter: &str, ids: &[String]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", call);
    form.append_pair("Version", "2016-11-15");
    form.append_pair("Filter.1.Name", filter);
    for (index, id) in ids.iter().enumerate() {
        form.append_pair(&format!("Filter.1.Value.{}", index + 1), id);
    }
    form.finish()
}

/// The items of a reply's one set.
fn read_items<T>(
    reply: &Reply,
    read: impl Fn(Node<'_, '_>) -> Option<(String, T)>,
) -> Result<Vec<(String, T)>> {
    let body = String::from_utf8_lossy(&reply.body);
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&body, options).ok();
    let root = document.as_ref().map(Document::root_element);
    let set = root.filter(|_| reply.is_success()).and_then(|root| {
        root.children()
            .find(|set| set.tag_name().name().ends_with("Set"))
    });
    match set {
        Some(set) => Ok(items(set).filter_map(read).collect()),
        None => Err(refused(reply, root)),
    }
}

/// What a reply that lists nothing says.
fn refused(reply: &Reply, root: Option<Node<'_, '_>>) -> Error {
    let part = |name: &str| {
        let mut all = root?.descendants();
        let found = all.find(|node| node.has_tag_name(name))?;
        found.text().map(str::to_owned)
    };
    let code = part("Code");
    let message = part("Message").unwrap_or_else(|| reply.excerpt());
    let kind = if reply.is_success() {
        Kind::Provider
    } else {
        classify(
            code.as_deref(),
            None,
            &message,
            reply.status,
            code.is_some(),
        )
    };
    let mut error = Error::new(kind, format!("EC2 did not tell about it ({})", reply.name))
        .cause(message)
        .request_id(part("RequestID"))
        .retry_after(reply.retry_after());
    error = match code {
        Some(code) => error.code(code),
        None => error.cause(format!("HTTP {}", reply.status)),
    };
    if kind == Kind::Permission {
        return error.hint(format!("allow ec2:{} to this user or role", reply.name));
    }
    error
}

/// The devices of an image and their snapshots; the root device first.
fn behind(image: Node<'_, '_>) -> (Vec<String>, Vec<String>) {
    let root = text(image, "rootDeviceName");
    let devices = child(image, "blockDeviceMapping")
        .into_iter()
        .flat_map(items);
    let mut found: Vec<(Option<String>, String)> = devices
        .filter_map(|device| {
            let id = text(child(device, "ebs")?, "snapshotId").filter(|id| is_id(id))?;
            Some((text(device, "deviceName"), id))
        })
        .collect();
    found.sort_by_key(|(device, _)| *device != root);
    let named = |(device, id): (Option<String>, String)| (device.unwrap_or_default(), id);
    found.into_iter().map(named).unzip()
}

fn items<'a, 'i>(set: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    set.children().filter(|node| node.has_tag_name("item"))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text = child(node, name)?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
