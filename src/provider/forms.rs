//! A cloud's own types for what JSON shows of its exports, and what the rest of the program learns through them.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::task::{ArtifactKind, Target, Task};

#[cfg(feature = "schema")]
pub use schemars::JsonSchema as Schematic;
/// What has a JSON Schema, where schemas are made.
#[cfg(not(feature = "schema"))]
pub trait Schematic {}
#[cfg(not(feature = "schema"))]
impl<T> Schematic for T {}

/// A cloud's own type for [`Target`]: an enum of its kinds. Displayed as tables show it.
pub trait Destination: fmt::Display + Serialize + DeserializeOwned + Schematic {
    /// The bucket, the container, or what else the cloud calls the place that a person names; `None` where there is none.
    fn place(&self) -> Option<&str>;
}

/// Where an export goes, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// As tables show it.
    pub words: String,
    /// See [`Destination::place`].
    pub place: Option<String>,
}

/// What can be asked of a cloud's own types without knowing them.
pub struct Forms {
    /// A target in words; `None` for one that is not this cloud's.
    pub goal: fn(&Target) -> Option<Goal>,
    is_made: fn(&ArtifactKind) -> bool,
    /// JSON Schema of the targets, and of the kinds of artifacts.
    #[cfg(feature = "schema")]
    pub schemas: fn(&mut schemars::SchemaGenerator) -> [schemars::Schema; 2],
}

impl Forms {
    /// Of these types: `T` for targets, `A` for kinds of artifacts.
    pub const fn of<T: Destination, A: DeserializeOwned + Schematic>() -> Self {
        Forms {
            goal: |target| {
                let own: T = target.read()?;
                Some(Goal {
                    words: own.to_string(),
                    place: own.place().map(str::to_owned),
                })
            },
            is_made: |kind| kind.read::<A>().is_some(),
            #[cfg(feature = "schema")]
            schemas: |generator| [T::json_schema(generator), A::json_schema(generator)],
        }
    }

    /// Whether the cloud can read what a task says of its target and its artifact.
    pub fn fit(&self, task: &Task) -> bool {
        let has_goal = |target| (self.goal)(target).is_some();
        task.target.as_ref().is_none_or(has_goal)
            && task
                .artifact
                .as_ref()
                .is_none_or(|artifact| (self.is_made)(&artifact.kind))
    }
}
