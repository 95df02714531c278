//! Which parts of an object are on the disk: a small journal beside the partial file, never ahead of the data.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

use super::evidence::sync_folder;
use super::place::read_at;
use crate::provider::Object;

/// Bytes that are asked for at once.
pub(super) const PART: u64 = 8 << 20;

/// Which object it is of: another begins again.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    uri: String,
    etag: Option<String>,
    size: u64,
    part: u64,
}

/// A part that is on the disk, and the CRC-32 of its bytes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) crc: u32,
}

/// The journal of one partial file. Whoever has it open holds the target.
pub(super) struct Ledger {
    file: File,
    path: PathBuf,
}

/// First byte and length of a part.
pub(super) fn bounds(number: u64, size: u64) -> (u64, u64) {
    let first = number * PART;
    (first, PART.min(size - first))
}

/// How many parts an object has.
pub(super) fn count(size: u64) -> u64 {
    size.div_ceil(PART)
}

impl Ledger {
    /// Opens it, and makes it if need be. `None`: another process fetches to the same target.
    pub(super) fn open(path: &Path) -> io::Result<Option<Ledger>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = crate::settings::private_file::open_own(&mut options, path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Ledger {
                file,
                path: path.to_owned(),
            })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// The same. The target is held as long as either is open.
    pub(super) fn again(&self) -> io::Result<Ledger> {
        Ok(Ledger {
            file: self.file.try_clone()?,
            path: self.path.clone(),
        })
    }

    /// The parts of this object that are in the partial file, each held against its CRC. None, where the journal is of another
    /// object, or rubbish, or the file is not as long as the object: then all begins again.
    pub(super) async fn recall(&mut self, object: &Object, data: &File) -> io::Result<Vec<Done>> {
        let claimed = self.claimed(object)?;
        if claimed.is_empty() || data.metadata()?.len() != object.size {
            return self.begin(object, data);
        }
        for done in &claimed {
            // Whoever has meddled with one part may have with all.
            if !sum(data, *done, object.size)? {
                return self.begin(object, data);
            }
            // A hundred GiB take minutes, and a signal is to be heard.
            tokio::task::yield_now().await;
        }
        Ok(claimed)
    }

    /// What the journal says, as far as it is of this object.
    pub(super) fn claimed(&mut self, object: &Object) -> io::Result<Vec<Done>> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut text)?;
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        let head = lines.next().unwrap_or_default();
        if serde_json::from_slice::<Head>(head).ok() != Some(Head::of(object)) {
            return Ok(Vec::new());
        }
        // A line that was cut by a power cut ends what is known, and goes: what is noted next must not stand behind it.
        let mut good = head.len();
        let mut claimed = Vec::new();
        for line in lines.take_while(|line| line.ends_with(b"\n")) {
            let Ok(done) = serde_json::from_slice::<Done>(line) else {
                break;
            };
            claimed.push(done);
            good += line.len();
        }
        if good < text.len() {
            self.file.set_len(good as u64)?;
            self.file.sync_all()?;
        }
        claimed.retain(|done| done.number < count(object.size));
        claimed.sort_unstable_by_key(|done| done.number);
        claimed.dedup_by_key(|done| done.number);
        Ok(claimed)
    }

    /// Forgets all, for this object. The file has nothing but zeros then.
    fn begin(&mut self, object: &Object, data: &File) -> io::Result<Vec<Done>> {
        data.set_len(0)?;
        data.set_len(object.size)?;
        self.keep(object, &[])?;
        Ok(Vec::new())
    }

    /// Forgets all but these parts.
    pub(super) fn keep(&mut self, object: &Object, done: &[Done]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.write(&Head::of(object))?;
        self.note(done)?;
        self.file.sync_all()?;
        // What is noted would be of no use without the names.
        sync_folder(&self.path)
    }

    /// Adds parts whose data is synced.
    pub(super) fn note(&mut self, done: &[Done]) -> io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        for one in done {
            self.write(one)?;
        }
        self.file.sync_data()
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

impl Head {
    fn of(object: &Object) -> Self {
        Head {
            uri: object.uri.clone(),
            etag: object.etag.clone(),
            size: object.size,
            part: PART,
        }
    }
}

/// Whether the bytes of a part are those that were written.
fn sum(data: &File, done: Done, size: u64) -> io::Result<bool> {
    let (first, length) = bounds(done.number, size);
    let mut crc = Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    let mut at = first;
    while at < first + length {
        let wanted = buffer.len().min((first + length - at) as usize);
        let read = read_at(data, &mut buffer[..wanted], at)?;
        if read == 0 {
            return Ok(false);
        }
        crc.update(&buffer[..read]);
        at += read as u64;
    }
    Ok(crc.finalize() == done.crc)
}
