//! `cargo run --example generate` writes what is made from the source: `completions/`, `man/`, `schema/` and `docs/options.md`.
//!
//! The program embeds what it prints of them, and `cargo test` compares them with a fresh making.

mod completions;
mod manual;
mod markdown;
mod options;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};

/// Folders in which every file is made.
const FOLDERS: [&str; 3] = ["completions", "man", "schema"];

fn main() -> io::Result<()> {
    let files = files();
    for path in strays(&files)? {
        std::fs::remove_file(root().join(path))?;
    }
    for (path, text) in files {
        std::fs::write(root().join(path), text)?;
    }
    Ok(())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is made, by its path from the root, with its text.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("docs/options.md".to_owned(), options::reference())]);
    for (file, text) in completions::scripts() {
        files.insert(format!("completions/{file}"), text);
    }
    for document in schema::documents() {
        files.insert(format!("schema/{}.json", document.name), document.text());
    }
    let pages = manual::pages();
    files.insert("man/pages.rs".to_owned(), manual::embedding(&pages));
    for page in pages {
        files.insert(format!("man/{}", page.file()), page.roff);
    }
    files
}

/// The files in those folders that nothing makes any more.
fn strays(files: &BTreeMap<String, String>) -> io::Result<Vec<String>> {
    let mut strays = Vec::new();
    for folder in FOLDERS {
        for entry in std::fs::read_dir(root().join(folder))? {
            let path = format!("{folder}/{}", entry?.file_name().to_string_lossy());
            if !files.contains_key(&path) {
                strays.push(path);
            }
        }
    }
    Ok(strays)
}

/// The command line as it is documented: `help COMMAND` has no page of its own.
fn command_line() -> Command {
    let mut command = snapexport::cli::Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// The commands below this one that are shown.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

/// A command as it is typed, and how to call it: `snapexport wait` and `snapexport wait [OPTIONS] <TASK>...`.
fn name_and_usage(command: &Command) -> (&str, String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    (name, usage)
}
