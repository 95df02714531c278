use super::*;
use crate::poll::Event;
use crate::task::{Progress, ProviderId, State, Task, TaskId};

fn task(percent: Option<u8>, state: State) -> Task {
    let mut task = Task::unseen(ProviderId("outscale"), "here", TaskId::from("t"));
    task.state = state;
    if let Some(percent) = percent {
        task.progress = Progress::Percent(percent);
    }
    task
}

/// What is written for these sightings of tasks, one a second.
fn said(sights: &[(usize, Task)]) -> String {
    let mut out = Vec::new();
    let (mut bar, mut board) = (Taskbar::new(&mut out), Board::default());
    for (second, (index, task)) in sights.iter().enumerate() {
        let event = Event::Changed {
            index: *index,
            task,
            remaining: None,
        };
        board.take(&event, Duration::from_secs(1 + second as u64));
        bar.show(&board);
    }
    drop(bar);
    String::from_utf8(out)
        .expect("text")
        .replace("\x1b]9;4;", "<")
        .replace("\x1b\\", ">")
}

#[test]
fn the_total_is_the_mean_and_unknown_where_one_is_unknown() {
    let (running, done) = (State::Running, State::Completed);
    assert_eq!(
        said(&[
            (0, task(Some(10), running)),
            (1, task(Some(50), running)),
            (1, task(Some(50), running)),
            (0, task(None, done)),
        ]),
        "<1;10><1;30><1;75><0;>"
    );
    assert_eq!(said(&[(0, task(None, running))]), "<3;><0;>");
}

#[test]
fn a_failure_shows_as_one_and_is_taken_away_at_the_end() {
    let sights = [
        (0, task(Some(40), State::Running)),
        (1, task(Some(20), State::Failed)),
    ];
    assert_eq!(said(&sights), "<1;40><2;70><0;>");
}

#[test]
fn what_has_not_changed_is_repeated_before_the_terminal_forgets_it() {
    let mut out = Vec::new();
    let (mut bar, mut board) = (Taskbar::new(&mut out), Board::default());
    let task = task(Some(5), State::Running);
    let changed = Event::Changed {
        index: 0,
        task: &task,
        remaining: None,
    };
    board.take(&changed, Duration::ZERO);
    bar.show(&board);
    for second in 1..=12 {
        board.take(&Event::Tick, Duration::from_secs(second));
        bar.show(&board);
    }
    drop(bar);
    let text = String::from_utf8(out).expect("text");
    assert_eq!(text.matches("9;4;1;5").count(), 2, "{text:?}");
}
