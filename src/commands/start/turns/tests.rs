//! The turns of starts, on a paused clock.

use super::*;

const S: fn(u64) -> Duration = Duration::from_secs;

fn throttled(retry_after: Option<Duration>) -> Error {
    Error::new(Kind::RateLimited, "slow down").retry_after(retry_after)
}

#[tokio::test(start_paused = true)]
async fn turns_keep_the_rate() {
    let turns = Turns::new(Duration::from_millis(200), (Limit::None, None));
    let began = Instant::now();
    for _ in 0..11 {
        turns.take().await.expect("a turn");
    }
    let spent = began.elapsed();
    assert!(spent >= S(2) && spent < S(3), "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_every_call_and_grows_by_rounds() {
    let turns = Turns::new(Duration::from_millis(200), (Limit::None, None));
    let pauses: Vec<Option<Duration>> = [None, None]
        .map(|asked| turns.hold(throttled(asked)).expect("patient"))
        .to_vec();
    assert_eq!(pauses, [Some(S(1)), None], "one round");
    let began = Instant::now();
    turns.take().await.expect("a turn");
    assert!(began.elapsed() >= S(1));
    assert_eq!(turns.hold(throttled(None)).expect("patient"), Some(S(2)));
    turns.take().await.expect("a turn");
    turns.answered();
    assert_eq!(turns.hold(throttled(None)).expect("patient"), Some(S(1)));
    assert_eq!(turns.own_pause(40), S(30));
}

#[tokio::test(start_paused = true)]
async fn what_the_cloud_asks_for_is_honoured_within_the_limit() {
    for (limit, asked, is_patient) in [
        (Limit::None, S(600), true),
        (Limit::None, S(3600), false),
        (Limit::After(S(7200)), S(3600), true),
        (Limit::After(S(10)), S(20), false),
        (Limit::After(S(0)), S(1), false),
    ] {
        let deadline = match limit {
            Limit::None => None,
            Limit::After(limit) => Some(Deadline::after(limit)),
        };
        let turns = Turns::new(Duration::from_millis(200), (limit, deadline));
        let held = turns.hold(throttled(Some(asked)));
        assert_eq!(held.is_ok(), is_patient, "{limit:?} {asked:?}");
        let Err(error) = held else { continue };
        assert!(error.message.contains(&text::duration(asked)), "{error}");
        assert_eq!(error.details.causes, ["slow down"]);
        assert_eq!(turns.take().await, Err(error), "nothing more is sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_throttles_for_ever_is_given_up() {
    let turns = Turns::new(Duration::from_millis(200), (Limit::None, None));
    let began = Instant::now();
    while turns.take().await.is_ok() {
        turns.hold(throttled(None)).ok();
    }
    let spent = began.elapsed();
    assert!(spent > S(14 * 60) && spent <= PATIENCE, "{spent:?}");
}
