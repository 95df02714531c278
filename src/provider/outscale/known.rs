//! What can be said of OUTSCALE's regions and profiles without asking anyone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::IgnoredAny;

use crate::settings::Sources;

/// The regions that the API's specification names. Others are not refused.
pub fn regions() -> Vec<&'static str> {
    vec![
        "ap-northeast-1",
        "cloudgouv-eu-west-1",
        "eu-west-2",
        "us-east-2",
        "us-west-1",
    ]
}

/// The profiles of `~/.osc/config.json`.
pub fn profiles(sources: &Sources) -> Vec<String> {
    let named = sources.var("OSC_CONFIG_FILE").map(PathBuf::from);
    named
        .or_else(|| sources.in_home(".osc/config.json"))
        .and_then(|path| std::fs::read_to_string(path).ok())
        .and_then(|text| serde_json::from_str::<BTreeMap<String, IgnoredAny>>(&text).ok())
        .map(|sections| sections.into_keys().collect())
        .unwrap_or_default()
}
