use super::*;

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().copied().collect()
}

#[test]
fn colours_follow_the_published_rules() {
    use When::{Always, Auto, Never};
    for (wish, variables, is_terminal, expected) in [
        (Auto, &[][..], true, true),
        (Auto, &[], false, false),
        (Auto, &[("NO_COLOR", "0")], true, false),
        (Auto, &[("NO_COLOR", "")], true, true),
        (Auto, &[("CLICOLOR_FORCE", "1")], false, true),
        (Auto, &[("CLICOLOR_FORCE", "0")], false, false),
        (Auto, &[("CLICOLOR_FORCE", "")], false, false),
        (Auto, &[("CLICOLOR", "0")], true, false),
        (
            Auto,
            &[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")],
            false,
            true,
        ),
        (
            Auto,
            &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
            true,
            false,
        ),
        (Auto, &[("TERM", "dumb")], true, false),
        (Auto, &[("TERM", "")], true, cfg!(windows)),
        (Always, &[("NO_COLOR", "1"), ("TERM", "dumb")], false, true),
        (Never, &[("CLICOLOR_FORCE", "1")], true, false),
    ] {
        let all = [&[("TERM", "xterm")], variables].concat();
        let is = color(wish, &env(&all), is_terminal);
        assert_eq!(is, expected, "{wish:?} {variables:?} {is_terminal}");
    }
}

#[test]
fn progress_is_shown_only_where_the_terminal_is_known_to_understand_it() {
    for (variables, expected) in [
        (&[][..], false),
        (&[("TERM", "xterm-256color")], false),
        (&[("WT_SESSION", "1")], true),
        (&[("ConEmuANSI", "ON")], true),
        (&[("ConEmuANSI", "OFF")], false),
        (&[("TERM_PROGRAM", "ghostty")], true),
        (&[("TERM_PROGRAM", "WezTerm")], true),
        (&[("TERM_PROGRAM", "iTerm.app")], false),
        (&[("TERM_FEATURES", "T3LrMSc7UUw9Ts3BFGsSyHNoSxFP")], true),
        (&[("TERM_FEATURES", "T3Pq")], false),
        (&[("PTYXIS_VERSION", "48.1")], true),
        (&[("PTYXIS_VERSION", "47.9")], false),
        (&[("KONSOLE_VERSION", "260400")], true),
        (&[("KONSOLE_VERSION", "240800")], false),
        (&[("WT_SESSION", "1"), ("TMUX", "/tmp/tmux,1,0")], false),
        (&[("WT_SESSION", "1"), ("STY", "1.pts")], false),
    ] {
        assert_eq!(shows_progress(&env(variables)), expected, "{variables:?}");
    }
}

#[test]
fn links_are_made_only_where_the_terminal_is_known_to_open_them() {
    for (variables, expected) in [
        (&[][..], false),
        (&[("TERM", "xterm-256color")], false),
        (&[("TERM", "xterm-kitty")], true),
        (&[("VTE_VERSION", "6800")], true),
        (&[("VTE_VERSION", "4999")], false),
        (&[("TERM_PROGRAM", "vscode")], true),
        (&[("TERM_PROGRAM", "Apple_Terminal")], false),
        (&[("WT_SESSION", "1")], true),
        (&[("FORCE_HYPERLINK", "1")], true),
        (&[("FORCE_HYPERLINK", "0"), ("WT_SESSION", "1")], false),
        (&[("VTE_VERSION", "6800"), ("TMUX", "/tmp/tmux,1,0")], false),
    ] {
        assert_eq!(opens_links(&env(variables)), expected, "{variables:?}");
    }
}
