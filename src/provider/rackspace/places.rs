//! The places where credentials stand, in their order.

use std::path::PathBuf;

use super::clouds::{Cloud, Clouds};
use super::login::{Access, Found, Login, Place, Proof, half, missing};
use super::names::*;
use super::profile::{ID, Profile};
use super::variables::cloud_variable;
use super::{pyrax, rack, variables};
use crate::error::{Error, Kind, Result, shell_word};
use crate::provider::check::{self, Check};
use crate::secret::clean;
use crate::settings::{Origin, Sources, profile_secret};

/// Where users, keys and tokens stand, in the order in which they are used. What was asked for is not passed over.
pub(super) fn places(sources: &Sources) -> impl Iterator<Item = Place<'_>> {
    type Looks = &'static [fn(&Sources) -> Option<Place<'_>>];
    let (before, after): (Looks, Looks) = if sources.is_profile_explicit() {
        (&[chosen], &[of_variable])
    } else {
        (
            &[],
            &[of_variable, default_profile, pyrax::place, rack::place],
        )
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
    let own = default_profile(sources);
    let is_cloud = || {
        Clouds::find(sources)
            .is_ok_and(|clouds| clouds.is_some_and(|clouds| clouds.named(name).is_some()))
    };
    let of_rack = || rack::named(sources, name).filter(|_| !is_cloud());
    let cloud = || named_cloud(sources, name, Origin::Flag("--profile"));
    Some(own.or_else(of_rack).unwrap_or_else(cloud))
}

/// The chosen profile of config.toml; where none was asked for, that is the default one.
fn default_profile(sources: &Sources) -> Option<Place<'_>> {
    let name = &sources.profile.as_ref()?.name;
    Place::own(
        sources,
        name,
        ID.0,
        |own: &Profile| own.username.clone(),
        |own, origin| of_profile(sources, own, origin),
    )
}

/// The cloud that `OS_CLOUD` names.
fn of_variable(sources: &Sources) -> Option<Place<'_>> {
    let name = cloud_variable(sources)?;
    Some(named_cloud(sources, name, Origin::Variable(OS_CLOUD)))
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
        .hint("clouds.yaml is looked for here, in ~/.config/openstack and in /etc/openstack; profiles of rack in ~/.rack/config")
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
    pick: impl Fn(&Clouds) -> Option<Cloud> + 's,
    lost: impl FnOnce(Option<Clouds>) -> Error + 's,
) -> Place<'s> {
    let clouds = match Clouds::find(sources) {
        Ok(clouds) => clouds,
        Err(error) => return Place::broken(by, error),
    };
    let (origin, who) = match clouds.as_ref().and_then(&pick) {
        Some(cloud) => (cloud.origin.clone(), cloud.user(sources)),
        None => (by, None),
    };
    Place::new(origin, who, move || {
        if let Some(clouds) = &clouds {
            clouds.warn();
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
            shell_word(&clean(cloud))
        );
    }
}

fn of_profile(sources: &Sources, profile: Profile, origin: Origin) -> Result<Found> {
    let secret = |what, value: &Option<_>, command: &Option<Vec<String>>| {
        profile_secret(what, value.as_ref(), command.as_deref(), sources.deadline)
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
        interface: own(profile.interface),
        ..Found::new(Access::Login(Login::of(user, proof)), origin)
    })
}

/// The clouds of `clouds.yaml`, and the profiles of `rack`.
pub(super) fn profiles(sources: &Sources) -> Vec<String> {
    let clouds = Clouds::find(sources).ok().flatten();
    let clouds = clouds.iter().flat_map(Clouds::names).map(str::to_owned);
    let mut names: Vec<String> = clouds.chain(rack::names(sources)).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether credentials stand in several places.
pub(super) fn rivals(sources: &Sources) -> Option<Check> {
    let advice = "remove what is not wanted, or choose with --profile NAME";
    check::rivals(places(sources), advice)
}

/// Those of pyrax's file and of `clouds.yaml` and its companion in which secrets stand.
pub(super) fn secret_files(sources: &Sources) -> Vec<PathBuf> {
    let clouds = Clouds::find(sources).ok().flatten();
    let clouds = clouds.map_or_else(Vec::new, |clouds| clouds.secret_files);
    let others = [pyrax::secret_file(sources), rack::secret_file(sources)];
    others.into_iter().flatten().chain(clouds).collect()
}
