//! Where user, key or token are looked for: the profile, the environment, the provider's own file. Never one half here and one there.

use std::path::{Path, PathBuf};

use super::Profile;
use super::credentials::{Access, Login, Proof, Tenant};
use crate::context::{Sources, profile_secret, warn_if_open};
use crate::error::{Error, Kind, Result};
use crate::secret::{Secret, clean};

/// The file that pyrax, ansible and others read, below the home directory.
pub(super) const CREDENTIALS_FILE: &str = ".rackspace_cloud_credentials";
/// Names for the path of that file.
pub(super) const FILE_VARIABLES: [&str; 2] = ["RAX_CREDS_FILE", "RAX_CREDENTIALS"];
/// Pairs of token and image endpoint: the names of Rackspace's guide, then those of the glance client.
pub(super) const TOKEN_PAIRS: [(&str, &str); 2] = [
    ("AUTH_TOKEN", "API_ENDPOINT"),
    ("OS_AUTH_TOKEN", "OS_IMAGE_URL"),
];

/// An access with the endpoint and region that belong to it.
pub struct Found {
    /// Who asks.
    pub access: Access,
    /// Where that is from.
    pub origin: String,
    /// The endpoint of images that belongs to it, and its origin.
    pub images: Option<(String, String)>,
    /// Where to log in.
    pub auth_url: Option<String>,
    /// The region, and its origin.
    pub region: Option<(String, String)>,
}

/// The first credentials there are; `None` without any.
pub fn find(sources: &Sources) -> Result<Option<Found>> {
    let own = sources
        .own_profile()
        .and_then(|profile| profile.rackspace.as_ref());
    let name = sources.profile.as_ref().map_or("", |choice| &choice.name);
    if sources.is_profile_explicit() {
        let Some(profile) = own else {
            return Err(Error::new(
                Kind::Credentials,
                format!("There is no profile '{}' for Rackspace", clean(name)),
            )
            .cause(format!(
                "config.toml has no [profile.{name}.rackspace], and clouds.yaml is not read by this version"
            ))
            .hint("set RAX_USERNAME and RAX_API_KEY instead"));
        };
        return from_profile(profile, name).map(Some);
    }
    if let Some(found) = from_environment(sources)? {
        return Ok(Some(found));
    }
    match own {
        Some(profile) => from_profile(profile, name).map(Some),
        None => from_file(sources),
    }
}

/// What to set, where nothing is.
pub fn missing() -> Error {
    Error::new(Kind::Credentials, "There are no credentials for Rackspace")
        .absence()
        .cause("set RAX_USERNAME and RAX_API_KEY; or OS_USERNAME and OS_API_KEY or OS_PASSWORD; or AUTH_TOKEN and API_ENDPOINT; or a [profile.NAME.rackspace]; or ~/.rackspace_cloud_credentials")
        .hint("to try without an account: add --sandbox")
}

fn half(has: &str, lacks: &str, origin: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("Half of the credentials for Rackspace is missing: {lacks}"),
    )
    .cause(format!("{has} is set in {origin}, {lacks} is not"))
    .hint("set both in the same place, or neither")
}

fn from_profile(profile: &Profile, name: &str) -> Result<Found> {
    let origin = format!("[profile.{name}.rackspace]");
    let key = profile_secret(
        "api_key",
        profile.api_key.as_ref(),
        profile.api_key_command.as_deref(),
    )?;
    let password = profile_secret(
        "password",
        profile.password.as_ref(),
        profile.password_command.as_deref(),
    )?;
    let proof = match (key, password) {
        (Some(_), Some(_)) => {
            return Err(Error::usage(format!(
                "The profile {origin} has both an API key and a password; keep one"
            )));
        }
        (Some(key), None) => Some(Proof::ApiKey(key)),
        (None, password) => password.map(Proof::Password),
    };
    let (user, proof) = match (&profile.username, proof) {
        (Some(user), Some(proof)) => (user.clone(), proof),
        (Some(_), None) => return Err(half("username", "api_key or password", &origin)),
        (None, _) => return Err(half("the profile", "username", &origin)),
    };
    let region = profile.region.clone();
    Ok(Found {
        access: Access::Login(Login {
            user,
            proof,
            tenant: None,
            domain: None,
        }),
        images: None,
        auth_url: profile.auth_url.clone(),
        region: region.map(|region| (region, origin.clone())),
        origin,
    })
}

/// A token with its endpoint, else a login.
fn from_environment(sources: &Sources) -> Result<Option<Found>> {
    let region = sources
        .first_var(&["RAX_REGION", "OS_REGION_NAME"])
        .map(|(name, region)| (region.to_owned(), name.to_owned()));
    for (token, endpoint) in TOKEN_PAIRS {
        if let (Some(secret), Some(url)) = (sources.var(token), sources.var(endpoint)) {
            let tenant = sources.first_var(&["TENANT_ID", "OS_TENANT_ID", "OS_PROJECT_ID"]);
            return Ok(Some(Found {
                access: Access::Token(
                    Secret::new(secret),
                    tenant.map(|(_, tenant)| tenant.to_owned()),
                ),
                origin: format!("{token} and {endpoint}"),
                images: Some((url.to_owned(), endpoint.to_owned())),
                auth_url: None,
                region,
            }));
        }
    }
    if let Some((access, origin)) = login_from_environment(sources)? {
        return Ok(Some(Found {
            access,
            origin,
            images: None,
            auth_url: None,
            region,
        }));
    }
    // Only now: a token's name is so common that it may belong to something else.
    for (token, endpoint) in TOKEN_PAIRS {
        if sources.var(token).is_some() {
            return Err(half(token, endpoint, "the environment"));
        }
    }
    Ok(None)
}

fn login_from_environment(sources: &Sources) -> Result<Option<(Access, String)>> {
    let families: [(&'static str, &[&'static str]); 2] = [
        ("RAX_USERNAME", &["RAX_API_KEY"]),
        ("OS_USERNAME", &["OS_API_KEY", "OS_PASSWORD"]),
    ];
    for (user_name, secret_names) in families {
        let secret = sources.first_var(secret_names);
        let (user, (secret_name, secret)) = match (sources.var(user_name), secret) {
            (Some(user), Some(secret)) => (user, secret),
            (Some(_), None) => {
                return Err(half(
                    user_name,
                    &secret_names.join(" or "),
                    "the environment",
                ));
            }
            (None, Some((secret_name, _))) => {
                return Err(half(secret_name, user_name, "the environment"));
            }
            (None, None) => continue,
        };
        let secret = Secret::new(secret);
        let proof = match secret_name {
            "OS_PASSWORD" if sources.var("OS_AUTH_SYSTEM") == Some("rackspace") => {
                Proof::Either(secret)
            }
            "OS_PASSWORD" => Proof::Password(secret),
            _ => Proof::ApiKey(secret),
        };
        let owned = |(_, text): (&str, &str)| text.to_owned();
        let tenant_id = sources
            .first_var(&["OS_TENANT_ID", "OS_PROJECT_ID"])
            .map(owned);
        let tenant_name = sources
            .first_var(&["OS_TENANT_NAME", "OS_PROJECT_NAME"])
            .map(owned);
        let login = Login {
            user: user.to_owned(),
            proof,
            // Sending both is refused.
            tenant: tenant_id.map(Tenant::Id).or(tenant_name.map(Tenant::Name)),
            domain: sources.var("OS_USER_DOMAIN_NAME").map(str::to_owned),
        };
        return Ok(Some((
            Access::Login(login),
            format!("{user_name} and {secret_name}"),
        )));
    }
    Ok(None)
}

/// The INI file that pyrax introduced. One that is named but missing is an error, the usual one may be absent.
fn from_file(sources: &Sources) -> Result<Option<Found>> {
    let named = sources.first_var(&FILE_VARIABLES);
    let path = match (named, sources.in_home(CREDENTIALS_FILE)) {
        (Some((_, path)), _) => PathBuf::from(path),
        (None, Some(path)) => path,
        (None, None) => return Ok(None),
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Error::new(
                Kind::Credentials,
                format!("The credentials file {} cannot be read", path.display()),
            )
            .cause(error.to_string()));
        }
    };
    warn_if_open(&path);
    let region = sources
        .first_var(&["RAX_REGION", "OS_REGION_NAME"])
        .map(|(name, region)| (region.to_owned(), name.to_owned()));
    Ok(Some(Found {
        access: Access::Login(parse_file(&text, &path)?),
        origin: path.display().to_string(),
        images: None,
        auth_url: None,
        region,
    }))
}

fn parse_file(text: &str, path: &Path) -> Result<Login> {
    let mut is_ours = false;
    let (mut user, mut key, mut password) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            is_ours = section.trim() == "rackspace_cloud";
        }
        let Some((name, value)) = line.split_once(['=', ':']).filter(|_| is_ours) else {
            continue;
        };
        let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match name.trim() {
            "username" => user = value,
            "api_key" => key = value.map(|key| Proof::ApiKey(Secret::new(key))),
            "password" => password = value.map(|word| Proof::Password(Secret::new(word))),
            _ => {}
        }
    }
    let origin = format!("[rackspace_cloud] of {}", path.display());
    match (user, key.or(password)) {
        (Some(user), Some(proof)) => Ok(Login {
            user,
            proof,
            tenant: None,
            domain: None,
        }),
        (Some(_), None) => Err(half("username", "api_key or password", &origin)),
        (None, Some(_)) => Err(half("the secret", "username", &origin)),
        (None, None) => Err(Error::new(
            Kind::Credentials,
            format!(
                "The credentials file {} has no username and api_key",
                path.display()
            ),
        )
        .hint("they stand in a section [rackspace_cloud]")),
    }
}
