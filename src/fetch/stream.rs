//! An object onto a stream, in order: what comes of it is not known before its end.

use std::future::Future;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, oneshot};

use super::follower::{Follower, Found, Out};
use super::parts;
use super::transfer::{Piece, Sink, part};
use super::wish::{Wish, is_packed};
use crate::error::{Error, Kind, Result};
use crate::image::Check;
use crate::provider::Object;

/// Parts that are held at once.
const PARALLEL: usize = 4;

/// Bytes that are looked at at once.
const PIECE: usize = 256 << 10;
/// However many are asked for.
const MOST: usize = 8;

/// One part in memory.
#[derive(Default)]
struct Held(Mutex<Vec<u8>>);

impl Sink for Held {
    async fn take(&self, piece: Piece) -> Result<()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match piece {
            Piece::Bytes(_, bytes) => held.extend_from_slice(&bytes),
            Piece::Zeros(_, count) => {
                let length = held.len() + count as usize;
                held.resize(length, 0);
            }
            Piece::Again(_) => held.clear(),
        }
        Ok(())
    }
}

/// Writes an object, unpacked if that is wanted, and gives what was found on the way. A failed check is an error of the
/// kind `corrupt`: who reads the stream has it all by then.
pub async fn to_stream(
    object: &Object,
    wish: &Wish,
    (out, place): (impl Write + Clone + Send + 'static, &str),
    interrupted: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<Found> {
    let unpacks = wish.unpack && is_packed(object);
    let is_inflated = is_packed(object) && !wish.no_inflate;
    let inside = is_inflated.then(|| match unpacks {
        true => Out::Stream(out.clone()),
        false => Out::Nowhere,
    });
    let plain = (!unpacks).then_some(out);
    let follower = Follower::new(object, inside);
    let follower = follower.map_err(|error| unwritten(place, &error))?;
    // On a thread of its own, for which nobody waits after a signal: whoever reads may have stopped to.
    let (sender, receiver) = mpsc::channel(1);
    let (told, verdict) = oneshot::channel();
    std::thread::Builder::new()
        .name("output".to_owned())
        .spawn(move || told.send(write(receiver, plain, follower)))
        .map_err(|error| unwritten(place, &error))?;
    let held = |number| async move {
        let held = Held::default();
        part(object, number, &held).await?;
        Ok::<_, Error>(held.0.into_inner().unwrap_or_else(PoisonError::into_inner))
    };
    let mut came = 0;
    progress(came);
    let run = async {
        let numbers = stream::iter(0..parts::count(object.size));
        let mut parts = std::pin::pin!(
            numbers
                .map(held)
                .buffered(wish.parallel.unwrap_or(PARALLEL).min(MOST))
        );
        while let Some(bytes) = parts.next().await {
            let bytes = bytes?;
            came += bytes.len() as u64;
            // One that takes no more says why at its end.
            if sender.send(bytes).await.is_err() {
                break;
            }
            progress(came);
        }
        drop(sender);
        let died = |_| Err(io::Error::other("a thread has died"));
        let written = verdict.await.unwrap_or_else(died);
        written.map_err(|error| unwritten(place, &error))
    };
    let found = tokio::select! {
        found = run => found?,
        () = interrupted => return Err(Error::new(Kind::Interrupted, "The fetch was interrupted")),
    };
    let failed: Vec<&Check> = found
        .checks
        .iter()
        .filter(|check| check.is_failure())
        .collect();
    if failed.is_empty() {
        return Ok(found);
    }
    let sentence = format!("What was written of {} is not right", object.name);
    let told =
        |error: Error, check: &&Check| error.cause(format!("{}: {}", check.name, check.detail));
    let error = Error::new(Kind::Corrupt, sentence);
    Err(failed
        .iter()
        .fold(error, told)
        .hint("do not use what was made of it"))
}

/// Writes what comes, in order, and looks at it.
fn write<W: Write + Send + 'static>(
    mut pieces: mpsc::Receiver<Vec<u8>>,
    mut plain: Option<W>,
    mut follower: Follower<W>,
) -> io::Result<Found> {
    while let Some(bytes) = pieces.blocking_recv() {
        if let Some(plain) = &mut plain {
            plain.write_all(&bytes)?;
        }
        let bytes = Bytes::from(bytes);
        // In pieces that may wait before the threads that look at them.
        for at in (0..bytes.len()).step_by(PIECE) {
            follower.see(bytes.slice(at..bytes.len().min(at + PIECE)))?;
        }
    }
    let found = follower.finish()?;
    if let Some(plain) = &mut plain {
        plain.flush()?;
    }
    Ok(found)
}

fn unwritten(place: &str, error: &io::Error) -> Error {
    let sentence = format!("The image cannot be written to {place}");
    Error::new(Kind::Internal, sentence).cause(error.to_string())
}
