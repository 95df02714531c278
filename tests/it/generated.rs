//! Files that are made from the source, held against a fresh making.
//!
//! `SNAPEXPORT_GENERATE=1 cargo test --test it generated::` writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use snapexport::{completion, manual, schema};

/// Folders in which every file is made; what is in them and not made is too much.
const FOLDERS: [&str; 3] = ["schema", "completions", "man"];

/// Every file that is made, by its path, with its text.
fn files() -> BTreeMap<String, String> {
    let schemas = schema::documents()
        .into_iter()
        .map(|document| (format!("schema/{}.json", document.name), document.text()));
    let scripts = completion::SHELLS
        .into_iter()
        .map(|(shell, file)| (format!("completions/{file}"), completion::script(shell)));
    let pages = manual::pages()
        .into_iter()
        .map(|page| (format!("man/{}", page.file()), page.roff));
    let reference = ("docs/options.md".to_owned(), manual::reference());
    schemas
        .chain(scripts)
        .chain(pages)
        .chain([reference])
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The paths of the files in those folders.
fn present() -> Vec<PathBuf> {
    FOLDERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(root().join(folder)).ok())
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[test]
fn generated_files_are_as_the_source_makes_them() {
    let is_writing = std::env::var_os("SNAPEXPORT_GENERATE").is_some();
    let files = files();
    let mut stale = Vec::new();
    for (name, text) in &files {
        let path = root().join(name);
        let is_fresh = std::fs::read_to_string(&path).is_ok_and(|found| found == *text);
        if !is_fresh && is_writing {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
            std::fs::write(&path, text).expect("it is written");
        } else if !is_fresh {
            stale.push(name.clone());
        }
    }
    for path in present() {
        let name = path
            .strip_prefix(root())
            .expect("below")
            .to_string_lossy()
            .replace('\\', "/");
        if !files.contains_key(&name) {
            if is_writing {
                std::fs::remove_file(&path).expect("it is removed");
            } else {
                stale.push(name);
            }
        }
    }
    assert!(
        stale.is_empty(),
        "not as the source makes them: {stale:?}; write them with: SNAPEXPORT_GENERATE=1 cargo test --test it generated::"
    );
}
