//! Rackspace: Identity, Cloud Images and Cloud Files, all on one port.

mod glance;
mod identity;
mod schemas;
mod tasks;

use std::collections::BTreeMap;

use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::tasks::Task;
use crate::clock::Moment;
use crate::ids::{random_hex, random_uuid};
use crate::swift::{self, Account};
use crate::{World, wire};

/// Who may log in.
pub(crate) const USERNAME: &str = "sandbox";
/// With this key,
pub(crate) const API_KEY: &str = "5a4d0b0c5a4d0b0c5a4d0b0c5a4d0b0c";
/// or with this password.
pub(crate) const PASSWORD: &str = "Sandbox-Passw0rd";
/// The account's default region, and the only one with images and files.
pub(crate) const REGION: &str = "DFW";
/// The account number: the tenant of Cloud Images.
const TENANT: &str = "981977";
const USER_ID: &str = "172157";
/// The tenant of Cloud Files.
const FILES_TENANT: &str = "MossoCloudFS_9c24e3db-52bf-4f26-8dc1-220871796e9f";
/// A token's life.
const TOKEN_HOURS: i64 = 24;

/// Everything this cloud knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// How many exports were really started.
    pub starts: u64,
    /// How many logins were granted.
    pub logins: u64,
    /// Containers and objects.
    pub(crate) files: Account,
    images: Vec<Image>,
    tasks: Vec<Task>,
    tokens: BTreeMap<String, Timestamp>,
}

/// A server image.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Image {
    id: String,
    name: String,
    status: String,
    visibility: String,
    owner: String,
    /// `com.rackspace__1__options`: bit 4 means Windows.
    options: Option<String>,
    /// Blocks of the sample disk that hold data.
    blocks: usize,
    size: Option<u64>,
    min_disk: u64,
    created_at: Timestamp,
    /// How far its export comes before it breaks for no reason of the user's.
    breaks_at: Option<f64>,
}

impl Default for State {
    fn default() -> Self {
        State {
            starts: 0,
            logins: 0,
            files: Account::with_containers(FILES_TENANT, &["demo", "exports"]),
            images: sample_images(),
            tasks: Vec::new(),
            tokens: BTreeMap::new(),
        }
    }
}

impl State {
    /// Forgets every token, as a password change does.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Lets every image that is being saved be whole.
    pub fn finish_snapshots(&mut self) {
        let saving = self.images.iter_mut().filter(|one| one.status == "saving");
        saving.for_each(|one| {
            one.status = "active".into();
            one.size = Some(one.blocks as u64 * 64 * 1024);
        });
    }

    /// Takes a task out of sight.
    pub(crate) fn hide(&mut self, id: &str) {
        self.tasks.retain(|task| task.id != id);
    }

    /// A token good for a day from `now` on. Logging in again gives the same one until its last hour.
    fn token(&mut self, now: Timestamp) -> (String, Timestamp) {
        self.logins += 1;
        self.tokens.retain(|_, expires| *expires > now);
        let renew_from = after_hours(now, 1);
        if let Some((id, expires)) = self.tokens.iter().find(|(_, e)| **e > renew_from) {
            return (id.clone(), *expires);
        }
        let (id, expires) = (random_hex(32), after_hours(now, TOKEN_HOURS));
        self.tokens.insert(id.clone(), expires);
        (id, expires)
    }

    fn is_good_token(&self, token: &str, now: Timestamp) -> bool {
        self.tokens.get(token).is_some_and(|expires| *expires > now)
    }

    fn has_good_token(&self, request: &wire::Request, now: Timestamp) -> bool {
        request
            .header("x-auth-token")
            .is_some_and(|token| self.is_good_token(token, now))
    }
}

/// Answers for all three services.
pub(crate) fn handle(
    world: &mut World,
    request: &wire::Request,
    moment: &Moment,
) -> wire::Response {
    let state = &mut world.rackspace;
    let path = request.path.trim_end_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments[..] {
        [] | ["versions"] => glance::versions(request),
        ["v2.0", "tokens"] => identity::v2(state, request, moment),
        ["v2.0"] => identity::version(request, "v2.0"),
        ["v3"] => identity::version(request, "v3"),
        ["v3", "auth", "tokens"] => identity::v3(state, request, moment),
        ["v2", ref rest @ ..] => glance::handle(state, rest, request, moment),
        ["v1", account, ref rest @ ..] => {
            if !state.has_good_token(request, moment.now) {
                let realm = format!("Swift realm=\"{account}\"");
                return swift::traced(swift::refusal(401).header("www-authenticate", realm));
            }
            if account != state.files.name {
                return swift::traced(swift::refusal(403));
            }
            let rest = rest.join("/");
            if moment.shape.is_changed {
                let mut files = state.files.clone();
                files.change(&moment.shape);
                return swift::handle(&mut files, &rest, request, moment);
            }
            swift::handle(&mut state.files, &rest, request, moment)
        }
        _ => identity::unknown_path(),
    }
}

/// What Identity says with this status.
pub(crate) fn identity_fault(status: u16) -> wire::Response {
    match status {
        401 => identity::fault(
            401,
            "unauthorized",
            "Unable to authenticate user with credentials provided.",
        ),
        403 => identity::fault(403, "forbidden", "Forbidden"),
        503 => identity::fault(503, "serviceUnavailable", "The service is unavailable."),
        500.. => identity::fault(status, "identityFault", "Internal Server Error"),
        _ => identity::fault(status, "badRequest", "Bad Request"),
    }
}

/// What Cloud Images says with this status.
pub(crate) fn image_fault(request: &wire::Request, status: u16) -> wire::Response {
    glance::fault(request, status)
        .header("x-openstack-request-id", format!("req-{}", random_uuid()))
}

/// Where the client sees this service: from its `Host` header.
fn origin(request: &wire::Request) -> String {
    format!("http://{}", request.header("host").unwrap_or("127.0.0.1"))
}

/// `2026-01-15T12:34:56Z`, as Glance writes times.
fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn after_hours(time: Timestamp, hours: i64) -> Timestamp {
    time.checked_add(Span::new().hours(hours))
        .unwrap_or(Timestamp::MAX)
}

/// The body as a JSON object, if it is one.
fn json_object(body: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

fn sample_images() -> Vec<Image> {
    // 2026-01-10T02:00:00Z
    let made = Timestamp::from_second(1_768_010_400).unwrap_or_default();
    let own = |id: &str, name: &str, blocks: usize| Image {
        id: id.into(),
        name: name.into(),
        status: "active".into(),
        visibility: "private".into(),
        owner: TENANT.into(),
        options: Some("0".into()),
        blocks,
        size: Some(blocks as u64 * 64 * 1024),
        min_disk: 20,
        created_at: made,
        breaks_at: None,
    };
    vec![
        own("7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21", "web-1", 2),
        Image {
            min_disk: 160,
            ..own("2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728", "db-1", 24)
        },
        Image {
            options: Some("4".into()),
            ..own("9c0ffee1-4d2b-4a6f-8f3e-5b7d9a1c3e50", "windows-1", 2)
        },
        Image {
            visibility: "public".into(),
            owner: "10000000".into(),
            ..own(
                "b5d1a7e3-60c2-4f94-a8e6-1c3f5d7b9024",
                "Debian 13 (Trixie)",
                2,
            )
        },
        Image {
            status: "deactivated".into(),
            ..own("c3e5a7b9-1d2f-4c6e-9a8b-7d6f5e4c3b2a", "retired-1", 2)
        },
        Image {
            status: "saving".into(),
            size: None,
            ..own("e8f6d4b2-9a7c-4e5d-8b3f-1a2c4e6f8091", "web-2", 2)
        },
        Image {
            breaks_at: Some(0.6),
            ..own("deadbeef-0bad-4dad-8bad-c0ffee000bad", "cursed-1", 2)
        },
    ]
}

#[cfg(test)]
mod tests;
