//! An object into a file: found again after a kill, never under its name before it is right.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::disk::{Disk, into};
use super::evidence::{Evidence, FetchedFile, Origin, beside, sync_folder};
use super::follower::Found;
use super::parts::{self, Ledger};
use super::place::{room, taken};
use super::transfer::transfer;
use super::verify;
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::image::Check;
use crate::provider::Object;
use crate::task::{ProviderId, SCHEMA, TaskId};
use crate::text;

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
    /// Requests at once; `None` for as many as pay.
    pub parallel: Option<usize>,
    /// Overwrite what was not fetched.
    pub force: bool,
}

/// What came of it.
pub struct Fetched {
    /// Where it is.
    pub path: PathBuf,
    /// The proof.
    pub evidence: Evidence,
    /// It was there already.
    pub is_old: bool,
}

/// The files of a fetch.
struct Files {
    /// The file that is wanted.
    name: PathBuf,
    /// The object's bytes on their way.
    partial: PathBuf,
    /// Their journal.
    ledger: PathBuf,
    /// What is unpacked on its way, if it is.
    unpacked: Option<PathBuf>,
}

/// Whether what is stored is packed.
pub fn is_packed(object: &Object) -> bool {
    Path::new(&object.name).extension() == Some(OsStr::new("gz"))
}

impl Files {
    fn of(object: &Object, wish: &Wish) -> Self {
        let own = Path::new(&object.name);
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

    /// The file in which the image is before it has its name.
    fn image(&self) -> &Path {
        self.unpacked.as_deref().unwrap_or(&self.partial)
    }

    fn remove(&self) {
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

/// Fetches an object into a file. `progress` hears how many bytes of it are there.
pub async fn to_file(
    object: &Object,
    about: &About,
    wish: &Wish,
    interrupted: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<Fetched> {
    let started_at = Timestamp::now();
    let files = Files::of(object, wish);
    let cannot = |what: &Path, error: io::Error| unwritten(what, &error);
    if let Some(evidence) = there_already(object, &files, wish)? {
        return Ok(Fetched {
            path: files.name,
            evidence,
            is_old: true,
        });
    }
    let ledger = Ledger::open(&files.ledger).map_err(|error| cannot(&files.ledger, error))?;
    let Some(mut ledger) = ledger else {
        let sentence = format!("Another process is fetching to {}", files.name.display());
        return Err(Error::new(Kind::Conflict, sentence));
    };
    let data = open(&files.partial).map_err(|error| cannot(&files.partial, error))?;
    check_room(object, &files, &data)?;
    let done = ledger
        .recall(object, &data)
        .map_err(|error| cannot(&files.partial, error))?;
    let unpacked = files.unpacked.as_deref().map(open).transpose();
    let unpacked = unpacked.map_err(|error| cannot(files.image(), error))?;
    let out = is_packed(object).then(|| into(unpacked)).transpose();
    let out = out.map_err(|error| cannot(files.image(), error))?;
    let disk = Disk::start(object, &data, ledger, &done, out)
        .map_err(|error| cannot(&files.partial, error))?;
    let mut has: Vec<bool> = vec![false; parts::count(object.size) as usize];
    let mut came = 0;
    for one in &done {
        has[one.number as usize] = true;
        came += parts::bounds(one.number, object.size).1;
    }
    progress(came);
    let missing = (0..)
        .zip(&has)
        .filter(|(_, has)| !**has)
        .map(|(number, _)| number);
    let sent = tokio::select! {
        sent = transfer(object, missing, wish.parallel, &disk, |bytes| {
            came += bytes;
            progress(came);
        }) => sent,
        () = interrupted => Err(Error::new(Kind::Interrupted, "The fetch was interrupted")),
    };
    let found = disk
        .finish()
        .await
        .map_err(|error| cannot(&files.partial, error))?;
    sent?;
    let found = found.ok_or_else(|| {
        let sentence = format!("{} did not come whole", object.name);
        Error::new(Kind::Internal, sentence)
    })?;
    conclude(object, about, files, found, started_at)
}

/// The evidence of a file that was fetched before from the same object. One that is there and is something else is an error.
fn there_already(object: &Object, files: &Files, wish: &Wish) -> Result<Option<Evidence>> {
    let name = &files.name;
    let Ok(data) = name.symlink_metadata() else {
        return Ok(None);
    };
    if let Ok((evidence, file)) = Evidence::of(name)
        && evidence.source == origin(object)
        && data.is_file()
        && file.size_bytes == data.len()
    {
        return Ok(Some(evidence));
    }
    if wish.force && data.is_file() {
        return Ok(None);
    }
    let what = match data.is_file() {
        true => "it is not what would be fetched",
        false => "it is no regular file",
    };
    let error = Error::usage(format!("{} is there already: {what}", name.display()));
    Err(match data.is_file() {
        true => error.hint("--to names another place; --force overwrites it"),
        false => error.hint("--to names another place"),
    })
}

fn check_room(object: &Object, files: &Files, data: &File) -> Result<()> {
    let folder = files
        .name
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let needed = object.size.saturating_sub(taken(data));
    match room(folder) {
        Some(free) if free < needed => Err(Error::new(
            Kind::Internal,
            format!(
                "There is no room for {} in {}",
                object.name,
                folder.display()
            ),
        )
        .cause(format!(
            "{} are needed, {} are free",
            text::bytes(needed),
            text::bytes(free)
        ))),
        _ => Ok(()),
    }
}

fn origin(object: &Object) -> Origin {
    Origin {
        uri: object.uri.clone(),
        etag: object.etag.clone(),
        size_bytes: Some(object.size),
    }
}

/// All bytes are there: what they are is checked, proved, and gets its name; or is put aside.
fn conclude(
    object: &Object,
    about: &About,
    files: Files,
    found: Found,
    started_at: Timestamp,
) -> Result<Fetched> {
    let image = files.image();
    let cannot = |error: io::Error| unwritten(image, &error);
    let file = File::open(image).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    let mut checks = vec![Check::passed(
        "size",
        format!("{} bytes, as stored", object.size),
    )];
    checks.extend(found.checks);
    let is_kept_packed = is_packed(object) && files.unpacked.is_none();
    let mut virtual_size = None;
    let is_right = checks.iter().all(|check| !check.is_failure());
    if is_kept_packed {
        let why = "the image is packed; fetched with --decompress it is looked at";
        checks.push(Check::not_possible("structure", why));
    } else if is_right {
        let structure = verify::image(image, &file, object.format.as_deref()).map_err(cannot)?;
        virtual_size = structure.virtual_size;
        checks.extend(structure.checks);
    }
    let sha256 = match (&files.unpacked, found.unpacked) {
        (Some(_), Some(unpacked)) => unpacked.sha256,
        _ => found.sha256,
    };
    let path = std::path::absolute(&files.name).unwrap_or_else(|_| files.name.clone());
    let evidence = Evidence {
        schema: SCHEMA,
        provider: about.provider.0.to_owned(),
        region: about.region.clone(),
        account: about.account.clone(),
        task_id: about.task_id.clone(),
        snapshot: about.snapshot.clone(),
        source: origin(object),
        files: vec![FetchedFile {
            path,
            device: None,
            format: object.format.clone(),
            size_bytes: size,
            virtual_size_bytes: virtual_size,
            sha256,
        }],
        checks,
        started_at,
        finished_at: Timestamp::now(),
        request_ids: Vec::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let failed: Vec<&Check> = evidence
        .checks
        .iter()
        .filter(|check| check.is_failure())
        .collect();
    if !failed.is_empty() {
        let bad = beside(&files.name, ".bad");
        std::fs::rename(image, &bad).map_err(cannot)?;
        files.remove();
        return Err(corrupt(&files.name, &bad, &failed));
    }
    // The evidence first: a power cut must not leave the name without it.
    file.sync_all().map_err(cannot)?;
    evidence.write(&files.name).map_err(cannot)?;
    std::fs::rename(image, &files.name).map_err(cannot)?;
    sync_folder(&files.name).map_err(cannot)?;
    files.remove();
    Ok(Fetched {
        path: files.name,
        evidence,
        is_old: false,
    })
}

fn corrupt(name: &Path, bad: &Path, failed: &[&Check]) -> Error {
    let names: Vec<&str> = failed.iter().map(|check| check.name.as_str()).collect();
    let sentence = format!(
        "What came is not right ({}): {}",
        names.join(", "),
        name.display()
    );
    let error = Error::new(Kind::Corrupt, sentence);
    let told =
        |error: Error, check: &&Check| error.cause(format!("{}: {}", check.name, check.detail));
    failed
        .iter()
        .fold(error, told)
        .cause(format!("it was put aside as {}", bad.display()))
        .hint("fetch it again; if it is the same then, it is stored so: export it anew before you delete what it was made of")
}

fn unwritten(what: &Path, error: &io::Error) -> Error {
    let sentence = format!("{} cannot be written", what.display());
    let unwritten = Error::new(Kind::Internal, sentence).cause(error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            unwritten.hint("make room; the same command goes on where it stopped")
        }
        _ => unwritten,
    }
}

/// For reading and writing; what is there stays.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    crate::settings::private_file::open_own(&mut options, path)
}

/// The command that waits for a task which has not ended.
pub fn not_ended(task: &crate::task::Task) -> Error {
    let sentence = format!("The export {} has not ended: it is {}", task.id, task.state);
    let wait = Command::from("snapexport wait").arg(task.qualified());
    Error::new(Kind::Conflict, sentence)
        .hint(Hint::say("wait for it first: ").and_run(wait))
        .hint("--wait does both")
}
