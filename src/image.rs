//! Disk images: what a file is, and whether it is whole. Files are read, nothing else is.

mod check;

pub use self::check::{Check, Outcome};
