//! `config.toml`: profiles, each with a section for each cloud. What stands in a section is read by that cloud.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::text::{self, Form};
use crate::error::{Error, Result};

/// `config.toml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The profile used when no other is named.
    pub default_profile: Option<String>,
    /// Profiles by name.
    pub profiles: BTreeMap<String, Profile>,
}

/// A profile: its sections by the word for the cloud.
#[derive(Clone, Debug, Default)]
pub struct Profile(BTreeMap<String, Section>);

/// `[profile.NAME.CLOUD]`.
#[derive(Clone)]
pub struct Section {
    file: Arc<File>,
    profile: String,
    cloud: String,
    start: usize,
}

/// A file as it was read, so that a mistake in it can be told by its line.
struct File {
    path: PathBuf,
    text: String,
}

/// The form of the file down to the sections.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outline {
    default_profile: Option<String>,
    #[serde(default)]
    profile: BTreeMap<String, BTreeMap<String, Spanned<IgnoredAny>>>,
}

impl Config {
    /// Reads a configuration file. One that does not exist is empty; one that is malformed is a `usage` error that names the line.
    pub fn read(path: &Path) -> Result<Self> {
        match text::read_file(path) {
            Ok(Some(text)) => Config::parse(text, path),
            Ok(None) => Ok(Config::default()),
            Err(why) => Err(Error::usage(format!(
                "The configuration file {} cannot be read",
                path.display()
            ))
            .cause(why)),
        }
    }

    /// Reads a configuration from its text; `path` is where it stands, for messages.
    pub fn parse(text: impl Into<String>, path: &Path) -> Result<Self> {
        let file = Arc::new(File {
            path: path.to_owned(),
            text: text.into(),
        });
        let outline: Outline = toml::from_str(&file.text).map_err(|error| file.mistake(&error))?;
        let profiles = outline.profile.into_iter().map(|(profile, sections)| {
            let sections = sections.into_iter().map(|(cloud, table)| {
                let section = Section {
                    file: file.clone(),
                    profile: profile.clone(),
                    cloud: cloud.clone(),
                    start: table.span().start,
                };
                (cloud, section)
            });
            let sections = Profile(sections.collect());
            (profile, sections)
        });
        Ok(Config {
            default_profile: outline
                .default_profile
                .map(|name| text::trimmed(&name).to_owned()),
            profiles: profiles.collect(),
        })
    }

    /// Every section of every profile, with the word for its cloud.
    pub fn sections(&self) -> impl Iterator<Item = (&str, &Section)> {
        let sections = self.profiles.values().flat_map(|profile| &profile.0);
        sections.map(|(cloud, section)| (cloud.as_str(), section))
    }
}

impl Profile {
    /// What it says about a cloud.
    pub fn section(&self, cloud: &str) -> Option<&Section> {
        self.0.get(cloud)
    }
}

impl Section {
    /// What stands in it, in the cloud's own form. A mistake is a `usage` error that names the line.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let mut value = self.value()?;
        if let DeValue::Table(table) = &mut value {
            for (_, value) in table.iter_mut() {
                if let DeValue::String(text) = value.get_mut() {
                    *text = text::trimmed(text).to_owned().into();
                }
            }
        }
        let end = self.file.text.len();
        T::deserialize(Spanned::new(self.start..end, value).into_deserializer())
            .map_err(|error| self.file.mistake(&error))
    }

    /// Refuses what cannot be used of what stands in it, by its line: due before it is used, and only then.
    pub fn check(&self) -> Result<()> {
        let DeValue::Table(table) = self.value()? else {
            return Ok(());
        };
        for (key, value) in &table {
            if let DeValue::String(text) = value.get_ref() {
                let line = self.file.line_at(value.span().start);
                let path = self.file.path.display();
                let place = format!("{} in line {line} of {path}", key.get_ref());
                Form::of(key.get_ref()).check(place, text::trimmed(text))?;
            }
        }
        Ok(())
    }

    /// What stands in it.
    fn value(&self) -> Result<DeValue<'_>> {
        let whole = DeTable::parse(&self.file.text).map_err(|error| self.file.mistake(&error))?;
        let value = ["profile", &self.profile, &self.cloud]
            .into_iter()
            .try_fold(DeValue::Table(whole.into_inner()), |value, name| {
                let DeValue::Table(mut table) = value else {
                    return None;
                };
                Some(table.remove(name)?.into_inner())
            });
        value.ok_or_else(|| self.unknown(&[]))
    }

    /// The error for a section of which nobody knows the cloud.
    pub fn unknown(&self, clouds: &[&str]) -> Error {
        let clouds: Vec<String> = clouds.iter().map(|cloud| format!("`{cloud}`")).collect();
        let why = format!(
            "unknown field `{}`, expected one of {}",
            self.cloud,
            clouds.join(", ")
        );
        self.file.mistake_at(self.start, &why)
    }
}

impl fmt::Debug for Section {
    /// Without what stands in it: that may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[profile.{}.{}]", self.profile, self.cloud)
    }
}

impl File {
    fn mistake(&self, error: &toml::de::Error) -> Error {
        let start = error.span().map_or(0, |span| span.start);
        // The message alone: the full rendering quotes the line, and the line may hold a secret.
        self.mistake_at(start, &without_value(&error.message().replace('\n', " ")))
    }

    fn line_at(&self, start: usize) -> usize {
        1 + self.text[..start].matches('\n').count()
    }

    fn mistake_at(&self, start: usize, why: &str) -> Error {
        Error::usage(format!(
            "{} has a mistake in line {}",
            self.path.display(),
            self.line_at(start)
        ))
        .cause(why)
        .hint("docs/configuration.md lists the keys of the file; nothing was sent")
    }
}

/// A message about a value of the wrong type, without the value: `invalid type: string, expected a sequence`.
fn without_value(message: &str) -> String {
    match (message.split_once(": "), message.rfind(", expected ")) {
        (Some((what @ ("invalid type" | "invalid value"), rest)), Some(end)) => {
            let kind = rest.split([' ', '`', '"', ',']).next().unwrap_or_default();
            format!("{what}: {kind}{}", &message[end..])
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
