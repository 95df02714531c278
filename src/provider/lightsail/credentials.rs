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
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvideFuture;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_lightsail::config::Region;
use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::config::timeout::TimeoutConfig;
use jiff::Timestamp;

use super::address::{self, authorities, endpoint, region};
use super::connector::Connector;
use super::names::{AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, AWS_WEB_IDENTITY_TOKEN_FILE};
use super::places::{Way, missing, places};
use crate::error::Result;
use crate::http::{CONNECT_TIMEOUT, Http, Network, REPLY_TIMEOUT};
use crate::pace::limit;
use crate::provider::Setting;
use crate::secret::{Secret, Url};
use crate::settings::text::{Form, trimmed};
use crate::settings::{Origin, Sources};

/// What a client needs to know.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Signs the requests.
    pub credentials: SharedCredentialsProvider,
    /// The access key id, or what stands for it where keys are temporary. Never a secret.
    pub account: String,
    /// Where the calls go.
    pub region: String,
    /// An address other than the region's own.
    pub endpoint: Option<Url>,
    /// Where EC2 is asked; `None`: nowhere.
    pub ec2: Option<Url>,
    /// All of it with its origins.
    pub settings: Vec<Setting>,
    /// How the servers are reached.
    pub network: Network,
    /// See [`crate::provider::Provider::credentials_tag`].
    pub tag: u64,
}

impl Way {
    /// The same for the same keys. What has to be fetched may be other keys each time.
    fn tag(&self) -> u64 {
        static FETCHED: AtomicU64 = AtomicU64::new(0);
        let mut hasher = DefaultHasher::new();
        match self {
            Way::Keys(keys) => {
                (&keys.key_id, keys.secret.expose()).hash(&mut hasher);
                keys.token.as_ref().map(Secret::expose).hash(&mut hasher);
            }
            Way::AwsProfile(source) if source.has_keys_alone() => {
                source.get("aws_access_key_id").hash(&mut hasher);
                source.get("aws_secret_access_key").hash(&mut hasher);
                source.get("aws_session_token").hash(&mut hasher);
            }
            _ => FETCHED.fetch_add(1, Ordering::Relaxed).hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// Resolves credentials, region and endpoint. Nothing is sent.
pub(super) fn resolve(sources: &Sources, http: &Http) -> Result<Resolved> {
    let place = places(sources).next();
    let found = place.ok_or_else(|| missing(sources))?.load()?;
    let who = Setting::new("credentials", found.way.who(sources), &found.origin);
    let region = region(sources, &found)?;
    let (endpoint, address) = match endpoint(sources, http, &found, address::LIGHTSAIL)? {
        Some((url, setting)) => (Some(url), setting),
        None => (None, usual_endpoint(&region.value)),
    };
    let ec2 = address::ec2(sources, http, &found, (&region.value, endpoint.as_ref()))?;
    let tag = found.way.tag();
    let mut network = http.network().clone();
    if let Some((path, origin)) = authorities(sources, &found) {
        network.trust(path, origin);
    }
    let mut settings = vec![who, region.clone(), address];
    if let Ok(url) = Url::parse(&settings[2].value) {
        settings.extend(network.settings(&url));
    }
    let http = http.over(network.clone());
    let (credentials, account) = credentials(sources, &http, found.way, &region.value);
    Ok(Resolved {
        credentials,
        account,
        region: region.value,
        endpoint,
        ec2,
        settings,
        network,
        tag,
    })
}

fn usual_endpoint(region: &str) -> Setting {
    let url = format!("https://lightsail.{region}.amazonaws.com/");
    Setting::new("endpoint", url, Origin::Rule("the region"))
}

fn credentials(
    sources: &Sources,
    http: &Http,
    way: Way,
    region: &str,
) -> (SharedCredentialsProvider, String) {
    // Without the client the providers panic in debug builds and fail later in release.
    let config = ProviderConfig::default()
        .with_region(Some(Region::new(region.to_owned())))
        .with_http_client(Connector::new(http.clone()))
        .with_retry_config(RetryConfig::standard().with_max_attempts(3))
        .with_timeout_config(time_limits());
    match way {
        Way::Keys(keys) => {
            let token = keys.token.map(|token| token.expose().to_owned());
            let secret = keys.secret.expose();
            let pair = Credentials::new(&keys.key_id, secret, token, None, "snapexport");
            (SharedCredentialsProvider::new(pair), keys.key_id)
        }
        Way::AwsProfile(source) => {
            let account = source
                .get("aws_access_key_id")
                .map_or_else(|| format!("profile {}", source.name), str::to_owned);
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_files(source.files)
                .profile_name(source.name)
                .build();
            let provider = Tidy(SharedCredentialsProvider::new(provider));
            (SharedCredentialsProvider::new(provider), account)
        }
        Way::WebIdentity => {
            let mut builder = WebIdentityTokenCredentialsProvider::builder().configure(&config);
            // Without it the AWS crates read the variables themselves, as they stand there.
            if let (Some(file), Some(role)) = (
                sources.file_of(AWS_WEB_IDENTITY_TOKEN_FILE),
                sources.var(AWS_ROLE_ARN),
            ) {
                let session = sources.var(AWS_ROLE_SESSION_NAME).map(str::to_owned);
                // As the AWS crates name a session that has no name.
                let unnamed =
                    || format!("web-identity-token-{}", Timestamp::now().as_millisecond());
                builder = builder.static_configuration(StaticConfiguration {
                    web_identity_token_file: file,
                    role_arn: role.to_owned(),
                    session_name: session.unwrap_or_else(unnamed),
                });
            }
            let provider = builder.build();
            let account = sources.var(AWS_ROLE_ARN).unwrap_or("web identity");
            (SharedCredentialsProvider::new(provider), account.to_owned())
        }
        Way::Container => {
            let provider = EcsCredentialsProvider::builder().configure(&config).build();
            (
                SharedCredentialsProvider::new(provider),
                "container role".to_owned(),
            )
        }
        Way::Machine => {
            let provider = ImdsCredentialsProvider::builder()
                .configure(&config)
                .build();
            (
                SharedCredentialsProvider::new(provider),
                "machine role".to_owned(),
            )
        }
    }
}

/// Credentials without white space around them; such as the SDK could not even sign with are refused.
#[derive(Debug)]
struct Tidy(SharedCredentialsProvider);

impl ProvideCredentials for Tidy {
    fn provide_credentials<'a>(&'a self) -> ProvideFuture<'a>
    where
        Self: 'a,
    {
        ProvideFuture::new(async move { tidy(&self.0.provide_credentials().await?) })
    }
}

fn tidy(given: &Credentials) -> provider::Result {
    let part = |name: &str, value: &str| {
        let value = trimmed(value).to_owned();
        match Form::of(name).check(format!("The {name} that was given"), &value) {
            Ok(()) => Ok(value),
            Err(error) => Err(CredentialsError::invalid_configuration(error)),
        }
    };
    let token = given.session_token();
    let token = token
        .map(|token| part("session_token", token))
        .transpose()?;
    let mut tidied = Credentials::builder()
        .access_key_id(part("access_key_id", given.access_key_id())?)
        .secret_access_key(part("secret_access_key", given.secret_access_key())?)
        .provider_name("snapexport");
    tidied.set_session_token(token);
    tidied.set_expiry(given.expiry());
    tidied.set_account_id(given.account_id().cloned());
    Ok(tidied.build())
}

/// Explicit limits: the SDK's own wait for ever, or are read from the environment and panic on a bad value.
pub(super) fn time_limits() -> TimeoutConfig {
    // A second more than the client's own, whose message is the better one.
    let attempt = limit(REPLY_TIMEOUT + Duration::from_secs(1));
    TimeoutConfig::builder()
        .connect_timeout(limit(CONNECT_TIMEOUT))
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 3)
        .build()
}

#[cfg(test)]
mod tests;
