//! A power cut at any moment of a fetch: what a disk may have kept by then is put into a folder of its own, and nothing there
//! passes for what it is not, and the next fetch ends as if nothing had been.
//!
//! What the program does to its files is recorded by `powercut.c`. A disk keeps what was synced; of the rest the tests let it
//! keep what is worst.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::blocks::{self, Blocks};
use crate::depot::{self, Act, Depot};
use crate::program::{Ran, User};
use crate::stage::side_by_side;

/// What is asked for at once.
const PART: u64 = 8 << 20;
/// Behind a name: which parts are there.
const JOURNAL: &str = ".partial.parts";
/// States of a disk from which a fetch goes on, at most, evenly chosen from all.
const SAMPLE: usize = 16;

/// A disk whose packed bytes are three parts.
fn disk(seed: u64) -> Vec<u8> {
    let mut disk = vec![0; 20 << 20];
    let mut state = seed;
    for chunk in disk[..17 << 20].chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    disk
}

static DISK: LazyLock<Vec<u8>> = LazyLock::new(|| disk(0x9e37_79b9_7f4a_7c15));
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| packed(&DISK));

fn packed(disk: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(disk).expect("memory");
    encoder.finish().expect("memory")
}

/// The recorder, compiled. Without a compiler there is no such test, and that is said.
static RECORDER: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a directory");
    let (source, library) = (
        folder.path().join("powercut.c"),
        folder.path().join("powercut.so"),
    );
    std::fs::write(&source, include_str!("powercut.c")).expect("written");
    let compiled = Command::new("cc")
        .args(["-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-pthread"])
        .arg("-o")
        .args([&library, &source])
        .arg("-ldl")
        .output();
    let compiled = compiled.unwrap_or_else(|error| {
        panic!("NO POWER CUT WAS TESTED: it takes a C compiler, and cc does not run: {error}")
    });
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(
        compiled.status.success(),
        "NO POWER CUT WAS TESTED: cc cannot compile powercut.c: {said}"
    );
    (folder, library)
});

/// Bytes of a page of a file.
const PAGE: u64 = 64 << 10;
static ZEROS: [u8; PAGE as usize] = [0; PAGE as usize];

/// What a file holds. Pages that are not here are zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bytes {
    length: u64,
    pages: BTreeMap<u64, Arc<Vec<u8>>>,
}

impl Bytes {
    fn of(bytes: &[u8]) -> Self {
        let mut all = Bytes::default();
        all.write(0, bytes);
        all
    }

    fn write(&mut self, at: u64, mut bytes: &[u8]) {
        self.length = self.length.max(at + bytes.len() as u64);
        let mut at = at;
        while !bytes.is_empty() {
            let inside = at % PAGE;
            let (own, rest) = bytes.split_at(bytes.len().min((PAGE - inside) as usize));
            if self.pages.contains_key(&(at / PAGE)) || *own != ZEROS[..own.len()] {
                let page = self.pages.entry(at / PAGE).or_default();
                let page = Arc::make_mut(page);
                page.resize(PAGE as usize, 0);
                page[inside as usize..][..own.len()].copy_from_slice(own);
            }
            (at, bytes) = (at + own.len() as u64, rest);
        }
    }

    fn set_length(&mut self, length: u64) {
        self.pages.retain(|number, _| number * PAGE < length);
        if let Some(page) = self.pages.get_mut(&(length / PAGE)) {
            Arc::make_mut(page)[(length % PAGE) as usize..].fill(0);
        }
        self.length = length;
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write(at, bytes) => self.write(*at, bytes),
            Change::Length(length) => self.set_length(*length),
        }
    }

    /// As a file with holes.
    fn put(&self, path: &Path) {
        let file = File::create_new(path).expect("made");
        for (number, page) in &self.pages {
            let length = (self.length - number * PAGE).min(PAGE) as usize;
            file.write_all_at(&page[..length], number * PAGE)
                .expect("written");
        }
        file.set_len(self.length).expect("long enough");
    }

    fn to_vec(&self) -> Vec<u8> {
        let mut all = vec![0; self.length as usize];
        for (number, page) in &self.pages {
            let own = &mut all[(number * PAGE) as usize..];
            let length = own.len().min(page.len());
            own[..length].copy_from_slice(&page[..length]);
        }
        all
    }

    /// Whether a file is this, as far as pages are here.
    fn is_in(&self, path: &Path) -> bool {
        let file = File::open(path).expect("it is there");
        let is_there = |(number, page): (&u64, &Arc<Vec<u8>>)| {
            let mut own = vec![0; (self.length - number * PAGE).min(PAGE) as usize];
            file.read_exact_at(&mut own, number * PAGE).is_ok() && own == page[..own.len()]
        };
        file.metadata().expect("it is there").len() == self.length
            && self.pages.iter().all(is_there)
    }
}

/// What was done to the bytes of a file.
#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// What was done in the folder.
#[derive(Clone, Debug)]
enum Deed {
    Change(u64, Change),
    Sync(u64),
    Create(u64, String),
    Rename(String, String),
    Unlink(String),
    SyncFolder,
}

fn deeds(record: &[u8]) -> Vec<Deed> {
    let mut rest = record;
    let mut deeds = Vec::new();
    while !rest.is_empty() {
        let (head, behind) = rest.split_at(32);
        let number = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().expect("8 bytes"));
        let (file, place) = (number(8), number(16));
        let (bytes, behind) = behind.split_at(number(24) as usize);
        let text = || String::from_utf8(bytes.to_vec()).expect("text");
        deeds.push(match number(0) as u8 {
            b'W' => Deed::Change(file, Change::Write(place, bytes.to_vec())),
            b'T' => Deed::Change(file, Change::Length(place)),
            b'S' => Deed::Sync(file),
            b'D' => Deed::SyncFolder,
            b'C' => Deed::Create(file, text()),
            b'U' => Deed::Unlink(text()),
            b'R' => {
                let names = text();
                let (from, to) = names.split_once('/').expect("two names");
                Deed::Rename(from.to_owned(), to.to_owned())
            }
            other => panic!("no deed: {other}"),
        });
        rest = behind;
    }
    deeds
}

/// What is kept of names that no sync of the folder has secured.
#[derive(Clone, Copy, Debug)]
enum Names {
    All,
    None,
    /// Only the last: a later one does not imply an earlier.
    Last,
}

/// What is kept of data that no sync of the file has secured.
#[derive(Clone, Copy, Debug)]
enum Data {
    All,
    None,
    /// The later half.
    Later,
}

/// The worst there is, in each way.
const WAYS: [(Names, Data); 6] = [
    (Names::All, Data::None),
    (Names::All, Data::Later),
    (Names::None, Data::None),
    (Names::None, Data::Later),
    (Names::Last, Data::None),
    (Names::Last, Data::Later),
];

/// Files by their names.
type Folder = BTreeMap<String, Bytes>;

/// A file: what is certain of it, and what was done since.
#[derive(Default)]
struct Inode {
    certain: Bytes,
    since: Vec<Change>,
}

/// A disk while it runs.
#[derive(Default)]
struct Platter {
    files: Vec<Inode>,
    /// Which file an inode's number stands for now: a number is used again.
    numbers: BTreeMap<u64, usize>,
    certain: BTreeMap<String, usize>,
    since: Vec<Naming>,
}

#[derive(Clone)]
enum Naming {
    Is(String, usize),
    Moved(String, String),
    Gone(String),
}

impl Platter {
    /// With what stands in a folder.
    fn of(folder: &Path) -> Self {
        let mut disk = Platter::default();
        for (name, path) in entries(folder) {
            let number = path.metadata().expect("it is there").ino();
            disk.numbers.insert(number, disk.files.len());
            disk.certain.insert(name, disk.files.len());
            disk.files.push(Inode {
                certain: Bytes::of(&std::fs::read(path).expect("it is there")),
                since: Vec::new(),
            });
        }
        disk
    }

    fn play(&mut self, deed: &Deed) {
        match deed {
            Deed::Change(number, change) => {
                let file = self.numbers[number];
                self.files[file].since.push(change.clone());
            }
            Deed::Sync(number) => {
                let file = &mut self.files[self.numbers[number]];
                for change in std::mem::take(&mut file.since) {
                    file.certain.apply(&change);
                }
            }
            Deed::Create(number, name) => {
                self.numbers.insert(*number, self.files.len());
                self.since.push(Naming::Is(name.clone(), self.files.len()));
                self.files.push(Inode::default());
            }
            Deed::Rename(from, to) => self.since.push(Naming::Moved(from.clone(), to.clone())),
            Deed::Unlink(name) => self.since.push(Naming::Gone(name.clone())),
            Deed::SyncFolder => {
                self.certain = self.names(Names::All);
                self.since.clear();
            }
        }
    }

    fn names(&self, kept: Names) -> BTreeMap<String, usize> {
        let mut all = self.certain.clone();
        let mut names = self.certain.clone();
        for (at, naming) in self.since.iter().enumerate() {
            let is_kept = match kept {
                Names::All => true,
                Names::None => false,
                Names::Last => at + 1 == self.since.len(),
            };
            let moved = match naming {
                Naming::Moved(from, _) => all.get(from).copied(),
                _ => None,
            };
            for (names, is_kept) in [(&mut all, true), (&mut names, is_kept)] {
                match naming {
                    _ if !is_kept => {}
                    Naming::Is(name, file) => drop(names.insert(name.clone(), *file)),
                    Naming::Gone(name) => drop(names.remove(name)),
                    Naming::Moved(from, to) => {
                        names.remove(from);
                        names.extend(moved.map(|file| (to.clone(), file)));
                    }
                }
            }
        }
        names
    }

    /// What is there once the power is back.
    fn after_cut(&self, (names, data): (Names, Data)) -> Folder {
        let bytes = |file: usize| {
            let Inode { certain, since } = &self.files[file];
            let mut bytes = certain.clone();
            let first = match data {
                Data::All => 0,
                Data::None => since.len(),
                Data::Later => since.len().div_ceil(2),
            };
            since[first..].iter().for_each(|change| bytes.apply(change));
            bytes
        };
        let names = self.names(names).into_iter();
        names.map(|(name, file)| (name, bytes(file))).collect()
    }
}

/// Names and paths of what is in a folder.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).expect("it is there").flatten();
    let mut entries: Vec<(String, PathBuf)> = entries
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .collect();
    entries.sort();
    entries
}

/// Runs a fetch into a folder and gives every folder that a power cut may leave, each once, in the order of time.
fn cuts(folder: &Path, fetch: impl FnOnce(&[(&str, &Path)]) -> Ran) -> Vec<(String, Folder)> {
    let notes = tempfile::tempdir().expect("a directory");
    let record = notes.path().join("record");
    let mut disk = Platter::of(folder);
    let ran = fetch(&[
        ("LD_PRELOAD", &RECORDER.1),
        ("POWERCUT_FOLDER", folder),
        ("POWERCUT_RECORD", &record),
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let deeds = deeds(&std::fs::read(&record).expect("something was recorded"));
    let syncs = deeds
        .iter()
        .filter(|deed| matches!(deed, Deed::Sync(_) | Deed::SyncFolder));
    assert!(syncs.count() > 5, "it syncs: {}", deeds.len());
    let mut found: Vec<(String, Folder)> = Vec::new();
    for (at, deed) in deeds.iter().enumerate() {
        disk.play(deed);
        // Between two writes in a row no disk knows more than before.
        let is_write = |deed: &Deed| matches!(deed, Deed::Change(..));
        if is_write(deed) && deeds.get(at + 1).is_some_and(is_write) {
            continue;
        }
        let noted = disk.after_cut((Names::All, Data::None));
        let noted = noted
            .keys()
            .filter(|name| !journaled(&noted, name).is_empty());
        let noted: Vec<String> = noted.cloned().collect();
        for way in WAYS {
            let folder = disk.after_cut(way);
            for name in &noted {
                assert!(
                    folder.contains_key(name),
                    "{name} is lost: {at}, {deed:?}, {way:?}"
                );
            }
            if found.iter().all(|(_, other)| *other != folder) {
                let last = match deed {
                    Deed::Change(..) => "a write".to_owned(),
                    other => format!("{other:?}"),
                };
                found.push((format!("cut after deed {at}, {last}, {way:?}"), folder));
            }
        }
    }
    // What was not recorded was not tested.
    let all = disk.after_cut((Names::All, Data::All));
    let names: Vec<String> = entries(folder).into_iter().map(|(name, _)| name).collect();
    assert_eq!(all.keys().cloned().collect::<Vec<_>>(), names);
    for (name, bytes) in &all {
        assert!(bytes.is_in(&folder.join(name)), "{name} is not as recorded");
    }
    found
}

/// That a name which stands is right and proved.
#[track_caller]
fn is_proved(folder: &Folder, (name, right): (&str, &Bytes), proof: &str, when: &str) {
    let Some(found) = folder.get(name) else {
        return;
    };
    assert!(found == right, "{when}: {name} stands and is wrong");
    let evidence = folder.get(proof);
    let evidence = evidence.unwrap_or_else(|| panic!("{when}: {name} stands without evidence"));
    let evidence: Value = serde_json::from_slice(&evidence.to_vec())
        .unwrap_or_else(|error| panic!("{when}: {name} stands with half an evidence: {error}"));
    let files = evidence["files"].as_array().expect("files").iter();
    let mut told = files.filter_map(|file| file["path"].as_str());
    assert!(
        told.any(|path| Path::new(path).ends_with(name)),
        "{when}: the evidence does not tell of {name}"
    );
}

/// An even sample, the last included.
fn sample<T>(all: Vec<T>) -> Vec<T> {
    let step = all.len().div_ceil(SAMPLE).max(1);
    let last = all.len().saturating_sub(1) % step;
    all.into_iter().skip(last).step_by(step).collect()
}

/// For a fetch whose power is not cut: nobody waits for the disk, and nothing is recorded.
fn unsynced(folder: &Path) -> [(&'static str, &Path); 3] {
    [
        ("LD_PRELOAD", &RECORDER.1),
        ("POWERCUT_FOLDER", folder),
        ("POWERCUT_RECORD", Path::new("/dev/null")),
    ]
}

/// The parts that a file has, if it is a journal.
fn journaled(folder: &Folder, name: &str) -> BTreeSet<u64> {
    let journal = folder.get(name).filter(|_| name.ends_with(JOURNAL));
    let text = journal.map(Bytes::to_vec).unwrap_or_default();
    let text = String::from_utf8(text).unwrap_or_default();
    let lines = text.lines().skip(1);
    let parts =
        lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()?["number"].as_u64());
    parts.collect()
}

/// Fetches, and again from what each power cut may have left.
fn survives(name: &str, right: &[u8], force: &[&str], older: Option<&[u8]>) {
    let healthy = |_, _| Act::Serve;
    let depot = Depot::of(&PACKED, healthy);
    let scene = tempfile::tempdir().expect("a directory");
    let folder = scene.path().canonicalize().expect("it is there");
    let fetch = |user: &User, folder: &Path, more: &[&str], env: &[(&str, &Path)]| {
        let to = folder.join(name);
        let to = to.to_str().expect("text");
        let args = [&["fetch", depot::TASK, "--to", to, "-q"], more].concat();
        let output = user.command(&args).envs(env.iter().copied()).output();
        Ran::from(output.expect("it runs"), &args)
    };
    if let Some(older) = older {
        let ran = fetch(
            &Depot::of(older, healthy).user(),
            &folder,
            &[],
            &unsynced(&folder),
        );
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let before = Platter::of(&folder).after_cut((Names::All, Data::All));
    let all = cuts(&folder, |env| fetch(&depot.user(), &folder, force, env));
    assert!(all.len() > 15, "{}", all.len());
    let bytes = Bytes::of(right);
    for (when, folder) in &all {
        // What was there before may stand, with what proved it.
        if before
            .get(name)
            .is_none_or(|old| folder.get(name) != Some(old))
        {
            is_proved(folder, (name, &bytes), &format!("{name}.export.json"), when);
        }
    }
    side_by_side(2, sample(all), |(when, kept)| {
        let depot = Depot::of(&PACKED, healthy);
        let user = depot.user();
        let scene = tempfile::tempdir().expect("a directory");
        for (name, bytes) in &kept {
            bytes.put(&scene.path().join(name));
        }
        let path = scene.path().join(name);
        let verify = || user.run(&["verify", path.to_str().expect("text")]);
        if kept.get(name).is_some_and(|found| *found != bytes) && verify().code == Some(0) {
            let evidence = kept.get(&format!("{name}.export.json"));
            assert_eq!(
                evidence,
                before.get(&format!("{name}.export.json")),
                "{when}: what was there before passes for the new"
            );
        }
        let ran = fetch(&user, scene.path(), force, &unsynced(scene.path()));
        assert_eq!(ran.code, Some(0), "{when}: {}", ran.all());
        let found = std::fs::read(&path).expect("it is there");
        assert!(found == right, "{when}: it is not what it must be");
        let verified = verify();
        assert_eq!(verified.code, Some(0), "{when}: {}", verified.all());
        let names: Vec<String> = entries(scene.path())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let beside = [".export.json", ".sha256"].map(|end| format!("{name}{end}"));
        assert_eq!(names, [vec![name.to_owned()], beside.to_vec()].concat());
        let known = journaled(&kept, &format!("{name}{JOURNAL}"));
        for (first, _) in depot.asked() {
            assert!(
                !known.contains(&(first / PART)),
                "{when}: {first} was there: {known:?}"
            );
        }
    });
}

#[test]
fn a_power_cut_leaves_nothing_that_passes_as_finished_and_the_next_fetch_ends_right() {
    let _alone = crate::fetch::alone();
    let name = "disk.raw.gz";
    survives(name, &PACKED, &[], None);
    survives("disk.raw", &DISK, &[], None);
    // Of the same size, as another snapshot of the same disk is.
    let older = packed(&disk(0x1234_5678));
    survives("disk.raw", &DISK, &["--force"], Some(&older));
}

#[test]
fn a_power_cut_between_two_disks_leaves_neither_without_their_evidence() {
    let _alone = crate::fetch::alone();
    let blocks = Blocks::of(|_| blocks::Act::Serve);
    let scene = tempfile::tempdir().expect("a directory");
    let folder = scene.path().canonicalize().expect("it is there");
    let task = format!("lightsail/{}", blocks::TASK);
    let fetch = |folder: &Path, env: &[(&str, &Path)]| {
        let args = ["fetch", &task, "--to", folder.to_str().expect("text"), "-q"];
        let output = blocks
            .user()
            .command(&args)
            .envs(env.iter().copied())
            .output();
        Ran::from(output.expect("it runs"), &args)
    };
    let all = cuts(&folder, |env| fetch(&folder, env));
    // What the disks must be is the matter of another test.
    let (_, whole) = all.last().expect("the end");
    let right = ["web-1-sda1.raw", "web-1-xvdf.raw"].map(|name| (name, whole[name].clone()));
    for (when, folder) in &all {
        for (name, right) in &right {
            is_proved(folder, (name, right), "web-1.export.json", when);
        }
    }
    // One is there, and the other is not.
    let is_half = |folder: &Folder| {
        let stands = |name| folder.contains_key(name);
        stands(right[0].0) && !stands(right[1].0)
    };
    let half = all.iter().find(|(_, folder)| is_half(folder));
    let (when, half) = half.expect("it happens");
    let scene = tempfile::tempdir().expect("a directory");
    for (name, bytes) in half {
        bytes.put(&scene.path().join(name));
    }
    blocks.asked();
    let ran = fetch(scene.path(), &unsynced(scene.path()));
    assert_eq!(
        (ran.code, blocks.asked()),
        (Some(0), 0),
        "{when}: {}",
        ran.all()
    );
    // What was verified of the one that was there is not forgotten.
    let evidence = std::fs::read(scene.path().join("web-1.export.json")).expect("it is there");
    let evidence: Value = serde_json::from_slice(&evidence).expect("JSON");
    for device in ["/dev/sda1", "/dev/xvdf"] {
        let name = format!("{device}: SHA-256 of the blocks");
        let checks = evidence["checks"].as_array().expect("checks");
        let found = checks.iter().any(|check| check["name"] == name.as_str());
        assert!(found, "{name}: {evidence}");
    }
    for (name, right) in &right {
        assert!(right.is_in(&scene.path().join(name)), "{when}: {name}");
    }
}
