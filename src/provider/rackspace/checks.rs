//! What `doctor` looks at: a login where no kept token will do, then one look at what the images service offers.

use jiff::Timestamp;
use serde_json::Value;

use super::grant::Grant;
use super::identity::Version;
use super::names::REGIONS;
use super::session::{Service, Session};
use super::{offer, preflight, rules};
use crate::error::{Error, Kind};
use crate::provider::check::{self, Check, CheckRequest, FirstContact, first_contact};
use crate::text;

/// Roles of Rackspace's own identity service, any of which may start exports (docs-cloud-images).
const EXPORTERS: [&str; 3] = ["identity:user-admin", "admin", "cloudImages:admin"];
/// The check of the permission to start exports.
const EXPORT: &str = "export";

/// What one login and one look tell.
struct Visit {
    contact: FirstContact,
    /// The form of a task, from `schemas/task`.
    schema: Option<Value>,
    /// Why the account has no images in this region.
    region: Option<Error>,
}

/// Looks at everything.
pub(super) async fn checks(session: &Session, asked: &CheckRequest<'_>) -> Vec<Check> {
    let visit = visit(session).await;
    let closed = visit.contact.closed;
    let grant = session.known_grant();
    let mut checks = visit.contact.checks;
    checks.push(check::clock(session.contact(), None));
    checks.push(match (closed, &visit.region) {
        (Some(why), _) => Check::unknown(EXPORT, why),
        (None, Some(_)) => Check::unknown(EXPORT, "not checked: there are no images there"),
        (None, None) => export(session, visit.schema.as_ref(), grant.as_deref()),
    });
    checks.push(region(session, visit.region.as_ref()));
    if let Some(container) = asked.place {
        checks.push(match (closed, &visit.region) {
            (Some(why), _) => Check::unknown("container", why),
            (None, Some(_)) => Check::unknown("container", "not checked: the region is not known"),
            (None, None) => look_at_container(session, container).await,
        });
    }
    checks.push(token(session, closed, grant.as_deref()));
    checks
}

async fn visit(session: &Session) -> Visit {
    let host = session.identity_host();
    let refused = |error: &Error| Visit {
        contact: first_contact(&host, session.http(), Err(error)),
        schema: None,
        region: None,
    };
    let images = match session.base(Service::Images, None).await {
        Ok(images) => images,
        // The login went well, only its catalogue does not fit.
        Err(error) if error.kind == Kind::Usage && session.contact().is_some() => {
            let who = "the login is accepted".to_owned();
            return Visit {
                contact: first_contact(&host, session.http(), Ok(who)),
                schema: None,
                region: Some(error),
            };
        }
        Err(error) => return refused(&error),
    };
    match offer::task_schema(session).await {
        Ok(schema) => {
            // A kept token says nothing of whether a login would still be accepted.
            let is_kept = session.known_grant().is_some_and(|grant| grant.is_kept);
            let who = match (is_kept, session.tenant()) {
                (true, Some(tenant)) => {
                    format!("a kept token of the account {tenant} is accepted; no login was tried")
                }
                (true, None) => "a kept token is accepted; no login was tried".to_owned(),
                (false, Some(tenant)) => format!("the token is one of the account {tenant}"),
                (false, None) => "the token is accepted".to_owned(),
            };
            let host = images.host_str().unwrap_or_default();
            Visit {
                contact: first_contact(host, session.http(), Ok(who)),
                schema,
                region: None,
            }
        }
        Err(error) => refused(&error),
    }
}

/// Whether the cloud can export, and the user may.
fn export(session: &Session, schema: Option<&Value>, grant: Option<&Grant>) -> Check {
    if offer::lacks_export(schema) {
        return Check::problem(EXPORT, offer::NO_EXPORT).hint(offer::instead("IMAGE"));
    }
    let roles = grant.map_or(&[][..], |grant| &grant.roles);
    let needed = format!("a start needs one of the roles {}", EXPORTERS.join(", "));
    let held = roles.iter().find(|role| EXPORTERS.contains(&role.as_str()));
    match (held, session.identity_version()) {
        (Some(role), _) => Check::ok(EXPORT, format!("allowed: the user has the role {role}")),
        (None, Version::V2) if !roles.is_empty() => Check::problem(
            EXPORT,
            format!("the user has only the roles {}", roles.join(", ")),
        )
        .hint(needed),
        _ => Check::unknown(
            EXPORT,
            "cannot be checked without starting an export: the user's roles do not tell",
        )
        .hint(needed),
    }
}

fn region(session: &Session, refused: Option<&Error>) -> Check {
    match refused {
        Some(error) => Check::failed("region", error),
        // Other clouds than Rackspace's own name their regions as they like; the catalogue had it.
        None if session.identity_version() == Version::V3 && !session.region().is_empty() => {
            Check::ok("region", session.region())
        }
        None => check::region(session.region(), REGIONS),
    }
}

async fn look_at_container(session: &Session, container: &str) -> Check {
    const NAME: &str = "container";
    if let Some(error) = rules::container_problem(container) {
        return Check::failed(NAME, &error);
    }
    let looked = async {
        let files = session.base(Service::Files, None).await?;
        preflight::look_at_container(session, &files, container).await
    };
    match looked.await {
        Ok(()) => Check::ok(NAME, format!("{container} is there")),
        Err(error) if error.kind == Kind::NotFound => Check::failed(NAME, &error),
        Err(error) => Check::failed(NAME, &error).as_warning(),
    }
}

fn token(session: &Session, closed: Option<&'static str>, grant: Option<&Grant>) -> Check {
    const NAME: &str = "token";
    if !session.can_log_in() {
        return Check::unknown(NAME, "a token from elsewhere does not say when it ends")
            .hint("they live a day; set RAX_USERNAME and RAX_API_KEY to have it renewed");
    }
    let Some(grant) = grant else {
        return Check::unknown(NAME, closed.unwrap_or("there is none yet"));
    };
    let Some(renew_at) = grant.renew_at else {
        return Check::ok(NAME, "renewed by itself once it is refused");
    };
    let left = renew_at.duration_since(Timestamp::now());
    let left = text::in_words(left.try_into().unwrap_or_default());
    Check::ok(
        NAME,
        format!("good for {left} and more, then renewed by itself"),
    )
}
