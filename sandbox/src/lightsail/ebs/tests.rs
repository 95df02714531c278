use super::super::{ACCESS_KEY, Export, SECRET_KEY};
use super::*;
use crate::signature::{AWS4, signed_in};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const START: Timestamp = Timestamp::constant(1_768_480_496, 0);

/// An export of this snapshot, which takes 100 s from `START`, and the ids of what it makes.
fn exported(snapshot: &str) -> (State, Vec<String>) {
    let state = State {
        exports: vec![Export::new(snapshot, START)],
        ..State::default()
    };
    let ids = ec2::disk_ids(&state, &state.exports[0]);
    (state, ids)
}

fn after(seconds: i64) -> Moment {
    let now = START + SignedDuration::from_secs(seconds);
    Moment::new(now, Duration::from_secs(100))
}

fn ask(state: &State, path: &str, query: &str, moment: &Moment) -> Response {
    let request = Request {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let keys = (ACCESS_KEY, SECRET_KEY);
    let request = signed_in("eu-west-3", request, AWS4, "ebs", keys, moment.client);
    handle(state, &request, moment)
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body.to_vec()).expect("JSON")
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    let found = response.headers.iter().find(|(key, _)| key == name);
    found.map_or("", |(_, value)| value)
}

fn encoded(token: &Value) -> String {
    crate::signature::encode(token.as_str().expect("a token"), false)
}

/// All blocks by index with their tokens, and the sizes of the pages.
fn blocks(
    state: &State,
    id: &str,
    query: &str,
    moment: &Moment,
) -> (BTreeMap<u64, String>, Vec<usize>) {
    let (mut all, mut pages) = (BTreeMap::new(), Vec::new());
    let mut token = String::new();
    loop {
        let path = format!("/snapshots/{id}/blocks");
        let page = json(&ask(state, &path, &format!("{query}{token}"), moment));
        let blocks = page["Blocks"].as_array().expect("blocks");
        pages.push(blocks.len());
        for block in blocks {
            let index = block["BlockIndex"].as_u64().expect("a number");
            all.insert(index, encoded(&block["BlockToken"]));
        }
        if page["NextToken"].is_null() {
            return (all, pages);
        }
        token = format!("&pageToken={}", encoded(&page["NextToken"]));
    }
}

#[test]
fn the_blocks_of_a_snapshot_are_its_disk() {
    let (state, ids) = exported("db-1");
    let mut moment = after(100);
    for (size, id, gib) in [(None, &ids[0], 40), (Some(3 << 20), &ids[1], 64)] {
        moment.shape.object_size = size;
        let (blocks, pages) = blocks(&state, id, "maxResults=100", &moment);
        // An empty page with a token happens.
        assert_eq!(pages[..2], [5, 0], "{pages:?}");
        let listed = blocks.len() as u64;
        assert_eq!(listed, 3 + if size.is_none() { 4 } else { 6 });
        let (label, _) = ec2::disk(&state, id, &moment).expect("whole");
        let whole = disk::large(&label, listed - 3, gib << 30);
        for (index, token) in &blocks {
            let path = format!("/snapshots/{id}/blocks/{index}");
            let block = ask(&state, &path, &format!("blockToken={token}"), &moment);
            let bytes = block.body.to_vec();
            let start = index * CHUNK as u64;
            assert!(
                bytes == whole.slice(start..start + CHUNK as u64).to_vec(),
                "{index}"
            );
            let sha256 = ring::digest::digest(&SHA256, &bytes);
            assert_eq!(
                header(&block, "x-amz-Checksum"),
                BASE64_STANDARD.encode(sha256)
            );
            assert_eq!(header(&block, "x-amz-Checksum-Algorithm"), "SHA256");
            assert_eq!(header(&block, "x-amz-Data-Length"), "524288");
        }
        // What is not listed is zero.
        for index in (0..2 * listed).filter(|index| !blocks.contains_key(index)) {
            let start = index * CHUNK as u64;
            let hole = whole.slice(start..start + CHUNK as u64).to_vec();
            assert!(hole.iter().all(|byte| *byte == 0), "{index}");
        }
    }
}

#[test]
fn a_list_says_what_it_is_of_and_can_begin_in_the_middle() {
    let (state, ids) = exported("data-1");
    let path = format!("/snapshots/{}/blocks", ids[0]);
    let page = json(&ask(&state, &path, "", &after(100)));
    assert_eq!(
        (&page["VolumeSize"], &page["BlockSize"]),
        (&json!(8), &json!(524_288))
    );
    let week = 7.0 * 86_400.0;
    assert_eq!(
        page["ExpiryTime"],
        json!(after(100).now.as_second() as f64 + week)
    );
    let (rest, _) = blocks(&state, &ids[0], "startingBlockIndex=9", &after(100));
    assert_eq!(rest.keys().copied().collect::<Vec<_>>(), [9, 10, 11]);
}

#[test]
fn tokens_are_of_one_block_and_expire_by_the_clock_of_the_sandbox() {
    let (state, ids) = exported("db-1");
    let (of_first, _) = blocks(&state, &ids[0], "", &after(100));
    let get = |disk: usize, index: u64, token: &str, seconds: i64| {
        let path = format!("/snapshots/{}/blocks/{index}", ids[disk]);
        let answer = ask(
            &state,
            &path,
            &format!("blockToken={token}"),
            &after(seconds),
        );
        let reason = match answer.status {
            200 => Value::Null,
            _ => json(&answer)["Reason"].clone(),
        };
        (answer.status, reason)
    };
    let week = 7 * 86_400;
    assert_eq!(get(0, 8, &of_first[&8], 100 + week).0, 200);
    for refused in [
        get(0, 8, &of_first[&8], 101 + week),
        get(0, 9, &of_first[&8], 100),
        get(1, 8, &of_first[&8], 100),
        get(0, 8, "AAAA", 100),
        get(0, 8, "", 100),
        get(0, 3, &of_first[&8], 100),
    ] {
        assert_eq!(refused, (400, json!("INVALID_BLOCK_TOKEN")));
    }
    let path = format!("/snapshots/{}/blocks", ids[0]);
    let next = encoded(&json(&ask(&state, &path, "", &after(100)))["NextToken"]);
    for (query, seconds, reason) in [
        (format!("pageToken={next}"), 100 + 3600, Value::Null),
        (
            format!("pageToken={next}"),
            101 + 3600,
            json!("INVALID_PAGE_TOKEN"),
        ),
        ("pageToken=AAAA".into(), 100, json!("INVALID_PAGE_TOKEN")),
        (
            "maxResults=99".into(),
            100,
            json!("INVALID_PARAMETER_VALUE"),
        ),
        (
            "maxResults=10001".into(),
            100,
            json!("INVALID_PARAMETER_VALUE"),
        ),
    ] {
        let answer = json(&ask(&state, &path, &query, &after(seconds)));
        assert_eq!(answer["Reason"], reason, "{query} {answer}");
    }
}

#[test]
fn what_is_not_whole_or_not_there_is_not_found() {
    let (state, ids) = exported("web-1");
    for (id, seconds, status, kind) in [
        (ids[0].as_str(), 95, 404, "ResourceNotFoundException"),
        (
            "snap-00000000000000000",
            100,
            404,
            "ResourceNotFoundException",
        ),
        ("snap-nowhere", 100, 400, "ValidationException"),
        (ids[0].as_str(), 100, 200, ""),
    ] {
        let answer = ask(
            &state,
            &format!("/snapshots/{id}/blocks"),
            "",
            &after(seconds),
        );
        assert_eq!(answer.status, status, "{id}");
        assert_eq!(header(&answer, "x-amzn-errortype"), kind, "{id}");
    }
    let mut moment = after(100);
    moment.client = START - SignedDuration::from_hours(1);
    let path = format!("/snapshots/{}/blocks", ids[0]);
    let late = ask(&state, &path, "", &moment);
    assert_eq!(late.status, 200, "dates may be the client's own");
    let unsigned = Request {
        method: "GET".into(),
        path,
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    assert_eq!(handle(&state, &unsigned, &after(100)).status, 403);
}

#[test]
fn a_block_may_be_longer_or_shorter_than_it_is() {
    let (state, ids) = exported("web-1");
    let mut moment = after(100);
    let (blocks, _) = blocks(&state, &ids[0], "", &moment);
    let path = format!("/snapshots/{}/blocks/8", ids[0]);
    for (portion, length) in [
        (Portion::Longer, CHUNK as u64 + MORE),
        (Portion::Shorter, CHUNK as u64 / 2),
    ] {
        moment.shape.portion = portion;
        let block = ask(
            &state,
            &path,
            &format!("blockToken={}", blocks[&8]),
            &moment,
        );
        assert_eq!((block.status, block.body.len()), (200, length));
    }
}
