//! `~/.rack/config`, of Rackspace's own `rack`: an INI file whose profiles are sections; what stands before the first is used
//! without a name.

use std::path::PathBuf;

use super::login::{Access, Found, Login, Place, Proof, half};
use super::names::{RACK_FILE, RS_REGION_NAME};
use super::pyrax::{heading, member, unreadable};
use super::{openrc, variables};
use crate::secret::Secret;
use crate::settings::{Origin, Sources, text, warn_if_open};

/// What is used without a name.
pub(super) fn place(sources: &Sources) -> Option<Place<'_>> {
    of_section(sources, "")
}

/// The profile of this name, where it names a user.
pub(super) fn named<'s>(sources: &'s Sources, name: &str) -> Option<Place<'s>> {
    of_section(sources, name)
}

fn of_section<'s>(sources: &'s Sources, section: &str) -> Option<Place<'s>> {
    let path = sources.usual_file(RACK_FILE)?;
    let origin = match section {
        "" => Origin::File(path.clone()),
        name => Origin::entry("profile", name, &path),
    };
    let text = match text::read_file(&path) {
        Ok(text) => text?,
        Err(why) => return Some(Place::broken(origin, unreadable(&path, why))),
    };
    let user = member(&text, section, "username")?;
    let section = section.to_owned();
    Some(Place::new(origin.clone(), Some(user.clone()), move || {
        warn_if_open(&path);
        let said = |name| Some((member(&text, &section, name)?, origin.clone()));
        let Some((key, _)) = said("api-key") else {
            return Err(half("username", "api-key", &origin));
        };
        let login = Login::of(user, Proof::ApiKey(Secret::new(key)));
        Ok(Found {
            region: said("region")
                .or_else(|| variables::region(&openrc::apart(sources), RS_REGION_NAME)),
            auth_url: said("auth-url"),
            ..Found::new(Access::Login(login), origin.clone())
        })
    }))
}

/// The names of its profiles.
pub(super) fn names(sources: &Sources) -> Vec<String> {
    let path = sources.usual_file(RACK_FILE);
    let text = path.and_then(|path| text::read_file(&path).ok()?);
    let text = text.unwrap_or_default();
    let headings = text.lines().filter_map(|line| heading(text::trimmed(line)));
    let named = headings.filter(|name| !name.is_empty() && *name != "DEFAULT");
    named.map(str::to_owned).collect()
}

/// The file, if there is a secret in it.
pub(super) fn secret_file(sources: &Sources) -> Option<PathBuf> {
    let path = sources.usual_file(RACK_FILE)?;
    let text = text::read_file(&path).ok()??;
    text.contains("api-key").then_some(path)
}
