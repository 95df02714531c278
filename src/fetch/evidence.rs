//! The evidence of a fetch: `NAME.export.json` and `NAME.sha256` beside the image `NAME`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Error, Kind, Result};
use crate::image::Check;
use crate::task::{SCHEMA, TaskId};

/// Behind the image's name: the evidence.
const OBJECT: &str = ".export.json";
/// Behind the image's name: what `sha256sum -c` takes.
const SUMS: &str = ".sha256";
/// Nothing that we wrote is larger.
const LONGEST: u64 = 16 << 20;

/// What was fetched, from where, and how it was verified: the line of `fetch -o json`, and `NAME.export.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// The cloud that it came from, by its word on the command line.
    pub provider: String,
    /// The cloud's region.
    pub region: String,
    /// The account; null where it is not known.
    pub account: Option<String>,
    /// The provider's id of the export; null where an image was fetched without one.
    pub task_id: Option<TaskId>,
    /// The snapshot or image; null where the provider does not say.
    pub snapshot: Option<String>,
    /// What was read.
    pub source: Origin,
    /// The files that were written.
    pub files: Vec<FetchedFile>,
    /// What was verified, and what could not be.
    pub checks: Vec<Check>,
    /// When the fetch began.
    pub started_at: Timestamp,
    /// When everything was verified.
    pub finished_at: Timestamp,
    /// The provider's ids of the requests.
    pub request_ids: Vec<String>,
    /// The version of snapexport.
    pub version: String,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    /// Where it lies, as a task's `artifact.uri` says it.
    pub uri: String,
    /// Its ETag, as the store gave it.
    pub etag: Option<String>,
    /// Its size as stored.
    pub size_bytes: Option<u64>,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FetchedFile {
    /// Where it was written. Only its name counts once files are moved.
    #[serde(serialize_with = "lossy")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: PathBuf,
    /// The device it was, such as `/dev/sda1`; null where there is but one.
    pub device: Option<String>,
    /// `qcow2`, `raw`, `vhd`, …; null where it is not known. Of a packed file, what is in it.
    pub format: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// The size of the disk in it; null where it is not known.
    pub virtual_size_bytes: Option<u64>,
    /// Its SHA-256, in small hexadecimal digits.
    pub sha256: String,
}

/// A name that is no text has to be shown as some.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl FetchedFile {
    /// Whether it was written under this name, in whatever folder.
    fn is_named(&self, name: &OsStr) -> bool {
        let own = self.path.file_name().map(OsStr::to_string_lossy);
        own.is_some_and(|own| own == name.to_string_lossy())
    }
}

impl Evidence {
    /// Writes `NAME.sha256` and `NAME.export.json` beside `name`, each whole and synced. To be called before the image gets
    /// its name: a power cut must not leave one without evidence.
    pub fn write(&self, name: &Path) -> io::Result<()> {
        let sums = self.files.iter().filter_map(|file| {
            let name = file.path.file_name()?;
            Some(sum_line(&file.sha256, name))
        });
        put(&beside(name, SUMS), &sums.collect::<Vec<_>>().concat())?;
        let mut object = serde_json::to_vec_pretty(self)?;
        object.push(b'\n');
        put(&beside(name, OBJECT), &object)
    }

    /// What was verified of one of several disks; of the only one, all.
    pub(super) fn checks_of(&self, device: Option<&str>) -> Vec<Check> {
        let of = device.map(|device| format!("{device}: "));
        let is_of = |check: &&Check| of.as_ref().is_none_or(|of| check.name.starts_with(of));
        self.checks.iter().filter(is_of).cloned().collect()
    }

    /// What stands where the evidence of an image would, and is none: it is somebody else's.
    pub(super) fn foreign(image: &Path) -> Option<PathBuf> {
        let object = beside(image, OBJECT);
        if object.symlink_metadata().is_ok() && !matches!(read(&object), Ok(Some(_))) {
            return Some(object);
        }
        let sums = beside(image, SUMS);
        let data = sums.symlink_metadata().ok()?;
        let name = image.file_name()?.to_string_lossy();
        let is_sum = |text: String| text.lines().all(|line| line.contains(&*name));
        // Of a pipe, opening it would wait for a writer.
        let is_ours = data.is_file()
            && data.len() < LONGEST
            && std::fs::read_to_string(&sums).is_ok_and(is_sum);
        (!is_ours).then_some(sums)
    }

    /// The evidence of an image: its own, or that of several images among which it is.
    ///
    /// What is wrong with the evidence itself is an error of the kind `corrupt`; that there is none is one of `internal`.
    pub fn of(image: &Path) -> Result<(Evidence, FetchedFile)> {
        let own = beside(image, OBJECT);
        let Some(name) = image.file_name() else {
            return Err(Error::usage(format!("{} names no file", image.display())));
        };
        if let Some(evidence) = read(&own)? {
            let file = evidence.files.iter().find(|file| file.is_named(name));
            return match file.cloned() {
                Some(file) => Ok((evidence, file)),
                None => {
                    Err(unusable(&own).cause(format!("it does not tell of {}", image.display())))
                }
            };
        }
        let folder = own.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter();
        let others = entries.flatten().flatten().map(|entry| entry.path());
        let is_evidence = |path: &PathBuf| path.to_string_lossy().ends_with(OBJECT);
        for path in others.filter(is_evidence) {
            // One that cannot be read is somebody else's.
            let Ok(Some(evidence)) = read(&path) else {
                continue;
            };
            let is_it = |file: &&FetchedFile| file.is_named(name);
            if let Some(file) = evidence.files.iter().find(is_it).cloned() {
                return Ok((evidence, file));
            }
        }
        Err(Error::new(
            Kind::Internal,
            format!("{} has no evidence to verify it against", image.display()),
        )
        .cause(format!("there is no {}", own.display()))
        .hint("keep NAME.export.json, which fetch writes, beside the image"))
    }
}

/// The evidence in a file; `None` where there is no such file.
fn read(path: &Path) -> Result<Option<Evidence>> {
    // Of a pipe, opening it would wait for a writer.
    let opened = path.metadata().and_then(|data| match data.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("it is no regular file")),
    });
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(path, &error)),
    };
    let mut text = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut text);
    read.map_err(|error| unread(path, &error))?;
    let evidence: Evidence =
        serde_json::from_slice(&text).map_err(|error| unusable(path).cause(error.to_string()))?;
    match evidence.schema {
        SCHEMA => Ok(Some(evidence)),
        other => Err(unusable(path).cause(format!("its schema is {other}, not {SCHEMA}"))),
    }
}

fn unread(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Internal, format!("{} cannot be read", path.display()))
        .cause(error.to_string())
}

fn unusable(path: &Path) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("{} is no evidence of a fetch", path.display()),
    )
}

/// The path with more behind its name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A line of `sha256sum`, which its `-c` takes: a name with a backslash or a line end is escaped, and the line begins
/// with a backslash then.
pub fn sum_line(sha256: &str, name: &OsStr) -> Vec<u8> {
    let mut line = format!("{sha256}  ").into_bytes();
    let mut is_escaped = false;
    for byte in name.as_encoded_bytes() {
        let escape: Option<&[u8]> = match byte {
            b'\\' => Some(br"\\"),
            b'\n' => Some(br"\n"),
            b'\r' => Some(br"\r"),
            _ => None,
        };
        is_escaped |= escape.is_some();
        line.extend_from_slice(escape.unwrap_or(&[*byte]));
    }
    line.push(b'\n');
    if is_escaped {
        line.insert(0, b'\\');
    }
    line
}

/// Puts a file in place whole: written beside it, synced, renamed, and the folder synced.
pub fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    // What a killed process left, or somebody's link to elsewhere.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&new, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(path)
}

/// Syncs the folder that a file is in, so that its name outlasts a power cut.
#[cfg(unix)]
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
pub fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
