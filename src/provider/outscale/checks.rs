//! What `doctor` looks at: each question asked once, and none after a refusal, for four in a row lock the key.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::api::not_an_answer;
use super::mapping::text;
use super::names::REGIONS;
use super::{CREATE, ID, Outscale, READ_ACCOUNTS, rules};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::provider::check::{self, Check, CheckRequest, ClockLimits, FirstContact, first_contact};
use crate::secret::clean;

/// A date 2 s ahead was accepted, one 4 s ahead refused (OUTSCALE's own tests); 5 minutes behind is what the documents allow.
const CLOCK: ClockLimits = ClockLimits {
    ahead: SignedDuration::from_secs(2),
    behind: SignedDuration::from_mins(5),
};
/// The refusal by a rule about addresses and certificates: the key may be good, but nothing can be done with it from here.
const API_ACCESS_RULE: &str = "14";
/// What the dry run names where no bucket is named. A dry run makes none.
const ANY_BUCKET: &str = "snapexport-doctor";
/// A snapshot id of the right form, which no snapshot has.
const NO_SNAPSHOT: &str = "snap-00000000";
/// The check of the permission to start exports.
const EXPORT: &str = "export";

impl Outscale {
    pub(super) async fn checks(&self, asked: &CheckRequest<'_>) -> Vec<Check> {
        let contact = self.come_in().await;
        let mut checks = contact.checks;
        checks.push(check::clock(self.http.contact(), Some(CLOCK)));
        let mut closed = contact.closed;
        checks.push(match closed {
            Some(why) => Check::unknown(EXPORT, why),
            None => match self.try_export(asked.place).await {
                Ok(check) => check,
                Err(error) => {
                    if error.kind == Kind::Credentials {
                        closed = Some("not checked: the key was refused a moment ago");
                    }
                    judged(&error)
                }
            },
        });
        checks.push(check::region(&self.account.region, REGIONS));
        if let Some(bucket) = asked.place {
            checks.push(match closed {
                Some(why) if self.account.bucket_keys.is_none() => Check::unknown("bucket", why),
                _ => self.bucket_check(bucket).await,
            });
        }
        checks.push(Check::ok(
            "token",
            "none is needed: each request is signed with the key pair",
        ));
        checks
    }

    /// The first request.
    async fn come_in(&self) -> FirstContact {
        let what = "the look at the account";
        let answer = self.api.read(READ_ACCOUNTS, &json!({}), what).await;
        // What has no accounts is somebody else's success, of a portal before the network for instance.
        let answer = answer.and_then(|answer| match answer.get("Accounts") {
            Some(Value::Array(_)) => Ok(answer),
            _ => Err(not_an_answer(READ_ACCOUNTS, &answer)),
        });
        let host = self.account.api.host_str().unwrap_or_default();
        match answer {
            Ok(answer) => {
                let id = answer.pointer("/Accounts/0/AccountId");
                let who = match id.and_then(Value::as_str) {
                    Some(id) => format!("the key belongs to the account {id}"),
                    None => "the key is accepted".to_owned(),
                };
                first_contact(host, &self.http, Ok(who))
            }
            Err(mut error) => {
                if error.details.code.as_deref() == Some(API_ACCESS_RULE) {
                    error.kind = Kind::Credentials;
                }
                first_contact(host, &self.http, Err(&error))
            }
        }
    }

    /// Whether the key may start exports, by a dry run of a start: of a snapshot that cannot exist, so that nothing is
    /// started either where a dry run is taken for a start.
    async fn try_export(&self, bucket: Option<&str>) -> Result<Check> {
        // Without the key pair of another account's bucket: what is sent may be logged there.
        let body = json!({
            "DryRun": true, "SnapshotId": NO_SNAPSHOT,
            "OsuExport": {"DiskImageFormat": "qcow2", "OsuBucket": bucket.unwrap_or(ANY_BUCKET)},
        });
        let what = "the dry run of an export";
        match self.api.once(CREATE, &body, what).await {
            Ok(reply) => {
                let answer: Value = reply.json().unwrap_or_default();
                let started = answer
                    .get("SnapshotExportTask")
                    .filter(|task| !task.is_null())
                    .map(|task| text(task, "TaskId"));
                match started {
                    None => Ok(Check::ok(EXPORT, "allowed, by a dry run")),
                    Some(id) => Err(started_one(id)),
                }
            }
            // It is looked for once it is known that the key may ask.
            Err(error) if error.kind == Kind::NotFound => {
                let message =
                    "not forbidden: a dry run came as far as its snapshot, which cannot exist";
                Ok(Check::ok(EXPORT, message))
            }
            Err(error) => Err(error),
        }
    }

    async fn bucket_check(&self, bucket: &str) -> Check {
        const NAME: &str = "bucket";
        if let Err(error) = rules::check_bucket(bucket) {
            return Check::failed(NAME, &error);
        }
        match self.objects.list(bucket, "").await {
            Ok(_) => Check::ok(NAME, format!("{bucket} is there")),
            Err(error) if error.kind == Kind::NotFound => Check::warning(
                NAME,
                format!("{bucket} does not exist; an export would create it"),
            )
            .hint("check its spelling"),
            // An export may write where its key pair may not read.
            Err(error) if error.kind == Kind::Permission => {
                Check::failed(NAME, &error).as_warning()
            }
            Err(error) => Check::failed(NAME, &error),
        }
    }
}

/// A dry run that was none.
fn started_one(id: Option<&str>) -> Error {
    let sentence = "The API has started an export although only a dry run was asked for";
    let error = Error::new(Kind::TaskFailed, sentence);
    match id {
        Some(id) => error.cause(format!("it is {}", clean(id))).hint(
            Hint::say("end it: ")
                .and_run(Command::from("snapexport cancel").arg(format!("{ID}/{id}"))),
        ),
        None => error.hint(Hint::say("look for it: ").and_run("snapexport status --remote")),
    }
}

/// What a refused dry run tells: it says no to the export, or only that nothing is known.
fn judged(error: &Error) -> Check {
    match error.kind {
        Kind::Permission | Kind::Credentials | Kind::Quota | Kind::TaskFailed => {
            Check::failed(EXPORT, error)
        }
        _ => Check::unknown(EXPORT, format!("cannot be checked: {}", error.one_line())).hint(
            Hint::run("snapexport export outscale SNAPSHOT --bucket NAME --dry-run")
                .and(" checks one export"),
        ),
    }
}
