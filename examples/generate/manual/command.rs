//! The page of a command: what clap_mangen writes of it, then its notes and examples, and what every page ends with.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{Page, TITLE, WHOLE, codes};
use crate::{command_line, markdown, name_and_usage, subcommands};

/// The page of every command that is shown, the program's own first.
pub(super) fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    add(&command_line(), &[], &mut pages);
    pages
}

/// Adds the page of a command that stands below others, the program first, and those of the commands below it.
fn add(command: &Command, above: &[&Command], pages: &mut Vec<Page>) {
    let text = by_clap(command) + &after_help(command).render() + &ending(command, above).render();
    pages.push(Page::new(name(command), 1, &text));
    let above = [above, &[command]].concat();
    subcommands(command).for_each(|sub| add(sub, &above, pages));
}

/// Such as `snapexport-wait`.
fn name(command: &Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}

/// From the title to the options and subcommands.
fn by_clap(command: &Command) -> String {
    let (_, usage) = name_and_usage(command);
    // What stands below the help, and the version, have a place of their own here.
    let command = command
        .clone()
        .after_help(None)
        .version(None)
        .override_usage(usage);
    let [date, source, manual] = TITLE;
    let mut page = Vec::new();
    Man::new(command)
        .date(date)
        .source(source)
        .manual(manual)
        .render(&mut page)
        .expect("memory takes it");
    String::from_utf8(page).expect("it is text")
}

/// What stands below a command's help: its notes, and its examples.
fn after_help(command: &Command) -> Roff {
    let (mut notes, mut examples) = parted(command);
    if examples.is_empty() {
        // A command that only leads to others shows theirs.
        examples = subcommands(command).flat_map(|sub| parted(sub).1).collect();
    }
    let mut roff = Roff::new();
    for (heading, paragraphs) in [("NOTES", &mut notes), ("EXAMPLES", &mut examples)] {
        if !paragraphs.is_empty() {
            roff.control("SH", [heading]);
            roff.extend(paragraphs.drain(..));
        }
    }
    roff
}

/// The paragraphs below a command's help: those without and those with commands to type.
fn parted(command: &Command) -> (Vec<Roff>, Vec<Roff>) {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let paragraphs = help
        .split("\n\n")
        // The codes have a section of their own, on every page.
        .filter(|paragraph| !paragraph.is_empty() && !paragraph.starts_with("Exit codes:"));
    let (mut notes, mut examples) = (Vec::new(), Vec::new());
    for paragraph in paragraphs {
        let (code, prose): (Vec<&str>, Vec<&str>) =
            paragraph.lines().partition(|line| line.starts_with("  "));
        let is_headed = matches!(prose[..], ["Example:" | "Examples:"]);
        let is_typed = code.iter().any(|line| line.starts_with("  snapexport"));
        let mut roff = Roff::new();
        if !is_headed && !prose.is_empty() {
            roff.control("PP", []);
            roff.text([roman(prose.join(" "))]);
        }
        if !code.is_empty() {
            markdown::literal(&mut roff, code.into_iter().map(|line| &line[2..]));
        }
        let place = if is_headed || is_typed {
            &mut examples
        } else {
            &mut notes
        };
        place.push(roff);
    }
    (notes, examples)
}

/// The sections with which the page of every command ends.
fn ending(command: &Command, above: &[&Command]) -> Roff {
    let text = include_str!("command.md")
        .replace("{codes}\n", &codes(|code| code.meaning.to_owned()))
        .replace("{variables}\n", &variables(command))
        .replace("{related}", &related(command, above));
    let mut roff = Roff::new();
    markdown::write(&mut roff, &text);
    roff
}

/// The variables that the help of its options names, as rows of a table.
fn variables(command: &Command) -> String {
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set());
    options
        .filter_map(|option| {
            let help = option.get_help()?.to_string();
            let (names, _) = help.split_once("[env: ")?.1.split_once(']')?;
            let name = option.get_long()?;
            Some(format!(
                "| `{names}` | Sets `--{name}` where that is not typed. |\n"
            ))
        })
        .collect()
}

/// The commands above this one, those below or, without any, beside it, and the pages about the whole.
fn related(command: &Command, above: &[&Command]) -> String {
    let leading = match above.last() {
        Some(parent) if !command.has_subcommands() => parent,
        _ => command,
    };
    let near = subcommands(leading).map(name);
    let references: String = above
        .iter()
        .map(|above| name(above))
        .chain(near)
        .filter(|near| *near != name(command))
        .map(|near| format!("**{near}**(1), "))
        .collect();
    references + WHOLE
}
