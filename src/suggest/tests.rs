use super::*;

#[test]
fn a_slip_is_forgiven_and_a_stranger_is_not() {
    let names = ["web-1", "web-10", "db-1", "backups", "backup-eu"];
    let tasks = ["snap-export-12d8b47d", "snap-export-99c1e002"];
    let images = [
        "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
        "2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728",
    ];
    for (typed, known, expected) in [
        ("web1", &names[..], Some("web-1")),
        ("wbe-1", &names, Some("web-1")),
        ("WEB-1", &names, Some("web-1")),
        ("web-1", &names, Some("web-10")),
        ("bakups", &names, Some("backups")),
        ("backup-", &names, Some("backups")),
        ("archive", &names, None),
        ("we", &names, None),
        ("db-", &names, Some("db-1")),
        ("", &names, None),
        ("snap-export-12d8b74d", &tasks, Some(tasks[0])),
        ("snap-export-0ddba11e", &tasks, None),
        ("snap-export-", &tasks, None),
        ("7bdc8ede", &images, Some(images[0])),
        ("00000000-0000-4000-8000-000000000000", &images, None),
    ] {
        assert_eq!(
            nearest(typed, known.iter().copied()),
            expected,
            "{typed} of {known:?}"
        );
    }
    let long = "x".repeat(300);
    assert_eq!(nearest(&long, [&long[1..]]), None);
}
