//! The manual: a page for every command, made from the command line itself, and three about the whole.
//!
//! Pages bear the version and no date, so that they change only when the program does.

mod command;
mod json;
mod markdown;
mod options;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::{EXIT_CODES, Kind};

pub use options::reference;

/// A page of the manual.
pub struct Page {
    /// Such as `snapexport-wait`.
    pub name: String,
    /// Such as 1, for commands.
    pub section: u8,
    /// The page, for `man` to format.
    pub roff: String,
}

impl Page {
    /// The name of its file in `man/`.
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }
}

/// Every page.
pub fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = command::all(&command_line())
        .iter()
        .map(command::page)
        .collect();
    pages.push(of_markdown(
        7,
        "snapexport-exit-codes",
        "the exit codes of snapexport",
        &exit_codes(),
    ));
    pages.push(of_markdown(
        5,
        "snapexport-config",
        "the configuration of snapexport",
        include_str!("../../docs/configuration.md"),
    ));
    pages.push(of_markdown(
        7,
        "snapexport-json",
        "the JSON that snapexport writes",
        &json::text(),
    ));
    pages
}

/// The command line as the manual describes it.
fn command_line() -> clap::Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn of_markdown(section: u8, name: &str, about: &str, text: &str) -> Page {
    let roff = format!(
        "{}.SH NAME\n{} \\- {about}\n{}.SH SEE ALSO\n{}\n",
        title(name, section),
        markdown::escape(name),
        markdown::to_roff(text),
        see_also(name, &["snapexport"]),
    );
    Page {
        name: name.to_owned(),
        section,
        roff,
    }
}

fn title(name: &str, section: u8) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(".TH \"{name}\" {section} \"\" \"snapexport {version}\" \"snapexport manual\"\n")
}

/// References to these pages of commands, and to the pages about the whole.
fn see_also(own: &str, commands: &[&str]) -> String {
    let whole = [
        ("snapexport-config", 5),
        ("snapexport-exit-codes", 7),
        ("snapexport-json", 7),
    ];
    let commands = commands.iter().map(|name| (*name, 1));
    let pages: Vec<String> = commands
        .chain(whole)
        .filter(|(name, _)| *name != own)
        .map(|(name, section)| format!("\\fB{}\\fR({section})", markdown::escape(name)))
        .collect();
    pages.join(",\n")
}

/// The text of `snapexport-exit-codes(7)`, from the codes and the kinds of errors themselves.
fn exit_codes() -> String {
    let mut text = String::from(
        "## DESCRIPTION\n\nThe exit code tells how a command ended. These codes keep their meaning in later versions. \
         Treat any other code as a failure.\n\n## CODES\n\n| code | meaning |\n|---|---|\n",
    );
    for code in &EXIT_CODES {
        let kinds: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| code.codes.contains(&kind.exit_code()))
            .map(Kind::as_str)
            .collect();
        let kinds = if kinds.is_empty() {
            String::new()
        } else {
            format!(". Kinds of errors: {}", kinds.join(", "))
        };
        text += &format!("| {} | {}{kinds} |\n", code.numbers(), code.meaning);
    }
    text + "\n## SEVERAL TASKS\n\nOf several tasks the worst counts: 3 wins over every other, then 6, 4, 5, 1, 124.\n\n\
        `status` and `list` report and do not judge: they exit 0 also for a failed task. Only `wait` and `export --wait` turn an outcome into a code.\n\n\
        ## SIGNALS\n\nInterrupted by Ctrl-C or terminated, the program dies by the signal itself, so that a shell's loop stops too; a shell shows that as 130 or 143. \
        The export goes on in the cloud, and the last words say how to wait for it again.\n\n\
        ## EXAMPLES\n\n```sh\nid=$(snapexport export outscale snap-12345678 --bucket backups) && snapexport wait \"$id\" --timeout 2h\n\
        case $? in\n  0)   echo \"exported\" ;;\n  3)   echo \"the cloud says it failed\" ;;\n  124) echo \"still running; wait again later\" ;;\n\
        \x20 6)   echo \"may be running: look before starting again\" ;;\n  *)   echo \"something else\" ;;\nesac\n```\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_the_usual_sections() {
        let pages = pages();
        for command in command::all(&command_line()) {
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
                let heading = format!(".SH {section}\n");
                assert!(roff.contains(&heading), "{name} has no section {section}");
            }
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                if let Some(long) = arg.get_long() {
                    let option = markdown::escape(&format!("--{long}"));
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
            ".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".EX", ".EE", ".br", ".ie",
            ".el",
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
}
