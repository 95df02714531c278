//! Tests of [`super`].

use jiff::Timestamp;

use super::*;
use crate::vhd::vhd;

#[test]
fn ranges_follow_swift() {
    for (text, expected) in [
        ("bytes=8-12", Some(Ok((8, 12)))),
        ("bytes=8-", Some(Ok((8, 29)))),
        ("bytes=-4", Some(Ok((26, 29)))),
        ("bytes=20-99", Some(Ok((20, 29)))),
        ("bytes=100-120", Some(Err(()))),
        ("bytes=100-", Some(Err(()))),
        ("bytes=0-1,4-5", None),
        ("bytes=9-3", None),
        ("lines=1-2", None),
    ] {
        assert_eq!(range(text, 30), expected, "{text}");
    }
}

#[test]
fn every_listing_goes_on_after_its_marker() {
    let now = Timestamp::now();
    let mut account = Account::with_containers("a", &["demo", "exports"]);
    account.export("exports", "x.vhd", ("big", 24), (now, now));
    let moment = Moment::new(now, crate::DEFAULT_DURATION);
    for (path, query, names) in [
        ("", "", "demo\nexports\n"),
        ("", "marker=demo", "exports\n"),
        ("", "marker=exports", ""),
        ("exports", "limit=2", "x.vhd\nx.vhd-00001\n"),
        (
            "exports",
            "prefix=x.vhd-&marker=x.vhd-00003",
            "x.vhd-00004\n",
        ),
    ] {
        let request = Request {
            method: "GET".into(),
            path: String::new(),
            query: query.into(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let listed = handle(&mut account, path, &request, &moment);
        assert_eq!(
            String::from_utf8_lossy(&listed.body),
            names,
            "{path}?{query}"
        );
    }
}

#[test]
fn a_large_export_is_a_manifest_over_segments() {
    let now = Timestamp::now();
    let mut account = Account::with_containers("a", &["exports"]);
    account.export("exports", "x.vhd", ("big", 24), (now, now));
    let moment = Moment::new(now, crate::DEFAULT_DURATION);
    let get = |query: &str, account: &mut Account| {
        let request = Request {
            method: "GET".into(),
            path: String::new(),
            query: query.into(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        handle(account, "exports/x.vhd", &request, &moment)
    };
    let whole = get("", &mut account);
    assert_eq!(whole.body, vhd("big", 24));
    let raw = get("multipart-manifest=get", &mut account);
    assert!(raw.body.is_empty());
    assert!(
        account.containers["exports"].len() > 3,
        "segments and manifest"
    );
    let objects = account.containers.get_mut("exports").expect("a container");
    objects.remove("x.vhd-00002").expect("a second segment");
    let corrupt = get("", &mut account);
    assert_eq!(
        corrupt.status, 200,
        "a lost segment is not noticed by Swift"
    );
    assert!(corrupt.body.len() < whole.body.len());
}
