//! The parts of an object, asked for side by side; each is asked for again as long as what goes wrong may pass.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::parts::bounds;
use crate::error::{Error, Kind, Reason, Result};
use crate::pace::limit;
use crate::provider::{Answer, Block, Object};
use crate::text;

/// Requests for one part, at most, of which none in a row brought anything new.
const ATTEMPTS: u32 = 8;
/// All requests for one part, at most.
const MOST_ATTEMPTS: u32 = 100;
/// The pause before the second; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that a store may ask for: a longer one is for the user to plan.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Requests under way at first, and at most.
const FIRST_LANES: usize = 4;
const MOST_LANES: usize = 16;
/// How long a number of lanes is tried before another.
const TRIAL: Duration = Duration::from_millis(150);

/// What comes of a part.
pub(super) enum Piece {
    /// These bytes follow.
    Bytes(u64, Bytes),
    /// So many zeros follow.
    Zeros(u64, u64),
    /// What came of it so far is not to be believed.
    Again(u64),
}

/// Takes pieces. An error ends the transfer.
pub(super) trait Sink {
    async fn take(&self, piece: Piece) -> Result<()>;
}

/// Fetches these parts, `fixed` at once or as many as pay.
pub(super) async fn transfer(
    object: &Object,
    parts: impl Iterator<Item = u64>,
    fixed: Option<usize>,
    sink: &impl Sink,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let mut parts = parts.fuse();
    let sink = Counting {
        sink,
        bytes: AtomicU64::new(0),
    };
    let mut running = FuturesUnordered::new();
    let mut lanes = Lanes::new(fixed);
    loop {
        while running.len() < lanes.count {
            let Some(number) = parts.next() else { break };
            running.push(part(object, number, &sink));
        }
        match running.next().await {
            None => return Ok(()),
            Some(fetched) => {
                progress(fetched?);
                lanes.got(sink.bytes.swap(0, Ordering::Relaxed));
            }
        }
    }
}

/// Counts what passes, whatever part it is of.
struct Counting<'s, S> {
    sink: &'s S,
    bytes: AtomicU64,
}

impl<S: Sink> Sink for Counting<'_, S> {
    async fn take(&self, piece: Piece) -> Result<()> {
        let more = match &piece {
            Piece::Bytes(_, bytes) => bytes.len() as u64,
            Piece::Zeros(_, count) => *count,
            Piece::Again(_) => 0,
        };
        self.bytes.fetch_add(more, Ordering::Relaxed);
        self.sink.take(piece).await
    }
}

/// How many parts are asked for at once: more, as long as more pay.
struct Lanes {
    count: usize,
    is_fixed: bool,
    since: Instant,
    bytes: u64,
    /// Bytes a second of the number before.
    best: f64,
}

impl Lanes {
    fn new(fixed: Option<usize>) -> Self {
        Lanes {
            count: fixed.unwrap_or(FIRST_LANES).max(1),
            is_fixed: fixed.is_some(),
            since: Instant::now(),
            bytes: 0,
            best: 0.0,
        }
    }

    fn got(&mut self, bytes: u64) {
        self.bytes += bytes;
        let took = self.since.elapsed();
        if self.is_fixed || took < TRIAL {
            return;
        }
        let rate = self.bytes as f64 / took.as_secs_f64();
        if rate > self.best * 1.1 && self.count < MOST_LANES {
            self.count = (self.count * 2).min(MOST_LANES);
        }
        self.best = self.best.max(rate);
        (self.since, self.bytes) = (Instant::now(), 0);
    }
}

/// One part, whole. Gives its length.
pub(super) async fn part(object: &Object, number: u64, sink: &impl Sink) -> Result<u64> {
    let (first, length) = bounds(number, object.size);
    let (mut got, mut misses) = (0, 0);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let before = got;
        let error = match once(object, number, (first, length), &mut got, sink).await {
            Ok(()) => return Ok(length),
            Err(error) => error,
        };
        misses = if got > before { 1 } else { misses + 1 };
        let may_pass = error.kind.is_transient() || error.is_because(Reason::BadPart);
        if !may_pass || misses >= ATTEMPTS || attempt >= MOST_ATTEMPTS {
            return Err(error);
        }
        let doubled = limit(PAUSE) * 2u32.pow(misses - 1);
        let pause = error.details.retry_after.unwrap_or(doubled);
        if pause > LONGEST_PAUSE {
            let asked = error.details.asked_pause.unwrap_or(pause);
            let why = format!("it asks for a pause of {}", text::duration(asked));
            return Err(error.cause(why).hint("try again then"));
        }
        tracing::info!(
            "bytes from {}: {}; again in {pause:?}",
            first + got,
            error.one_line()
        );
        tokio::time::sleep(pause).await;
    }
}

/// Asks for what a part lacks. What comes is counted in `got`, which falls to zero where it is not to be believed.
async fn once(
    object: &Object,
    number: u64,
    (first, length): (u64, u64),
    got: &mut u64,
    sink: &impl Sink,
) -> Result<()> {
    let (from, rest) = (first + *got, length - *got);
    let part = object.reader.part(from, rest).await;
    let part = part.map_err(|error| match error.is_because(Reason::ObjectChanged) {
        true => changed(object),
        false => error,
    });
    let mut flow = match part? {
        Answer::Coming(flow) => flow,
        Answer::Blocks(mut blocks) => {
            while let Some(block) = blocks.next().await {
                let (piece, came) = match block? {
                    Block::Data(bytes) => {
                        let came = bytes.len() as u64;
                        (Piece::Bytes(number, bytes), came)
                    }
                    Block::Zeros(count) => (Piece::Zeros(number, count), count),
                };
                *got += came;
                sink.take(piece).await?;
            }
            return match *got == length {
                true => Ok(()),
                false => Err(bad_part(from, &format!("{got} bytes of {length}"))),
            };
        }
    };
    object.requests.note(flow.request_id());
    let place = flow.header("content-range").map(str::to_owned);
    let is_asked_for = match (flow.status(), &place) {
        (206, Some(place)) => is_place(place, (from, rest), object.size),
        // Without a range: good enough where all was asked for.
        (200, None) => rest == object.size,
        _ => false,
    };
    // A page in place of data has an ETag of its own, which tells nothing of the object.
    if (is_asked_for || place.is_some())
        && let (Some(etag), Some(now)) = (&object.etag, flow.header("etag"))
        && bare(etag) != bare(now)
    {
        return Err(changed(object));
    }
    if !is_asked_for {
        let what = match place {
            Some(place) => format!("HTTP {}, {place}", flow.status()),
            None => format!("HTTP {}, no range", flow.status()),
        };
        return Err(bad_part(from, &what));
    }
    let mut came = 0;
    while let Some(piece) = flow.piece().await? {
        came += piece.len() as u64;
        if came > rest {
            *got = 0;
            sink.take(Piece::Again(number)).await?;
            return Err(bad_part(from, "more bytes than were asked for"));
        }
        *got += piece.len() as u64;
        sink.take(Piece::Bytes(number, piece)).await?;
    }
    match came == rest {
        true => Ok(()),
        false => Err(bad_part(from, &format!("{came} bytes of {rest}"))),
    }
}

fn changed(object: &Object) -> Error {
    let sentence = format!("{} was changed while it was fetched", object.name);
    Error::new(Kind::Conflict, sentence)
        .hint("something writes to it: fetch it when that has ended")
        .because(Reason::ObjectChanged)
}

/// An ETag without what stores and proxies put around it: quotes, or the mark of a weak one, where they pack what passes.
fn bare(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// Whether a `Content-Range` is that of what was asked for, in an object of this size (RFC 9110, 14.4).
fn is_place(place: &str, (first, length): (u64, u64), size: u64) -> bool {
    let told = || {
        let (unit, place) = place.split_once(' ')?;
        let (bounds, whole) = place.split_once('/')?;
        let (from, to) = bounds.split_once('-')?;
        Some((unit, from.trim(), to.trim(), whole.trim()))
    };
    let is = |text: &str, number: u64| text.parse() == Ok(number);
    told().is_some_and(|(unit, from, to, whole)| {
        let is_whole = whole == "*" || is(whole, size);
        unit.eq_ignore_ascii_case("bytes")
            && is(from, first)
            && is(to, first + length.saturating_sub(1))
            && is_whole
    })
}

fn bad_part(from: u64, what: &str) -> Error {
    let sentence =
        format!("The reply to the request for bytes from {from} is not what was asked for");
    Error::new(Kind::Provider, sentence)
        .cause(what)
        .because(Reason::BadPart)
}
