//! `clouds.yaml`, which OpenStack's clients share, with the secrets of a `secure.yaml` and the profiles of a
//! `clouds-public.yaml`: read as openstacksdk does (`openstack.config.loader`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::login::{Access, Found, IdOrName, Login, Proof, half, missing};
use super::names::*;
use super::{openrc, variables, yaml};
use crate::error::{Error, Kind, Result};
use crate::provider::absence::none_chosen;
use crate::secret::{Secret, Url, clean, redact_json};
use crate::settings::{Origin, Sources, text, warn_if_open};

/// The kinds of login that are understood; the others are named in a refusal.
const AUTH_TYPES: [&str; 9] = [
    "rackspace_apikey",
    "password",
    "v2password",
    "v3password",
    "token",
    "v2token",
    "v3token",
    "v3applicationcredential",
    "v3apikey",
];

/// The first `clouds.yaml` there is.
pub(super) struct Clouds {
    /// Where it is.
    pub path: PathBuf,
    /// Those of it and the `secure.yaml` that hold secrets.
    pub secret_files: Vec<PathBuf>,
    /// Of keys that stand twice, and of profiles that cannot be read.
    warnings: Vec<String>,
    clouds: Value,
    /// What clouds of one vendor have in common, by the name of its profile.
    vendors: Value,
}

impl Clouds {
    /// `OS_CLIENT_CONFIG_FILE`, else the usual places; `None` without any.
    pub(super) fn find(sources: &Sources) -> Result<Option<Clouds>> {
        let named = sources.named_file(&[OS_CLIENT_CONFIG_FILE]);
        let usual = || in_folders(folders(sources), CLOUDS_FILE);
        let Some(path) = named.or_else(usual) else {
            return Ok(None);
        };
        let mut warnings = Vec::new();
        let mut all = read(&path, &mut warnings)?
            .ok_or_else(|| unreadable(&path, "it does not exist".into()))?;
        let beside = path.parent().map(Path::to_owned).into_iter();
        let near = |file| in_folders(beside.clone().chain(folders(sources)), file);
        let named = |variable| sources.file_of(variable).filter(|path| path.is_file());
        let secure = named(OS_CLIENT_SECURE_FILE).or_else(|| near(SECURE_FILE));
        let mut secret_files = Vec::new();
        if has_secret(&all) {
            secret_files.push(path.clone());
        }
        if let Some(secure) = secure
            && let Some(secrets) = read(&secure, &mut warnings)?
        {
            if has_secret(&secrets) {
                secret_files.push(secure);
            }
            merge(&mut all, secrets);
        }
        let member = |file: &mut Value, key| file.get_mut(key).map(Value::take).unwrap_or_default();
        let vendors = named(OS_CLIENT_VENDOR_FILE).or_else(|| near(VENDOR_FILE));
        let vendors = vendors.and_then(|path| {
            // Most clouds have no need of it.
            let file = read(&path, &mut warnings);
            file.map_err(|error| warnings.push(error.one_line())).ok()?
        });
        Ok(Some(Clouds {
            path,
            secret_files,
            warnings,
            clouds: member(&mut all, "clouds"),
            vendors: vendors.map_or(Value::Null, |mut file| member(&mut file, "public-clouds")),
        }))
    }

    /// Warns of what may not be meant, and of files with secrets that others may read.
    pub(super) fn warn(&self) {
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        for path in &self.secret_files {
            warn_if_open(path);
        }
    }

    /// The cloud of this name, if there is one.
    pub(super) fn named(&self, name: &str) -> Option<Cloud> {
        let (name, value) = self.clouds.as_object()?.get_key_value(name)?;
        value.is_object().then(|| self.cloud(name, value))
    }

    /// The cloud that is Rackspace's by what it says, where there is exactly one: no other cloud is meant without its name.
    pub(super) fn rackspaces(&self) -> Option<Cloud> {
        let clouds = self.clouds.as_object()?.iter();
        let mut ours = clouds
            .map(|(name, value)| self.cloud(name, value))
            .filter(Cloud::is_rackspace);
        match (ours.next(), ours.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Where none is Rackspace's without doubt, or several are.
    pub(super) fn none_chosen(&self) -> Error {
        match self.names().next() {
            Some(_) => none_chosen("Rackspace", &self.path, "cloud", self.names(), OS_CLOUD),
            None => missing(),
        }
    }

    /// The names of its clouds.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let clouds = self.clouds.as_object().into_iter().flatten();
        clouds.map(|(name, _)| name.as_str())
    }

    /// The cloud, with what its vendor's clouds have in common. Of the vendor's regions it has none beside its own.
    fn cloud(&self, name: &str, own: &Value) -> Cloud {
        let own = normal(own);
        let profile = vendor(&own);
        let known = profile.and_then(|profile| self.vendors.get(profile));
        let mut value = match (known, profile) {
            (Some(known), _) => normal(known),
            // As openstacksdk knows it (vendors/rackspace.json); the first is DFW.
            (None, Some(RACKSPACE)) => json!({"regions": REGIONS}),
            (None, _) => Value::Null,
        };
        let is_region_own = REGION_KEYS.iter().any(|key| own.get(key).is_some());
        if let (true, Some(common)) = (is_region_own, value.as_object_mut()) {
            common.retain(|key, _| !REGION_KEYS.contains(&key.as_str()));
        }
        merge(&mut value, own);
        Cloud {
            name: name.to_owned(),
            origin: Origin::entry("cloud", name, &self.path),
            value,
            is_region_own,
        }
    }
}

/// The folders in which OpenStack's clients look, and `~/.config` also where `XDG_CONFIG_HOME` is elsewhere.
fn folders(sources: &Sources) -> impl Iterator<Item = PathBuf> {
    FOLDERS.into_iter().flat_map(|folder| {
        let usual = sources.usual_file(folder);
        let plain = usual.as_ref().map(|_| sources.path(folder));
        match sources.var(XDG_CONFIG_DIRS) {
            Some(all) if folder == XDG_FOLDER && usual.is_some() => std::env::split_paths(all)
                .map(|one| one.join("openstack"))
                .collect(),
            _ => Vec::from_iter(usual.into_iter().chain(plain)),
        }
    })
}

/// The first file of this name, whichever way its end is spelt.
fn in_folders(folders: impl Iterator<Item = PathBuf>, file: &str) -> Option<PathBuf> {
    let name = Path::new(file).file_stem()?.to_str()?;
    let spelt = |folder: PathBuf| {
        let spelt = SUFFIXES.map(|suffix| folder.join(format!("{name}{suffix}")));
        spelt.into_iter().find(|path| path.is_file())
    };
    folders.into_iter().find_map(spelt)
}

/// Rackspace's public cloud, as a profile.
const RACKSPACE: &str = "rackspace";
/// What says regions; of the two the first.
const REGION_KEYS: [&str; 2] = ["regions", "region_name"];

/// The profile that a cloud names; `cloud` is the old word for it.
fn vendor(cloud: &Value) -> Option<&str> {
    let named = cloud.get("profile").or_else(|| cloud.get("cloud"))?;
    named.as_str()
}

/// What counts more beside `auth` than in it (openstacksdk's `_fix_backwards_auth`).
const OUTSIDE_FIRST: [&str; 11] = [
    "domain_id",
    "domain_name",
    "user_domain_id",
    "user_domain_name",
    "project_domain_id",
    "project_domain_name",
    "project_id",
    "project_name",
    "tenant_id",
    "tenant_name",
    "token",
];

/// One entry of the file.
pub(super) struct Cloud {
    name: String,
    /// Where it stands.
    pub origin: Origin,
    value: Value,
    /// Whether it says regions itself.
    is_region_own: bool,
}

impl Cloud {
    fn says(&self, key: &str) -> Option<String> {
        word(self.value.get(key)?)
    }

    /// What stands below `auth` or beside it.
    fn auth(&self, key: &str) -> Option<String> {
        let inside = || word(self.value.get("auth")?.get(key)?);
        let outside = || self.says(key);
        if OUTSIDE_FIRST.contains(&key) {
            outside().or_else(inside)
        } else {
            inside().or_else(outside)
        }
    }

    fn secret(&self, key: &str) -> Option<Secret> {
        self.auth(key).map(Secret::new)
    }

    fn either(&self, id: &[&str], name: &[&str]) -> Option<IdOrName> {
        let first = |keys: &[&str]| keys.iter().find_map(|key| self.auth(key));
        let by_id = first(id).map(IdOrName::Id);
        by_id.or_else(|| first(name).map(IdOrName::Name))
    }

    fn auth_type(&self) -> String {
        let said = self.says("auth_type").or_else(|| self.says("auth_plugin"));
        said.unwrap_or_default()
    }

    fn is_rackspace(&self) -> bool {
        let is_host = |url: String| {
            let host = Url::parse(&url).ok();
            host.is_some_and(|url| super::identity::is_rackspace(&url))
        };
        vendor(&self.value) == Some(RACKSPACE)
            || self.auth_type() == "rackspace_apikey"
            || self.auth("auth_url").is_some_and(is_host)
    }

    /// The user it names, as far as it can be used.
    pub(super) fn user(&self, sources: &Sources) -> Option<String> {
        Some(self.login(&self.auth_type(), sources).ok()?.user)
    }

    /// Its credentials and what belongs to them, in the region that is asked for or its own.
    pub(super) fn found(mut self, sources: &Sources) -> Result<Found> {
        let region = self.region(sources);
        let there = sources.region.as_ref().or(region.as_ref());
        let there = there.map_or("", |(region, _)| region.as_str());
        if let Some(values) = self.values_in(there).cloned() {
            merge(&mut self.value, values);
        }
        // Any key beside `auth` may stand in an address, most often the region's.
        let expanded = |text: String| {
            let keys = self.value.as_object().into_iter().flatten();
            let keys = keys.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
            let keys = [("region_name", there)].into_iter().chain(keys);
            keys.fold(text, |text, (key, value)| {
                text.replace(&format!("{{{key}}}"), value)
            })
        };
        let auth_url = self.auth("auth_url").map(expanded);
        if auth_url.is_none()
            && !self.is_rackspace()
            && openrc::apart(sources).var(OS_AUTH_URL).is_none()
        {
            // Rackspace must not see what was meant for another cloud.
            return Err(Error::new(
                Kind::Credentials,
                format!("The {} names no auth_url", self.origin),
            )
            .hint("add it below auth, or profile: rackspace if it is Rackspace's public cloud"));
        }
        let kind = self.auth_type();
        let version = self.says("identity_api_version");
        let is_second = version.as_deref().is_some_and(|text| text.starts_with('2'));
        let own_v3 =
            kind.starts_with("v3") || version.as_deref().is_some_and(|text| text.starts_with('3'));
        let own = |key: &str| Some((expanded(self.says(key)?), self.origin.clone()));
        let access = Access::Login(self.login(&kind, sources)?);
        let mut found = Found::new(access, self.origin.clone());
        found.prefers_v3 = own_v3 || !(is_second || kind.starts_with("v2") || self.is_rackspace());
        found.auth_url = auth_url.map(|url| (url, self.origin.clone()));
        found.region = region.clone();
        found.usual_images = own("image_endpoint_override");
        found.usual_files = own("object_store_endpoint_override");
        let interface = ["object_store_interface", "interface", "endpoint_type"];
        found.interface = interface.into_iter().find_map(own);
        found.authorities = own("cacert");
        found.certificate = self.says("cert").map(|cert| (cert, self.says("key")));
        if self
            .says("verify")
            .is_some_and(|verify| verify.eq_ignore_ascii_case("false"))
        {
            tracing::warn!(
                "{} asks not to verify certificates (verify: false); they are verified all the same. cacert names a private authority",
                self.origin
            );
        }
        Ok(found)
    }

    /// Of its regions the first, or the one that the environment names: texts with commas, lists of names, or of what holds one.
    /// One that only its vendor has gives way to any of the environment.
    fn region(&self, sources: &Sources) -> Option<(String, Origin)> {
        let said = REGION_KEYS.iter().find_map(|key| self.value.get(key));
        let said = said.map_or(&[][..], |said| {
            said.as_array()
                .map_or(std::slice::from_ref(said), Vec::as_slice)
        });
        let texts = said
            .iter()
            .filter_map(|one| word(one.get("name").unwrap_or(one)));
        let regions: Vec<String> = texts
            .flat_map(|text| {
                let parts = text.split(',').map(|part| text::trimmed(part).to_owned());
                parts.collect::<Vec<_>>()
            })
            .filter(|region| !region.is_empty())
            .collect();
        let set = variables::region(&openrc::apart(sources), RAX_REGION).filter(|(set, _)| {
            !self.is_region_own || regions.iter().any(|one| one.eq_ignore_ascii_case(set))
        });
        set.or_else(|| Some((regions.into_iter().next()?, self.origin.clone())))
    }

    /// What one of `regions` has of its own.
    fn values_in(&self, region: &str) -> Option<&Value> {
        let regions = self.value.get("regions")?.as_array()?;
        let is_meant = |one: &&Value| {
            let name = one.get("name").and_then(Value::as_str);
            name.is_some_and(|name| name.eq_ignore_ascii_case(region))
        };
        regions.iter().find(is_meant)?.get("values")
    }

    /// A secret that is not in the file may be in the environment, where no user stands beside it.
    fn secret_beside(&self, sources: &Sources, variable: &'static str) -> Option<Secret> {
        let is_alone = sources.var(OS_USERNAME).is_none();
        sources.var(variable).filter(|_| is_alone).map(Secret::new)
    }

    fn login(&self, kind: &str, sources: &Sources) -> Result<Login> {
        if !kind.is_empty() && !AUTH_TYPES.contains(&kind) {
            return Err(Error::new(
                Kind::Credentials,
                format!(
                    "The {} has the auth_type '{}', which is not understood",
                    self.origin,
                    clean(kind)
                ),
            )
            .hint(format!("those that are: {}", AUTH_TYPES.join(", "))));
        }
        let application = self.secret("application_credential_secret");
        let (mut key, mut password, token) = (
            self.secret("api_key"),
            self.secret("password"),
            self.secret("token"),
        );
        if [&key, &password, &token, &application]
            .into_iter()
            .all(Option::is_none)
        {
            key = self.secret_beside(sources, OS_API_KEY);
            password = self.secret_beside(sources, OS_PASSWORD);
        }
        let lacks = |what: &str| half(&format!("the {}", self.origin), what, "that file");
        let proof = match kind {
            "v3applicationcredential" => application.map(|secret| self.application(secret)),
            "rackspace_apikey" | "v3apikey" => key.or(password).map(Proof::ApiKey),
            _ if kind.ends_with("password") => password.map(Proof::Password),
            _ if kind.ends_with("token") => token.map(Proof::Token),
            _ => key
                .map(Proof::ApiKey)
                .or(password.map(Proof::Password))
                .or(application.map(|secret| self.application(secret)))
                .or(token.map(Proof::Token)),
        };
        let proof = proof.ok_or_else(|| match kind {
            "v3applicationcredential" => lacks("application_credential_secret"),
            "rackspace_apikey" | "v3apikey" => lacks("api_key"),
            _ if kind.ends_with("token") => lacks("token"),
            _ if kind.ends_with("password") => lacks("password"),
            _ => lacks("api_key or password"),
        })?;
        let user = match &proof {
            Proof::Token(_) => Some(format!("token of {}", self.name)),
            Proof::Application { name: None, .. } => self.auth("application_credential_id"),
            _ => self.auth("username").or_else(|| self.auth("user_name")),
        };
        let domain = self.either(
            &["user_domain_id", "domain_id", "default_domain_id"],
            &["user_domain_name", "domain_name", "default_domain_name"],
        );
        Ok(Login {
            user: user.ok_or_else(|| match &proof {
                Proof::Application { .. } => lacks("application_credential_id"),
                _ => lacks("username"),
            })?,
            // An application credential is bound to its project, and may not name it.
            tenant: self
                .either(
                    &["project_id", "tenant_id"],
                    &["project_name", "tenant_name"],
                )
                .filter(|_| !matches!(proof, Proof::Application { .. })),
            proof,
            domain,
            project_domain: self.either(
                &["project_domain_id", "domain_id", "default_domain_id"],
                &["project_domain_name", "domain_name", "default_domain_name"],
            ),
        })
    }

    /// By its id; by its name where only that stands there, which is unique for its user alone.
    fn application(&self, secret: Secret) -> Proof {
        let name = match self.auth("application_credential_id") {
            Some(_) => None,
            None => self.auth("application_credential_name"),
        };
        Proof::Application { secret, name }
    }
}

/// Whether a secret stands anywhere in a file.
fn has_secret(value: &Value) -> bool {
    redact_json(value) != *value
}

/// The same with underscores for hyphens in its keys: openstacksdk takes either.
fn normal(value: &Value) -> Value {
    match value.as_object() {
        Some(members) => {
            let members = members.iter();
            let normal = members.map(|(key, value)| (key.replace('-', "_"), normal(value)));
            Value::Object(normal.collect())
        }
        None => value.clone(),
    }
}

/// Text that says something.
fn word(value: &Value) -> Option<String> {
    let text = text::trimmed(value.as_str()?);
    (!text.is_empty()).then(|| text.to_owned())
}

fn unreadable(path: &Path, why: String) -> Error {
    Error::new(
        Kind::Credentials,
        format!("The file {} cannot be read", path.display()),
    )
    .cause(why)
}

/// A YAML file; `None` where there is none. Of keys that stand twice there is a warning.
fn read(path: &Path, warnings: &mut Vec<String>) -> Result<Option<Value>> {
    let Some(text) = text::read_file(path).map_err(|why| unreadable(path, why))? else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(Some(Value::Null));
    }
    // Where, and not what: the line may hold a secret.
    let document = yaml::parse(&text)
        .map_err(|line| unreadable(path, format!("it is no YAML in line {line}")))?;
    warnings.extend(document.twice.into_iter().map(|(key, line)| {
        let (key, path) = (clean(&key), path.display());
        format!("{path} has {key} twice, again in line {line}; the last one counts")
    }));
    Ok(Some(document.value))
}

/// Adds what `more` says, member by member.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, more) => *into = more,
    }
}
