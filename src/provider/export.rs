//! A cloud's own arguments of `export`.

use clap::{ArgMatches, Args, Command};
use serde_json::{Map, Value};

use crate::task::{ExportRequest, Target};

/// What was typed after `export CLOUD`, in the domain's words.
#[derive(Clone, Debug)]
pub struct Typed {
    /// What to export: ids, names, or `-` for those on standard input.
    pub snapshots: Vec<String>,
    /// Spells one of them as the cloud does.
    pub spell: fn(String) -> String,
    /// Where to.
    pub target: Target,
    /// See [`ExportRequest::extras`].
    pub extras: Map<String, Value>,
    /// The profile whose keys open the target, where that is in another account.
    pub target_profile: Option<String>,
}

impl Typed {
    /// Nothing but what and where to.
    pub fn new(snapshots: Vec<String>, target: Target) -> Self {
        Typed {
            snapshots,
            spell: |snapshot| snapshot,
            target,
            extras: Map::new(),
            target_profile: None,
        }
    }

    /// The request for one of the snapshots.
    pub fn request(&self, snapshot: String) -> ExportRequest {
        ExportRequest {
            snapshot: (self.spell)(snapshot),
            target: self.target.clone(),
            extras: self.extras.clone(),
        }
    }
}

/// A cloud's arguments, and how they are understood.
pub struct ExportArguments {
    /// Adds them to a command, with the line that says what the cloud exports and its examples.
    pub augment: fn(Command) -> Command,
    /// What was typed.
    pub read: fn(&ArgMatches) -> Result<Typed, clap::Error>,
}

impl ExportArguments {
    /// Of this type: its doc comment is the line about the command, its fields are the arguments. The value of what is
    /// exported is called `SNAPSHOT` or `IMAGE`, of a profile's option `…_profile`: by these names they are completed.
    pub const fn of<A: Args + Into<Typed>>() -> Self {
        ExportArguments {
            augment: A::augment_args,
            read: |matches| A::from_arg_matches(matches).map(Into::into),
        }
    }
}
