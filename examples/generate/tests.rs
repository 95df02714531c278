//! The generated files, held against a fresh making, and the form of what is made.

use clap::Command;
use snapexport::error::{EXIT_CODES, Kind};

use super::*;
use manual::{exit_codes, pages};

/// This command and all below it that are shown.
fn commands(command: &Command) -> Vec<&Command> {
    let below = subcommands(command).flat_map(commands);
    std::iter::once(command).chain(below).collect()
}

#[test]
fn generated_files_are_as_the_source_makes_them() {
    let files = files();
    let mut stale = strays(&files).expect("the folders");
    let found = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    let changed = files
        .iter()
        .filter(|(path, text)| found(path).as_ref() != Some(text));
    stale.extend(changed.map(|(path, _)| path.clone()));
    assert!(
        stale.is_empty(),
        "not as the source makes them: {stale:?}; write them with: cargo run --example generate"
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
    for page in pages() {
        let name = format!("man/{}", page.file());
        // Where there is no groff, the tests below still hold the form.
        let Ok(output) = format(&name) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.lines().count() > 20, "{name}: {text}");
    }
}

#[test]
fn every_command_has_a_page_with_the_usual_sections() {
    let pages = pages();
    for command in commands(&command_line()) {
        let name = command.get_display_name().unwrap_or("snapexport");
        let page = pages.iter().find(|page| page.name == name);
        let roff = &page.unwrap_or_else(|| panic!("no page {name}")).roff;
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "EXAMPLES",
            "EXIT STATUS",
            "ENVIRONMENT",
            "FILES",
            "SEE ALSO",
        ] {
            let heading = match section.contains(' ') {
                true => format!(".SH \"{section}\"\n"),
                false => format!(".SH {section}\n"),
            };
            assert!(roff.contains(&heading), "{name} has no section {section}");
        }
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            if let Some(long) = arg.get_long() {
                let option = format!("--{long}").replace('-', "\\-");
                assert!(roff.contains(&option), "{name} does not tell of --{long}");
            }
        }
    }
    for (name, section) in [
        ("snapexport-exit-codes", 7),
        ("snapexport-config", 5),
        ("snapexport-json", 7),
    ] {
        assert!(
            pages
                .iter()
                .any(|page| page.name == name && page.section == section),
            "{name}"
        );
    }
}

#[test]
fn every_code_and_every_kind_stands_in_the_page_of_exit_codes() {
    let text = exit_codes();
    for kind in Kind::ALL {
        assert!(text.contains(kind.as_str()), "{}", kind.as_str());
        let is_listed = EXIT_CODES
            .iter()
            .any(|code| code.codes.contains(&kind.exit_code()));
        assert!(is_listed, "{}", kind.as_str());
    }
}

#[test]
fn every_line_is_text_or_a_request_that_is_known() {
    let known = [
        ".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".EX", ".EE", ".br", ".ie", ".el",
    ];
    for page in pages() {
        assert!(page.roff.starts_with(".TH "), "{}", page.name);
        for line in page.roff.lines() {
            let is_request = line.starts_with('.') || line.starts_with('\'');
            let request = line.split(' ').next().unwrap_or_default();
            assert!(
                !is_request || known.contains(&request),
                "{}: {line}",
                page.file()
            );
        }
        let opened = |wanted: &str| {
            let requests = page.roff.lines().filter_map(|line| line.split(' ').next());
            requests.filter(|request| *request == wanted).count()
        };
        assert_eq!(opened(".EX"), opened(".EE"), "{}", page.file());
        assert_eq!(opened(".RS"), opened(".RE"), "{}", page.file());
    }
}

/// A page of this Markdown, without the definition of the apostrophe above it.
fn page(text: &str) -> String {
    let mut roff = clap_mangen::roff::Roff::new();
    markdown::write(&mut roff, text);
    manual::as_typed(&roff.render())
}

#[test]
fn markdown_becomes_what_man_reads() {
    let text = "# Title\n\nabout it\n\n## A head\n\nTwo lines\nof `--code` and [a link](https://x.example) and [here](y.md).\n\n\
        - one\n  more\n- two\n\n1. first\n2. second\n\n| a | b |\n|---|---|\n| `x` | y \\| z |\n\n| a | b | c |\n|---|---|---|\n| x | | *z* |\n| x | y | z |\n\n\
        ```sh\n.dot -x \\n\n```\n### Sub-head\n";
    let expected = ".SH DESCRIPTION\n.PP\nabout it\n\
        .SH \"A HEAD\"\n.PP\nTwo lines of \\fB\\-\\-code\\fR and a link (https://x.example) and here.\n\
        .IP \\(bu 2\none more\n.IP \\(bu 2\ntwo\n.IP 1. 4\nfirst\n.IP 2. 4\nsecond\n.TP\n\\fBx\\fR\ny | z\n\
        .TP\nx\nc: \\fIz\\fR\n.TP\nx\nb: y\n.br\nc: z\n\
        .PP\n.RS\n.EX\n\\&.dot \\-x \\en\n.EE\n.RE\n.SS Sub\\-head\n";
    assert_eq!(page(text), expected);
}

#[test]
fn a_line_never_becomes_a_request_by_chance() {
    assert!(page("```\n.x\n```\n").contains("\n\\&.x\n"));
    assert!(page("`'x`\n").contains("\n\\fB\\(aqx\\fR\n"));
    assert!(page("'x ~^\n").contains("\n\\(aqx \\(ti\\(ha\n"));
    assert!(page("## A\n\n.so /etc/passwd\n").contains("\\&.so"));
}
