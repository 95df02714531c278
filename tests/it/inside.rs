//! What runs inside a sandbox, and what is said there.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::manners::signal;
use crate::program::{User, program};

/// Runs a script inside a sandbox.
fn inside(user: &User, script: &str) -> crate::program::Ran {
    let script = script.replace("snapexport ", &format!("{} ", program().display()));
    user.run(&["sandbox", "--duration", "300ms", "--", "sh", "-c", &script])
}

const EXPORT: &str = "snapexport export outscale snap-0a1b2c3d --bucket demo";

#[test]
fn what_is_started_inside_is_in_no_journal_outside() {
    let user = User::new();
    let ran = inside(&user, &format!("id=$({EXPORT}) && snapexport status"));
    assert!(ran.stdout.contains("snap-0a1b2c3d"), "{}", ran.all());
    assert!(!user.state().exists(), "{}", ran.all());
}

#[test]
fn the_variables_that_are_printed_lead_to_a_journal_of_their_own() {
    use std::io::{BufRead, BufReader};
    let user = User::new();
    let mut child = user
        .command(&["sandbox"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let own = user.state().display().to_string();
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let state = lines
        .by_ref()
        .map(|line| line.expect("text"))
        .find(|line| line.contains("SNAPEXPORT_STATE_DIR"))
        .expect("the variable");
    let place = state.split_once('=').expect("a value").1.to_owned();
    signal(&child, "HUP");
    let status = child.wait().expect("it ends");
    assert!(!state.contains(&own), "{state}");
    // It is taken away at every end.
    let number = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(number, Some(1));
    let home = std::path::Path::new(&place).parent().expect("a folder");
    assert!(!home.exists(), "{place}");
}

#[test]
fn a_command_with_sandbox_works_inside_a_sandbox_too() {
    let user = User::new();
    let script = format!(
        "id=$({EXPORT}) && snapexport --sandbox wait \"$id\" && snapexport --sandbox status -q && {EXPORT} --wait"
    );
    let ran = inside(&user, &script);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let ids: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        ids.iter().any(|line| line.starts_with("snap-export-")),
        "{}",
        ran.all()
    );
}

#[test]
fn each_hint_of_a_simulated_run_leads_to_the_simulated_clouds() {
    let user = User::new().with("SNAPEXPORT_SANDBOX_DURATION", "1000s");
    let export = [
        "--sandbox",
        "export",
        "outscale",
        "snap-0a1b2c3d",
        "--bucket",
        "demo",
    ];
    let id = user.run(&export).id();
    let qualified = format!("outscale/{id}");
    for args in [
        &[
            "--sandbox",
            "export",
            "outscale",
            "snap-00000000",
            "--bucket",
            "demo",
        ][..],
        &["--sandbox", "export", "lightsail", "nothing-1"],
        &["--sandbox", "wait", "snap-export-00000000"],
        &["--sandbox", "wait", &qualified, "--timeout", "0"],
        &[
            "--sandbox",
            "status",
            "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
        ],
        &["--sandbox", "status", "bogus"],
        &[
            "--sandbox",
            "cancel",
            "lightsail/5a1c2b3d-0000-4000-8000-000000000000",
        ],
    ] {
        let ran = user.run(args);
        for (at, _) in ran.stderr.match_indices("snapexport ") {
            let command = &ran.stderr[at..];
            assert!(
                command.starts_with("snapexport --sandbox "),
                "{}",
                ran.all()
            );
        }
    }
}

#[test]
fn a_signal_ends_all_that_runs_inside() {
    for name in ["TERM", "INT", "HUP", "QUIT"] {
        let user = User::new();
        let mark = user.home.path().join("ran-on");
        // The grandchild would hold the output open, and leave its mark.
        let script = format!("(sleep 2; touch {}); true", mark.display());
        let child = user
            .command(&["sandbox", "--", "sh", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().expect("it ends");
        assert!(began.elapsed() < Duration::from_millis(1300), "{name}");
        assert_eq!(output.status.code(), None, "{name}");
        assert!(!mark.exists());
    }
}
