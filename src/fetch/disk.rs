//! From the network onto the disk: one thread writes, one syncs and keeps the journal, one looks at the bytes in order.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use crc32fast::Hasher;
use tokio::sync::{Notify, mpsc};

use super::follower::{Follower, Found, Out};
use super::parts::{Done, Ledger, bounds, count};
use super::place::{is_zero, is_zero_at, read_at, write_at, zeros};
use super::sparse::Sparse;
use super::transfer::{Piece, Sink};
use crate::error::{Error, Kind, Result};
use crate::provider::Object;

/// Bytes that are read at once to be looked at.
const READ: usize = 256 << 10;
/// Pieces on their way to the disk: some MiB.
const ON_THE_WAY: usize = 64;

/// What is in the file of a part.
#[derive(Clone, Copy, PartialEq)]
enum Has {
    Nothing,
    Bytes,
    /// All of it, and that is zeros.
    Zeros,
}

/// What the threads know together.
struct State {
    /// What is in the file of each part.
    has: Vec<Has>,
    /// Parts that are written and not yet synced.
    unsynced: Vec<Done>,
    /// No more parts come.
    is_over: bool,
    /// Nobody wants to know any more what the bytes are.
    is_stopped: bool,
    /// What broke first.
    broken: Option<io::Error>,
}

/// The state, and a bell for those who wait for it to change.
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
    /// All bytes were looked at, or something broke.
    looked: Notify,
}

/// What is here of a disk.
pub(super) struct Came<'f> {
    pub(super) data: &'f File,
    pub(super) ledger: Ledger,
    pub(super) done: &'f [Done],
    /// There is nothing but zeros yet.
    pub(super) is_empty: bool,
}

/// The threads between the network and the disk.
pub(super) struct Disk {
    shared: Arc<Shared>,
    sender: mpsc::Sender<Piece>,
    writer: JoinHandle<()>,
    keeper: JoinHandle<()>,
    follower: JoinHandle<Option<Found>>,
}

impl Sink for Disk {
    async fn take(&self, piece: Piece) -> Result<()> {
        let gone = |_| Error::new(Kind::Internal, "The disk takes no more");
        self.sender.send(piece).await.map_err(gone)
    }
}

impl Disk {
    /// For the bytes of an object, of which some came already. What it holds is unpacked to `out`, if it is packed.
    pub(super) fn start(
        object: &Object,
        came: Came<'_>,
        out: Option<Out<io::Sink>>,
    ) -> io::Result<Self> {
        let Came {
            data,
            ledger,
            done,
            is_empty,
        } = came;
        let size = object.size;
        let mut has = vec![Has::Nothing; usize::try_from(count(size)).unwrap_or(usize::MAX)];
        for one in done {
            has[one.number as usize] = Has::Bytes;
        }
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                has,
                unsynced: Vec::new(),
                is_over: false,
                is_stopped: false,
                broken: None,
            }),
            bell: Condvar::new(),
            looked: Notify::new(),
        });
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        let follower = Follower::new(object, out)?;
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let (one, file) = (shared.clone(), data.try_clone()?);
        let writer = thread("writer")
            .spawn(move || one.end(write(&one, (&file, is_empty), size, receiver)))?;
        let (one, file) = (shared.clone(), data.try_clone()?);
        let keeper = thread("journal").spawn(move || one.end(keep(&one, &file, ledger)))?;
        let (one, file) = (shared.clone(), data.try_clone()?);
        let follower = thread("checks").spawn(move || {
            let found = follow(&one, &file, size, follower).unwrap_or_else(|error| {
                one.end(Err(error));
                None
            });
            one.looked.notify_one();
            found
        })?;
        Ok(Disk {
            shared,
            sender,
            writer,
            keeper,
            follower,
        })
    }

    /// Waits until all bytes were looked at, of an object whose parts were all sent; or until something broke.
    pub(super) async fn looked(&self) {
        self.shared.looked.notified().await;
    }

    /// What is synced is noted yet; what the bytes are nobody wants to know any more.
    pub(super) fn stop(&self) {
        self.shared.change(|state| state.is_stopped = true);
    }

    /// Lets the threads end. Gives what was found where all parts are there, and what broke.
    pub(super) async fn finish(self) -> io::Result<Option<Found>> {
        let Disk {
            shared,
            sender,
            writer,
            keeper,
            follower,
        } = self;
        drop(sender);
        let join = move || {
            let died = |_| io::Error::other("a thread has died");
            writer.join().map_err(died)?;
            shared.change(|state| state.is_over = true);
            keeper.join().map_err(died)?;
            let found = follower.join().map_err(died)?;
            match shared.lock().broken.take() {
                Some(error) => Err(error),
                None => Ok(found),
            }
        };
        let joined = tokio::task::spawn_blocking(join).await;
        joined.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl State {
    /// What the bytes are is of no use.
    fn is_vain(&self) -> bool {
        self.is_stopped || self.broken.is_some()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.bell.notify_all();
    }

    /// Waits until `is_due`.
    fn when(&self, is_due: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waiting = self.bell.wait_while(self.lock(), |state| !is_due(state));
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.change(|state| {
                state.broken.get_or_insert(error);
            });
        }
    }
}

/// Writes pieces in the order in which they come.
fn write(
    shared: &Shared,
    (data, is_empty): (&File, bool),
    size: u64,
    mut pieces: mpsc::Receiver<Piece>,
) -> io::Result<()> {
    let mut open: HashMap<u64, Open> = HashMap::new();
    // Where something came that was not to be believed.
    let mut used = HashSet::new();
    while let Some(piece) = pieces.blocking_recv() {
        if shared.lock().broken.is_some() {
            return Ok(());
        }
        let number = match piece {
            Piece::Bytes(number, _) | Piece::Zeros(number, _) => number,
            Piece::Again(number) => {
                open.remove(&number);
                used.insert(number);
                continue;
            }
        };
        let (first, length) = bounds(number, size);
        let part = open.entry(number).or_default();
        // Zeros are there already, as holes, unless something came before: in this run or in one that was killed.
        let is_hole = is_empty && !used.contains(&number);
        match piece {
            Piece::Bytes(_, bytes) => {
                part.is_data |= !is_zero(&bytes);
                part.add(data, first, &bytes, is_hole)?;
            }
            Piece::Zeros(_, mut count) => {
                while count > 0 {
                    let zeros = zeros(count);
                    part.add(data, first, zeros, is_hole)?;
                    count -= zeros.len() as u64;
                }
            }
            Piece::Again(_) => {}
        }
        if part.written == length {
            let has = match part.is_data {
                true => Has::Bytes,
                false => Has::Zeros,
            };
            let crc = open.remove(&number).map_or(0, |part| part.crc.finalize());
            shared.change(|state| {
                state.has[number as usize] = has;
                state.unsynced.push(Done { number, crc });
            });
        }
    }
    Ok(())
}

/// A part of which something came.
#[derive(Default)]
struct Open {
    crc: Hasher,
    written: u64,
    /// Something else than zeros.
    is_data: bool,
}

impl Open {
    fn add(&mut self, data: &File, first: u64, bytes: &[u8], is_hole: bool) -> io::Result<()> {
        let place = first + self.written;
        if !is_zero(bytes) || !(is_hole || is_zero_at(data, place, bytes.len())?) {
            write_at(data, bytes, place)?;
        }
        self.crc.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// Syncs what was written, and only then notes it: the journal is never ahead of the data.
fn keep(shared: &Shared, data: &File, mut ledger: Ledger) -> io::Result<()> {
    loop {
        let mut state = shared.when(|state| !state.unsynced.is_empty() || state.is_over);
        let written = std::mem::take(&mut state.unsynced);
        drop(state);
        if written.is_empty() {
            return Ok(());
        }
        data.sync_data()?;
        ledger.note(&written)?;
    }
}

/// Goes over the bytes in order. `None`, where not all of them came.
fn follow(
    shared: &Shared,
    data: &File,
    size: u64,
    mut follower: Follower<io::Sink>,
) -> io::Result<Option<Found>> {
    for number in 0..count(size) {
        let is_there = |state: &State| state.has[number as usize] != Has::Nothing;
        let state = shared.when(|state| is_there(state) || state.is_over || state.is_vain());
        if state.is_vain() || !is_there(&state) {
            return Ok(None);
        }
        let is_hole = state.has[number as usize] == Has::Zeros;
        drop(state);
        let (mut at, length) = bounds(number, size);
        let end = at + length;
        while at < end {
            if shared.lock().is_vain() {
                return Ok(None);
            }
            if is_hole {
                let zeros = zeros(end - at);
                follower.see(Bytes::from_static(zeros))?;
                at += zeros.len() as u64;
                continue;
            }
            let mut buffer = vec![0; READ.min((end - at) as usize)];
            let read = read_at(data, &mut buffer, at)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer.truncate(read);
            at += read as u64;
            follower.see(buffer.into())?;
        }
    }
    follower.finish().map(Some)
}

/// Where unpacked bytes go.
pub(super) fn into(file: Option<File>) -> io::Result<Out<io::Sink>> {
    match file {
        Some(file) => Sparse::new(file).map(Out::File),
        None => Ok(Out::Nowhere),
    }
}
