//! The corpus of the fuzz targets (`fuzz/corpus`), and a short seeded run over it that needs no special compiler.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use snapexport::secret::clean;
use snapexport::task::TaskObject;

use crate::tape::{LIGHTSAIL, OUTSCALE, Parsed, Player, RACKSPACE};

/// Mutations of each file; `FUZZ_ROUNDS` asks for more, `FUZZ_SECONDS` for as many as there is time for.
const ROUNDS: u64 = 200;
/// What all of it may take in memory, in KiB, where it runs alone; and what it may ask the system for, as threads
/// reserve more than they use.
const MEMORY: u64 = 256 << 10;
#[cfg(target_os = "linux")]
const ADDRESSES: u64 = 1 << 30;

/// The replies of one target, by file name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(directory)
        .expect("the corpus")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let data = std::fs::read(&path).expect("a file");
            (path, data)
        })
        .collect();
    files.sort();
    assert!(files.len() >= 6, "the corpus of {target} was not found");
    files
}

/// Numbers that look random and are the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// Values that have broken parsers before.
const NASTY: [&[u8]; 12] = [
    b"null",
    b"-1",
    b"1e300",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"2147483647",
    b"\"42\"",
    b"[]",
    b"{}",
    b"\"\\u0000\\u202e\"",
    b"\"-009999-01-01T00:00:00Z\"",
    b"\xff\xfe",
];

/// Statuses that mean something of their own, or nothing.
const STATUSES: [&str; 16] = [
    "200", "201", "202", "206", "299", "300", "301", "307", "400", "401", "403", "404", "409",
    "429", "500", "503",
];

/// Headers that a client acts upon.
const HEADERS: [&str; 16] = [
    "retry-after: -1",
    "retry-after: 99999999999999999999",
    "retry-after: Fri, 31 Dec 9999 23:59:59 GMT",
    "date: Thu, 01 Jan 1970 00:00:00 GMT",
    "date: Fri, 31 Feb 2026 25:61:61 GMT",
    "content-type: text/html; charset=utf-16",
    "content-type: application/problem+json",
    "content-encoding: gzip",
    "content-range: bytes 9-1/0",
    "location: /v2/tasks",
    "location: http://[::1",
    "etag: \"\"",
    "x-amzn-errortype: ThrottlingException:http://x",
    "x-amzn-requestid: \u{fffd}",
    "x-subject-token: a",
    "www-authenticate: Basic",
];

/// Puts another status or one more header into a recording.
fn mutate_head(data: &mut Vec<u8>, dice: &mut Dice) {
    let Some(end) = data.iter().position(|b| *b == b'\n') else {
        return;
    };
    if dice.below(2) == 0 {
        let start = data[..end].iter().rposition(|b| *b == b' ');
        let start = start.map_or(end, |space| space + 1);
        data.splice(start..end, STATUSES[dice.below(STATUSES.len())].bytes());
    } else {
        let header = format!("\n{}", HEADERS[dice.below(HEADERS.len())]);
        data.splice(end..end, header.into_bytes());
    }
}

fn mutate(data: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut data = data.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(data.len());
        let end = (at + 1 + dice.below(40)).min(data.len());
        match dice.below(8) {
            6 | 7 => mutate_head(&mut data, dice),
            0 if !data.is_empty() => data[at] ^= 1 << dice.below(8),
            1 => data.truncate(at),
            2 => {
                let piece = data[at.min(data.len())..end].to_vec();
                data.splice(at..at, piece);
            }
            3 => {
                let start = dice.below(other.len());
                let piece = other[start..(start + 60).min(other.len())].to_vec();
                data.splice(at..end.max(at), piece);
            }
            4 => {
                // A whole value, where a value stands.
                let value = data[at..]
                    .iter()
                    .position(|b| *b == b':')
                    .map(|colon| at + colon + 1);
                if let Some(start) = value {
                    let rest = &data[start..];
                    let length = rest.iter().position(|b| b",}]\n".contains(b)).unwrap_or(0);
                    let nasty = NASTY[dice.below(NASTY.len())];
                    data.splice(start..start + length, nasty.iter().copied());
                }
            }
            _ if at < end => {
                data.drain(at..end);
            }
            _ => {}
        }
    }
    data
}

/// What holds for every reply, however broken: what was read can be shown and kept.
fn check(parsed: &Parsed) {
    for task in &parsed.tasks {
        assert!(!task.id.as_str().is_empty());
        assert!(task.percent().is_none_or(|percent| percent <= 100));
        let object = TaskObject::from(task);
        let text = serde_json::to_string(&object).expect("it can be written");
        let again: TaskObject = serde_json::from_str(&text).expect("the journal can read it");
        assert_eq!(again, object);
        let value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(crate::contract::problem(&value), None);
    }
    for error in &parsed.errors {
        assert!(!error.message.is_empty());
        assert!(!clean(&error.one_line()).contains(char::is_control));
    }
}

fn run(target: &str, parse: impl Fn(&[u8]) -> Parsed) {
    let files = corpus(target);
    let rounds =
        std::env::var("FUZZ_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number"));
    let mut dice = Dice(0x5eed_0000_0000_0001);
    for (path, data) in &files {
        let parsed = parse(data);
        check(&parsed);
        let is_empty =
            parsed.tasks.is_empty() && parsed.sources.is_empty() && parsed.errors.is_empty();
        let name = path.file_name().expect("a name").to_string_lossy();
        // Logins and lists of objects end in neither.
        assert!(
            !is_empty || name.starts_with("quiet-"),
            "{name} says nothing"
        );
        assert_eq!(
            !parsed.errors.is_empty(),
            name.starts_with("error-"),
            "{name}: {parsed:?}"
        );
    }
    let seconds = std::env::var("FUZZ_SECONDS").ok();
    let seconds = seconds.map(|text| Duration::from_secs(text.parse().expect("a number")));
    #[cfg(target_os = "linux")]
    if seconds.is_some() {
        bound_memory();
    }
    let began = Instant::now();
    let mut pass = 0;
    while pass == 0 || seconds.is_some_and(|seconds| began.elapsed() < seconds) {
        pass += 1;
        for (path, data) in &files {
            for round in 0..rounds {
                let other = &files[dice.below(files.len())].1;
                let mutated = mutate(data, other, &mut dice);
                let outcome = catch_unwind(AssertUnwindSafe(|| check(&parse(&mutated))));
                assert!(
                    outcome.is_ok(),
                    "{}, pass {pass}, round {round}: {:?}",
                    path.display(),
                    String::from_utf8_lossy(&mutated)
                );
            }
        }
    }
    if seconds.is_some() {
        let taken = most_memory();
        assert!(taken.is_none_or(|taken| taken < MEMORY), "{taken:?} KiB");
    }
}

/// From now on what asks for too much ends this process, and not the machine.
#[cfg(target_os = "linux")]
fn bound_memory() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit {
        current: Some(ADDRESSES),
        maximum: Some(ADDRESSES),
    };
    setrlimit(Resource::As, limit).expect("a limit may be lowered");
}

/// The most that this process has had in memory, in KiB; `None` where the system does not tell.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn replies_of_outscale_are_survived_in_every_form() {
    let player = Player::new(&OUTSCALE);
    run("outscale", |data| player.play(data));
}

#[test]
fn replies_of_lightsail_are_survived_in_every_form() {
    let player = Player::new(&LIGHTSAIL);
    run("lightsail", |data| player.play(data));
}

#[test]
fn replies_of_rackspace_are_survived_in_every_form() {
    let player = Player::new(&RACKSPACE);
    run("rackspace", |data| player.play(data));
}
