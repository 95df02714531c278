//! The AWS tools' own shared files: `~/.aws/config` and `~/.aws/credentials`.
//!
//! The AWS crates' reader gives up both files over one odd line, so that they are read here (`ini`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ini::{self, Section, words};
use super::names::*;
use crate::error::{Error, Hint, Kind, Result};
use crate::secret::clean;
use crate::settings::{Origin, Sources, text, warn_if_open};
use crate::suggest;

/// Settings by which an AWS profile can give credentials.
const WAYS_TO_CREDENTIALS: [&str; 9] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "role_arn",
    "credential_process",
    "credential_source",
    "login_session",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];
/// A key pair.
pub(super) const PAIR: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];
/// Names of the token of temporary keys; the AWS CLI looks for the old one first.
pub(super) const TOKENS: [&str; 2] = ["aws_security_token", "aws_session_token"];

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    Profile,
    SsoSession,
    Services,
}

impl Of {
    /// The word that its heading begins with in `config`.
    const WORDS: [(&'static str, Of); 3] = [
        ("profile", Of::Profile),
        ("sso-session", Of::SsoSession),
        ("services", Of::Services),
    ];
}

/// What the files say of a profile, a single sign-on or the services.
#[derive(Default)]
pub(super) struct Entry {
    settings: BTreeMap<String, String>,
    files: Vec<PathBuf>,
    /// Whether its keys stand in the credentials file.
    pub has_keys_of_credentials: bool,
    /// Lines that cannot be read, such as `line 3 of /home/me/.aws/config`.
    flaws: Vec<String>,
}

impl Entry {
    /// A setting that is not empty, without a comment behind it.
    pub(super) fn get(&self, setting: &str) -> Option<&str> {
        let mut value = text::trimmed(self.settings.get(setting)?);
        // A shell has its own idea of a comment.
        if setting != "credential_process" {
            let comment = value.match_indices(['#', ';']).map(|(at, _)| at);
            let mut comment = comment.filter(|at| value[..*at].ends_with(text::is_blank));
            value = text::trimmed(&value[..comment.next().unwrap_or(value.len())]);
        }
        Some(value).filter(|value| !value.is_empty())
    }

    fn gives_credentials(&self) -> bool {
        let mut ways = WAYS_TO_CREDENTIALS.iter();
        ways.any(|way| self.get(way).is_some())
    }

    fn flaw(&self) -> Option<&String> {
        self.flaws.first()
    }

    /// Adds what another section says of the same.
    fn add(&mut self, section: Section, path: &Path) {
        if !self.files.iter().any(|known| known == path) {
            self.files.push(path.to_owned());
        }
        self.settings.extend(section.settings);
        let flaw = section.flaw.map(|line| place_of(line, path));
        self.flaws.extend(flaw);
    }

    /// Lays what the credentials file says over what `config` says. Keys are all from one of the two: the id of one and the
    /// secret of the other, or a lasting pair and the other's token, are no keys.
    fn lay_over(&mut self, over: Entry) {
        let is_key = |name: &str| PAIR.contains(&name) || TOKENS.contains(&name);
        let has_keys = PAIR.iter().any(|key| over.get(key).is_some());
        if has_keys {
            self.settings.retain(|name, _| !is_key(name));
            self.has_keys_of_credentials = true;
        }
        let counts = |(name, _): &(String, String)| has_keys || !is_key(name);
        self.settings
            .extend(over.settings.into_iter().filter(counts));
        self.files.extend(over.files);
        self.flaws.extend(over.flaws);
    }
}

fn place_of(line: usize, path: &Path) -> String {
    format!("line {line} of {}", path.display())
}

/// Both files.
#[derive(Default)]
struct Shared {
    entries: BTreeMap<(Of, String), Entry>,
    /// Profiles under headings that no AWS tool takes for theirs, and how to write them.
    misnamed: BTreeMap<String, String>,
    /// Lines that cannot be read, in sections that are none of these.
    flaws: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Shared {
    fn add_config(&mut self, path: &Path, sections: Vec<Section>) {
        let is_prefixed_default = |section: &Section| {
            words(&section.heading).is_some_and(|w| w == ["profile", "default"])
        };
        let has_prefixed_default = sections.iter().any(is_prefixed_default);
        for section in sections {
            let words = words(&section.heading);
            let words: Option<Vec<&str>> = words
                .as_ref()
                .map(|words| words.iter().map(String::as_str).collect());
            let key = match words.as_deref() {
                // Of the two headings of this profile, AWS's guide gives the longer one the first rank.
                Some(["default"]) if has_prefixed_default => continue,
                Some(["default"]) => Some((Of::Profile, "default".to_owned())),
                Some([word, name]) => {
                    let of = Of::WORDS.iter().find(|(known, _)| known == word);
                    of.map(|(_, of)| (*of, (*name).to_owned()))
                }
                Some([name]) => {
                    self.misname(name, path, &format!("profile {}", quoted(name)));
                    None
                }
                Some(["profile", _, ..]) | None => {
                    let name = section.heading.strip_prefix("profile").unwrap_or_default();
                    let name = text::trimmed(name);
                    if !name.is_empty() {
                        self.misname(name, path, &format!("profile {}", quoted(name)));
                    }
                    None
                }
                Some(_) => None,
            };
            match key {
                Some(key) => self.entries.entry(key).or_default().add(section, path),
                None => self
                    .flaws
                    .extend(section.flaw.map(|line| place_of(line, path))),
            }
        }
    }

    fn add_credentials(&mut self, path: &Path, sections: Vec<Section>) {
        let mut said: BTreeMap<String, Entry> = BTreeMap::new();
        for section in sections {
            match words(&section.heading).as_deref() {
                Some([word, name]) if word == "profile" => self.misname(name, path, name),
                Some([name]) if *name != section.heading => self.misname(name, path, name),
                _ => {}
            }
            if section.heading.is_empty() {
                self.flaws
                    .extend(section.flaw.map(|line| place_of(line, path)));
            } else {
                let name = section.heading.clone();
                said.entry(name).or_default().add(section, path);
            }
        }
        for (name, entry) in said {
            let key = (Of::Profile, name);
            self.entries.entry(key).or_default().lay_over(entry);
        }
    }

    fn misname(&mut self, name: &str, path: &Path, heading: &str) {
        let advice = format!("write its heading in {} as [{heading}]", path.display());
        self.misnamed.insert(name.to_owned(), advice);
    }

    fn profiles(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .filter(|((of, _), _)| *of == Of::Profile)
            .map(|((_, name), entry)| (name.as_str(), entry))
            .filter(|(name, _)| !name.starts_with("profile "))
    }
}

/// A name as a heading has it.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./%@:+".contains(c);
    if name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""))
}

/// A profile of the shared AWS files.
pub(super) struct AwsSource {
    /// The profile's name.
    pub name: String,
    shared: Shared,
}

impl AwsSource {
    /// The shared AWS files, if there are any, with this profile selected.
    pub(super) fn find(sources: &Sources, name: &str) -> Result<Option<AwsSource>> {
        let [config, keys] = paths(sources);
        let mut shared = Shared {
            paths: config.iter().chain(&keys).cloned().collect(),
            ..Shared::default()
        };
        if let Some(path) = config {
            shared.add_config(&path, read(&path)?);
        }
        if let Some(path) = keys {
            shared.add_credentials(&path, read(&path)?);
        }
        Ok((!shared.paths.is_empty()).then(|| AwsSource {
            name: name.to_owned(),
            shared,
        }))
    }

    /// What the files say of a profile or another entry.
    pub(super) fn entry(&self, of: Of, name: &str) -> Option<&Entry> {
        self.shared.entries.get(&(of, name.to_owned()))
    }

    /// The same, for one that is needed.
    pub(super) fn whole(&self, of: Of, name: &str) -> Result<Option<&Entry>> {
        let entry = self.entry(of, name);
        match entry.and_then(Entry::flaw) {
            Some(flaw) => Err(unreadable(format!("{flaw} is no setting and no heading"))),
            None => Ok(entry),
        }
    }

    /// The profile itself; the files may not have it.
    pub(super) fn profile(&self) -> Option<&Entry> {
        self.entry(Of::Profile, &self.name)
    }

    /// A setting of the profile that is not empty.
    pub(super) fn get(&self, setting: &str) -> Option<&str> {
        self.profile()?.get(setting)
    }

    /// Where it stands: `profile 'x' of /home/me/.aws/config`.
    pub(super) fn origin(&self) -> Origin {
        self.origin_of(&self.name)
    }

    pub(super) fn origin_of(&self, name: &str) -> Origin {
        let entry = self.entry(Of::Profile, name);
        Origin::Entry {
            kind: "profile",
            name: name.to_owned(),
            files: entry.map_or_else(Vec::new, |entry| entry.files.clone()),
        }
    }

    /// Warns of lines that are passed over as nobody asked for what they belong to, and of files that others may read, if
    /// keys stand in them.
    pub(super) fn warn(&self) {
        let entries = self.shared.entries.values();
        let flaws = entries.filter_map(Entry::flaw).chain(&self.shared.flaws);
        for flaw in flaws {
            tracing::warn!("{flaw} is no setting and no heading; its section is not used here");
        }
        // Which of the two files has them is not said; a file without any is often open, and may be.
        for path in self.shared.paths.iter().filter(|path| has_keys(path)) {
            warn_if_open(path);
        }
    }

    /// `endpoint_url` of a service in the profile's `services` section, else of the profile.
    pub(super) fn endpoint(&self, service: &str) -> Option<String> {
        let services = self.get("services");
        let services = services.and_then(|name| self.entry(Of::Services, name));
        let of_service = services.and_then(|entry| {
            let settings = entry.settings.get(service)?.lines();
            let mut settings = settings.filter_map(|line| line.split_once('='));
            let (_, url) = settings.find(|(name, _)| text::trimmed(name) == "endpoint_url")?;
            Some(text::trimmed(url))
        });
        of_service
            .filter(|url| !url.is_empty())
            .or_else(|| self.get("endpoint_url"))
            .map(str::to_owned)
    }

    /// The profiles with credentials, and a file they stand in.
    pub(super) fn others(&self) -> (Vec<&str>, Option<&Path>) {
        let able = self.shared.profiles();
        let able = able.filter(|(_, entry)| entry.gives_credentials());
        let names = able.map(|(name, _)| name).collect();
        (names, self.shared.paths.first().map(PathBuf::as_path))
    }

    /// The names of all profiles.
    pub(super) fn names(&self) -> Vec<String> {
        let all = self.shared.profiles();
        all.map(|(name, _)| name.to_owned()).collect()
    }

    /// How to write the heading of a profile that no AWS tool finds under the one it has.
    pub(super) fn misnamed(&self, name: &str) -> Option<Hint> {
        let advice = self.shared.misnamed.get(name)?;
        Some(Hint::say(clean(advice)))
    }

    /// The hint at the heading or the profile that may have been meant, should one of this name not be there.
    pub(super) fn meant(&self, name: &str) -> Option<Hint> {
        if let Some(hint) = self.misnamed(name) {
            return Some(hint);
        }
        let names: Vec<&str> = self.shared.profiles().map(|(name, _)| name).collect();
        suggest::hint(name, names).map(Hint::from)
    }

    /// Whether the profile is worth a look: many have a region and nothing else.
    pub(super) fn has_credentials(&self) -> bool {
        let profile = self.profile();
        profile.is_some_and(|profile| profile.gives_credentials() || profile.flaw().is_some())
    }
}

/// The two files, each where it is.
fn paths(sources: &Sources) -> [Option<PathBuf>; 2] {
    let path = |variable, usual| {
        let usual = sources.usual_file(usual)?;
        let path = sources.named_file(&[variable]).unwrap_or(usual);
        path.is_file().then_some(path)
    };
    [
        path(AWS_CONFIG_FILE, CONFIG_FILE),
        path(AWS_SHARED_CREDENTIALS_FILE, CREDENTIALS_FILE),
    ]
}

fn read(path: &Path) -> Result<Vec<Section>> {
    match text::read_file(path) {
        Ok(text) => Ok(ini::sections(&text.unwrap_or_default())),
        Err(why) => Err(unreadable(format!("{}: {why}", path.display()))),
    }
}

/// Those in which keys stand.
pub(super) fn secret_files(sources: &Sources) -> Vec<PathBuf> {
    let paths = paths(sources).into_iter().flatten();
    paths.filter(|path| has_keys(path)).collect()
}

fn has_keys(path: &Path) -> bool {
    let text = text::read_file(path).ok().flatten();
    text.is_some_and(|text| text.contains("aws_secret_access_key"))
}

fn unreadable(why: String) -> Error {
    Error::new(
        Kind::Credentials,
        "The AWS configuration files cannot be read",
    )
    .cause(why)
    .hint("check ~/.aws/config and ~/.aws/credentials")
}

#[cfg(test)]
mod tests;
