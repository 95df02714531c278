//! What the terminal can do, from the streams and what the environment says of it.

use std::io::IsTerminal;

use console::Term;

use crate::options::{Global, When};
use crate::report::{Terminal, stderr_width};
use crate::settings::Env;

/// The terminal of this process, and what the user wants of it.
pub(super) fn terminal(global: &Global, env: &Env) -> Terminal {
    let is_dumb = is_dumb(env);
    let stdout = std::io::stdout().is_terminal();
    let stderr = std::io::stderr().is_terminal();
    // What is simulated has no console to link to.
    let links = opens_links(env) && !is_dumb && !global.sandbox;
    Terminal {
        stdout_width: stdout.then(|| Term::stdout().size().1),
        stderr_width: stderr_width(),
        is_stderr_capable: stderr && !is_dumb,
        stdout_color: color(global.color.unwrap_or_default(), env, stdout),
        stderr_color: color(global.color.unwrap_or_default(), env, stderr),
        stdout_links: stdout && links,
        stderr_links: stderr && links,
        shows_progress: stderr && !is_dumb && shows_progress(env),
        is_reflowing: reflows(env),
    }
}

/// Whether the terminal can show nothing but text. Nobody has said what one without a name can do; Windows names none.
fn is_dumb(env: &Env) -> bool {
    match env.get("TERM") {
        Some(name) => name == "dumb",
        None => cfg!(unix),
    }
}

/// <https://no-color.org>: `NO_COLOR` counts if it is not empty, whatever it says.
/// <https://bixense.com/clicolors>: `CLICOLOR_FORCE` colours pipes too, `CLICOLOR=0` means none; zero is "not set" for the first.
fn color(wish: When, env: &Env, is_terminal: bool) -> bool {
    match wish {
        When::Always => true,
        When::Never => false,
        When::Auto if env.get("NO_COLOR").is_some() => false,
        When::Auto if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto if env.get("CLICOLOR") == Some("0") => false,
        When::Auto => is_terminal && !is_dumb(env),
    }
}

/// Whether what is written goes to a multiplexer first: it does not pass on what its own screen does not show.
fn is_multiplexed(env: &Env) -> bool {
    env.get("TMUX").is_some() || env.get("STY").is_some()
}

/// Whether the terminal is known to show OSC 9;4 as progress. Others may take it for a message (OSC 9 alone is one in iTerm2).
fn shows_progress(env: &Env) -> bool {
    let at_least = |name: &str, least: u32| {
        let version = env.get(name).and_then(|text| text.split('.').next());
        version.is_some_and(|text| text.parse::<u32>().is_ok_and(|number| number >= least))
    };
    if is_multiplexed(env) {
        return false;
    }
    let has_feature = env.get("TERM_FEATURES").is_some_and(names_progress);
    let program = env.get("TERM_PROGRAM");
    has_feature
        || matches!(program, Some("WezTerm" | "ghostty"))
        || env.get("WT_SESSION").is_some()
        || env.get("ConEmuANSI") == Some("ON")
        || at_least("PTYXIS_VERSION", 48)
        || at_least("KONSOLE_VERSION", 260_400)
}

/// Whether the list of features (<https://iterm2.com/feature-reporting/>) has `P`. Each begins with a capital letter.
fn names_progress(features: &str) -> bool {
    let mut letters = features
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .peekable();
    while let Some(letter) = letters.next() {
        let is_whole = letters.peek().is_none_or(|next| next.is_ascii_uppercase());
        if letter == 'P' && is_whole {
            return true;
        }
    }
    false
}

/// Whether the terminal is known to open OSC 8 hyperlinks. `FORCE_HYPERLINK` decides where it is set.
fn opens_links(env: &Env) -> bool {
    if let Some(force) = env.get("FORCE_HYPERLINK") {
        return force.trim() != "0";
    }
    let vte = env.get("VTE_VERSION").and_then(|text| text.parse().ok());
    !is_multiplexed(env)
        && (vte.is_some_and(|version: u32| version >= 5000)
            || matches!(
                env.get("TERM_PROGRAM"),
                Some(
                    "Hyper"
                        | "iTerm.app"
                        | "terminology"
                        | "WezTerm"
                        | "vscode"
                        | "ghostty"
                        | "zed"
                )
            )
            || matches!(
                env.get("TERM"),
                Some("xterm-kitty" | "xterm-ghostty" | "alacritty" | "alacritty-direct" | "foot")
            )
            || ["DOMTERM", "WT_SESSION", "KONSOLE_VERSION"]
                .iter()
                .any(|name| env.get(name).is_some()))
}

/// Whether a terminal that becomes narrower is known to break the lines on its screen anew.
fn reflows(env: &Env) -> bool {
    let is_named = |name: &&str| env.get(name).is_some();
    let known = [
        "TMUX",
        "VTE_VERSION",
        "TERM_PROGRAM",
        "WT_SESSION",
        "KONSOLE_VERSION",
        "KITTY_WINDOW_ID",
        "ALACRITTY_WINDOW_ID",
    ];
    let of_term = ["tmux", "xterm-kitty", "xterm-ghostty", "alacritty", "foot"];
    let term = env.get("TERM").unwrap_or_default();
    env.get("STY").is_none()
        && (known.iter().any(is_named) || of_term.iter().any(|name| term.starts_with(name)))
}

#[cfg(test)]
mod tests;
