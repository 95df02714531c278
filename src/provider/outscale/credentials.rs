//! Whose key pair, which region and which endpoints: what belongs together comes from one source.

use super::certificate::{Certificate, Part};
use super::errors::Caller;
use super::names::*;
use super::places::*;
use super::profile::Profile;
use super::sign::Keys;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Network};
use crate::provider::Setting;
use crate::secret::{Secret, Url};
use crate::settings::text::{Form, escaped, trimmed};
use crate::settings::{Origin, Sources, profile_secret};

/// The region of every official client, if none is named.
pub(super) const DEFAULT_REGION: &str = "eu-west-2";

/// Where a region that nobody named comes from.
const DEFAULT: Origin = Origin::Rule("the default");

/// The name of the setting for what is shown to the API beside the keys.
const CERTIFICATE: &str = "client certificate";

/// The name of the setting that says where the API is.
const API: &str = "endpoint";

/// Everything that is needed to talk to the cloud.
#[derive(Debug)]
pub(super) struct Account {
    pub keys: Keys,
    /// The pair for the object store.
    pub object_keys: Keys,
    pub region: String,
    /// Ends in the version path, as in `https://api.eu-west-2.outscale.com/api/v1`.
    pub api: Url,
    /// The object store, without a bucket.
    pub objects: Url,
    /// The key pair of a bucket in another account, which is used for the object store instead.
    pub bucket_keys: Option<Keys>,
    /// All of it with its origins.
    pub settings: Vec<Setting>,
    /// How the API is reached, where that differs from how everything is.
    pub network: Option<Network>,
    /// What its errors need to know.
    pub caller: Caller,
}

impl Account {
    /// Resolves it with the keys of the first place that has any.
    pub(super) fn resolve(sources: &Sources, http: &Http) -> Result<Self> {
        let place = places(sources).next();
        let section = place.ok_or_else(|| missing(sources))?.load()?;
        let keys = section.keys_for("api", sources)?;
        // A command that tells a secret is run once.
        let is_one = section.newer.is_for("api") == section.newer.is_for("oos");
        let object_keys = match is_one {
            true => keys.clone(),
            false => section.keys_for("oos", sources)?,
        };
        section.warn_of_strays(sources);
        section.warn_of_unused_keys();
        warn_of_former_names(sources);
        let origin = format!("{:#}", section.origin);
        let mut settings = vec![Setting::new("credentials", &keys.id, &origin)];
        if object_keys != keys {
            settings.push(Setting::new("object credentials", &object_keys.id, origin));
        }
        let (region, origin) = region(sources, &section, &keys)?;
        settings.push(Setting::new("region", &region, format!("{origin:#}")));
        let default_region = (origin == DEFAULT).then(|| region.clone());
        // A profile's endpoints are those of its region, so another region's calls must not go there.
        let is_home = section.home(sources) == region;
        let mut endpoint = |name, variable, own: &Option<String>, service: &str| {
            let of_domain = section.of_domain(service, &region);
            let own = own.as_ref().filter(|_| is_home).or(of_domain.as_ref());
            let set = sources.var(variable);
            let (text, origin) = match (set, own) {
                (Some(text), _) => (with_protocol(text, sources), Origin::Variable(variable)),
                (None, Some(text)) => (text.clone(), section.origin.clone()),
                (None, None) => (
                    format!("{service}.{region}.outscale.com"),
                    Origin::Rule("the region"),
                ),
            };
            let text = text.replace("{region}", &region);
            let mut url = http.endpoint(&text, format!("{origin:#}"))?;
            let other = set.and(own).map(|_| section.origin.clone());
            let origin = format!("{:#}", origin.over(other));
            // Half of the clients write the version into the endpoint, half do not.
            if name == API && url.path() == "/" {
                url.set_path("/api/v1");
            }
            settings.push(Setting::new(name, url.to_string(), origin));
            Ok::<Url, Error>(url)
        };
        let api = endpoint(API, OSC_ENDPOINT_API, &section.endpoint, "api")?;
        let objects = endpoint(
            "object endpoint",
            OSC_ENDPOINT_OOS,
            &section.object_endpoint,
            "oos",
        )?;
        let network = network(sources, http, &section, &mut settings)?;
        let reached = network.as_ref().unwrap_or(http.network());
        settings.extend(reached.settings(&api));
        let bucket_keys = bucket_keys(sources)?;
        if let Some((keys, origin)) = &bucket_keys {
            settings.push(Setting::new(
                "bucket credentials",
                &keys.id,
                format!("{origin:#}"),
            ));
        }
        let caller = Caller {
            default_region,
            has_certificate: settings.iter().any(|set| set.name == CERTIFICATE),
        };
        Ok(Account {
            keys,
            object_keys,
            region,
            api,
            objects,
            bucket_keys: bucket_keys.map(|(keys, _)| keys),
            settings,
            network,
            caller,
        })
    }
}

/// What one source says, before it is checked.
pub(super) struct Section {
    pub origin: Origin,
    pub access_key: Option<String>,
    pub secret_key: Option<Secret>,
    /// What tells the secret key, where it does not stand there itself.
    pub secret_key_command: Option<Vec<String>>,
    /// The pair for some services.
    pub newer: Newer,
    /// It has a login or a password, which exports do not take.
    pub has_login: bool,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub object_endpoint: Option<String>,
    /// What comes after `api.REGION.` where no endpoint is named, whichever region it is.
    pub domain: Option<String>,
    /// Addresses without a scheme mean plain http.
    pub is_plain: bool,
    pub certificate: Certificate,
    pub proxy: Option<String>,
    /// It asks not to look at the server's certificate, which is not done.
    pub is_trusting: bool,
}

/// A newer key pair, and the services that it is used for (`api`, `oos`, …), as OUTSCALE's SDKs have it.
#[derive(Debug, Default)]
pub(super) struct Newer {
    pub access_key: Option<String>,
    pub secret_key: Option<Secret>,
    pub services: Vec<String>,
}

impl Newer {
    /// The services in a list with commas.
    pub(super) fn services_in(list: &str) -> Vec<String> {
        let names = list.split(',').map(trimmed);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn is_for(&self, service: &str) -> bool {
        self.services
            .iter()
            .any(|name| name.eq_ignore_ascii_case(service))
    }
}

/// An address of the environment without a scheme, in the protocol that is set there.
fn with_protocol(address: &str, sources: &Sources) -> String {
    match sources.var(OSC_PROTOCOL) {
        Some("http") if !address.contains("://") => format!("http://{address}"),
        _ => address.to_owned(),
    }
}

/// The client certificate and the proxy that come with the keys.
fn network(
    sources: &Sources,
    http: &Http,
    section: &Section,
    settings: &mut Vec<Setting>,
) -> Result<Option<Network>> {
    let origin = &section.origin;
    if section.is_trusting {
        tracing::warn!(
            "{origin} asks not to verify certificates (tls_skip_verify); they are verified all the same. SSL_CERT_FILE names a private authority"
        );
    }
    let mut network = http.network().clone();
    let certificate = section.certificate.load(sources, origin)?;
    let is_own = certificate.is_some() || section.proxy.is_some();
    if let Some((identity, shown)) = certificate {
        settings.push(Setting::new(CERTIFICATE, shown, origin));
        network.present(identity);
    }
    if let Some(address) = &section.proxy {
        network.go_through(address, origin.clone());
    }
    Ok(is_own.then_some(network))
}

impl Section {
    /// The region that it would be without the option, which is the one of the endpoints.
    fn home<'s>(&'s self, sources: &'s Sources) -> &'s str {
        let own = self.region.as_deref().or(sources.var(OSC_REGION));
        own.unwrap_or(DEFAULT_REGION)
    }

    /// The address of a service that follows from the domain.
    fn of_domain(&self, service: &str, region: &str) -> Option<String> {
        let scheme = if self.is_plain { "http://" } else { "" };
        let domain = self.domain.as_ref()?;
        Some(format!("{scheme}{service}.{region}.{domain}"))
    }

    /// Keys of the environment; half a pair is one too.
    pub(super) fn of_environment(sources: &Sources) -> Option<Section> {
        let part = |file, base64| Part::of_variables(sources, file, base64);
        let section = Section {
            access_key: sources.var(OSC_ACCESS_KEY).map(str::to_owned),
            secret_key: sources.var(OSC_SECRET_KEY).map(Secret::new),
            certificate: Certificate {
                chain: part(OSC_X509_CLIENT_CERT, OSC_X509_CLIENT_CERT_B64),
                key: part(OSC_X509_CLIENT_KEY, OSC_X509_CLIENT_KEY_B64),
            },
            newer: Newer {
                access_key: sources.var(OSC_ACCESS_KEY_V2).map(str::to_owned),
                secret_key: sources.var(OSC_SECRET_KEY_V2).map(Secret::new),
                services: sources
                    .var(OSC_IAM_V2_SERVICES)
                    .map_or_else(Vec::new, Newer::services_in),
            },
            // It is only warned of, so that any other value may count as on.
            is_trusting: sources.env.switch(OSC_TLS_SKIP_VERIFY).unwrap_or(true),
            ..Section::of_profile(Profile::default(), ENVIRONMENT)
        };
        // A newer pair for services that are not called here leaves the keys to the next place.
        let is_called = ["api", "oos"]
            .into_iter()
            .any(|name| section.newer.is_for(name));
        (section.has_usual_keys() || is_called).then_some(section)
    }

    /// Whether there is any key of the usual pair, or part of one.
    fn has_usual_keys(&self) -> bool {
        self.access_key.is_some() || self.secret_key.is_some() || self.secret_key_command.is_some()
    }

    /// Whether a key is the id of a pair here.
    pub(super) fn has_id(&self, id: &str) -> bool {
        let ids = [&self.access_key, &self.newer.access_key];
        ids.into_iter().any(|own| own.as_deref() == Some(id))
    }

    /// Whether there is any key, or part of one.
    pub(super) fn has_keys(&self) -> bool {
        let newer = &self.newer;
        self.has_usual_keys() || newer.access_key.is_some() || newer.secret_key.is_some()
    }

    /// What a profile of ours says.
    pub(super) fn of_profile(profile: Profile, origin: Origin) -> Section {
        Section {
            origin,
            access_key: profile.access_key,
            secret_key: profile.secret_key,
            secret_key_command: profile.secret_key_command,
            newer: Newer::default(),
            has_login: false,
            region: profile.region,
            endpoint: profile.endpoint,
            object_endpoint: profile.object_endpoint,
            domain: None,
            is_plain: false,
            certificate: Certificate::default(),
            proxy: None,
            is_trusting: false,
        }
    }

    /// A certificate and a newer pair belong to an account as its keys do, and come from where they come from.
    fn warn_of_strays(&self, sources: &Sources) {
        let certificate = [OSC_X509_CLIENT_CERT, OSC_X509_CLIENT_CERT_B64];
        let newer = [OSC_ACCESS_KEY_V2, OSC_SECRET_KEY_V2];
        for names in [certificate, newer] {
            if let Some((name, _)) = sources.first_var(&names)
                && self.origin != ENVIRONMENT
            {
                tracing::warn!("{name} is not used: the keys are from {:#}", self.origin);
            }
        }
    }

    /// A newer pair is used for the services that are named, and for no other.
    fn warn_of_unused_keys(&self) {
        let newer = &self.newer;
        if newer.access_key.is_some() && newer.services.is_empty() {
            tracing::warn!(
                "the newer key pair (access_key_v2) from {:#} is not used: iam_v2_services names no service for it",
                self.origin
            );
        }
    }

    /// The pair for a service; half of one or none is kind `credentials`.
    fn keys_for(&self, service: &str, sources: &Sources) -> Result<Keys> {
        if !self.newer.is_for(service) {
            return self.keys(sources);
        }
        match (&self.newer.access_key, &self.newer.secret_key) {
            (Some(id), Some(secret)) => {
                for (key, value) in [
                    ("access_key_v2", id.as_str()),
                    ("secret_key_v2", secret.expose()),
                ] {
                    if let Some(flaw) = Form::Key.flaw(value) {
                        return Err(Form::Key.refusal(self.origin.of_value(key), flaw));
                    }
                }
                Ok(checked(id, secret.clone(), &self.origin))
            }
            (id, _) => {
                let missing = if id.is_some() {
                    "secret_key_v2"
                } else {
                    "access_key_v2"
                };
                let sentence = format!(
                    "The newer OUTSCALE key pair from {:#}, which iam_v2_services asks for ({service}), lacks {missing}",
                    self.origin
                );
                Err(Error::new(Kind::Credentials, sentence)
                    .hint("add it, or take the service out of iam_v2_services"))
            }
        }
    }

    /// The usual pair.
    fn keys(&self, sources: &Sources) -> Result<Keys> {
        if !self.has_keys() {
            let why = match self.has_login {
                true => "only has a login and a password, which exports do not take",
                false => "has no access key",
            };
            return Err(Error::new(
                Kind::Credentials,
                format!("No OUTSCALE key: {:#} {why}", self.origin),
            )
            .hint(MAKE_A_KEY));
        }
        let command = self.secret_key_command.as_deref();
        let secret = profile_secret(
            "secret_key",
            self.secret_key.as_ref(),
            command,
            sources.deadline,
        )?;
        let missing = match (&self.access_key, secret) {
            (Some(id), Some(secret)) => {
                for (key, value) in [("access_key", id.as_str()), ("secret_key", secret.expose())] {
                    if let Some(flaw) = Form::Key.flaw(value) {
                        return Err(Form::Key.refusal(self.origin.of_value(key), flaw));
                    }
                }
                return Ok(checked(id, secret, &self.origin));
            }
            (Some(_), None) => "the secret key (OSC_SECRET_KEY, or secret_key in a profile)",
            (None, Some(_)) => "the access key (OSC_ACCESS_KEY, or access_key in a profile)",
            (None, None) => "the access key and the secret key",
        };
        Err(Error::new(
            Kind::Credentials,
            format!(
                "The OUTSCALE key pair from {:#} lacks {missing}",
                self.origin
            ),
        )
        .hint("both halves must come from the same place"))
    }
}

/// The key pair, with a warning where its form is unusual: too long or short a key may be a slip, but the cloud decides.
fn checked(id: &str, secret: Secret, origin: &Origin) -> Keys {
    if id.len() != 20 || secret.expose().len() != 40 {
        tracing::warn!(
            "the key pair from {origin:#} does not have the usual lengths (20 and 40 characters)"
        );
    }
    Keys {
        id: id.to_owned(),
        secret,
    }
}

/// A variable that was renamed, where its new name is not set.
fn warn_of_former_names(sources: &Sources) {
    for sentence in former_names(sources) {
        tracing::warn!("{sentence}");
    }
}

/// The flag, else what stands beside the keys, else `OSC_REGION`, else what a profile with the same key says, else the default.
fn region(sources: &Sources, section: &Section, keys: &Keys) -> Result<(String, Origin)> {
    let of_twin;
    let (region, origin) = match (&sources.region, &section.region, sources.var(OSC_REGION)) {
        (Some((region, origin)), ..) => (region.as_str(), origin.clone()),
        (None, Some(region), other) => {
            if other.is_some_and(|other| other != region) {
                tracing::warn!(
                    "OSC_REGION is not used: the region comes with the keys, from {:#}",
                    section.origin
                );
            }
            (region.as_str(), section.origin.clone())
        }
        (None, None, Some(region)) => (region, Origin::Variable(OSC_REGION)),
        (None, None, None) => {
            of_twin = region_of_twin(sources, &keys.id);
            match &of_twin {
                Some((region, origin)) => (region.as_str(), origin.clone()),
                None => (DEFAULT_REGION, DEFAULT),
            }
        }
    };
    check_region(region, &origin)?;
    Ok((region.to_owned(), origin))
}

/// New regions appear, so only what cannot be one is refused.
fn check_region(region: &str, origin: &Origin) -> Result<()> {
    let shown = escaped(region.as_ref());
    let mut back = region.chars().rev();
    let is_zone = back.next().is_some_and(|c| c.is_ascii_lowercase())
        && back.next().is_some_and(|c| c.is_ascii_digit());
    if is_zone {
        return Err(
            Error::usage(format!("{shown} is a subregion, not a region"))
                .about("region")
                .hint(format!(
                    "drop the letter: --region {}",
                    &shown[..shown.len() - 1]
                )),
        );
    }
    // It becomes part of a host name.
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(is_label) {
        return Err(
            Error::usage(format!("'{shown}' from {origin:#} is no OUTSCALE region"))
                .about("region")
                .hint("such as eu-west-2"),
        );
    }
    Ok(())
}

/// The key pair for a bucket in another account: `--bucket-profile`, else `OSU_ACCESS_KEY` and `OSU_SECRET_KEY`.
fn bucket_keys(sources: &Sources) -> Result<Option<(Keys, Origin)>> {
    if let Some(name) = &sources.target_profile {
        let section = named(sources, name).load()?;
        return Ok(Some((section.keys_for("oos", sources)?, section.origin)));
    }
    let half = |missing: &str, present: &str| {
        Err(Error::usage(format!(
            "{present} is set, but {missing} is not: a bucket in another account needs both"
        )))
    };
    match (sources.var(OSU_ACCESS_KEY), sources.var(OSU_SECRET_KEY)) {
        (Some(id), Some(secret)) => {
            let origin = Origin::Pair(OSU_ACCESS_KEY, OSU_SECRET_KEY);
            Ok(Some((checked(id, Secret::new(secret), &origin), origin)))
        }
        (Some(_), None) => half(OSU_SECRET_KEY, OSU_ACCESS_KEY),
        (None, Some(_)) => half(OSU_ACCESS_KEY, OSU_SECRET_KEY),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
