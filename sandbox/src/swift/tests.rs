//! Tests of [`super`].

use jiff::Timestamp;

use super::*;
use crate::shape::Shape;
use crate::vhd::{large, vhd};

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
    account.export(
        "exports",
        "x.vhd",
        ("big", 24),
        (now, now),
        &Shape::default(),
    );
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
            String::from_utf8_lossy(&listed.body.to_vec()),
            names,
            "{path}?{query}"
        );
    }
}

#[test]
fn a_large_export_is_a_manifest_over_segments() {
    let now = Timestamp::now();
    let mut account = Account::with_containers("a", &["exports"]);
    account.export(
        "exports",
        "x.vhd",
        ("big", 24),
        (now, now),
        &Shape::default(),
    );
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
    assert_eq!(whole.body.to_vec(), vhd("big", 24));
    let raw = get("multipart-manifest=get", &mut account);
    assert_eq!(raw.body.len(), 0);
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

#[test]
fn a_static_manifest_tells_size_and_hash_of_each_segment() {
    let now = Timestamp::now();
    let mut account = Account::with_containers("a", &["exports"]);
    let shape = Shape {
        is_static: true,
        ..Shape::default()
    };
    account.export("exports", "x.vhd", ("big", 24), (now, now), &shape);
    let moment = Moment::new(now, crate::DEFAULT_DURATION);
    let ask = |query: &str, headers: &[(&str, &str)], account: &mut Account| {
        let headers = headers.iter();
        let request = Request {
            method: "GET".into(),
            path: String::new(),
            query: query.into(),
            headers: headers
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: Vec::new(),
        };
        handle(account, "exports/x.vhd", &request, &moment)
    };
    let header = |response: &Response, name: &str| {
        let found = response.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let whole = ask("", &[], &mut account);
    let image = vhd("big", 24);
    assert_eq!(whole.body.to_vec(), image);
    assert_eq!(header(&whole, "x-static-large-object"), "True");

    let shown = ask("multipart-manifest=get", &[], &mut account);
    let manifest: Vec<Value> = serde_json::from_slice(&shown.body.to_vec()).expect("JSON");
    let (mut at, mut hashes) = (0, String::new());
    for segment in &manifest {
        let bytes = segment["bytes"].as_u64().expect("a number") as usize;
        let hash = md5_hex(&image[at..at + bytes]);
        assert_eq!(segment["hash"], hash.as_str());
        at += bytes;
        hashes += &hash;
    }
    assert_eq!(
        (at, manifest[0]["name"].as_str()),
        (image.len(), Some("/exports/x.vhd-00001"))
    );
    let etag = header(&whole, "etag");
    assert_eq!(etag, format!("\"{}\"", md5_hex(hashes.as_bytes())));

    // Across the first two segments.
    let range = ("range", "bytes=524280-524295");
    let part = ask("", &[range, ("if-match", &etag)], &mut account);
    assert_eq!(part.status, 206);
    assert_eq!(part.body.to_vec(), image[524_280..524_296]);
    assert_eq!(
        ask("", &[range, ("if-match", "\"x\"")], &mut account).status,
        412
    );

    let objects = account.containers.get_mut("exports").expect("a container");
    objects.remove("x.vhd-00002").expect("a second segment");
    assert_eq!(
        ask("", &[], &mut account).status,
        409,
        "a lost segment is noticed"
    );
}

#[test]
fn an_export_of_gibibytes_is_segments_of_which_each_has_its_md5() {
    let now = Timestamp::now();
    let size = 8 << 30;
    for is_static in [false, true] {
        let mut account = Account::with_containers("a", &["exports"]);
        let shape = Shape {
            object_size: Some(size),
            is_static,
            ..Shape::default()
        };
        account.export("exports", "x.vhd", ("big", 2), (now, now), &shape);
        let objects = &account.containers["exports"];
        assert_eq!(objects.len() as u64, large::count(size) + 1);
        let far = &objects["x.vhd-00900"];
        assert_eq!(far.hash, md5_hex(&far.read().to_vec()));
        let segments = account
            .segments(&objects["x.vhd"], now)
            .expect("a manifest");
        let bytes: u64 = segments
            .ok()
            .expect("all")
            .iter()
            .map(|(_, s)| s.bytes)
            .sum();
        assert!(bytes >= size, "{bytes}");
    }
}

#[test]
fn what_lies_there_changes_with_its_etag() {
    let now = Timestamp::now();
    let mut account = Account::with_containers("a", &["exports"]);
    account.export(
        "exports",
        "x.vhd",
        ("web", 2),
        (now, now),
        &Shape::default(),
    );
    let before = account.containers["exports"]["x.vhd"].clone();
    account.change(&Shape {
        is_changed: true,
        ..Shape::default()
    });
    let after = &account.containers["exports"]["x.vhd"];
    assert_ne!(before.hash, after.hash);
    assert_ne!(before.read().to_vec(), after.read().to_vec());
}
