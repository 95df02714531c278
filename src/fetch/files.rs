//! The files that a fetch leaves and uses on its way, and the room for them.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::evidence::beside;
use super::parts::Ledger;
use super::place::{must_fit, taken};
use super::wish::{Wish, is_packed};
use crate::error::{Error, Kind, Result};
use crate::provider::{Image, Object};

/// The files of one disk.
pub(super) struct Files {
    /// The file that is wanted.
    pub(super) name: PathBuf,
    /// The object's bytes on their way.
    pub(super) partial: PathBuf,
    /// Their journal.
    pub(super) ledger: PathBuf,
    /// What is unpacked on its way, if it is.
    pub(super) unpacked: Option<PathBuf>,
}

impl Files {
    pub(super) fn of(object: &Object, wish: &Wish) -> Self {
        // What a cloud calls it is a name here, and no way to elsewhere.
        let own = Path::new(&object.name).file_name();
        let own = Path::new(own.unwrap_or(OsStr::new("image")));
        let stem = match is_packed(object) && wish.unpack {
            true => own.with_extension(""),
            false => own.to_owned(),
        };
        let name = match &wish.to {
            Some(folder) if folder.is_dir() => folder.join(stem),
            Some(file) => file.clone(),
            None => stem,
        };
        let keeps = name.extension() == Some(OsStr::new("gz")) && !wish.unpack;
        let unpacks = is_packed(object) && !keeps;
        Files {
            partial: beside(&name, ".partial"),
            ledger: beside(&name, ".partial.parts"),
            unpacked: unpacks.then(|| beside(&name, ".partial.unpacked")),
            name,
        }
    }

    /// Keeps others from this place, as long as the journal is open.
    pub(super) fn hold(&self) -> Result<Ledger> {
        let ledger = Ledger::open(&self.ledger);
        let ledger = ledger.map_err(|error| unwritten(&self.ledger, &error))?;
        ledger.ok_or_else(|| {
            let sentence = format!("Another process is fetching to {}", self.name.display());
            Error::new(Kind::Conflict, sentence)
        })
    }

    /// The file in which the image is before it has its name.
    pub(super) fn image(&self) -> &Path {
        self.unpacked.as_deref().unwrap_or(&self.partial)
    }

    /// What is not right: it never gets its name.
    pub(super) fn put_aside(&self) -> io::Result<PathBuf> {
        let bad = beside(&self.name, ".bad");
        std::fs::rename(self.image(), &bad)?;
        self.remove();
        Ok(bad)
    }

    pub(super) fn remove(&self) {
        for path in [
            Some(&self.partial),
            Some(&self.ledger),
            self.unpacked.as_ref(),
        ] {
            // What stays takes room and is overwritten by the next fetch.
            let _ = path.map(std::fs::remove_file);
        }
    }
}

/// What is stored must fit, and beside it what is unpacked of it, as far as somebody says how large that is. What is here of
/// both has its room. `true`: only what is unpacked fits, without the packed bytes.
pub(super) fn check_room(image: &Image, all: &[Files]) -> Result<bool> {
    let folder = all.first().and_then(|files| files.name.parent());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Of a pipe, opening it would wait for a writer.
    let here = |path: &Path| match path.is_file() {
        true => File::open(path).map_or(0, |file| taken(&file)),
        false => 0,
    };
    let (mut stored, mut unpacked) = (0_u64, 0_u64);
    let mut is_told = true;
    for (object, files) in image.disks.iter().zip(all) {
        let left = object.size.saturating_sub(here(&files.partial));
        stored = stored.saturating_add(left);
        match (&files.unpacked, object.disk_size) {
            (Some(path), Some(size)) => {
                unpacked = unpacked.saturating_add(size.saturating_sub(here(path)));
            }
            _ => is_told = false,
        }
    }
    match must_fit(&image.name, stored.saturating_add(unpacked), folder) {
        Ok(()) => Ok(false),
        Err(_) if is_told && must_fit(&image.name, unpacked, folder).is_ok() => Ok(true),
        Err(error) if unpacked > 0 => {
            Err(error.hint("kept packed it needs less: --to a name that ends in .gz"))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn interruption() -> Error {
    Error::new(Kind::Interrupted, "The fetch was interrupted")
}

pub(super) fn unwritten(what: &Path, error: &io::Error) -> Error {
    let sentence = format!("{} cannot be written", what.display());
    let unwritten = Error::new(Kind::Internal, sentence).cause(error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            unwritten.hint("make room; the same command goes on where it stopped")
        }
        io::ErrorKind::ResourceBusy => {
            unwritten.hint("it is in use: unmount what is on it, and end what has it open")
        }
        _ => unwritten,
    }
}

/// For reading and writing; what is there stays.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    crate::settings::private_file::open_own(&mut options, path)
}
