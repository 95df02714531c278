use super::*;

fn drawn(lines: &[&str], width: u16, frame: &mut Frame, is_reflowing: bool) -> String {
    frame.next = lines.iter().map(|line| (*line).to_owned()).collect();
    frame.change(width, is_reflowing)
}

#[test]
fn what_a_narrower_terminal_broke_into_rows_is_taken_away_whole() {
    let long = "x".repeat(70);
    for (is_reflowing, up) in [(true, "\x1b[2A"), (false, "\x1b[1A")] {
        let mut frame = Frame::default();
        assert_eq!(
            drawn(&[&long, "short"], 80, &mut frame, is_reflowing),
            format!("{long}\r\nshort")
        );
        let then = drawn(&[&long, "short"], 40, &mut frame, is_reflowing);
        let cut = "x".repeat(40);
        assert_eq!(then, format!("\r{up}\x1b[J{cut}\r\nshort"));
        // Nothing is joined when it becomes wider.
        let then = drawn(&["a", "b"], 100, &mut frame, is_reflowing);
        assert_eq!(then, "\r\x1b[1A\x1b[Ja\r\nb");
    }
}

#[test]
fn what_has_not_changed_is_not_written_again() {
    let mut frame = Frame::default();
    assert_eq!(drawn(&["a"], 80, &mut frame, true), "a");
    assert_eq!(drawn(&["a"], 80, &mut frame, true), "");
    assert_eq!(drawn(&[], 80, &mut frame, true), "\r\x1b[J");
    assert_eq!(drawn(&[], 80, &mut frame, true), "");
}
