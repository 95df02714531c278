//! What can be said of Rackspace's regions and clouds without asking anyone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::settings::Sources;

/// The regions of Rackspace's public cloud.
pub fn regions() -> Vec<&'static str> {
    super::credentials::REGIONS.to_vec()
}

/// The clouds of `clouds.yaml`, wherever the OpenStack tools look for it.
pub fn profiles(sources: &Sources) -> Vec<String> {
    #[derive(Deserialize)]
    struct File {
        clouds: BTreeMap<String, IgnoredAny>,
    }
    // Without a home, nothing of this machine is meant.
    if sources.home.is_none() {
        return Vec::new();
    }
    let named = sources.var("OS_CLIENT_CONFIG_FILE").map(PathBuf::from);
    named
        .into_iter()
        .chain([PathBuf::from("clouds.yaml")])
        .chain(sources.in_home(".config/openstack/clouds.yaml"))
        .chain([PathBuf::from("/etc/openstack/clouds.yaml")])
        .find_map(|path| std::fs::read_to_string(path).ok())
        .and_then(|text| serde_saphyr::from_str::<File>(&text).ok())
        .map(|file| file.clouds.into_keys().collect())
        .unwrap_or_default()
}
