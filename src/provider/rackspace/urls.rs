//! Where calls go below an endpoint, and where a link may lead.

use crate::error::{Error, Kind, Result};
use crate::secret::Url;

/// Rackspace's endpoints end in `/v2`, older ones in `/v2/<tenant>`, stock OpenStack's have no version.
pub(super) fn with_version(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    let has_version = path.split('/').any(|segment| segment == "v2");
    url.set_path(&if has_version {
        path
    } else {
        format!("{path}/v2")
    });
    url.set_query(None);
    url
}

/// A URL below another, each part encoded.
pub(super) fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// Where a host-relative link leads: on the origin it came from, or it is refused.
pub(super) fn follow(base: &Url, link: &str) -> Result<Url> {
    let target = base
        .join(link)
        .ok()
        .filter(|target| target.host_str() == base.host_str() && target.port() == base.port());
    let Some(target) = target else {
        return Err(Error::new(
            Kind::Provider,
            "The next page of a list is said to be on another host, which is not followed",
        )
        .cause(link.to_owned()));
    };
    // Behind a proxy that ends TLS, a link may say http where https was asked.
    let mut url = base.clone();
    url.set_path(target.path());
    url.set_query(target.query());
    Ok(url)
}

/// The tenant that an address is for: the last part of its path, where that is no version.
pub(super) fn tenant_of(url: &Url) -> Option<String> {
    let last = url.path().split('/').rfind(|part| !part.is_empty())?;
    let is_version = last
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (!is_version).then(|| last.to_owned())
}

#[cfg(test)]
mod tests;
