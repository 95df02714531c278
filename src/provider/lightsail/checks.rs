//! What `doctor` looks at. Lightsail has no dry run: whether a start is allowed shows only when one is sent.

use std::time::{Duration, SystemTime};

use futures_util::future::try_join;
use jiff::{SignedDuration, Timestamp};

use super::expiry::Life;
use super::{Lightsail, names};
use crate::error::Hint;
use crate::provider::check::{self, Check, ClockLimits, first_contact};
use crate::secret::Url;
use crate::text;

/// Signatures of AWS are good for five minutes to either side.
const CLOCK: ClockLimits = ClockLimits {
    ahead: SignedDuration::from_mins(5),
    behind: SignedDuration::from_mins(5),
};
/// An export takes this long or longer; a wait has to outlive it.
const USUAL_EXPORT: Duration = Duration::from_secs(60 * 60);
/// What a user needs to start exports (Lightsail's user guide).
const ACTIONS: &str = "allow lightsail:ExportSnapshot; for an account's first export also iam:CreateServiceLinkedRole and iam:PutRolePolicy";

/// The check of what tells whether an image or snapshot is whole.
const EC2: &str = "ec2";

impl Lightsail {
    pub(super) async fn checks(&self) -> Vec<Check> {
        let records = self.calls.records().await;
        let who = "the records of exports can be read".to_owned();
        let outcome = records.as_ref().map(|_| who);
        let contact = first_contact(&self.host(), &self.http, outcome);
        let mut checks = contact.checks;
        checks.push(check::clock(self.http.contact(), Some(CLOCK)));
        checks.push(match (contact.closed, &records) {
            (Some(why), _) => Check::unknown("snapshots", why),
            // Without the records nobody learns what came of an export.
            (None, Err(error)) => Check::failed("snapshots", error),
            (None, Ok(_)) => self.look_at_snapshots().await,
        });
        let message = contact
            .closed
            .unwrap_or("cannot be checked without starting an export");
        checks.push(Check::unknown("export", message).hint(ACTIONS));
        checks.push(match (contact.closed, &self.ec2) {
            (Some(why), _) => Check::unknown(EC2, why),
            (None, None) => Check::warning(
                EC2,
                "not asked: Lightsail has an address of its own, and EC2 has none",
            )
            .hint("set AWS_ENDPOINT_URL_EC2 as well"),
            (None, Some(ec2)) => match ec2.can_be_read().await {
                Ok(()) => Check::ok(
                    EC2,
                    "a wait goes on until it has the image or snapshot whole",
                ),
                Err(error) => {
                    let end =
                        "a wait ends when Lightsail is done, and EC2 may still be copying then";
                    let message = format!("cannot be read ({}): {end}", error.one_line());
                    let check = Check::warning(EC2, message);
                    error.details.hints.into_iter().fold(check, Check::hint)
                }
            },
        });
        checks.push(check::region(&self.region, &names::regions()));
        checks.push(token(self.credentials.life(), SystemTime::now()));
        checks
    }

    fn host(&self) -> String {
        let url = Url::parse(&self.endpoint).ok();
        let host = url.and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| self.endpoint.clone())
    }

    async fn look_at_snapshots(&self) -> Check {
        const NAME: &str = "snapshots";
        let lists = try_join(self.calls.instance_snapshots(), self.calls.disk_snapshots());
        match lists.await {
            Ok((instances, disks)) => Check::ok(
                NAME,
                format!(
                    "{} and {} can be read",
                    text::count(instances.len(), "instance snapshot"),
                    text::count(disks.len(), "disk snapshot")
                ),
            ),
            Err(error) => Check::failed(NAME, &error),
        }
    }
}

/// How long the credentials are good for.
fn token(life: Option<Life>, now: SystemTime) -> Check {
    const NAME: &str = "token";
    let Some(life) = life else {
        return Check::unknown(NAME, "not known: no credentials were fetched");
    };
    let Some(ends_at) = life.ends_at else {
        return if life.is_temporary {
            Check::unknown(
                NAME,
                "the session token does not say when it ends; a wait that outlives it needs a new one",
            )
        } else {
            Check::ok(NAME, "none is needed: the key pair does not run out")
        };
    };
    let at = Timestamp::try_from(ends_at).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    let hint =
        Hint::say("get new ones before a long wait, for instance with ").and_run("aws sso login");
    match ends_at.duration_since(now) {
        Err(_) => Check::problem(NAME, format!("the credentials ended at {at}")).hint(hint),
        Ok(left) => {
            let message = format!("the credentials end at {at}, in {}", text::in_words(left));
            if left < USUAL_EXPORT {
                Check::warning(NAME, message).hint(hint)
            } else {
                Check::ok(NAME, message)
            }
        }
    }
}

#[cfg(test)]
mod tests;
