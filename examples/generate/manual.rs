//! The manual: a page for every command, written by clap_mangen, and three about the whole, from Markdown.
//!
//! Pages bear the version and no date, so that they change only when the program does.

mod command;
mod json;

use clap_mangen::roff::{Roff, roman};
use snapexport::error::{EXIT_CODES, Kind};

use crate::markdown;

/// The title's last three arguments: date, source and manual. An empty argument has to be quoted for roff.
const TITLE: [&str; 3] = [
    "\"\"",
    concat!("snapexport ", env!("CARGO_PKG_VERSION")),
    "snapexport manual",
];

/// The pages about the whole, in which every page ends.
const WHOLE: &str =
    "**snapexport-config**(5), **snapexport-exit-codes**(7), **snapexport-json**(7)";

/// A page of the manual.
pub(crate) struct Page {
    /// Such as `snapexport-wait`.
    pub name: String,
    /// Such as 1, for commands.
    pub section: u8,
    /// The page, for `man` to format.
    pub roff: String,
}

impl Page {
    fn new(name: &str, section: u8, roff: &str) -> Self {
        Page {
            name: name.to_owned(),
            section,
            roff: as_typed(roff),
        }
    }

    /// The name of its file in `man/`.
    pub(crate) fn file(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }
}

/// Every page, the program's own first.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages = command::pages();
    pages.push(whole(
        "snapexport-exit-codes",
        7,
        "the exit codes of snapexport",
        &exit_codes(),
    ));
    pages.push(whole(
        "snapexport-config",
        5,
        "the configuration of snapexport",
        include_str!("../../docs/configuration.md"),
    ));
    pages.push(whole(
        "snapexport-json",
        7,
        "the JSON that snapexport writes",
        &json::text(),
    ));
    pages
}

/// The list by which the program embeds the pages.
pub(crate) fn embedding(pages: &[Page]) -> String {
    let rows: String = pages
        .iter()
        .map(|page| {
            format!(
                "    (\"{}\", include_str!(\"{}\")),\n",
                page.name,
                page.file()
            )
        })
        .collect();
    format!("// Made by `cargo run --example generate`.\n[\n{rows}]\n")
}

/// A page from Markdown; what stands below the document's title is its description.
fn whole(name: &str, section: u8, about: &str, text: &str) -> Page {
    let number = section.to_string();
    let mut roff = Roff::new();
    roff.control("TH", [name, &number].into_iter().chain(TITLE));
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {about}"))]);
    markdown::write(&mut roff, text);
    let own = format!("**{name}**({section})");
    let others: Vec<&str> = WHOLE.split(", ").filter(|page| *page != own).collect();
    let others = format!("## See also\n\n**snapexport**(1), {}", others.join(", "));
    markdown::write(&mut roff, &others);
    Page::new(name, section, &roff.render())
}

/// The page's text with names for the characters that roff would make typographic: what is shown can be copied and typed.
pub(crate) fn as_typed(roff: &str) -> String {
    roff.lines()
        // The apostrophe by its own name needs no definition.
        .filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el "))
        .map(|line| line.replace(r"\\", r"\e").replace(r"\*(Aq", r"\(aq"))
        .map(|line| line.replace('`', r"\(ga").replace('^', r"\(ha"))
        .map(|line| line.replace('~', r"\(ti") + "\n")
        .collect()
}

/// The exit codes as rows of a table.
fn codes(meaning: impl Fn(&snapexport::error::ExitCode) -> String) -> String {
    EXIT_CODES
        .iter()
        .map(|code| format!("| {} | {} |\n", code.numbers(), meaning(code)))
        .collect()
}

/// The text of `snapexport-exit-codes(7)`, from the codes and the kinds of errors themselves.
pub(crate) fn exit_codes() -> String {
    let rows = codes(|code| {
        let kinds: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| code.codes.contains(&kind.exit_code()))
            .map(Kind::as_str)
            .collect();
        match kinds[..] {
            [] => code.meaning.to_owned(),
            _ => format!("{}. Kinds of errors: {}", code.meaning, kinds.join(", ")),
        }
    });
    include_str!("manual/exit-codes.md").replace("{codes}\n", &rows)
}
