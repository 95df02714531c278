//! What the program prints of the generated files; their making is tested beside it, in `examples/generate`.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_page_is_printed_as_it_stands_in_the_repository() {
    let user = crate::program::User::new();
    let mut pages = 0;
    for entry in std::fs::read_dir(root().join("man")).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            continue;
        }
        pages += 1;
        let expected = std::fs::read_to_string(&path).expect("the page");
        let long = path.file_stem().expect("a name").to_string_lossy();
        for name in [&*long, long.trim_start_matches("snapexport-")] {
            let ran = user.run(&["man", name]);
            assert!(ran.stdout == expected, "{name} is not as it stands in man/");
        }
    }
    assert!(pages > 10, "only {pages} pages were found");
    assert!(user.run(&["man"]).stdout.starts_with(".TH snapexport 1 "));
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
