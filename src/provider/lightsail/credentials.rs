//! Who calls, in which region, at which address: resolved at connect without a request.
//!
//! Keys in the environment are taken as they are. How a profile gives credentials is read here (`chain`); fetching them
//! (single sign-on, `credential_process`, web identity, containers) is the AWS crates' own work, at the first call.
//! Instance metadata is asked only where a profile says so: off EC2 it costs seconds to find out that there is none.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::credential_process::CredentialProcessProvider;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sso::SsoCredentialsProvider;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvideFuture;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_lightsail::config::retry::RetryConfig;
use aws_sdk_lightsail::config::timeout::TimeoutConfig;
use aws_sdk_lightsail::config::{BehaviorVersion, Region};
use jiff::Timestamp;

use super::address::{self, Variant, authorities, endpoint, region};
use super::chain::{Base, Chain, Keys, WebIdentity};
use super::connector::Connector;
use super::errors::of_fetch;
use super::names::{AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, AWS_WEB_IDENTITY_TOKEN_FILE};
use super::places::{Way, missing, places};
use super::roles::Assumed;
use crate::error::{Command, Hint, Result};
use crate::http::{CONNECT_TIMEOUT, Http, Network, REPLY_TIMEOUT};
use crate::pace::limit;
use crate::provider::Setting;
use crate::secret::{Secret, Url, clean};
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
    /// The address of Lightsail.
    pub endpoint: Url,
    /// Where EC2 is asked; `None`: nowhere.
    pub ec2: Option<Url>,
    /// Where the blocks of snapshots are read; `None`: nowhere.
    pub ebs: Option<Url>,
    /// All of it with its origins.
    pub settings: Vec<Setting>,
    /// How the servers are reached.
    pub network: Network,
    /// See [`crate::provider::Provider::credentials_tag`].
    pub tag: u64,
}

impl Way {
    /// The key pair that is all there is to it.
    fn keys(&self) -> Option<&Keys> {
        match self {
            Way::Keys(keys) => Some(keys),
            Way::AwsProfile(_, chain) => chain.keys_alone(),
            _ => None,
        }
    }

    /// The same for the same keys. What has to be fetched may be other keys each time.
    fn tag(&self) -> u64 {
        static FETCHED: AtomicU64 = AtomicU64::new(0);
        let mut hasher = DefaultHasher::new();
        match self.keys() {
            Some(keys) => {
                (&keys.key_id, keys.secret.expose()).hash(&mut hasher);
                keys.token.as_ref().map(Secret::expose).hash(&mut hasher);
            }
            None => FETCHED.fetch_add(1, Ordering::Relaxed).hash(&mut hasher),
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
    let variant = Variant::of(sources, &found)?;
    let own = endpoint(sources, http, &found, address::LIGHTSAIL)?;
    let is_usual = own.is_none();
    let (endpoint, address) = match own {
        Some((url, setting)) => {
            if let Some(by) = variant.by() {
                tracing::warn!(
                    "{by} asks for another endpoint of the region; it does not count beside that of {}",
                    setting.origin
                );
            }
            (url, setting)
        }
        None => {
            let usual = variant.address(&region.value)?;
            (http.endpoint(&usual.value, "the region")?, usual)
        }
    };
    let beside = |service| address::beside(sources, http, &found, service, (&endpoint, is_usual));
    let (ec2, ebs) = (beside(address::EC2)?, beside(address::EBS)?);
    let tag = found.way.tag();
    let mut network = http.network().clone();
    if let Some((path, origin)) = authorities(sources, &found) {
        network.trust(path, origin);
    }
    let mut settings = vec![who, region.clone(), address];
    settings.extend(network.settings(&endpoint));
    let fetching = Fetching {
        sources,
        region: Region::new(region.value.clone()),
        http: http.over(network.clone()),
        sts: address::endpoint(sources, http, &found, address::STS)?.map(|(url, _)| url),
        sso: address::endpoint(sources, http, &found, address::SSO)?.map(|(url, _)| url),
        variant,
    };
    let (credentials, account) = fetching.credentials(found.way);
    Ok(Resolved {
        credentials,
        account,
        region: region.value,
        endpoint,
        ec2,
        ebs,
        settings,
        network,
        tag,
    })
}

/// What is needed to fetch credentials.
struct Fetching<'s> {
    sources: &'s Sources,
    region: Region,
    http: Http,
    /// Addresses other than the region's own.
    sts: Option<Url>,
    sso: Option<Url>,
    variant: Variant,
}

impl Fetching<'_> {
    /// The credentials, and the account: a key id, or what stands for it.
    fn credentials(&self, way: Way) -> (SharedCredentialsProvider, String) {
        let account = match &way {
            Way::Keys(keys) => keys.key_id.clone(),
            Way::AwsProfile(source, chain) => match chain.keys_alone() {
                Some(keys) => keys.key_id.clone(),
                None => format!("profile {}", source.name),
            },
            Way::WebIdentity => {
                let role = self.sources.var(AWS_ROLE_ARN);
                role.unwrap_or("web identity").to_owned()
            }
            Way::Container => "container role".to_owned(),
            Way::Machine => "machine role".to_owned(),
        };
        let provider = match way {
            Way::Keys(keys) => self.base(Base::Keys(keys)),
            Way::AwsProfile(_, chain) => self.chain(*chain),
            Way::WebIdentity => self.base(Base::WebIdentity(WebIdentity {
                file: self
                    .sources
                    .file_of(AWS_WEB_IDENTITY_TOKEN_FILE)
                    .unwrap_or_default(),
                role: self
                    .sources
                    .var(AWS_ROLE_ARN)
                    .unwrap_or_default()
                    .to_owned(),
                session: self.sources.var(AWS_ROLE_SESSION_NAME).map(str::to_owned),
            })),
            Way::Container => self.base(Base::Container),
            Way::Machine => self.base(Base::Machine),
        };
        (provider, account)
    }

    fn chain(&self, chain: Chain) -> SharedCredentialsProvider {
        let base = SharedCredentialsProvider::new(Tidy(self.base(chain.base)));
        if chain.roles.is_empty() {
            return base;
        }
        let sts = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .http_client(Connector::new(self.http.clone()))
            .retry_config(retries())
            .timeout_config(time_limits());
        let sts = match &self.sts {
            Some(url) => sts.endpoint_url(url.as_str()),
            None => sts
                .use_fips(self.variant.fips.is_some())
                .use_dual_stack(self.variant.dual_stack.is_some()),
        };
        let roles = chain.roles;
        SharedCredentialsProvider::new(Assumed { base, roles, sts })
    }

    fn base(&self, base: Base) -> SharedCredentialsProvider {
        match base {
            Base::Keys(keys) => {
                let token = keys.token.map(|token| token.expose().to_owned());
                let secret = keys.secret.expose();
                let pair = Credentials::new(keys.key_id, secret, token, None, "snapexport");
                SharedCredentialsProvider::new(pair)
            }
            Base::Process(command) => fetched(
                "The profile's credential_process gives no credentials",
                None,
                CredentialProcessProvider::new(command),
            ),
            Base::Sso(sso) => {
                let mut builder = SsoCredentialsProvider::builder()
                    .configure(&self.config("portal.sso", &self.sso))
                    .account_id(sso.account)
                    .role_name(sso.role)
                    .start_url(sso.start_url)
                    .region(Region::new(sso.region));
                builder.set_session_name(sso.session);
                let profile = clean(&sso.profile);
                let command = Command::from("aws sso login --profile").arg(sso.profile);
                fetched(
                    format!(
                        "The single sign-on of the AWS profile '{profile}' gives no credentials"
                    ),
                    Some(Hint::say("log in again: ").and_run(command)),
                    builder.build(),
                )
            }
            Base::WebIdentity(web) => {
                let what = format!(
                    "The role {} cannot be assumed with the token in {}",
                    clean(&web.role),
                    web.file.display()
                );
                // As the AWS crates name a session that has no name.
                let unnamed =
                    || format!("web-identity-token-{}", Timestamp::now().as_millisecond());
                let provider = WebIdentityTokenCredentialsProvider::builder()
                    .configure(&self.config("sts", &self.sts))
                    .static_configuration(StaticConfiguration {
                        web_identity_token_file: web.file,
                        role_arn: web.role,
                        session_name: web.session.unwrap_or_else(unnamed),
                    })
                    .build();
                fetched(what, None, provider)
            }
            Base::Container => {
                let config = self.config("", &None);
                let provider = EcsCredentialsProvider::builder().configure(&config);
                fetched("The container has no role to give", None, provider.build())
            }
            Base::Machine => {
                let config = self.config("", &None);
                let provider = ImdsCredentialsProvider::builder().configure(&config);
                let what = "The instance metadata give no credentials";
                fetched(what, None, provider.build())
            }
        }
    }

    /// Without the client the providers panic in debug builds and fail later in release. They take an address from the
    /// environment alone; the connector knows the one of a profile.
    fn config(&self, hosts: &'static str, address: &Option<Url>) -> ProviderConfig {
        let connector = Connector::new(self.http.clone()).instead_of(hosts, address);
        let asked = |by: &Option<Origin>| Some(address.is_none() && by.is_some());
        ProviderConfig::default()
            .with_region(Some(self.region.clone()))
            .with_http_client(connector)
            .with_retry_config(retries())
            .with_timeout_config(time_limits())
            .with_use_fips(asked(&self.variant.fips))
            .with_use_dual_stack(asked(&self.variant.dual_stack))
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

/// Credentials that have to be fetched. Who does not give them is named.
#[derive(Debug)]
struct Fetched<P> {
    what: String,
    login: Option<Hint>,
    inner: P,
}

impl<P: ProvideCredentials> ProvideCredentials for Fetched<P> {
    fn provide_credentials<'a>(&'a self) -> ProvideFuture<'a>
    where
        Self: 'a,
    {
        ProvideFuture::new(async move {
            let given = self.inner.provide_credentials().await;
            given.map_err(|error| {
                let error = of_fetch(&self.what, self.login.clone(), &error);
                CredentialsError::provider_error(error)
            })
        })
    }
}

fn fetched(
    what: impl Into<String>,
    login: Option<Hint>,
    inner: impl ProvideCredentials + 'static,
) -> SharedCredentialsProvider {
    let what = what.into();
    SharedCredentialsProvider::new(Fetched { what, login, inner })
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
