//! The AWS tools' own shared files: `~/.aws/config` and `~/.aws/credentials`.

use std::path::{Path, PathBuf};

use aws_config::profile::{Profile as AwsProfile, ProfileSet};
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env as AwsEnv, Fs};
use futures_util::FutureExt;

use super::names::*;
use super::pairs::of_one_file;
use crate::error::{Error, Kind, Result};
use crate::secret::clean;
use crate::settings::text::Form;
use crate::settings::{Origin, Sources, text, warn_if_open};
use crate::suggest;

/// Settings by which an AWS profile can give credentials.
const WAYS_TO_CREDENTIALS: [&str; 8] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "role_arn",
    "credential_process",
    "credential_source",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// A profile of the shared AWS files.
pub(super) struct AwsSource {
    /// The profile's name.
    pub name: String,
    /// The files, for the provider that fetches the credentials.
    pub files: EnvConfigFiles,
    /// Where they are.
    paths: Vec<PathBuf>,
    set: ProfileSet,
}

impl AwsSource {
    /// The profile itself; the files may not have it.
    pub(super) fn profile(&self) -> Option<&AwsProfile> {
        self.set.get_profile(&self.name)
    }

    /// A setting of the profile that is not empty.
    pub(super) fn get(&self, setting: &str) -> Option<&str> {
        let value = text::trimmed(self.profile()?.get(setting)?);
        Some(value).filter(|value| !value.is_empty())
    }

    /// Refuses keys that cannot be used, also those of the profiles that this one takes them from.
    pub(super) fn check_keys(&self) -> Result<()> {
        const KEYS: [&str; 3] = [
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
        ];
        let mut names: Vec<&str> = vec![&self.name];
        while let Some(profile) = names.last().and_then(|name| self.set.get_profile(name)) {
            for key in KEYS {
                let value = text::trimmed(profile.get(key).unwrap_or_default());
                if let Some(flaw) = Form::of(key).flaw(value) {
                    let place = self.origin_of(profile.name()).of_value(key);
                    return Err(Form::of(key).refusal(place, flaw));
                }
            }
            match profile.get("source_profile") {
                Some(source) if !names.contains(&source) => names.push(source),
                _ => break,
            }
        }
        Ok(())
    }

    /// Where it stands: `profile 'x' of /home/me/.aws/config`.
    pub(super) fn origin(&self) -> Origin {
        self.origin_of(&self.name)
    }

    fn origin_of(&self, name: &str) -> Origin {
        let headings = [format!("[{name}]"), format!("[profile {name}]")];
        let has_it = |path: &&PathBuf| {
            let text = text::read_file(path).ok().flatten().unwrap_or_default();
            text.lines().any(|line| headings.contains(&squeezed(line)))
        };
        Origin::Entry {
            kind: "profile",
            name: name.to_owned(),
            files: self.paths.iter().filter(has_it).cloned().collect(),
        }
    }

    /// How the profile gives credentials, in the order in which the AWS tools look; a key id where keys stand in it.
    pub(super) fn way(&self) -> String {
        if let Some(role) = self.get("role_arn") {
            let with = match (self.get("source_profile"), self.get("credential_source")) {
                (Some(source), _) => format!("with profile '{source}'"),
                (None, Some(source)) => format!("with {source}"),
                (None, None) => "with a web identity".to_owned(),
            };
            return clean(&format!("role {role}, assumed {with}"));
        }
        let sso = self.get("sso_session").or(self.get("sso_start_url"));
        if let Some(sso) = sso {
            let role = self.get("sso_role_name").unwrap_or("unnamed");
            return clean(&format!("role {role} by single sign-on ({sso})"));
        }
        if self.get("credential_process").is_some() {
            return "what credential_process prints".to_owned();
        }
        clean(self.get("aws_access_key_id").unwrap_or("unknown"))
    }

    /// Whether a key pair that stands in the profile is all there is to fetch.
    pub(super) fn has_keys_alone(&self) -> bool {
        let ways: Vec<&str> = WAYS_TO_CREDENTIALS
            .into_iter()
            .filter(|way| self.get(way).is_some())
            .collect();
        ways == ["aws_access_key_id", "aws_secret_access_key"]
    }

    /// Warns of files that others may read, if keys stand in them.
    pub(super) fn warn_if_open(&self) {
        // Which of the two files has them is not said; a file without any is often open, and may be.
        for path in self.paths.iter().filter(|path| has_keys(path)) {
            warn_if_open(path);
        }
    }

    /// `endpoint_url` of a service in the profile's `services` section, else of the profile.
    pub(super) fn endpoint(&self, service: &'static str) -> Option<String> {
        EnvConfigValue::new()
            .profile("endpoint_url")
            .service_id(service)
            .load(&AwsEnv::from_slice(&[]), Some(&self.set))
            .map(|(value, _)| value.into_owned())
    }

    /// The profiles with credentials, and a file they stand in.
    pub(super) fn others(&self) -> (Vec<&str>, Option<&Path>) {
        let has_any = |name: &&str| {
            let profile = self.set.get_profile(name);
            profile.is_some_and(|profile| {
                WAYS_TO_CREDENTIALS
                    .iter()
                    .any(|way| profile.get(way).is_some())
            })
        };
        let mut names: Vec<&str> = self.set.profiles().filter(has_any).collect();
        names.sort_unstable();
        (names, self.paths.first().map(PathBuf::as_path))
    }

    /// The names of all profiles.
    pub(super) fn names(&self) -> Vec<String> {
        self.set.profiles().map(str::to_owned).collect()
    }

    /// The hint at the profile that may have been meant, should this one not be there.
    pub(super) fn meant(&self) -> Option<String> {
        let names: Vec<&str> = self.set.profiles().collect();
        suggest::hint(&self.name, names)
    }

    /// Whether the profile names credentials at all: many have a region and nothing else.
    pub(super) fn has_credentials(&self) -> bool {
        WAYS_TO_CREDENTIALS
            .iter()
            .any(|way| self.get(way).is_some())
    }
}

/// A heading as it would be written without spare spaces.
fn squeezed(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").replace("[ ", "[").replace(" ]", "]")
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

/// One of the two files, as the AWS crates can read it.
struct SharedFile {
    path: PathBuf,
    text: String,
    /// Whether the text is not what stands in the file.
    is_changed: bool,
}

impl SharedFile {
    /// The AWS crates know neither a mark at the beginning nor white space beyond ASCII.
    fn read(path: PathBuf) -> Result<Self> {
        let bytes = std::fs::read(&path);
        let text = match bytes.as_deref().map(text::decoded) {
            Ok(Ok(text)) => text,
            Ok(Err(why)) => return Err(unreadable(format!("{}: {why}", path.display()))),
            Err(error) => return Err(unreadable(format!("{}: {error}", path.display()))),
        };
        let plain: String = text
            .split_inclusive('\n')
            .map(|line| match line.split_once('=') {
                Some((name, value)) if !value.is_ascii() => {
                    format!("{name}= {}\n", text::trimmed(value))
                }
                _ => line.to_owned(),
            })
            .collect();
        Ok(SharedFile {
            is_changed: bytes.is_ok_and(|bytes| bytes != plain.as_bytes()),
            text: plain,
            path,
        })
    }
}

impl AwsSource {
    /// The shared AWS files, if there are any, with this profile selected.
    pub(super) fn find(sources: &Sources, name: &str) -> Result<Option<AwsSource>> {
        let [config, keys] = paths(sources);
        if config.is_none() && keys.is_none() {
            return Ok(None);
        }
        let paths = config.iter().chain(&keys).cloned().collect();
        let mut files = EnvConfigFiles::builder();
        let mut config = config.map(SharedFile::read).transpose()?;
        let mut keys = keys.map(SharedFile::read).transpose()?;
        if let Some((config, keys)) = config.as_mut().zip(keys.as_mut())
            && let Some(sifted) = of_one_file(&config.text, &keys.text)
        {
            (config.text, keys.text) = sifted;
            (config.is_changed, keys.is_changed) = (true, true);
        }
        for (kind, file) in [
            (EnvConfigFileKind::Config, config),
            (EnvConfigFileKind::Credentials, keys),
        ] {
            files = match file {
                Some(file) if file.is_changed => files.with_contents(kind, file.text),
                Some(file) => files.with_file(kind, file.path),
                None => files,
            };
        }
        let files = files.build();
        let selected = Some(name.to_owned().into());
        let (disk, no_variables) = (Fs::real(), AwsEnv::from_slice(&[]));
        let set = aws_config::profile::load(&disk, &no_variables, &files, selected);
        // The AWS crates read files without waiting.
        let set = set
            .now_or_never()
            .ok_or_else(|| unreadable("reading them takes too long".to_owned()))?
            .map_err(|error| unreadable(crate::http::chain(&error)))?;
        Ok(Some(AwsSource {
            name: name.to_owned(),
            files,
            paths,
            set,
        }))
    }
}
