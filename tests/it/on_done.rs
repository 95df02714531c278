//! `--on-done`: what the user's command is told, and what it may do.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use crate::manners::{FAILING, screens, signal, spawn, start, start_of, written};
use crate::program::{Clouds, User};

/// Until the file is there, for ten seconds.
fn wait_for(path: &std::path::Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{path:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A command that keeps its input and its variables under the task's id.
fn keep(user: &User) -> String {
    let home = user.home.path().display().to_string();
    format!(
        "cat > {home}/$SNAPEXPORT_TASK_ID.json; env | grep ^SNAPEXPORT_ | sort > {home}/$SNAPEXPORT_TASK_ID.env; echo told of $SNAPEXPORT_TASK_ID"
    )
}

/// A command that ends when it is told to.
fn until_told(user: &User) -> String {
    format!(
        "until [ -e {}/told ]; do sleep 0.05; done",
        user.home.path().display()
    )
}

fn tell(user: &User) {
    std::fs::write(user.home.path().join("told"), "").expect("written");
}

fn kept(user: &User, id: &str, kind: &str) -> String {
    let path = user.home.path().join(format!("{id}.{kind}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

#[test]
fn on_done_gets_the_task_as_variables_and_as_json() {
    let clouds = Clouds::start(Duration::from_millis(800));
    let user = User::of(&clouds);
    let command = keep(&user);
    let args = [
        "export",
        "outscale",
        "snap-0a1b2c3d",
        "--bucket",
        "demo",
        "--wait",
        "--on-done",
        &command,
    ];
    let ran = user.run(&args);
    let id = ran.id();
    // Standard output is the results' alone.
    assert_eq!(ran.stdout, format!("{id}\n"), "{}", ran.all());
    assert!(
        ran.stderr.contains(&format!("told of {id}\n")),
        "{}",
        ran.all()
    );
    let input = kept(&user, &id, "json");
    assert_eq!(input.lines().count(), 1, "{input}");
    let object: serde_json::Value = serde_json::from_str(&input).expect("JSON");
    assert_eq!(object["schema"], 1);
    assert_eq!(object["state"], "completed");
    assert_eq!(object["task_id"], id.as_str());
    let variables = kept(&user, &id, "env");
    let uri = object["artifact"]["uri"].as_str().expect("an address");
    for expected in [
        format!("SNAPEXPORT_TASK_ID={id}"),
        "SNAPEXPORT_PROVIDER=outscale".into(),
        "SNAPEXPORT_STATE=completed".into(),
        "SNAPEXPORT_SNAPSHOT=snap-0a1b2c3d".into(),
        "SNAPEXPORT_TASK_REGION=eu-west-2".into(),
        "SNAPEXPORT_PERCENT=100".into(),
        format!("SNAPEXPORT_ARTIFACT_URI={uri}"),
        "SNAPEXPORT_ERROR_MESSAGE=".into(),
    ] {
        assert!(
            variables.lines().any(|line| line == expected),
            "{expected}: {variables}"
        );
    }
    // What has ended before is told as well: a script need not know which came first.
    std::fs::remove_file(user.home.path().join(format!("{id}.json"))).expect("it is there");
    let ran = user.run(&["wait", &id, "-o", "json", "--on-done", &command]);
    assert_eq!(ran.json().len(), 1, "{}", ran.all());
    assert_eq!(kept(&user, &id, "json"), ran.stdout);
}

#[test]
fn on_done_runs_for_each_task_and_also_for_one_that_failed() {
    let clouds = Clouds::start(Duration::from_millis(800));
    let user = User::of(&clouds);
    let ids = [start(&user), start_of(&user, FAILING), start(&user)];
    let command = keep(&user);
    let ran = user.run(&[
        "wait",
        &ids[0],
        &ids[1],
        &ids[2],
        "-o",
        "json",
        "--on-done",
        &command,
    ]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert_eq!(ran.json().len(), 3, "{}", ran.all());
    assert_eq!(ran.json_error()["kind"], "task_failed");
    for (id, state) in ids.iter().zip(["completed", "failed", "completed"]) {
        let variables = kept(&user, id, "env");
        assert!(
            variables.contains(&format!("SNAPEXPORT_STATE={state}\n")),
            "{variables}"
        );
    }
    let variables = kept(&user, &ids[1], "env");
    assert!(
        variables.contains("SNAPEXPORT_ERROR_KIND=task_failed\n"),
        "{variables}"
    );
    assert!(
        !variables.contains("SNAPEXPORT_ERROR_MESSAGE=\n"),
        "{variables}"
    );
}

#[test]
fn an_on_done_command_that_fails_is_a_warning_and_changes_no_exit_code() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let user = User::of(&clouds);
    let id = start(&user);
    let ran = user.run(&["wait", &id, "--on-done", "exit 9"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let warning = format!(
        "warning: The --on-done command for {id} ended with exit status: 9; the export is not affected"
    );
    assert!(ran.stderr.contains(&warning), "{}", ran.all());
}

#[test]
fn on_done_is_not_run_for_what_goes_on() {
    let clouds = Clouds::start(Duration::from_secs(3600));
    let user = User::of(&clouds);
    let id = start(&user);
    let told = user.home.path().join("told");
    let command = format!("touch {}", told.display());
    let ran = user.run(&["wait", &id, "--timeout", "0", "--on-done", &command]);
    assert_eq!(ran.code, Some(124), "{}", ran.all());
    let child = spawn(&user, &["wait", &id, "--on-done", &command]);
    std::thread::sleep(Duration::from_millis(700));
    signal(&child, "INT");
    child.wait_with_output().expect("it ends");
    assert!(!told.exists());
}

#[test]
fn on_done_without_a_wait_is_wrong_usage() {
    let user = User::new();
    let ran = user.run(&[
        "export",
        "outscale",
        "snap-1",
        "--bucket",
        "b",
        "--on-done",
        "true",
    ]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(
        ran.stderr.contains("--on-done") && ran.stderr.contains("--wait"),
        "{}",
        ran.all()
    );
    let ran = user.run(&["wait", "snap-export-1", "--on-done", ""]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
}

#[test]
fn an_interrupt_does_not_wait_for_an_on_done_command() {
    let clouds = Clouds::start(Duration::from_millis(200));
    let user = User::of(&clouds);
    let id = start(&user);
    let runs = user.home.path().join("runs");
    let command = format!("touch {}; exec sleep 30", runs.display());
    let begun = Instant::now();
    let child = spawn(&user, &["wait", &id, "--on-done", &command]);
    wait_for(&runs);
    signal(&child, "INT");
    let output = child.wait_with_output().expect("it ends");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    let number = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(number, Some(2));
    // The export has ended all the same, and how is said.
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(out.contains("completed"), "{out}{err}");
    assert!(err.contains("left to itself"), "{out}{err}");
}

#[test]
fn a_hanging_on_done_command_does_not_outlast_the_timeout_for_long() {
    let clouds = Clouds::start(Duration::from_millis(200));
    let user = User::of(&clouds).in_haste();
    let id = start(&user);
    let begun = Instant::now();
    let ran = user.run(&["wait", &id, "--timeout", "1s", "--on-done", "exec sleep 60"]);
    assert!(begun.elapsed() < Duration::from_secs(6), "{}", ran.all());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    for words in ["waiting for the --on-done command", "left to itself"] {
        assert!(ran.stderr.contains(words), "{}", ran.all());
    }
}

#[test]
fn who_asks_while_an_on_done_command_runs_is_told_what_is_waited_for() {
    let clouds = Clouds::start(Duration::from_millis(200));
    let user = User::of(&clouds);
    let id = start(&user);
    let runs = user.home.path().join("runs");
    let command = format!("touch {}; {}", runs.display(), until_told(&user));
    let mut child = spawn(&user, &["wait", &id, "-q", "--on-done", &command]);
    wait_for(&runs);
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
    // Who asks too early is told of the task: each question has its answer.
    let is_told = (0..100).any(|_| {
        signal(&child, "USR1");
        let line = said.next().expect("a line").expect("text");
        line.contains("waiting for the --on-done command")
    });
    assert!(is_told);
    tell(&user);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_slow_on_done_command_delays_no_look_and_is_let_finish() {
    let clouds = Clouds::start(Duration::from_millis(500));
    let user = User::of(&clouds);
    let first = start(&user);
    clouds.later(&user, Duration::from_millis(800));
    let second = start(&user);
    let home = user.home.path().display().to_string();
    let command = format!(
        "{}; touch {home}/$SNAPEXPORT_TASK_ID.end",
        until_told(&user)
    );
    let mut child = spawn(
        &user,
        &[
            "wait",
            &first,
            &second,
            "-o",
            "json",
            "--interval",
            "200ms",
            "--on-done",
            &command,
        ],
    );
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    assert_eq!(stdout.lines().take(2).flatten().count(), 2);
    assert!(!user.home.path().join(format!("{first}.end")).exists());
    tell(&user);
    assert!(child.wait().expect("it ends").success());
    for id in [first, second] {
        assert!(user.home.path().join(format!("{id}.end")).exists(), "{id}");
    }
}

#[test]
fn what_an_on_done_command_prints_does_not_spoil_the_bars() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    let first = start(&user);
    clouds.later(&user, Duration::from_millis(1200));
    let second = start(&user);
    let script = format!(
        "snapexport wait {first} {second} -o id --interval 300ms --on-done 'echo one; echo two >&2'"
    );
    let last = screens(&written(&user, &[], &script))
        .pop()
        .expect("a screen");
    for word in ["one", "two"] {
        assert_eq!(
            last.lines().filter(|line| *line == word).count(),
            2,
            "{last}"
        );
    }
    assert_eq!(last.matches('✓').count(), 2, "{last}");
    assert_eq!(last.matches(" % ").count(), 2, "{last}");
}
