//! Which region and which address, and where each was said.

use std::path::PathBuf;

use aws_sdk_lightsail::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use futures_util::FutureExt;

use super::aws_files::AwsSource;
use super::names::*;
use super::places::{Found, variable};
use crate::error::{Error, Result};
use crate::http::Http;
use crate::provider::Setting;
use crate::secret::Url;
use crate::settings::text::{escaped, trimmed};
use crate::settings::{Origin, Sources};

/// The region: the flag; with an explicit profile the profile's, then the environment's; else the other way round.
pub(super) fn region(sources: &Sources, found: &Found) -> Result<Setting> {
    let set = sources.first_var(&[AWS_REGION, AWS_DEFAULT_REGION]);
    let set = set.map(|(name, region)| (region.to_owned(), Origin::Variable(name)));
    let in_own = found.own.as_ref();
    let in_own = in_own.and_then(|(own, origin)| Some((own.region.clone()?, origin.clone())));
    let profiles = in_own.or_else(|| {
        in_aws(sources, found, |source| {
            Some(source.get("region")?.to_owned())
        })
    });
    let flag = sources.region.clone();
    let said = if sources.is_profile_explicit() {
        flag.or(profiles).or(set)
    } else {
        flag.or(set).or(profiles)
    };
    if let Some((region, origin)) = said {
        return checked_region(&origin, &region);
    }
    Err(Error::usage("No region is set for Lightsail")
        .about("region")
        .hint("pass --region eu-west-3, or set AWS_REGION, or add region to the profile"))
}

/// What an AWS profile says, and where it is: the one in use, or with keys that are from elsewhere the one beside them, from
/// which the AWS tools take everything else.
fn in_aws(
    sources: &Sources,
    found: &Found,
    says: impl Fn(&AwsSource) -> Option<String>,
) -> Option<(String, Origin)> {
    let beside = match found.aws() {
        None if found.own.is_none() => {
            let name = variable(sources).map_or("default", |(_, name)| name);
            // Keys that need no file are not refused for one.
            AwsSource::find(sources, name).ok().flatten()
        }
        _ => None,
    };
    let source = found.aws().or(beside.as_ref())?;
    Some((says(source)?, source.origin()))
}

fn checked_region(origin: &Origin, region: &str) -> Result<Setting> {
    let region = trimmed(region);
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !region.bytes().all(is_name) || region.is_empty() {
        // The name becomes part of a host's name, and the request carries a signature.
        return Err(Error::usage(format!(
            "'{}' from {origin} is no AWS region",
            escaped(region.as_ref())
        ))
        .about("region"));
    }
    let plain = region
        .strip_prefix("fips-")
        .or_else(|| region.strip_suffix("-fips"));
    if let Some(plain) = plain {
        return Err(Error::usage(format!(
            "'{region}' from {origin} is a way to write an endpoint, not a region"
        ))
        .about("region")
        .hint(format!(
            "set the region {plain} and AWS_USE_FIPS_ENDPOINT=true"
        )));
    }
    let without_zone = region.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if without_zone.len() < region.len() && without_zone.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(Error::usage(format!(
            "'{region}' from {origin} is an availability zone, not a region"
        ))
        .about("region")
        .hint(format!("pass --region {without_zone}")));
    }
    Ok(Setting::new("region", region, origin))
}

/// A file of certificate authorities, as the AWS tools name it.
pub(super) fn authorities(sources: &Sources, found: &Found) -> Option<(PathBuf, Origin)> {
    if let Some(path) = sources.file_of(AWS_CA_BUNDLE) {
        return Some((path, Origin::Variable(AWS_CA_BUNDLE)));
    }
    let (path, origin) = in_aws(sources, found, |source| {
        Some(source.get("ca_bundle")?.to_owned())
    })?;
    Some((sources.path(path), origin))
}

/// A service, by its variable for an address and its name in the AWS files.
#[derive(Clone, Copy)]
pub(super) struct Service {
    variable: &'static str,
    id: &'static str,
}

pub(super) const LIGHTSAIL: Service = Service {
    variable: AWS_ENDPOINT_URL_LIGHTSAIL,
    id: "lightsail",
};
pub(super) const EC2: Service = Service {
    variable: AWS_ENDPOINT_URL_EC2,
    id: "ec2",
};
pub(super) const EBS: Service = Service {
    variable: AWS_ENDPOINT_URL_EBS,
    id: "ebs",
};
pub(super) const STS: Service = Service {
    variable: AWS_ENDPOINT_URL_STS,
    id: "sts",
};
pub(super) const SSO: Service = Service {
    variable: AWS_ENDPOINT_URL_SSO,
    id: "sso",
};

/// An address in the environment overrides a profile's: that is what it is for. `None`: the region's own.
pub(super) fn endpoint(
    sources: &Sources,
    http: &Http,
    found: &Found,
    service: Service,
) -> Result<Option<(Url, Setting)>> {
    let is_ignored = sources
        .var(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS)
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let set = sources.first_var(&[service.variable, AWS_ENDPOINT_URL]);
    let set = set.filter(|_| !is_ignored);
    let set = set.map(|(name, url)| (url.to_owned(), Origin::Variable(name)));
    let in_own = found.own.as_ref();
    let in_own = in_own.filter(|_| service.id == LIGHTSAIL.id);
    let in_own = in_own.and_then(|(own, origin)| Some((own.endpoint.clone()?, origin.clone())));
    let in_files =
        || in_aws(sources, found, |source| source.endpoint(service.id)).filter(|_| !is_ignored);
    let in_profile = in_own.or_else(in_files);
    let other = set.as_ref().and(in_profile.as_ref());
    let other = other.map(|(_, origin)| origin.clone());
    let Some((text, origin)) = set.or(in_profile) else {
        return Ok(None);
    };
    let url = http.endpoint(&text, &origin)?;
    let setting = Setting::new("endpoint", url.to_string(), origin.over(other));
    Ok(Some((url, setting)))
}

/// Which of a region's addresses is asked for, and who asks.
#[derive(Default)]
pub(super) struct Variant {
    pub fips: Option<Origin>,
    pub dual_stack: Option<Origin>,
}

impl Variant {
    /// As the variables say, else the AWS profile.
    pub(super) fn of(sources: &Sources, found: &Found) -> Result<Self> {
        let asked = |variable: &'static str, setting: &'static str| {
            let set = sources.var(variable);
            let set = set.map(|value| (value.to_owned(), Origin::Variable(variable)));
            let set = set.or_else(|| {
                let says = |source: &AwsSource| Some(source.get(setting)?.to_owned());
                in_aws(sources, found, says)
            });
            match set {
                None => Ok(None),
                Some((value, _)) if value.eq_ignore_ascii_case("false") => Ok(None),
                Some((value, by)) if value.eq_ignore_ascii_case("true") => Ok(Some(by)),
                Some((value, by)) => Err(Error::usage(format!(
                    "{setting} is '{}' in {by}; it is true or false",
                    escaped(value.as_ref())
                ))
                .about("endpoint")),
            }
        };
        Ok(Variant {
            fips: asked(AWS_USE_FIPS_ENDPOINT, "use_fips_endpoint")?,
            dual_stack: asked(AWS_USE_DUALSTACK_ENDPOINT, "use_dualstack_endpoint")?,
        })
    }

    /// Who asks for any of them.
    pub(super) fn by(&self) -> Option<&Origin> {
        self.fips.as_ref().or(self.dual_stack.as_ref())
    }

    /// Lightsail's address in a region, by the rules of AWS's own SDKs.
    pub(super) fn address(&self, region: &str) -> Result<Setting> {
        let no_such = |why: String| {
            let asked: Vec<String> = self.all().map(|by| format!(" and {by}")).collect();
            let asked = asked.concat();
            Error::usage(format!(
                "Lightsail has no address for the region '{region}'{asked}"
            ))
            .cause(why)
            .about("endpoint")
        };
        let params = Params::builder()
            .region(region)
            .use_fips(self.fips.is_some())
            .use_dual_stack(self.dual_stack.is_some())
            .build()
            .map_err(|error| no_such(error.to_string()))?;
        // The rules are in the crate: nobody is waited for.
        let resolved = DefaultResolver::new()
            .resolve_endpoint(&params)
            .now_or_never();
        let resolved = resolved.ok_or_else(|| no_such("it takes too long".to_owned()))?;
        let url = resolved.map_err(|error| no_such(error.to_string()))?;
        let mut origin = Origin::Rule("the region");
        for by in self.all() {
            origin = origin.chosen_by(by.clone());
        }
        Ok(Setting::new("endpoint", format!("{}/", url.url()), origin))
    }

    fn all(&self) -> impl Iterator<Item = &Origin> {
        self.fips.iter().chain(&self.dual_stack)
    }
}

/// The address of EC2, or of EBS. `None`: nobody is asked. Who answers for Lightsail at an address of its own makes nothing in the real EC2.
pub(super) fn beside(
    sources: &Sources,
    http: &Http,
    found: &Found,
    service: Service,
    (lightsail, is_usual): (&Url, bool),
) -> Result<Option<Url>> {
    match endpoint(sources, http, found, service)? {
        Some((url, _)) => Ok(Some(url)),
        None if !is_usual => Ok(None),
        // The addresses of a region begin with the service, and are alike in the rest.
        None => {
            let usual = lightsail.as_str().replacen("lightsail", service.id, 1);
            http.endpoint(&usual, "the region").map(Some)
        }
    }
}
