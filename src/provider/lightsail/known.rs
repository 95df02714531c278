//! What can be said of Lightsail's regions and profiles without asking anyone.

use aws_sdk_lightsail::types::RegionName;

use crate::settings::Sources;

/// The service's regions. Its model also names one where there is no Lightsail.
pub fn regions() -> Vec<&'static str> {
    let all = RegionName::values().iter().copied();
    all.filter(|region| *region != "us-west-1").collect()
}

/// The profiles of the AWS tools' own files.
pub fn profiles(sources: &Sources) -> Vec<String> {
    let read = |variable: &str, usual: &str| {
        let path = match sources.var(variable) {
            Some(path) => Some(path.into()),
            None => sources.in_home(usual),
        };
        path.and_then(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default()
    };
    let config = read("AWS_CONFIG_FILE", ".aws/config");
    let keys = read("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    let of_config = sections(&config).filter_map(|name| match name.strip_prefix("profile ") {
        Some(name) => Some(name.trim()),
        // Other sections there are no profiles.
        None => (name == "default").then_some(name),
    });
    of_config
        .chain(sections(&keys))
        .map(str::to_owned)
        .collect()
}

fn sections(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix('[')?.split_once(']')?;
        Some(name.trim())
    })
}
