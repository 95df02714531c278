//! Where the sandbox's world lives: in memory, or in a file that several processes share.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::World;
use crate::error::{Error, Failure};

/// The world and its lock.
pub(crate) enum Store {
    /// Gone with the process.
    Memory(Mutex<Box<World>>),
    /// Read and written under an exclusive lock, a request at a time.
    File(PathBuf),
}

impl Store {
    /// Opens the store; a file's directory is made if need be.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Self, Error> {
        let Some(path) = file else {
            return Ok(Store::Memory(Mutex::default()));
        };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|error| failed(&path, &error))?;
        }
        Ok(Store::File(path))
    }

    /// Runs `f` on the world, alone.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> Result<T, Error> {
        match self {
            Store::Memory(world) => {
                Ok(f(&mut world.lock().unwrap_or_else(PoisonError::into_inner)))
            }
            Store::File(path) => with_file(path, f).map_err(|error| failed(path, &error)),
        }
    }
}

fn with_file<T>(path: &Path, f: impl FnOnce(&mut World) -> T) -> std::io::Result<T> {
    let mut file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    // Released when the file is closed, also by a crash.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    // A file that an older version or a crash left unreadable starts a new world: nothing real is in it.
    let mut world: World = serde_json::from_str(&text).unwrap_or_default();
    let result = f(&mut world);
    let new = serde_json::to_string(&world)?;
    if new != text {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(new.as_bytes())?;
        file.set_len(new.len() as u64)?;
    }
    Ok(result)
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Failure::State(path.to_owned()).because(error)
}
