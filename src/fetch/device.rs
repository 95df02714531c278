//! A disk onto a block device: in order, over what it holds, and read back from it.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::evidence::{Evidence, FetchedFile};
use super::files::{interruption, unwritten};
use super::hashing::Hashing;
use super::staged::evidence;
use super::stream::to_stream;
use super::wish::{About, Wish, is_packed};
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::image::Check;
use crate::provider::{Image, Object};
use crate::text;

/// Writes the only disk of an image onto a device. What it held is lost from the first byte on, and there is no resuming.
pub async fn to_device(
    image: &Image,
    object: &Object,
    about: &About,
    (path, parallel): (&Path, Option<usize>),
    interrupted: impl Future<Output = ()>,
    progress: impl FnMut(u64),
) -> Result<Evidence> {
    let started_at = Timestamp::now();
    tokio::pin!(interrupted);
    let cannot = |error: io::Error| unwritten(path, &error);
    let format = object.format.as_deref();
    if let Some(format) = format.or(Some("unknown")).filter(|format| *format != "raw") {
        let sentence = format!(
            "{} is an image of the format {format}, and a device holds a raw disk",
            object.name
        );
        let convert = Command::from("qemu-img convert -O raw IMAGE").arg(path.display());
        return Err(Error::usage(sentence)
            .hint(Hint::say("fetch it to a file, and then: ").and_run(convert)));
    }
    let mut device = open(path).map_err(cannot)?;
    let room = device.seek(SeekFrom::End(0));
    let room = room.map_err(cannot)?;
    device.rewind().map_err(cannot)?;
    must_hold(path, room, object)?;
    let wish = Wish {
        unpack: true,
        parallel,
        ..Wish::default()
    };
    let device = Arc::new(device);
    let place = path.display().to_string();
    let found = to_stream(
        object,
        &wish,
        (device.clone(), &place),
        interrupted.as_mut(),
        progress,
    )
    .await?;
    let (size, sha256) = (found.size, found.sha256);
    // Minutes on a slow device, while signals are heard.
    let back = device.clone();
    let reading = tokio::task::spawn_blocking(move || {
        back.sync_all()?;
        read_back(&back, size)
    });
    let read = tokio::select! {
        read = reading => read.unwrap_or_else(|error| Err(io::Error::other(error))),
        () = interrupted => return Err(interruption()),
    };
    let read = read.map_err(cannot)?;
    if read != sha256 {
        let sentence = format!("What {} holds now is not what was written", path.display());
        return Err(Error::new(Kind::Corrupt, sentence)
            .cause(format!(
                "its first {size} bytes have the SHA-256 {read}, and not {sha256}"
            ))
            .hint("do not use it: the device is broken, or something else writes to it"));
    }
    let mut checks = found.checks;
    checks.push(Check::passed(
        "read back",
        format!("{size} bytes, as they were written"),
    ));
    let file = FetchedFile {
        path: path.to_owned(),
        device: object.device.clone(),
        format: Some("raw".to_owned()),
        size_bytes: size,
        virtual_size_bytes: Some(size),
        sha256,
    };
    Ok(evidence(image, about, vec![file], checks, started_at))
}

/// For itself alone: a device that is mounted or belongs to another is not opened.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let alone = rustix::fs::OFlags::EXCL.bits();
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(alone as i32)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Refuses a device that is too small, as far as somebody says how large the disk is.
fn must_hold(path: &Path, room: u64, object: &Object) -> Result<()> {
    let needed = match is_packed(object) {
        true => object.disk_size,
        false => Some(object.size),
    };
    match needed.filter(|needed| *needed > room) {
        None => Ok(()),
        Some(needed) => {
            let sentence = format!("{} is too small for {}", path.display(), object.name);
            Err(Error::usage(sentence).cause(format!(
                "it has {}, the disk {}",
                text::bytes(room),
                text::bytes(needed)
            )))
        }
    }
}

/// The SHA-256 of its first bytes, from the device as far as the system allows.
fn read_back(device: &Arc<File>, size: u64) -> io::Result<String> {
    #[cfg(target_os = "linux")]
    // What is not dropped from memory is read there.
    let _ = rustix::fs::fadvise(device, 0, None, rustix::fs::Advice::DontNeed);
    let mut device = device.clone();
    device.rewind()?;
    Hashing::new(device.take(size)).finish()
}

#[cfg(test)]
mod tests;
