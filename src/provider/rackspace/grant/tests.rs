//! What a login gives.

use super::*;
use crate::error::Kind;

fn grant(endpoints: &[(&str, &str, Option<&str>, &str)]) -> Grant {
    let mut grant = Grant::of_token(Secret::new("t"), None);
    grant.endpoints = endpoints
        .iter()
        .map(|(kind, name, region, url)| Endpoint {
            kind: (*kind).into(),
            name: (*name).into(),
            region: region.map(str::to_owned),
            url: (*url).into(),
            internal: None,
        })
        .collect();
    grant
}

#[test]
fn services_are_found_by_type_and_name_and_region() {
    let grant = grant(&[
        ("image", "other", Some("DFW"), "wrong"),
        ("image", "cloudImages", Some("DFW"), "dfw"),
        ("image", "cloudImages", Some("IAD"), "iad"),
        ("object-store", "swift", None, "files"),
    ]);
    for (kind, name, region, url) in [
        ("image", "cloudImages", "dfw", Some("dfw")),
        ("image", "cloudImages", "IAD", Some("iad")),
        ("image", "glance", "DFW", Some("wrong")),
        ("object-store", "cloudFiles", "DFW", Some("files")),
        ("compute", "nova", "DFW", None),
    ] {
        let found = grant
            .endpoint(kind, name, region)
            .expect("a region there is");
        let found = found.map(|found| found.url.as_str());
        assert_eq!(found, url, "{kind} {name} {region}");
    }
    let error = grant
        .endpoint("image", "cloudImages", "LON")
        .expect_err("a UK region");
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.details.hints, ["its regions are: DFW, IAD".into()]);
}

#[test]
fn a_token_is_replaced_in_its_last_hour_and_a_short_one_halfway() {
    let ours = Timestamp::UNIX_EPOCH;
    let after = |minutes: i64| ours + SignedDuration::from_mins(minutes);
    for skew in [0, -3 * 24 * 60, 3 * 24 * 60] {
        for (life, fresh_at, stale_at) in [(24 * 60, 22 * 60, 23 * 60), (30, 14, 15)] {
            let expires = Some(after(skew + life));
            let grant = grant(&[]).ending(expires, after(skew), ours);
            assert!(grant.is_fresh(after(fresh_at)), "{life} min, clock {skew}");
            assert!(!grant.is_fresh(after(stale_at)), "{life} min, clock {skew}");
        }
    }
    let is_kept = |grant: &Grant| grant.is_fresh(after(i64::from(i32::MAX)));
    assert!(is_kept(&grant(&[])), "a token that is not ours");
}

#[test]
fn a_token_whose_end_makes_no_sense_is_good_until_it_is_refused() {
    let now = Timestamp::now();
    for (expires, server) in [
        (Some(Timestamp::MIN), now),
        (Some(Timestamp::MIN), Timestamp::MAX),
        (Some(Timestamp::MAX), Timestamp::MIN),
        (Some(now), now),
        (None, now),
    ] {
        let grant = grant(&[]).ending(expires, server, now);
        assert_eq!(grant.renew_at, None, "{expires:?} by {server}");
    }
}

#[test]
fn the_usual_region_is_the_accounts_or_the_only_one() {
    let both = [
        ("image", "cloudImages", Some("DFW"), "dfw"),
        ("image", "cloudImages", Some("IAD"), "iad"),
    ];
    assert_eq!(grant(&both[..1]).usual_region(), Ok("DFW".to_owned()));
    let error = grant(&both).usual_region().expect_err("two");
    assert_eq!(error.kind, Kind::Usage);
    assert!(
        error.details.hints[0].to_string().ends_with("DFW, IAD"),
        "{error:?}"
    );
    let mut told = grant(&both);
    told.default_region = Some("IAD".into());
    assert_eq!(told.usual_region(), Ok("IAD".to_owned()));
}
