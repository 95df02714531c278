//! Waits, looks and credentials when clouds and networks misbehave, and the rehearsal of it by users.
//!
//! Every test runs the real program against each cloud of the sandbox, side by side, with the faults of a table.

use std::time::{Duration, Instant};

use crate::canned::{Answer, Canned};
use crate::program::User;
use crate::stage::{CLOUDS, LONG, QUICK, Stage, each, each_of, on_every_cloud, side_by_side};

// --- waits

#[test]
fn no_fault_of_a_few_looks_ends_a_wait() {
    each(
        &[
            "look:2-6:throttle",
            "look:2-6:status=500",
            "look:2-6:status=503",
            "look:2-6:reset-before",
            "look:2-6:reset-after",
            "look:2-6:truncate",
            "look:2-4:garbage",
            "look:2-4:redirect=http://127.0.0.1:9/",
            "look:2:delay=1s",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, QUICK, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            // The same clouds go wrong only now: the counts begin with the faults.
            let stage = stage.now_with(fault);
            let ran = stage.user.run(&["wait", &id]);
            assert_eq!(ran.code, Some(0), "{fault} {}", stage.told(&ran));
            assert!(
                ran.stdout.contains("completed"),
                "{fault} {}",
                stage.told(&ran)
            );
        },
    );
}

#[test]
fn export_wait_survives_faults_of_its_looks() {
    each(
        &[
            "look:4-6:reset-before",
            "look:4-6:status=500",
            "look:4-6:garbage",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, QUICK, &[fault]);
            let ran = stage.export(&["--wait"]);
            stage.is_started_once(&ran);
            assert!(
                ran.stderr.contains("completed"),
                "{fault} {}",
                stage.told(&ran)
            );
        },
    );
}

#[test]
fn a_wait_whose_cloud_falls_silent_ends_at_its_limit_and_not_with_a_failure() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["look:5+:silence-before"]).in_haste();
        let id = stage.is_started_once(&stage.export(&[]));
        let began = Instant::now();
        let ran = stage
            .user
            .run(&["wait", &id, "--timeout", "1s", "--interval", "200ms"]);
        stage.says(&ran, 124, "resume with: snapexport wait");
        // Its limit, and in haste a second for a last look. By itself it would give up only after minutes.
        assert!(began.elapsed() < Duration::from_secs(4), "{}", cloud.name);
    });
}

#[test]
fn a_wait_that_never_has_an_answer_says_that_nothing_is_known() {
    each(
        &[
            "look:*:reset-before",
            "look:*:status=500",
            "look:*:silence-before",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]).in_haste();
            let id = stage.is_started_once(&stage.export(&[]));
            let stage = stage.now_with(fault);
            let ran = stage
                .user
                .run(&["wait", &id, "--timeout", "1s", "-o", "json"]);
            stage.says(&ran, 1, "nothing is known of");
            assert!(
                ran.stderr.contains("try again with: snapexport wait"),
                "{}",
                stage.told(&ran)
            );
        },
    );
}

#[test]
fn a_refused_key_ends_a_wait_after_one_request() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        let id = stage.is_started_once(&stage.export(&[]));
        let stage = stage.now_with("look:*:status=401");
        stage.says(&stage.user.run(&["wait", &id]), 4, "");
        let most = if cloud.name == "rackspace" { 2 } else { 1 };
        assert_eq!(stage.count("look"), most, "{}", cloud.name);
    });
}

#[test]
fn a_new_task_that_is_not_listed_yet_is_waited_for() {
    each(&["export --wait", "wait"], |cloud, command| {
        let stage = Stage::of(cloud, QUICK, &["start:1:unlisted=2"]);
        let ran = if command == "wait" {
            let id = stage.is_started_once(&stage.export(&[]));
            stage.user.run(&["wait", &id])
        } else {
            stage.export(&["--wait"])
        };
        assert_eq!(ran.code, Some(0), "{}", stage.told(&ran));
        assert!(ran.all().contains("completed"), "{}", stage.told(&ran));
        assert_eq!(stage.starts(), 1);
    });
}

// --- status

#[test]
fn status_asks_again_after_a_passing_fault() {
    each(
        &[
            "look:1:throttle",
            "look:1:status=500",
            "look:1:status=503",
            "look:1:reset-before",
            "look:1:reset-after",
            "look:1:truncate",
            "look:1:delay=1s",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            let stage = stage.now_with(fault);
            let ran = stage.user.run(&["status", &id, "-q"]);
            assert_eq!(ran.code, Some(0), "{fault} {}", stage.told(&ran));
            assert_eq!(ran.stdout, format!("{id}\n"), "{fault}");
        },
    );
}

#[test]
fn status_of_a_cloud_that_is_out_of_order_is_an_error_and_shows_what_is_remembered() {
    each(
        &[
            "look:*:throttle",
            "look:*:status=500",
            "look:*:reset-before",
            "look:*:truncate",
            "look:*:garbage",
            "look:*:redirect=http://127.0.0.1:9/",
        ],
        |cloud, fault| {
            let stage = Stage::of(cloud, LONG, &[]);
            let id = stage.is_started_once(&stage.export(&[]));
            let stage = stage.now_with(fault);
            let named = stage.user.run(&["status", &id]);
            stage.says(&named, 1, "error:");
            let listed = stage.user.run(&["status", "-q"]);
            stage.says(&listed, 1, "error:");
            assert_eq!(
                listed.stdout,
                format!("{id}\n"),
                "{fault} {}",
                stage.told(&listed)
            );
        },
    );
}

// --- credentials that run out

#[test]
fn an_expired_rackspace_token_is_renewed_once_wherever_it_expires() {
    let cloud = &CLOUDS[2];
    let logins = |stage: &Stage| stage.clouds.world(|world| world.rackspace.logins);
    for fault in ["start:1:expire", "list:1:expire", "show image:1:expire"] {
        let stage = Stage::of(cloud, LONG, &[fault]);
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(logins(&stage), 2, "{fault}");
    }
    let stage = Stage::of(cloud, QUICK, &["look:3:expire"]);
    let ran = stage.export(&["--wait"]);
    stage.is_started_once(&ran);
    assert_eq!(logins(&stage), 2);
    let stage = Stage::of(cloud, LONG, &["look:1:expire"]);
    let id = stage.is_started_once(&stage.export(&[]));
    let status = stage.user.run(&["status", &id, "-q"]);
    assert_eq!(status.stdout, format!("{id}\n"), "{}", stage.told(&status));
    assert_eq!(logins(&stage), 2);
}

#[test]
fn expired_keys_are_exit_code_4_and_the_export_goes_on() {
    for cloud in &CLOUDS[..2] {
        let stage = Stage::of(cloud, LONG, &["start:1:expire"]);
        stage.says(&stage.export(&[]), 4, "");
        assert_eq!((stage.starts(), stage.count("start")), (0, 1));
        let id = stage.is_started_once(&stage.export(&[]));
        let stage = stage.now_with("look:2+:expire");
        let ran = stage.user.run(&["wait", &id, "--interval", "100ms"]);
        stage.says(&ran, 4, "");
        assert_eq!(stage.count("look"), 2, "{}", cloud.name);
        let status = stage.user.run(&["status", &id]);
        stage.says(&status, 4, "");
        assert_eq!(stage.starts(), 1);
    }
}

#[test]
fn a_start_refused_for_its_token_is_not_called_unknown_when_the_new_login_fails() {
    let faults = ["login:2+:reset-before", "login:2+:status=500"];
    each_of(&CLOUDS[2..], &faults, |cloud, fault| {
        let stage = Stage::of(cloud, LONG, &["start:1:expire", fault]);
        stage.says(&stage.export(&[]), 1, "error:");
        assert_eq!(stage.starts(), 0, "{fault}");
        // Surely not executed, so that another attempt is allowed: with the token that is refused.
        assert!(stage.count("start") <= 3, "{fault}");
        let stage = stage.now_with("list:9:throttle");
        stage.is_started_once(&stage.export(&[]));
    });
}

#[test]
fn a_redirected_login_takes_no_credentials_elsewhere() {
    let elsewhere = Canned::start(vec![Answer::json(200, "{}")]);
    let fault = format!("login:*:redirect=http://{}/", elsewhere.address);
    let stage = Stage::of(&CLOUDS[2], LONG, &[&fault]);
    stage.says(&stage.export(&[]), 1, "redirect");
    assert_eq!((stage.count("login"), stage.starts()), (1, 0));
    assert_eq!(elsewhere.requests(), [""; 0]);
}

#[test]
fn a_rackspace_login_is_repeated_after_a_passing_fault_and_never_after_a_refusal() {
    let passing = [
        "login:1:throttle",
        "login:1:status=503",
        "login:1:reset-before",
        "login:1:reset-after",
        "login:1:truncate",
    ];
    each_of(&CLOUDS[2..], &passing, |cloud, fault| {
        let stage = Stage::of(cloud, LONG, &[fault]);
        stage.is_started_once(&stage.export(&[]));
        assert_eq!(stage.count("login"), 2, "{fault}");
    });
    let lasting = [
        ("login:*:status=401", 4, 2),
        ("login:*:status=403", 4, 1),
        ("login:*:status=500", 1, 3),
        ("login:*:garbage", 1, 1),
    ];
    side_by_side(4, lasting.into(), |(fault, code, count)| {
        let stage = Stage::of(&CLOUDS[2], LONG, &[fault]);
        stage.says(&stage.export(&[]), code, "");
        assert_eq!((stage.starts(), stage.count("start")), (0, 0), "{fault}");
        assert!(
            stage.count("login") <= count,
            "{fault}: {}",
            stage.count("login")
        );
    });
}

// --- what stands beside the export

#[test]
fn an_object_store_out_of_order_keeps_no_export_from_its_end() {
    let scenes = [
        (&CLOUDS[0], "oos:*:*:status=503"),
        (&CLOUDS[0], "oos:*:*:reset-before"),
        (&CLOUDS[0], "oos:*:*:garbage"),
        (&CLOUDS[0], "oos:*:*:status=403"),
        (&CLOUDS[2], "look at container:*:status=503"),
        (&CLOUDS[2], "look at container:*:reset-before"),
        (&CLOUDS[2], "look at object:*:status=503"),
    ];
    side_by_side(scenes.len(), scenes.into(), |(cloud, fault)| {
        let stage = Stage::of(cloud, QUICK, &[fault]);
        let ran = stage.export(&["--wait", "-o", "json"]);
        assert_eq!(ran.code, Some(0), "{fault} {}", stage.told(&ran));
        assert_eq!(stage.starts(), 1, "{fault}");
        assert_eq!(ran.json()[0]["state"], "completed", "{fault}");
        // Where the object lies is only derived until it was seen.
        assert_eq!(
            ran.json()[0]["artifact"]["exact"],
            fault.starts_with("look at container"),
            "{fault} {}",
            stage.told(&ran)
        );
    });
}

// --- rehearsals

#[test]
fn a_fault_file_counts_attempts_over_processes() {
    let user = User::new();
    let path = user.home.path().join("faults.toml");
    std::fs::write(
        &path,
        "[[fault]]\nprovider = \"outscale\"\ncall = \"CreateSnapshotExportTask\"\nattempt = \"2\"\nwhat = \"status=401\"\n",
    )
    .expect("written");
    let user = user
        .with("SNAPEXPORT_SANDBOX_FAULTS", path.to_str().expect("UTF-8"))
        .with("SNAPEXPORT_SANDBOX_DURATION", "1000s");
    let export = |snapshot: &str| {
        user.run(&[
            "--sandbox",
            "export",
            "outscale",
            snapshot,
            "--bucket",
            "demo",
        ])
        .code
    };
    assert_eq!(export("snap-0a1b2c3d"), Some(0));
    assert_eq!(export("snap-1b2c3d4e"), Some(4));
    assert_eq!(export("snap-1b2c3d4e"), Some(0));
    // Without the faults in between, a rehearsal begins anew.
    let plain = user.without("SNAPEXPORT_SANDBOX_FAULTS");
    assert_eq!(plain.run(&["--sandbox", "list", "outscale"]).code, Some(0));
    let user = plain.with("SNAPEXPORT_SANDBOX_FAULTS", path.to_str().expect("UTF-8"));
    let again = user.run(&[
        "--sandbox",
        "export",
        "outscale",
        "snap-2c3d4e5f",
        "--bucket",
        "demo",
    ]);
    assert_eq!(again.code, Some(0), "{}", again.all());
}

#[test]
fn a_fault_that_means_nothing_is_a_usage_error_that_names_it() {
    let user = User::new();
    let ran = user.run(&[
        "sandbox",
        "--fault",
        "outscale:Create:1:throttle",
        "--",
        "true",
    ]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stderr.contains("'Create'"), "{}", ran.all());
    let path = user.home.path().join("faults.toml");
    std::fs::write(
        &path,
        "[[fault]]\nprovider = \"oos\"\ncall = \"*\"\nattempt = 0\nwhat = \"throttle\"\n",
    )
    .expect("written");
    let path = path.to_str().expect("UTF-8").to_owned();
    for ran in [
        user.run(&["sandbox", "--faults", &path, "--", "true"]),
        user.with("SNAPEXPORT_SANDBOX_FAULTS", &path)
            .run(&["--sandbox", "list", "outscale"]),
    ] {
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains("oos:*:0:throttle"), "{}", ran.all());
    }
}

#[test]
fn scripts_can_be_rehearsed_with_faults_on_the_command_line() {
    let user = User::new();
    let program = crate::program::program().to_str().expect("UTF-8");
    let script = format!(
        "{program} export lightsail web-1 >&2; echo $?; {program} export lightsail web-1 >&2; echo $?"
    );
    let ran = user.run(&[
        "sandbox",
        "--duration",
        "1000s",
        "--fault",
        "lightsail:ExportSnapshot:1:reset-before",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(ran.stdout, "6\n6\n", "{}", ran.all());
}
