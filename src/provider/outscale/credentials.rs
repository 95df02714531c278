//! Whose key pair, which region and which endpoints: what belongs together comes from one source.

use super::super::{Setting, overriding};
use super::Profile;
use super::certificate::{Certificate, Part};
use super::osc_file::OscFile;
use super::sign::Keys;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Network};
use crate::provider::absence::no_credentials;
use crate::secret::{Secret, Url, clean};
use crate::settings::{Sources, profile_secret};

/// The region of every official client, if none is named.
pub(super) const DEFAULT_REGION: &str = "eu-west-2";

/// The name of the setting that says where the API is.
const API: &str = "endpoint";

/// Everything that is needed to talk to the cloud.
#[derive(Debug)]
pub(super) struct Account {
    pub keys: Keys,
    pub region: String,
    /// Ends in the version path, as in `https://api.eu-west-2.outscale.com/api/v1`.
    pub api: Url,
    /// The object store, without a bucket.
    pub objects: Url,
    /// The key pair of a bucket in another account.
    pub bucket_keys: Option<Keys>,
    /// All of it with its origins.
    pub settings: Vec<Setting>,
    /// How the API is reached, where that differs from how everything is.
    pub network: Option<Network>,
}

impl Account {
    /// Resolves it: an explicit profile, the environment, the configured default profile, then osc's own file.
    pub fn resolve(sources: &Sources, http: &Http) -> Result<Self> {
        let section = Section::choose(sources)?;
        let keys = section.keys()?;
        section.warn_of_stray_certificate(sources);
        let mut settings = vec![Setting::new("credentials", &keys.id, &section.origin)];
        let (region, origin) = region(sources, &section)?;
        settings.push(Setting::new("region", &region, origin));
        // A profile's endpoints are those of its region, so another region's calls must not go there.
        let is_home = section.home(sources) == region;
        let mut endpoint = |name, variable, own: &Option<String>, service: &str| {
            let of_domain = section.of_domain(service, &region);
            let own = own.as_ref().filter(|_| is_home).or(of_domain.as_ref());
            let (text, origin) = match (sources.var(variable), own) {
                (Some(text), _) => (with_protocol(text, sources), variable),
                (None, Some(text)) => (text.clone(), section.origin.as_str()),
                (None, None) => (format!("{service}.{region}.outscale.com"), "the region"),
            };
            let mut url = http.endpoint(&text, origin)?;
            let is_override = origin == variable && own.is_some();
            let other = is_override.then_some(section.origin.as_str());
            // Half of the clients write the version into the endpoint, half do not.
            if name == API && url.path() == "/" {
                url.set_path("/api/v1");
            }
            settings.push(Setting::new(
                name,
                url.to_string(),
                overriding(origin, other),
            ));
            Ok::<Url, Error>(url)
        };
        let api = endpoint(API, "OSC_ENDPOINT_API", &section.endpoint, "api")?;
        let objects = endpoint(
            "object endpoint",
            "OSC_ENDPOINT_OOS",
            &section.object_endpoint,
            "oos",
        )?;
        let network = network(sources, http, &section, &mut settings)?;
        let reached = network.as_ref().unwrap_or(http.network());
        settings.extend(reached.settings(&api));
        let bucket_keys = bucket_keys(sources)?;
        if let Some((keys, origin)) = &bucket_keys {
            settings.push(Setting::new("bucket credentials", &keys.id, origin));
        }
        Ok(Account {
            keys,
            region,
            api,
            objects,
            bucket_keys: bucket_keys.map(|(keys, _)| keys),
            settings,
            network,
        })
    }
}

/// What one source says, before it is checked.
#[derive(Default)]
pub(super) struct Section {
    pub origin: String,
    pub access_key: Option<String>,
    pub secret_key: Option<Secret>,
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

/// An address of the environment without a scheme, in the protocol that is set there.
fn with_protocol(address: &str, sources: &Sources) -> String {
    match sources.var("OSC_PROTOCOL") {
        Some("http") if !address.contains("://") => format!("http://{address}"),
        _ => address.to_owned(),
    }
}

/// osc's file, in words.
fn place(file: Option<&OscFile>) -> String {
    let path = file.map(|file| file.path.display().to_string());
    path.unwrap_or_else(|| "~/.osc/config.json".to_owned())
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
        settings.push(Setting::new("client certificate", shown, origin));
        network.present(identity);
    }
    if let Some(address) = &section.proxy {
        network.go_through(address, origin);
    }
    Ok(is_own.then_some(network))
}

impl Section {
    fn choose(sources: &Sources) -> Result<Section> {
        let profile = sources.profile.as_ref();
        if let Some(profile) = profile.filter(|profile| profile.is_explicit) {
            return Section::named(sources, &profile.name);
        }
        if let Some(section) = Section::from_environment(sources) {
            return Ok(section);
        }
        if let Some(name) = sources.var("OSC_PROFILE") {
            return Section::of_variable(sources, name);
        }
        if let Some(profile) = profile
            && let Some(own) = sources.own_section(super::ID.0)?
        {
            return Section::from_own(&profile.name, own);
        }
        let Some(file) = OscFile::find(sources)? else {
            return Err(none());
        };
        file.usual().ok_or_else(|| file.none_chosen())
    }

    /// The profile of osc's file that `OSC_PROFILE` names.
    fn of_variable(sources: &Sources, name: &str) -> Result<Section> {
        let file = OscFile::find(sources)?;
        if let Some(section) = file.as_ref().and_then(|file| file.section(name)) {
            return Ok(section);
        }
        let error = Error::new(
            Kind::Credentials,
            format!(
                "There is no profile '{}' (OSC_PROFILE) in {}",
                clean(name),
                place(file.as_ref())
            ),
        );
        Err(error.hints(file.and_then(|file| file.meant(name))))
    }

    /// The profile of this name: ours, else the one of osc's file.
    fn named(sources: &Sources, name: &str) -> Result<Section> {
        let own = sources.config.profiles.get(name);
        if let Some(own) = own.and_then(|profile| profile.section(super::ID.0)) {
            return Section::from_own(name, own.read()?);
        }
        let file = OscFile::find(sources)?;
        if let Some(section) = file.as_ref().and_then(|file| file.section(name)) {
            return Ok(section);
        }
        let meant = file.as_ref().and_then(|file| file.meant(name));
        let place = place(file.as_ref());
        let name = clean(name);
        let error = Error::new(
            Kind::Credentials,
            format!(
                "There is no profile '{name}' for OUTSCALE: neither [profile.{name}.outscale] in config.toml nor '{name}' in {place}"
            ),
        );
        Err(error.absence().hints(meant))
    }

    /// The region that it would be without the option, which is the one of the endpoints.
    fn home<'s>(&'s self, sources: &'s Sources) -> &'s str {
        let own = self.region.as_deref().or(sources.var("OSC_REGION"));
        own.unwrap_or(DEFAULT_REGION)
    }

    /// The address of a service that follows from the domain.
    fn of_domain(&self, service: &str, region: &str) -> Option<String> {
        let scheme = if self.is_plain { "http://" } else { "" };
        let domain = self.domain.as_ref()?;
        Some(format!("{scheme}{service}.{region}.{domain}"))
    }

    fn from_environment(sources: &Sources) -> Option<Section> {
        let section = Section {
            origin: "OSC_ACCESS_KEY and OSC_SECRET_KEY".into(),
            access_key: sources.var("OSC_ACCESS_KEY").map(str::to_owned),
            secret_key: sources.var("OSC_SECRET_KEY").map(Secret::new),
            certificate: Certificate {
                chain: Part::of_variables(
                    sources,
                    "OSC_X509_CLIENT_CERT",
                    "OSC_X509_CLIENT_CERT_B64",
                ),
                key: Part::of_variables(sources, "OSC_X509_CLIENT_KEY", "OSC_X509_CLIENT_KEY_B64"),
            },
            is_trusting: sources.var("OSC_TLS_SKIP_VERIFY").is_some_and(|value| {
                !["0", "false", "no", "off"].contains(&value.to_ascii_lowercase().as_str())
            }),
            ..Section::default()
        };
        (section.access_key.is_some() || section.secret_key.is_some()).then_some(section)
    }

    fn from_own(name: &str, profile: Profile) -> Result<Section> {
        Ok(Section {
            origin: format!("[profile.{name}.outscale] of config.toml"),
            access_key: profile.access_key,
            secret_key: profile_secret(
                "secret_key",
                profile.secret_key.as_ref(),
                profile.secret_key_command.as_deref(),
            )?,
            region: profile.region,
            endpoint: profile.endpoint,
            object_endpoint: profile.object_endpoint,
            ..Section::default()
        })
    }

    /// A certificate belongs to an account as its keys do, and comes from where they come from.
    fn warn_of_stray_certificate(&self, sources: &Sources) {
        let names = ["OSC_X509_CLIENT_CERT", "OSC_X509_CLIENT_CERT_B64"];
        if let Some((name, _)) = sources.first_var(&names)
            && !self.origin.starts_with("the environment")
        {
            tracing::warn!("{name} is not used: the keys are from {}", self.origin);
        }
    }

    /// The pair; half of it or none is kind `credentials`.
    fn keys(&self) -> Result<Keys> {
        let missing = match (&self.access_key, &self.secret_key) {
            (Some(id), Some(secret)) => return Ok(checked(id, secret.clone(), &self.origin)),
            (Some(_), None) => "the secret key (OSC_SECRET_KEY, or secret_key in a profile)",
            (None, Some(_)) => "the access key (OSC_ACCESS_KEY, or access_key in a profile)",
            (None, None) => "the access key and the secret key",
        };
        Err(Error::new(
            Kind::Credentials,
            format!("The OUTSCALE key pair from {} lacks {missing}", self.origin),
        )
        .hint("both halves must come from the same place"))
    }
}

/// The key pair, with a warning where its form is unusual: too long or short a key may be a slip, but the cloud decides.
fn checked(id: &str, secret: Secret, origin: &str) -> Keys {
    if id.len() != 20 || secret.expose().len() != 40 {
        tracing::warn!(
            "the key pair from {origin} does not have the usual lengths (20 and 40 characters)"
        );
    }
    Keys {
        id: id.to_owned(),
        secret,
    }
}

pub(super) fn none() -> Error {
    no_credentials(
        "OUTSCALE",
        &[
            "set OSC_ACCESS_KEY and OSC_SECRET_KEY (and OSC_REGION), or name a profile of config.toml or ~/.osc/config.json with --profile",
        ],
    )
}

/// The flag, else what stands beside the keys, else `OSC_REGION`, else the default.
fn region(sources: &Sources, section: &Section) -> Result<(String, String)> {
    let (region, origin) = match (&sources.region, &section.region, sources.var("OSC_REGION")) {
        (Some(region), ..) => (region.as_str(), sources.region_origin),
        (None, Some(region), other) => {
            if other.is_some_and(|other| other != region) {
                tracing::warn!(
                    "OSC_REGION is not used: the region comes with the keys, from {}",
                    section.origin
                );
            }
            (region.as_str(), section.origin.as_str())
        }
        (None, None, Some(region)) => (region, "OSC_REGION"),
        (None, None, None) => (DEFAULT_REGION, "the default"),
    };
    check_region(region)?;
    Ok((region.to_owned(), origin.to_owned()))
}

/// New regions appear, so only what cannot be one is refused.
fn check_region(region: &str) -> Result<()> {
    let shown = clean(region);
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
        return Err(Error::usage(format!("'{shown}' is no OUTSCALE region"))
            .about("region")
            .hint("such as eu-west-2"));
    }
    Ok(())
}

/// The key pair for a bucket in another account: `--bucket-profile`, else `OSU_ACCESS_KEY` and `OSU_SECRET_KEY`.
fn bucket_keys(sources: &Sources) -> Result<Option<(Keys, String)>> {
    if let Some(name) = &sources.target_profile {
        let section = Section::named(sources, name)?;
        return Ok(Some((section.keys()?, section.origin)));
    }
    let half = |missing: &str, present: &str| {
        Err(Error::usage(format!(
            "{present} is set, but {missing} is not: a bucket in another account needs both"
        )))
    };
    match (sources.var("OSU_ACCESS_KEY"), sources.var("OSU_SECRET_KEY")) {
        (Some(id), Some(secret)) => {
            let origin = "OSU_ACCESS_KEY and OSU_SECRET_KEY";
            let keys = checked(id, Secret::new(secret), origin);
            Ok(Some((keys, origin.to_owned())))
        }
        (Some(_), None) => half("OSU_SECRET_KEY", "OSU_ACCESS_KEY"),
        (None, Some(_)) => half("OSU_ACCESS_KEY", "OSU_SECRET_KEY"),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
