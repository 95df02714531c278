//! The page of a command, from what clap knows of it.

use clap::Command;

use super::markdown::{escape, literal};
use super::{Page, see_also, title};
use crate::error::EXIT_CODES;

/// Every command that is shown, the program itself first.
pub fn all(root: &Command) -> Vec<Command> {
    let below = root
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .flat_map(all);
    std::iter::once(root.clone()).chain(below).collect()
}

/// The page of one.
pub fn page(command: &Command) -> Page {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let (examples, notes) = after_help(command);
    let mut roff = title(&name, 1);
    roff += &name_section(command, &name);
    roff += &synopsis(command);
    roff += &by_clap(command);
    roff += &notes;
    roff += &section("EXAMPLES", &examples);
    roff += &exit_status();
    roff += &environment(command);
    roff += FILES;
    roff += &section("SEE ALSO", &format!("{}\n", related(command, &name)));
    Page {
        name,
        section: 1,
        roff,
    }
}

fn section(name: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(".SH {name}\n{text}")
    }
}

fn name_section(command: &Command, name: &str) -> String {
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let about = about.trim_end_matches('.');
    section("NAME", &format!("{} \\- {}\n", escape(name), escape(about)))
}

fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let rest = usage.strip_prefix(name).unwrap_or_default();
    let text = format!("\\fB{}\\fR{}\n", escape(name), escape(rest));
    section("SYNOPSIS", &text)
}

/// Description, options and subcommands, as clap_mangen writes them.
fn by_clap(command: &Command) -> String {
    let man = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = man.render_description_section(&mut text);
    let _ = man.render_options_section(&mut text);
    if command.has_subcommands() {
        let _ = man.render_subcommands_section(&mut text);
    }
    // The apostrophe by its own name; lines that define another for it stand before each section.
    String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el "))
        .map(|line| line.replace("\\*(Aq", "\\(aq") + "\n")
        .collect()
}

/// What stands below a command's help: its examples, and the rest as sections of its own.
fn after_help(command: &Command) -> (String, String) {
    let text = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (mut examples, mut notes) = (String::new(), String::new());
    for paragraph in text.split("\n\n") {
        let (head, body) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        match head {
            // They have a section of their own, on every page.
            "Exit codes:" => {}
            "Example:" | "Examples:" => examples += &literal(&unindented(body)),
            _ if body.starts_with("  snapexport") => {
                examples += &format!(".PP\n{}\n{}", escape(head), literal(&unindented(body)));
            }
            _ if body.starts_with("  ") => {
                notes += &format!(".PP\n{}\n{}", escape(head), literal(&unindented(body)));
            }
            "" => {}
            _ => notes += &format!(".PP\n{}\n", escape(&paragraph.replace('\n', " "))),
        }
    }
    if examples.is_empty() {
        // A command that only leads to others shows theirs.
        examples = command
            .get_subcommands()
            .map(|below| after_help(below).0)
            .collect();
    }
    (examples, section("NOTES", &notes))
}

fn unindented(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    lines.join("\n")
}

fn exit_status() -> String {
    let codes: String = EXIT_CODES
        .iter()
        .map(|code| format!(".TP\n{}\n{}\n", code.numbers(), escape(&code.plain())))
        .collect();
    let text = format!(
        "{codes}.PP\nTreat any other code as a failure. \\fB{}\\fR(7) tells more.\n",
        escape("snapexport-exit-codes")
    );
    section("EXIT STATUS", &text)
}

/// The variables that the help of its options names.
fn environment(command: &Command) -> String {
    let mut text = String::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let Some((_, names)) = help.split_once("[env: ") else {
            continue;
        };
        let names = names.split(']').next().unwrap_or_default();
        let option = arg.get_long().map(|long| format!("--{long}"));
        let name = option.unwrap_or_else(|| arg.get_id().to_string());
        text += &format!(
            ".TP\n\\fB{}\\fR\nSets \\fB{}\\fR where that is not typed.\n",
            escape(names),
            escape(&name)
        );
    }
    text += &format!(
        ".PP\n\\fB{}\\fR(5) lists the variables that give credentials, regions and endpoints.\n",
        escape("snapexport-config")
    );
    section("ENVIRONMENT", &text)
}

const FILES: &str = "\
.SH FILES
.TP
\\fI~/.config/snapexport/config.toml\\fR
Profiles; \\fBsnapexport\\-config\\fR(5) describes it. Elsewhere with \\fB\\-\\-config\\fR or \\fBSNAPEXPORT_CONFIG_DIR\\fR.
.TP
\\fI~/.local/state/snapexport/journal.db\\fR
What was started, and how it was last seen. Elsewhere with \\fBSNAPEXPORT_STATE_DIR\\fR.
.TP
\\fI~/.cache/snapexport\\fR
Tokens, readable by their owner only. Elsewhere with \\fBSNAPEXPORT_CACHE_DIR\\fR.
";

/// The command above it, and those below or beside.
fn related(command: &Command, own: &str) -> String {
    let root = super::command_line();
    let all = all(&root);
    let above = own.rsplit_once('-').map(|(above, _)| above);
    let names: Vec<&str> = all
        .iter()
        .filter_map(|other| other.get_display_name())
        .collect();
    let below = format!("{own}-");
    let beside = above.map(|above| format!("{above}-")).unwrap_or_default();
    let is_near = |name: &&str| {
        let is_child = |start: &str| {
            name.strip_prefix(start)
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('-'))
        };
        Some(*name) == above
            || is_child(&below)
            || (!beside.is_empty() && !command.has_subcommands() && is_child(&beside))
            || *name == "snapexport"
    };
    let mut near: Vec<&str> = names.into_iter().filter(is_near).collect();
    near.dedup();
    see_also(own, &near)
}
