//! Which user, key or token, region and endpoints to use, and where each came from.

use super::identity::{IdentityUrl, Version};
use super::login::missing;
use super::login::{Access, Found};
use super::names::*;
use super::openrc::{self, Kin};
use super::places::{places, warn_of_unused_cloud};
use super::variables;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Network, chain};
use crate::provider::Setting;
use crate::secret::{Url, clean};
use crate::settings::text::Form;
use crate::settings::{Origin, Sources};

/// Where Rackspace's users log in (docs-cloud-identity). UK accounts have a host of their own.
const IDENTITY: &str = "https://identity.api.rackspacecloud.com/v2.0";
/// Everything a session needs.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Who asks.
    pub access: Access,
    /// Where to log in, or to ask for a token's catalogue.
    pub identity: IdentityUrl,
    /// Whether somebody chose that place; the default must not see tokens of other clouds.
    pub is_identity_chosen: bool,
    /// The region, if it was said. In the catalogue's spelling as far as that is known.
    pub region: Option<String>,
    /// Instead of the catalogue's endpoint of images.
    pub images: Option<Url>,
    /// Instead of the catalogue's endpoint of Cloud Files.
    pub files: Option<Url>,
    /// Whether objects are read by the address within the cloud's own network.
    pub is_internal: bool,
    /// All of it with its origins.
    pub said: Vec<Setting>,
    /// How the servers are reached.
    pub network: Network,
}

/// Resolves everything. Reads files and may run a profile's command; sends nothing.
///
/// Order: a profile that was asked for, the environment, the default profile, the provider's own file.
pub(super) fn resolve(sources: &Sources, http: &Http) -> Result<Settings> {
    let place = places(sources).next();
    let found = place.ok_or_else(missing)?.load()?;
    found.check()?;
    warn_of_unused_cloud(sources, &found.origin);
    let who = found.access.shown();
    let mut said = vec![Setting::new("credentials", who, &found.origin)];
    openrc::warn_of_auth_url(sources, &found);
    let own = openrc::own(sources, found.kin);
    let mut endpoint = |name, pair: Option<(String, Origin)>| -> Result<Option<Url>> {
        let Some((text, origin)) = pair else {
            return Ok(None);
        };
        let url = http.endpoint(&text, &origin)?;
        said.push(Setting::new(name, url.to_string(), origin));
        Ok(Some(url))
    };
    let or_variable = |usual: Option<(String, Origin)>, name| match own.var(name) {
        Some(text) => {
            let other = usual.map(|(_, origin)| origin);
            Some((text.to_owned(), Origin::Variable(name).over(other)))
        }
        None => usual,
    };
    let images = found.images.clone();
    let images = images.or_else(|| or_variable(found.usual_images.clone(), OS_IMAGE_URL));
    let images = endpoint("endpoint", images)?;
    let files = or_variable(found.usual_files.clone(), OS_OBJECT_STORE_URL);
    let files = endpoint("object endpoint", files)?;
    let chosen = found.own_auth_url.clone();
    let chosen = chosen.or_else(|| or_variable(found.auth_url.clone(), OS_AUTH_URL));
    let is_identity_chosen = chosen.is_some();
    let default = Origin::Rule("the default");
    let (text, origin) = match chosen {
        Some((text, Origin::Variable(OS_AUTH_URL))) if found.kin == Kin::File => {
            (text, Origin::Variable(OS_AUTH_URL).over(Some(default)))
        }
        Some(chosen) => chosen,
        None => (IDENTITY.into(), default),
    };
    let prefers_v3 = found.prefers_v3 || own.var(OS_IDENTITY_API_VERSION) == Some("3");
    let identity = IdentityUrl::normalise(http.endpoint(&text, &origin)?, prefers_v3);
    said.push(Setting::new(
        "identity endpoint",
        identity.base.to_string(),
        origin,
    ));
    let is_token = matches!(found.access, Access::Token(..));
    let region = region(
        sources,
        found
            .region
            .clone()
            .or_else(|| variables::region(&own, RAX_REGION)),
        images.as_ref().filter(|_| is_token),
    )?;
    if let Some((region, origin)) = &region {
        Form::Region.check(format!("The region from {origin}"), region)?;
        refuse_zone(region, identity.version)?;
        said.push(Setting::new("region", region, origin));
    }
    let variable = [OS_INTERFACE, OS_ENDPOINT_TYPE]
        .into_iter()
        .find_map(|name| {
            let text = own.var(name)?.to_owned();
            Some((text, Origin::Variable(name)))
        });
    let is_internal = match variable.or_else(|| found.interface.clone()) {
        Some((text, origin)) => {
            let is_internal = is_internal(&text, &origin)?;
            said.push(Setting::new("interface", text, origin));
            is_internal
        }
        None => false,
    };
    let network = network(&own, http, &found, &mut said)?;
    said.extend(network.settings(&identity.base));
    Ok(Settings {
        access: found.access,
        identity,
        is_identity_chosen,
        region: region.map(|(region, _)| region),
        images,
        files,
        is_internal,
        said,
        network,
    })
}

/// `internal`, or one of its older spellings; only from a server in the cloud's region it leads anywhere.
fn is_internal(text: &str, origin: &Origin) -> Result<bool> {
    match text.trim().trim_end_matches("URL") {
        "internal" => Ok(true),
        "public" | "admin" => Ok(false),
        _ => Err(Error::usage(format!(
            "The interface '{}' from {origin} is not public or internal",
            clean(text)
        ))),
    }
}

/// The authorities and the client certificate that belong to the cloud.
fn network(
    sources: &Sources,
    http: &Http,
    found: &Found,
    said: &mut Vec<Setting>,
) -> Result<Network> {
    let mut network = http.network().clone();
    let set = sources.file_of(OS_CACERT);
    let set = set.map(|path| (path, Origin::Variable(OS_CACERT)));
    let of_cloud = || {
        Some((
            sources.path(&found.authorities.as_ref()?.0),
            found.origin.clone(),
        ))
    };
    if let Some((path, origin)) = set.or_else(of_cloud) {
        network.trust(path, origin);
    }
    if let Some((certificate, key)) = &found.certificate {
        let unusable = |why: String| {
            let sentence = format!(
                "The client certificate of the {} cannot be used",
                found.origin
            );
            Error::new(Kind::Credentials, sentence).cause(why)
        };
        let mut pem = Vec::new();
        for path in [Some(certificate), key.as_ref()].into_iter().flatten() {
            let path = sources.path(path);
            let content = std::fs::read(&path);
            pem.extend(content.map_err(|error| unusable(format!("{}: {error}", path.display())))?);
            pem.push(b'\n');
        }
        let identity = reqwest::Identity::from_pem(&pem).map_err(|e| unusable(chain(&e)))?;
        network.present(identity);
        said.push(Setting::new(
            "client certificate",
            certificate,
            &found.origin,
        ));
    }
    Ok(network)
}

/// The region by flag, by what belongs to the credentials, or by the host of a token's endpoint.
fn region(
    sources: &Sources,
    found: Option<(String, Origin)>,
    token_endpoint: Option<&Url>,
) -> Result<Option<(String, Origin)>> {
    let said = sources.region.clone().or(found);
    let said = said.map(|(region, origin)| (canonical(&region), origin));
    let host = token_endpoint.and_then(region_of_host);
    match (said, host) {
        (Some((said, origin)), Some(host)) if said != host => Err(Error::usage(format!(
            "The token's endpoint is in the region {host}, but {origin} says '{}'",
            clean(&said)
        ))),
        (Some(said), _) => Ok(Some(said)),
        (None, Some(region)) => Ok(Some((region, Origin::Rule("the endpoint's host")))),
        (None, None) => Ok(None),
    }
}

/// `DFW` of `dfw.images.api.rackspacecloud.com`.
fn region_of_host(url: &Url) -> Option<String> {
    let label = url
        .host_str()?
        .strip_suffix(".images.api.rackspacecloud.com")?;
    Some(canonical(label))
}

/// Rackspace writes its regions in capitals; a longer name is another cloud's, and stays as it is.
fn canonical(region: &str) -> String {
    if region.len() <= 4 {
        region.to_ascii_uppercase()
    } else {
        region.to_owned()
    }
}

/// Refuses `DFW1` and `dfw-a` where only `DFW` can be meant.
fn refuse_zone(region: &str, version: Version) -> Result<()> {
    let upper = region.to_ascii_uppercase();
    let base = REGIONS
        .iter()
        .find(|known| upper.len() > known.len() && upper.starts_with(**known));
    match base {
        // Rackspace's OpenStack Flex does have regions such as DFW3.
        Some(base) if version == Version::V2 => Err(Error::usage(format!(
            "'{}' is a part of a region; the region is {base}",
            clean(region)
        ))
        .about("region")
        .hint(format!("use --region {base}"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
