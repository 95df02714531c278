//! `docs/configuration.md`, held against the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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

/// Every quoted name of a variable in the files below a folder; the simulated clouds' and the tests' own are left out.
fn named(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "sandbox" {
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
        found.len() > 80,
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
fn the_example_of_the_document_is_a_configuration() {
    let document = document();
    let (_, rest) = document.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let config: snapexport::context::Config = toml::from_str(example).expect("no mistake in it");
    let work = &config.profile["work"];
    assert!(work.outscale.is_some() && work.lightsail.is_some() && work.rackspace.is_some());
}
