//! What people and scripts see: standard output, standard error and exit code as one value.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use crate::program::{Clouds, User, assert_seen};
use crate::stage::{FAILING, GOOD};

const QUICK: Duration = Duration::from_millis(800);
const NEVER: Duration = Duration::from_secs(3600);

fn and<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[test]
fn export_prints_the_id_alone_and_wait_takes_it_on_every_cloud() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for args in GOOD {
        let started = user.run(args);
        let id = started.id();
        assert_eq!(started.stdout, format!("{id}\n"));
        let waited = user.run(&["wait", &id]);
        assert_eq!(waited.code, Some(0), "{}", waited.all());
        assert!(waited.stdout.contains("completed"), "{}", waited.all());
    }
}

#[test]
fn a_failed_task_is_exit_code_3_with_the_providers_words() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for args in FAILING {
        let ran = user.run(&and(args, &["--wait", "-o", "json"]));
        assert_eq!(ran.code, Some(3), "{}", ran.all());
        let task = &ran.json()[0];
        assert_eq!(task["state"], "failed");
        assert_eq!(task["error"]["kind"], "task_failed");
        assert_eq!(ran.json_error()["kind"], "task_failed");
        let words = task["error"]["message"].as_str().expect("words");
        assert!(ran.stderr.contains(words), "{}", ran.all());
    }
}

#[test]
fn an_unknown_task_is_exit_code_5_on_every_cloud() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for task in [
        "snap-export-00000000",
        "lightsail/00000000-0000-4000-8000-000000000000",
        "rackspace/00000000-0000-4000-8000-000000000000",
    ] {
        for command in ["wait", "status"] {
            let ran = user.run(&[command, task, "-o", "json"]);
            assert_eq!(ran.code, Some(5), "{}", ran.all());
            assert_eq!(ran.json_error()["kind"], "not_found", "{}", ran.all());
        }
    }
}

#[test]
fn time_that_runs_out_is_exit_code_124_and_says_how_to_resume() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    for args in GOOD {
        let id = user.run(args).id();
        for limit in ["0", "300ms"] {
            let ran = user.run(&["wait", &id, "--timeout", limit, "-o", "json"]);
            assert_eq!(ran.code, Some(124), "{}", ran.all());
            assert_eq!(ran.json_error()["kind"], "timeout");
            assert!(
                ran.stderr.contains("resume with: snapexport wait"),
                "{}",
                ran.all()
            );
        }
    }
}

#[test]
fn the_task_object_has_every_field_in_every_state() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let fields = [
        "schema",
        "provider",
        "region",
        "task_id",
        "snapshot",
        "state",
        "provider_state",
        "is_terminal",
        "progress",
        "message",
        "adopted",
        "created_at",
        "updated_at",
        "finished_at",
        "observed_finished_at",
        "expires_at",
        "target",
        "artifact",
        "tags",
        "error",
    ];
    for args in GOOD {
        let mut objects = user.run(&and(args, &["-o", "json"])).json();
        objects.extend(
            user.run(&and(args, &["--wait", "--events", "-o", "json"]))
                .json(),
        );
        assert!(objects.len() >= 3, "start, progress and end: {objects:?}");
        for object in &objects {
            let keys: Vec<&str> = object
                .as_object()
                .expect("an object")
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(keys, fields);
        }
        let (first, last) = (&objects[0], objects.last().expect("some"));
        assert_eq!(first["is_terminal"], false);
        assert_eq!(last["is_terminal"], true);
        assert_eq!(last["state"], "completed");
        assert_eq!(last["error"], serde_json::Value::Null);
        let artifact = &last["artifact"];
        assert_eq!(artifact["exact"], true, "{artifact}");
        assert!(
            artifact["uri"]
                .as_str()
                .is_some_and(|uri| uri.contains(':')),
            "{artifact}"
        );
    }
}

#[test]
fn an_identical_export_under_way_is_adopted_and_new_overrides() {
    let clouds = Clouds::start(NEVER);
    let user = User::of(&clouds);
    for args in GOOD {
        let first = user.run(args).id();
        let again = user.run(&and(args, &["-o", "json"]));
        assert_eq!(
            again.json()[0]["task_id"],
            first.as_str(),
            "{}",
            again.all()
        );
        assert_eq!(again.json()[0]["adopted"], true);
        assert!(again.stderr.contains("adopted"), "{}", again.all());
        // From another machine: there the journal knows nothing.
        let elsewhere = User::of(&clouds).run(&and(args, &["-o", "json"]));
        assert_eq!(
            elsewhere.json()[0]["task_id"],
            first.as_str(),
            "{}",
            elsewhere.all()
        );
        let new = user.run(&and(args, &["--new"])).id();
        assert_ne!(new, first);
    }
    let starts = clouds.world(|world| {
        [
            world.outscale.starts,
            world.lightsail.starts,
            world.rackspace.starts,
        ]
    });
    assert_eq!(starts, [2, 2, 2]);
}

#[test]
fn a_dry_run_shows_the_request_and_starts_nothing() {
    let clouds = Clouds::start(NEVER);
    let [(name, key), (secret_name, secret)] = clouds.partner_variables();
    let user = User::of(&clouds)
        .with(name, &key)
        .with(secret_name, &secret);
    for args in GOOD {
        let ran = user.run(&and(args, &["--dry-run", "-o", "json"]));
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let preview = &ran.json()[0];
        assert_eq!(preview["dry_run"], true);
        assert!(preview["body"].is_object(), "{preview}");
        assert!(!ran.all().contains(&secret), "{}", ran.all());
        assert!(
            ran.stderr.contains("Checked; nothing was started."),
            "{}",
            ran.all()
        );
        let call = preview["call"].as_str().expect("a name");
        let table = user.run(&and(args, &["--dry-run"]));
        assert!(
            table.stdout.starts_with(&format!("{call}: ")),
            "{}",
            table.all()
        );
        let quiet = user.run(&and(args, &["--dry-run", "-q"]));
        assert_eq!((quiet.stderr.as_str(), quiet.code), ("", Some(0)));
    }
    let starts = clouds.world(|world| {
        [
            world.outscale.starts,
            world.lightsail.starts,
            world.rackspace.starts,
        ]
    });
    assert_eq!(starts, [0, 0, 0]);
}

#[test]
fn several_snapshots_start_side_by_side_and_one_failure_stops_no_other() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let input = "# nightly\nsnap-0a1b2c3d\n\nsnap-00000000\nsnap-deadbeef\n";
    let ran = user.run_with_input(&["export", "outscale", "-", "--bucket", "demo"], input);
    assert_eq!(ran.code, Some(5), "{}", ran.all());
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.all());
    assert_eq!(clouds.world(|world| world.outscale.starts), 2);
    let waited = user.run_with_input(&["wait", "-", "-o", "json"], &ran.stdout);
    assert_eq!(waited.code, Some(3), "{}", waited.all());
    assert_eq!(waited.json().len(), 2);
}

#[test]
fn refused_credentials_stop_what_has_not_been_sent() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds).with("OSC_SECRET_KEY", "WRONG000000000000000000000000000000000SK");
    let snapshots: Vec<String> = (0..9)
        .map(|number| format!("snap-0000000{number}"))
        .collect();
    let mut args = vec!["export", "outscale", "--bucket", "demo", "-o", "json"];
    args.extend(snapshots.iter().map(String::as_str));
    let ran = user.run(&args);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "credentials");
    assert!(ran.stderr.contains("Not sent: 8 exports"), "{}", ran.all());
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let long = "x".repeat(300);
    let image = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
    for (args, words) in [
        (
            &["export", "outscale", "snap-0a1b2c3d", "--bucket", "Demo"][..],
            "lower",
        ),
        (
            &["export", "outscale", "snap-0a1b2c3d", "--bucket", ""],
            "bucket",
        ),
        (
            &["export", "outscale", "ami-0a1b2c3d", "--bucket", "demo"],
            "image",
        ),
        (
            &[
                "export",
                "outscale",
                "snap-0a1b2c3d",
                "--bucket",
                "demo",
                "--region",
                "eu-west-2a",
            ],
            "eu-west-2",
        ),
        (&["export", "lightsail", ""], "empty"),
        (&["export", "lightsail", &long], "long"),
        (
            &["export", "lightsail", "web-1", "--region", "eu-west-3a"],
            "eu-west-3",
        ),
        (&["export", "rackspace", image, "--container", "a/b"], "/"),
        (&["export", "rackspace", image, "--container", "a?b"], "?"),
        (&["export", "rackspace", image, "--container", "a.b"], "."),
        (
            &["export", "rackspace", image, "--container", &long],
            "long",
        ),
        (
            &["export", "rackspace", "web-1", "--container", "exports"],
            "UUID",
        ),
        (
            &["wait", "5a1c2b3d-0000-4000-8000-000000000000"],
            "more than one provider",
        ),
        (&["wait", "nonsense"], "no provider"),
        (&["wait", "snap-export-00000000", "--timeout", "90"], "unit"),
        (&["status", "-o", "xml"], "xml"),
    ] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains(words), "{words}: {}", ran.all());
        assert_eq!(ran.stdout, "", "{}", ran.all());
    }
    let starts = clouds.world(|world| {
        [
            world.outscale.starts,
            world.lightsail.starts,
            world.rackspace.starts,
        ]
    });
    assert_eq!(starts, [0, 0, 0]);
}

#[test]
fn missing_credentials_are_exit_code_4_and_say_what_to_set() {
    let user = User::new();
    for (args, variable) in
        GOOD.into_iter()
            .zip(["OSC_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "RAX_USERNAME"])
    {
        let region = if args[1] == "lightsail" {
            &["--region", "eu-west-3"][..]
        } else {
            &[]
        };
        let ran = user.run(&and(args, &and(region, &["-o", "json"])));
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert_eq!(ran.json_error()["kind"], "credentials");
        assert!(ran.stderr.contains(variable), "{}", ran.all());
    }
    for (half, missing) in [
        ("OSC_ACCESS_KEY", "OSC_SECRET_KEY"),
        ("OSC_SECRET_KEY", "OSC_ACCESS_KEY"),
    ] {
        let ran = User::new().with(half, "X").run(&["list", "outscale"]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(ran.stderr.contains(missing), "{}", ran.all());
    }
    let ran = user.run(&["status", "--remote"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
}

#[test]
fn an_unreachable_endpoint_is_a_network_error_within_seconds() {
    let clouds = Clouds::start(QUICK);
    // Nothing listens on port 1; a plain http server speaks no TLS.
    let address = clouds
        .variables()
        .iter()
        .find(|(name, _)| *name == "OSC_ENDPOINT_OOS")
        .expect("set")
        .1
        .clone();
    let tls = address.replace("http://", "https://");
    for endpoint in ["http://127.0.0.1:1", &tls] {
        let user = User::of(&clouds)
            .with("OSC_ENDPOINT_API", endpoint)
            .with("AWS_ENDPOINT_URL_LIGHTSAIL", endpoint)
            .with("OS_AUTH_URL", endpoint);
        for task in [
            "snap-export-00000000",
            "lightsail/00000000-0000-4000-8000-000000000000",
            "rackspace/00000000-0000-4000-8000-000000000000",
        ] {
            let started = std::time::Instant::now();
            let ran = user.run(&["status", task, "-o", "json"]);
            assert_eq!(ran.code, Some(1), "{}", ran.all());
            assert_eq!(ran.json_error()["kind"], "network", "{}", ran.all());
            assert!(ran.stderr.contains("127.0.0.1:"), "{}", ran.all());
            assert_eq!(
                ran.stderr.contains("TLS"),
                endpoint.starts_with("https"),
                "{}",
                ran.all()
            );
            assert!(started.elapsed() < Duration::from_secs(20));
        }
    }
}

#[test]
fn a_malformed_config_names_the_line() {
    let user = User::new();
    let directory = user.home.path().join("config");
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(
        directory.join("config.toml"),
        "[profile.work.outscale]\nregion = \"eu-west-2\"\nacces_key = \"AK\"\n",
    )
    .expect("written");
    assert_seen!(user.run(&["list", "outscale"]));
}

#[test]
fn status_reports_and_does_not_judge() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(FAILING[0]).id();
    assert_eq!(user.run(&["wait", &id]).code, Some(3));
    assert_eq!(user.run(&["status", &id]).code, Some(0));
    let all = user.run(&["status", "-o", "json"]);
    assert_eq!((all.code, all.json().len()), (Some(0), 1), "{}", all.all());
    assert_eq!(all.json()[0]["state"], "failed");
}

#[test]
fn status_remote_lists_what_the_clouds_have() {
    let clouds = Clouds::start(NEVER);
    for args in GOOD {
        User::of(&clouds).run(args).id();
    }
    let ran = User::of(&clouds).run(&["status", "--remote", "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    for provider in ["outscale", "lightsail", "rackspace"] {
        let is_there = ran
            .json()
            .iter()
            .any(|task| task["provider"] == provider && task["is_terminal"] == false);
        assert!(is_there, "{provider}: {}", ran.all());
    }
    let one = User::of(&clouds)
        .without("RAX_USERNAME")
        .without("RAX_API_KEY")
        .run(&["status", "--remote"]);
    assert_eq!(one.code, Some(0), "{}", one.all());
    assert!(
        one.stderr
            .contains("Not asked, no credentials: rackspace\n"),
        "{}",
        one.all()
    );
}

#[test]
fn a_completed_task_stays_completed_when_its_provider_has_forgotten_it() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    let id = user.run(&and(GOOD[0], &["--wait"])).id();
    clouds.world(|world| *world = snapexport_sandbox::World::default());
    for command in ["wait", "status"] {
        let ran = user.run(&[command, &id, "-o", "json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert_eq!(ran.json()[0]["state"], "completed");
    }
    let stranger = User::of(&clouds).run(&["status", &id]);
    assert_eq!(stranger.code, Some(5), "{}", stranger.all());
}

#[test]
fn any_returns_at_the_first_that_ends() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let quick = user.run(GOOD[0]).id();
    std::thread::sleep(Duration::from_millis(500));
    let slow = user.run(FAILING[1]).id();
    let ran = user.run(&["wait", "--any", &slow, &quick, "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert_eq!(ran.json().len(), 1);
    assert_eq!(ran.json()[0]["task_id"], quick.as_str());
}

#[test]
fn raw_adds_the_providers_own_objects() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for (args, pointer) in GOOD
        .into_iter()
        .zip(["/raw/TaskId", "/raw/operation/id", "/raw/id"])
    {
        let ran = user.run(&and(args, &["--wait", "--raw", "-o", "json"]));
        let task = &ran.json()[0];
        assert_eq!(
            task.pointer(pointer),
            Some(&task["task_id"]),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn no_journal_leaves_nothing_behind_and_still_works() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for args in GOOD {
        let id = user.run(&and(args, &["--no-journal"])).id();
        let ran = user.run(&["--no-journal", "wait", &id]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    assert!(!user.state().exists());
}

#[test]
fn quiet_says_only_ids() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let ran = user.run(&and(GOOD[0], &["--wait", "-q"]));
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(0), ""),
        "{}",
        ran.all()
    );
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn nothing_secret_is_said_or_kept_at_any_verbosity() {
    let clouds = Clouds::start(QUICK);
    let [(name, key), (secret_name, secret)] = clouds.partner_variables();
    let user = User::of(&clouds)
        .with(name, &key)
        .with(secret_name, &secret);
    let secrets: Vec<String> = clouds
        .variables()
        .into_iter()
        .filter(|(name, _)| {
            ["OSC_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "RAX_API_KEY"].contains(name)
        })
        .map(|(_, secret)| secret)
        .chain([secret])
        .collect();
    assert_eq!(secrets.len(), 4);
    let mut said = String::new();
    for args in GOOD {
        said += &user
            .run(&and(
                args,
                &["-vvv", "--timeout", "5s", "--wait", "-o", "json", "--raw"],
            ))
            .all();
    }
    assert!(
        said.contains("CreateSnapshotExportTask"),
        "the log says what is asked"
    );
    let journal = std::fs::read(user.state().join("journal.db")).expect("a journal");
    let kept = String::from_utf8_lossy(&journal).into_owned();
    for secret in &secrets {
        assert!(!said.contains(secret), "said: {secret}");
        assert!(!kept.contains(secret), "kept: {secret}");
    }
}

#[test]
fn a_closed_pipe_ends_status_quietly_and_no_wait() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(FAILING[0]).id();
    for (command, code) in [("status", "0"), ("wait", "3")] {
        let script = format!(
            "{{ {} {command} {id} -o json --progress never; echo $? >&2; }} | true",
            crate::program::program().display()
        );
        let mut shell = user.command(&[]);
        let mut sh = std::process::Command::new("sh");
        sh.arg("-c")
            .arg(script)
            .env_clear()
            .envs(shell.get_envs().filter_map(|(k, v)| Some((k, v?))));
        shell = sh;
        let output = shell.output().expect("a shell");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(stderr.lines().last(), Some(code), "{stderr}");
        assert!(!stderr.contains("pipe"), "{stderr}");
    }
}

#[test]
fn the_sandbox_inside_the_process_keeps_its_state() {
    let user = User::new().with("SNAPEXPORT_SANDBOX_DURATION", "1s");
    let id = user.run(&and(&["--sandbox"], GOOD[0])).id();
    let ran = user.run(&["--sandbox", "wait", &id]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    // The real journal knows nothing of simulated tasks.
    assert!(!user.state().join("journal.db").exists());
}

#[cfg(unix)]
#[test]
fn the_state_folder_is_private_from_the_first_command_on() {
    use std::os::unix::fs::PermissionsExt;
    for args in [
        and(&["--sandbox"], GOOD[1]),
        vec!["--sandbox", "list", "outscale"],
    ] {
        let user = User::new();
        let ran = user.run(&args);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        for folder in [user.state(), user.state().join("sandbox")] {
            let mode = std::fs::metadata(&folder)
                .expect("it is there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700, "{args:?} {}", folder.display());
        }
    }
}

#[cfg(unix)]
#[test]
fn what_runs_in_the_sandbox_has_none_of_our_own_settings_for_real_clouds() {
    let user = User::new();
    let path = user.home.path().join("real.toml");
    std::fs::write(
        &path,
        "default_profile = \"real\"\n[profile.real.lightsail]\n",
    )
    .expect("written");
    let user = user
        .with("SNAPEXPORT_CONFIG", path.to_str().expect("UTF-8"))
        .with("SNAPEXPORT_REGION", "eu-west-3");
    let ran = user.run(&["sandbox", "--", "env"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    for name in [
        "SNAPEXPORT_CONFIG=",
        "SNAPEXPORT_REGION=",
        "SNAPEXPORT_PROFILE=",
    ] {
        assert!(!ran.stdout.contains(name), "{}", ran.all());
    }
}

#[test]
fn a_setting_of_the_sandbox_that_cannot_be_used_is_refused_alike_in_both_of_its_forms() {
    let user = User::new().with("SNAPEXPORT_SANDBOX_DURATION", "soon");
    for args in [
        &["--sandbox", "list", "outscale"][..],
        &["sandbox", "--", "true"],
    ] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        let words = "The variable SNAPEXPORT_SANDBOX_DURATION has the value 'soon'";
        assert!(ran.stderr.contains(words), "{}", ran.all());
    }
}

#[test]
fn a_command_in_a_hint_can_be_pasted_whatever_is_in_it() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let export = and(&GOOD[2][..3], &["--container", "a; b"]);
    for (args, command) in [
        (&export[..], "swift post 'a; b'"),
        (
            &["export", "outscale", "snap-export-it's", "--bucket", "demo"],
            r"snapexport status 'snap-export-it'\''s'",
        ),
    ] {
        let ran = user.run(args);
        assert!(ran.stderr.contains(command), "{}", ran.all());
    }
}

#[test]
fn sandbox_runs_a_command_inside_and_ends_with_its_code() {
    let user = User::new();
    let program = crate::program::program().display().to_string();
    for (snapshot, code) in [("web-1", 0), ("broken-1", 3), ("nothing-1", 5)] {
        let script =
            format!("id=$({program} export lightsail {snapshot}) && {program} wait \"$id\"");
        let ran = user.run(&["sandbox", "--duration", "500ms", "--", "sh", "-c", &script]);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
    }
}

#[test]
fn what_a_person_sees_of_an_export() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    assert_seen!(user.run(&and(GOOD[0], &["--wait", "--progress", "never"])));
}

#[test]
fn what_a_person_sees_of_a_failed_export() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    assert_seen!(user.run(&and(FAILING[2], &["--wait", "--progress", "never"])));
}

#[test]
fn what_a_person_sees_without_credentials() {
    assert_seen!(User::new().run(&["list", "outscale"]));
}

#[test]
fn what_a_person_sees_of_an_unknown_snapshot() {
    let clouds = Clouds::start(QUICK);
    assert_seen!(User::of(&clouds).run(&["export", "lightsail", "nothing-1"]));
}

#[test]
fn what_can_be_exported_is_shown() {
    let clouds = Clouds::start(QUICK);
    let ids = |provider: &str| User::of(&clouds).run(&["list", provider, "-q"]).all();
    assert!(ids("outscale").contains("snap-0a1b2c3d"));
    assert!(ids("lightsail").contains("web-1"));
    assert!(ids("rackspace").contains("7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21"));
}

#[test]
fn any_is_not_satisfied_by_a_task_that_is_lost() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(GOOD[1]).id();
    let ran = user.run(&["wait", "--any", &id, "snap-export-00000000", "-o", "json"]);
    let states: Vec<_> = ran
        .json()
        .iter()
        .map(|item| item["state"].clone())
        .collect();
    assert_eq!(states, ["unknown", "completed"], "{}", ran.all());
    assert_eq!(ran.code, Some(5), "{}", ran.all());
}

#[test]
fn results_that_cannot_be_written_are_not_a_success() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    for args in [
        &["list", "outscale", "-q"][..],
        GOOD[1],
        &["status", "-o", "json"],
    ] {
        let full = std::fs::File::create("/dev/full").expect("a full device");
        let output = user.command(args).stdout(full).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.contains("could not be written"), "{stderr}");
    }
}

#[test]
fn a_journaled_task_is_found_in_its_own_region_whatever_is_set() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(GOOD[0]).id();
    let elsewhere = user.with("SNAPEXPORT_REGION", "us-east-2");
    let ran = elsewhere.run(&["wait", &id, "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert_eq!(ran.json()[0]["region"], "eu-west-2");
}

#[test]
fn what_was_verified_stays_verified_and_our_own_task_is_not_called_adopted() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(GOOD[0]).id();
    assert_eq!(
        user.run(&and(GOOD[0], &["-o", "json"])).json()[0]["adopted"],
        true
    );
    assert_eq!(
        user.run(&["wait", &id, "-o", "json"]).json()[0]["artifact"]["exact"],
        true
    );
    let task = &user.run(&["status", &id, "-o", "json"]).json()[0];
    assert_eq!(task["artifact"]["exact"], true, "{task}");
    assert_eq!(task["adopted"], false, "{task}");
    let raw = &user.run(&["wait", &id, "-o", "json", "--raw"]).json()[0];
    assert_eq!(raw["raw"]["TaskId"], id.as_str(), "{raw}");
}

#[test]
fn a_start_time_that_nobody_knows_is_null() {
    let clouds = Clouds::start(NEVER);
    let ours = User::of(&clouds).run(&and(GOOD[0], &["-o", "json"]));
    let stamp = ours.json()[0]["created_at"]
        .as_str()
        .expect("our own start")
        .to_owned();
    assert!(stamp.ends_with('Z') && !stamp.contains('.'), "{stamp}");
    let adopted = User::of(&clouds).run(&and(GOOD[0], &["-o", "json"]));
    assert_eq!(
        adopted.json()[0]["created_at"],
        serde_json::Value::Null,
        "{}",
        adopted.all()
    );
}

#[test]
fn an_export_that_is_waited_for_in_vain_still_says_its_id() {
    let clouds = Clouds::start(NEVER);
    for args in GOOD {
        let ran = User::of(&clouds).run(&and(args, &["--wait", "--timeout", "2s", "-o", "json"]));
        assert_eq!(ran.code, Some(124), "{}", ran.all());
        assert_eq!(ran.json()[0]["is_terminal"], false, "{}", ran.all());
    }
}

#[test]
fn options_for_waiting_without_waiting_are_refused() {
    let clouds = Clouds::start(NEVER);
    let command: &[&str] = &["--on-done", "true"];
    for option in [&["--interval", "5s"], command, &["--events"]] {
        let ran = User::of(&clouds).run(&and(GOOD[1], option));
        assert_eq!(ran.code, Some(2), "{}", ran.all());
    }
    assert_eq!(clouds.world(|world| world.lightsail.starts), 0);
}

#[test]
fn a_task_named_twice_is_one_task() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    let id = user.run(GOOD[0]).id();
    let ran = user.run(&["wait", &id, &format!("outscale/{id}"), "-o", "json"]);
    assert_eq!(ran.json().len(), 1, "{}", ran.all());
}

#[test]
fn running_tasks_can_be_listed_alone_and_waited_for() {
    let clouds = Clouds::start(QUICK);
    let user = User::of(&clouds);
    assert_eq!(user.run(&and(FAILING[0], &["--wait"])).code, Some(3));
    let id = user.run(GOOD[1]).id();
    let running = user.run(&["status", "--running", "-q"]);
    assert_eq!(running.stdout, format!("{id}\n"), "{}", running.all());
    let ran = user.run_with_input(&["wait", "-"], &running.stdout);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[test]
fn credentials_that_do_not_work_are_not_called_absent() {
    let clouds = Clouds::start(QUICK);
    let ran = User::of(&clouds)
        .without("OSC_SECRET_KEY")
        .run(&["status", "--remote", "-o", "json"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "credentials");
    assert!(ran.stderr.contains("OSC_SECRET_KEY"), "{}", ran.all());
}

#[test]
fn a_profile_means_nothing_in_the_sandbox() {
    let user = User::new().with("SNAPEXPORT_SANDBOX_DURATION", "500ms");
    let id = user
        .run(&[
            "--sandbox",
            "--profile",
            "work",
            "export",
            "lightsail",
            "web-1",
        ])
        .id();
    let ran = user.run(&["--sandbox", "wait", &id]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[test]
fn a_wrong_command_line_has_its_json_error_too() {
    for args in [
        &["-qojson", "rubbish"][..],
        &["export", "outscale", "snap-1", "-o", "json"],
    ] {
        let ran = User::new().run(args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert_eq!(ran.json_error()["kind"], "usage");
    }
    let missing = User::new().run(&["export", "outscale", "snap-1", "-o", "json"]);
    let message = missing.json_error()["message"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(message.contains("--bucket"), "{message}");
}

#[test]
fn sandbox_passes_sigterm_on() {
    let user = User::new();
    let mut child = user
        .command(&["sandbox", "--", "sleep", "30"])
        .spawn()
        .expect("it runs");
    std::thread::sleep(Duration::from_millis(500));
    let kill = format!("kill -TERM {}", child.id());
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &kill])
            .status()
            .expect("a shell")
            .success()
    );
    let started = std::time::Instant::now();
    let status = child.wait().expect("it ends");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(15)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_script_or_page_that_cannot_be_written_is_an_error() {
    let user = User::new();
    for args in [&["completions", "bash"][..], &["man", "wait"]] {
        let full = std::fs::File::create("/dev/full").expect("there");
        let status = user.command(args).stdout(full).status().expect("it runs");
        assert_eq!(status.code(), Some(1), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_command_for_a_secret_that_hangs_is_named_and_ends_with_the_first_signal() {
    let user = User::new().in_haste();
    let config = user.home.path().join("config");
    std::fs::create_dir_all(&config).expect("made");
    let text =
        "[profile.slow.outscale]\naccess_key = \"AK\"\nsecret_key_command = [\"sleep\", \"61\"]\n";
    std::fs::write(config.join("config.toml"), text).expect("written");
    let args = ["--profile", "slow", "wait", "snap-export-12345678"];
    let mut child = user
        .command(&args)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    while !said.contains("waiting for sleep") {
        assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "{said}");
    }
    let id = rustix::process::Pid::from_child(&child);
    let began = std::time::Instant::now();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it lives");
    let status = child.wait().expect("it ends");
    assert!(began.elapsed() < std::time::Duration::from_secs(30));
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(15));
}

#[test]
fn a_day_is_a_limit_as_it_is_an_age() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    let id = user.run(GOOD[0]).id();
    for limit in ["1d", "1d12h", "2w", "90s", "0"] {
        let ran = user.run(&["wait", &id, "--timeout", limit]);
        assert!(matches!(ran.code, Some(0 | 124)), "{}", ran.all());
    }
    for limit in ["1mo", "-1d", "7", "soon"] {
        let ran = user.run(&["wait", &id, &format!("--timeout={limit}")]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
    }
}

#[test]
fn an_export_without_a_cloud_is_an_error_in_json_too() {
    for (args, words) in [
        (&["-o", "json", "export"][..], "lightsail"),
        (&["-o", "json"], "command"),
    ] {
        let ran = User::new().run(args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        let error = ran.json_error();
        assert_eq!(error["kind"], "usage");
        let message = error["message"].as_str().expect("text");
        assert!(
            message.contains("missing") && message.contains(words),
            "{message}"
        );
    }
}

#[test]
fn events_without_json_are_refused() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    let wait = ["wait", "snap-export-00000000", "--events"];
    let export = and(GOOD[0], &["--wait", "--events"]);
    for args in [&wait[..], &and(&wait, &["-o", "id"]), &export] {
        let ran = user.run(args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains("-o json"), "{}", ran.all());
    }
    clouds.world(|world| assert_eq!(world.outscale.starts, 0));
    let ran = user.run(&and(&export, &["-o", "json"]));
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}
