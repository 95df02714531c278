use super::*;
use crate::provider::Setting;
use crate::task::ProviderId;

fn sheet() -> Sheet {
    Sheet {
        provider: Some(ProviderId("somewhere")),
        settings: vec![Setting::new(
            "endpoint",
            "https://api.eu-west-2.example.com/api/v1",
            "the region",
        )],
        checks: vec![
            Check::ok("reachable", "api.eu-west-2.example.com answers"),
            Check::problem("clock", "this machine's clock is 12 s ahead of the cloud's")
                .hint("set the clock"),
        ],
    }
}

fn shown(width: Option<u16>) -> String {
    let terminal = Terminal {
        stdout_width: width,
        stderr_width: None,
        is_stderr_capable: false,
        stdout_color: false,
        stderr_color: false,
        stdout_links: false,
        stderr_links: false,
        shows_progress: false,
        is_reflowing: false,
    };
    text(&[sheet()], terminal)
}

#[test]
fn a_sheet_is_aligned_where_there_is_room_and_stacked_where_not() {
    assert_eq!(
        shown(Some(80)),
        "somewhere\n\
         \u{20} endpoint            https://api.eu-west-2.example.com/api/v1 (from the region)\n\n\
         \u{20} ok       reachable  api.eu-west-2.example.com answers\n\
         \u{20} problem  clock      this machine's clock is 12 s ahead of the cloud's\n\
         \u{20}                     → set the clock"
    );
    assert_eq!(
        shown(Some(40)),
        "somewhere\n\
         \u{20} endpoint\n\
         \u{20}   https://api.eu-west-2.example.com/api/v1\n\
         \u{20}   (from the region)\n\n\
         \u{20} ok       reachable\n\
         \u{20}   api.eu-west-2.example.com answers\n\
         \u{20} problem  clock\n\
         \u{20}   this machine's clock is 12 s ahead\n\
         \u{20}   of the cloud's\n\
         \u{20}   → set the clock"
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [20, 40, 60, 80, 100] {
        for line in shown(Some(width)).lines() {
            let columns = console::measure_text_width(line);
            // A word stays whole: it may be an address, which is there to be copied.
            let is_one_word = !line.trim().contains(' ');
            assert!(
                columns <= usize::from(width) || is_one_word,
                "{width}: {line}"
            );
        }
    }
}
