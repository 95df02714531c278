use super::*;

#[test]
fn time_that_is_let_pass_adds_up_and_leaves_the_clients_clock_alone() {
    let clock = Clock::default();
    let minute = Duration::from_secs(60);
    let start = clock.moment(minute);
    assert_eq!(start.now, start.client);
    clock.advance(minute / 2);
    clock.advance(minute / 2);
    let later = clock.moment(minute);
    assert_eq!(
        later.now.duration_since(later.client).as_secs(),
        minute.as_secs().cast_signed()
    );
    assert!(later.fraction(start.now) >= 1.0);
}
