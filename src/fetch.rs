//! Bringing what an export made to this machine, and the proof that it is right.

mod evidence;
mod hashing;
mod qemu_img;
mod verify;

pub use self::evidence::{Evidence, FetchedFile, Origin, beside, put, sum_line, sync_folder};
pub use self::hashing::Hashing;
pub use self::verify::{image, verify};
