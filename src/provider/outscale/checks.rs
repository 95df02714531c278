//! What `doctor` looks at: each question asked once, and none after a refusal, for four in a row lock the key.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::api::{not_an_answer, take_page};
use super::mapping::text;
use super::names::REGIONS;
use super::{CREATE, Outscale, READ_ACCOUNTS, READ_SNAPSHOTS, rules};
use crate::error::{Error, Hint, Kind, Result};
use crate::provider::check::{self, Check, CheckRequest, ClockLimits, FirstContact, first_contact};

/// A date 2 s ahead was accepted, one 4 s ahead refused (OUTSCALE's own tests); 5 minutes behind is what the documents allow.
const CLOCK: ClockLimits = ClockLimits {
    ahead: SignedDuration::from_secs(2),
    behind: SignedDuration::from_mins(5),
};
/// The refusal by a rule about addresses and certificates: the key may be good, but nothing can be done with it from here.
const API_ACCESS_RULE: &str = "14";
/// What the dry run names where no bucket is named. A dry run makes none.
const ANY_BUCKET: &str = "snapexport-doctor";
/// The check of the permission to start exports.
const EXPORT: &str = "export";

impl Outscale {
    pub(super) async fn checks(&self, asked: &CheckRequest<'_>) -> Vec<Check> {
        let (contact, account) = self.come_in().await;
        let mut checks = contact.checks;
        checks.push(check::clock(self.http.contact(), Some(CLOCK)));
        let mut closed = contact.closed;
        checks.push(match closed {
            Some(why) => Check::unknown(EXPORT, why),
            None => match self.try_export(account.as_deref(), asked.place).await {
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

    /// The first request. Gives the account's id, where the key may ask for it.
    async fn come_in(&self) -> (FirstContact, Option<String>) {
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
                let id = id.and_then(Value::as_str).map(str::to_owned);
                let who = match &id {
                    Some(id) => format!("the key belongs to the account {id}"),
                    None => "the key is accepted".to_owned(),
                };
                (first_contact(host, &self.http, Ok(who)), id)
            }
            Err(mut error) => {
                if error.details.code.as_deref() == Some(API_ACCESS_RULE) {
                    error.kind = Kind::Credentials;
                }
                (first_contact(host, &self.http, Err(&error)), None)
            }
        }
    }

    /// Whether the key may start exports, by a dry run of a start.
    async fn try_export(&self, account: Option<&str>, bucket: Option<&str>) -> Result<Check> {
        let Some(snapshot) = self.any_snapshot(account).await? else {
            let message = "cannot be checked: the account has no completed snapshot to try it with";
            return Ok(Check::unknown(EXPORT, message)
                .hint(format!("the user needs the action api:{CREATE}")));
        };
        // Without the key pair of another account's bucket: what is sent may be logged there.
        let body = json!({
            "DryRun": true, "SnapshotId": snapshot,
            "OsuExport": {"DiskImageFormat": "qcow2", "OsuBucket": bucket.unwrap_or(ANY_BUCKET)},
        });
        let what = format!("the dry run of an export of {snapshot}");
        self.api.once(CREATE, &body, &what).await?;
        let message = format!("allowed, by a dry run of an export of {snapshot}");
        Ok(Check::ok(EXPORT, message))
    }

    /// A snapshot of this account that could be exported.
    async fn any_snapshot(&self, account: Option<&str>) -> Result<Option<String>> {
        let mut filters = json!({"States": ["completed"]});
        if let Some(account) = account {
            filters["AccountIds"] = json!([account]);
        }
        let body = json!({"ResultsPerPage": 1, "Filters": filters});
        let what = "the list of snapshots";
        let page = self.api.read(READ_SNAPSHOTS, &body, what).await?;
        let page = take_page(READ_SNAPSHOTS, "Snapshots", page)?;
        let first = page.items.first();
        Ok(first
            .and_then(|snapshot| text(snapshot, "SnapshotId"))
            .map(str::to_owned))
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

/// What a refused dry run tells: it says no to the export, or only that nothing is known.
fn judged(error: &Error) -> Check {
    match error.kind {
        Kind::Permission | Kind::Credentials | Kind::Quota => Check::failed(EXPORT, error),
        _ => Check::unknown(EXPORT, format!("cannot be checked: {}", error.one_line())).hint(
            Hint::run("snapexport export outscale SNAPSHOT --bucket NAME --dry-run")
                .and(" checks one export"),
        ),
    }
}
