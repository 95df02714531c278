//! `docs/options.md`: every command and option, in one document.

use clap::{Arg, Command};

use crate::{command_line, name_and_usage, subcommands};

/// The whole document.
pub(crate) fn reference() -> String {
    let root = command_line();
    let globals = table(&root, Arg::is_global_set);
    let commands: String = subcommands(&root).map(section).collect();
    format!(
        "# Commands and options\n\nMade from the program's own help; `snapexport help COMMAND` and `snapexport man` show the same. \
         What an option is not given for comes from the variable in its description, if there is one.\n\n## Global options\n\nEvery command takes them.\n\n{globals}{commands}"
    )
}

/// A command, then the commands below it.
fn section(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let (name, usage) = name_and_usage(command);
    let mut text = format!("\n## {name}\n\n{about}.\n\n```console\n$ {usage}\n```\n");
    let rows = table(command, |arg| !arg.is_global_set());
    if !rows.is_empty() {
        text += &format!("\n{rows}");
    }
    text + &subcommands(command).map(section).collect::<String>()
}

fn table(command: &Command, is_meant: impl Fn(&Arg) -> bool) -> String {
    let rows: String = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && is_meant(arg))
        .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
        .map(|arg| format!("| `{}` | {} |\n", form(arg), help(arg)))
        .collect();
    if rows.is_empty() {
        rows
    } else {
        format!("| option | meaning |\n|---|---|\n{rows}")
    }
}

/// `-o, --output FORM`, or `TASK…`.
fn form(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let flags: Vec<String> = [short, long].into_iter().flatten().collect();
    let range = arg.get_num_args().unwrap_or_default();
    let names = arg.get_value_names().unwrap_or_default();
    let mut words = vec![flags.join(", ")];
    if range.takes_values() {
        words.extend(names.iter().map(ToString::to_string));
    }
    words.retain(|word| !word.is_empty());
    let more = if arg.is_positional() && range.max_values() > 1 {
        "…"
    } else {
        ""
    };
    words.join(" ") + more
}

/// The help, with the choices and the default that clap adds where it draws.
fn help(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let takes_values = arg.get_num_args().unwrap_or_default().takes_values();
    if takes_values && !choices.is_empty() {
        text += &format!(": {}", choices.join(", "));
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<String> = defaults
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if takes_values && !defaults.is_empty() {
        text += &format!(" [default: {}]", defaults.join(", "));
    }
    text.replace('|', "\\|").replace('\n', " ")
}
