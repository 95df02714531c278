//! The places where credentials stand, in their order.

use std::path::PathBuf;

use super::credentials::Section;
use super::names::*;
use super::osc_file::OscFile;
use super::profile::{ID, Profile};
use crate::error::{Error, Kind};
use crate::provider::absence::no_credentials;
use crate::provider::check::{self, Check};
use crate::provider::place;
use crate::secret::clean;
use crate::settings::{Origin, Sources, warn_if_open};

/// Keys of the environment.
pub(super) const ENVIRONMENT: Origin = Origin::Pair(OSC_ACCESS_KEY, OSC_SECRET_KEY);

pub(super) type Place<'s> = place::Place<'s, Section>;

/// Where keys stand, in the order in which they are used. What was asked for is not passed over.
pub(super) fn places(sources: &Sources) -> impl Iterator<Item = Place<'_>> {
    let order: &[fn(&Sources) -> Option<Place<'_>>] = if sources.is_profile_explicit() {
        &[chosen, environment]
    } else {
        &[environment, of_variable, default_profile, usual]
    };
    order.iter().filter_map(|look| look(sources))
}

/// The profile that was asked for.
fn chosen(sources: &Sources) -> Option<Place<'_>> {
    let choice = sources.profile.as_ref()?;
    Some(named(sources, &choice.name))
}

/// The profile of this name: ours, else the one of osc's file.
pub(super) fn named<'s>(sources: &'s Sources, name: &'s str) -> Place<'s> {
    own(sources, name).unwrap_or_else(|| in_file(sources, name, Origin::Flag("--profile")))
}

fn environment(sources: &Sources) -> Option<Place<'_>> {
    let section = Section::of_environment(sources)?;
    let who = section.access_key.clone();
    let origin = Origin::Variable(OSC_ACCESS_KEY);
    Some(Place::new(origin, who, || Ok(section)))
}

/// The profile of osc's file that `OSC_PROFILE` names.
fn of_variable(sources: &Sources) -> Option<Place<'_>> {
    let name = sources.var(OSC_PROFILE)?;
    let by = Origin::Assignment(OSC_PROFILE, name.to_owned());
    Some(in_file(sources, name, by))
}

/// The default profile of config.toml.
fn default_profile(sources: &Sources) -> Option<Place<'_>> {
    own(sources, &sources.profile.as_ref()?.name)
}

/// The profile of osc's file that is used where nothing names one.
fn usual(sources: &Sources) -> Option<Place<'_>> {
    if sources.var(OSC_PROFILE).is_some() {
        return None;
    }
    let (path, file) = OscFile::find(sources)?;
    // A file without any key is no place.
    let section = match file {
        Ok(file) => match file.usual() {
            Some(section) => Ok(section),
            None => Err(file.none_chosen()?),
        },
        Err(error) => Err(error),
    };
    let (origin, who) = match &section {
        Ok(section) => (section.origin.clone(), section.access_key.clone()),
        Err(_) => (Origin::File(path.clone()), None),
    };
    Some(Place::new(origin, who, move || {
        warn_if_open(&path);
        section
    }))
}

fn own<'s>(sources: &Sources, name: &str) -> Option<Place<'s>> {
    let who = |profile: &Profile| profile.access_key.clone();
    Place::own(sources, name, ID.0, who, |profile, origin| {
        Ok(Section::of_profile(profile, origin))
    })
}

/// A profile of osc's file. Where it has none of the name, the place is what has named it.
fn in_file<'s>(sources: &'s Sources, name: &'s str, by: Origin) -> Place<'s> {
    let (path, file) = OscFile::find(sources).unzip();
    let file = file.transpose();
    let there = file.as_ref().ok().and_then(Option::as_ref);
    let section = there.and_then(|file| file.section(name));
    let (origin, who) = match &section {
        Some(section) => (section.origin.clone(), section.access_key.clone()),
        // A name that leads nowhere misleads other tools all the same.
        None => (by.clone(), Some("which names no profile".to_owned())),
    };
    Place::new(origin, who, move || {
        if let Some(path) = &path {
            warn_if_open(path);
        }
        let meant = file?.and_then(|file| file.meant(name));
        let shown = path.map(|path| path.display().to_string());
        let shown = shown.unwrap_or_else(|| CONFIG_FILE.to_owned());
        section.ok_or_else(|| lost(&clean(name), &by, &shown).hints(meant))
    })
}

fn lost(name: &str, by: &Origin, file: &str) -> Error {
    let error = |sentence| Error::new(Kind::Credentials, sentence);
    match by {
        Origin::Assignment(variable, _) => error(format!(
            "There is no profile '{name}' ({variable}) in {file}"
        )),
        // The option is about all clouds, so that a cloud may well have none of the name.
        _ => error(format!(
            "There is no profile '{name}' for OUTSCALE: neither [profile.{name}.outscale] in config.toml nor '{name}' in {file}"
        ))
        .absence(),
    }
}

/// What makes a key, for who has none.
pub(super) const MAKE_A_KEY: &str =
    "make an access key, in Cockpit or with the call CreateAccessKey, and put it there";

/// What to set, where nothing is. What looks like credentials and is none is named.
pub(super) fn missing(sources: &Sources) -> Error {
    const SET: &str = "set OSC_ACCESS_KEY and OSC_SECRET_KEY (and OSC_REGION), or name a profile of config.toml or ~/.osc/config.json with --profile";
    let mut ways = former_names(sources);
    if let Some((path, Ok(file))) = OscFile::find(sources)
        && file.names().next().is_some()
    {
        let path = path.display();
        ways.push(format!("no profile of {path} has a key: {MAKE_A_KEY}"));
    }
    ways.push(SET.to_owned());
    no_credentials("OUTSCALE", &ways)
}

/// A sentence for each variable that was renamed and whose new name is not set.
pub(super) fn former_names(sources: &Sources) -> Vec<String> {
    let forgotten = FORMER
        .iter()
        .filter(|(former, now)| sources.var(former).is_some() && sources.var(now).is_none());
    forgotten
        .map(|(former, now)| format!("{former} is not used: its name is {now} now"))
        .collect()
}

/// The region that a profile with the same access key names: ours, else of osc's file.
pub(super) fn region_of_twin(sources: &Sources, access_key: &str) -> Option<(String, Origin)> {
    let own = sources.config.profiles.iter().find_map(|(name, profile)| {
        let own: Profile = profile.section(ID.0)?.read().ok()?;
        let is_same = own.access_key.as_deref() == Some(access_key);
        let origin = Origin::Section {
            profile: name.clone(),
            cloud: ID.0,
        };
        Some((own.region.filter(|_| is_same)?, origin))
    });
    own.or_else(|| OscFile::find(sources)?.1.ok()?.region_of(access_key))
}

/// The profiles of osc's file.
pub(super) fn profiles(sources: &Sources) -> Vec<String> {
    let file = OscFile::find(sources).and_then(|(_, file)| file.ok());
    file.map_or_else(Vec::new, |file| file.names().map(str::to_owned).collect())
}

/// Whether credentials stand in several places.
pub(super) fn rivals(sources: &Sources) -> Option<Check> {
    let advice = "other tools may use the other: osc-cli reads only the file, the Python SDK prefers it; --profile NAME chooses here";
    let rivals = check::rivals(places(sources), advice);
    let names = former_names(sources);
    if names.is_empty() {
        return rivals;
    }
    let others = rivals.as_ref().map(|check| check.message.clone());
    let message = others.into_iter().chain(names).collect::<Vec<_>>();
    let hint = rivals.and_then(|check| check.hint);
    Some(Check {
        hint,
        ..Check::warning("sources", message.join("; "))
    })
}

/// The file that OUTSCALE's tools keep keys in.
pub(super) fn secret_files(sources: &Sources) -> Vec<PathBuf> {
    OscFile::path(sources).into_iter().collect()
}
