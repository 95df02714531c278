//! The rules of the house, held against the source.

use std::path::{Path, PathBuf};

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

#[test]
fn the_domain_the_pace_and_the_error_import_only_each_other() {
    for name in ["task.rs", "pace.rs", "error.rs"] {
        let foreign: Vec<String> = lines_with(|file| file == name, &["crate::"])
            .into_iter()
            .filter(|line| {
                !["crate::task", "crate::pace", "crate::error"]
                    .iter()
                    .any(|own| line.contains(own))
            })
            .collect();
        assert_eq!(foreign, NONE);
    }
}

#[test]
fn providers_know_neither_reports_nor_commands_nor_the_journal() {
    let words = [
        "crate::report",
        "crate::commands",
        "crate::journal",
        "crate::cli",
        "snapexport_sandbox",
    ];
    assert_eq!(
        lines_with(|file| file.starts_with("provider/"), &words),
        NONE
    );
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
        .collect();
    assert_eq!(lines, NONE);
}

#[test]
fn no_one_matches_on_a_provider_outside_the_registry() {
    let is_meant = |file: &str| !file.starts_with("provider/") && !file.starts_with("sandbox/");
    let words = [
        "outscale::ID =>",
        "lightsail::ID =>",
        "rackspace::ID =>",
        "\"outscale\" =>",
        "\"lightsail\" =>",
        "\"rackspace\" =>",
    ];
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
