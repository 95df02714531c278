//! The places where credentials stand, in their order.

use super::aws_files::{AwsSource, Of};
use super::chain::{Chain, Keys, half_a_pair};
use super::names::*;
use super::profile::{ID, Profile};
use crate::error::{Error, Hint, Kind, Result};
use crate::provider::absence::{no_credentials, none_chosen};
use crate::provider::check::{self, Check};
use crate::provider::place;
use crate::secret::clean;
use crate::settings::{Origin, Sources, profile_secret};

/// Keys of the environment.
const ENVIRONMENT: Origin = Origin::Pair(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY);
/// Who names a profile by option. The option is about all clouds, so that a cloud may well have none of the name.
const OPTION: Origin = Origin::Flag("--profile");

/// How credentials are had.
pub(super) enum Way {
    /// Keys as they stand.
    Keys(Keys),
    /// What a profile of the AWS files says.
    AwsProfile(AwsSource, Box<Chain>),
    /// A token in a file, for a role.
    WebIdentity,
    /// The role of the container.
    Container,
    /// Instance metadata, which are asked only on request.
    Machine,
}

/// What stands in a place, before anything is fetched.
pub(super) struct Found {
    pub way: Way,
    pub origin: Origin,
    /// The section of config.toml that led to it, and where it is.
    pub own: Option<(Profile, Origin)>,
}

impl Found {
    fn new(way: Way, origin: Origin) -> Self {
        Found {
            way,
            origin,
            own: None,
        }
    }

    /// The AWS profile, where it is one.
    pub(super) fn aws(&self) -> Option<&AwsSource> {
        match &self.way {
            Way::AwsProfile(source, _) => Some(source),
            _ => None,
        }
    }
}

pub(super) type Place<'s> = place::Place<'s, Found>;

/// Where credentials stand, in the order in which they are used. What was asked for is not passed over.
pub(super) fn places(sources: &Sources) -> impl Iterator<Item = Place<'_>> {
    let order: &[fn(&Sources) -> Option<Place<'_>>] = if sources.is_profile_explicit() {
        &[chosen, environment]
    } else {
        &[
            environment,
            of_variable,
            default_profile,
            default_aws_profile,
            machine_role,
        ]
    };
    order.iter().filter_map(|look| look(sources))
}

/// The profile that was asked for: ours, else AWS's of that name.
fn chosen(sources: &Sources) -> Option<Place<'_>> {
    let name = &sources.profile.as_ref()?.name;
    let aws = || named(sources, name, OPTION);
    Some(default_profile(sources).unwrap_or_else(aws))
}

fn environment(sources: &Sources) -> Option<Place<'_>> {
    const PAIR: [&str; 2] = [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY];
    let half = |has, lacks| {
        let error = half_a_pair("The environment", has, lacks);
        Some(Place::broken(ENVIRONMENT, error))
    };
    match PAIR.map(|name| sources.var(name)) {
        [Some(key_id), Some(_)] => {
            let keys = Keys::of_environment(sources)?;
            let found = Found::new(Way::Keys(keys), ENVIRONMENT);
            Some(Place::new(ENVIRONMENT, Some(key_id.to_owned()), || {
                Ok(found)
            }))
        }
        [Some(_), None] => half(PAIR[0], PAIR[1]),
        [None, Some(_)] => half(PAIR[1], PAIR[0]),
        [None, None] => None,
    }
}

/// The variable that names an AWS profile, and the profile.
pub(super) fn variable(sources: &Sources) -> Option<(&'static str, &str)> {
    sources.first_var(&[AWS_PROFILE, AWS_DEFAULT_PROFILE])
}

/// The AWS profile that a variable names.
fn of_variable(sources: &Sources) -> Option<Place<'_>> {
    let (variable, name) = variable(sources)?;
    let by = Origin::Variable(variable);
    Some(Place::new(by.clone(), Some(shown(name)), move || {
        if let Some(other) = sources
            .var(AWS_DEFAULT_PROFILE)
            .filter(|other| *other != name)
        {
            let (name, other) = (clean(name), clean(other));
            tracing::warn!(
                "AWS_PROFILE={name} counts here; boto3 and the AWS CLI built on it take AWS_DEFAULT_PROFILE={other} first"
            );
        }
        named_aws_profile(sources, name, by)
    }))
}

/// The chosen profile of config.toml; where none was asked for, that is the default one.
fn default_profile(sources: &Sources) -> Option<Place<'_>> {
    let who = |own: &Profile| {
        let aws = own.aws_profile.as_deref().map(shown);
        aws.or_else(|| own.access_key.as_deref().map(clean))
    };
    let name = &sources.profile.as_ref()?.name;
    Place::own(sources, name, ID.0, who, |own, origin| {
        of_own_profile(sources, own, origin)
    })
}

/// The AWS profile that is used where nothing names one, if it has credentials.
fn default_aws_profile(sources: &Sources) -> Option<Place<'_>> {
    let by = Origin::Rule("the default");
    match AwsSource::find(sources, "default") {
        Ok(source) => {
            let source = source.filter(AwsSource::has_credentials)?;
            let who = Some(shown("default"));
            Some(Place::new(source.origin(), who, || {
                of_aws_profile(sources, source, by)
            }))
        }
        Err(error) => Some(Place::broken(by, error)),
    }
}

/// What a container, a cluster or a machine gives its programs. The AWS crates read the process's environment for
/// these, so the sandbox must not come here.
fn machine_role(sources: &Sources) -> Option<Place<'_>> {
    sources.home.as_ref()?;
    let container = [
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
        AWS_CONTAINER_CREDENTIALS_FULL_URI,
    ];
    let (way, origin) = if sources.var(AWS_WEB_IDENTITY_TOKEN_FILE).is_some() {
        let origin = Origin::Variable(AWS_WEB_IDENTITY_TOKEN_FILE);
        if sources.var(AWS_ROLE_ARN).is_none() {
            let lacks = half_a_pair("The environment", AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN);
            return Some(Place::broken(origin, lacks));
        }
        (Way::WebIdentity, origin)
    } else if let Some((name, _)) = sources.first_var(&container) {
        (Way::Container, Origin::Variable(name))
    } else {
        // The AWS tools' switch against instance metadata; set to `false` it asks for them.
        let value = sources.var(AWS_EC2_METADATA_DISABLED)?;
        if !value.eq_ignore_ascii_case("false") {
            return None;
        }
        let by = Origin::Assignment(AWS_EC2_METADATA_DISABLED, "false".to_owned());
        (
            Way::Machine,
            Origin::Rule("instance metadata").chosen_by(by),
        )
    };
    let found = Found::new(way, origin.clone());
    let who = found.way.who(sources);
    Some(Place::new(origin, Some(who), || Ok(found)))
}

impl Way {
    /// Who calls, as far as that is known before credentials are fetched.
    pub(super) fn who(&self, sources: &Sources) -> String {
        match self {
            Way::Keys(keys) => keys.key_id.clone(),
            Way::AwsProfile(_, chain) => chain.who(),
            Way::WebIdentity => match sources.var(AWS_ROLE_ARN) {
                Some(role) => format!("web identity as {role}"),
                None => "web identity".to_owned(),
            },
            Way::Container => "the role of the container".to_owned(),
            Way::Machine => "the role of this machine".to_owned(),
        }
    }
}

fn shown(profile: &str) -> String {
    format!("AWS profile '{}'", clean(profile))
}

/// A profile of the AWS files; the place is who has named it.
fn named<'s>(sources: &'s Sources, name: &'s str, by: Origin) -> Place<'s> {
    Place::new(by.clone(), Some(shown(name)), move || {
        named_aws_profile(sources, name, by)
    })
}

fn named_aws_profile(sources: &Sources, name: &str, by: Origin) -> Result<Found> {
    let found = AwsSource::find(sources, name)?;
    let meant = found.as_ref().and_then(|source| source.meant(name));
    let Some(source) = found.filter(|source| source.profile().is_some()) else {
        let name = clean(name);
        return Err(Error::new(
            Kind::Credentials,
            format!("There is no profile '{name}' for Lightsail"),
        )
        .absence_if(by == OPTION)
        .cause(format!(
            "{by} names it, but neither config.toml has [profile.{name}.lightsail] nor the AWS files a profile {name}"
        ))
        .hints(meant)
        .hint(Hint::run("aws configure list-profiles").and(" shows the AWS profiles")));
    };
    of_aws_profile(sources, source, by)
}

fn of_aws_profile(sources: &Sources, source: AwsSource, by: Origin) -> Result<Found> {
    let chain = Chain::of(sources, &source)?;
    if let Some(services) = source.get("services") {
        source.whole(Of::Services, services)?;
    }
    source.warn();
    let origin = source.origin().chosen_by(by);
    Ok(Found::new(Way::AwsProfile(source, Box::new(chain)), origin))
}

/// What a section `[profile.NAME.lightsail]` says: a key pair, or the name of an AWS profile.
fn of_own_profile(sources: &Sources, own: Profile, origin: Origin) -> Result<Found> {
    let command = own.secret_key_command.as_deref();
    let has_secret = own.secret_key.is_some() || command.is_some();
    let half = |has, lacks| half_a_pair(&origin.to_string(), has, lacks);
    let found = match (&own.access_key, has_secret, &own.aws_profile) {
        (None, false, Some(aws)) => named_aws_profile(sources, aws, origin.clone())?,
        (None, false, None) => {
            return Err(
                Error::new(Kind::Credentials, format!("{origin} names no credentials"))
                    .hint("add aws_profile, or access_key with secret_key or secret_key_command"),
            );
        }
        (Some(_), _, Some(_)) | (_, true, Some(_)) => {
            return Err(Error::usage(format!(
                "{origin} has both aws_profile and a key; keep one"
            )));
        }
        (Some(_), false, None) => return Err(half("access_key", "secret_key")),
        (None, true, None) => return Err(half("secret_key", "access_key")),
        (Some(key_id), true, None) => {
            let secret = profile_secret(
                "secret_key",
                own.secret_key.as_ref(),
                command,
                sources.deadline,
            )?;
            let keys = Keys {
                key_id: key_id.clone(),
                secret: secret.ok_or_else(|| half("access_key", "secret_key"))?,
                token: own.session_token.clone(),
            };
            Found::new(Way::Keys(keys), origin.clone())
        }
    };
    Ok(Found {
        own: Some((own, origin)),
        ..found
    })
}

/// What to set, where nothing is; the profiles to choose from, where the AWS files have any.
pub(super) fn missing(sources: &Sources) -> Error {
    let source = AwsSource::find(sources, "default").ok().flatten();
    let others = source.as_ref().map(AwsSource::others);
    let misnamed = source
        .as_ref()
        .and_then(|source| source.misnamed("default"));
    let error = match others {
        Some((names, Some(file))) if !names.is_empty() => {
            none_chosen("Lightsail", file, "AWS profile", names, AWS_PROFILE)
        }
        _ => no_credentials(
            "Lightsail",
            &[
                Hint::say("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or make a profile with ")
                    .and_run("aws configure"),
            ],
        ),
    };
    error.hints(misnamed)
}

/// The profiles of the AWS files.
pub(super) fn profiles(sources: &Sources) -> Vec<String> {
    let source = AwsSource::find(sources, "default").ok().flatten();
    source.map_or_else(Vec::new, |source| source.names())
}

/// Whether a profile is not used. Keys in the environment win over `AWS_PROFILE` and `AWS_DEFAULT_PROFILE`, and no AWS tool says so, not even where
/// there is no such profile.
///
/// Not all places are rivals here: keys beside the profile `default`, or that beside a role of the machine, are what people
/// usually have, and every AWS tool chooses between them alike.
pub(super) fn rivals(sources: &Sources) -> Option<Check> {
    const NAME: &str = "sources";
    let variable = variable(sources);
    let by_variable = variable.map(|(variable, _)| Origin::Variable(variable));
    let mut all: Vec<Place<'_>> = places(sources).collect();
    let keys = ENVIRONMENT;
    if !all
        .iter()
        .any(|place| place.origin == keys && place.who.is_some())
    {
        // A variable wins over the default profile of our own file.
        all.retain(|place| match place.origin {
            Origin::Section { .. } => place.who.is_some(),
            _ => Some(&place.origin) == by_variable.as_ref(),
        });
        let (variable, _) = variable?;
        let advice = format!("unset {variable} to use the other; --profile NAME chooses here");
        return (all.len() == 2)
            .then(|| check::rivals(all, &advice))
            .flatten();
    }
    if let Some(choice) = sources.profile.as_ref().filter(|choice| choice.is_explicit) {
        let name = clean(&choice.name);
        let message =
            format!("the profile '{name}' is used, not {keys}; other AWS tools use the keys");
        return Some(Check::warning(NAME, message).hint(format!("unset {keys}")));
    }
    let Some((variable, name)) = variable else {
        let message = format!("{keys}; no AWS_PROFILE stands beside them");
        return Some(Check::ok(NAME, message));
    };
    let found = AwsSource::find(sources, name).ok().flatten();
    let name = clean(name);
    let message = if found.is_some_and(|source| source.profile().is_some()) {
        format!("{keys} are used, not {variable}={name}")
    } else {
        format!("{keys} are used; {variable}={name} names no profile, and no AWS tool says so")
    };
    let advice = format!("unset {variable}, or the keys; --profile NAME chooses here");
    Some(Check::warning(NAME, message).hint(advice))
}
