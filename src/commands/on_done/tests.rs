use super::*;
use crate::task::{ProviderId, TaskId};

fn task() -> Task {
    let mut task = Task::unseen(ProviderId("outscale"), "eu-west-2", TaskId::from("t-1"));
    task.snapshot = Some("a\0b\u{1b}[31m".into());
    task
}

/// Everything that is said by the command for a task, lines as text.
async fn all(command: &str, object: &str) -> Vec<String> {
    let mut hook = OnDone::new(command.to_owned());
    hook.start(&task(), object.to_owned());
    let mut all = Vec::new();
    while let Some(said) = hook.last_said().await {
        all.push(match said {
            Said::Line(line) => String::from_utf8(line).expect("text"),
            Said::Failed(text) => text,
        });
    }
    all
}

#[test]
fn variables_hold_nothing_that_a_variable_or_a_terminal_cannot_bear() {
    let variables = variables(&task());
    let value = |name: &str| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.expect("it is there").1.clone()
    };
    assert_eq!(value("SNAPEXPORT_SNAPSHOT"), "a b [31m");
    assert_eq!(value("SNAPEXPORT_ARTIFACT_URI"), "");
}

#[tokio::test]
async fn a_command_that_reads_nothing_breaks_nothing() {
    let large = "x".repeat(1 << 20);
    assert_eq!(all("exit 0", &large).await, Vec::<String>::new());
    assert_eq!(all("wc -c | tr -d ' '", &large).await, ["1048577"]);
}

#[tokio::test]
async fn what_a_command_leaves_running_is_not_waited_for() {
    let started = std::time::Instant::now();
    assert_eq!(all("sleep 20 & echo done", "{}").await, ["done"]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_command_that_fails_is_said_to_have_failed() {
    let said = all("echo on its way; exit 7", "{}").await;
    assert_eq!(said[0], "on its way");
    assert!(
        said[1].contains("t-1 ended with exit status: 7"),
        "{said:?}"
    );
}
