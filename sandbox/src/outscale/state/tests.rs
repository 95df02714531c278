use super::*;
use std::time::Duration;

fn words(story: Story) -> Vec<&'static str> {
    let started_at = Timestamp::constant(1_768_010_400, 0);
    let task = Task {
        id: "snap-export-12d8b47d".into(),
        snapshot: "snap-aabbccdd".into(),
        account: ACCOUNT.into(),
        bucket: "demo".into(),
        prefix: Some("web/".into()),
        format: "raw".into(),
        story,
        started_at,
        cancelled_at_percent: None,
    };
    assert_eq!(task.key(), "web/snap-aabbccdd-12d8b47d.raw.gz");
    let mut words: Vec<_> = (0..=100)
        .map(|second| {
            let moment = Moment::new(
                started_at + SignedDuration::from_secs(second),
                Duration::from_secs(100),
            );
            task.at(&moment).state
        })
        .collect();
    words.dedup();
    words
}

#[test]
fn each_story_goes_through_its_states() {
    for (story, expected) in [
        (
            Story::Completes,
            &[
                "pending",
                "initializing",
                "preparing",
                "uploading",
                "completed",
            ][..],
        ),
        (
            Story::Fails("why".into()),
            &[
                "pending",
                "initializing",
                "preparing",
                "uploading",
                "failed",
            ],
        ),
        (Story::Stalls("why".into()), &["pending"]),
        (
            Story::UnknownWord,
            &[
                "pending",
                "initializing",
                "preparing",
                "uploading",
                "verifying",
                "uploading",
                "completed",
            ],
        ),
        (Story::OldWords, &["pending", "active", "completed"]),
    ] {
        assert_eq!(words(story), expected);
    }
}

#[test]
fn four_wrong_signatures_in_a_row_lock_the_key_for_a_minute() {
    let now = Timestamp::constant(1_768_010_400, 0);
    let later = now + SignedDuration::from_secs(61);
    let mut state = State::default();
    for _ in 0..3 {
        state.count_refusal(ACCOUNT, now);
    }
    assert!(!state.is_locked(ACCOUNT, now));
    state.count_refusal(ACCOUNT, now);
    assert!(state.is_locked(ACCOUNT, now) && !state.is_locked(ACCOUNT, later));
    for _ in 0..4 {
        state.count_refusal(ACCOUNT, now);
    }
    assert!(state.is_locked(ACCOUNT, later), "two minutes now");
    state.forget_refusals(ACCOUNT);
    assert!(!state.is_locked(ACCOUNT, now));
}
