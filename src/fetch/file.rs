//! An object into a file: found again after a kill, never under its name before it is right.

use std::future::Future;
use std::io;

use jiff::Timestamp;

use super::disk::{Came, Disk, into};
use super::files::{Files, check_room, interruption, open, unwritten};
use super::follower::Found;
use super::parts;
use super::sparse::{Shared, Sparse};
use super::staged::{Fetched, Staged, conclude, stage, there_already};
use super::stream::to_stream;
use super::transfer::transfer;
use super::wish::{About, Wish, is_packed};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::provider::{Image, Object};

/// How often segments are asked for again whose sums do not fit.
const AGAIN: u32 = 2;

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
        Err(error) if error.kind == Kind::Corrupt => {
            let bad = files.put_aside().map_err(cannot)?;
            return Err(error.cause(format!("it was put aside as {}", bad.display())));
        }
        came => came.map_err(begins_again)?,
    };
    out.finish().map_err(cannot)?;
    let staged = stage(object, files, found, ledger, interrupted).await;
    staged.map_err(begins_again)
}

/// What an interrupted fetch says that keeps nothing.
fn begins_again(error: Error) -> Error {
    match error.kind {
        Kind::Interrupted => error.cause("There was no room to keep what came; it begins again."),
        _ => error,
    }
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

/// The command that waits for a task which has not ended.
pub fn not_ended(task: &crate::task::Task) -> Error {
    let sentence = format!("The export {} has not ended: it is {}", task.id, task.state);
    let wait = Command::from("snapexport wait").arg(task.qualified());
    Error::new(Kind::Conflict, sentence)
        .hint(Hint::say("wait for it first: ").and_run(wait))
        .hint("--wait does both")
}
