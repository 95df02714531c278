use super::*;
use crate::blob::{hex, md5_hex};
use crate::shape::Shape;
use std::time::Duration;

/// A cloud without export tasks.
fn elsewhere() -> Moment {
    let mut moment = Moment::new(Timestamp::now(), Duration::from_secs(20));
    moment.shape.is_without_tasks = true;
    moment
}

fn ask(world: &mut World, path: &str, headers: &[(&str, &str)], moment: &Moment) -> wire::Response {
    let token = world.rackspace.token(moment.now).0;
    let token = ("x-auth-token", token.as_str());
    let headers = headers.iter().chain([&token]);
    let request = wire::Request {
        method: "GET".into(),
        path: path.into(),
        query: String::new(),
        headers: headers
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        body: Vec::new(),
    };
    handle(world, &request, moment)
}

fn json(response: &wire::Response) -> Value {
    serde_json::from_slice(&response.body.to_vec()).expect("JSON")
}

#[test]
fn where_there_are_no_export_tasks_the_image_itself_can_be_had_and_is_described() {
    let mut world = World::default();
    for (size, image, format) in [
        (None, "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21", "qcow2"),
        (None, "2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728", "raw"),
        (
            Some(9 << 20),
            "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
            "qcow2",
        ),
    ] {
        let mut moment = elsewhere();
        moment.shape.object_size = size;
        let path = format!("/v2/images/{image}");
        let shown = json(&ask(&mut world, &path, &[], &moment));
        assert_eq!(shown["disk_format"], format);
        assert_eq!(shown["container_format"], "bare");
        let file = format!("{path}/file");
        let whole = ask(&mut world, &file, &[], &moment).body.to_vec();
        assert_eq!(shown["size"], whole.len());
        assert_eq!(whole.starts_with(b"QFI\xfb"), format == "qcow2");
        let sha512 = ring::digest::digest(&ring::digest::SHA512, &whole);
        assert_eq!(shown["os_hash_algo"], "sha512");
        assert_eq!(shown["os_hash_value"], hex(sha512));
        if size.is_none() {
            assert_eq!(shown["checksum"], md5_hex(&whole));
        } else {
            assert!(shown["checksum"].is_null() && whole.len() > 9 << 20);
        }
        let range = [("range", "bytes=100000-100009")];
        let part = ask(&mut world, &file, &range, &moment);
        assert_eq!(part.status, 206);
        assert_eq!(part.body.to_vec(), whole[100_000..100_010]);
        let range = [("range", "bytes=99999999-")];
        assert_eq!(ask(&mut world, &file, &range, &moment).status, 416);
    }
}

#[test]
fn where_there_are_no_export_tasks_nothing_says_that_there_are() {
    let mut world = World::default();
    let schema = json(&ask(&mut world, "/v2/schemas/task", &[], &elsewhere()));
    let kinds = schema["properties"]["type"]["enum"].to_string();
    assert!(
        kinds.contains("import") && !kinds.contains("export"),
        "{kinds}"
    );
    assert_eq!(ask(&mut world, "/v2/tasks", &[], &elsewhere()).status, 403);
    // What is not there cannot be had.
    for (image, status) in [
        ("e8f6d4b2-9a7c-4e5d-8b3f-1a2c4e6f8091", 204),
        ("c3e5a7b9-1d2f-4c6e-9a8b-7d6f5e4c3b2a", 403),
        ("00000000-0000-4000-8000-000000000000", 404),
    ] {
        let path = format!("/v2/images/{image}/file");
        assert_eq!(ask(&mut world, &path, &[], &elsewhere()).status, status);
    }
}

#[test]
fn another_image_in_the_same_place_has_another_hash() {
    let mut world = World::default();
    let path = "/v2/images/7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let mut moment = elsewhere();
    let before = json(&ask(&mut world, path, &[], &moment));
    moment.shape = Shape {
        is_changed: true,
        ..moment.shape
    };
    let after = json(&ask(&mut world, path, &[], &moment));
    assert_ne!(before["checksum"], after["checksum"]);
}
