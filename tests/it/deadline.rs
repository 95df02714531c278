//! What `--timeout` bounds, and what commands of the user's may read.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::manners::{signal, spawn, start};
use crate::program::{Clouds, Ran, User, program};
use crate::stage::{LONG, Stage, on_every_cloud};

/// What a limit of half a second may take in all.
const BOUNDED: Duration = Duration::from_secs(4);

/// A user whose secret for OUTSCALE is what this shell command prints.
fn with_secret_command(clouds: &Clouds, command: &str) -> User {
    let user = User::of(clouds);
    let config = user.home.path().join("config");
    std::fs::create_dir_all(&config).expect("made");
    let key = value(clouds, "OSC_ACCESS_KEY");
    let text = format!(
        "[profile.work.outscale]\nregion = \"eu-west-2\"\naccess_key = \"{key}\"\nsecret_key_command = [\"sh\", \"-c\", \"{command}\"]\n"
    );
    std::fs::write(config.join("config.toml"), text).expect("written");
    user
}

/// A user whose keys for Lightsail are what this shell command prints.
fn with_credential_process(clouds: &Clouds, command: &str) -> User {
    let user = User::of(clouds)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .with("AWS_PROFILE", "work");
    let aws = user.home.path().join(".aws");
    std::fs::create_dir_all(&aws).expect("made");
    let printed = serde_json::json!({
        "Version": 1,
        "AccessKeyId": value(clouds, "AWS_ACCESS_KEY_ID"),
        "SecretAccessKey": value(clouds, "AWS_SECRET_ACCESS_KEY"),
    });
    std::fs::write(aws.join("printed"), printed.to_string()).expect("written");
    let text = format!(
        "[profile work]\nregion = eu-west-3\ncredential_process = {command}; cat {}\n",
        aws.join("printed").display()
    );
    std::fs::write(aws.join("config"), text).expect("written");
    user
}

fn value(clouds: &Clouds, name: &str) -> String {
    let found = clouds.variables().into_iter().find(|(of, _)| *of == name);
    found.expect("the sandbox sets it").1
}

/// Runs it, and holds it against the bound.
fn in_time(user: &User, args: &[&str]) -> Ran {
    let began = Instant::now();
    let ran = user.run(args);
    assert!(
        began.elapsed() < BOUNDED,
        "{:?}: {}",
        began.elapsed(),
        ran.all()
    );
    ran
}

#[test]
fn a_shell_loop_loses_no_line_to_a_command_for_secrets() {
    let clouds = Clouds::start(LONG);
    let secret = value(&clouds, "OSC_SECRET_KEY");
    let ours = with_secret_command(&clouds, &format!("cat >/dev/null; echo {secret}"));
    let amazons = with_credential_process(&clouds, "cat >/dev/null");
    for (user, lines, call) in [
        (
            &ours,
            "snap-0a1b2c3d\nsnap-1b2c3d4e\n",
            "--profile work export outscale \"$it\" --bucket demo",
        ),
        (&amazons, "web-1\ndb-1\n", "export lightsail \"$it\""),
    ] {
        let script = format!("while read it; do {} {call}; done", program().display());
        let mut shell = std::process::Command::new("sh");
        let plain = user.command(&[]);
        shell
            .args(["-c", &script])
            .env_clear()
            .envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut shell = shell.spawn().expect("a shell");
        let mut input = shell.stdin.take().expect("piped");
        std::io::Write::write_all(&mut input, lines.as_bytes()).expect("it reads");
        drop(input);
        let output = shell.wait_with_output().expect("it ends");
        let ids = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(ids.lines().count(), 2, "{ids}{said}");
    }
}

#[test]
fn a_command_for_a_secret_that_hangs_does_not_outlast_the_limit() {
    let clouds = Clouds::start(LONG);
    // What it starts in turn holds standard error open.
    let user = with_secret_command(&clouds, "sleep 61; echo never");
    let wait = ["--profile", "work", "wait", "snap-export-12345678"];
    let ran = in_time(
        &user,
        &[&wait[..], &["--timeout", "500ms", "-o", "json"]].concat(),
    );
    assert_eq!(ran.code, Some(124), "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "timeout", "{}", ran.all());
    assert!(ran.stderr.contains("secret_key"), "{}", ran.all());
    let export = [
        "--profile",
        "work",
        "export",
        "outscale",
        "snap-0a1b2c3d",
        "--bucket",
        "demo",
    ];
    let ran = in_time(
        &user,
        &[&export[..], &["--wait", "--timeout", "500ms", "-o", "json"]].concat(),
    );
    // Nothing goes on that could be waited for.
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "timeout", "{}", ran.all());
}

#[test]
fn a_credential_process_that_hangs_does_not_outlast_the_limit() {
    let clouds = Clouds::start(LONG);
    let user = with_credential_process(&clouds, "sleep 61");
    let ran = in_time(
        &user,
        &[
            "wait",
            "lightsail/5a1c2b3d-0000-4000-8000-000000000000",
            "--timeout",
            "500ms",
        ],
    );
    assert!(ran.stderr.contains("nothing is known"), "{}", ran.all());
}

#[test]
fn a_silent_cloud_does_not_outlast_the_limit() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        let id = stage.is_started_once(&stage.export(&[]));
        let stage = stage.now_with("look:*:silence-before");
        in_time(&stage.user, &["wait", &id, "--timeout", "500ms"]);
    });
}

#[test]
fn standard_input_that_does_not_end_does_not_outlast_the_limit() {
    let clouds = Clouds::start(LONG);
    let user = User::of(&clouds);
    let began = Instant::now();
    let child = user
        .command(&["wait", "-", "--timeout", "500ms"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // Kept open.
    let (mut child, _input) = {
        let mut child = child;
        let input = child.stdin.take();
        (child, input)
    };
    let status = child.wait().expect("it ends");
    assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
    assert_eq!(status.code(), Some(124));
}

#[test]
fn a_command_of_on_done_that_hangs_does_not_outlast_the_limit() {
    let clouds = Clouds::start(Duration::from_millis(1));
    let user = User::of(&clouds);
    let id = start(&user);
    let ran = in_time(
        &user,
        &[
            "wait",
            &id,
            "--timeout",
            "700ms",
            "--on-done",
            "exec sleep 60",
        ],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stderr.contains("left to itself"), "{}", ran.all());
}

#[test]
fn an_interrupt_ends_a_command_that_ran_one_for_a_secret() {
    let clouds = Clouds::start(LONG);
    clouds.set_faults(vec![
        "outscale:*:*:silence-before".parse().expect("a fault"),
    ]);
    let secret = value(&clouds, "OSC_SECRET_KEY");
    let user = with_secret_command(&clouds, &format!("echo {secret}"));
    let mut child = spawn(&user, &["--profile", "work", "list", "outscale"]);
    std::thread::sleep(Duration::from_millis(700));
    signal(&child, "INT");
    let began = Instant::now();
    let status = child.wait().expect("it ends");
    assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
    let number = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(number, Some(2));
}

#[test]
fn a_command_that_asks_does_not_outlast_the_limit() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        let id = stage.is_started_once(&stage.export(&[]));
        let task = format!("{}/{id}", cloud.name);
        let stage = stage.now_with("*:*:silence-before");
        let mut commands = vec![
            vec!["status", &task],
            vec!["list", cloud.name],
            vec!["doctor", cloud.name],
            vec!["status", "--remote", "--provider", cloud.name],
        ];
        if cloud.name == "outscale" {
            commands.push(vec!["cancel", &task]);
        }
        for command in commands {
            let ran = in_time(
                &stage.user,
                &[&command[..], &["--timeout", "500ms"]].concat(),
            );
            // What doctor finds are problems.
            let code = if command[0] == "doctor" { 4 } else { 124 };
            assert_eq!(ran.code, Some(code), "{}", ran.all());
            let words = "in the time that --timeout gives";
            assert!(ran.all().contains(words), "{}", ran.all());
        }
    });
}

#[test]
fn who_is_not_asked_for_a_limit_waits_a_minute() {
    for command in ["status", "list", "doctor", "cancel"] {
        let ran = User::new().run(&[command, "--help"]);
        assert!(ran.stdout.contains("[default: 60s]"), "{}", ran.all());
    }
}

#[test]
fn a_limit_before_a_start_is_no_wait_that_ran_out() {
    on_every_cloud(|cloud| {
        for fault in ["list:*:silence-before", "*:*:silence-before"] {
            let stage = Stage::of(cloud, LONG, &[fault]);
            let more = ["--timeout", "500ms", "-o", "json"];
            let ran = in_time(&stage.user, &[cloud.export, &more].concat());
            assert_eq!(ran.code, Some(1), "{}", ran.all());
            let error = ran.json_error();
            assert_eq!(error["kind"], "timeout", "{}", ran.all());
            assert!(ran.stderr.contains("not started"), "{}", ran.all());
            assert_eq!(stage.starts(), 0);
        }
    });
}

#[test]
fn a_limit_ends_a_dry_run_and_a_wait_for_snapshots_that_nobody_answers() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &["*:*:silence-before"]);
        for (more, words) in [
            (&["--dry-run"][..], "nothing was started"),
            (
                &["--wait-for-snapshot"],
                "could be exported; nothing was started\n  no list of what can be exported has come",
            ),
        ] {
            let limit = ["--timeout", "500ms", "-o", "json"];
            let ran = in_time(&stage.user, &[cloud.export, more, &limit].concat());
            assert_eq!(ran.code, Some(1), "{}", ran.all());
            assert_eq!(ran.json_error()["kind"], "timeout", "{}", ran.all());
            assert!(ran.stderr.contains(words), "{}", ran.all());
        }
        assert_eq!(stage.starts(), 0);
    });
}

#[test]
fn a_signal_ends_an_export_that_waits_for_the_journal() {
    on_every_cloud(|cloud| {
        let stage = Stage::of(cloud, LONG, &[]);
        // The journal is there, and another process writes it for ever.
        stage.is_started_once(&stage.export(&[]));
        let path = stage.user.state().join("journal.db");
        let other = rusqlite::Connection::open(path).expect("it opens");
        let mut child = spawn(&stage.user, &[cloud.export, &["--new"]].concat());
        other.execute_batch("BEGIN IMMEDIATE").expect("it is free");
        std::thread::sleep(Duration::from_millis(700));
        signal(&child, "TERM");
        let began = Instant::now();
        child.wait().expect("it ends");
        assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
        assert_eq!(stage.starts(), 1, "the first alone");
    });
}

#[test]
fn the_first_signal_ends_an_export_that_has_sent_no_start() {
    for name in ["INT", "TERM"] {
        on_every_cloud(|cloud| {
            for fault in ["list:*:silence-before", "*:*:silence-before"] {
                let stage = Stage::of(cloud, LONG, &[fault]);
                let mut child = spawn(&stage.user, cloud.export);
                std::thread::sleep(Duration::from_millis(700));
                signal(&child, name);
                let began = Instant::now();
                let status = child.wait().expect("it ends");
                assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
                let number = std::os::unix::process::ExitStatusExt::signal(&status);
                assert_eq!(number, Some(if name == "INT" { 2 } else { 15 }));
                assert_eq!(stage.starts(), 0);
            }
        });
    }
}

#[test]
fn a_command_for_a_secret_runs_once_for_a_command_of_ours() {
    let clouds = Clouds::start(LONG);
    let secret = value(&clouds, "OSC_SECRET_KEY");
    let user = with_secret_command(&clouds, &format!("echo ran >>~/counted; echo {secret}"));
    let ran = user.run(&["--profile", "work", "list", "outscale"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let counted = user.home.path().join("counted");
    let counted = std::fs::read_to_string(counted).expect("it ran");
    assert_eq!(counted, "ran\n");
}
