use super::*;

#[test]
fn time_that_is_let_pass_adds_up_and_leaves_the_clients_clock_alone() {
    let clock = Clock::default();
    let minute = Duration::from_secs(60);
    let start = clock.moment(minute, Shape::default());
    assert_eq!(start.now, start.client);
    clock.advance(minute / 2);
    clock.advance(minute / 2);
    let later = clock.moment(minute, Shape::default());
    assert_eq!(
        later.now.duration_since(later.client).as_secs(),
        minute.as_secs().cast_signed()
    );
    assert!(later.fraction(start.now) >= 1.0);
}

#[test]
fn a_client_may_sign_by_its_own_clock_or_by_the_sandboxs() {
    let clock = Clock::default();
    let hour = Duration::from_secs(3600);
    clock.advance(hour);
    let moment = clock.moment(hour, Shape::default());
    for clock in [moment.client, moment.now] {
        assert_eq!(moment.ahead(clock).as_secs(), 0);
        assert_eq!(moment.ahead(clock + Duration::from_secs(60)).as_secs(), 60);
    }
    assert_eq!(moment.ahead(moment.client - hour).as_secs(), -3600);
}
