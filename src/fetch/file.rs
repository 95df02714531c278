//! An object into a file: found again after a kill, never under its name before it is right.

use std::ffi::OsStr;
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::disk::{Came, Disk, into};
use super::evidence::{Evidence, FetchedFile, Origin, beside, sync_folder};
use super::files::{Files, check_room, interruption, open, unwritten};
use super::follower::Found;
use super::parts::{self, Ledger};
use super::place::is_device;
use super::sparse::{Shared, Sparse};
use super::stream::to_stream;
use super::transfer::transfer;
use super::verify;
use super::wish::{About, Wish, is_packed};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::image::Check;
use crate::provider::{Image, Object};
use crate::task::SCHEMA;

/// How often segments are asked for again whose sums do not fit.
const AGAIN: u32 = 2;

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
struct Staged {
    files: Files,
    file: FetchedFile,
    checks: Vec<Check>,
    /// Keeps others from this place. `None`: it was fetched before.
    lock: Option<Ledger>,
}

/// Fetches the disks of an image into files. `progress` hears how many bytes of all are there.
pub async fn to_files(
    image: &Image,
    about: &About,
    wish: &Wish,
    interrupted: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<Fetched> {
    let started_at = Timestamp::now();
    let are_several = image.disks.len() > 1;
    if let Some(to) = wish.to.as_ref().filter(|to| are_several && !to.is_dir()) {
        let count = image.disks.len();
        let sentence = format!(
            "{} has {count} disks, and {} is no folder",
            image.name,
            to.display()
        );
        return Err(Error::usage(sentence).hint("make the folder and name it"));
    }
    let all: Vec<Files> = image
        .disks
        .iter()
        .map(|disk| Files::of(disk, wish))
        .collect();
    let mut before = Vec::new();
    for files in &all {
        before.push(there_already(image, files, wish)?);
    }
    if let Some(evidence) = before.iter().flatten().next()
        && before.iter().all(Option::is_some)
    {
        // A kill right after the name was given leaves these.
        all.iter().for_each(Files::remove);
        return Ok(Fetched {
            paths: all.into_iter().map(|files| files.name).collect(),
            evidence: evidence.0.clone(),
            is_old: true,
        });
    }
    if let Some(files) = all
        .iter()
        .find(|files| wish.no_inflate && files.unpacked.is_some())
    {
        let sentence = format!(
            "--no-inflate keeps it packed, and {} does not end in .gz",
            files.name.display()
        );
        return Err(Error::usage(sentence).hint("name a file that does, or leave out --no-inflate"));
    }
    let is_straight = check_room(image, &all)?;
    tokio::pin!(interrupted);
    let mut staged = Vec::new();
    let mut behind = 0;
    for ((object, files), before) in image.disks.iter().zip(all).zip(before) {
        staged.push(match before {
            // What was verified of it then is proof now.
            Some((evidence, file)) => Staged {
                files,
                file,
                checks: evidence.checks_of(object.device.as_deref()),
                lock: None,
            },
            None => {
                let told = |bytes| progress(behind + bytes);
                let interrupted = interrupted.as_mut();
                match is_straight {
                    true => straight(object, files, wish, interrupted, told).await?,
                    false => one(object, files, wish, interrupted, told).await?,
                }
            }
        });
        behind += object.size;
        progress(behind);
    }
    conclude(image, about, wish, staged, started_at)
}

/// Unpacks one disk as it comes, where there is no room for its packed bytes beside it: it cannot go on after a kill.
async fn straight(
    object: &Object,
    files: Files,
    wish: &Wish,
    interrupted: impl Future<Output = ()>,
    progress: impl FnMut(u64),
) -> Result<Staged> {
    let ledger = files.hold()?;
    let cannot = |error: io::Error| unwritten(files.image(), &error);
    let file = Sparse::new(open(files.image()).map_err(cannot)?);
    let out = Shared::of(file.map_err(cannot)?);
    tracing::warn!(
        "there is no room for the packed bytes of {} beside its disk: a fetch that stops begins again",
        object.name
    );
    let wish = Wish {
        unpack: true,
        ..wish.clone()
    };
    let place = files.image().display().to_string();
    tokio::pin!(interrupted);
    let output = (out.clone(), place.as_str());
    let came = to_stream(object, &wish, output, interrupted.as_mut(), progress).await;
    if came.is_err() {
        out.abandon();
    }
    let found = match came {
        Err(error) if error.kind == Kind::Interrupted => {
            return Err(error.cause("There was no room to keep what came; it begins again."));
        }
        Err(error) if error.kind == Kind::Corrupt => {
            let bad = beside(&files.name, ".bad");
            std::fs::rename(files.image(), &bad).map_err(cannot)?;
            files.remove();
            return Err(error.cause(format!("it was put aside as {}", bad.display())));
        }
        came => came?,
    };
    out.finish().map_err(cannot)?;
    stage(object, files, found, ledger, interrupted).await
}

/// Brings one disk here, and checks it.
async fn one(
    object: &Object,
    files: Files,
    wish: &Wish,
    interrupted: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<Staged> {
    let mut ledger = files.hold()?;
    let cannot = |error: io::Error| unwritten(&files.partial, &error);
    let data = open(&files.partial).map_err(cannot)?;
    tokio::pin!(interrupted);
    let recalled = tokio::select! {
        recalled = ledger.recall(object, &data) => recalled,
        () = interrupted.as_mut() => return Err(interruption()),
    };
    let mut done = recalled.map_err(cannot)?;
    let mut is_empty = done.is_empty();
    let mut again = AGAIN;
    loop {
        let writing = ledger.again().map_err(cannot)?;
        let came = Came {
            data: &data,
            ledger: writing,
            done: &done,
            is_empty,
        };
        is_empty = false;
        let found = all(
            object,
            &files,
            wish,
            came,
            interrupted.as_mut(),
            &mut progress,
        )
        .await?;
        if found.wrong.is_empty() || again == 0 {
            return stage(object, files, found, ledger, interrupted).await;
        }
        again -= 1;
        // A segment that came wrong costs only itself.
        let is_wrong = |number: u64| {
            let (first, length) = parts::bounds(number, object.size);
            let mut wrong = found.wrong.iter();
            wrong.any(|wrong| wrong.start < first + length && first < wrong.end)
        };
        done = ledger.claimed(object).map_err(cannot)?;
        done.retain(|done| !is_wrong(done.number));
        ledger.keep(object, &done).map_err(cannot)?;
        tracing::info!(
            "{}: segments came wrong; they are asked for again",
            object.name
        );
    }
}

/// Brings what is missing, and looks at all of it in order.
async fn all(
    object: &Object,
    files: &Files,
    wish: &Wish,
    here: Came<'_>,
    interrupted: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<Found> {
    let cannot = |error: io::Error| unwritten(&files.partial, &error);
    let unpacked = files.unpacked.as_deref().map(open).transpose();
    let unpacked = unpacked.map_err(|error| unwritten(files.image(), &error))?;
    let is_inflated = is_packed(object) && !wish.no_inflate;
    let out = is_inflated.then(|| into(unpacked)).transpose();
    let out = out.map_err(|error| unwritten(files.image(), &error))?;
    let done = here.done;
    let disk = Disk::start(object, here, out).map_err(cannot)?;
    let mut has: Vec<bool> = vec![false; parts::count(object.size) as usize];
    let mut came = 0;
    for one in done {
        has[one.number as usize] = true;
        came += parts::bounds(one.number, object.size).1;
    }
    progress(came);
    let missing = (0..).zip(&has).filter(|(_, has)| !**has);
    let missing = missing.map(|(number, _)| number);
    let bring = async {
        transfer(object, missing, wish.parallel, &disk, |bytes| {
            came += bytes;
            progress(came);
        })
        .await?;
        disk.looked().await;
        Ok(())
    };
    let sent = tokio::select! {
        sent = bring => sent,
        () = interrupted => Err(interruption()),
    };
    if sent.is_err() {
        disk.stop();
    }
    let found = disk.finish().await.map_err(cannot)?;
    sent?;
    found.ok_or_else(|| {
        let sentence = format!("{} did not come whole", object.name);
        Error::new(Kind::Internal, sentence)
    })
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
fn there_already(
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
async fn stage(
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
        let bad = beside(&files.name, ".bad");
        std::fs::rename(image, &bad).map_err(cannot)?;
        files.remove();
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
fn conclude(
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

/// The command that waits for a task which has not ended.
pub fn not_ended(task: &crate::task::Task) -> Error {
    let sentence = format!("The export {} has not ended: it is {}", task.id, task.state);
    let wait = Command::from("snapexport wait").arg(task.qualified());
    Error::new(Kind::Conflict, sentence)
        .hint(Hint::say("wait for it first: ").and_run(wait))
        .hint("--wait does both")
}
