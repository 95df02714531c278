//! What stands in the README and in `docs/`, run: every shell block, every script of a CI example, every row of a table.

mod markdown;
mod policies;
mod run;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::program::{Clouds, User};
use crate::stage::side_by_side;
use markdown::{Block, Page, Table};
use run::{Shell, scripts};

/// Shells that run side by side: what is to go on while they look must not end because they are many.
const AT_ONCE: usize = 4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page by its path in the repository.
fn page(path: &str) -> Page {
    let text = std::fs::read_to_string(root().join(path)).expect("the page");
    Page::parse(path, &text)
}

/// The README and every page of `docs/`.
fn all_pages() -> Vec<Page> {
    let docs = std::fs::read_dir(root().join("docs")).expect("docs");
    let mut paths: Vec<PathBuf> = docs.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let is_page = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let names = paths.iter().filter(|path| is_page(path)).map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy();
        format!("docs/{name}")
    });
    std::iter::once("README.md".to_owned())
        .chain(names)
        .map(|path| page(&path))
        .collect()
}

/// Runs every block of a page that a shell can run, each in a home and with clouds of its own.
fn run_blocks(path: &str) {
    let blocks = page(path).blocks;
    let all = blocks.iter().flat_map(|block| {
        let scripts = scripts(block).into_iter();
        scripts.map(move |script| (block.line, script))
    });
    let ran = AtomicUsize::new(0);
    side_by_side(AT_ONCE, all.collect(), |(line, script)| {
        let shell = Shell::new();
        if !shell.has_tools(&script) {
            return;
        }
        let output = shell.run(&script);
        assert!(
            output.status.success(),
            "{path}:{line}: {}\n{}",
            output.status,
            run::shown(&output)
        );
        ran.fetch_add(1, Ordering::Relaxed);
    });
    assert!(ran.into_inner() > 0, "{path} has nothing to run");
}

/// Runs every row of a page's tables that has a command: it ends with the code of its row and says what the row says.
fn run_rows(path: &str, least: usize) {
    let page = page(path);
    let tables = page.tables.iter().filter(|table| table.is_run());
    let rows: Vec<_> = tables
        .flat_map(|table| table.rows.iter().map(move |row| (table, row)))
        .collect();
    assert!(rows.len() >= least, "{path}: only {} rows", rows.len());
    side_by_side(AT_ONCE, rows, |(table, row)| {
        let cell = |name| table.cell(row, name);
        let command = markdown::code(cell("command").expect("a command"));
        let output = Shell::new().run_loosely(&command);
        let seen = run::shown(&output);
        let code: i32 = cell("exit code").expect("a code").parse().expect("a code");
        assert_eq!(
            run::code(output.status),
            Some(code),
            "{path}: {command}\n{seen}"
        );
        if let Some(words) = cell("you see") {
            let words = markdown::code(words);
            assert!(
                seen.contains(&words),
                "{path}: {command}: not '{words}'\n{seen}"
            );
        }
    });
}

#[test]
fn every_block_of_the_readme_runs() {
    run_blocks("README.md");
}

/// What a shell inside a test cannot do: build this very program.
#[test]
fn what_the_pages_do_with_cargo_is_done_by_ci() {
    let ci = std::fs::read_to_string(root().join(".ci/run")).expect("it is there");
    let mut found = 0;
    for block in all_pages().iter().flat_map(|page| &page.blocks) {
        for line in block.text.lines().filter(|line| line.starts_with("cargo ")) {
            assert!(ci.contains(line), "{line}");
            found += 1;
        }
    }
    assert!(found > 1);
}

#[test]
fn every_block_and_row_of_the_scripting_page_holds() {
    run_blocks("docs/scripting.md");
    run_rows("docs/scripting.md", 15);
}

#[test]
fn every_block_and_row_of_the_outscale_page_holds() {
    run_blocks("docs/outscale.md");
    run_rows("docs/outscale.md", 11);
}

#[test]
fn every_block_and_row_of_the_lightsail_page_holds() {
    run_blocks("docs/lightsail.md");
    run_rows("docs/lightsail.md", 8);
}

#[test]
fn every_block_and_row_of_the_rackspace_page_holds() {
    run_blocks("docs/rackspace.md");
    run_rows("docs/rackspace.md", 13);
}

#[test]
fn every_script_and_row_of_the_ci_page_holds() {
    run_blocks("docs/ci.md");
    run_rows("docs/ci.md", 4);
}

/// A table that nobody runs would be a table that nobody notices going wrong.
#[test]
fn no_table_in_docs_stands_without_a_command_or_a_test() {
    for page in all_pages().iter().filter(|page| page.path != "README.md") {
        for table in &page.tables {
            let is_tested = table.head.last().is_some_and(|last| last == "test");
            // These have a test of their own: the first three below, the last in `credentials::documented`.
            let is_measured = page.path == "docs/benchmarks.md";
            let is_fault_list = table.head == ["what", "happens"];
            let is_option_list = table.head == ["option", "meaning"];
            let is_name_list = page.path == "docs/configuration.md"
                && table.head.last().is_some_and(|last| last == "meaning");
            assert!(
                table.is_run()
                    || is_tested
                    || is_measured
                    || is_fault_list
                    || is_option_list
                    || is_name_list,
                "{}: {:?}",
                page.path,
                table.head
            );
        }
    }
}

/// A block of a kind that is not known here would not be run.
#[test]
fn no_block_stands_unread_and_what_is_not_run_says_why() {
    let known = "sh yaml groovy ini crontab json toml text console";
    for page in all_pages() {
        for block in &page.blocks {
            let kind = block.kind();
            assert!(
                known.split(' ').any(|one| one == kind),
                "{}:{}: a block of '{kind}'",
                page.path,
                block.line
            );
            if block.is_left_out() {
                assert!(
                    block.after.starts_with("Not run by the tests: "),
                    "{}:{}: why is it not run?",
                    page.path,
                    block.line
                );
            }
        }
    }
}

/// And there is none that the page does not explain.
#[test]
fn every_table_and_row_of_the_benchmarks_page_is_made_by_the_bench() {
    let bench = std::fs::read_to_string(root().join("benches/fetch.py")).expect("the bench");
    let mut explained = 0;
    for table in page("docs/benchmarks.md").tables {
        if table.head[0] != "row" {
            let head = format!("\"{} | ", table.head[0]);
            assert!(bench.contains(&head), "{head}");
            continue;
        }
        for name in table.rows.iter().flat_map(|row| markdown::codes(&row[0])) {
            assert!(bench.contains(&format!("\"{name}\": Bench.")), "{name}");
            explained += 1;
        }
    }
    assert_eq!(explained, bench.matches("\": Bench.").count());
}

#[test]
fn every_fault_of_the_reliability_page_is_one() {
    let page = page("docs/reliability.md");
    let is_faults = |table: &&Table| table.head == ["what", "happens"];
    let table = page.tables.iter().find(is_faults).expect("the faults");
    let user = User::new();
    let mut tried = 0;
    for row in &table.rows {
        for fault in markdown::codes(&row[0]) {
            let fault = fault
                .replace("CALLS", "5")
                .replace("SECONDS", "1")
                .replace("SIZE", "64KiB")
                .replace("TEXT", "1f2e-17")
                .replace("TIME", "1s")
                .replace("CODE", "503")
                .replace("URL", "http://127.0.0.1:9");
            // One of them is about what only one cloud has.
            let call = match fault.as_str() {
                "stale" => "lightsail:GetSnapshotBlock",
                _ => "outscale:CreateSnapshotExportTask",
            };
            let fault = format!("{call}:1:{fault}");
            let ran = user.run(&["sandbox", "--fault", &fault, "--", "true"]);
            assert_eq!(ran.code, Some(0), "{}", ran.all());
            tried += 1;
        }
    }
    assert!(tried >= 14, "only {tried}");
    for block in page.blocks.iter().filter(|block| block.kind() == "toml") {
        let file = user.home.path().join("faults.toml");
        std::fs::write(&file, &block.text).expect("written");
        let ran = user.run(&[
            "sandbox",
            "--faults",
            &file.display().to_string(),
            "--",
            "true",
        ]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
}

/// Each row of a list of options: the help of its command has it.
#[test]
fn every_option_in_docs_is_in_the_help_of_its_command() {
    let user = User::new();
    for page in all_pages() {
        for table in page
            .tables
            .iter()
            .filter(|one| one.head == ["option", "meaning"])
        {
            let command = table.section.strip_prefix("snapexport ");
            let words: Vec<&str> = command.unwrap_or("status").split(' ').collect();
            let help = user.run(&[&words[..], &["--help"]].concat());
            assert_eq!(help.code, Some(0), "{}", help.all());
            for row in &table.rows {
                let option = markdown::codes(&row[0]).swap_remove(0);
                let name = option.split([' ', '…']).find(|word| !word.ends_with(','));
                let name = name.expect("a name");
                assert!(
                    help.stdout.contains(name),
                    "{}: {name}\n{}",
                    page.path,
                    help.all()
                );
            }
        }
    }
}

/// The table of the README is the one of the scripting page, whose rows are run.
#[test]
fn the_readme_has_the_exit_codes_of_the_scripting_page() {
    let scripting = page("docs/scripting.md");
    let readme = page("README.md");
    let with = |head: &'static str| {
        move |table: &&Table| table.head.first().is_some_and(|first| first == head)
    };
    let short = readme.tables.iter().find(with("code")).expect("the codes");
    let long = scripting.tables.iter().find(with("exit code"));
    let long = &long.expect("the codes").rows;
    let mut rows = long.iter();
    for row in &short.rows {
        // The README has 130 and 143 in one row.
        for code in row[0].split(", ") {
            let other = rows.next().expect("a row");
            assert_eq!(code, other[0]);
            if !row[0].contains(',') {
                assert_eq!(row[1], other[1]);
            }
        }
    }
    assert!(rows.next().is_none());
}

/// The commands of the README's table of clouds, each in its own sandbox.
#[test]
fn every_command_of_the_readmes_table_of_clouds_runs() {
    let readme = page("README.md");
    let has_commands = |table: &&Table| table.head.last().is_some_and(|last| last == "then");
    let table = readme.tables.iter().find(has_commands).expect("the clouds");
    assert_eq!(table.rows.len(), 3);
    for row in &table.rows {
        let command = markdown::code(row.last().expect("a command"));
        let output = Shell::new().run(&command);
        assert!(
            output.status.success(),
            "{command}\n{}",
            run::shown(&output)
        );
    }
}

#[test]
fn every_configuration_of_the_readme_is_one() {
    let clouds = Clouds::start(std::time::Duration::from_secs(1));
    let mut tried = 0;
    for block in page("README.md").blocks {
        if block.kind() == "toml" {
            let user = User::of(&clouds);
            let config = user.home.path().join("config");
            std::fs::create_dir_all(&config).expect("made");
            std::fs::write(config.join("config.toml"), &block.text).expect("written");
            let ran = user.run(&["status"]);
            assert_eq!(ran.code, Some(0), "{}", ran.all());
            tried += 1;
        }
    }
    assert!(tried > 0);
}

/// A link that leads nowhere.
#[test]
fn every_link_to_a_file_leads_to_one() {
    for page in all_pages() {
        let text = std::fs::read_to_string(root().join(&page.path)).expect("the page");
        let folder = root().join(&page.path);
        let folder = folder.parent().expect("a folder");
        for part in text.split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                assert!(folder.join(target).exists(), "{}: {target}", page.path);
            }
        }
    }
}

/// Whether a block is written for this test: by its first word.
impl Block {
    fn kind(&self) -> &str {
        self.info.split(' ').next().unwrap_or_default()
    }

    fn is_left_out(&self) -> bool {
        self.info.ends_with(" norun")
    }
}
