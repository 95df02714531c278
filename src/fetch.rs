//! Bringing what an export made to this machine, and the proof that it is right.

mod evidence;

pub use self::evidence::{Evidence, FetchedFile, Origin, beside, put, sum_line, sync_folder};
