//! The policies in the pages, held against what the program asks of each cloud.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::page;
use crate::program::{Clouds, User};

const OUTSCALE: (&str, &str) = ("docs/outscale.md", "outscale");
const LIGHTSAIL: (&str, &str) = ("docs/lightsail.md", "lightsail");

/// The actions of all statements of a page's policy that begin with this.
fn allowed((path, name): (&str, &str), start: &str) -> BTreeSet<String> {
    let page = page(path);
    let is_policy = |info: &str| info == format!("json policy {name}");
    let block = page.blocks.iter().find(|block| is_policy(&block.info));
    let policy: Value = serde_json::from_str(&block.expect("a policy").text).expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    let actions = statements.iter().flat_map(|one| match &one["Action"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    });
    actions
        .filter_map(|action| Some(action.as_str()?.strip_prefix(start)?.to_owned()))
        .collect()
}

/// The names of the calls that these commands make at this variable's endpoint, as `-v` shows them.
fn called(endpoint: &str, commands: &[&[&str]]) -> BTreeSet<String> {
    let clouds = Clouds::start(Duration::from_secs(1));
    let user = User::of(&clouds);
    let variables = clouds.variables();
    let mut places = variables.iter().filter(|(name, _)| *name == endpoint);
    let place = &places.next().expect("an endpoint").1;
    let (mut calls, mut id) = (BTreeSet::new(), String::new());
    for command in commands {
        // ID is what the command before printed.
        let given: Vec<&str> = command
            .iter()
            .map(|&word| if word == "ID" { &id } else { word })
            .chain(["-v"])
            .collect();
        let ran = user.run(&given);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        id = ran.stdout.lines().last().unwrap_or_default().to_owned();
        calls.extend(ran.stderr.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("· ")?.split_once(": ")?;
            rest.strip_prefix("POST ")?
                .starts_with(place)
                .then(|| name.to_owned())
        }));
    }
    calls
}

#[test]
fn the_outscale_policy_allows_what_is_called_and_nothing_else() {
    let calls = called(
        "OSC_ENDPOINT_API",
        &[
            &["list", "outscale"],
            &[
                "export",
                "outscale",
                "snap-0a1b2c3d",
                "--bucket",
                "demo",
                "--wait",
            ],
            &["export", "outscale", "snap-57a11ed0", "--bucket", "demo"],
            &["cancel", "ID"],
            &["status"],
            &["status", "--remote"],
        ],
    );
    assert_eq!(calls, allowed(OUTSCALE, "api:"));
}

#[test]
fn the_lightsail_policy_allows_what_is_called_and_nothing_else() {
    let calls = called(
        "AWS_ENDPOINT_URL_LIGHTSAIL",
        &[
            &["list", "lightsail"],
            &["export", "lightsail", "web-1", "--wait"],
            &["export", "lightsail", "data-1"],
            &["export", "lightsail", "web-1", "data-1"],
            &["status"],
            &["status", "--remote"],
        ],
    );
    let mut told = allowed(LIGHTSAIL, "lightsail:");
    told.extend(allowed(LIGHTSAIL, "ec2:"));
    assert_eq!(calls, told);
    let roles = BTreeSet::from(["CreateServiceLinkedRole".into(), "PutRolePolicy".into()]);
    assert_eq!(allowed(LIGHTSAIL, "iam:"), roles);
}

#[test]
fn the_policy_for_fetch_allows_what_is_called_and_nothing_else() {
    let blocks = crate::blocks::Blocks::of(|_| crate::blocks::Act::Serve).with_one_disk();
    let folder = tempfile::tempdir().expect("a directory");
    let task = format!("lightsail/{}", crate::blocks::TASK);
    let to = folder.path().to_str().expect("text");
    let ran = blocks.user().run(&["fetch", &task, "--to", to, "-v"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let lines = ran.stderr.lines();
    let calls = lines.filter_map(|line| line.strip_prefix("· ")?.split_once(": "));
    let calls: BTreeSet<String> = calls
        .filter(|(_, rest)| rest.starts_with("GET ") || rest.starts_with("POST "))
        .map(|(name, _)| name.to_owned())
        .collect();
    let mut told = allowed(("docs/lightsail.md", "fetch"), "ebs:");
    for start in ["lightsail:", "ec2:"] {
        told.extend(allowed(LIGHTSAIL, start).intersection(&calls).cloned());
    }
    assert_eq!(calls, told);
}
