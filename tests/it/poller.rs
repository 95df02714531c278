//! What the shared poller promises, on the fake cloud and a paused clock.

use std::sync::Arc;
use std::time::Duration;

use snapexport::deadline::Deadline;
use snapexport::error::Kind;
use snapexport::poll::{self, End, Event, Group, Options, Outcome, Watched};
use snapexport::task::{Progress, State};
use tokio::time::Instant;

use crate::fake::{self, Fake, Sight};

const S: fn(u64) -> Duration = Duration::from_secs;

struct Waited {
    outcomes: Vec<Outcome>,
    end: End,
    log: Vec<String>,
    took: Duration,
}

fn group(fake: &Arc<Fake>, ids: &[&str]) -> Group<'static> {
    let tasks = ids
        .iter()
        .enumerate()
        .map(|(index, id)| Watched {
            index,
            task: fake::task(id, State::Pending, Progress::Percent(0)),
            may_be_missing: Duration::ZERO,
            is_fresh: false,
        })
        .collect();
    Group {
        provider: fake.clone(),
        tasks,
        first_look: Duration::ZERO,
        renew: None,
    }
}

async fn watch(groups: Vec<Group<'_>>, options: Options) -> Waited {
    let started = Instant::now();
    let mut log = Vec::new();
    let (outcomes, end) = poll::watch(
        groups,
        options,
        std::future::pending(),
        |event| match event {
            Event::Changed { index, task, .. } => {
                log.push(format!("{index} {} {:?}", task.state, task.percent()))
            }
            Event::Settled { index, task } => log.push(format!("{index} settled {}", task.state)),
            Event::Missed { error, .. } => log.push(format!("missed {}", error.kind.as_str())),
            Event::Recovered { .. } => log.push("recovered".into()),
            Event::Lost { index, error } => {
                log.push(format!("{index} lost {}", error.kind.as_str()))
            }
            Event::Planned { .. } | Event::Tick => {}
        },
    )
    .await;
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Waited {
        outcomes,
        end,
        log,
        took: started.elapsed(),
    }
}

async fn watch_one(sights: &[Sight], options: Options) -> (Waited, Arc<Fake>) {
    let fake = Arc::new(Fake::with(&[("t", sights)]));
    (watch(vec![group(&fake, &["t"])], options).await, fake)
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_once_and_the_artifact_is_looked_at() {
    let sights = [
        Sight::Running(1),
        Sight::Running(1),
        Sight::Running(60),
        Sight::Ended(State::Completed),
    ];
    let (waited, _) = watch_one(&sights, Options::default()).await;
    assert_eq!(
        waited.log,
        [
            "0 running Some(1)",
            "0 running Some(60)",
            "0 completed Some(100)",
            "0 settled completed"
        ]
    );
    assert_eq!(waited.end, End::AllDone);
    let artifact = waited.outcomes[0]
        .task()
        .artifact
        .as_ref()
        .expect("an artifact");
    assert!(artifact.exact);
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_ends_the_wait_at_once() {
    let (waited, fake) = watch_one(&[Sight::Ended(State::Failed)], Options::default()).await;
    assert_eq!(waited.log, ["0 failed Some(100)", "0 settled failed"]);
    assert_eq!(fake.looks(), 1);
    assert_eq!(waited.took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_failed_look_never_ends_a_wait() {
    for kind in [
        Kind::Network,
        Kind::RateLimited,
        Kind::Unavailable,
        Kind::Provider,
        Kind::Internal,
    ] {
        for miss in [Sight::Outage(kind), Sight::Slot(kind)] {
            let sights = [Sight::Running(1), miss, Sight::Ended(State::Completed)];
            let (waited, _) = watch_one(&sights, Options::default()).await;
            let missed = format!("missed {}", kind.as_str());
            assert_eq!(
                waited.log,
                [
                    "0 running Some(1)",
                    &missed,
                    "0 completed Some(100)",
                    "0 settled completed",
                    "recovered"
                ]
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn contact_never_had_is_given_up_after_a_minute_and_lost_contact_after_an_hour() {
    let (never, _) = watch_one(&[Sight::Outage(Kind::Network)], Options::default()).await;
    let (once, _) = watch_one(
        &[Sight::Running(1), Sight::Outage(Kind::Network)],
        Options::default(),
    )
    .await;
    for (waited, from, to, words) in [
        (never, 60, 180, "No contact with fake"),
        (once, 3600, 3800, "Contact with fake was lost"),
    ] {
        let Outcome::Lost(_, error) = &waited.outcomes[0] else {
            panic!("{:?}", waited.outcomes)
        };
        assert_eq!(error.kind, Kind::Network);
        assert!(error.message.starts_with(words), "{}", error.message);
        assert!((S(from)..S(to)).contains(&waited.took), "{:?}", waited.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_final_refusal_ends_the_wait_at_once() {
    for kind in [Kind::Credentials, Kind::Permission, Kind::NotFound] {
        let (waited, fake) = watch_one(&[Sight::Outage(kind)], Options::default()).await;
        assert!(matches!(&waited.outcomes[0], Outcome::Lost(_, error) if error.kind == kind));
        assert_eq!(fake.looks(), 1, "{kind:?} must not be asked again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_just_started_may_be_missing_for_a_while() {
    let sights = [
        Sight::Slot(Kind::NotFound),
        Sight::Slot(Kind::NotFound),
        Sight::Ended(State::Completed),
    ];
    let fake = Arc::new(Fake::with(&[("t", &sights)]));
    let mut group = group(&fake, &["t"]);
    group.tasks[0].may_be_missing = S(60);
    let waited = watch(vec![group], Options::default()).await;
    assert_eq!(waited.log, ["0 completed Some(100)", "0 settled completed"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_seen_is_gone_only_after_it_was_missing_for_the_usual_delay() {
    let missing = Sight::Slot(Kind::NotFound);
    let once = [
        Sight::Running(1),
        missing.clone(),
        Sight::Ended(State::Completed),
    ];
    let (waited, _) = watch_one(&once, Options::default()).await;
    assert_eq!(waited.log[1], "missed not_found");
    assert!(matches!(&waited.outcomes[0], Outcome::Settled(_)));
    // Each time it is seen, the delay begins anew.
    let again = [
        Sight::Running(1),
        missing.clone(),
        Sight::Running(2),
        missing.clone(),
        Sight::Ended(State::Completed),
    ];
    let (waited, _) = watch_one(&again, Options::default()).await;
    assert!(matches!(&waited.outcomes[0], Outcome::Settled(_)));
    let (waited, fake) = watch_one(&[Sight::Running(1), missing.clone()], Options::default()).await;
    let Outcome::Lost(_, error) = &waited.outcomes[0] else {
        panic!("{:?}", waited.outcomes)
    };
    assert_eq!(error.kind, Kind::NotFound);
    assert!(
        error.message.contains("was running when it was last seen"),
        "{error}"
    );
    assert!(
        fake.looks() > 2 && waited.took >= S(30),
        "{:?}",
        waited.took
    );
    // Known to be under way from before, and looked at once: it is not called gone, nor still running.
    let fake = Arc::new(Fake::with(&[("t", &[missing])]));
    let mut group = group(&fake, &["t"]);
    group.tasks[0].task.state = State::Running;
    let options = Options {
        deadline: Some(Deadline::after(Duration::ZERO)),
        ..Options::default()
    };
    let waited = watch(vec![group], options).await;
    assert!(
        matches!(&waited.outcomes[0], Outcome::Lost(_, error) if error.kind == Kind::Timeout),
        "{:?}",
        waited.outcomes
    );
    assert_eq!(fake.looks(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_look_is_at_the_deadline() {
    let options = Options {
        deadline: Some(Deadline::after(S(25))),
        ..Options::default()
    };
    let (waited, fake) = watch_one(&[Sight::Running(1)], options).await;
    assert_eq!(waited.end, End::TimedOut);
    assert_eq!(waited.took, S(25));
    assert!(fake.looks() >= 2);
    assert!(matches!(waited.outcomes[0], Outcome::UnderWay(_)));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_is_one_look() {
    let options = Options {
        deadline: Some(Deadline::after(Duration::ZERO)),
        ..Options::default()
    };
    let (waited, fake) = watch_one(&[Sight::Running(1)], options).await;
    assert_eq!(
        (waited.end, fake.looks(), waited.took),
        (End::TimedOut, 1, Duration::ZERO)
    );
    let (ended, _) = watch_one(&[Sight::Ended(State::Completed)], options).await;
    assert_eq!(ended.end, End::AllDone);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_without_any_contact_is_a_network_error_and_not_still_running() {
    let options = Options {
        deadline: Some(Deadline::after(S(5))),
        ..Options::default()
    };
    for sight in [Sight::Outage(Kind::Network), Sight::Silence(S(900))] {
        let (waited, _) = watch_one(&[sight], options).await;
        assert!(
            matches!(&waited.outcomes[0], Outcome::Lost(_, error) if error.kind == Kind::Network)
        );
        assert!(waited.took <= S(15), "{:?}", waited.took);
    }
}

#[tokio::test(start_paused = true)]
async fn any_returns_at_the_first_that_ends() {
    let fake = Arc::new(Fake::with(&[
        ("slow", &[Sight::Running(1)]),
        (
            "quick",
            &[Sight::Running(1), Sight::Ended(State::Completed)],
        ),
    ]));
    let options = Options {
        any: true,
        ..Options::default()
    };
    let waited = watch(vec![group(&fake, &["slow", "quick"])], options).await;
    assert_eq!(waited.end, End::AnyDone);
    assert!(matches!(waited.outcomes[0], Outcome::UnderWay(_)));
    assert!(matches!(waited.outcomes[1], Outcome::Settled(_)));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_wait_and_leaves_the_tasks_alone() {
    let fake = Arc::new(Fake::with(&[("t", &[Sight::Running(1)])]));
    let (outcomes, end) = poll::watch(
        vec![group(&fake, &["t"])],
        Options::default(),
        tokio::time::sleep(S(33)),
        |_| {},
    )
    .await;
    assert_eq!(end, End::Interrupted);
    assert!(matches!(&outcomes[0].1, Outcome::UnderWay(task) if task.state == State::Running));
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_the_providers_or_the_users() {
    let sights = [Sight::Running(1); 1];
    let limit = |interval| Options {
        deadline: Some(Deadline::after(S(600))),
        interval,
        ..Options::default()
    };
    let (_, own) = watch_one(&sights, limit(None)).await;
    assert!(
        (12..=25).contains(&own.looks()),
        "{} looks in ten minutes",
        own.looks()
    );
    let (_, fixed) = watch_one(&sights, limit(Some(S(6)))).await;
    assert!(
        (100..=101).contains(&fixed.looks()),
        "{} looks in ten minutes",
        fixed.looks()
    );
}

#[tokio::test(start_paused = true)]
async fn many_tasks_are_one_look() {
    let ids: Vec<String> = (0..1000).map(|number| format!("t{number}")).collect();
    let script = [Sight::Running(1), Sight::Ended(State::Completed)];
    let scripts: Vec<(&str, &[Sight])> = ids.iter().map(|id| (id.as_str(), &script[..])).collect();
    let fake = Arc::new(Fake::with(&scripts));
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let waited = watch(vec![group(&fake, &names)], Options::default()).await;
    assert_eq!(waited.outcomes.len(), 1000);
    assert_eq!(fake.looks(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_for_hours_has_not_lost_contact() {
    // The look itself takes twice as long as contact may be lost: so it seems to a process that was stopped in the middle of it.
    let sights = [
        Sight::Running(1),
        Sight::Silence(S(7_200)),
        Sight::Ended(State::Completed),
    ];
    let (waited, _) = watch_one(&sights, Options::default()).await;
    assert!(
        matches!(&waited.outcomes[0], Outcome::Settled(_)),
        "{:?}",
        waited.outcomes
    );
}

fn renewing(old: &Arc<Fake>, new: &Arc<Fake>) -> Group<'static> {
    let new = new.clone();
    let renew: poll::Renew<'static> = std::rc::Rc::new(move || {
        let new = new.clone();
        Box::pin(async move { Ok(new as Arc<dyn snapexport::provider::Provider>) })
    });
    Group {
        renew: Some(renew),
        ..group(old, &["t"])
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_were_changed_are_picked_up_and_the_refused_ones_never_sent_again() {
    let old = Arc::new(Fake::with(&[(
        "t",
        &[Sight::Running(1), Sight::Outage(Kind::Credentials)],
    )]));
    let new = Arc::new(Fake {
        tag: 1,
        ..Fake::with(&[("t", &[Sight::Ended(State::Completed)])])
    });
    let waited = watch(vec![renewing(&old, &new)], Options::default()).await;
    assert!(
        matches!(&waited.outcomes[0], Outcome::Settled(_)),
        "{:?}",
        waited.outcomes
    );
    assert_eq!((old.looks(), new.looks()), (2, 1));

    let same = Arc::new(Fake::with(&[("t", &[Sight::Outage(Kind::Credentials)])]));
    let waited = watch(vec![renewing(&same, &same)], Options::default()).await;
    assert!(
        matches!(&waited.outcomes[0], Outcome::Lost(_, error) if error.kind == Kind::Credentials)
    );
    assert_eq!(same.looks(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_an_absurd_pause_neither_crashes_nor_freezes_a_wait() {
    let absurd = Duration::from_secs(u64::MAX);
    let error =
        snapexport::error::Error::new(Kind::RateLimited, "slow down").retry_after(Some(absurd));
    assert_eq!(
        error.details.retry_after,
        Some(snapexport::error::LONGEST_RETRY_AFTER)
    );
    let fake = Arc::new(Fake {
        retry_after: Some(absurd),
        ..Fake::with(&[("t", &[Sight::Outage(Kind::RateLimited)])])
    });
    let waited = watch(vec![group(&fake, &["t"])], Options::default()).await;
    assert!(matches!(waited.outcomes[0], Outcome::Lost(..)));
    assert!(waited.took <= S(200), "{:?}", waited.took);
}

#[tokio::test(start_paused = true)]
async fn the_artifacts_of_all_that_end_in_one_look_are_looked_at_together() {
    let ids: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    let ended = [Sight::Ended(State::Completed)];
    let scripts: Vec<(&str, &[Sight])> = ids.iter().map(|id| (id.as_str(), &ended[..])).collect();
    let fake = Arc::new(Fake::with(&scripts));
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let waited = watch(vec![group(&fake, &names)], Options::default()).await;
    let is_exact = |outcome: &Outcome| {
        let artifact = outcome.task().artifact.as_ref();
        artifact.is_some_and(|artifact| artifact.exact)
    };
    assert!(
        waited.outcomes.iter().all(is_exact),
        "{:?}",
        waited.outcomes
    );
    assert_eq!(fake.locates.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_store_that_is_silent_costs_a_completed_export_neither_its_success_nor_much_time()
{
    let ids: Vec<String> = (0..16).map(|number| format!("t{number}")).collect();
    let ended = [Sight::Ended(State::Completed)];
    let scripts: Vec<(&str, &[Sight])> = ids.iter().map(|id| (id.as_str(), &ended[..])).collect();
    let fake = Arc::new(Fake {
        is_store_silent: true,
        ..Fake::with(&scripts)
    });
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let options = Options {
        deadline: Some(Deadline::after(Duration::ZERO)),
        ..Options::default()
    };
    let waited = watch(vec![group(&fake, &names)], options).await;
    assert_eq!(waited.end, End::AllDone);
    assert!(
        waited
            .outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Settled(_)))
    );
    assert!(waited.took <= S(6), "{:?}", waited.took);
}
