//! How an AWS profile gives credentials, by the rules and in the order of the AWS CLI (botocore,
//! `create_credential_resolver`): a role, a web identity, single sign-on, keys of the credentials file, `login_session`,
//! `credential_process`, keys of the config file.

use std::path::PathBuf;

use super::aws_files::{AwsSource, Entry, Of, PAIR, TOKENS};
use super::names::{AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::secret::{Secret, clean};
use crate::settings::Sources;
use crate::settings::text::Form;

/// Where a profile's credentials come from, and the roles that are assumed with them.
pub(super) struct Chain {
    pub base: Base,
    /// The role of the profile itself comes first, and is assumed last.
    pub roles: Vec<Role>,
}

/// Credentials that need no others. Some are secrets, so that nothing here can be printed for debugging.
pub(super) enum Base {
    /// Keys as they stand.
    Keys(Keys),
    /// What a command prints.
    Process(String),
    /// What single sign-on gives.
    Sso(Sso),
    /// A token in a file, for a role.
    WebIdentity(WebIdentity),
    /// The role of the container.
    Container,
    /// Instance metadata.
    Machine,
}

/// A key pair.
pub(super) struct Keys {
    pub key_id: String,
    pub secret: Secret,
    pub token: Option<Secret>,
}

impl Keys {
    /// Those of the environment, if both are there.
    pub(super) fn of_environment(sources: &Sources) -> Option<Self> {
        Some(Keys {
            key_id: sources.var(AWS_ACCESS_KEY_ID)?.to_owned(),
            secret: Secret::new(sources.var(AWS_SECRET_ACCESS_KEY)?),
            token: sources.var(AWS_SESSION_TOKEN).map(Secret::new),
        })
    }
}

/// A single sign-on.
pub(super) struct Sso {
    /// The profile that says so.
    pub profile: String,
    pub session: Option<String>,
    pub start_url: String,
    pub region: String,
    pub account: String,
    pub role: String,
}

/// A token in a file, and the role that it stands for.
pub(super) struct WebIdentity {
    pub file: PathBuf,
    pub role: String,
    pub session: Option<String>,
}

/// A role that is assumed with other credentials.
#[derive(Debug)]
pub(super) struct Role {
    pub arn: String,
    /// What it is assumed with: `profile 'base'`.
    with: String,
    pub session: Option<String>,
    pub external_id: Option<String>,
    /// The device that tells a code for it.
    pub mfa_serial: Option<String>,
    /// In seconds.
    pub duration: Option<i32>,
}

impl Chain {
    /// How the profile gives credentials.
    pub(super) fn of(sources: &Sources, source: &AwsSource) -> Result<Self> {
        let (mut name, mut roles, mut seen) = (source.name.as_str(), Vec::new(), Vec::new());
        loop {
            let Some(profile) = source.whole(Of::Profile, name)? else {
                let by = seen.last().copied().unwrap_or_default();
                return Err(unusable(
                    by,
                    format!("its source_profile '{}' does not exist", clean(name)),
                )
                .hints(source.meant(name)));
            };
            // Keys of a profile that is only needed for its keys come before a role of it.
            let has_keys = PAIR.iter().any(|key| profile.get(key).is_some());
            let role = profile.get("role_arn").filter(|_| {
                profile.get("web_identity_token_file").is_none() && (seen.is_empty() || !has_keys)
            });
            seen.push(name);
            let Some(arn) = role else {
                let base = base(sources, source, name, profile)?;
                let base = base.ok_or_else(|| none(source, name))?;
                return Ok(Chain { base, roles });
            };
            let from = (
                profile.get("source_profile"),
                profile.get("credential_source"),
            );
            let with = match from {
                (Some(_), Some(_)) => {
                    let why = "it has both source_profile and credential_source; keep one";
                    return Err(unusable(name, why));
                }
                (None, None) => {
                    let why = "its role_arn needs a source_profile or a credential_source";
                    return Err(unusable(name, why));
                }
                (Some(other), None) => format!("profile '{other}'"),
                (None, Some(place)) => place.to_owned(),
            };
            roles.push(Role {
                arn: arn.to_owned(),
                with,
                session: profile.get("role_session_name").map(str::to_owned),
                external_id: profile.get("external_id").map(str::to_owned),
                mfa_serial: profile.get("mfa_serial").map(str::to_owned),
                duration: profile.get("duration_seconds").and_then(|s| s.parse().ok()),
            });
            match from.0 {
                None => {
                    let base = named(sources, name, profile)?.ok_or_else(|| none(source, name))?;
                    return Ok(Chain { base, roles });
                }
                Some(own) if own == name => {
                    let base = base(sources, source, name, profile)?;
                    let base = base.ok_or_else(|| none(source, name))?;
                    return Ok(Chain { base, roles });
                }
                Some(other) if seen.contains(&other) => {
                    let circle = clean(&[&seen[..], &[other]].concat().join(" → "));
                    return Err(unusable(
                        name,
                        format!("its source_profile leads back: {circle}"),
                    ));
                }
                Some(other) => name = other,
            }
        }
    }

    /// Who calls, as far as that is known before anything is fetched.
    pub(super) fn who(&self) -> String {
        clean(&match (self.roles.first(), &self.base) {
            (Some(role), _) => format!("role {}, assumed with {}", role.arn, role.with),
            (None, Base::Keys(keys)) => keys.key_id.clone(),
            (None, Base::Process(_)) => "what credential_process prints".to_owned(),
            (None, Base::Sso(sso)) => {
                let by = sso.session.as_ref().unwrap_or(&sso.start_url);
                format!("role {} by single sign-on ({by})", sso.role)
            }
            (None, Base::WebIdentity(web)) => {
                format!("role {}, assumed with a web identity", web.role)
            }
            (None, Base::Container) => "the role of the container".to_owned(),
            (None, Base::Machine) => "the role of this machine".to_owned(),
        })
    }

    /// The key pair that is all there is to it.
    pub(super) fn keys_alone(&self) -> Option<&Keys> {
        match &self.base {
            Base::Keys(keys) if self.roles.is_empty() => Some(keys),
            _ => None,
        }
    }
}

/// The credentials of a profile without regard to a role.
fn base(
    sources: &Sources,
    source: &AwsSource,
    name: &str,
    profile: &Entry,
) -> Result<Option<Base>> {
    let get = |setting| profile.get(setting).map(str::to_owned);
    let has = |settings: &[&str]| {
        settings
            .iter()
            .any(|setting| profile.get(setting).is_some())
    };
    if let Some(file) = get("web_identity_token_file") {
        let role = get("role_arn");
        let role =
            role.ok_or_else(|| unusable(name, "its web_identity_token_file needs a role_arn"))?;
        let session = get("role_session_name");
        return Ok(Some(Base::WebIdentity(WebIdentity {
            file: sources.path(&file),
            role,
            session,
        })));
    }
    if has(&["sso_account_id", "sso_role_name"]) {
        return sso(source, name, profile).map(Some);
    }
    let has_keys = has(&PAIR);
    if has_keys && profile.has_keys_of_credentials {
        return keys(source, name, profile).map(Some);
    }
    if let Some(command) = get("credential_process") {
        return Ok(Some(Base::Process(command)));
    }
    if has(&["login_session"]) {
        return Err(login(name));
    }
    if has_keys {
        return keys(source, name, profile).map(Some);
    }
    if has(&["sso_session", "sso_start_url"]) {
        return sso(source, name, profile).map(Some);
    }
    named(sources, name, profile)
}

/// Refuses keys that cannot be used.
fn keys(source: &AwsSource, name: &str, profile: &Entry) -> Result<Base> {
    let [key_id, secret] = PAIR.map(|key| profile.get(key));
    let (Some(key_id), Some(secret)) = (key_id, secret) else {
        let (has, lacks) = match key_id {
            Some(_) => (PAIR[0], PAIR[1]),
            None => (PAIR[1], PAIR[0]),
        };
        let place = format!("The AWS profile '{}'", clean(name));
        return Err(half_a_pair(&place, has, lacks));
    };
    let token = TOKENS
        .into_iter()
        .find_map(|key| Some((key, profile.get(key)?)));
    for (key, value) in [(PAIR[0], key_id), (PAIR[1], secret)]
        .into_iter()
        .chain(token)
    {
        if let Some(flaw) = Form::of(key).flaw(value) {
            let place = source.origin_of(name).of_value(key);
            return Err(Form::of(key).refusal(place, flaw));
        }
    }
    Ok(Base::Keys(Keys {
        key_id: key_id.to_owned(),
        secret: Secret::new(secret),
        token: token.map(|(_, token)| Secret::new(token)),
    }))
}

/// Half a key pair.
pub(super) fn half_a_pair(place: &str, has: &str, lacks: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("{place} has {has} but not {lacks}"),
    )
    .hint(format!("set {lacks}, or remove {has}"))
}

fn sso(source: &AwsSource, name: &str, profile: &Entry) -> Result<Base> {
    let session = profile.get("sso_session");
    let entry = match session {
        Some(session) => match source.whole(Of::SsoSession, session)? {
            Some(entry) => entry,
            None => {
                let session = clean(session);
                let why = format!("neither file has its [sso-session {session}]");
                return Err(unusable(name, why));
            }
        },
        None => profile,
    };
    let need = |setting: &str| {
        let value = entry.get(setting).or_else(|| profile.get(setting));
        let why = || unusable(name, format!("its single sign-on lacks {setting}"));
        value.map(str::to_owned).ok_or_else(why)
    };
    for setting in ["sso_start_url", "sso_region"] {
        if let (Some(one), Some(other)) = (entry.get(setting), profile.get(setting))
            && one != other
        {
            let why = format!("it and its sso-session differ in {setting}");
            return Err(unusable(name, why));
        }
    }
    Ok(Base::Sso(Sso {
        profile: name.to_owned(),
        session: session.map(str::to_owned),
        start_url: need("sso_start_url")?,
        region: need("sso_region")?,
        account: need("sso_account_id")?,
        role: need("sso_role_name")?,
    }))
}

/// What `credential_source` names.
fn named(sources: &Sources, name: &str, profile: &Entry) -> Result<Option<Base>> {
    let Some(place) = profile.get("credential_source") else {
        return Ok(None);
    };
    let base = match place.to_ascii_lowercase().as_str() {
        "environment" => {
            let keys = Keys::of_environment(sources);
            Base::Keys(keys.ok_or_else(|| {
                unusable(name, "its credential_source, the environment, has no keys")
            })?)
        }
        "ec2instancemetadata" => Base::Machine,
        "ecscontainer" => Base::Container,
        _ => {
            let place = clean(place);
            return Err(unusable(
                name,
                format!("nothing is known of its credential_source {place}"),
            )
            .hint("it may be Environment, Ec2InstanceMetadata or EcsContainer"));
        }
    };
    Ok(Some(base))
}

fn unusable(profile: &str, why: impl Into<String>) -> Error {
    let profile = clean(profile);
    Error::new(
        Kind::Credentials,
        format!("The AWS profile '{profile}' gives no credentials"),
    )
    .cause(why)
}

fn none(source: &AwsSource, name: &str) -> Error {
    unusable(name, "it names none")
        .hints(source.misnamed(name))
        .hint(Hint::run("aws configure").and(" makes a profile with keys"))
}

/// The session of `aws login`, for which the AWS crates need a second library of cryptography. The AWS CLI prefers it to a
/// `credential_process` beside it, which can thus be the AWS CLI itself.
fn login(name: &str) -> Error {
    let line = Command::from("credential_process = aws configure export-credentials --profile")
        .arg(name)
        .and("--format process");
    let advice = "let the AWS CLI give its credentials; add this line to the profile: ";
    unusable(
        name,
        "its login_session (of aws login) is for AWS's own tools",
    )
    .hint(Hint::say(advice).and_run(line))
}

#[cfg(test)]
mod tests;
