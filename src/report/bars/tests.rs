use super::*;
use crate::error::{Error, Kind};
use crate::poll::Event;
use crate::task::{ProviderId, TaskId};

fn task(id: &str, state: State, progress: Progress) -> Task {
    let mut task = Task::unseen(ProviderId("somewhere"), "here", TaskId::from(id));
    task.state = state;
    task.provider_state = "moving".into();
    task.progress = progress;
    task
}

/// A board on which these were seen, one a second.
fn board(tasks: &[Task]) -> Board {
    let mut board = Board::default();
    for (index, task) in tasks.iter().enumerate() {
        let remaining = Some(Duration::from_secs(90));
        let changed = Event::Changed {
            index,
            task,
            remaining,
        };
        board.take(&changed, Duration::from_secs(index as u64));
    }
    board
}

/// The lines as they would be filled in: template, name, message.
fn shown(board: &Board, width: usize) -> Vec<String> {
    let text = |line: Line| {
        line.template
            .replace("{prefix}", &line.prefix)
            .replace("{wide_msg}", &line.message)
    };
    let lines = frame(board, width, Terminal::default());
    lines.into_iter().map(text).collect()
}

#[test]
fn a_line_follows_the_form_of_its_progress() {
    const STEPS: &[&str] = &["queued", "moving", "done"];
    let at = Some(1);
    let mut board = board(&[
        task("a", State::Running, Progress::Percent(42)),
        task("bb", State::Running, Progress::Flag { is_terminal: false }),
        task("c", State::Running, Progress::Step { steps: STEPS, at }),
        task("d", State::Completed, Progress::Percent(100)),
    ]);
    board.take(&Event::Tick, Duration::from_secs(30));
    assert_eq!(
        shown(&board, 80),
        [
            "{spinner} a  {bar:24}  42 % moving 30s, about 1m00s left",
            "{spinner} bb moving  isTerminal: false  30s",
            "{spinner} c  queued → [moving] → done  30s",
            "✓ d  {bar:24} 100 % moving 3s",
        ]
    );
    assert_eq!(
        shown(&board, 40),
        [
            "{spinner} a  {bar:6}  42 % 30s moving",
            "{spinner} bb moving  false  30s",
            "{spinner} c  moving 2/3  30s",
            "✓ d  {bar:6} 100 % 3s moving",
        ]
    );
}

#[test]
fn many_tasks_share_a_bar_with_the_latest_changes_below_it() {
    let tasks: Vec<Task> = (0..12)
        .map(|index| {
            let state = if index < 2 {
                State::Completed
            } else {
                State::Running
            };
            task(&format!("t{index}"), state, Progress::Percent(index))
        })
        .collect();
    assert_eq!(
        shown(&board(&tasks), 80),
        [
            "{bar:24.cyan} 2 of 12 ended, 10 running  11s",
            "  t11 moving 11 %",
            "  t10 moving 10 %",
            "  t9 moving 9 %",
        ]
    );
}

#[test]
fn who_does_not_respond_is_said_last_until_it_does() {
    let mut board = board(&[task("a", State::Running, Progress::Percent(1))]);
    let (provider, silent_for) = (ProviderId("somewhere"), Duration::from_secs(5));
    let missed = Event::Missed {
        provider,
        error: &Error::new(Kind::Network, "connection reset"),
        silent_for,
    };
    board.take(&missed, Duration::from_secs(6));
    assert_eq!(
        shown(&board, 80)[1..],
        ["no answer from somewhere for 5s, trying again: connection reset"]
    );
    let recovered = Event::Recovered {
        provider,
        silent_for,
    };
    board.take(&recovered, Duration::from_secs(8));
    assert_eq!(shown(&board, 80).len(), 1);
}
