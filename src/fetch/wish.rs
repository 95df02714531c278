//! What is fetched, and how it is wanted.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::provider::Object;
use crate::task::{ProviderId, TaskId};

/// What an object is of.
pub struct About {
    /// The cloud.
    pub provider: ProviderId,
    /// Its region.
    pub region: String,
    /// The account, as far as it is known.
    pub account: Option<String>,
    /// The export that made it.
    pub task_id: Option<TaskId>,
    /// What was exported.
    pub snapshot: Option<String>,
}

/// How it is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// A file or a folder; `None` for the object's own name here.
    pub to: Option<PathBuf>,
    /// Unpack it, whatever its name.
    pub unpack: bool,
    /// Keep what is packed without looking whether it unpacks.
    pub no_inflate: bool,
    /// Requests at once; `None` for as many as pay.
    pub parallel: Option<usize>,
    /// Overwrite what was not fetched.
    pub force: bool,
}

/// Whether what is stored is packed.
pub fn is_packed(object: &Object) -> bool {
    Path::new(&object.name).extension() == Some(OsStr::new("gz"))
}
