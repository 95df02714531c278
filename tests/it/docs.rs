//! What the documents say, held against what there is.

use std::path::Path;

/// `docs/reliability.md`, line by line.
fn reliability() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    std::fs::read_to_string(path).expect("the document")
}

/// Every test under `tests/it`, as `file::name`, and every unit test of the source, as `name`.
fn tests() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join("tests/it")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let stem = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    is_test = true;
                } else if let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ") {
                    if is_test {
                        let name = name.split('(').next().unwrap_or_default();
                        found.push(format!("{stem}::{name}"));
                    }
                    is_test = false;
                }
            }
        }
    }
    found
}

/// The rows of the tables whose last column is `test`, as cells.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut columns = None;
    for line in text.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let cells: Vec<String> = line
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect();
        match columns {
            None => columns = Some(cells.last().is_some_and(|last| last == "test")),
            Some(true) if !cells[0].starts_with("---") => rows.push(cells),
            Some(_) => {}
        }
    }
    rows
}

#[test]
fn every_row_of_the_reliability_table_names_a_test_that_there_is() {
    let (text, tests) = (reliability(), tests());
    let rows = rows(&text);
    assert!(rows.len() > 40, "only {} rows were found", rows.len());
    for row in &rows {
        assert_eq!(row.len(), 6, "{row:?}");
        assert!(
            row.iter().all(|cell| !cell.is_empty()),
            "an empty cell: {row:?}"
        );
        let name = row[5].trim_matches('`');
        assert!(
            tests.iter().any(|test| test == name),
            "no test {name}: {row:?}"
        );
    }
    assert!(!text.to_lowercase().contains("not tested"));
}

#[test]
fn every_fault_test_stands_in_the_reliability_table() {
    let rows = rows(&reliability());
    let beside = ["a_fault_", "scripts_can_", "the_patience_"];
    for test in tests() {
        let (file, name) = test.split_once("::").expect("both");
        let is_fault = matches!(file, "starts" | "lost" | "faults" | "crash");
        if is_fault && !beside.iter().any(|start| name.starts_with(start)) {
            let is_listed = rows.iter().any(|row| row[5].trim_matches('`') == test);
            assert!(is_listed, "{test} is not in docs/reliability.md");
        }
    }
}
