//! `list` and `status` with filters: what is shown, what is said of what is not, and why something cannot be exported.

use std::time::Duration;

use crate::program::{Clouds, Ran, User};

const NEVER: Duration = Duration::from_secs(3600);

/// What is listed, by id.
fn ids(ran: &Ran) -> Vec<&str> {
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    ran.stdout.lines().collect()
}

#[test]
fn each_cloud_says_what_can_be_exported_and_why_not() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    for (provider, id, state, reason) in [
        ("outscale", "snap-0a1b2c3d", "completed", None),
        (
            "outscale",
            "snap-3d4e5f60",
            "pending",
            Some("not complete yet (pending)"),
        ),
        (
            "outscale",
            "snap-4e5f6071",
            "pending",
            Some("not complete yet (in-queue)"),
        ),
        ("outscale", "snap-5f607182", "failed", Some("in error")),
        ("lightsail", "web-1", "completed", None),
        ("lightsail", "data-1", "completed", None),
        ("lightsail", "web-1700000000", "completed", None),
        ("lightsail", "panel-1", "completed", Some("cPanel & WHM")),
        ("lightsail", "fresh-1", "pending", Some("still being made")),
        (
            "rackspace",
            "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
            "completed",
            None,
        ),
        (
            "rackspace",
            "9c0ffee1-4d2b-4a6f-8f3e-5b7d9a1c3e50",
            "completed",
            Some("Windows"),
        ),
        (
            "rackspace",
            "c3e5a7b9-1d2f-4c6e-9a8b-7d6f5e4c3b2a",
            "deactivated",
            Some("'deactivated'"),
        ),
        (
            "rackspace",
            "e8f6d4b2-9a7c-4e5d-8b3f-1a2c4e6f8091",
            "pending",
            Some("'saving'"),
        ),
    ] {
        let ran = user.run(&["list", provider, "-o", "json", "--name", id]);
        let objects = ran.json();
        assert_eq!((ran.code, objects.len()), (Some(0), 1), "{}", ran.all());
        let object = &objects[0];
        assert_eq!(object["state"], state, "{object}");
        assert_eq!(object["exportable"], reason.is_none(), "{object}");
        match reason {
            None => assert!(object["reason"].is_null(), "{object}"),
            Some(words) => {
                let said = object["reason"].as_str().expect("a reason");
                assert!(said.contains(words), "{object}");
            }
        }
        assert!(object["created_at"].is_string(), "{object}");
        let shown = user.run(&["list", provider, "--exportable", "-q", "--name", id]);
        assert_eq!(ids(&shown).is_empty(), reason.is_some(), "{id}");
    }
}

#[test]
fn the_table_shows_size_date_and_whether_it_can_be_exported() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    let ran = user.run(&[
        "list",
        "outscale",
        "--name",
        "snap-[not a glob]",
        "--name",
        "snap-[0-9]",
    ]);
    assert!(
        ran.stdout.is_empty(),
        "brackets stand for themselves: {}",
        ran.all()
    );
    let ran = user.run(&[
        "list",
        "outscale",
        "--name",
        "web server",
        "--name",
        "snap-3*",
    ]);
    let lines: Vec<&str> = ids(&ran);
    assert_eq!(lines.len(), 3, "{}", ran.all());
    for (line, words) in [
        (0, &["ID", "NAME", "SIZE", "CREATED", "EXPORT"][..]),
        (
            1,
            &[
                "snap-0a1b2c3d",
                "web server",
                "10 GiB",
                "2026-01-10 (",
                "yes",
            ],
        ),
        (
            2,
            &[
                "snap-3d4e5f60",
                "pending",
                "10 GiB",
                "2026-01-13 (",
                "no: it is not complete yet (pending)",
            ],
        ),
    ] {
        for word in words {
            assert!(lines[line].contains(word), "{word}: {}", ran.all());
        }
    }
}

#[test]
fn sources_are_filtered_by_state_age_and_name() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    for (provider, filters, expected) in [
        (
            "outscale",
            &["--state", "pending"][..],
            &["snap-3d4e5f60", "snap-4e5f6071"][..],
        ),
        (
            "outscale",
            &["--state", "failed,pending", "--name", "*5f60"],
            &["snap-3d4e5f60"],
        ),
        (
            "outscale",
            &[
                "--state", "failed", "--state", "pending", "--name", "snap-5*",
            ],
            &["snap-5f607182"],
        ),
        (
            "outscale",
            &["--older-than", "2026-01-12"],
            &["snap-0a1b2c3d", "snap-1b2c3d4e"],
        ),
        (
            "outscale",
            &[
                "--newer-than",
                "2026-01-11T00:00:00Z",
                "--older-than",
                "2026-01-12T02:00:00Z",
            ],
            &["snap-1b2c3d4e"],
        ),
        // That day's snapshot is of two o'clock.
        (
            "outscale",
            &[
                "--newer-than",
                "2026-01-12T12:00:00",
                "--older-than",
                "2026-01-13 12:00",
            ],
            &["snap-3d4e5f60"],
        ),
        ("outscale", &["--name", "mail*"], &["snap-2c3d4e5f"]),
        ("outscale", &["--newer-than", "1h"], &[]),
        ("lightsail", &["--name", "web-?"], &["web-1"]),
        (
            "lightsail",
            &["--name", "data-*", "--name", "db-*"],
            &["db-1", "data-1"],
        ),
        ("lightsail", &["--state", "other"], &[]),
        (
            "rackspace",
            &["--state", "other"],
            &["c3e5a7b9-1d2f-4c6e-9a8b-7d6f5e4c3b2a"],
        ),
        (
            "rackspace",
            &["--name", "db-1", "--exportable"],
            &["2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728"],
        ),
    ] {
        let args = [&["list", provider, "-o", "id"], filters].concat();
        let ran = user.run(&args);
        assert_eq!(ids(&ran), expected, "{}", ran.all());
        let is_explained = ran.stderr.contains("Nothing matches the filters");
        assert_eq!(is_explained, expected.is_empty(), "{}", ran.all());
    }
}

#[test]
fn nothing_that_matches_is_no_error_and_quiet_says_nothing() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    for form in ["table", "json", "id"] {
        let ran = user.run(&["list", "lightsail", "--name", "nothing", "-o", form]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(0), ""),
            "{}",
            ran.all()
        );
        assert_eq!(ran.stderr, "Nothing matches the filters, of 7 in all.\n");
    }
    let quiet = user.run(&["list", "lightsail", "--name", "nothing", "-q"]);
    assert_eq!(quiet.stdout + &quiet.stderr, "");
}

#[test]
fn filters_that_mean_nothing_are_refused_with_the_right_form() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    for (args, words) in [
        (
            &["list", "outscale", "--state", "complete"][..],
            "'completed'",
        ),
        (&["list", "outscale", "--newer-than", "7"], "write 7d or 7h"),
        (
            &["list", "outscale", "--newer-than=-7d"],
            "must not be negative",
        ),
        (
            &["list", "outscale", "--newer-than", "-1d"],
            "must not be negative; write 1d",
        ),
        (&["status", "--older-than", "-2h"], "write 2h"),
        (
            &["list", "outscale", "--older-than", "1mo"],
            "write days or weeks",
        ),
        (&["status", "--older-than", "yesterday"], "12h, 7d or 2w"),
        (&["status", "--state", "cancled"], "'cancelled'"),
        (
            &["status", "--state", "failed", "--running"],
            "cannot be used with",
        ),
    ] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains(words), "{words}: {}", ran.all());
    }
}

/// Tasks of one user: one that ends well, one that fails, and one on another cloud that goes on.
fn stage() -> (Clouds, User, [String; 3]) {
    let clouds = Clouds::start(Duration::from_millis(400));
    let user = User::of(&clouds);
    let good = user
        .run(&[
            "export",
            "outscale",
            "snap-0a1b2c3d",
            "--bucket",
            "demo",
            "--wait",
        ])
        .id();
    let bad = user.run(&[
        "export",
        "outscale",
        "snap-deadbeef",
        "--bucket",
        "backups",
        "--wait",
    ]);
    assert_eq!(bad.code, Some(3), "{}", bad.all());
    let third = user.run(&["export", "lightsail", "web-1", "--wait"]).id();
    (clouds, user, [good, bad.stdout.trim().to_owned(), third])
}

#[test]
fn tasks_are_filtered_by_state_age_and_name() {
    let (_clouds, user, [good, bad, web]) = stage();
    for (filters, expected) in [
        (&["--state", "failed"][..], vec![&bad]),
        (&["--state", "completed"], vec![&good, &web]),
        (
            &["--state", "failed,completed", "--name", "snap-*"],
            vec![&good, &bad],
        ),
        (&["--name", "web-?"], vec![&web]),
        (&["--name", "backups"], vec![&bad]),
        (&["--name", "demo/"], vec![&good]),
        (&["--name", &web], vec![&web]),
        (&["--newer-than", "1h"], vec![&good, &bad, &web]),
        (&["--older-than", "1h"], vec![]),
        (&["--state", "cancelled,stalled"], vec![]),
        (&["--state", "failed", &good, &bad], vec![&bad]),
        (&["--name", "snap-dead*", &good, &bad], vec![&bad]),
    ] {
        let ran = user.run(&[&["status", "-o", "id"], filters].concat());
        assert_eq!(ids(&ran), expected, "{}", ran.all());
        let is_explained = ran.stderr.contains("Nothing matches the filters");
        assert_eq!(is_explained, expected.is_empty(), "{}", ran.all());
    }
}

#[test]
fn what_the_clouds_have_is_filtered_too_and_what_has_no_date_is_not_guessed() {
    let (clouds, _, [good, bad, web]) = stage();
    let user = User::of(&clouds);
    let remote =
        |filters: &[&str]| user.run(&[&["status", "--remote", "-o", "id"], filters].concat());
    let failed = remote(&["--state", "failed"]);
    assert_eq!(ids(&failed), [&bad]);
    let named = remote(&["--name", "snap-0a1b2c3d"]);
    assert_eq!(ids(&named), [&good]);
    let new = remote(&["--newer-than", "1h"]);
    assert_eq!(ids(&new), [&format!("lightsail/{web}")], "{}", new.all());
    assert!(
        new.stderr
            .contains("Left out, because nobody says when: 2 entries"),
        "{}",
        new.all()
    );
    let old = remote(&["--older-than", "30d", "--name", "web-0"]);
    assert_eq!(ids(&old).len(), 1, "{}", old.all());
}

#[test]
fn what_was_started_from_here_is_dated_also_where_the_cloud_does_not_say() {
    let (_clouds, user, [good, bad, web]) = stage();
    let remote =
        |filters: &[&str]| user.run(&[&["status", "--remote", "-o", "id"], filters].concat());
    let new = remote(&["--newer-than", "1h"]);
    let mut found = ids(&new);
    found.sort_unstable();
    let web = format!("lightsail/{web}");
    let mut expected = [good.as_str(), bad.as_str(), web.as_str()];
    expected.sort_unstable();
    assert_eq!(found, expected, "{}", new.all());
    assert!(!new.stderr.contains("Left out"), "{}", new.all());
    let old = remote(&["--older-than", "1h", "--provider", "outscale"]);
    assert_eq!(ids(&old), [""; 0], "{}", old.all());
    assert!(!old.stderr.contains("Left out"), "{}", old.all());
    let unknown = remote(&["--newer-than", "1h", "--no-journal"]);
    assert_eq!(ids(&unknown), [&web], "{}", unknown.all());
}

#[test]
fn tasks_are_chosen_by_cloud() {
    let (_clouds, user, [good, bad, web]) = stage();
    for (args, expected) in [
        (&["--provider", "outscale"][..], vec![&good, &bad]),
        (
            &["--provider", "outscale,lightsail"],
            vec![&good, &bad, &web],
        ),
        (
            &["--provider", "lightsail", "--provider", "rackspace"],
            vec![&web],
        ),
        (&["--provider", "outscale", "--state", "failed"], vec![&bad]),
        (&["--provider", "lightsail", &good, &web], vec![&web]),
        (&["--provider", "rackspace"], vec![]),
        (
            &["--remote", "--provider", "outscale", "--name", "demo"],
            vec![&good],
        ),
    ] {
        let ran = user.run(&[&["status", "-o", "id"], args].concat());
        assert_eq!(ids(&ran), expected, "{}", ran.all());
        let is_explained = ran.stderr.contains("Nothing matches the filters");
        assert_eq!(is_explained, expected.is_empty(), "{}", ran.all());
    }
    let wrong = user.run(&["status", "--provider", "outscal"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.all());
    assert!(wrong.stderr.contains("'outscale'"), "{}", wrong.all());
}

#[test]
fn of_clouds_that_are_named_no_other_is_asked_and_each_must_have_credentials() {
    let (clouds, user, [good, ..]) = stage();
    // Any look at this cloud would be an error.
    let user = user.with("AWS_ENDPOINT_URL_LIGHTSAIL", "http://127.0.0.1:1");
    let remote = &["status", "--remote", "-o", "json"];
    let all = user.run(remote);
    assert_eq!(all.code, Some(1), "{}", all.all());
    let one = user.run(&[&remote[..], &["--provider", "outscale"]].concat());
    assert_eq!(one.code, Some(0), "{}", one.all());
    assert_eq!(one.json()[0]["task_id"], good, "{}", one.all());
    assert_eq!(one.stderr, "");

    let bare = User::of(&clouds).without("OSC_ACCESS_KEY");
    let bare = bare.without("OSC_SECRET_KEY");
    let unnamed = bare.run(remote);
    assert_eq!(unnamed.code, Some(0), "{}", unnamed.all());
    let named = bare.run(&[&remote[..], &["--provider", "outscale,lightsail"]].concat());
    assert_eq!(named.code, Some(4), "{}", named.all());
    assert_eq!(named.json_error()["kind"], "credentials");
    assert_eq!(named.json()[0]["provider"], "lightsail", "{}", named.all());
}

#[test]
fn a_task_that_the_filters_exclude_is_not_asked_about() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    let web = user.run(&["export", "lightsail", "web-1"]).id();
    user.run(&["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"])
        .id();
    let user = user.with("OSC_ENDPOINT_API", "http://127.0.0.1:1");
    let ran = user.run(&["status", "--name", "web-*", "-q"]);
    assert_eq!(
        ran.all(),
        format!("$ snapexport status --name web-* -q\n{web}\n--- stderr\n--- exit code 0\n")
    );
}
