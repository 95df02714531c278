//! Bringing what an export made to this machine, and the proof that it is right.

mod disk;
mod evidence;
mod file;
mod follower;
mod hashing;
mod parts;
mod place;
mod qemu_img;
mod sparse;
mod stream;
mod transfer;
mod verify;

pub use self::evidence::{Evidence, FetchedFile, Origin, beside, put, sum_line, sync_folder};
pub use self::file::{About, Fetched, Wish, is_packed, not_ended, to_files};
pub use self::hashing::Hashing;
pub use self::stream::to_stream;
pub use self::verify::{image, verify};
