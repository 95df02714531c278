//! A disk that is here and not yet under its name: it is checked, proved, and then named.

use std::ffi::OsStr;
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::evidence::{Evidence, FetchedFile, Origin, sync_folder};
use super::files::{Files, interruption, unwritten};
use super::follower::Found;
use super::parts::Ledger;
use super::place::is_device;
use super::verify;
use super::wish::{About, Wish, is_packed};
use crate::error::{Error, Kind, Result};
use crate::image::Check;
use crate::provider::{Image, Object};
use crate::task::SCHEMA;

/// What came of it.
pub struct Fetched {
    /// Where the disks are; never none.
    pub paths: Vec<PathBuf>,
    /// The proof.
    pub evidence: Evidence,
    /// All of it was there already.
    pub is_old: bool,
}

/// A disk that is here, and not yet under its name; or was fetched before.
pub(super) struct Staged {
    pub(super) files: Files,
    pub(super) file: FetchedFile,
    pub(super) checks: Vec<Check>,
    /// Keeps others from this place. `None`: it was fetched before.
    pub(super) lock: Option<Ledger>,
}

/// What may take minutes on a slow disk, while signals are heard.
async fn beside_signals<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    interrupted: impl Future<Output = ()>,
    cannot: impl Fn(io::Error) -> Error,
) -> Result<T> {
    let working = tokio::task::spawn_blocking(work);
    tokio::select! {
        done = working => done.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(cannot),
        () = interrupted => Err(interruption()),
    }
}

/// What is at this place, if it was fetched before from the same. One that is something else is an error.
pub(super) fn there_already(
    image: &Image,
    files: &Files,
    wish: &Wish,
) -> Result<Option<(Evidence, FetchedFile)>> {
    let name = &files.name;
    let Ok(data) = name.symlink_metadata() else {
        let proof = proof_of(image, name);
        return match Evidence::foreign(&proof).filter(|_| !wish.force) {
            None => Ok(None),
            Some(path) => {
                let sentence = format!("{} is there already, and not from a fetch", path.display());
                Err(Error::usage(sentence).hint("--to names another place; --force overwrites it"))
            }
        };
    };
    if let Ok((evidence, file)) = Evidence::of(name)
        && evidence.source == origin(image)
        && data.is_file()
        && file.size_bytes == data.len()
        // What is kept packed is as large as it is stored.
        && (files.unpacked.is_none() || evidence.source.size_bytes != Some(data.len()))
    {
        return Ok(Some((evidence, file)));
    }
    if wish.force && data.is_file() {
        return Ok(None);
    }
    let what = match data.is_file() {
        true => "it is not what would be fetched",
        false => "it is no regular file",
    };
    let error = Error::usage(format!("{} is there already: {what}", name.display()));
    Err(match (data.is_file(), is_device(name)) {
        (true, _) => error.hint("--to names another place; --force overwrites it"),
        (_, true) => error.hint("--force writes onto the device, over all that it holds"),
        (false, false) => error.hint("--to names another place"),
    })
}

fn size(image: &Image) -> u64 {
    image.disks.iter().map(|disk| disk.size).sum()
}

fn origin(image: &Image) -> Origin {
    Origin {
        uri: image.uri.clone(),
        etag: match &image.disks[..] {
            [disk] => disk.etag.clone(),
            _ => None,
        },
        size_bytes: Some(size(image)),
    }
}

/// All bytes of a disk are there: what they are is checked. What is not right is put aside.
pub(super) async fn stage(
    object: &Object,
    files: Files,
    found: Found,
    lock: Ledger,
    interrupted: impl Future<Output = ()>,
) -> Result<Staged> {
    tokio::pin!(interrupted);
    let image = files.image();
    let cannot = |error: io::Error| unwritten(image, &error);
    let file = File::open(image).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    let mut checks = vec![Check::passed(
        "size",
        format!("{} bytes, as stored", object.size),
    )];
    checks.extend(found.checks);
    let mut virtual_size = None;
    if is_packed(object) && files.unpacked.is_none() {
        let why = "the image is packed; fetched with --decompress it is looked at";
        checks.push(Check::not_possible("structure", why));
    } else if checks.iter().all(|check| !check.is_failure()) {
        let (path, format) = (image.to_owned(), object.format.clone());
        let file = file.try_clone().map_err(cannot)?;
        let look = move || verify::image(&path, &file, format.as_deref());
        let structure = beside_signals(look, interrupted.as_mut(), cannot).await?;
        virtual_size = structure.virtual_size;
        checks.extend(structure.checks);
    }
    let failed: Vec<&Check> = checks.iter().filter(|check| check.is_failure()).collect();
    if !failed.is_empty() {
        let bad = files.put_aside().map_err(cannot)?;
        return Err(corrupt(&files.name, &bad, &failed));
    }
    beside_signals(move || file.sync_all(), interrupted, cannot).await?;
    if let Some(device) = &object.device {
        for check in &mut checks {
            check.name = format!("{device}: {}", check.name);
        }
    }
    Ok(Staged {
        file: FetchedFile {
            path: std::path::absolute(&files.name).unwrap_or_else(|_| files.name.clone()),
            device: object.device.clone(),
            format: object.format.clone(),
            size_bytes: size,
            virtual_size_bytes: virtual_size,
            sha256: found.sha256,
        },
        files,
        checks,
        lock: Some(lock),
    })
}

/// The name beside which the evidence stands: that of the only disk, or of all.
fn proof_of(image: &Image, first: &Path) -> PathBuf {
    let name = Path::new(&image.name).file_name();
    match image.disks.len() {
        1 => first.to_owned(),
        _ => first.with_file_name(name.unwrap_or(OsStr::new("image"))),
    }
}

/// All disks are right: that is proved, and they get their names.
pub(super) fn conclude(
    image: &Image,
    about: &About,
    wish: &Wish,
    staged: Vec<Staged>,
    started_at: Timestamp,
) -> Result<Fetched> {
    let files = staged.iter().map(|one| one.file.clone()).collect();
    let checks = staged.iter().flat_map(|one| one.checks.clone()).collect();
    let evidence = evidence(image, about, files, checks, started_at);
    let proof = proof_of(image, &staged[0].files.name);
    for Staged { files, .. } in staged.iter().filter(|one| one.lock.is_some()) {
        // Somebody may have put it there meanwhile.
        there_already(image, files, wish)?;
        // What is overwritten goes first: beside the new evidence it would pass for what was fetched.
        match std::fs::remove_file(&files.name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unwritten(&files.name, &error));
            }
            _ => {}
        }
    }
    // The evidence first: a power cut must not leave a name without it.
    evidence
        .write(&proof)
        .map_err(|error| unwritten(&proof, &error))?;
    for Staged { files, lock, .. } in &staged {
        if lock.is_some() {
            let cannot = |error: io::Error| unwritten(&files.name, &error);
            std::fs::rename(files.image(), &files.name).map_err(cannot)?;
            sync_folder(&files.name).map_err(cannot)?;
            files.remove();
        }
    }
    Ok(Fetched {
        paths: staged.into_iter().map(|one| one.files.name).collect(),
        evidence,
        is_old: false,
    })
}

/// The proof of what was fetched by now.
pub(super) fn evidence(
    image: &Image,
    about: &About,
    files: Vec<FetchedFile>,
    checks: Vec<Check>,
    started_at: Timestamp,
) -> Evidence {
    let requests = image.disks.iter().flat_map(|disk| disk.requests.list());
    Evidence {
        schema: SCHEMA,
        provider: about.provider.0.to_owned(),
        region: about.region.clone(),
        account: about.account.clone(),
        task_id: about.task_id.clone(),
        snapshot: about.snapshot.clone(),
        source: origin(image),
        files,
        checks,
        started_at,
        finished_at: Timestamp::now(),
        request_ids: requests.collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
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
