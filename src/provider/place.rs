//! Where credentials stand: the rows of each cloud's table of places.

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::settings::{Origin, Sources};

/// The names of the variables that a cloud reads: a constant for each, and all of them in one list.
macro_rules! variables {
    ($($name:ident)*) => {
        $(pub(super) const $name: &str = stringify!($name);)*
        /// Every variable that is read for this cloud, here or by the libraries that reach it.
        pub(super) const VARIABLES: &[&str] = &[$($name),*];
    };
}
pub(crate) use variables;

/// A place where credentials of one cloud stand.
///
/// A cloud lists its places in the order in which they are used: the first is connected with, all of them are rivals.
pub(crate) struct Place<'s, T> {
    /// Where it is; of several variables, the one that tells who.
    pub origin: Origin,
    /// Whom it speaks for: a key id or a user, never a secret. `None` where that cannot be told.
    pub who: Option<String>,
    load: Box<dyn FnOnce() -> Result<T> + 's>,
}

impl<'s, T: 's> Place<'s, T> {
    /// A place that has something. `load` may run commands and warn, and says what is wrong with what stands there.
    pub(crate) fn new(
        origin: Origin,
        who: Option<String>,
        load: impl FnOnce() -> Result<T> + 's,
    ) -> Self {
        Place {
            origin,
            who,
            load: Box::new(load),
        }
    }

    /// A place that gives nothing but this error.
    pub(crate) fn broken(origin: Origin, error: Error) -> Self {
        Place::new(origin, None, || Err(error))
    }

    /// The section for a cloud in a profile of config.toml, if there is one; `who` and `load` get it in the cloud's form.
    pub(crate) fn own<P: DeserializeOwned + 's>(
        sources: &Sources,
        profile: &str,
        cloud: &'static str,
        who: fn(&P) -> Option<String>,
        load: impl FnOnce(P, Origin) -> Result<T> + 's,
    ) -> Option<Self> {
        let section = sources.config.profiles.get(profile)?.section(cloud)?;
        let origin = Origin::Section {
            profile: profile.to_owned(),
            cloud,
        };
        let read = section.check().and_then(|()| section.read::<P>());
        Some(match read {
            Ok(own) => {
                let place = origin.clone();
                Place::new(origin, who(&own), move || load(own, place))
            }
            Err(error) => Place::broken(origin, error),
        })
    }

    /// What is there to connect with.
    pub(crate) fn load(self) -> Result<T> {
        (self.load)()
    }
}
