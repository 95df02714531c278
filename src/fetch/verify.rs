//! Whether a file is what was fetched, and whether that is an image as it must be. Nobody is asked over the network.

use std::fs::File;
use std::io;
use std::path::Path;

use super::evidence::{Evidence, FetchedFile};
use super::{Hashing, qemu_img};
use crate::error::{Error, Kind, Result};
use crate::image::{self, Check, Format, Structure};

/// The checks of a fetched file against its evidence: size, SHA-256, gzip, structure, and, if `is_deep`, what is on the disk.
pub fn verify(path: &Path, is_deep: bool) -> Result<Vec<Check>> {
    let unread = |error: io::Error| {
        let message = format!("{} cannot be read", path.display());
        Error::new(Kind::Internal, message).cause(error.to_string())
    };
    // Of a pipe, opening it would wait for a writer.
    let data = path.metadata().map_err(unread)?;
    if !data.is_file() {
        return Err(unread(io::Error::other("it is no regular file")));
    }
    let (_, fetched) = Evidence::of(path)?;
    let file = File::open(path).map_err(unread)?;
    checks(path, &file, &fetched, is_deep).map_err(unread)
}

fn checks(
    path: &Path,
    file: &File,
    fetched: &FetchedFile,
    is_deep: bool,
) -> io::Result<Vec<Check>> {
    let compared = |name, own: String, evidence: String| match own == evidence {
        true => Check::passed(name, own),
        false => Check::failed(name, format!("{own}, the evidence says {evidence}")),
    };
    let bytes = |size| format!("{size} bytes");
    let size = file.metadata()?.len();
    let mut checks = vec![compared("size", bytes(size), bytes(fetched.size_bytes))];
    let mut hashing = Hashing::new(file);
    let is_packed = is_packed(path);
    let gzip = match is_packed {
        true => Some(image::gunzip(&mut hashing)?),
        false => None,
    };
    let evidence = fetched.sha256.to_ascii_lowercase();
    checks.push(compared("sha256", hashing.finish()?, evidence));
    checks.extend(gzip);
    if is_packed {
        let why = "the image is packed; gunzip --keep unpacks it";
        checks.push(Check::not_possible("structure", why));
        return Ok(checks);
    }
    let format = fetched.format.as_deref();
    let structure = image(path, file, format)?;
    checks.extend(structure.checks);
    if let (Some(own), Some(evidence)) = (structure.virtual_size, fetched.virtual_size_bytes) {
        checks.push(compared("virtual size", bytes(own), bytes(evidence)));
    }
    if is_deep && let Some(format) = known(file, format)? {
        let inside = image::contents(file, format)?;
        // Of a raw image the partition table was looked at already, less closely.
        checks.retain(|check| inside.iter().all(|other| other.name != check.name));
        checks.extend(inside);
    }
    Ok(checks)
}

/// The checks of an image by itself: its structure, and what `qemu-img` says of it. `format` is its name in the evidence.
pub fn image(path: &Path, file: &File, format: Option<&str>) -> io::Result<Structure> {
    let Some(format) = known(file, format)? else {
        let why = format!("the structure of {} is not known", format.unwrap_or("it"));
        return Ok(Structure {
            virtual_size: None,
            checks: vec![Check::not_possible("structure", why)],
        });
    };
    let mut structure = image::structure(file, format)?;
    structure
        .checks
        .push(if structure.checks.iter().any(Check::is_failure) {
            Check::not_possible("qemu-img check", "the structure is wrong")
        } else {
            qemu_img::check(path, format)
        });
    Ok(structure)
}

/// The format by its name, or else by what the file looks like; `None` for a name that is not known.
fn known(file: &File, name: Option<&str>) -> io::Result<Option<Format>> {
    match name {
        Some(name) => Ok(Format::named(name)),
        None => Format::of(file).map(Some),
    }
}

/// Whether the name says that it is a gzip file.
fn is_packed(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("gz"))
}
