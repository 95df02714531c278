//! What is said of a cancellation.

use super::*;
use crate::error::Part;
use crate::task::{Progress, ProviderId};

fn seen(state: State, word: &str) -> Task {
    let mut task = Task::unseen(ProviderId("outscale"), "r", TaskId::from("t-1"));
    task.state = state;
    task.provider_state = word.into();
    task.progress = Progress::Percent(42);
    task
}

#[test]
fn only_what_was_seen_cancelled_is_called_so() {
    let lost = || Err(Error::new(Kind::Network, "reset").maybe_executed());
    let refused = || Err(Error::new(Kind::Conflict, "too far"));
    let running = || Ok(seen(State::Running, "uploading"));
    let unseen = |kind| Err(Error::new(kind, "no look"));
    for (reply, sight, kind, words) in [
        (
            refused(),
            running(),
            Kind::Conflict,
            "is not cancelled: it is running (uploading, 42 %)",
        ),
        (
            lost(),
            running(),
            Kind::Network,
            "has not been seen cancelled: it is running",
        ),
        (
            lost(),
            unseen(Kind::Network),
            Kind::Network,
            "Whether the export t-1 was cancelled is not known",
        ),
        (
            Ok(()),
            Ok(seen(State::Pending, "pending")),
            Kind::Provider,
            "was accepted, but it is still pending (42 %)",
        ),
        (
            Ok(()),
            unseen(Kind::NotFound),
            Kind::Provider,
            "whether it is cancelled is not known",
        ),
        (
            Ok(()),
            unseen(Kind::Network),
            Kind::Network,
            "whether it is cancelled is not known",
        ),
    ] {
        let error = why_not(&TaskId::from("t-1"), sight, reply, &"snapexport".into());
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
        let mut parts = error.details.hints.iter().flat_map(Hint::parts);
        let is_ours = |part: &Part| matches!(part, Part::Command(command) if command.to_string().starts_with("snapexport "));
        assert!(parts.any(is_ours), "{error:?}");
    }
}

#[test]
fn an_end_is_told_as_it_is() {
    assert!(
        ended(
            seen(State::Cancelled, "cancelled"),
            None,
            &"snapexport".into()
        )
        .is_ok()
    );
    for state in [State::Completed, State::Failed] {
        let error = ended(seen(state, ""), None, &"snapexport".into())
            .expect_err("too late")
            .error;
        assert_eq!(error.kind, Kind::Conflict);
        assert!(error.message.ends_with(state.as_str()), "{error}");
    }
}
