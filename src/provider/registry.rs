//! Every cloud there is.

use std::sync::OnceLock;

use url::Url;

use super::entry::{Configured, Entry};
use super::forms::Goal;
use super::{lightsail, outscale, rackspace};
use crate::error::{Error, Result};
use crate::secret::clean;
use crate::settings::{Config, Section};
use crate::suggest;
use crate::task::{ProviderId, Task};

static CLOUDS: [Entry; 3] = [outscale::ENTRY, lightsail::ENTRY, rackspace::ENTRY];

/// See [`register`].
static ADDED: OnceLock<Entry> = OnceLock::new();

/// Every cloud, in the order in which people are told of them.
pub fn clouds() -> impl Iterator<Item = &'static Entry> {
    CLOUDS.iter().chain(ADDED.get())
}

/// Adds a cloud for as long as the process lives; for tests, which hold by it that nothing else names the clouds.
pub fn register(entry: Entry) {
    // A second one is not needed.
    let _ = ADDED.set(entry);
}

/// The words for the clouds.
pub fn names() -> Vec<&'static str> {
    clouds().map(|entry| entry.id.0).collect()
}

/// The registry's entry of this name.
pub fn by_name(name: &str) -> Result<&'static Entry> {
    clouds().find(|entry| entry.id.0 == name).ok_or_else(|| {
        Error::usage(format!("There is no provider '{}'", clean(name)))
            .hints(suggest::hint(name, names()))
            .hint(format!("the providers are: {}", names().join(", ")))
    })
}

fn by_id(id: ProviderId) -> Option<&'static Entry> {
    clouds().find(|entry| entry.id == id)
}

/// What the clouds read in their sections of all profiles. A mistake is a `usage` error that names the line.
pub fn read_sections(config: &Config) -> Result<Vec<Configured>> {
    let read = |(cloud, section): (&str, &Section)| match by_name(cloud) {
        Ok(entry) => (entry.section)(section),
        Err(_) => Err(section.unknown(&names())),
    };
    config.sections().map(read).collect()
}

/// Where the provider's console shows what the task made, or else the console itself; only addresses that are known to be right.
pub(crate) fn console_url(task: &Task) -> Option<Url> {
    (by_id(task.provider)?.console)(task)
}

/// Where the task's export goes, as its cloud says it.
pub(crate) fn goal(task: &Task) -> Option<Goal> {
    (by_id(task.provider)?.forms.goal)(task.target.as_ref()?)
}
