//! Bringing what an export made to this machine, and the proof that it is right.

mod beside;
mod device;
mod disk;
mod evidence;
mod file;
mod files;
mod follower;
mod hashing;
mod parts;
mod place;
mod qemu_img;
mod sparse;
mod staged;
mod stream;
mod sums;
mod transfer;
mod verify;
mod wish;

pub use self::device::to_device;
pub use self::evidence::{Evidence, FetchedFile, Origin, beside, put, sum_line, sync_folder};
pub use self::file::{not_ended, to_files};
pub use self::hashing::Hashing;
pub use self::place::{is_device, prepare};
pub use self::staged::Fetched;
pub use self::stream::to_stream;
pub use self::verify::{image, verify};
pub use self::wish::{About, Wish, is_packed};
