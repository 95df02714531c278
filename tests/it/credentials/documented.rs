//! `docs/configuration.md`, held against the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use snapexport::provider;
use snapexport::settings::Config;

/// How the names begin of variables that are read.
const PREFIXES: [&str; 10] = [
    "SNAPEXPORT_",
    "OSC_",
    "OSU_",
    "AWS_",
    "RAX_",
    "RS_",
    "CF_",
    "OS_",
    "XDG_",
    "SSL_",
];
/// Names that begin as nothing else does.
const OTHERS: [&str; 10] = [
    "AUTH_TOKEN",
    "API_ENDPOINT",
    "TENANT_ID",
    "CLOUD_REGION",
    "REQUESTS_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NO_COLOR",
];
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    std::fs::read_to_string(root().join("docs/configuration.md")).expect("the document")
}

/// Every quoted name of a variable in the files below a folder; the tests' own are left out.
fn named(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            named(&path, found);
        }
        if !name.ends_with(".rs") || name.contains("tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        for word in code.split('"') {
            let is_name = word.len() > 3
                && word
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            let is_ours = PREFIXES
                .iter()
                .any(|prefix| word.starts_with(prefix) && word != *prefix);
            if is_name && (is_ours || OTHERS.contains(&word)) {
                found.insert(word.to_owned());
            }
        }
    }
}

#[test]
fn every_variable_that_is_read_is_in_the_configuration_document() {
    let mut found = BTreeSet::new();
    named(&root().join("src"), &mut found);
    assert!(
        found.len() > 25,
        "the source is not read as it is written: {found:?}"
    );
    let document = document();
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| !document.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "not in docs/configuration.md: {missing:?}"
    );
}

#[test]
fn the_clouds_name_their_variables_in_their_lists_alone() {
    let mut found = BTreeSet::new();
    named(&root().join("src/provider"), &mut found);
    assert!(found.is_empty(), "not by the constants: {found:?}");
}

#[test]
fn the_variables_of_each_cloud_are_those_of_the_document() {
    let document = document();
    for entry in provider::clouds() {
        let heading = part_of(entry.id.0, &document);
        let read: BTreeSet<&str> = entry.variables.iter().copied().collect();
        let names = names_below(heading, &document);
        let is_variable = |name: &&str| *name == name.to_uppercase();
        let told: BTreeSet<&str> = names
            .iter()
            .map(String::as_str)
            .filter(is_variable)
            .collect();
        assert_eq!(read, told, "{heading}");
        assert_eq!(
            read.len(),
            entry.variables.len(),
            "twice in the list: {heading}"
        );
    }
}

#[test]
fn the_files_of_each_cloud_are_those_of_the_document() {
    let document = document();
    for entry in provider::clouds() {
        let heading = part_of(entry.id.0, &document);
        let section = section(heading, &document);
        let is_file = |word: &&str| {
            let is_path = ["~/", "./", "/etc/"]
                .iter()
                .any(|start| word.starts_with(start));
            (is_path && *word != "~/") || word.ends_with(".yaml")
        };
        let words = section.split('`').skip(1).step_by(2);
        let told: BTreeSet<&str> = words.filter(is_file).collect();
        let read: BTreeSet<&str> = entry.files.iter().copied().collect();
        assert_eq!(read, told, "{heading}");
    }
}

#[test]
fn the_example_of_the_document_is_a_configuration() {
    let document = document();
    let (_, rest) = document.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let config = Config::parse(example, Path::new("config.toml")).expect("no mistake in it");
    provider::read_sections(&config).expect("no mistake in a section");
    let work = &config.profiles["work"];
    for cloud in provider::names() {
        assert!(work.section(cloud).is_some(), "{cloud}");
    }
}

/// The heading of the part about a cloud, which names it.
fn part_of<'d>(cloud: &str, document: &'d str) -> &'d str {
    let is_meant = |line: &&str| line.starts_with("## ") && line.to_lowercase().contains(cloud);
    let found = document.lines().find(is_meant);
    found.unwrap_or_else(|| panic!("no part about {cloud}"))
}

/// What stands below a heading.
fn section<'d>(heading: &str, document: &'d str) -> &'d str {
    let (_, rest) = document
        .split_once(&format!("{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    rest.split("\n#").next().expect("a section")
}

/// The first cells of the tables below a heading, each name in them.
fn names_below(heading: &str, document: &str) -> Vec<String> {
    section(heading, document)
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| {
            let cell = line.split('|').nth(1).expect("a cell");
            cell.split('`').skip(1).step_by(2).map(str::to_owned)
        })
        .collect()
}

#[test]
fn every_key_of_config_toml_in_the_document_is_one() {
    let document = document();
    let mut count = 0;
    for cloud in provider::names() {
        for key in names_below(&format!("### [profile.NAME.{cloud}]"), &document) {
            let value = if key.ends_with("_command") {
                "[\"pass\"]"
            } else {
                "\"x\""
            };
            let text = format!("[profile.a.{cloud}]\n{key} = {value}\n");
            let parsed = Config::parse(text.as_str(), Path::new("config.toml"))
                .and_then(|config| provider::read_sections(&config));
            assert!(parsed.is_ok(), "{text}{parsed:?}");
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} keys were found");
}

#[test]
fn every_variable_and_foreign_key_in_the_document_is_known_to_the_source() {
    let document = document();
    let mut source = String::new();
    read(&root().join("src"), &mut source);
    let parts_of_clouds = provider::names()
        .into_iter()
        .map(|cloud| part_of(cloud, &document));
    let headings = parts_of_clouds.chain([
        "## Proxies and certificates",
        "## snapexport's own variables",
        "## Variables of --on-done",
    ]);
    // Read by the TLS library, each with a test of its effect.
    const ELSEWHERE: [&str; 2] = ["SSL_CERT_DIR", "SSL_CERT_FILE"];
    let mut count = 0;
    for name in headings.flat_map(|heading| names_below(heading, &document)) {
        let last = name.rsplit('.').next().expect("a part").trim_matches('_');
        let is_known = source.contains(last) || ELSEWHERE.contains(&name.as_str());
        assert!(is_known || name.contains('…'), "nothing reads {name}");
        count += 1;
    }
    assert!(count > 100, "only {count} names were found");
}

fn read(folder: &Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, source);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            *source += &std::fs::read_to_string(&path).expect("text");
        }
    }
}

/// A command of the user's may call this program again: what it is told must not change where that goes.
#[test]
fn no_variable_of_on_done_is_one_that_is_read() {
    let document = document();
    let told = names_below("## Variables of --on-done", &document);
    assert!(told.len() > 8, "{told:?}");
    let read = names_below("## snapexport's own variables", &document);
    assert!(read.iter().all(|name| !told.contains(name)), "{told:?}");
}
