//! Every variable and file that is read for Rackspace, and the places where credentials stand, in their order.

use std::fmt::Display;

use super::clouds::{Cloud, Clouds};
use super::credentials::{Access, Found, Login, Proof};
use super::{ID, Profile, pyrax, variables};
use crate::error::{Error, Kind, Result};
use crate::provider::absence::no_credentials;
use crate::provider::check::{self, Check, rivals};
use crate::provider::place;
use crate::secret::clean;
use crate::settings::{Origin, Sources, profile_secret};

place::variables! {
    AUTH_TOKEN API_ENDPOINT TENANT_ID
    RAX_USERNAME RAX_API_KEY RAX_REGION RAX_CREDS_FILE RAX_CREDENTIALS
    RS_USERNAME RS_API_KEY RS_REGION_NAME RS_AUTH_URL
    CF_USERNAME CF_API_KEY CF_REGION
    CLOUD_REGION
    OS_AUTH_TOKEN OS_IMAGE_URL OS_OBJECT_STORE_URL
    OS_AUTH_URL OS_AUTH_SYSTEM OS_IDENTITY_API_VERSION OS_CACERT
    OS_USERNAME OS_API_KEY OS_PASSWORD OS_REGION_NAME
    OS_TENANT_ID OS_TENANT_NAME OS_PROJECT_ID OS_PROJECT_NAME
    OS_USER_DOMAIN_ID OS_USER_DOMAIN_NAME OS_PROJECT_DOMAIN_ID OS_PROJECT_DOMAIN_NAME
    OS_USER_ID OS_TOKEN OS_APPLICATION_CREDENTIAL_ID
    OS_CLOUD OS_CLIENT_CONFIG_FILE OS_CLIENT_SECURE_FILE
}

/// The file that pyrax, ansible and others read.
pub(super) const CREDENTIALS_FILE: &str = "~/.rackspace_cloud_credentials";
/// Pyrax's own settings.
pub(super) const PYRAX_FILE: &str = "~/.pyrax.cfg";
/// Where OpenStack's clients look for clouds, in their order.
pub(super) const CLOUDS_FILES: [&str; 6] = [
    "./clouds.yaml",
    "./clouds.yml",
    "~/.config/openstack/clouds.yaml",
    "~/.config/openstack/clouds.yml",
    "/etc/openstack/clouds.yaml",
    "/etc/openstack/clouds.yml",
];
/// The file beside it that may hold its secrets.
pub(super) const SECURE_FILE: &str = "secure.yaml";
/// Every file that is read.
pub(super) const FILES: &[&str] = {
    let [a, b, c, d, e, f] = CLOUDS_FILES;
    &[CREDENTIALS_FILE, PYRAX_FILE, a, b, c, d, e, f, SECURE_FILE]
};

/// The regions of Rackspace's public cloud.
pub(super) const REGIONS: &[&str] = &["DFW", "IAD", "ORD", "LON", "SYD", "HKG"];

pub(super) type Place<'s> = place::Place<'s, Found>;

/// Where users, keys and tokens stand, in the order in which they are used. What was asked for is not passed over.
pub(super) fn places(sources: &Sources) -> impl Iterator<Item = Place<'_>> {
    type Looks = &'static [fn(&Sources) -> Option<Place<'_>>];
    let (before, after): (Looks, Looks) = if sources.is_profile_explicit() {
        (&[chosen], &[of_variable])
    } else {
        (&[], &[default_profile, pyrax::place, of_variable])
    };
    let look = |looks: Looks| looks.iter().filter_map(|look| look(sources));
    let mut places = look(before)
        .chain(variables::places(sources))
        .chain(look(after))
        .peekable();
    // The one cloud that is Rackspace's is used only where nothing names another.
    let sole = places.peek().is_none().then(|| sole_cloud(sources));
    places.chain(sole)
}

/// The profile that was asked for: ours, else the cloud of that name.
fn chosen(sources: &Sources) -> Option<Place<'_>> {
    let name = &sources.profile.as_ref()?.name;
    let cloud = || named_cloud(sources, name, Origin::Flag("--profile"));
    Some(default_profile(sources).unwrap_or_else(cloud))
}

/// The chosen profile of config.toml; where none was asked for, that is the default one.
fn default_profile(sources: &Sources) -> Option<Place<'_>> {
    let name = &sources.profile.as_ref()?.name;
    Place::own(
        sources,
        name,
        ID.0,
        |own: &Profile| own.username.clone(),
        of_profile,
    )
}

/// The cloud that `OS_CLOUD` names.
fn of_variable(sources: &Sources) -> Option<Place<'_>> {
    let name = cloud_variable(sources)?;
    Some(named_cloud(sources, name, Origin::Variable(OS_CLOUD)))
}

/// Python's clients take `envvars` for the variables themselves.
fn cloud_variable(sources: &Sources) -> Option<&str> {
    sources.var(OS_CLOUD).filter(|name| *name != "envvars")
}

/// The cloud of this name in `clouds.yaml`.
fn named_cloud<'s>(sources: &'s Sources, name: &'s str, by: Origin) -> Place<'s> {
    let is_asked = by == Origin::Flag("--profile");
    let lost = move |clouds: Option<Clouds>| {
        let name = clean(name);
        let by = if is_asked {
            ""
        } else {
            ", which OS_CLOUD names"
        };
        let place = clouds.map_or("no clouds.yaml was found".to_owned(), |clouds| {
            let path = clouds.path.display();
            format!("{path} (clouds.yaml) has no cloud of that name")
        });
        Error::new(
            Kind::Credentials,
            format!("There is no profile '{name}' for Rackspace{by}"),
        )
        .cause(format!(
            "config.toml has no [profile.{name}.rackspace], and {place}"
        ))
        .absence_if(is_asked)
        .hint("clouds.yaml is looked for here, in ~/.config/openstack and in /etc/openstack")
    };
    in_clouds(sources, by, move |clouds| clouds.named(name), lost)
}

fn sole_cloud(sources: &Sources) -> Place<'_> {
    let lost = |clouds: Option<Clouds>| clouds.map_or_else(missing, |clouds| clouds.none_chosen());
    let by = Origin::Rule("the only one");
    in_clouds(sources, by, Clouds::rackspaces, lost)
}

/// A cloud of `clouds.yaml`. Where it is not there, the place is what has chosen it, and its error is `lost`.
fn in_clouds<'s>(
    sources: &'s Sources,
    by: Origin,
    pick: impl Fn(&Clouds) -> Option<Cloud<'_>> + 's,
    lost: impl FnOnce(Option<Clouds>) -> Error + 's,
) -> Place<'s> {
    let clouds = match Clouds::find(sources) {
        Ok(clouds) => clouds,
        Err(error) => return Place::broken(by, error),
    };
    let (origin, who) = match clouds.as_ref().and_then(&pick) {
        Some(cloud) => (cloud.origin.clone(), cloud.user()),
        None => (by, None),
    };
    Place::new(origin, who, move || {
        if let Some(clouds) = &clouds {
            clouds.warn_if_open();
            if let Some(cloud) = pick(clouds) {
                return cloud.found(sources);
            }
        }
        Err(lost(clouds))
    })
}

/// Says so where `OS_CLOUD` names a cloud and the credentials are from a place before it.
pub(super) fn warn_of_unused_cloud(sources: &Sources, used: &Origin) {
    let is_cloud = matches!(used, Origin::Entry { .. });
    if let Some(cloud) = cloud_variable(sources)
        && !is_cloud
        && !sources.is_profile_explicit()
    {
        tracing::warn!(
            "OS_CLOUD is not used: the credentials from {used} come first (--profile {} asks for the cloud)",
            clean(cloud)
        );
    }
}

/// What to set, where nothing is.
pub(super) fn missing() -> Error {
    no_credentials(
        "Rackspace",
        &[
            "set RAX_USERNAME and RAX_API_KEY, or OS_USERNAME and OS_PASSWORD, or AUTH_TOKEN and API_ENDPOINT",
            "or write ~/.rackspace_cloud_credentials, a clouds.yaml, or a [profile.NAME.rackspace] in config.toml",
        ],
    )
}

pub(super) fn half(has: &str, lacks: &str, origin: impl Display) -> Error {
    Error::new(
        Kind::Credentials,
        format!("Half of the credentials for Rackspace is missing: {lacks}"),
    )
    .cause(format!("{has} is set in {origin}, {lacks} is not"))
    .hint("set both in the same place, or neither")
}

fn of_profile(profile: Profile, origin: Origin) -> Result<Found> {
    let secret = |what, value: &Option<_>, command: &Option<Vec<String>>| {
        profile_secret(what, value.as_ref(), command.as_deref())
    };
    let key = secret("api_key", &profile.api_key, &profile.api_key_command)?;
    let password = secret("password", &profile.password, &profile.password_command)?;
    let proof = match (key, password) {
        (Some(_), Some(_)) => {
            return Err(Error::usage(format!(
                "The profile {origin} has both an API key and a password; keep one"
            )));
        }
        (Some(key), None) => Some(Proof::ApiKey(key)),
        (None, password) => password.map(Proof::Password),
    };
    let (user, proof) = match (profile.username, proof) {
        (Some(user), Some(proof)) => (user, proof),
        (Some(_), None) => return Err(half("username", "api_key or password", &origin)),
        (None, _) => return Err(half("the profile", "username", &origin)),
    };
    let own = |text: Option<String>| Some((text?, origin.clone()));
    let (auth_url, region) = (own(profile.auth_url), own(profile.region));
    Ok(Found {
        auth_url,
        region,
        ..Found::new(Access::Login(Login::of(user, proof)), origin)
    })
}

/// The clouds of `clouds.yaml`.
pub(super) fn profiles(sources: &Sources) -> Vec<String> {
    let clouds = Clouds::find(sources).ok().flatten();
    clouds.map_or_else(Vec::new, |clouds| {
        clouds.names().map(str::to_owned).collect()
    })
}

/// What stands on this machine: credentials in several places, files that others may read.
pub(super) fn survey(sources: &Sources) -> Vec<Check> {
    let advice = "remove what is not wanted, or choose with --profile NAME";
    let clouds = Clouds::find(sources).ok().flatten();
    let clouds = clouds.map_or_else(Vec::new, |clouds| clouds.secret_files);
    let files = pyrax::secret_file(sources).into_iter().chain(clouds);
    let files = check::files(&files.collect::<Vec<_>>());
    rivals(places(sources), advice)
        .into_iter()
        .chain([files])
        .collect()
}
