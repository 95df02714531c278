//! `doctor`: every check once as it should be and once not, what it says in each form, and that it touches nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapexport::journal::{Claim, Intent, Journal};
use snapexport::provider::outscale;
use snapexport::task::{ExportRequest, Target};

use crate::canned::{Answer, Canned};
use crate::program::{Clouds, Ran, User, assert_seen};

fn clouds() -> Clouds {
    Clouds::start(Duration::from_secs(1))
}

/// A file in a user's home, with these permissions.
fn put(user: &User, path: &str, text: &str, mode: u32) {
    let path = user.home.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, text).expect("written");
    set_mode(&path, mode);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("changed");
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

/// What `doctor -o json` found, by cloud (empty: this machine).
struct Found {
    ran: Ran,
    sheets: BTreeMap<String, Value>,
}

impl Found {
    fn by(user: &User, args: &[&str]) -> Self {
        let args: Vec<&str> = ["doctor", "-o", "json"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        let ran = user.run(&args);
        let name = |sheet: &Value| sheet["provider"].as_str().unwrap_or("").to_owned();
        let sheets = ran
            .json()
            .into_iter()
            .map(|sheet| (name(&sheet), sheet))
            .collect();
        Found { ran, sheets }
    }

    /// A check: its result, and its message with its hint.
    fn check(&self, provider: &str, name: &str) -> (String, String) {
        let sheet = self
            .sheets
            .get(provider)
            .unwrap_or_else(|| panic!("no sheet of '{provider}': {}", self.ran.all()));
        let checks = sheet["checks"].as_array().expect("checks");
        let check = checks
            .iter()
            .find(|check| check["name"] == name)
            .unwrap_or_else(|| panic!("no check '{name}': {sheet}"));
        let text = |member: &str| check[member].as_str().unwrap_or("").to_owned();
        (
            text("result"),
            format!("{} | {}", text("message"), text("hint")),
        )
    }

    fn assert(&self, provider: &str, name: &str, result: &str, part: &str) {
        let (found, said) = self.check(provider, name);
        assert_eq!(found, result, "{provider} {name}: {said}");
        assert!(said.contains(part), "{provider} {name}: {said}");
    }

    fn assert_code(&self, code: i32) {
        assert_eq!(self.ran.code, Some(code), "{}", self.ran.all());
    }
}

const OUTSCALE: [&str; 7] = [
    "reachable",
    "accepted",
    "clock",
    "export",
    "region",
    "token",
    "files",
];
const LIGHTSAIL: [&str; 7] = [
    "reachable",
    "accepted",
    "clock",
    "snapshots",
    "region",
    "token",
    "files",
];

#[test]
fn with_everything_in_order_every_check_that_can_be_made_is_ok() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let found = Found::by(&user, &["--bucket", "demo", "--container", "exports"]);
    found.assert_code(0);
    for name in OUTSCALE.into_iter().chain(["sources", "bucket"]) {
        found.assert("outscale", name, "ok", "");
    }
    found.assert("outscale", "export", "ok", "dry run");
    for name in LIGHTSAIL.into_iter().chain(["sources"]) {
        found.assert("lightsail", name, "ok", "");
    }
    // There is no dry run there, and that is said.
    found.assert(
        "lightsail",
        "export",
        "unknown",
        "without starting an export",
    );
    found.assert(
        "lightsail",
        "export",
        "unknown",
        "lightsail:ExportSnapshot; for an account's first export also iam:CreateServiceLinkedRole",
    );
    for name in OUTSCALE.into_iter().chain(["sources", "container"]) {
        found.assert("rackspace", name, "ok", "");
    }
    for name in ["journal", "files", "configuration"] {
        found.assert("", name, "ok", "");
    }
    let starts = clouds
        .world(|world| world.outscale.starts + world.lightsail.starts + world.rackspace.starts);
    assert_eq!(starts, 0);
}

#[test]
fn what_a_person_sees_of_a_look_at_everything() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"good for \d+ hours", "good for TIME");
    settings.bind(|| assert_seen!(user.run(&["doctor"])));
}

#[test]
fn what_a_person_sees_of_a_refused_key() {
    let clouds = clouds();
    let user = User::of(&clouds).with("OSC_ACCESS_KEY", "AKSANDBOX0000WRONGID");
    assert_seen!(user.run(&["doctor", "outscale", "--bucket", "demo"]));
}

#[test]
fn each_failure_shows_in_its_own_check() {
    let clouds = clouds();
    for (fault, provider, check, result, code) in [
        (
            "outscale:ReadAccounts:*:status=401",
            "outscale",
            "accepted",
            "problem",
            4,
        ),
        (
            "outscale:*:*:status=503",
            "outscale",
            "accepted",
            "problem",
            4,
        ),
        (
            "outscale:ReadAccounts:*:garbage",
            "outscale",
            "accepted",
            "problem",
            4,
        ),
        (
            "outscale:ReadAccounts:*:redirect=http://127.0.0.1:1/",
            "outscale",
            "accepted",
            "problem",
            4,
        ),
        (
            "outscale:ReadAccounts:*:throttle=60",
            "outscale",
            "accepted",
            "unknown",
            0,
        ),
        (
            "outscale:CreateSnapshotExportTask:*:status=403",
            "outscale",
            "export",
            "problem",
            4,
        ),
        (
            "outscale:CreateSnapshotExportTask:*:status=400",
            "outscale",
            "export",
            "unknown",
            0,
        ),
        (
            "outscale:CreateSnapshotExportTask:*:status=403",
            "outscale",
            "export",
            "problem",
            4,
        ),
        (
            "oos:ListObjectsV2:*:expire",
            "outscale",
            "bucket",
            "problem",
            4,
        ),
        (
            "oos:ListObjectsV2:*:status=403",
            "outscale",
            "bucket",
            "warning",
            0,
        ),
        (
            "lightsail:GetExportSnapshotRecords:*:status=401",
            "lightsail",
            "accepted",
            "problem",
            4,
        ),
        (
            "lightsail:GetExportSnapshotRecords:*:expire",
            "lightsail",
            "accepted",
            "problem",
            4,
        ),
        (
            "lightsail:*:*:status=503",
            "lightsail",
            "accepted",
            "problem",
            4,
        ),
        (
            "lightsail:GetExportSnapshotRecords:*:status=403",
            "lightsail",
            "snapshots",
            "problem",
            4,
        ),
        (
            "lightsail:GetInstanceSnapshots:*:status=403",
            "lightsail",
            "snapshots",
            "problem",
            4,
        ),
        (
            "rackspace:login:*:status=401",
            "rackspace",
            "accepted",
            "problem",
            4,
        ),
        (
            "rackspace:login:*:status=503",
            "rackspace",
            "accepted",
            "problem",
            4,
        ),
        (
            "rackspace:show schema:*:status=503",
            "rackspace",
            "accepted",
            "problem",
            4,
        ),
        (
            "rackspace:show schema:*:status=401",
            "rackspace",
            "accepted",
            "problem",
            4,
        ),
        (
            "rackspace:show schema:*:status=404",
            "rackspace",
            "reachable",
            "ok",
            0,
        ),
        (
            "rackspace:look at container:*:status=503",
            "rackspace",
            "container",
            "warning",
            0,
        ),
    ] {
        clouds.set_faults(vec![fault.parse().expect(fault)]);
        let args = [provider, "--bucket", "demo", "--container", "exports"];
        let found = Found::by(&User::of(&clouds), &args);
        let (seen, said) = found.check(provider, check);
        assert_eq!(seen, result, "{fault}: {said}");
        assert_eq!(found.ran.code, Some(code), "{fault}: {}", found.ran.all());
        if result == "problem" {
            assert!(!said.ends_with("| "), "nothing to do about it: {said}");
            // Whatever came: somebody answers.
            found.assert(provider, "reachable", "ok", "answers");
        }
    }
}

#[test]
fn nobody_there_is_said_as_such() {
    let user = User::new()
        .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
        .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
        .with("OSC_ENDPOINT_API", "http://127.0.0.1:1");
    let found = Found::by(&user, &["outscale"]);
    found.assert_code(4);
    found.assert("outscale", "reachable", "problem", "127.0.0.1:1");
    found.assert("outscale", "accepted", "unknown", "not checked");
    found.assert("outscale", "clock", "unknown", "did not tell");
    found.assert("outscale", "export", "unknown", "not checked");
}

#[test]
fn a_success_that_is_none_of_the_clouds_is_not_taken_for_one() {
    for body in ["null", "{}", "[]", ""] {
        let server = Canned::start(vec![Answer::json(200, body)]);
        let user = User::new()
            .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
            .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
            .with("OSC_ENDPOINT_API", &server.url());
        let found = Found::by(&user, &["outscale"]);
        found.assert_code(4);
        found.assert("outscale", "reachable", "ok", "answers");
        found.assert("outscale", "accepted", "problem", "");
        let why = "the cloud did not answer as it should";
        found.assert("outscale", "export", "unknown", why);
    }
    for body in ["null", "[]", ""] {
        let server = Canned::start(vec![Answer::json(200, body)]);
        let user = User::new()
            .with("AWS_ACCESS_KEY_ID", "AKIASANDBOXLIGHTSAIL")
            .with("AWS_SECRET_ACCESS_KEY", "s")
            .with("AWS_REGION", "eu-west-3")
            .with("AWS_ENDPOINT_URL", &server.url());
        let found = Found::by(&user, &["lightsail"]);
        found.assert_code(4);
        let said = "is not what the API promises";
        found.assert("lightsail", "reachable", "ok", "answers");
        found.assert("lightsail", "accepted", "problem", said);
        let ran = user.run(&["list", "lightsail"]);
        assert_eq!(ran.code, Some(1), "{body}: {}", ran.all());
        assert!(ran.stderr.contains(said), "{body}: {}", ran.all());
        // A start may have been carried out all the same.
        let answer = body.to_owned();
        let server = Canned::by(move |request| {
            if request.contains("Lightsail_20161128.ExportSnapshot") {
                return Answer::json(200, &answer);
            }
            let snapshot = r#"{"instanceSnapshot":{"name":"web","state":"available"}}"#;
            Answer::json(200, snapshot)
        });
        let user = user
            .with("AWS_ENDPOINT_URL", &server.url())
            .with("SNAPEXPORT_VISIBILITY", "1s");
        let ran = user.run(&["export", "lightsail", "web", "-o", "json"]);
        assert_eq!(ran.code, Some(6), "{body}: {}", ran.all());
        assert_eq!(ran.json_error()["kind"], "maybe_started", "{body}");
    }
}

#[test]
fn a_profile_that_one_cloud_has_leaves_the_others_out() {
    let clouds = clouds();
    let config = "[profile.work.outscale]\naccess_key = \"AKSANDBOX0000OUTSCAL\"\n\
        secret_key = \"SKSANDBOX00000000000000000000000OUTSCALE\"\n";
    let user = User::of(&clouds);
    put(&user, "config/config.toml", config, 0o600);
    for command in [&["doctor"][..], &["status", "--remote"]] {
        let ran = user.run(&[command, &["--profile", "work"]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let note = "Not asked, no profile 'work': lightsail, rackspace";
        assert!(ran.stderr.contains(note), "{}", ran.all());
        // A name that no cloud knows is an error.
        let ran = user.run(&[command, &["--profile", "wrok"]].concat());
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        for part in ["there is no profile 'wrok' for any", "did you mean work?"] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.all());
        }
        // So is one that a cloud's own variable names.
        let user = User::of(&clouds)
            .without("AWS_ACCESS_KEY_ID")
            .without("AWS_SECRET_ACCESS_KEY")
            .with("AWS_PROFILE", "lost");
        let ran = user.run(command);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(ran.all().contains("no profile 'lost'"), "{}", ran.all());
    }
    let ran = user.run(&["doctor", "lightsail", "--profile", "work"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
}

#[test]
fn refused_keys_are_sent_once() {
    let refusal = r#"{"Errors":[{"Type":"AccessDenied","Code":"1","Details":"no"}]}"#;
    let server = Canned::start(vec![Answer::json(401, refusal)]);
    let user = User::new()
        .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
        .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
        .with("OSC_ENDPOINT_API", &server.url())
        .with("OSC_ENDPOINT_OOS", &server.url());
    let found = Found::by(&user, &["outscale", "--bucket", "demo"]);
    found.assert_code(4);
    for name in ["export", "bucket"] {
        found.assert("outscale", name, "unknown", "not checked");
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn buckets_and_containers_are_looked_for() {
    let clouds = clouds();
    let user = User::of(&clouds);
    for (provider, option, name, result, part, code) in [
        ("outscale", "bucket", "demo", "ok", "demo is there", 0),
        (
            "outscale",
            "bucket",
            "nosuch",
            "warning",
            "would create it",
            0,
        ),
        (
            "outscale",
            "bucket",
            "partner",
            "warning",
            "may not read",
            0,
        ),
        ("outscale", "bucket", "Demo", "problem", "lower-case", 4),
        (
            "rackspace",
            "container",
            "exports",
            "ok",
            "exports is there",
            0,
        ),
        (
            "rackspace",
            "container",
            "nosuch",
            "problem",
            "swift post nosuch",
            4,
        ),
        (
            "rackspace",
            "container",
            "a.b",
            "problem",
            "must have no",
            4,
        ),
    ] {
        let flag = format!("--{option}");
        let found = Found::by(&user, &[provider, &flag, name]);
        found.assert(provider, option, result, part);
        found.assert_code(code);
    }
    let ran = user.run(&["doctor", "lightsail", "--bucket", "demo"]);
    assert!(
        ran.stderr.contains("--bucket is of no use"),
        "{}",
        ran.all()
    );
}

/// An HTTP date this many seconds from now.
fn date(offset: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(offset);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A server whose clock is this many seconds ahead, and that says this.
fn server(offset: i64, body: &'static str) -> Canned {
    Canned::by(move |_| {
        let headers = vec![
            ("date", date(offset)),
            ("content-type", "application/json".into()),
        ];
        Answer::Reply(200, headers, body.into())
    })
}

#[test]
fn a_clock_that_is_off_is_measured_and_judged_by_what_the_cloud_accepts() {
    for (theirs, result) in [(0, "ok"), (-12, "problem"), (30, "ok"), (400, "problem")] {
        let server = server(
            theirs,
            r#"{"Accounts":[],"Snapshots":[],"ResponseContext":{}}"#,
        );
        let user = User::new()
            .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
            .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
            .with("OSC_ENDPOINT_API", &server.url());
        let found = Found::by(&user, &["outscale"]);
        found.assert("outscale", "clock", result, "clock");
        found.assert_code(if result == "problem" { 4 } else { 0 });
        found.assert("outscale", "export", "ok", "allowed, by a dry run");
    }
    for (theirs, result) in [(0, "ok"), (200, "warning"), (-400, "problem")] {
        let server = server(theirs, "{}");
        let user = User::new()
            .with("AWS_ACCESS_KEY_ID", "AKIASANDBOXLIGHTSAIL")
            .with("AWS_SECRET_ACCESS_KEY", "secret")
            .with("AWS_REGION", "eu-west-3")
            .with("AWS_ENDPOINT_URL_LIGHTSAIL", &server.url());
        let found = Found::by(&user, &["lightsail"]);
        found.assert("lightsail", "clock", result, "clock");
    }
}

#[test]
fn a_dry_run_is_of_a_snapshot_that_cannot_exist_and_a_task_that_comes_of_it_is_shouted_about() {
    for (task, said) in [
        (
            r#"{"TaskId": "snap-export-0a1b2c3d"}"#,
            "snapexport cancel outscale/snap-export-0a1b2c3d",
        ),
        ("{}", "snapexport status --remote"),
    ] {
        let answer = format!(
            r#"{{"Accounts":[],"Snapshots":[{{"SnapshotId":"snap-0a1b2c3d","State":"completed"}}],"SnapshotExportTask":{task},"ResponseContext":{{}}}}"#
        );
        let server = Canned::by(move |_| Answer::json(200, &answer));
        let user = User::new()
            .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
            .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
            .with("OSC_ENDPOINT_API", &server.url());
        let found = Found::by(&user, &["outscale"]);
        found.assert("outscale", "export", "problem", "has started an export");
        assert!(found.ran.all().contains(said), "{}", found.ran.all());
        found.assert_code(4);
        let requests = server.requests();
        let starts = requests
            .iter()
            .filter(|request| request.contains("CreateSnapshotExportTask"));
        let starts: Vec<&String> = starts.collect();
        assert_eq!(starts.len(), 1, "{requests:?}");
        assert!(starts[0].contains("\"DryRun\":true") && starts[0].contains("snap-00000000"));
    }
}

#[test]
fn neither_doctor_nor_a_dry_run_sends_what_could_start_something() {
    let uuid = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    let everything = json!({
        "ResponseContext": {}, "Accounts": [], "SnapshotExportTask": null, "SnapshotExportTasks": [],
        "Snapshots": [{"SnapshotId": "snap-0a1b2c3d", "State": "completed"}],
        "exportSnapshotRecords": [], "operations": [], "diskSnapshots": [],
        "instanceSnapshots": [{"name": "web-1", "state": "available"}],
        "tasks": [], "id": uuid, "status": "active", "images": [{"id": uuid, "status": "active"}],
    });
    let answer = everything.to_string();
    let server = Canned::by(move |_| Answer::json(200, &answer));
    let url = server.url();
    let user = User::new()
        .with("OSC_ACCESS_KEY", "AKSANDBOX0000OUTSCAL")
        .with("OSC_SECRET_KEY", "SKSANDBOX00000000000000000000000OUTSCALE")
        .with("OSC_ENDPOINT_API", &url)
        .with("OSC_ENDPOINT_OOS", &url)
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "SKEXAMPLE")
        .with("AWS_REGION", "eu-west-3")
        .with("AWS_ENDPOINT_URL", &url)
        .with("AUTH_TOKEN", "0123456789abcdef")
        .with("RAX_REGION", "DFW")
        .with("API_ENDPOINT", &format!("{url}/v2"))
        .with("OS_OBJECT_STORE_URL", &url);
    let runs: [&[&str]; 6] = [
        &["doctor", "outscale", "--bucket", "demo"],
        &["doctor", "lightsail"],
        &["doctor", "rackspace", "--container", "exports"],
        &[
            "export",
            "outscale",
            "snap-0a1b2c3d",
            "--bucket",
            "demo",
            "--dry-run",
        ],
        &["export", "lightsail", "web-1", "--dry-run"],
        &[
            "export",
            "rackspace",
            uuid,
            "--container",
            "exports",
            "--dry-run",
        ],
    ];
    for args in runs {
        let before = server.requests().len();
        let ran = user.run(args);
        let requests = server.requests().split_off(before);
        assert!(!requests.is_empty(), "{args:?}: {}", ran.all());
        for request in requests {
            let head = request.to_lowercase();
            let is_tried = request.contains("\"DryRun\":true") && request.contains("snap-00000000");
            let starts = head.contains("createsnapshotexporttask") && !is_tried
                || head.contains(".exportsnapshot\r")
                || head.starts_with("post /v2/tasks")
                || head.starts_with("put ")
                || head.starts_with("delete ");
            assert!(!starts, "{args:?}: {request}");
        }
    }
}

#[test]
fn spans_of_time_are_said_as_people_say_them() {
    const YEAR: i64 = 365 * 86_400;
    let server = server(57 * YEAR + 86_400, "{}");
    let user = User::new()
        .with("AWS_ACCESS_KEY_ID", "AKIASANDBOXLIGHTSAIL")
        .with("AWS_SECRET_ACCESS_KEY", "secret")
        .with("AWS_REGION", "eu-west-3")
        .with("AWS_ENDPOINT_URL_LIGHTSAIL", &server.url());
    Found::by(&user, &["lightsail"]).assert("lightsail", "clock", "problem", "57 years behind");
    let (_server, user) = rackspace("admin", r#"["import","export"]"#, 0);
    Found::by(&user, &["rackspace"]).assert("rackspace", "token", "ok", " years and more");
}

/// A cloud of Rackspace's kind on one port: who logs in has this role, and tasks may be of these types.
fn rackspace(role: &'static str, types: &'static str, offset: i64) -> (Canned, User) {
    let server = Canned::by(move |request| {
        let host = request
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default();
        let body = if request.starts_with("POST /v2.0/tokens") {
            json!({"access": {
                "token": {"id": "t0ken-of-the-test", "expires": "2099-01-01T00:00:00Z", "tenant": {"id": "1"}},
                "serviceCatalog": [{"type": "image", "name": "cloudImages",
                    "endpoints": [{"region": "DFW", "publicURL": format!("http://{host}/v2")}]}],
                "user": {"name": "u", "roles": [{"name": role}]},
            }})
            .to_string()
        } else {
            format!(r#"{{"properties":{{"type":{{"enum":{types}}}}}}}"#)
        };
        let headers = vec![
            ("date", date(offset)),
            ("content-type", "application/json".into()),
        ];
        Answer::Reply(200, headers, body)
    });
    let user = User::new()
        .with("RAX_USERNAME", "u")
        .with("RAX_API_KEY", "api-key-of-the-test")
        .with("OS_AUTH_URL", &format!("{}/v2.0", server.url()));
    (server, user)
}

#[test]
fn the_roles_and_the_schema_tell_whether_rackspace_would_export() {
    for (role, types, result, part) in [
        ("admin", r#"["import","export"]"#, "ok", "role admin"),
        (
            "cloudImages:admin",
            r#"["export"]"#,
            "ok",
            "cloudImages:admin",
        ),
        (
            "observer",
            r#"["export"]"#,
            "problem",
            "only the roles observer",
        ),
        ("admin", r#"["import"]"#, "problem", "offers no export task"),
    ] {
        let (_server, user) = rackspace(role, types, 0);
        let found = Found::by(&user, &["rackspace"]);
        found.assert("rackspace", "export", result, part);
        found.assert("rackspace", "region", "ok", "DFW");
        found.assert_code(if result == "problem" { 4 } else { 0 });
        // A kept token tells the same.
        let again = Found::by(&user, &["rackspace"]);
        again.assert("rackspace", "export", result, part);
    }
    let (_server, user) = rackspace("admin", r#"["export"]"#, 7200);
    let found = Found::by(&user, &["rackspace"]);
    found.assert("rackspace", "clock", "warning", "behind");
    found.assert_code(0);
}

#[test]
fn a_zone_is_told_from_a_region() {
    let clouds = clouds();
    for (provider, region, result, part) in [
        ("outscale", "eu-west-2", "ok", "no availability zone"),
        ("outscale", "eu-west-2a", "problem", "--region eu-west-2"),
        (
            "outscale",
            "eu-south-9",
            "warning",
            "no region that this version knows",
        ),
        ("lightsail", "eu-west-3", "ok", "no availability zone"),
        ("lightsail", "eu-west-3b", "problem", "--region eu-west-3"),
        ("lightsail", "eu-south-9", "warning", "known are"),
        ("rackspace", "dfw", "ok", "DFW"),
        ("rackspace", "DFW1", "problem", "--region DFW"),
        ("rackspace", "LON", "problem", "its regions are: DFW"),
    ] {
        let found = Found::by(&User::of(&clouds), &[provider, "--region", region]);
        found.assert(provider, "region", result, part);
        if result == "problem" {
            found.assert_code(4);
        }
    }
}

#[test]
fn how_long_a_token_lives_is_said() {
    let clouds = clouds();
    let rackspace = Found::by(&User::of(&clouds), &["rackspace"]);
    rackspace.assert("rackspace", "token", "ok", "renewed by itself");
    let (server, _) = self::rackspace("admin", r#"["export"]"#, 0);
    let bare = User::new()
        .with("AUTH_TOKEN", "t0ken-of-the-test")
        .with("API_ENDPOINT", &server.url())
        .with("RAX_REGION", "DFW");
    let found = Found::by(&bare, &["rackspace"]);
    found.assert("rackspace", "token", "unknown", "does not say when it ends");
    found.assert("rackspace", "export", "unknown", "roles do not tell");
    let ends_in = |minutes: i64| {
        let end = Timestamp::now() + SignedDuration::from_mins(minutes);
        let user = User::of(&clouds)
            .without("AWS_ACCESS_KEY_ID")
            .without("AWS_SECRET_ACCESS_KEY");
        let variables: BTreeMap<&str, String> = clouds.variables().into_iter().collect();
        let keys = json!({"Version": 1, "AccessKeyId": variables["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": variables["AWS_SECRET_ACCESS_KEY"],
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()});
        put(&user, "keys.json", &keys.to_string(), 0o600);
        let path = user.home.path().join("keys.json");
        let config = format!("[default]\ncredential_process = cat {}\n", path.display());
        put(&user, ".aws/config", &config, 0o600);
        Found::by(&user, &["lightsail"])
    };
    let found = ends_in(20);
    found.assert("lightsail", "token", "warning", "aws sso login");
    found.assert_code(0);
    ends_in(600).assert("lightsail", "token", "ok", "the credentials end at");
}

#[test]
fn credentials_in_several_places_are_told_apart_and_the_one_in_use_is_named() {
    let clouds = clouds();
    let user = User::of(&clouds).with("AWS_PROFILE", "nope");
    let osc = r#"{"default": {"access_key": "AKOTHER0000000000000", "secret_key": "S"}}"#;
    put(&user, ".osc/config.json", osc, 0o600);
    let rax = "[rackspace_cloud]\nusername = somebody\napi_key = k\n";
    put(&user, ".rackspace_cloud_credentials", rax, 0o600);
    let found = Found::by(&user, &[]);
    found.assert_code(0);
    let used = "OSC_ACCESS_KEY (AKSANDBOX0000OUTSCAL) is used; profile 'default' of";
    found.assert("outscale", "sources", "warning", used);
    found.assert("outscale", "sources", "warning", "AKOTHER0000000000000");
    found.assert(
        "lightsail",
        "sources",
        "warning",
        "AWS_PROFILE=nope names no profile",
    );
    found.assert("rackspace", "sources", "warning", "somebody");
    // The same key twice is no rival, and a profile that is there is said to be unused.
    let same = osc.replace("AKOTHER0000000000000", "AKSANDBOX0000OUTSCAL");
    put(&user, ".osc/config.json", &same, 0o600);
    put(
        &user,
        ".aws/config",
        "[profile nope]\nregion = eu-west-3\n",
        0o600,
    );
    let found = Found::by(&user, &["outscale", "lightsail"]);
    found.assert("outscale", "sources", "ok", "OSC_ACCESS_KEY");
    found.assert("lightsail", "sources", "warning", "not AWS_PROFILE=nope");
}

#[test]
fn profiles_of_variables_are_rivals_of_what_is_used_and_of_what_is_not() {
    let clouds = clouds();
    let config = "default_profile = \"work\"\n[profile.work.outscale]\naccess_key = \"AKOTHER0000000000000\"\n\
        secret_key = \"s\"\n[profile.work.lightsail]\naws_profile = \"backup\"\nregion = \"eu-west-3\"\n";
    let osc = r#"{"prod": {"access_key": "AKSANDBOX0000OUTSCAL", "secret_key": "SKSANDBOX00000000000000000000000OUTSCALE"}}"#;
    let keys =
        "[mine]\naws_access_key_id = AKIASANDBOXLIGHTSAIL\naws_secret_access_key = s\n[backup]\n";
    let user = User::of(&clouds).with("OSC_PROFILE", "nope");
    put(&user, ".osc/config.json", osc, 0o600);
    let nope = "OSC_PROFILE=nope (which names no profile)";
    let found = Found::by(&user, &["outscale"]);
    found.assert("outscale", "sources", "warning", nope);
    put(&user, "config/config.toml", config, 0o600);
    put(&user, ".aws/credentials", keys, 0o600);
    let user = user
        .without("OSC_ACCESS_KEY")
        .without("OSC_SECRET_KEY")
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .with("AWS_PROFILE", "mine");
    let found = Found::by(&user, &["outscale", "lightsail"]);
    found.assert("outscale", "credentials", "problem", "(OSC_PROFILE) in");
    let said = "AWS_PROFILE (AWS profile 'mine') is used; [profile.work.lightsail] of config.toml (AWS profile 'backup')";
    found.assert("lightsail", "sources", "warning", said);
    let user = user
        .with("OSC_PROFILE", "prod")
        .with("AWS_PROFILE", "backup");
    let found = Found::by(&user, &["outscale", "lightsail"]);
    found.assert("outscale", "accepted", "ok", "");
    found.assert(
        "outscale",
        "sources",
        "warning",
        "(AKOTHER0000000000000) would lead",
    );
    found.assert("lightsail", "sources", "ok", "nothing else says otherwise");
}

#[test]
fn every_setting_says_where_it_came_from_and_what_it_overrides() {
    let clouds = clouds();
    let config = "[profile.work.outscale]\nregion = \"eu-west-2\"\naccess_key = \"AKSANDBOX0000OUTSCAL\"\n\
        secret_key_command = [\"echo\", \"SKSANDBOX00000000000000000000000OUTSCALE\"]\nendpoint = \"https://elsewhere.invalid\"\n\
        [profile.work.lightsail]\nregion = \"eu-west-3\"\naccess_key = \"AKIASANDBOXLIGHTSAIL\"\n\
        secret_key = \"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\"\nendpoint = \"https://elsewhere.invalid\"\n";
    let user = User::of(&clouds);
    put(&user, "config/config.toml", config, 0o600);
    let found = Found::by(&user, &["--profile", "work", "outscale", "lightsail"]);
    found.assert_code(0);
    let setting = |provider: &str, name: &str| {
        let settings = found.sheets[provider]["settings"]
            .as_array()
            .expect("settings");
        let found = settings.iter().find(|setting| setting["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name}: {settings:?}"));
        let text = |member: &str| found[member].as_str().unwrap_or("").to_owned();
        (text("value"), text("origin"))
    };
    for (provider, name, value, origin) in [
        (
            "outscale",
            "credentials",
            "AKSANDBOX0000OUTSCAL",
            "[profile.work.outscale]",
        ),
        ("outscale", "region", "eu-west-2", "[profile.work.outscale]"),
        (
            "outscale",
            "endpoint",
            "http://127.0.0.1",
            "OSC_ENDPOINT_API, which overrides that of [profile.work.outscale]",
        ),
        (
            "lightsail",
            "credentials",
            "AKIASANDBOXLIGHTSAIL",
            "[profile.work.lightsail]",
        ),
        (
            "lightsail",
            "region",
            "eu-west-3",
            "[profile.work.lightsail]",
        ),
        (
            "lightsail",
            "endpoint",
            "http://127.0.0.1",
            "which overrides that of [profile.work.lightsail]",
        ),
    ] {
        let (seen, from) = setting(provider, name);
        assert!(seen.contains(value), "{provider} {name}: {seen}");
        assert!(from.contains(origin), "{provider} {name}: {from}");
    }
    found.assert("outscale", "sources", "ok", "[profile.work.outscale]");
    found.assert("", "configuration", "ok", "the profiles work");
}

#[cfg(unix)]
#[test]
fn files_with_secrets_that_others_may_read_are_named() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let files = [
        (
            "outscale",
            ".osc/config.json",
            "{\"default\": {\"access_key\": \"AKSANDBOX0000OUTSCAL\", \"secret_key\": \"S\"}}",
        ),
        (
            "lightsail",
            ".aws/credentials",
            "[default]\naws_access_key_id = A\naws_secret_access_key = S\n",
        ),
        (
            "rackspace",
            ".rackspace_cloud_credentials",
            "[rackspace_cloud]\nusername = sandbox\napi_key = k\n",
        ),
        (
            "",
            "config/config.toml",
            "[profile.a.outscale]\nsecret_key = \"S\"\n",
        ),
    ];
    for (provider, path, text) in files {
        for (mode, result, part) in [(0o600, "ok", "only you"), (0o644, "warning", "chmod 600")] {
            put(&user, path, text, mode);
            let found = Found::by(&user, &[]);
            found.assert(provider, "files", result, part);
            found.assert_code(0);
            put(&user, path, text, 0o600);
        }
    }
    let cache = user.home.path().join("cache");
    let tokens: Vec<_> = std::fs::read_dir(&cache)
        .expect("a token is kept")
        .collect();
    let token = tokens[0].as_ref().expect("an entry").path();
    set_mode(&token, 0o644);
    Found::by(&user, &["outscale"]).assert("", "files", "warning", "rackspace-");
}

#[test]
fn the_journal_is_read_from_end_to_end() {
    let clouds = clouds();
    let user = User::of(&clouds);
    let look = || Found::by(&user, &["outscale"]);
    look().assert("", "journal", "ok", "none yet");
    assert!(!user.state().exists(), "a look makes none");
    user.run(&["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"])
        .id();
    look().assert("", "journal", "ok", "is whole: 1 task");
    let no_journal = Found::by(&user, &["outscale", "--no-journal"]);
    no_journal.assert("", "journal", "ok", "not used");

    let path = user.state().join("journal.db");
    let journal = Journal::open(&path).expect("it opens").journal;
    let intent = Intent {
        id: None,
        provider: outscale::ID,
        account: "AK".into(),
        realm: snapexport::provider::Realm::default(),
        region: "eu-west-2".into(),
        profile: None,
        request: ExportRequest::new(
            "snap-5e6f7a8b",
            Target::new(&outscale::Destination::Oos {
                bucket: "backups".into(),
                prefix: None,
                format: "qcow2".into(),
            }),
        ),
        twin: String::new(),
        known: Vec::new(),
        made_at: Timestamp::now(),
        cloud_at: Some(Timestamp::now()),
    };
    let claim = journal.claim(&intent, Timestamp::now()).expect("written");
    assert!(matches!(claim, Claim::Mine(_)), "{claim:?}");
    // It stands in the log beside the file, which is read as well.
    look().assert(
        "",
        "journal",
        "warning",
        "1 start under way or of unknown outcome",
    );
    drop(journal);

    let mut bytes = std::fs::read(&path).expect("there");
    for byte in bytes.iter_mut().skip(100).take(4000) {
        *byte = 0xa5;
    }
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(user.state().join(format!("journal.db{suffix}")));
    }
    std::fs::write(&path, &bytes).expect("written");
    let found = look();
    found.assert("", "journal", "problem", "status --remote");
    found.assert_code(4);
    assert_eq!(
        std::fs::read(&path).expect("there"),
        bytes,
        "left as it was"
    );
}

/// Everything below a directory: path, content, permissions, time of the last change.
fn picture(root: &Path) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let data = std::fs::metadata(&path).expect("there");
            let content = if data.is_dir() {
                open.push(path.clone());
                Vec::new()
            } else {
                std::fs::read(&path).expect("readable")
            };
            let changed = data.modified().expect("a time");
            let state = format!("{:?} {changed:?} {content:?}", data.permissions());
            seen.insert(path.display().to_string(), state);
        }
    }
    seen
}

#[test]
fn it_changes_nothing() {
    let clouds = clouds();
    let user = User::of(&clouds);
    put(&user, ".osc/config.json", "{}", 0o644);
    put(
        &user,
        ".aws/config",
        "[default]\nregion = eu-west-3\n",
        0o600,
    );
    put(&user, "config/config.toml", "", 0o600);
    user.run(&["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"])
        .id();
    // The token that every command keeps.
    user.run(&["list", "rackspace"]);
    let world = || clouds.world(|world| serde_json::to_string(&world.outscale).expect("JSON"));
    let (home, clouds_before) = (picture(user.home.path()), world());
    let found = Found::by(&user, &["--bucket", "nosuch", "--container", "nosuch"]);
    found.assert("outscale", "bucket", "warning", "would create it");
    assert_eq!(picture(user.home.path()), home);
    assert_eq!(world(), clouds_before, "no task, no bucket");
}

#[test]
fn every_line_of_json_has_every_field() {
    let clouds = clouds();
    let found = Found::by(&User::of(&clouds), &["--region", "eu-west-3a"]);
    found.assert_code(4);
    let names: Vec<&str> = found.sheets.keys().map(String::as_str).collect();
    assert_eq!(names, ["", "lightsail", "outscale", "rackspace"]);
    for (name, sheet) in &found.sheets {
        let keys: Vec<&String> = sheet.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            ["schema", "provider", "ok", "settings", "checks"],
            "{sheet}"
        );
        assert_eq!(sheet["schema"], 1);
        let checks = sheet["checks"].as_array().expect("a list");
        let problems = checks.iter().filter(|check| check["result"] == "problem");
        assert_eq!(sheet["ok"], problems.count() == 0, "{name}");
        for check in checks {
            let keys: Vec<&String> = check.as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["name", "result", "message", "hint"], "{check}");
            let result = check["result"].as_str().expect("a word");
            assert!(["ok", "warning", "problem", "unknown"].contains(&result));
        }
    }
    let error = found.ran.json_error();
    assert_eq!(error["kind"], "credentials");
    assert!(
        error["message"].as_str().expect("text").contains("problem"),
        "{error}"
    );
}

#[test]
fn ids_are_the_clouds_that_work() {
    let clouds = clouds();
    let user = User::of(&clouds).with("OSC_SECRET_KEY", "wrong");
    for args in [&["doctor", "-o", "id"][..], &["doctor", "-q"]] {
        let ran = user.run(args);
        assert_eq!(ran.stdout, "lightsail\nrackspace\n", "{}", ran.all());
        assert_eq!(ran.code, Some(4));
        assert!(ran.stderr.contains("outscale: accepted:"), "{}", ran.all());
    }
    let ran = User::of(&clouds).run(&["doctor", "-q"]);
    assert_eq!(ran.stdout, "outscale\nlightsail\nrackspace\n");
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
}

#[test]
fn clouds_without_credentials_count_only_where_they_are_named() {
    let clouds = clouds();
    let user = User::of(&clouds)
        .without("RAX_USERNAME")
        .without("RAX_API_KEY");
    let found = Found::by(&user, &[]);
    found.assert_code(0);
    assert!(!found.sheets.contains_key("rackspace"));
    assert!(
        found
            .ran
            .stderr
            .contains("Not asked, no credentials: rackspace\n"),
        "{}",
        found.ran.all()
    );
    let found = Found::by(&user, &["rackspace"]);
    found.assert_code(4);
    found.assert("rackspace", "credentials", "problem", "RAX_USERNAME");
    let nobody = User::new().run(&["doctor"]);
    assert_eq!(nobody.code, Some(4), "{}", nobody.all());
    assert!(
        nobody.stderr.contains("no credentials for any"),
        "{}",
        nobody.all()
    );
    assert!(nobody.stdout.contains("journal"), "{}", nobody.all());
}

#[test]
fn no_form_of_it_shows_a_secret() {
    let clouds = clouds();
    let secrets: Vec<String> = clouds
        .variables()
        .into_iter()
        .filter(|(name, _)| {
            ["OSC_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "RAX_API_KEY"].contains(name)
        })
        .map(|(_, value)| value)
        .collect();
    assert_eq!(secrets.len(), 3);
    let user = User::of(&clouds);
    for args in [
        &["doctor"][..],
        &["doctor", "-o", "json"],
        &["doctor", "-vvv"],
        &["doctor", "--region", "eu-west-2a", "-o", "json"],
    ] {
        let ran = user.run(args).all();
        for secret in &secrets {
            assert!(!ran.contains(secret), "{args:?}: {ran}");
        }
    }
}

#[test]
fn the_sandbox_is_said_to_be_one() {
    let user = User::new();
    let ran = user.run(&["--sandbox", "doctor"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stdout.contains("simulated clouds"), "{}", ran.all());
    assert!(!ran.stdout.contains("problem"), "{}", ran.all());
    let real = User::of(&clouds()).run(&["doctor"]);
    assert!(!real.stdout.contains("simulated"), "{}", real.all());
}

#[test]
fn a_broken_file_is_to_be_corrected_and_the_last_line_names_the_problem() {
    let user = User::new();
    put(&user, ".osc/config.json", "{ \"default\": ", 0o600);
    let ran = user.run(&["doctor", "outscale"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(
        ran.stdout
            .contains("correct what is named there, or name another file"),
        "{}",
        ran.all()
    );
    assert!(!ran.all().contains("what was asked"), "{}", ran.all());
    assert_eq!(
        ran.stderr,
        "error: A problem was found: outscale: credentials\n"
    );
}

#[test]
fn who_has_no_credentials_is_named_once_and_every_cloud_is_in_the_hint() {
    let clouds = clouds();
    let user = User::of(&clouds)
        .without("RAX_USERNAME")
        .without("RAX_API_KEY")
        .without("OSC_ACCESS_KEY")
        .without("OSC_SECRET_KEY");
    for args in [&["doctor"][..], &["status", "--remote"]] {
        let ran = user.run(args);
        let line = "Not asked, no credentials: outscale, rackspace\n";
        assert!(ran.stderr.contains(line), "{}", ran.all());
    }
    let nobody = User::new().run(&["doctor"]);
    let hint = "snapexport doctor with one of outscale, lightsail, rackspace says what to set";
    assert!(nobody.stderr.contains(hint), "{}", nobody.all());
}
