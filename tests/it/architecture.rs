//! The rules of the house, held against the source.

mod imports;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use imports::{House, house, imports};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under `src`, by its path relative to it, and those of the sandbox, as `sandbox/…`, with their text up
/// to their unit tests.
fn sources() -> Vec<(String, String)> {
    let (program, sandbox) = (
        files(&root().join("src")),
        files(&root().join("sandbox/src")),
    );
    let sandbox = sandbox
        .into_iter()
        .map(|(name, code)| (format!("sandbox/{name}"), code));
    program.into_iter().chain(sandbox).collect()
}

fn files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                let code = text
                    .split("#[cfg(test)]\nmod tests")
                    .next()
                    .unwrap_or("")
                    .to_owned();
                let name = path
                    .strip_prefix(root)
                    .expect("below src")
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, code));
            }
        }
    }
    assert!(found.len() > 20, "the source was not found");
    found
}

/// The lines of the files chosen by `is_meant` that contain one of the words, comments and files of unit tests left out.
fn lines_with(is_meant: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    let is_meant = |name: &str| is_meant(name) && !name.ends_with("tests.rs");
    for (name, text) in sources().into_iter().filter(|(name, _)| is_meant(name)) {
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            if words.iter().any(|word| line.contains(word)) {
                lines.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    lines
}

/// Whether the file is this module's, or one of its submodules'.
fn is_in(file: &str, module: &str) -> bool {
    file.strip_prefix(module)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

const NONE: [String; 0] = [];

/// The floors of the house: an import goes down or stays, never up. What stands below a room is on its floor.
const FLOORS: &[(u8, &[&str])] = &[
    (
        0,
        &[
            "deadline", "error", "image", "options", "pace", "process", "secret", "suggest",
            "task", "text",
        ],
    ),
    (1, &["settings"]),
    (2, &["http"]),
    (3, &["provider"]),
    (4, &["fetch", "journal", "poll", "schema"]),
    (5, &["report"]),
    (6, &["commands"]),
    (7, &["cli", "completion", "lib", "main"]),
];

/// The innermost rooms, which import nothing but each other.
const CORE: [&str; 3] = ["error", "pace", "task"];

/// So many files may import each other in a circle.
const LARGEST_CIRCLE: usize = 4;

fn room(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

fn floor(module: &str) -> u8 {
    let room = room(module);
    let found = FLOORS.iter().find(|(_, rooms)| rooms.contains(&room));
    found.unwrap_or_else(|| panic!("{room} has no floor")).0
}

/// The folder of the cloud in which a module stands.
fn cloud(module: &str) -> Option<&str> {
    let word = module.strip_prefix("provider::")?.split("::").next()?;
    snapexport::provider::names()
        .into_iter()
        .find(|cloud| *cloud == word)
}

#[test]
fn imports_are_found_however_they_are_written() {
    let house = house();
    for (module, imported) in [
        // By a nested file, in a group.
        ("task::object", "task::target"),
        // By a path in an expression, passed on by another module.
        ("commands::list", "provider::registry"),
        // By its path relative to the module.
        ("completion", "completion::glance"),
        ("provider::outscale::rules", "provider::rules"),
        // By the name of the crate, passed on.
        ("main", "commands::context::variables"),
    ] {
        let found = imports(&house, module, false);
        assert!(found.contains(imported), "{module}: {found:?}");
    }
}

#[test]
fn imports_go_down_never_up() {
    let house = house();
    let mut wrong = Vec::new();
    for name in house.keys() {
        for other in imports(&house, name, true) {
            if floor(&other) > floor(name) {
                let (own, above) = (floor(name), floor(&other));
                wrong.push(format!(
                    "{name} (floor {own}) imports {other} (floor {above})"
                ));
            }
        }
    }
    assert_eq!(wrong, NONE);
}

#[test]
fn the_core_imports_nothing_else() {
    let house = house();
    let is_core = |name: &&String| CORE.contains(&room(name));
    let imported = house.keys().filter(is_core).flat_map(|name| {
        let others = imports(&house, name, true).into_iter();
        let others = others.filter(|other| !CORE.contains(&room(other)));
        others.map(move |other| format!("{name} imports {other}"))
    });
    assert_eq!(imported.collect::<Vec<_>>(), NONE);
}

#[test]
fn only_the_registry_knows_a_cloud() {
    let house = house();
    let mut wrong = Vec::new();
    for name in house.keys().filter(|name| *name != "provider::registry") {
        for other in imports(&house, name, false) {
            if cloud(&other).is_some() && cloud(&other) != cloud(name) {
                wrong.push(format!("{name} imports {other}"));
            }
        }
    }
    assert_eq!(wrong, NONE);
}

/// All that a module imports, and what that imports, and so on.
fn reach<'h>(house: &'h House, name: &'h str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        open.extend(
            imports(house, &next, false)
                .into_iter()
                .filter(|other| seen.insert(other.clone())),
        );
    }
    seen
}

#[test]
fn few_files_import_each_other_in_a_circle() {
    let house = house();
    let reached: Vec<(&String, BTreeSet<String>)> = house
        .keys()
        .map(|name| (name, reach(&house, name)))
        .collect();
    let mut circles: BTreeSet<Vec<&String>> = BTreeSet::new();
    for (name, reach) in &reached {
        let circle = reached
            .iter()
            .filter(|(other, back)| reach.contains(*other) && back.contains(*name));
        circles.insert(circle.map(|(other, _)| *other).collect());
    }
    circles.retain(|circle| circle.len() > LARGEST_CIRCLE);
    let files = |circle: Vec<&String>| {
        circle
            .into_iter()
            .map(|name| house[name].file.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(circles.into_iter().map(files).collect::<Vec<_>>(), NONE);
}

#[test]
fn the_poller_and_the_reports_know_no_provider_by_name() {
    let is_meant = |file: &str| file == "pace.rs" || is_in(file, "poll") || is_in(file, "report");
    let words = [
        "outscale",
        "lightsail",
        "rackspace",
        "Outscale",
        "Lightsail",
        "Rackspace",
    ];
    assert_eq!(lines_with(is_meant, &words), NONE);
}

#[test]
fn only_the_settings_read_the_environment() {
    let is_meant = |file: &str| !is_in(file, "settings") && file != "main.rs";
    assert_eq!(
        lines_with(is_meant, &["env::var", "env::vars", "env::args"]),
        NONE
    );
}

#[test]
fn only_the_report_touches_a_stream() {
    let words = [
        "io::stdout",
        "io::stderr",
        " println!",
        "eprintln!",
        "eprint!",
        " print!",
    ];
    let is_meant = |file: &str| !is_in(file, "report");
    let lines: Vec<String> = lines_with(is_meant, &words)
        .into_iter()
        // Asking whether a stream is a terminal, and how wide, writes nothing to it.
        .filter(|line| !line.starts_with("commands/context/terminal.rs"))
        .filter(|line| !line.starts_with("process.rs: rustix::termios::isatty"))
        .collect();
    assert_eq!(lines, NONE);
}

#[test]
fn no_one_but_a_cloud_says_its_name() {
    let is_meant = |file: &str| !is_in(file, "provider") && !file.starts_with("sandbox/");
    let words = snapexport::provider::names();
    let words: Vec<String> = words.iter().map(|cloud| format!("\"{cloud}\"")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(lines_with(is_meant, &words), NONE);
}

#[test]
fn the_sandbox_is_made_of_nothing_of_ours() {
    let manifest = std::fs::read_to_string(root().join("sandbox/Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = toml::from_str(&manifest).expect("TOML");
    let mut count = 0;
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = manifest.get(kind).and_then(toml::Value::as_table);
        for (name, dependency) in dependencies.into_iter().flatten() {
            count += 1;
            assert!(!name.contains("snapexport"), "{name}");
            assert_eq!(dependency.get("path"), None, "{name}");
        }
    }
    assert!(count > 10, "only {count} dependencies were found");
    // A path of modules would bring in a file of ours without a dependency.
    let shared = lines_with(
        |file| file.starts_with("sandbox/"),
        &["#[path", "include!("],
    );
    assert_eq!(shared, NONE);
}

#[test]
fn only_the_journal_speaks_sql() {
    assert_eq!(
        lines_with(|file| !is_in(file, "journal"), &["rusqlite"]),
        NONE
    );
}

/// Time is let pass by parameter: by the clouds' clock, in haste, or on a paused clock.
#[test]
fn no_test_sits_out_a_limit_and_none_is_left_out() {
    const LONGEST: u64 = 5_000;
    let number = |line: &str, before: &str| {
        let (_, rest) = line.split_once(before)?;
        rest.split(')').next()?.replace('_', "").parse::<u64>().ok()
    };
    let sleeps = |line: &str| {
        let seconds = number(line, "sleep(Duration::from_secs(").map(|seconds| seconds * 1000);
        seconds.or_else(|| number(line, "sleep(Duration::from_millis("))
    };
    let found: Vec<String> = ["src", "sandbox/src", "tests/it"]
        .into_iter()
        .flat_map(|folder| files(&root().join(folder)))
        .flat_map(|(name, text)| {
            let is_bad = |line: &&str| {
                let line = line.trim_start();
                line.starts_with("#[ignore") || sleeps(line).is_some_and(|long| long >= LONGEST)
            };
            let lines: Vec<String> = text.lines().filter(is_bad).map(str::to_owned).collect();
            lines.into_iter().map(move |line| format!("{name}: {line}"))
        })
        .collect();
    assert_eq!(found, NONE);
}
