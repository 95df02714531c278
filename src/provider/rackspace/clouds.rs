//! `clouds.yaml`, which OpenStack's clients share, with the secrets of a `secure.yaml` beside it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::login::{Access, Found, IdOrName, Login, Proof, half, missing};
use super::names::*;
use super::openrc;
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
    clouds: Value,
}

impl Clouds {
    /// `OS_CLIENT_CONFIG_FILE`, else the usual places; `None` without any.
    pub(super) fn find(sources: &Sources) -> Result<Option<Clouds>> {
        let usual = || {
            let mut files = CLOUDS_FILES
                .iter()
                .filter_map(|file| sources.usual_file(file));
            files.find(|path| path.is_file())
        };
        let named = sources.named_file(&[OS_CLIENT_CONFIG_FILE]);
        let Some(path) = named.or_else(usual) else {
            return Ok(None);
        };
        let mut all = read(&path)?.ok_or_else(|| unreadable(&path, "it does not exist".into()))?;
        let beside = || path.parent().map(|folder| folder.join(SECURE_FILE));
        let secure = sources.named_file(&[OS_CLIENT_SECURE_FILE]).or_else(beside);
        let mut secret_files = Vec::new();
        if has_secret(&all) {
            secret_files.push(path.clone());
        }
        if let Some(secure) = secure
            && let Some(secrets) = read(&secure)?
        {
            if has_secret(&secrets) {
                secret_files.push(secure);
            }
            merge(&mut all, secrets);
        }
        let clouds = all.get_mut("clouds").map(Value::take).unwrap_or_default();
        Ok(Some(Clouds {
            path,
            secret_files,
            clouds,
        }))
    }

    /// Warns of those of its files with secrets that others may read.
    pub(super) fn warn_if_open(&self) {
        for path in &self.secret_files {
            warn_if_open(path);
        }
    }

    /// The cloud of this name, if there is one.
    pub(super) fn named(&self, name: &str) -> Option<Cloud<'_>> {
        let (name, value) = self.clouds.as_object()?.get_key_value(name)?;
        value.is_object().then(|| self.cloud(name, value))
    }

    /// The cloud that is Rackspace's by what it says, where there is exactly one: no other cloud is meant without its name.
    pub(super) fn rackspaces(&self) -> Option<Cloud<'_>> {
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

    fn cloud<'a>(&self, name: &'a str, value: &'a Value) -> Cloud<'a> {
        Cloud {
            name,
            origin: Origin::entry("cloud", name, &self.path),
            value,
        }
    }
}

/// One entry of the file.
pub(super) struct Cloud<'a> {
    name: &'a str,
    /// Where it stands.
    pub origin: Origin,
    value: &'a Value,
}

impl Cloud<'_> {
    fn says(&self, key: &str) -> Option<String> {
        word(self.value.get(key)?)
    }

    /// What stands below `auth`.
    fn auth(&self, key: &str) -> Option<String> {
        word(self.value.get("auth")?.get(key)?)
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
        self.says("auth_type").unwrap_or_default()
    }

    fn is_rackspace(&self) -> bool {
        let is_host = |url: String| {
            let host = Url::parse(&url).ok();
            host.is_some_and(|url| super::identity::is_rackspace(&url))
        };
        self.says("profile").as_deref() == Some("rackspace")
            || self.auth_type() == "rackspace_apikey"
            || self.auth("auth_url").is_some_and(is_host)
    }

    /// The user it names, as far as it can be used.
    pub(super) fn user(&self) -> Option<String> {
        Some(self.login(&self.auth_type()).ok()?.user)
    }

    /// Its credentials and what belongs to them.
    pub(super) fn found(&self, sources: &Sources) -> Result<Found> {
        let auth_url = self.auth("auth_url");
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
        let own = |key: &str| Some((self.says(key)?, self.origin.clone()));
        let access = Access::Login(self.login(&kind)?);
        let mut found = Found::new(access, self.origin.clone());
        found.prefers_v3 = own_v3 || !(is_second || kind.starts_with("v2") || self.is_rackspace());
        found.auth_url = auth_url.map(|url| (url, self.origin.clone()));
        found.region = self.region().map(|region| (region, self.origin.clone()));
        found.usual_images = own("image_endpoint_override");
        found.usual_files = own("object_store_endpoint_override");
        found.authorities = own("cacert");
        found.certificate = self.says("cert").map(|cert| (cert, self.says("key")));
        if self.value.get("verify") == Some(&Value::Bool(false)) {
            tracing::warn!(
                "{} asks not to verify certificates (verify: false); they are verified all the same. cacert names a private authority",
                self.origin
            );
        }
        Ok(found)
    }

    /// `region_name`, else the first of `regions`, which are names or hold one.
    fn region(&self) -> Option<String> {
        let first = || {
            let region = self.value.get("regions")?.get(0)?;
            word(region.get("name").unwrap_or(region))
        };
        self.says("region_name").or_else(first)
    }

    fn login(&self, kind: &str) -> Result<Login> {
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
        let (key, password, token) = (
            self.secret("api_key"),
            self.secret("password"),
            self.secret("token"),
        );
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
            _ => self.auth("username"),
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
            project_domain: self.either(&["project_domain_id"], &["project_domain_name"]),
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

/// Text or a number: account numbers are often written without quotes.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text::trimmed(text);
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unreadable(path: &Path, why: String) -> Error {
    Error::new(
        Kind::Credentials,
        format!("The file {} cannot be read", path.display()),
    )
    .cause(why)
}

/// A YAML file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Value>> {
    let Some(text) = text::read_file(path).map_err(|why| unreadable(path, why))? else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(Some(Value::Null));
    }
    serde_saphyr::from_str(&text).map(Some).map_err(|error| {
        // Where, and not what: the parser quotes the line, and the line may hold a secret.
        let place = error.location().map(|location| location.line());
        let place = place.map_or("it is no YAML".to_owned(), |line| {
            format!("it is no YAML in line {line}")
        });
        unreadable(path, place)
    })
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
