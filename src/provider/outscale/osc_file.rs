//! `~/.osc/config.json`, which OUTSCALE's own tools share.

use std::path::PathBuf;

use serde_json::Value;

use super::certificate::{Certificate, Part};
use super::credentials::{Newer, Section};
use super::mapping::text as member;
use super::names::{CONFIG_FILE, FORMER_CONFIG_FILE, OSC_CONFIG_FILE, OSC_PROFILE};
use crate::error::{Error, Kind, Result};
use crate::provider::absence::none_chosen;
use crate::secret::Secret;
use crate::settings::{Origin, Sources, text};
use crate::suggest;

/// The file that OUTSCALE's own tools share: an object of profiles, with whatever keys each tool adds.
pub(super) struct OscFile {
    path: PathBuf,
    profiles: Value,
}

impl OscFile {
    /// `OSC_CONFIG_FILE`, else `~/.osc/config.json`, else the place from before if there is one; `None` where nothing of
    /// this machine is meant.
    pub(super) fn path(sources: &Sources) -> Option<PathBuf> {
        let usual = sources.usual_file(CONFIG_FILE)?;
        let former = || {
            let former = sources.usual_file(FORMER_CONFIG_FILE)?;
            (!usual.exists() && former.exists()).then_some(former)
        };
        let named = sources.named_file(&[OSC_CONFIG_FILE]);
        Some(named.or_else(former).unwrap_or(usual))
    }

    /// What is there and where; `None` where there is nothing. One that is named has to be there.
    pub(super) fn find(sources: &Sources) -> Option<(PathBuf, Result<OscFile>)> {
        let path = OscFile::path(sources)?;
        let unreadable = |why: String| {
            Error::new(
                Kind::Credentials,
                format!(
                    "The OUTSCALE configuration {} cannot be read",
                    path.display()
                ),
            )
            .cause(why)
        };
        let file = match text::read_file(&path) {
            // The parser's message says where it failed, not what stands there.
            Ok(Some(content)) => {
                serde_json::from_str(&content).map_err(|e| unreadable(e.to_string()))
            }
            Ok(None) => {
                sources.file_of(OSC_CONFIG_FILE)?;
                Err(unreadable("it does not exist".to_owned()))
            }
            Err(why) => Err(unreadable(why)),
        };
        let file = file.map(|profiles| OscFile {
            path: path.clone(),
            profiles,
        });
        Some((path, file))
    }

    /// The names of its profiles.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let profiles = self.profiles.as_object().into_iter().flatten();
        profiles.map(|(name, _)| name.as_str())
    }

    /// The hint at the profile that may have been meant by one that is not there.
    pub(super) fn meant(&self, name: &str) -> Option<String> {
        suggest::hint(name, self.names().collect::<Vec<_>>())
    }

    /// Where it has profiles with keys, but not the usual one; `None` where none has any.
    pub(super) fn none_chosen(&self) -> Option<Error> {
        let with_keys: Vec<&str> = self.names().filter(|name| self.has_keys(name)).collect();
        let is_any = !with_keys.is_empty();
        is_any.then(|| none_chosen("OUTSCALE", &self.path, "profile", with_keys, OSC_PROFILE))
    }

    fn has_keys(&self, name: &str) -> bool {
        self.section(name).is_some_and(|section| section.has_keys())
    }

    /// The profile that is used where nothing names one: the one marked, or `default`. Without keys it counts as none.
    pub(super) fn usual(&self) -> Option<Section> {
        let mut all = self.profiles.as_object()?.iter();
        let marked = all.find(|(_, profile)| profile.get("default") == Some(&Value::Bool(true)));
        let section = self.section(marked.map_or("default", |(name, _)| name))?;
        section.has_keys().then_some(section)
    }

    /// The region that a profile with this access key names, and where.
    pub(super) fn region_of(&self, access_key: &str) -> Option<(String, Origin)> {
        let mut sections = self.names().filter_map(|name| self.section(name));
        sections.find_map(|section| {
            let is_same = section.has_id(access_key);
            Some((section.region.filter(|_| is_same)?, section.origin))
        })
    }

    /// A profile, in the current keys or in those of older tools. Unknown keys are somebody else's.
    pub(super) fn section(&self, name: &str) -> Option<Section> {
        let profile = self.profiles.get(name).filter(|value| value.is_object())?;
        let word = |object, key| {
            let word = text::trimmed(member(object, key)?);
            (!word.is_empty()).then(|| word.to_owned())
        };
        let value = |key| word(profile, key);
        let endpoints = profile.get("endpoints").unwrap_or(&Value::Null);
        let is_plain = value("protocol").as_deref() == Some("http")
            || profile.get("https") == Some(&Value::Bool(false));
        let with_scheme = |address: String| {
            if is_plain && !address.contains("://") {
                format!("http://{address}")
            } else {
                address
            }
        };
        // osc-cli hands it to a library that takes one path, or a pair of certificate and key.
        let pair = profile.get("client_certificate").and_then(Value::as_array);
        let of_pair = |index: usize| {
            let path = pair?.get(index)?.as_str()?;
            Some(Part::File(text::trimmed(path).into()))
        };
        let part = |file: &'static str, base64: &'static str| {
            let content = value(base64).map(|text| Part::Base64(Secret::new(text)));
            content.or_else(|| value(file).map(|path| Part::File(path.into())))
        };
        let (api, oos) = (word(endpoints, "api"), word(endpoints, "oos"));
        Some(Section {
            origin: Origin::entry("profile", name, &self.path),
            access_key: value("access_key"),
            secret_key: value("secret_key").map(Secret::new),
            secret_key_command: None,
            newer: Newer {
                access_key: value("access_key_v2"),
                secret_key: value("secret_key_v2").map(Secret::new),
                services: services(profile.get("iam_v2_services")),
            },
            has_login: ["login", "email", "password"]
                .into_iter()
                .any(|key| value(key).is_some()),
            endpoint: api.or_else(|| value("endpoint")).map(with_scheme),
            object_endpoint: oos.map(with_scheme),
            // The oldest form names the domain alone.
            domain: value("host"),
            is_plain,
            region: value("region").or_else(|| value("region_name")),
            certificate: Certificate {
                // osc-cli's one file holds both.
                chain: part("x509_client_cert", "x509_client_cert_b64")
                    .or_else(|| part("client_certificate", "client_certificate_b64"))
                    .or_else(|| of_pair(0)),
                key: part("x509_client_key", "x509_client_key_b64").or_else(|| of_pair(1)),
            },
            proxy: value("proxy"),
            is_trusting: profile.get("tls_skip_verify") == Some(&Value::Bool(true))
                || profile.get("ssl_verify") == Some(&Value::Bool(false)),
        })
    }
}

/// The services that a list names, or a text with commas.
fn services(list: Option<&Value>) -> Vec<String> {
    match list {
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(|name| text::trimmed(name).to_owned()).collect()
        }
        Some(Value::String(names)) => Newer::services_in(names),
        _ => Vec::new(),
    }
}
