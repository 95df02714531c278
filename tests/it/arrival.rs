//! When a Lightsail export is complete: by EC2's word where it can be read, else by Lightsail's, which comes earlier.

use std::time::Duration;

use serde_json::Value;

use crate::canned::{Answer, Canned};
use crate::program::Ran;
use crate::stage::{CLOUDS, Cloud, QUICK, Stage};

const WAIT: [&str; 5] = ["--wait", "--interval", "50ms", "-o", "json"];
const MAY_BE_COPYING: &str = "may still be copying: aws ec2 wait";

fn lightsail() -> &'static Cloud {
    &CLOUDS[1]
}

fn last(ran: &Ran) -> Value {
    ran.json().pop().expect("a line")
}

#[test]
fn a_wait_goes_on_until_ec2_has_it_whole_and_names_the_snapshots_behind_an_image() {
    let stage = Stage::of(lightsail(), Duration::from_secs(3), &[]);
    for (snapshot, disks, kind) in [("db-1", 2, "ami"), ("data-1", 0, "ebs-snapshot")] {
        let command = ["export", "lightsail", snapshot, "--events"];
        let ran = stage.user.run(&[&command[..], &WAIT].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let copying = ran
            .json()
            .into_iter()
            .filter(|seen| seen["provider_state"] == "pending");
        let percents: Vec<u64> = copying
            .map(|seen| {
                assert_eq!(seen["is_terminal"], false, "{seen}");
                assert_eq!(seen["message"], "EC2 is copying it", "{seen}");
                seen["progress"].as_u64().expect("percent")
            })
            .collect();
        assert!(!percents.is_empty() && percents.is_sorted(), "{percents:?}");
        let done = last(&ran);
        assert_eq!(
            (&done["state"], &done["artifact"]["kind"]),
            (&"completed".into(), &kind.into())
        );
        let behind = done["artifact"]["snapshots"].as_array().map_or(0, Vec::len);
        assert_eq!(behind, disks, "{done}");
        assert!(!ran.all().contains(MAY_BE_COPYING), "{}", ran.all());
    }
}

#[test]
fn where_ec2_cannot_be_read_lightsails_word_counts_and_that_is_said_once() {
    for (faults, address) in [
        (&["DescribeImages:*:status=403"][..], None),
        (&["DescribeSnapshots:*:status=403"][..], None),
        (&["DescribeImages:*:garbage"][..], None),
        // Nobody answers there, and nobody ever has.
        (&[][..], Some("http://127.0.0.1:1")),
        // Lightsail alone has an address: the real EC2 is not asked.
        (&[][..], Some("")),
    ] {
        let mut stage = Stage::of(lightsail(), QUICK, faults);
        if let Some(url) = address {
            stage.user = stage.user.with("AWS_ENDPOINT_URL_EC2", url);
        }
        let ran = stage.export(&["--wait", "--interval", "50ms"]);
        assert_eq!(ran.code, Some(0), "{}", stage.told(&ran));
        let said = ran.stderr.matches(MAY_BE_COPYING).count();
        assert_eq!(said, 1, "{faults:?} {address:?}: {}", ran.all());
        assert!(
            ran.stderr.contains("wait image-available --image-ids ami-"),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn ec2_that_is_busy_for_a_moment_ends_no_wait_early() {
    for fault in ["status=503", "throttle", "reset-before"] {
        for call in ["DescribeImages", "DescribeSnapshots"] {
            let fault = format!("{call}:1-4:{fault}");
            let stage = Stage::of(lightsail(), QUICK, &[&fault]);
            let ran = stage.export(&WAIT);
            assert_eq!(ran.code, Some(0), "{fault}: {}", stage.told(&ran));
            let done = last(&ran);
            let behind = done["artifact"]["snapshots"].as_array().map_or(0, Vec::len);
            // Before EC2's first answer nobody can tell a broken way to it from a moment's trouble.
            if !(fault.contains("Images") && fault.ends_with("reset-before")) {
                assert_eq!(behind, 1, "{fault}: {done}");
            }
        }
    }
}

/// EC2 that says this of each image.
fn ec2_with(image: &'static str) -> Canned {
    Canned::by(move |request| {
        let id = request.split("ami-").nth(1).map(|rest| &rest[..17]);
        let item = id.map(|id| format!("<item><imageId>ami-{id}</imageId>{image}</item>"));
        let item = item.filter(|_| !image.is_empty()).unwrap_or_default();
        let body = format!("<R xmlns=\"x\"><imagesSet>{item}</imagesSet></R>");
        Answer::html(200, &body)
    })
}

#[test]
fn an_image_that_ec2_could_not_make_is_a_failed_export_with_ec2s_reason() {
    let ec2 = ec2_with(
        "<imageState>failed</imageState><stateReason><message>a disk &amp; its key</message></stateReason>",
    );
    let mut stage = Stage::of(lightsail(), QUICK, &[]);
    stage.user = stage.user.with("AWS_ENDPOINT_URL_EC2", &ec2.url());
    let ran = stage.export(&WAIT);
    assert_eq!(ran.code, Some(3), "{}", stage.told(&ran));
    let failed = last(&ran);
    assert_eq!(failed["state"], "failed", "{failed}");
    assert_eq!(failed["error"]["message"], "a disk & its key", "{failed}");
}

#[test]
fn an_image_that_is_gone_was_made_all_the_same() {
    for image in ["", "<imageState>deregistered</imageState>"] {
        let ec2 = ec2_with(image);
        let mut stage = Stage::of(lightsail(), QUICK, &[]);
        stage.user = stage.user.with("AWS_ENDPOINT_URL_EC2", &ec2.url());
        let listed = stage.user.run(&["status", "--remote", "-o", "json"]);
        let old = listed
            .json()
            .into_iter()
            .find(|task| task["artifact"]["kind"] == "ami");
        let old = old.expect("the samples");
        let id = old["task_id"].as_str().expect("an id");
        let seen = last(&stage.user.run(&["status", id, "-o", "json"]));
        assert_eq!(seen["state"], "completed", "{image}: {seen}");
    }
}

#[test]
fn an_image_that_ec2_does_not_list_yet_is_waited_for() {
    let ec2 = ec2_with("");
    let mut stage = Stage::of(lightsail(), QUICK, &[]);
    stage.user = stage.user.with("AWS_ENDPOINT_URL_EC2", &ec2.url());
    let id = stage.export(&[]).id();
    std::thread::sleep(QUICK * 2);
    let seen = last(&stage.user.run(&["status", &id, "-o", "json"]));
    assert_eq!(
        (&seen["state"], &seen["message"]),
        (&"running".into(), &"EC2 does not list it yet".into()),
        "{seen}"
    );
}
