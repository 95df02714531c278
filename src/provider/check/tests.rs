use super::*;
use crate::settings::Origin;

#[test]
fn a_clock_is_judged_by_what_the_cloud_accepts() {
    let limits = ClockLimits {
        ahead: SignedDuration::from_secs(2),
        behind: SignedDuration::from_mins(5),
    };
    for (skew, limits, expected) in [
        (None, Some(limits), Verdict::Unknown),
        (Some(0), Some(limits), Verdict::Ok),
        (Some(1), Some(limits), Verdict::Warning),
        (Some(2), Some(limits), Verdict::Warning),
        (Some(3), Some(limits), Verdict::Problem),
        (Some(-20), Some(limits), Verdict::Ok),
        (Some(-200), Some(limits), Verdict::Warning),
        (Some(-301), Some(limits), Verdict::Problem),
        (Some(3), None, Verdict::Ok),
        (Some(-3600), None, Verdict::Warning),
    ] {
        let contact = Contact {
            skew: skew.map(SignedDuration::from_secs),
        };
        let check = clock(Some(contact), limits);
        assert_eq!(check.verdict, expected, "{skew:?}: {check:?}");
        let needs_hint = matches!(check.verdict, Verdict::Warning | Verdict::Problem);
        assert_eq!(check.hint.is_some(), needs_hint, "{check:?}");
    }
    assert_eq!(clock(None, None).verdict, Verdict::Unknown);
}

#[test]
fn the_same_credentials_in_two_places_are_no_rivals() {
    let judged = |others: &[(&'static str, Option<&str>)]| {
        let all = [("A", Some("AK1"))].iter().chain(others);
        let places = all.map(|(name, who)| {
            let who = who.map(str::to_owned);
            Place::new(Origin::Variable(name), who, || Ok(()))
        });
        rivals(places.collect::<Vec<_>>(), "choose").expect("somebody is told")
    };
    for others in [&[][..], &[("B", Some("AK1"))], &[("B", None)]] {
        assert_eq!(judged(others).verdict, Verdict::Ok, "{others:?}");
    }
    let check = judged(&[("B", Some("AK2"))]);
    assert_eq!(check.verdict, Verdict::Warning);
    assert_eq!(
        check.message,
        "A (AK1) is used; B (AK2) would lead elsewhere"
    );
    let nobody = Place::new(Origin::Variable("A"), None, || Ok(()));
    assert_eq!(rivals([nobody], ""), None);
}
