use super::*;
use crate::task::{Progress, ProviderId, State, TaskId};

fn task(percent: u8, word: &str) -> Task {
    let mut task = Task::unseen(
        ProviderId("outscale"),
        "eu-west-2",
        TaskId::from("snap-export-1"),
    );
    task.state = State::Running;
    task.provider_state = word.to_owned();
    task.progress = Progress::Percent(percent);
    task
}

fn lines(events: &[(u64, Event<'_>)]) -> String {
    let mut out = Vec::new();
    let (mut lines, mut board) = (Lines::new(&mut out), Board::default());
    for (seconds, event) in events {
        board.take(event, Duration::from_secs(*seconds));
        lines.tell(&board, event);
    }
    String::from_utf8(out).expect("text")
}

fn changed(task: &Task) -> Event<'_> {
    Event::Changed {
        index: 0,
        task,
        remaining: None,
    }
}

#[test]
fn a_line_comes_for_each_state_and_each_ten_percent_only() {
    let tasks = [
        task(1, "uploading"),
        task(5, "uploading"),
        task(12, "uploading"),
        task(13, "done\u{1b}"),
    ];
    let events: Vec<(u64, Event<'_>)> = tasks
        .iter()
        .enumerate()
        .map(|(i, task)| (i as u64, changed(task)))
        .collect();
    assert_eq!(
        lines(&events),
        "[0s] outscale/snap-export-1: uploading, 1 %\n\
         [2s] outscale/snap-export-1: uploading, 12 %\n\
         [3s] outscale/snap-export-1: done , 13 %\n"
    );
}

#[test]
fn a_sign_of_life_comes_once_a_minute() {
    let task = task(1, "uploading");
    let events = [
        (0, changed(&task)),
        (59, Event::Tick),
        (60, Event::Tick),
        (61, Event::Tick),
        (120, Event::Tick),
    ];
    assert_eq!(
        lines(&events),
        "[0s] outscale/snap-export-1: uploading, 1 %\n\
         [1m00s] outscale/snap-export-1: still uploading\n\
         [2m00s] outscale/snap-export-1: still uploading\n"
    );
}
