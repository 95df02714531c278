//! What `doctor` looks at. Lightsail has no dry run: whether a start is allowed shows only when one is sent.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_sdk_lightsail::types::RegionName;
use futures_util::future::try_join;
use jiff::{SignedDuration, Timestamp};

use super::aws_files::aws_source;
use super::expiry::Life;
use super::{Lightsail, Profile};
use crate::error::Hint;
use crate::provider::check::{self, Check, ClockLimits, first_contact};
use crate::secret::{Url, clean};
use crate::settings::Sources;
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
        checks.push(check::region(&self.region, RegionName::values()));
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
            let message = format!("the credentials end at {at}, in {}", text::duration(left));
            if left < USUAL_EXPORT {
                Check::warning(NAME, message).hint(hint)
            } else {
                Check::ok(NAME, message)
            }
        }
    }
}

/// What stands on this machine: a profile that is not used, files that others may read.
pub(super) async fn survey(sources: &Sources) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(unused_profile(sources).await);
    let file = |variable: &str, usual: &str| -> Option<PathBuf> {
        let usual = sources.in_home(usual)?;
        Some(sources.var(variable).map_or(usual, PathBuf::from))
    };
    let files = [
        file("AWS_CONFIG_FILE", ".aws/config"),
        file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
    ];
    let has_keys = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains("aws_secret_access_key"))
    };
    let files: Vec<PathBuf> = files.into_iter().flatten().filter(has_keys).collect();
    checks.push(check::files(&files));
    checks
}

/// Keys in the environment win over `AWS_PROFILE`, and no AWS tool says so, not even where there is no such profile.
async fn unused_profile(sources: &Sources) -> Option<Check> {
    const NAME: &str = "sources";
    let keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    let has_keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        .iter()
        .all(|name| sources.var(name).is_some());
    if !has_keys {
        return unused_default(sources);
    }
    if let Some(choice) = sources.profile.as_ref().filter(|choice| choice.is_explicit) {
        let message = format!(
            "the profile '{}' is used, not {keys}; other AWS tools use the keys",
            clean(&choice.name)
        );
        return Some(Check::warning(NAME, message).hint(format!("unset {keys}")));
    }
    let Some(name) = sources.var("AWS_PROFILE") else {
        return Some(Check::ok(
            NAME,
            format!("{keys}; no AWS_PROFILE stands beside them"),
        ));
    };
    let found = aws_source(sources, name).await.ok().flatten();
    let message = if found.is_some_and(|source| source.profile().is_some()) {
        format!("{keys} are used, not AWS_PROFILE={}", clean(name))
    } else {
        format!(
            "{keys} are used; AWS_PROFILE={} names no profile, and no AWS tool says so",
            clean(name)
        )
    };
    Some(
        Check::warning(NAME, message)
            .hint("unset AWS_PROFILE, or the keys; --profile NAME chooses here"),
    )
}

/// `AWS_PROFILE` wins over the default profile of our own file.
fn unused_default(sources: &Sources) -> Option<Check> {
    let choice = sources.profile.as_ref().filter(|p| !p.is_explicit)?;
    let own: Profile = sources.own_section(super::ID.0).ok()??;
    let name = sources.var("AWS_PROFILE")?;
    let profile = |name: &str| format!("AWS profile '{}'", clean(name));
    let other = match (&own.aws_profile, &own.access_key) {
        (Some(name), _) => profile(name),
        (None, Some(key)) => clean(key),
        (None, None) => return None,
    };
    let place = format!("[profile.{}.lightsail] of config.toml", clean(&choice.name));
    let places = [("AWS_PROFILE".to_owned(), profile(name)), (place, other)];
    Some(check::rivals(
        &places,
        "unset AWS_PROFILE to use the other; --profile NAME chooses here",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::check::Verdict;

    #[test]
    fn credentials_that_end_within_an_export_are_warned_of() {
        let now = SystemTime::now();
        let after = |seconds| Some(now + Duration::from_secs(seconds));
        let past = Some(now - Duration::from_secs(1));
        for (is_temporary, ends_at, verdict) in [
            (false, None, Verdict::Ok),
            (true, None, Verdict::Unknown),
            (true, after(8 * 3600), Verdict::Ok),
            (true, after(600), Verdict::Warning),
            (true, past, Verdict::Problem),
        ] {
            let life = Life {
                is_temporary,
                ends_at,
            };
            assert_eq!(token(Some(life), now).verdict, verdict, "{life:?}");
        }
        assert_eq!(token(None, now).verdict, Verdict::Unknown);
    }
}
