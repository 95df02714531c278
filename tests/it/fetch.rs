//! What `fetch` promises, against a store that misbehaves.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::depot::{Act, Depot, IMAGE, NAME, TASK, md5_hex};
use crate::program::{Clouds, Ran, User};
use crate::stage::{CLOUDS, GOOD, QUICK};

/// What is asked for at once.
const PART: u64 = 8 << 20;

/// A disk that does not pack well at its beginning, and is empty behind that.
static DISK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut disk = vec![0; 64 << 20];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for chunk in disk[..20 << 20].chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    disk
});

static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&DISK).expect("memory");
    encoder.finish().expect("memory")
});

/// One at a time: each keeps a core busy, and others draw bars that must move.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place for what is fetched, and who fetches.
struct Scene {
    depot: Depot,
    user: User,
    folder: tempfile::TempDir,
}

impl Scene {
    fn of(depot: Depot) -> Self {
        Scene {
            user: depot.user(),
            depot,
            folder: tempfile::tempdir().expect("a directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, to: &str, more: &[&str]) -> Vec<String> {
        let path = self.path(to);
        let mut args = vec!["fetch".to_owned(), TASK.to_owned(), "--to".to_owned()];
        args.push(path.to_str().expect("text").to_owned());
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        args
    }

    fn fetch(&self, to: &str, more: &[&str]) -> Ran {
        let args = self.command(to, more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.user.run(&args)
    }

    /// Of a fetch that succeeded, that all of it is there and nothing else.
    #[track_caller]
    fn is_right(&self, ran: &Ran, name: &str, content: &[u8]) {
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let found = std::fs::read(self.path(name)).expect("it is there");
        assert!(
            found == content,
            "{name} is not what it must be: {}",
            ran.all()
        );
        let mut names: Vec<String> = names(self.folder.path());
        names.retain(|other| !other.starts_with(&format!("{name}.")) && other != name);
        assert_eq!(names, [""; 0], "left behind");
        for end in [".partial", ".partial.parts", ".partial.unpacked", ".bad"] {
            assert!(
                !self.path(&format!("{name}{end}")).exists(),
                "{name}{end} is left"
            );
        }
        let sums = std::process::Command::new("sha256sum")
            .args(["--strict", "-c", &format!("{name}.sha256")])
            .current_dir(self.folder.path())
            .output();
        assert!(sums.expect("it runs").status.success());
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn healthy(_: usize, _: u64) -> Act {
    Act::Serve
}

#[test]
fn what_is_fetched_has_its_sum_and_its_evidence_beside_it() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, healthy));
    let ran = scene.fetch("", &["-o", "json"]);
    scene.is_right(&ran, NAME, &PACKED);
    let evidence: Value = ran.json().remove(0);
    let kept = std::fs::read(scene.path(&format!("{NAME}.export.json"))).expect("it is there");
    assert_eq!(
        serde_json::from_slice::<Value>(&kept).expect("JSON"),
        evidence
    );
    assert_eq!(evidence["task_id"], TASK);
    assert_eq!(evidence["account"], "123456789012");
    assert_eq!(evidence["source"]["uri"], format!("s3://demo/{NAME}"));
    assert_eq!(evidence["files"][0]["size_bytes"], PACKED.len());
    let result = |name: &str| {
        let checks = evidence["checks"].as_array().expect("checks").clone();
        let found = checks.into_iter().find(|check| check["name"] == name);
        found.expect(name)["result"].clone()
    };
    for name in ["size", "MD5 of the store", "gzip"] {
        assert_eq!(result(name), "passed", "{name}");
    }
    assert_eq!(result("structure"), "not_possible");
    // As each of them is asked for once, so is each byte.
    let asked = scene.depot.asked();
    assert_eq!(
        asked.iter().map(|(_, length)| length).sum::<u64>(),
        PACKED.len() as u64
    );
    // A finished file is not fetched again.
    let again = scene.fetch("", &["-o", "json"]);
    assert_eq!(again.json()[0], evidence, "{}", again.all());
    assert_eq!(scene.depot.asked(), []);
    let verified = scene
        .user
        .run(&["verify", scene.path(NAME).to_str().expect("text")]);
    assert_eq!(verified.code, Some(0), "{}", verified.all());
}

#[test]
fn it_is_unpacked_where_it_is_not_to_be_a_gzip_and_stays_sparse() {
    let _alone = alone();
    for (to, more) in [("disk.raw", &[][..]), ("", &["--decompress"])] {
        let scene = Scene::of(Depot::of(&PACKED, healthy));
        let name = if to.is_empty() {
            "snap-0a1b2c3d-0a1b2c3d.raw"
        } else {
            to
        };
        let ran = scene.fetch(to, more);
        scene.is_right(&ran, name, &DISK);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let blocks = scene.path(name).metadata().expect("it is there").blocks();
            assert!(blocks * 512 < 24 << 20, "{blocks} blocks");
        }
        assert!(ran.stdout.contains("partition table"), "{}", ran.all());
    }
}

#[test]
fn a_passing_bad_reply_is_asked_for_again_and_costs_only_its_range() {
    let _alone = alone();
    let acts = [
        Act::Page(200),
        Act::Page(503),
        Act::Page(500),
        Act::Page(429),
        Act::Page(416),
        Act::Whole,
        Act::Cut(100_000),
        Act::Cut(0),
        Act::Short,
        Act::Long,
        Act::Elsewhere,
    ];
    crate::stage::side_by_side(2, acts.to_vec(), |act| {
        let odd = act.clone();
        let scene = Scene::of(Depot::of(&PACKED, move |_, _| Act::Serve));
        let seen = std::sync::atomic::AtomicUsize::new(0);
        scene.depot.plan(move |_, first| {
            let is_second = (PART..2 * PART).contains(&first);
            match is_second && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                true => odd.clone(),
                false => Act::Serve,
            }
        });
        let ran = scene.fetch("", &["-q"]);
        scene.is_right(&ran, NAME, &PACKED);
        let asked = scene.depot.asked();
        let of_others = asked
            .iter()
            .filter(|(first, _)| !(PART..2 * PART).contains(first));
        let count = PACKED.len().div_ceil(PART as usize) - 1;
        assert_eq!(of_others.count(), count, "{act:?}: {asked:?}");
        let bytes: u64 = asked.iter().map(|(_, length)| length).sum();
        assert!(bytes <= PACKED.len() as u64 + PART, "{act:?}: {asked:?}");
    });
}

#[test]
fn pages_in_a_row_do_not_make_it_another_object() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, |number, _| match number {
        1..=3 => Act::Page(200),
        _ => Act::Otherwise,
    }));
    let ran = scene.fetch("", &["--parallel", "1"]);
    scene.is_right(&ran, NAME, &PACKED);
    assert!(!ran.stderr.contains("changed"), "{}", ran.all());
    let asked = scene.depot.asked();
    assert_eq!(asked.iter().filter(|(first, _)| *first == 0).count(), 1);
}

#[test]
fn a_store_that_tells_another_size_than_it_has_makes_no_image() {
    let _alone = alone();
    // Nothing else would show it: the ETag is no MD5, and nobody unpacks it.
    for told in [PART + 512, PART - 512, 0, PACKED.len() as u64 + 1] {
        let depot = Depot::of(&PACKED, healthy).with_told_size(told);
        let depot = depot.with_etag("0123456789abcdef0123456789abcdef-3");
        let mut scene = Scene::of(depot);
        scene.user = scene.user.in_haste();
        let ran = scene.fetch("", &["-o", "json", "--no-inflate"]);
        assert_eq!(ran.code, Some(1), "{told}: {}", ran.all());
        assert!(!scene.path(NAME).exists(), "{told}: {}", ran.all());
    }
}

#[test]
fn a_store_that_asks_for_a_long_pause_is_not_waited_for() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, |_, first| match first {
        0 => Act::Serve,
        _ => Act::Pause(7200),
    }));
    let ran = scene.fetch("", &["--parallel", "1"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stderr.contains("a pause of 2"), "{}", ran.all());
    assert_eq!(journaled(&scene, NAME), [0]);
}

#[test]
fn an_object_that_changes_in_the_middle_is_fetched_from_its_beginning() {
    let _alone = alone();
    let mut other = PACKED.clone();
    other.truncate(0);
    let mut encoder = GzEncoder::new(other, Compression::fast());
    encoder.write_all(&DISK[..30 << 20]).expect("memory");
    let other = encoder.finish().expect("memory");
    let scene = Scene::of(Depot::of(&PACKED, |number, _| match number {
        0 => Act::Serve,
        _ => Act::Late(Duration::from_millis(300)),
    }));
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| scene.fetch("", &["--parallel", "1"]));
        let began = Instant::now();
        while !scene.path(&format!("{NAME}.partial")).exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "it never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        scene.depot.change(&other);
        running.join().expect("it ends")
    });
    scene.is_right(&ran, NAME, &other);
    assert!(
        ran.stderr.contains("was changed meanwhile"),
        "{}",
        ran.all()
    );
}

#[test]
fn what_is_not_right_never_gets_its_name() {
    let _alone = alone();
    for to in ["", "disk.raw"] {
        let scene = Scene::of(Depot::of(&PACKED, |_, first| match first {
            PART => Act::Corrupt,
            _ => Act::Serve,
        }));
        let ran = scene.fetch(to, &["-o", "json"]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert_eq!(ran.json_error()["kind"], "corrupt", "{}", ran.all());
        let name = if to.is_empty() { NAME } else { to };
        assert_eq!(names(scene.folder.path()), [format!("{name}.bad")]);
        // The same again is a new fetch.
        scene.depot.plan(healthy);
        let content: &[u8] = if to.is_empty() { &PACKED } else { &DISK };
        std::fs::remove_file(scene.path(&format!("{name}.bad"))).expect("it is there");
        scene.is_right(&scene.fetch(to, &[]), name, content);
    }
    // Cut at the store, with an ETag that tells nothing.
    let cut = &PACKED[..PACKED.len() - 5];
    let scene = Scene::of(Depot::of(cut, healthy).with_etag("0123456789abcdef0123456789abcdef-3"));
    let ran = scene.fetch("", &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stderr.contains("gzip"), "{}", ran.all());
}

#[test]
fn what_could_not_be_verified_is_said() {
    let _alone = alone();
    let depot = Depot::of(&PACKED, healthy).with_etag("0123456789abcdef0123456789abcdef-3");
    let scene = Scene::of(depot);
    let ran = scene.fetch("", &["-o", "json"]);
    let checks = ran.json()[0]["checks"].clone();
    let sum = checks
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["name"] == "MD5 of the store");
    assert_eq!(sum.expect("it is said")["result"], "not_possible");
    scene.is_right(&ran, NAME, &PACKED);
    // What is no gzip passes, and the evidence says who wanted it so.
    let scene = Scene::of(Depot::of(b"no gzip at all", healthy));
    let ran = scene.fetch("", &["-o", "json", "--no-inflate"]);
    let checks = ran.json()[0]["checks"].clone();
    let gzip = checks
        .as_array()
        .and_then(|all| all.iter().find(|check| check["name"] == "gzip"));
    assert_eq!(gzip.expect("it is said")["result"], "not_possible");
    scene.is_right(&ran, NAME, b"no gzip at all");
    let ran = scene.fetch("disk.raw", &["--no-inflate"]);
    assert_eq!(
        ran.code,
        Some(2),
        "not a file that does not end in .gz: {}",
        ran.all()
    );
}

/// What a check of the evidence came to.
fn result(ran: &Ran, name: &str) -> String {
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let evidence = ran.json().remove(0);
    let checks = evidence["checks"].as_array().expect("checks").clone();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}: {checks:?}"));
    check["result"].as_str().expect("text").to_owned()
}

/// The ETag of an upload in parts of this size.
fn in_parts(bytes: &[u8], part: usize) -> String {
    use md5::{Digest, Md5};
    let each: Vec<u8> = bytes.chunks(part).flat_map(Md5::digest).collect();
    format!("{}-{}", md5_hex(&each), bytes.chunks(part).len())
}

#[test]
fn what_a_store_of_s3_says_of_an_object_is_held_against_it() {
    let _alone = alone();
    const NAMED: &str = "MD5 of the store";
    let json = &["-o", "json"];
    // Of parts whose size everybody takes, and of those that the store must say.
    let usual = Depot::of(&PACKED, healthy).with_etag(&in_parts(&PACKED, 8 << 20));
    let odd = 3_000_001;
    let told = Depot::of(&PACKED, healthy)
        .with_etag(&in_parts(&PACKED, odd))
        .with_first_part(odd as u64);
    for depot in [usual, told] {
        let scene = Scene::of(depot);
        let ran = scene.fetch("", json);
        assert_eq!(result(&ran, NAMED), "passed");
        let ids = ran.json()[0]["request_ids"].clone();
        let ids: Vec<&str> = ids
            .as_array()
            .expect("ids")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(ids.contains(&"HEAD") && ids.contains(&"PART"), "{ids:?}");
    }
    // An object that is sealed has an ETag that only looks like an MD5.
    let sealed = Depot::of(&PACKED, healthy)
        .with_etag("0123456789abcdef0123456789abcdef")
        .with_head("x-amz-server-side-encryption", "aws:kms");
    assert_eq!(
        result(&Scene::of(sealed).fetch("", json), NAMED),
        "not_possible"
    );
    // The sums of "123456789" are those that their standards name; `0` is another's.
    let sums = [
        ("crc32", "y/Q5Jg=="),
        ("crc32c", "4waSgw=="),
        ("crc64nvme", "rosUhgp5mIg="),
        ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];
    for (name, sum) in sums {
        let check = format!("{name} of the cloud");
        let header = format!("x-amz-checksum-{name}");
        let of = |value: &str| Depot::of(b"123456789", healthy).with_head(&header, value);
        let scene = Scene::of(of(sum));
        let ran = scene.fetch("", &["-o", "json", "--no-inflate"]);
        assert_eq!(result(&ran, &check), "passed");
        let scene = Scene::of(of("AAAA"));
        let ran = scene.fetch("", &["-o", "json", "--no-inflate"]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert!(
            ran.json_error()["message"].to_string().contains(&check),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn a_segment_that_came_wrong_is_asked_for_again_and_costs_only_itself() {
    let _alone = alone();
    let export = GOOD[2];
    for (what, code) in [("1:corrupt", 0), ("*:corrupt", 1)] {
        let fault = format!("rackspace:get object:{what}").parse();
        let clouds = Clouds::start_with(snapexport_sandbox::Options {
            duration: QUICK,
            object_size: Some(24 << 20),
            ..Default::default()
        });
        let user = User::of(&clouds);
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("disk.vhd");
        let id = user.run(&[export, &["--wait", "-o", "id"]].concat()).id();
        clouds.set_faults(vec![fault.expect("a fault")]);
        let to = path.to_str().expect("text");
        let ran = user.run(&[
            "fetch",
            &format!("rackspace/{id}"),
            "--to",
            to,
            "-o",
            "json",
        ]);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
        assert_eq!(path.exists(), code == 0);
        assert_eq!(folder.path().join("disk.vhd.bad").exists(), code == 1);
        if code == 0 {
            assert_eq!(result(&ran, "MD5 of the store"), "passed");
        }
    }
}

#[test]
fn room_for_the_unpacked_disk_is_looked_for_before_the_first_byte() {
    let _alone = alone();
    // A petabyte.
    let scene = Scene::of(Depot::of(&PACKED, healthy).with_volume(1 << 20));
    let ran = scene.fetch("disk.raw", &["-o", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stderr.contains("There is no room"), "{}", ran.all());
    assert!(ran.stderr.contains("ends in .gz"), "{}", ran.all());
    assert_eq!(scene.depot.asked(), [], "nothing was read");
    assert_eq!(names(scene.folder.path()), [""; 0]);
    // Packed, it does not matter.
    scene.is_right(&scene.fetch("", &[]), NAME, &PACKED);
}

#[test]
fn an_object_is_read_within_the_clouds_own_network_where_that_is_wished() {
    let _alone = alone();
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(&[GOOD[2], &["--wait", "-o", "id"]].concat()).id();
    let folder = tempfile::tempdir().expect("a directory");
    let to = folder.path().to_str().expect("text");
    let fetch = ["fetch", &format!("rackspace/{id}"), "--to", to, "-v"];
    for (name, value) in [
        ("OS_INTERFACE", "internal"),
        ("OS_ENDPOINT_TYPE", "internalURL"),
    ] {
        let ran = User::of(&clouds).with(name, value).in_haste().run(&fetch);
        // Which leads nowhere from here.
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert!(ran.stderr.contains("snet-storage101"), "{}", ran.all());
    }
    let ran = User::of(&clouds)
        .with("OS_INTERFACE", "sideways")
        .run(&fetch);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    let ran = user.run(&fetch);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(!ran.stderr.contains("snet-storage101"), "{}", ran.all());
}

/// The parts that the journal has.
fn journaled(scene: &Scene, name: &str) -> Vec<u64> {
    let text = std::fs::read_to_string(scene.path(&format!("{name}.partial.parts")));
    let text = text.unwrap_or_default();
    let lines = text.lines().skip(1);
    let parts =
        lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()?["number"].as_u64());
    parts.collect()
}

/// Kills of a fetch, for what is kept packed and for what is unpacked.
const KILLS: u32 = 50;

#[test]
#[expect(
    clippy::print_stdout,
    reason = "cargo shows it where the test fails: what it takes to repeat it"
)]
fn a_fetch_that_is_killed_goes_on_and_asks_for_nothing_twice_that_was_journaled() {
    let _alone = alone();
    // Two parts.
    let disk = &DISK[11 << 20..22 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(disk).expect("memory");
    let packed = encoder.finish().expect("memory");
    let seed = RandomState::new().build_hasher().finish();
    println!("seed {seed:#x}");
    let ways = vec![(NAME, &packed[..], seed | 1), ("disk.raw", disk, !seed | 1)];
    crate::stage::side_by_side(2, ways, |(name, content, seed)| {
        let mut random = seed;
        let scene = Scene::of(Depot::of(&packed, healthy));
        let args = scene.command(name, &["--parallel", "1", "-q"]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        // Ends with a fetch that is whole, and begins anew.
        let end = |ran: &Ran| {
            scene.is_right(ran, name, content);
            for file in names(scene.folder.path()) {
                std::fs::remove_file(scene.path(&file)).expect("it is there");
            }
        };
        // The moments are spread over all that a fetch does, however slow the machine is.
        let began = Instant::now();
        end(&scene.user.run(&args));
        let whole = began.elapsed();
        let (mut kills, mut went_on) = (0, 0);
        while kills < KILLS {
            scene.depot.asked();
            let known = journaled(&scene, name);
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut child = scene
                .user
                .command(&args)
                .stdout(Stdio::null())
                .spawn()
                .expect("it runs");
            std::thread::sleep(whole.mul_f64((random % 1000) as f64 / 1000.0));
            child.kill().expect("it is ours");
            let status = child.wait().expect("it ends");
            for (first, _) in scene.depot.asked() {
                assert!(
                    !known.contains(&(first / PART)),
                    "kill {kills}: {first} was there: {known:?}"
                );
            }
            went_on += u32::from(!known.is_empty());
            match status.code() {
                None => kills += 1,
                Some(_) => end(&scene.user.run(&args)),
            }
        }
        end(&scene.user.run(&args));
        assert!(went_on > KILLS / 10, "{went_on}");
    });
}

#[test]
fn what_was_left_and_is_not_to_be_trusted_begins_again() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, healthy));
    let (partial, journal) = (
        scene.path(&format!("{NAME}.partial")),
        scene.path(&format!("{NAME}.partial.parts")),
    );
    // One that stopped in the middle.
    scene.depot.plan(|_, first| {
        if first >= PART {
            Act::Page(403)
        } else {
            Act::Serve
        }
    });
    assert_eq!(scene.fetch("", &["--parallel", "1"]).code, Some(4));
    let (half, said) = (
        std::fs::read(&partial).expect("kept"),
        std::fs::read(&journal).expect("kept"),
    );
    assert_eq!(journaled(&scene, NAME), [0]);
    scene.depot.plan(healthy);
    scene.depot.asked();
    let torn = [&said[..], b"{\"number\":1,\"cr"].concat();
    let spoils: [(&str, &dyn Fn(), bool); 7] = [
        ("as it was", &|| {}, false),
        (
            "torn",
            &|| std::fs::write(&journal, &torn).expect("written"),
            false,
        ),
        (
            "zeroed",
            &|| std::fs::write(&partial, vec![0; half.len()]).expect("written"),
            true,
        ),
        (
            "cut",
            &|| std::fs::write(&partial, &half[..1000]).expect("written"),
            true,
        ),
        (
            "missing",
            &|| std::fs::remove_file(&partial).expect("removed"),
            true,
        ),
        (
            "rubbish",
            &|| std::fs::write(&journal, "\0\u{7f}{\"number\":1").expect("written"),
            true,
        ),
        (
            "no journal",
            &|| std::fs::remove_file(&journal).expect("removed"),
            true,
        ),
    ];
    for (what, spoil, is_anew) in spoils {
        for end in ["", ".sha256", ".export.json"] {
            let _ = std::fs::remove_file(scene.path(&format!("{NAME}{end}")));
        }
        std::fs::write(&partial, &half).expect("written");
        std::fs::write(&journal, &said).expect("written");
        spoil();
        let ran = scene.fetch("", &[]);
        scene.is_right(&ran, NAME, &PACKED);
        let is_first_asked = scene.depot.asked().iter().any(|(first, _)| *first == 0);
        assert_eq!(is_first_asked, is_anew, "{what}");
    }
}

#[test]
fn two_processes_do_not_fetch_to_one_place() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, |_, _| {
        Act::Late(Duration::from_millis(800))
    }));
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| scene.fetch("", &["--parallel", "1"]));
        let began = Instant::now();
        while scene.depot.asked().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(30), "it never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = scene.fetch("", &["-o", "json"]);
        (first.join().expect("it ends"), second)
    });
    scene.is_right(&first, NAME, &PACKED);
    assert_eq!(second.code, Some(1), "{}", second.all());
    assert_eq!(second.json_error()["kind"], "conflict");
}

#[test]
fn a_file_that_is_not_from_there_is_not_overwritten_without_force() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, healthy));
    std::fs::write(scene.path("mine.gz"), "precious").expect("written");
    let ran = scene.fetch("mine.gz", &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stderr.contains("--force"), "{}", ran.all());
    assert_eq!(names(scene.folder.path()), ["mine.gz"]);
    assert_eq!(scene.depot.asked(), []);
    scene.is_right(&scene.fetch("mine.gz", &["--force"]), "mine.gz", &PACKED);
    // Packed it is not what an unpacked one would be.
    assert_eq!(scene.fetch("mine.gz", &["--decompress"]).code, Some(2));
    // Nor is what stands where the evidence would.
    for end in [".export.json", ".sha256"] {
        let other = scene.path(&format!("other.gz{end}"));
        std::fs::write(&other, "precious").expect("written");
        assert_eq!(scene.fetch("other.gz", &[]).code, Some(2), "{end}");
        assert_eq!(std::fs::read(&other).expect("there"), b"precious", "{end}");
        std::fs::remove_file(&other).expect("removed");
    }
    // What was fetched and is another object by now is not ours to overwrite either.
    scene.depot.change(&PACKED[..PACKED.len() - 1]);
    assert_eq!(scene.fetch("mine.gz", &[]).code, Some(2));
}

#[test]
fn what_somebody_puts_there_while_it_is_fetched_is_not_overwritten() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, |_, _| {
        Act::Late(Duration::from_millis(300))
    }));
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| scene.fetch("mine.gz", &[]));
        let began = Instant::now();
        while scene.depot.asked().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(30), "it never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::fs::write(scene.path("mine.gz"), "precious").expect("written");
        running.join().expect("it ends")
    });
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    let mine = std::fs::read(scene.path("mine.gz")).expect("it is there");
    assert_eq!(mine, b"precious");
    // Nothing of what came is lost.
    std::fs::remove_file(scene.path("mine.gz")).expect("removed");
    scene.depot.asked();
    scene.is_right(&scene.fetch("mine.gz", &[]), "mine.gz", &PACKED);
    assert_eq!(scene.depot.asked(), []);
}

#[test]
fn a_stream_is_in_order_and_verified_at_its_end() {
    let _alone = alone();
    let written = |depot: Depot, more: &[&str]| {
        let user = depot.user();
        let args = [&["fetch", TASK, "--to", "-"], more].concat();
        let output = user.command(&args).output().expect("it runs");
        (output.status.code(), output.stdout)
    };
    let slow_first = |_, first| match first {
        0 => Act::Late(Duration::from_millis(200)),
        _ => Act::Serve,
    };
    assert!(written(Depot::of(&PACKED, slow_first), &[]) == (Some(0), PACKED.clone()));
    assert!(written(Depot::of(&PACKED, healthy), &["--decompress"]) == (Some(0), DISK.clone()));
    let corrupt = |_, first| match first {
        PART => Act::Corrupt,
        _ => Act::Serve,
    };
    assert_eq!(written(Depot::of(&PACKED, corrupt), &[]).0, Some(1));
    // What was written cannot be taken back: one that changes is not begun again behind it.
    let depot = Depot::of(&PACKED, |_, first| match first {
        0 => Act::Serve,
        _ => Act::Late(Duration::from_millis(400)),
    });
    let user = depot.user();
    let output = std::thread::scope(|scope| {
        let args = ["fetch", TASK, "--to", "-", "--parallel", "1"];
        let running = scope.spawn(move || user.command(&args).output().expect("it runs"));
        while depot.asked().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        depot.change(&PACKED[..PACKED.len() - 1]);
        running.join().expect("it ends")
    });
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.len() < PACKED.len() && PACKED.starts_with(&output.stdout));
    // Whoever reads it may leave.
    let depot = Depot::of(&PACKED, healthy);
    let mut child = depot
        .user()
        .command(&["fetch", TASK, "--to", "-"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut begin = [0; 1000];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut begin).expect("it comes");
    drop(stdout);
    let ended = child.wait_with_output().expect("it ends");
    assert!(begin == PACKED[..1000] && !ended.status.success());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_while_it_looks_at_what_came() {
    let _alone = alone();
    let pack = |disk: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(disk).expect("memory");
        encoder.finish().expect("memory")
    };
    // 8 GiB once it is unpacked.
    let zeros = pack(&vec![0; 16 << 20]);
    let packed = [pack(&DISK[..1 << 20]), zeros.repeat(512)].concat();
    let scene = Scene::of(Depot::of(&packed, healthy));
    let args = scene.command("disk.raw", &["-q"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut child = scene.user.command(&args).spawn().expect("it runs");
    let unpacked = scene.path("disk.raw.partial.unpacked");
    let length = || unpacked.metadata().map_or(0, |data| data.len());
    while length() < 1 << 20 {
        assert!(child.try_wait().expect("it can be asked").is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it lives");
    let status = child.wait().expect("it ends");
    assert!(status.code().is_none() && length() < 8 << 30, "{status}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_stream_that_nobody_reads() {
    let _alone = alone();
    let depot = Depot::of(&PACKED, healthy);
    let mut child = depot
        .user()
        .command(&["fetch", TASK, "--to", "-", "-q"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    // The pipe is full long before that.
    let mut begin = [0; 1000];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut begin).expect("it comes");
    std::thread::sleep(Duration::from_millis(200));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it lives");
    let began = Instant::now();
    while child.try_wait().expect("it can be asked").is_none() {
        if began.elapsed() > Duration::from_secs(30) {
            child.kill().expect("it lives");
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stream_that_went_nowhere_is_no_success() {
    let _alone = alone();
    // So few bytes, without the end of a line, that they could wait for the end of the process.
    let depot = Depot::of(b"few", healthy);
    let user = depot.user();
    for (to, why) in [(">&-", "closed"), (">/dev/full", "No space left")] {
        let script = format!("{{}} fetch {TASK} --to - --no-inflate {to}");
        let script = script.replace("{}", crate::program::program().to_str().expect("text"));
        let shell = user.command(&[]);
        let mut sh = std::process::Command::new("sh");
        let variables = shell.get_envs();
        let output = sh
            .args(["-c", &script])
            .envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{to}: {said}");
        assert!(said.contains(why), "{to}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_link_in_its_way_is_neither_waited_for_nor_followed() {
    let _alone = alone();
    for end in ["partial", "partial.parts", "partial.unpacked"] {
        for is_pipe in [true, false] {
            let scene = Scene::of(Depot::of(&PACKED, healthy));
            let path = scene.path(&format!("disk.raw.{end}"));
            let precious = scene.path("precious");
            std::fs::write(&precious, "precious").expect("written");
            match is_pipe {
                true => {
                    let made = std::process::Command::new("mkfifo").arg(&path).status();
                    assert!(made.expect("it runs").success());
                }
                false => std::os::unix::fs::symlink(&precious, &path).expect("linked"),
            }
            let ran = scene.fetch("disk.raw", &[]);
            assert_eq!(ran.code, Some(1), "{end}: {}", ran.all());
            assert!(ran.stderr.contains("cannot be written"), "{}", ran.all());
            assert_eq!(std::fs::read(&precious).expect("there"), b"precious");
        }
    }
}

/// Has its bytes in memory.
struct Memory(&'static [u8]);

#[async_trait::async_trait]
impl snapexport::provider::Reader for Memory {
    async fn part(
        &self,
        first: u64,
        length: u64,
    ) -> snapexport::error::Result<snapexport::provider::Answer<'_>> {
        use futures_util::{StreamExt, stream};
        use snapexport::provider::{Answer, Block};
        let bytes = &self.0[first as usize..][..length as usize];
        let block = Block::Data(bytes.into());
        Ok(Answer::Blocks(stream::iter([Ok(block)]).boxed()))
    }
}

#[test]
fn what_a_cloud_calls_it_leads_to_no_other_folder() {
    use snapexport::fetch::{About, Wish, to_files};
    use snapexport::provider::{Image, Object};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let scene = tempfile::tempdir().expect("a directory");
    let folder = scene.path().join("folder");
    for name in [
        "../evil",
        "/evil",
        "a/../../evil",
        "folder/evil",
        "..",
        "",
        "/",
    ] {
        std::fs::create_dir(&folder).expect("made");
        let object = Object {
            uri: "swift://exports/evil".into(),
            name: name.into(),
            device: None,
            size: 512,
            etag: None,
            format: Some("raw".into()),
            sums: snapexport::provider::Sums::None("there are none"),
            hashes: Vec::new(),
            disk_size: None,
            requests: Default::default(),
            reader: Box::new(Memory(&[7; 512])),
        };
        let about = About {
            provider: snapexport::task::ProviderId("rackspace"),
            region: "DFW".into(),
            account: None,
            task_id: None,
            snapshot: None,
        };
        let wish = Wish {
            to: Some(folder.clone()),
            ..Wish::default()
        };
        let image = Image::of(object);
        let fetched = to_files(&image, &about, &wish, std::future::pending(), |_| {});
        let fetched = runtime.block_on(fetched).expect("it comes");
        assert_eq!(fetched.paths[0].parent(), Some(&*folder), "{name:?}");
        assert_eq!(names(&folder).len(), 3, "{name:?}");
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(names(scene.path()), [""; 0], "{name:?}");
    }
}

#[test]
fn what_has_not_ended_or_made_nothing_is_not_fetched() {
    let _alone = alone();
    for (state, code, kind) in [("uploading", 1, "conflict"), ("failed", 3, "task_failed")] {
        let scene = Scene::of(Depot::of(&PACKED, healthy).with_state(state));
        let ran = scene.fetch("", &["-o", "json"]);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
        assert_eq!(ran.json_error()["kind"], kind);
        assert_eq!(names(scene.folder.path()), [""; 0]);
    }
}

#[test]
fn an_image_of_a_cloud_without_exports_is_read_itself_and_held_against_its_hash() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&DISK[..20 << 20], healthy));
    let to = scene.path("image.raw");
    let to = to.to_str().expect("text");
    let ran = scene
        .user
        .run(&["fetch", "rackspace", IMAGE, "--to", to, "-o", "json"]);
    scene.is_right(&ran, "image.raw", &DISK[..20 << 20]);
    let evidence = ran.json().remove(0);
    assert_eq!(
        (&evidence["task_id"], &evidence["snapshot"]),
        (&Value::Null, &IMAGE.into())
    );
    let checks = evidence["checks"].as_array().expect("checks");
    for name in ["MD5 of the store", "sha512 of the cloud"] {
        let check = checks.iter().find(|check| check["name"] == name);
        assert_eq!(check.expect(name)["result"], "passed", "{name}");
    }
    // One that is not what the cloud says.
    scene
        .depot
        .plan(|_, first| if first == 0 { Act::Corrupt } else { Act::Serve });
    let ran = scene
        .user
        .run(&["fetch", "rackspace", IMAGE, "--to", to, "--force"]);
    assert_eq!(ran.code, Some(0), "it is there: {}", ran.all());
    let other = scene.path("other.raw");
    let ran = scene.user.run(&[
        "fetch",
        "rackspace",
        IMAGE,
        "--to",
        other.to_str().expect("text"),
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(
        ran.stderr.contains("sha512 of the cloud") && !other.exists(),
        "{}",
        ran.all()
    );
    for (cloud, image) in [
        ("rackspace", "no-uuid"),
        ("outscale", "snap-0a1b2c3d"),
        ("nowhere", IMAGE),
    ] {
        let ran = scene.user.run(&["fetch", cloud, image]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
    }
}

#[test]
fn an_export_of_each_cloud_comes_home() {
    let _alone = alone();
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for (cloud, export) in CLOUDS.iter().zip(GOOD) {
        if cloud.name == "lightsail" {
            // Its disks have 20 GiB there; `ebs` has smaller ones.
            continue;
        }
        let folder = tempfile::tempdir().expect("a directory");
        let to = folder.path().to_str().expect("text").to_owned() + "/";
        let id = user.run(&[export, &["--wait", "-o", "id"]].concat()).id();
        let task = format!("{}/{id}", cloud.name);
        let ran = user.run(&["fetch", &task, "--to", &to, "--decompress", "-o", "id"]);
        let path = ran.id();
        let left = match cloud.name {
            "outscale" => "aws s3 rm s3://demo/snap-0a1b2c3d-",
            _ => "swift delete exports 7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21.vhd",
        };
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("Still billed") && said.contains(left),
            "{said}"
        );
        let verified = user.run(&["verify", "--deep", &path]);
        assert_eq!(verified.code, Some(0), "{}", verified.all());
        let image = std::fs::read(&path).expect("it is there");
        let written = user
            .command(&["fetch", &task, "--to", "-", "--decompress"])
            .output();
        assert_eq!(md5_hex(&written.expect("it runs").stdout), md5_hex(&image));
    }
}

#[test]
fn a_wait_fetches_what_it_waits_for() {
    let _alone = alone();
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for (cloud, (export, end)) in CLOUDS.iter().zip(GOOD.into_iter().zip(["gz", "", "vhd"])) {
        if cloud.name == "lightsail" {
            continue;
        }
        let folder = tempfile::tempdir().expect("a directory");
        let to = folder.path().to_str().expect("text");
        // Started, waited for and fetched by one command, by two, and by three.
        let ran = user.run(&[export, &["--fetch", to, "-o", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let lines = ran.json();
        assert_eq!(lines[0]["state"], "completed", "{}", ran.all());
        assert_eq!(lines[1]["task_id"], lines[0]["task_id"], "{}", ran.all());
        let image = lines[1]["files"][0]["path"]
            .as_str()
            .expect("a path")
            .to_owned();
        assert!(
            image.ends_with(end) && Path::new(&image).exists(),
            "{}",
            ran.all()
        );

        if cloud.name != "outscale" {
            // There, an export overwrites nothing.
            continue;
        }
        let id = user.run(&[export, &["--new"]].concat()).id();
        let named = format!("{}/{id}", cloud.name);
        let one = folder.path().join("one.gz");
        let ran = user.run(&[
            "fetch",
            &named,
            "--wait",
            "--to",
            one.to_str().expect("text"),
            "-q",
        ]);
        assert!(one.exists() || ran.code == Some(3), "{}", ran.all());
    }
}

#[test]
fn a_fleet_is_fetched_as_it_ends_and_each_failure_is_said() {
    let _alone = alone();
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let folder = tempfile::tempdir().expect("a directory");
    let to = folder.path().to_str().expect("text");
    let snapshots = ["snap-0a1b2c3d", "snap-deadbeef", "snap-1b2c3d4e"];
    let args = [
        &["export", "outscale"],
        &snapshots[..],
        &["--bucket", "demo"],
    ]
    .concat();
    let ids = user.run(&args).stdout;
    assert_eq!(ids.lines().count(), 3, "{ids}");
    // Not to a file, before anything is waited for.
    let file = folder.path().join("one.gz");
    let ran = user.run_with_input(
        &["wait", "-", "--fetch", file.to_str().expect("text")],
        &ids,
    );
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    let one = ["wait", "-", "--fetch", to, "--fetch-parallel", "1"];
    let ran = user.run_with_input(&one, &ids);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    let mut open = 0;
    for line in ran.stderr.lines() {
        open += i32::from(line.starts_with("Fetching "));
        open -= i32::from(line.contains("fetched, and right"));
        assert!((0..=1).contains(&open), "{}", ran.all());
    }
    let images: Vec<String> = names(folder.path())
        .into_iter()
        .filter(|name| name.ends_with(".qcow2.gz"))
        .collect();
    assert_eq!(images.len(), 2, "{images:?} {}", ran.all());
    assert_eq!(
        ran.stderr.matches("fetched, and right").count(),
        2,
        "{}",
        ran.all()
    );
    // Again, and all is there.
    let again = user.run_with_input(&["wait", "-", "--fetch", to], &ids);
    assert_eq!(again.code, Some(3), "{}", again.all());
    // A folder that is named as one is made; one in the middle is not, and nothing is started for it.
    let good = ids.lines().next().expect("an id");
    let made = folder.path().join("new/folder/");
    let ran = user.run(&["wait", good, "--fetch", made.to_str().expect("text")]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert_eq!(names(&made).len(), 3);
    let nowhere = folder.path().join("nowhere/disk.raw");
    let nowhere = nowhere.to_str().expect("text");
    let ran = user.run(&[GOOD[0], &["--new", "--fetch", nowhere]].concat());
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(!ran.stderr.contains("Started"), "{}", ran.all());
    let ran = user.run(&["fetch", good, "--to", nowhere]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    // What cannot be written is an error of its own.
    std::fs::create_dir(folder.path().join("x.gz.partial")).expect("made");
    let to = folder.path().join("x.gz");
    let ran = user.run(&["wait", good, "--fetch", to.to_str().expect("text")]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    // What the export left is billed all the same, which is said.
    std::fs::create_dir(folder.path().join("x.vhd.partial")).expect("made");
    let to = folder.path().join("x.vhd");
    let to = to.to_str().expect("text");
    let ran = user.run(&[GOOD[2], &["--fetch", to]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert_eq!(ran.stderr.matches("billed").count(), 1, "{}", ran.all());
}

mod ebs {
    use super::*;
    use crate::blocks::{Act, BLOCK, Blocks, DISKS, TASK};

    /// A folder, and the fetch into it.
    fn fetch(blocks: &Blocks, folder: &Path, more: &[&str]) -> Ran {
        let task = format!("lightsail/{TASK}");
        let to = folder.to_str().expect("text");
        // Its pauses only, which none of these is about.
        let user = blocks.user().with("SNAPEXPORT_HASTE", "50");
        user.run(&[&["fetch", &task, "--to", to], more].concat())
    }

    fn is(path: &Path, disk: &[u8]) -> bool {
        let mut file = std::io::BufReader::with_capacity(
            BLOCK,
            std::fs::File::open(path).expect("it is there"),
        );
        let mut at = 0;
        let mut buffer = vec![0; BLOCK];
        while at < disk.len() {
            file.read_exact(&mut buffer).expect("long enough");
            if buffer != disk[at..at + BLOCK] {
                return false;
            }
            at += BLOCK;
        }
        true
    }

    #[test]
    fn every_disk_of_an_instance_comes_home_block_by_block_with_one_evidence_for_all() {
        let _alone = alone();
        let blocks = Blocks::of(|_| Act::Serve);
        let folder = tempfile::tempdir().expect("a directory");
        let ran = fetch(&blocks, folder.path(), &["-o", "json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(ran.stderr.contains("USD"), "{}", ran.all());
        for left in [
            "deregister-image --image-id ami-0a1b2c3d",
            "delete-instance-snapshot",
        ] {
            assert!(ran.stderr.contains(left), "{}", ran.all());
        }
        assert_eq!(
            names(folder.path()),
            [
                "web-1-sda1.raw",
                "web-1-xvdf.raw",
                "web-1.export.json",
                "web-1.sha256"
            ]
        );
        let evidence = ran.json().remove(0);
        assert_eq!(evidence["files"][1]["device"], "/dev/xvdf");
        assert_eq!(
            evidence["source"]["uri"],
            "arn:aws:ec2:eu-west-3::image/ami-0a1b2c3d"
        );
        let checks = evidence["checks"].as_array().expect("checks");
        for device in ["/dev/sda1", "/dev/xvdf"] {
            let name = format!("{device}: SHA-256 of the blocks");
            let check = checks.iter().find(|check| check["name"] == name.as_str());
            assert_eq!(check.expect(&name)["result"], "passed");
        }
        for (name, snapshot) in [("web-1-sda1.raw", DISKS[0]), ("web-1-xvdf.raw", DISKS[1])] {
            let path = folder.path().join(name);
            assert!(is(&path, &blocks.disk(snapshot)), "{name}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::MetadataExt;
                let taken = path.metadata().expect("it is there").blocks() * 512;
                assert!(taken < 16 << 20, "{taken}");
            }
        }
        assert_eq!(blocks.asked(), 12, "each block once");
        // Again: nothing is read.
        let again = fetch(&blocks, folder.path(), &["-o", "json"]);
        assert_eq!(
            (again.code, blocks.asked()),
            (Some(0), 0),
            "{}",
            again.all()
        );
        // A file cannot hold two.
        let file = folder.path().join("one.raw");
        assert_eq!(fetch(&blocks, &file, &[]).code, Some(2));
        assert_eq!(fetch(&blocks, Path::new("-"), &[]).code, Some(2));
    }

    #[test]
    fn a_list_that_is_none_is_not_taken_for_zeros() {
        let _alone = alone();
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("web-1.raw");
        let blocks = Blocks::of(|_| Act::Serve).with_one_disk();
        // Behind the first page.
        let blocks = blocks.hollow(|list| list > 2);
        let ran = fetch(&blocks, folder.path(), &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert!(!path.exists(), "{}", ran.all());
        let blocks = blocks.hollow(|list| list % 3 == 0);
        let ran = fetch(&blocks, folder.path(), &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(is(&path, &blocks.disk(DISKS[0])));
    }

    #[test]
    fn a_passing_bad_block_is_asked_for_again() {
        let _alone = alone();
        let acts = [
            Act::Corrupt,
            Act::Short,
            Act::NoSum,
            Act::Throttle,
            Act::Expired,
            Act::Broken,
        ];
        let blocks = Blocks::of(move |number| match number % 2 {
            1 => acts.get(number / 2).copied().unwrap_or(Act::Serve),
            _ => Act::Serve,
        });
        let blocks = blocks.with_one_disk();
        let folder = tempfile::tempdir().expect("a directory");
        let ran = fetch(&blocks, folder.path(), &["-q"]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(is(&folder.path().join("web-1.raw"), &blocks.disk(DISKS[0])));
        assert!(blocks.asked() <= 6 + acts.len() * 4);
        let blocks = Blocks::of(|_| Act::Forbidden).with_one_disk();
        let folder = tempfile::tempdir().expect("a directory");
        let ran = fetch(&blocks, folder.path(), &[]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(ran.stderr.contains("ebs:GetSnapshotBlock"), "{}", ran.all());
        let blocks = Blocks::of(|number| if number > 2 { Act::Corrupt } else { Act::Serve });
        let ran = fetch(&blocks, folder.path(), &["-o", "json"]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert!(!folder.path().join("web-1.raw").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_bar_is_drawn_where_bytes_come_and_nowhere_else() {
    let _alone = alone();
    let scene = Scene::of(Depot::of(&PACKED, |_, _| {
        Act::Late(Duration::from_millis(300))
    }));
    let to = scene.path("disk.raw");
    let script = format!("snapexport fetch {TASK} --to {}", to.display());
    let screen = || {
        let output = crate::manners::written(&scene.user, &[], &script);
        crate::manners::screens(&output).pop().expect("a screen")
    };
    let first = screen();
    assert!(
        first.contains("━━━") && first.contains(" MiB of "),
        "{first}"
    );
    assert!(
        first.contains("partition table") && !first.contains("checking"),
        "{first}"
    );
    let again = screen();
    assert!(again.contains("was fetched before"), "{again}");
    assert!(!again.contains('━') && !again.contains('─'), "{again}");
}
