//! Who calls, in which region, at which address: resolved at connect without a request.
//!
//! Keys in the environment are taken as they are and no file is read for them. Everything else (shared files, single
//! sign-on, `credential_process`, roles, web identity, containers) is the AWS crates' own work, at the first call.
//! Instance metadata is asked only where a profile says so: off EC2 it costs seconds to find out that there is none.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lightsail::config::Region;
use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::config::timeout::TimeoutConfig;

use super::Profile;
use super::aws_files::{AwsSource, aws_source};
use super::connector::Connector;
use super::place::{self, endpoint, region};
use crate::error::{Error, Hint, Kind, Result};
use crate::http::{CONNECT_TIMEOUT, Http, Network, REPLY_TIMEOUT};
use crate::provider::Setting;
use crate::provider::absence::{no_credentials, none_chosen};
use crate::secret::{Secret, Url, clean};
use crate::settings::{Sources, profile_secret};

const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// The AWS tools' switch against instance metadata; set to `false` it asks for them.
const NO_METADATA: &str = "AWS_EC2_METADATA_DISABLED";
const CONTAINER: [&str; 2] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];
/// Who names a profile by option. The option is about all clouds, so that a cloud may well have none of the name.
const PROFILE_FLAG: &str = "--profile";

/// What a client needs to know.
#[derive(Debug)]
pub struct Resolved {
    /// Signs the requests.
    pub credentials: SharedCredentialsProvider,
    /// The access key id, or what stands for it where keys are temporary. Never a secret.
    pub account: String,
    /// Where the calls go.
    pub region: String,
    /// An address other than the region's own.
    pub endpoint: Option<Url>,
    /// All of it with its origins.
    pub settings: Vec<Setting>,
    /// How the servers are reached.
    pub network: Network,
    /// See [`crate::provider::Provider::credentials_tag`].
    pub tag: u64,
}

/// A section `[profile.NAME.lightsail]` of our own file.
pub struct OwnProfile<'s> {
    /// The profile's name.
    name: &'s str,
    /// What it says.
    pub profile: Profile,
}

impl OwnProfile<'_> {
    /// The section's heading, for messages.
    pub fn place(&self) -> String {
        format!("[profile.{}.lightsail]", self.name)
    }
}

/// Where credentials come from, before they are fetched.
enum Origin {
    Keys(Keys),
    /// The profile, and who named it.
    AwsProfile(AwsSource, String),
    WebIdentity,
    /// The variable that names the agent.
    Container(&'static str),
    /// Instance metadata, which are asked only on request.
    Machine,
}

impl Origin {
    /// Who calls, as far as that is known before the credentials are fetched, and who says so.
    fn setting(&self, sources: &Sources) -> Setting {
        let (who, origin) = match self {
            Origin::Keys(keys) => (keys.key_id.clone(), keys.place.clone()),
            Origin::AwsProfile(source, asked) => {
                (source.way(), format!("{} ({asked})", source.place()))
            }
            Origin::WebIdentity => (
                match sources.var("AWS_ROLE_ARN") {
                    Some(role) => format!("web identity as {role}"),
                    None => "web identity".to_owned(),
                },
                "AWS_WEB_IDENTITY_TOKEN_FILE".to_owned(),
            ),
            Origin::Container(variable) => (
                "the role of the container".to_owned(),
                (*variable).to_owned(),
            ),
            Origin::Machine => (
                "the role of this machine".to_owned(),
                "instance metadata (AWS_EC2_METADATA_DISABLED=false)".to_owned(),
            ),
        };
        Setting::new("credentials", who, origin)
    }

    /// The same for the same keys. What has to be fetched may be other keys each time.
    fn tag(&self) -> u64 {
        static FETCHED: AtomicU64 = AtomicU64::new(0);
        let mut hasher = DefaultHasher::new();
        match self {
            Origin::Keys(keys) => {
                (&keys.key_id, keys.secret.expose()).hash(&mut hasher);
                keys.token.as_ref().map(Secret::expose).hash(&mut hasher);
            }
            Origin::AwsProfile(source, _) if source.has_keys_alone() => {
                source.get("aws_access_key_id").hash(&mut hasher);
                source.get("aws_secret_access_key").hash(&mut hasher);
                source.get("aws_session_token").hash(&mut hasher);
            }
            _ => FETCHED.fetch_add(1, Ordering::Relaxed).hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// A key pair as it stands somewhere.
struct Keys {
    place: String,
    key_id: String,
    secret: Secret,
    token: Option<Secret>,
}

/// Resolves credentials, region and endpoint. Nothing is sent.
pub async fn resolve(sources: &Sources, http: &Http) -> Result<Resolved> {
    let (origin, own) = origin(sources).await?;
    let aws = match &origin {
        Origin::AwsProfile(source, _) => Some(source),
        _ => None,
    };
    let who = origin.setting(sources);
    let region = region(sources, own.as_ref(), aws).await?;
    let (endpoint, address) = match endpoint(sources, http, own.as_ref(), aws)? {
        Some((url, setting)) => (Some(url), setting),
        None => (None, usual_endpoint(&region.value)),
    };
    let tag = origin.tag();
    let mut network = http.network().clone();
    if let Some((path, origin)) = place::authorities(sources, aws) {
        network.trust(path, origin);
    }
    let mut settings = vec![who, region.clone(), address];
    if let Ok(url) = Url::parse(&settings[2].value) {
        settings.extend(network.settings(&url));
    }
    let http = http.over(network.clone());
    let (credentials, account) = credentials(sources, &http, origin, &region.value)?;
    Ok(Resolved {
        credentials,
        account,
        region: region.value,
        endpoint,
        settings,
        network,
        tag,
    })
}

fn usual_endpoint(region: &str) -> Setting {
    let url = format!("https://lightsail.{region}.amazonaws.com/");
    Setting::new("endpoint", url, "the region")
}

/// Flag, environment, default profile of our own, AWS's own files, the machine's role: the first that is there, with
/// the profile of ours that led to it.
async fn origin(sources: &Sources) -> Result<(Origin, Option<OwnProfile<'_>>)> {
    let section = sources.own_section(super::ID.0)?;
    let own = sources
        .profile
        .as_ref()
        .zip(section)
        .map(|(choice, own)| OwnProfile {
            name: &choice.name,
            profile: own,
        });
    if let Some(choice) = sources.profile.as_ref().filter(|p| p.is_explicit) {
        return match own {
            Some(own) => Ok((of_own_profile(sources, &own).await?, Some(own))),
            None => Ok((
                named_aws_profile(sources, &choice.name, PROFILE_FLAG).await?,
                None,
            )),
        };
    }
    if let Some(keys) = environment_keys(sources)? {
        return Ok((Origin::Keys(keys), None));
    }
    if let Some(name) = sources.var("AWS_PROFILE") {
        return Ok((named_aws_profile(sources, name, "AWS_PROFILE").await?, None));
    }
    if let Some(own) = own {
        return Ok((of_own_profile(sources, &own).await?, Some(own)));
    }
    if let Some(source) = aws_source(sources, "default").await?
        && source.has_credentials()
    {
        return Ok((of_aws_profile(source, "the default")?, None));
    }
    match machine_role(sources) {
        Some(origin) => Ok((origin, None)),
        None => Err(none_found(sources).await?),
    }
}

/// What a container or a cluster gives its programs. The AWS crates read the process's environment for these, so the
/// sandbox must not come here.
fn machine_role(sources: &Sources) -> Option<Origin> {
    if sources.home.is_some() {
        if sources.var("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
            return Some(Origin::WebIdentity);
        }
        if let Some((name, _)) = sources.first_var(&CONTAINER) {
            return Some(Origin::Container(name));
        }
        if sources
            .var(NO_METADATA)
            .is_some_and(|value| value.eq_ignore_ascii_case("false"))
        {
            return Some(Origin::Machine);
        }
    }
    None
}

async fn none_found(sources: &Sources) -> Result<Error> {
    let source = aws_source(sources, "default").await?;
    let (names, file) = source
        .as_ref()
        .map_or((Vec::new(), None), AwsSource::others);
    Ok(match file {
        Some(file) if !names.is_empty() => {
            none_chosen("Lightsail", file, "AWS profile", names, "AWS_PROFILE")
        }
        _ => no_credentials(
            "Lightsail",
            &[
                Hint::say("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or make a profile with ")
                    .and_run("aws configure"),
            ],
        ),
    })
}

fn environment_keys(sources: &Sources) -> Result<Option<Keys>> {
    let pair = (sources.var(KEY_ID), sources.var(SECRET_KEY));
    let (key_id, secret) = match pair {
        (None, None) => return Ok(None),
        (Some(key_id), Some(secret)) => (key_id, secret),
        (None, Some(_)) => return Err(half_a_pair("The environment", SECRET_KEY, KEY_ID)),
        (Some(_), None) => return Err(half_a_pair("The environment", KEY_ID, SECRET_KEY)),
    };
    Ok(Some(Keys {
        place: format!("{KEY_ID} and {SECRET_KEY}"),
        key_id: key_id.to_owned(),
        secret: Secret::new(secret),
        token: sources.var("AWS_SESSION_TOKEN").map(Secret::new),
    }))
}

fn half_a_pair(place: &str, has: &str, lacks: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("{place} has {has} but not {lacks}"),
    )
    .hint(format!("set {lacks}, or remove {has}"))
}

async fn named_aws_profile(sources: &Sources, name: &str, asked: &str) -> Result<Origin> {
    let found = aws_source(sources, name).await?;
    let meant = found.as_ref().and_then(AwsSource::meant);
    let Some(source) = found.filter(|source| source.profile().is_some()) else {
        return Err(Error::new(
            Kind::Credentials,
            format!("There is no profile '{}' for Lightsail", clean(name)),
        )
        .absence_if(asked == PROFILE_FLAG)
        .cause(format!(
            "{asked} names it, but neither config.toml has [profile.{0}.lightsail] nor the AWS files a profile {0}",
            clean(name)
        ))
        .hints(meant)
        .hint(Hint::run("aws configure list-profiles").and(" shows the AWS profiles")));
    };
    of_aws_profile(source, asked)
}

fn of_aws_profile(source: AwsSource, asked: &str) -> Result<Origin> {
    let name = clean(&source.name);
    let place = format!("The AWS profile '{name}'");
    match (
        source.get("aws_access_key_id"),
        source.get("aws_secret_access_key"),
    ) {
        (Some(_), None) => {
            return Err(half_a_pair(
                &place,
                "aws_access_key_id",
                "aws_secret_access_key",
            ));
        }
        (None, Some(_)) => {
            return Err(half_a_pair(
                &place,
                "aws_secret_access_key",
                "aws_access_key_id",
            ));
        }
        _ => {}
    }
    source.warn_if_open();
    Ok(Origin::AwsProfile(source, asked.to_owned()))
}

/// What a section `[profile.NAME.lightsail]` says: a key pair, or the name of an AWS profile.
async fn of_own_profile(sources: &Sources, own: &OwnProfile<'_>) -> Result<Origin> {
    let (profile, place) = (&own.profile, own.place());
    let command = profile.secret_key_command.as_deref();
    let has_secret = profile.secret_key.is_some() || command.is_some();
    match (&profile.access_key, has_secret, &profile.aws_profile) {
        (None, false, Some(aws)) => named_aws_profile(sources, aws, &place).await,
        (None, false, None) => Err(Error::new(
            Kind::Credentials,
            format!("{place} names no credentials"),
        )
        .hint("add aws_profile, or access_key with secret_key or secret_key_command")),
        (Some(_), _, Some(_)) | (_, true, Some(_)) => Err(Error::usage(format!(
            "{place} has both aws_profile and a key; keep one"
        ))),
        (Some(_), false, None) => Err(half_a_pair(&place, "access_key", "secret_key")),
        (None, true, None) => Err(half_a_pair(&place, "secret_key", "access_key")),
        (Some(key_id), true, None) => {
            let secret = profile_secret("secret_key", profile.secret_key.as_ref(), command)?;
            let secret = secret.ok_or_else(|| half_a_pair(&place, "access_key", "secret_key"))?;
            Ok(Origin::Keys(Keys {
                place,
                key_id: key_id.clone(),
                secret,
                token: profile.session_token.clone(),
            }))
        }
    }
}

fn credentials(
    sources: &Sources,
    http: &Http,
    origin: Origin,
    region: &str,
) -> Result<(SharedCredentialsProvider, String)> {
    // Without the client the providers panic in debug builds and fail later in release.
    let config = ProviderConfig::default()
        .with_region(Some(Region::new(region.to_owned())))
        .with_http_client(Connector::new(http.clone()))
        .with_retry_config(RetryConfig::standard().with_max_attempts(3))
        .with_timeout_config(time_limits());
    Ok(match origin {
        Origin::Keys(keys) => {
            let token = keys.token.map(|token| token.expose().to_owned());
            let secret = keys.secret.expose();
            let pair = Credentials::new(&keys.key_id, secret, token, None, "snapexport");
            (SharedCredentialsProvider::new(pair), keys.key_id)
        }
        Origin::AwsProfile(source, _) => {
            let account = source
                .get("aws_access_key_id")
                .map_or_else(|| format!("profile {}", source.name), str::to_owned);
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_files(source.files)
                .profile_name(source.name)
                .build();
            (SharedCredentialsProvider::new(provider), account)
        }
        Origin::WebIdentity => {
            let provider = WebIdentityTokenCredentialsProvider::builder()
                .configure(&config)
                .build();
            let account = sources.var("AWS_ROLE_ARN").unwrap_or("web identity");
            (SharedCredentialsProvider::new(provider), account.to_owned())
        }
        Origin::Container(_) => {
            let provider = EcsCredentialsProvider::builder().configure(&config).build();
            (
                SharedCredentialsProvider::new(provider),
                "container role".to_owned(),
            )
        }
        Origin::Machine => {
            let provider = ImdsCredentialsProvider::builder()
                .configure(&config)
                .build();
            (
                SharedCredentialsProvider::new(provider),
                "machine role".to_owned(),
            )
        }
    })
}

/// Explicit limits: the SDK's own wait for ever, or are read from the environment and panic on a bad value.
pub fn time_limits() -> TimeoutConfig {
    // A second more than the client's own, whose message is the better one.
    let attempt = REPLY_TIMEOUT + Duration::from_secs(1);
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 3)
        .build()
}
