//! Which region and which address, and where each was said.

use std::path::PathBuf;

use super::aws_files::{AwsSource, aws_source};
use super::credentials::OwnProfile;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::provider::{Setting, overriding};
use crate::secret::{Url, clean};
use crate::settings::Sources;

const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_LIGHTSAIL", "AWS_ENDPOINT_URL"];

/// The region: the flag; with an explicit profile the profile's, then the environment's; else the other way round.
pub async fn region(
    sources: &Sources,
    own: Option<&OwnProfile<'_>>,
    aws: Option<&AwsSource>,
) -> Result<Setting> {
    let said = |origin: &str, region: &str| (origin.to_owned(), region.to_owned());
    let flag = sources.region.as_deref();
    let flag = flag.map(|region| said(sources.region_origin, region));
    let set = sources.first_var(&REGIONS);
    let set = set.map(|(name, region)| said(name, region));
    let in_own = own.and_then(|own| Some((own.place(), own.profile.region.clone()?)));
    let in_aws = aws.and_then(|source| Some((source.place(), source.get("region")?.to_owned())));
    let profiles = in_own.or(in_aws);
    let found = if sources.is_profile_explicit() {
        flag.or(profiles).or(set)
    } else {
        flag.or(set).or(profiles)
    };
    if let Some((origin, region)) = found {
        return checked_region(origin, &region);
    }
    // Keys without a region: the AWS tools take it from the profile then, and so does everybody expect.
    if own.is_none() && aws.is_none() {
        let name = sources.var("AWS_PROFILE").unwrap_or("default");
        if let Some(source) = aws_source(sources, name).await?
            && let Some(region) = source.get("region")
        {
            return checked_region(source.place(), region);
        }
    }
    Err(Error::usage("No region is set for Lightsail")
        .about("region")
        .hint("pass --region eu-west-3, or set AWS_REGION, or add region to the profile"))
}

fn checked_region(origin: String, region: &str) -> Result<Setting> {
    let region = region.trim();
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !region.bytes().all(is_name) || region.is_empty() {
        // The name becomes part of a host's name, and the request carries a signature.
        return Err(Error::usage(format!(
            "'{}' from {origin} is no AWS region",
            clean(region)
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
pub fn authorities(sources: &Sources, aws: Option<&AwsSource>) -> Option<(PathBuf, String)> {
    let set = sources.first_var(&["AWS_CA_BUNDLE"]);
    let set = set.map(|(name, path)| (path.to_owned(), name.to_owned()));
    let in_aws = || {
        let source = aws?;
        Some((source.get("ca_bundle")?.to_owned(), source.place()))
    };
    let (path, origin) = set.or_else(in_aws)?;
    let below_home = path
        .strip_prefix("~/")
        .and_then(|rest| sources.in_home(rest));
    Some((below_home.unwrap_or_else(|| PathBuf::from(path)), origin))
}

/// An address in the environment overrides a profile's: that is what it is for. `None`: the region's own.
pub fn endpoint(
    sources: &Sources,
    http: &Http,
    own: Option<&OwnProfile<'_>>,
    aws: Option<&AwsSource>,
) -> Result<Option<(Url, Setting)>> {
    let is_ignored = sources
        .var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let set = sources.first_var(&ENDPOINTS).filter(|_| !is_ignored);
    let set = set.map(|(name, url)| (name.to_owned(), url.to_owned()));
    let in_own = || own.and_then(|own| Some((own.place(), own.profile.endpoint.clone()?)));
    let in_aws = || {
        let source = aws.filter(|_| !is_ignored)?;
        Some((source.place(), source.endpoint()?))
    };
    let in_profile = in_own().or_else(in_aws);
    let other = match (&set, &in_profile) {
        (Some(_), Some((place, _))) => Some(place.clone()),
        _ => None,
    };
    let Some((origin, text)) = set.or(in_profile) else {
        return Ok(None);
    };
    let url = http.endpoint(&text, &origin)?;
    let origin = overriding(&origin, other.as_deref());
    let setting = Setting::new("endpoint", url.to_string(), origin);
    Ok(Some((url, setting)))
}
