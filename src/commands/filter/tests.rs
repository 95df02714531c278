use super::*;
use crate::provider::outscale;
use crate::task::{ProviderId, Target, TaskId};

#[test]
fn a_pattern_stands_for_the_whole_name() {
    for (pattern, name, expected) in [
        ("web-1", "web-1", true),
        ("web", "web-1", false),
        ("web*", "web-1", true),
        ("*1", "web-1", true),
        ("*eb*", "web-1", true),
        ("w*b-?", "web-1", true),
        ("w*b-?", "web-12", false),
        ("?eb-1", "web-1", true),
        ("web-?", "web-", false),
        ("*", "", true),
        ("", "", true),
        ("", "web", false),
        ("**", "x", true),
        ("a*b*c", "aXbXbc", true),
        ("a*b*c", "aXbXbd", false),
        ("größe-?", "größe-ü", true),
        ("Web-1", "web-1", false),
    ] {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }
    let stars = "*a".repeat(200);
    assert!(!fits(&stars, &"a".repeat(199)), "and soon");
}

#[test]
fn ages_and_dates_are_read_as_people_write_them() {
    let hours = |n| Ok(Moment::Ago(SignedDuration::from_hours(n)));
    for (typed, expected) in [
        ("12h", hours(12)),
        ("7d", hours(168)),
        ("2w", hours(336)),
        ("1d12h", hours(36)),
        ("0s", hours(0)),
        (
            "2026-01-31",
            Ok(Moment::At(Timestamp::constant(1_769_817_600, 0))),
        ),
        (
            "2026-01-31T08:00:00Z",
            Ok(Moment::At(Timestamp::constant(1_769_846_400, 0))),
        ),
        (
            "2026-01-31T09:00:00+01:00",
            Ok(Moment::At(Timestamp::constant(1_769_846_400, 0))),
        ),
        (
            "2026-01-31T09:00:00+01:00[Europe/Paris]",
            Ok(Moment::At(Timestamp::constant(1_769_846_400, 0))),
        ),
        (
            "2026-01-31T08:00:00",
            Ok(Moment::At(Timestamp::constant(1_769_846_400, 0))),
        ),
        (
            "2026-01-31 08:00",
            Ok(Moment::At(Timestamp::constant(1_769_846_400, 0))),
        ),
        (
            "2026-01-31T08:00",
            Ok(Moment::At(Timestamp::constant(1_769_846_400, 0))),
        ),
        (
            "2026-01-31T09:00:00[Europe/Paris]",
            Err("write the time with its offset"),
        ),
        (
            "2026-01-31[Europe/Paris]",
            Err("write the time with its offset"),
        ),
        ("2026-01-31+01:00", Err("write")),
        ("2026-01-31T25:00", Err("write an age")),
        ("7", Err("a unit is missing")),
        ("-7d", Err("must not be negative; write 7d")),
        ("1mo", Err("months and years")),
        ("yesterday", Err("write an age")),
        ("2026-02-30", Err("write an age")),
        ("", Err("write an age")),
    ] {
        match (parse_moment(typed), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{typed}"),
            (Err(said), Err(part)) => assert!(said.contains(part), "{typed}: {said}"),
            (found, expected) => panic!("{typed}: {found:?}, not {expected:?}"),
        }
    }
    assert_eq!(
        Moment::Ago(SignedDuration::MAX).at(Timestamp::UNIX_EPOCH),
        Timestamp::MIN
    );
}

#[test]
fn a_task_is_known_by_its_id_its_snapshot_and_where_it_goes() {
    let mut task = Task::unseen(outscale::ID, "r", TaskId::from("snap-export-1"));
    task.snapshot = Some("snap-9".into());
    task.target = Some(Target::new(&outscale::Destination::Oos {
        bucket: "backups".into(),
        prefix: Some("web/".into()),
        format: "raw".into(),
    }));
    for (pattern, expected) in [
        ("snap-export-*", true),
        ("snap-9", true),
        ("backups", true),
        ("backups/web/", true),
        ("web*", false),
    ] {
        let filter = Filter {
            name: vec![pattern.into()],
            ..Filter::default()
        };
        assert_eq!(filter.fits_name(&task), expected, "{pattern}");
    }
}

#[test]
fn an_age_that_nobody_knows_is_neither_new_nor_old() {
    let now = Timestamp::constant(1_769_817_600, 0);
    let week = Some(Moment::Ago(SignedDuration::from_hours(168)));
    let mut task = Task::unseen(ProviderId("p"), "r", TaskId::from("t"));
    for (hours, newer_than, older_than, expected) in [
        (Some(1), None, None, Some(true)),
        (Some(1), week, None, Some(true)),
        (Some(168), week, None, Some(true)),
        (Some(169), week, None, Some(false)),
        (Some(168), None, week, Some(false)),
        (Some(169), None, week, Some(true)),
        (None, None, None, Some(true)),
        (None, week, None, None),
        (None, None, week, None),
    ] {
        task.created_at = hours.map(|hours| now - SignedDuration::from_hours(hours));
        let filter = Filter {
            newer_than,
            older_than,
            name: Vec::new(),
        };
        assert_eq!(filter.fits_age(&task, now), expected, "{hours:?}");
    }
}
