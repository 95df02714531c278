use super::*;

const S: fn(u64) -> Duration = Duration::from_secs;
const PACE: Pace = Pace::Between(Duration::from_secs(10), Duration::from_secs(60));

#[test]
fn the_pace_follows_its_table() {
    let seen = Seen::default();
    for (what, seen, expected) in [
        ("after a change", seen, S(10)),
        (
            "two idle looks",
            Seen {
                idle_looks: 2,
                ..seen
            },
            Duration::from_millis(22_500),
        ),
        (
            "long idle",
            Seen {
                idle_looks: 99,
                ..seen
            },
            S(60),
        ),
        ("a miss", Seen { misses: 1, ..seen }, S(20)),
        ("many misses", Seen { misses: 40, ..seen }, S(60)),
        (
            "asked to wait",
            Seen {
                retry_after: Some(S(300)),
                ..seen
            },
            S(300),
        ),
        (
            "soon done",
            Seen {
                idle_looks: 99,
                remaining: Some(S(25)),
                ..seen
            },
            S(25),
        ),
        (
            "nearly done",
            Seen {
                idle_looks: 99,
                remaining: Some(S(1)),
                ..seen
            },
            S(10),
        ),
        (
            "no hope while missing",
            Seen {
                misses: 9,
                remaining: Some(S(1)),
                ..seen
            },
            S(60),
        ),
    ] {
        assert_eq!(pause(PACE, seen, 0.5), expected, "{what}");
    }
}

#[test]
fn a_fixed_interval_yields_only_to_the_provider() {
    let seen = Seen {
        idle_looks: 9,
        misses: 9,
        ..Seen::default()
    };
    assert_eq!(pause(Pace::Fixed(S(3)), seen, 0.0), S(3));
    let asked = Seen {
        retry_after: Some(S(7)),
        ..seen
    };
    assert_eq!(pause(Pace::Fixed(S(3)), asked, 1.0), S(7));
}

#[test]
fn jitter_stays_within_a_tenth() {
    for tenths in 0..=10 {
        let pause = pause(PACE, Seen::default(), f64::from(tenths) / 10.0);
        assert!((S(9)..=S(11)).contains(&pause), "{pause:?}");
    }
}
