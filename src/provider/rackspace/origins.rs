//! Where user, key or token are looked for: the profile, the environment, the provider's own file. Never one half here and one there.

use std::path::{Path, PathBuf};

use super::Profile;
use super::clouds::Clouds;
use super::credentials::{Access, Login, Proof};
use super::openrc;
use super::variables;
use crate::error::{Error, Kind, Result};
use crate::provider::absence::no_credentials;
use crate::secret::{Secret, clean};
use crate::settings::{Sources, profile_secret, warn_if_open};

/// The file that pyrax, ansible and others read, below the home directory.
pub(super) const CREDENTIALS_FILE: &str = ".rackspace_cloud_credentials";
/// Names for the path of that file.
pub(super) const FILE_VARIABLES: [&str; 2] = ["RAX_CREDS_FILE", "RAX_CREDENTIALS"];

/// Where credentials are from, as far as it matters for which variables go with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The variables of OpenStack's clients.
    Openrc,
    /// Other variables.
    Environment,
    /// A profile or a file.
    File,
}

/// An access with what belongs to it. Each address is with its origin.
pub struct Found {
    /// Who asks.
    pub access: Access,
    /// Where that is from.
    pub origin: String,
    /// What kind of place that is.
    pub place: Place,
    /// The endpoint of images that belongs to a token.
    pub images: Option<(String, String)>,
    /// The endpoint of images, where no variable names another.
    pub usual_images: Option<(String, String)>,
    /// The endpoint of Cloud Files, where no variable names another.
    pub usual_files: Option<(String, String)>,
    /// Where to log in, whatever else is set.
    pub own_auth_url: Option<(String, String)>,
    /// Where to log in, where no variable names another place.
    pub auth_url: Option<(String, String)>,
    /// Whether an address without a version means Keystone v3.
    pub prefers_v3: bool,
    /// The region.
    pub region: Option<(String, String)>,
    /// A file of certificate authorities to trust.
    pub authorities: Option<(PathBuf, String)>,
    /// Files of a client certificate and its key.
    pub certificate: Option<(String, Option<String>)>,
}

impl Found {
    /// An access to which nothing else belongs.
    pub fn new(access: Access, origin: String, place: Place) -> Self {
        Found {
            access,
            origin,
            place,
            images: None,
            usual_images: None,
            usual_files: None,
            own_auth_url: None,
            auth_url: None,
            prefers_v3: false,
            region: None,
            authorities: None,
            certificate: None,
        }
    }
}

/// The first credentials there are; `None` without any.
///
/// A profile that was asked for, the environment, the default profile, pyrax's file, `clouds.yaml`.
pub fn find(sources: &Sources) -> Result<Option<Found>> {
    let own = sources.own_section(super::ID.0)?;
    let name = sources.profile.as_ref().map_or("", |choice| &choice.name);
    if sources.is_profile_explicit() {
        return match own {
            Some(profile) => from_profile(&profile, name).map(Some),
            None => named_cloud(sources, name, "").map(Some),
        };
    }
    let first = match (variables::find(sources)?, own) {
        (Some(found), _) => Some(found),
        (None, Some(profile)) => Some(from_profile(&profile, name)?),
        (None, None) => from_file(sources)?,
    };
    match (first, cloud_variable(sources)) {
        (Some(found), Some(cloud)) => {
            tracing::warn!(
                "OS_CLOUD is not used: the credentials from {} come first (--profile {} asks for the cloud)",
                found.origin,
                clean(cloud)
            );
            Ok(Some(found))
        }
        (Some(found), None) => Ok(Some(found)),
        (None, Some(cloud)) => named_cloud(sources, cloud, ", which OS_CLOUD names").map(Some),
        (None, None) => match Clouds::find(sources)? {
            Some(clouds) => {
                clouds.warn_if_open();
                match clouds.rackspaces() {
                    Some(only) => only.found(sources).map(Some),
                    None => Err(clouds.none_chosen()),
                }
            }
            None => Ok(None),
        },
    }
}

/// The cloud that `OS_CLOUD` names. Python's clients take `envvars` for the variables themselves.
pub fn cloud_variable(sources: &Sources) -> Option<&str> {
    sources.var("OS_CLOUD").filter(|name| *name != "envvars")
}

/// The cloud of this name in `clouds.yaml`; `tail` ends the sentence where there is none.
fn named_cloud(sources: &Sources, name: &str, tail: &str) -> Result<Found> {
    let clouds = Clouds::find(sources)?;
    if let Some(clouds) = &clouds {
        clouds.warn_if_open();
        if let Some(cloud) = clouds.named(name) {
            return cloud.found(sources);
        }
    }
    let place = clouds.map_or("no clouds.yaml was found".to_owned(), |clouds| {
        format!(
            "{} (clouds.yaml) has no cloud of that name",
            clouds.path.display()
        )
    });
    let name = clean(name);
    Err(Error::new(
        Kind::Credentials,
        format!("There is no profile '{name}' for Rackspace{tail}"),
    )
    .cause(format!(
        "config.toml has no [profile.{name}.rackspace], and {place}"
    ))
    .absence_if(tail.is_empty())
    .hint("clouds.yaml is looked for here, in ~/.config/openstack and in /etc/openstack"))
}

/// What to set, where nothing is.
pub fn missing() -> Error {
    no_credentials(
        "Rackspace",
        &[
            "set RAX_USERNAME and RAX_API_KEY, or OS_USERNAME and OS_PASSWORD, or AUTH_TOKEN and API_ENDPOINT",
            "or write ~/.rackspace_cloud_credentials, a clouds.yaml, or a [profile.NAME.rackspace] in config.toml",
        ],
    )
}

pub(super) fn half(has: &str, lacks: &str, origin: &str) -> Error {
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
    let own = |text: &Option<String>| Some((text.clone()?, origin.clone()));
    let (auth_url, region) = (own(&profile.auth_url), own(&profile.region));
    let mut found = Found::new(Access::Login(Login::of(user, proof)), origin, Place::File);
    (found.auth_url, found.region) = (auth_url, region);
    Ok(found)
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
    let login = parse_file(&text, &path)?;
    let mut found = Found::new(
        Access::Login(login),
        path.display().to_string(),
        Place::File,
    );
    // Variables come before pyrax's own settings.
    let sources = openrc::apart(sources);
    let beside = members(&text, "rackspace_cloud").find(|(name, _)| *name == "region");
    found.region = variables::region(&sources, "RAX_REGION")
        .or_else(|| beside.map(|(_, region)| (region.to_owned(), path.display().to_string())))
        .or_else(|| pyrax_region(&sources));
    Ok(Some(found))
}

/// The region in pyrax's own settings, which go with its credentials file.
fn pyrax_region(sources: &Sources) -> Option<(String, String)> {
    let path = sources.in_home(".pyrax.cfg")?;
    let text = std::fs::read_to_string(&path).ok()?;
    let region = members(&text, "settings").find(|(name, _)| *name == "region")?;
    Some((region.1.to_owned(), path.display().to_string()))
}

/// The members of a section of an INI file that are not empty.
fn members<'t>(text: &'t str, section: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let mut is_ours = false;
    text.lines().map(str::trim).filter_map(move |line| {
        if let Some(heading) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            is_ours = heading.trim() == section;
        }
        let (name, value) = line.split_once(['=', ':']).filter(|_| is_ours)?;
        let (name, value) = (name.trim(), value.trim());
        (!value.is_empty() && !name.starts_with(['#', ';'])).then_some((name, value))
    })
}

fn parse_file(text: &str, path: &Path) -> Result<Login> {
    let (mut user, mut key, mut password) = (None, None, None);
    for (name, value) in members(text, "rackspace_cloud") {
        match name {
            "username" => user = Some(value.to_owned()),
            "api_key" => key = Some(Proof::ApiKey(Secret::new(value))),
            "password" => password = Some(Proof::Password(Secret::new(value))),
            _ => {}
        }
    }
    let origin = format!("[rackspace_cloud] of {}", path.display());
    match (user, key.or(password)) {
        (Some(user), Some(proof)) => Ok(Login::of(user, proof)),
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
