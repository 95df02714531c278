//! The INI files that pyrax introduced: `~/.rackspace_cloud_credentials`, and its own settings.

use std::path::{Path, PathBuf};

use super::login::{Access, Found, Login, Place, Proof, half};
use super::names::{CREDENTIALS_FILE, PYRAX_FILE, RAX_CREDENTIALS, RAX_CREDS_FILE, RAX_REGION};
use super::{openrc, variables};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Origin, Sources, text, warn_if_open};

/// The section with the credentials.
const SECTION: &str = "rackspace_cloud";

/// Names for the path of the credentials file.
const FILE_VARIABLES: [&str; 2] = [RAX_CREDS_FILE, RAX_CREDENTIALS];

fn path(sources: &Sources) -> Option<PathBuf> {
    let usual = || sources.usual_file(CREDENTIALS_FILE);
    sources.named_file(&FILE_VARIABLES).or_else(usual)
}

/// The credentials in it. One that is named but missing is an error, the usual one may be absent.
pub(super) fn place(sources: &Sources) -> Option<Place<'_>> {
    let path = path(sources)?;
    let origin = Origin::File(path.clone());
    let broken = |why: String| Some(Place::broken(origin.clone(), unreadable(&path, why)));
    let text = match text::read_file(&path) {
        Ok(Some(text)) => text,
        Ok(None) => {
            sources.named_file(&FILE_VARIABLES)?;
            return broken("it does not exist".to_owned());
        }
        Err(why) => return broken(why),
    };
    let user = member(&text, SECTION, "username");
    Some(Place::new(origin.clone(), user, move || {
        warn_if_open(&path);
        let login = login(&text, &path)?;
        // Variables come before pyrax's own settings.
        let region = variables::region(&openrc::apart(sources), RAX_REGION)
            .or_else(|| Some((member(&text, SECTION, "region")?, origin.clone())));
        let region = match region {
            Some(region) => Some(region),
            None => usual_region(sources)?,
        };
        Ok(Found {
            region,
            ..Found::new(Access::Login(login), origin)
        })
    }))
}

/// The file, if there is a secret in it.
pub(super) fn secret_file(sources: &Sources) -> Option<PathBuf> {
    let path = path(sources)?;
    let text = text::read_file(&path).ok()??;
    (text.contains("password") || text.contains("api_key")).then_some(path)
}

/// The region in pyrax's own settings, which go with its credentials file.
fn usual_region(sources: &Sources) -> Result<Option<(String, Origin)>> {
    let Some(path) = sources.usual_file(PYRAX_FILE) else {
        return Ok(None);
    };
    let text = text::read_file(&path).map_err(|why| unreadable(&path, why))?;
    let region = text.and_then(|text| member(&text, "settings", "region"));
    Ok(region.map(|region| (region, Origin::File(path))))
}

pub(super) fn unreadable(path: &Path, why: String) -> Error {
    let sentence = format!("The file {} cannot be read", path.display());
    Error::new(Kind::Credentials, sentence).cause(why)
}

/// The name of a section of an INI file, where the line begins one.
pub(super) fn heading(line: &str) -> Option<&str> {
    Some(line.strip_prefix('[')?.strip_suffix(']')?.trim())
}

/// A member of a section of an INI file that is not empty; of several the last. What stands before the first section is the
/// section without a name, and `[DEFAULT]` another way to write that.
pub(super) fn member(content: &str, section: &str, wanted: &str) -> Option<String> {
    let mut is_ours = section.is_empty();
    let members = content.lines().map(text::trimmed).filter_map(|line| {
        if let Some(heading) = heading(line) {
            is_ours = heading == section || (section.is_empty() && heading == "DEFAULT");
        }
        let (name, value) = line.split_once(['=', ':']).filter(|_| is_ours)?;
        let value = text::trimmed(value);
        (name.trim() == wanted && !value.is_empty()).then(|| value.to_owned())
    });
    members.last()
}

fn login(text: &str, path: &Path) -> Result<Login> {
    let secret = |name| member(text, SECTION, name).map(Secret::new);
    let key = secret("api_key").map(Proof::ApiKey);
    let proof = key.or_else(|| secret("password").map(Proof::Password));
    let origin = format!("[{SECTION}] of {}", path.display());
    match (member(text, SECTION, "username"), proof) {
        (Some(user), Some(proof)) => Ok(Login::of(user, proof)),
        (Some(_), None) => Err(half("username", "api_key or password", origin)),
        (None, Some(_)) => Err(half("the secret", "username", origin)),
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
