use super::*;
use crate::poll::Event;
use crate::task::{Progress, ProviderId, Task, TaskId};

fn task(id: &str, percent: u8) -> Task {
    let mut task = Task::unseen(ProviderId("outscale"), "eu-west-2", TaskId::from(id));
    task.state = State::Running;
    task.provider_state = "uploading".into();
    task.progress = Progress::Percent(percent);
    task
}

/// What is told to whoever asks at this time.
fn lines_at(board: &mut Board, now: Duration) -> Vec<String> {
    board.take(&Event::Tick, now);
    lines(board)
}

#[test]
fn a_line_tells_state_progress_and_contact() {
    let task = task("snap-export-1", 42);
    let mut board = Board::new([(0, &task)].into_iter(), std::iter::empty());
    let seconds = Duration::from_secs;
    let planned = |has_answered, pause| Event::Planned {
        indices: &[0],
        has_answered,
        pause: seconds(pause),
    };
    board.take(&planned(false, 2), seconds(0));
    assert_eq!(
        lines_at(&mut board, seconds(1)),
        ["[1s] outscale/snap-export-1: not seen yet; no answer yet, next look in 1s"]
    );
    let changed = Event::Changed {
        index: 0,
        task: &task,
        remaining: Some(seconds(90)),
    };
    board.take(&changed, seconds(3));
    board.take(&planned(true, 20), seconds(3));
    assert_eq!(
        lines_at(&mut board, seconds(13)),
        [
            "[13s] outscale/snap-export-1: running (uploading), 42 %, about 1m20s left; last answer 10s ago, next look in 10s"
        ]
    );
    board.take(&planned(false, 30), seconds(25));
    assert_eq!(
        lines_at(&mut board, seconds(60)),
        [
            "[1m00s] outscale/snap-export-1: running (uploading), 42 %, about 33s left; last answer 57s ago, asking now"
        ]
    );
}

#[test]
fn many_tasks_are_counted() {
    let mut board = Board::new(std::iter::empty(), std::iter::empty());
    for index in 0..12 {
        let mut task = task(&format!("t{index}"), 10);
        if index < 2 {
            task.state = State::Completed;
        }
        let changed = Event::Changed {
            index,
            task: &task,
            remaining: None,
        };
        board.take(&changed, Duration::from_secs(1));
    }
    assert_eq!(
        lines_at(&mut board, Duration::from_secs(4)),
        ["[4s] 12 tasks: 2 completed, 10 running; last answer 3s ago"]
    );
}
