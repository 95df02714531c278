//! What whoever starts the program has a right to: signals that stay ignored, a screen that is another job's, streams that
//! are closed.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::manners::{signal, start, written};
use crate::program::{Clouds, User, program};
use crate::stage::LONG;

/// Starts the program from a shell that has first run this.
fn spawn_after(user: &User, before: &str, args: &[&str]) -> Child {
    let plain = user.command(&[]);
    Command::new("sh")
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")])
        .arg(program())
        .args(args)
        .env_clear()
        .envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell")
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let clouds = Clouds::start(Duration::from_millis(1500));
    let user = User::of(&clouds);
    let id = start(&user);
    std::thread::scope(|scope| {
        for name in ["INT", "TERM", "HUP", "QUIT", "USR1"] {
            let (user, id) = (&user, &id);
            scope.spawn(move || {
                let before = format!("trap '' {name}");
                let args = ["wait", id, "--interval", "200ms"];
                let child = spawn_after(user, &before, &args);
                std::thread::sleep(Duration::from_millis(400));
                signal(&child, name);
                signal(&child, name);
                let output = child.wait_with_output().expect("it ends");
                assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
            });
        }
    });
}

#[test]
fn a_job_in_the_background_draws_nothing() {
    let clouds = Clouds::start(Duration::from_millis(1200));
    let user = User::of(&clouds);
    let id = start(&user);
    let wait = format!("snapexport wait {id} --interval 200ms");
    let known = [("WT_SESSION", "1")];
    let output = written(&user, &known, &format!("set -m; {wait} & wait"));
    for drawn in ["\x1b[", "\x1b]9;", "━"] {
        assert!(!output.contains(drawn), "{output:?}");
    }
    assert!(output.contains("completed"), "{output:?}");
}

#[test]
fn bars_stay_where_they_are_once_another_job_is_in_front() {
    let clouds = Clouds::start(Duration::from_secs(4));
    let user = User::of(&clouds);
    let id = start(&user);
    let wait = format!("exec snapexport wait {id} --interval 100ms -o id");
    // Stopped in the foreground, and set going again behind the shell.
    let script = format!(
        "set -m; (sleep 0.8; kill -TSTP $(cat child)) & sh -c 'echo $$ >child; {wait}'; echo; echo mine; bg %2 >/dev/null; sleep 1; kill %2; wait"
    );
    let output = written(&user, &[], &script);
    let (before, after) = output.split_once("mine").expect("the shell's own line");
    assert!(before.contains('━'), "{output:?}");
    assert!(!after.contains('━'), "{output:?}");
}

#[test]
fn a_terminal_without_a_name_is_a_dumb_one() {
    let clouds = Clouds::start(Duration::from_millis(600));
    let user = User::of(&clouds);
    let export = "snapexport export outscale snap-0a1b2c3d --bucket demo --wait --new";
    for script in [
        format!("env -u TERM {export}"),
        format!("env TERM= {export}"),
    ] {
        let output = written(&user, &[("WT_SESSION", "1")], &script);
        assert!(!output.contains('\x1b'), "{script}: {output:?}");
        assert!(output.contains("[0s] outscale/"), "{script}: {output:?}");
    }
}

#[test]
fn a_closed_standard_output_is_an_error_and_a_null_device_is_none() {
    let clouds = Clouds::start(LONG);
    let user = User::of(&clouds);
    let export = [
        "export",
        "outscale",
        "snap-0a1b2c3d",
        "--bucket",
        "demo",
        "--new",
    ];
    for args in [&["list", "outscale"][..], &["man", "wait"], &export] {
        let child = spawn_after(&user, "exec >&-", args);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("could not be written"), "{args:?}: {said}");
        // Python and node open it for reading and writing, a shell for writing.
        for how in ["exec >/dev/null", "exec 1<>/dev/null"] {
            let child = spawn_after(&user, how, args);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        }
    }
}
