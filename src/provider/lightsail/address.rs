//! Which region and which address, and where each was said.

use std::path::PathBuf;

use super::aws_files::AwsSource;
use super::names::*;
use super::places::Found;
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
    let profiles =
        in_own.or_else(|| in_aws(found, |source| Some(source.get("region")?.to_owned())));
    let flag = sources.region.clone();
    let said = if sources.is_profile_explicit() {
        flag.or(profiles).or(set)
    } else {
        flag.or(set).or(profiles)
    };
    if let Some((region, origin)) = said {
        return checked_region(&origin, &region);
    }
    // Keys without a region: the AWS tools take it from the profile then, and so does everybody expect.
    if found.own.is_none() && found.aws().is_none() {
        let name = sources.var(AWS_PROFILE).unwrap_or("default");
        if let Some(source) = AwsSource::find(sources, name)?
            && let Some(region) = source.get("region")
        {
            return checked_region(&source.origin(), region);
        }
    }
    Err(Error::usage("No region is set for Lightsail")
        .about("region")
        .hint("pass --region eu-west-3, or set AWS_REGION, or add region to the profile"))
}

/// What the AWS profile in use says, and where it is.
fn in_aws(found: &Found, says: impl Fn(&AwsSource) -> Option<String>) -> Option<(String, Origin)> {
    let source = found.aws()?;
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
    let (path, origin) = in_aws(found, |source| Some(source.get("ca_bundle")?.to_owned()))?;
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
    let in_files = || in_aws(found, |source| source.endpoint(service.id)).filter(|_| !is_ignored);
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

/// EC2's address. `None`: nobody is asked. Who answers for Lightsail at an address of its own makes nothing in the real EC2.
pub(super) fn ec2(
    sources: &Sources,
    http: &Http,
    found: &Found,
    (region, lightsail): (&str, Option<&Url>),
) -> Result<Option<Url>> {
    match (endpoint(sources, http, found, EC2)?, lightsail) {
        (Some((url, _)), _) => Ok(Some(url)),
        (None, Some(_)) => Ok(None),
        (None, None) => {
            let usual = format!("https://ec2.{region}.amazonaws.com/");
            http.endpoint(&usual, "the region").map(Some)
        }
    }
}
