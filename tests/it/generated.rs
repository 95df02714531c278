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

#[test]
fn groff_has_nothing_to_say_against_any_page() {
    let format = |page: &str| {
        std::process::Command::new("groff")
            .args(["-man", "-Tutf8", "-Kutf8", "-ww", page])
            .current_dir(root())
            .output()
    };
    for name in files().into_keys().filter(|name| name.starts_with("man/")) {
        // Where there is no groff, the unit tests of the manual still hold its form.
        let Ok(output) = format(&name) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.lines().count() > 20, "{name}: {text}");
    }
}

#[test]
fn every_page_is_printed_as_it_stands_in_the_repository() {
    let user = crate::program::User::new();
    for page in manual::pages() {
        let short = page.name.trim_start_matches("snapexport-");
        for name in [page.name.as_str(), short] {
            let ran = user.run(&["man", name]);
            let file = root().join("man").join(page.file());
            let expected = std::fs::read_to_string(file).expect("the page");
            assert!(ran.stdout == expected, "{name} is not as it stands in man/");
        }
    }
    assert!(
        user.run(&["man"])
            .stdout
            .starts_with(".TH \"snapexport\" 1 ")
    );
    let ran = user.run(&["man", "wiat"]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(
        ran.stderr.contains("the pages are: snapexport, export"),
        "{}",
        ran.all()
    );
}

#[test]
fn the_readme_and_the_help_tell_the_same_exit_codes() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let rows: Vec<&str> = readme
        .lines()
        .skip_while(|line| *line != "| code | meaning |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let codes = &snapexport::error::EXIT_CODES;
    let expected: Vec<String> = codes
        .iter()
        .map(|code| format!("| {} | {} |", code.numbers(), code.meaning))
        .collect();
    assert_eq!(rows, expected);
    let help = crate::program::User::new().run(&["--help"]).stdout;
    // Long lines are wrapped there.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for code in codes {
        let line = words(&format!("{} {}", code.numbers(), code.plain()));
        assert!(words(&help).contains(&line), "{line}: {help}");
    }
}
