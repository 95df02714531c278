//! How the program behaves in a terminal, and towards whoever asks or wants to be told.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rexpect::session::{Options, spawn_with_options};

use crate::program::{Clouds, Ran, User, program};

const ROWS: u16 = 30;
const EXPORT: &str = "snapexport export outscale snap-0a1b2c3d --bucket demo --wait";
/// What a script prints where it changes the width of its terminal: `ESC ] 777 ; COLUMNS BEL`.
const RESIZED: &str = "\x1b]777;";
const CLEARED: &str = "\x1b]9;4;0;\x1b\\";

/// What a script writes to a terminal of 80 columns, as characters and escapes.
fn written(user: &User, variables: &[(&str, &str)], script: &str) -> String {
    let script = format!(
        "stty cols 80 rows {ROWS}; {}",
        script.replace("snapexport ", &format!("{} ", program().display()))
    );
    let plain = user.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8")
        .envs(variables.iter().copied());
    let options = Options::new().timeout_ms(Some(60_000));
    let mut session = spawn_with_options(command, options).expect("a terminal");
    let bytes: Vec<u8> = session
        .exp_eof()
        .expect("it ends")
        .chars()
        .map(|byte| byte as u8)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The screen at each change of the width and at the end.
fn screens(output: &str) -> Vec<String> {
    let mut parser = vt100::Parser::new(ROWS, 80, 0);
    let mut parts = output.split(RESIZED);
    parser.process(parts.next().unwrap_or_default().as_bytes());
    let mut screens = vec![parser.screen().contents()];
    for part in parts {
        let (columns, rest) = part.split_once('\u{7}').expect("a mark of ours");
        parser
            .screen_mut()
            .set_size(ROWS, columns.parse().expect("columns"));
        parser.process(rest.as_bytes());
        screens.push(parser.screen().contents());
    }
    screens
}

fn start(user: &User) -> String {
    start_of(user, "snap-0a1b2c3d")
}

/// An export of this snapshot fails half way.
const FAILING: &str = "snap-deadbeef";

fn start_of(user: &User, snapshot: &str) -> String {
    user.run(&["export", "outscale", snapshot, "--bucket", "demo", "--new"])
        .id()
}

fn spawn(user: &User, args: &[&str]) -> std::process::Child {
    user.command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs")
}

fn signal(child: &std::process::Child, name: &str) {
    let kill = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(kill.expect("kill runs").success());
}

/// Until the file is there, for ten seconds.
fn wait_for(path: &std::path::Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{path:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn colours_in_a_terminal_follow_no_color_clicolor_and_dumb() {
    let user = User::new();
    let error = |options: &str| format!("snapexport {options} status bogus/1");
    for (variables, options, is_coloured) in [
        (&[][..], "", true),
        (&[("NO_COLOR", "1")], "", false),
        (&[("NO_COLOR", "0")], "", false),
        (&[("NO_COLOR", "")], "", true),
        (&[("CLICOLOR", "0")], "", false),
        (&[("TERM", "dumb")], "", false),
        (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], "", true),
        (&[("NO_COLOR", "1")], "--color always", true),
        (&[], "--color never", false),
    ] {
        let output = written(&user, variables, &error(options));
        assert!(output.contains("error:"), "{output:?}");
        assert_eq!(
            output.contains("\x1b["),
            is_coloured,
            "{variables:?} {options}: {output:?}"
        );
    }
}

#[test]
fn colours_in_a_pipe_come_only_when_they_are_forced() {
    for (variables, is_coloured) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "0")], false),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
    ] {
        let user = variables
            .iter()
            .fold(User::new(), |user, (name, value)| user.with(name, value));
        let ran = user.run(&["status", "bogus/1"]);
        assert_eq!(ran.stderr.contains("\x1b["), is_coloured, "{variables:?}");
    }
}

#[test]
fn bars_have_no_colour_where_none_is_wanted_and_a_dumb_terminal_gets_lines() {
    let clouds = Clouds::start(Duration::from_secs(1));
    let user = User::of(&clouds);
    let has_colour = |output: &str| {
        output.split("\x1b[").skip(1).any(|rest| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';')
                .starts_with('m')
        })
    };
    let plain = written(&user, &[("NO_COLOR", "1")], &format!("{EXPORT} --new"));
    assert!(plain.contains('✓') && !has_colour(&plain), "{plain:?}");
    // Standard output is no terminal then: what is drawn on standard error has its colours all the same.
    let coloured = written(&user, &[], &format!("{EXPORT} --new | cat"));
    assert!(coloured.contains("\x1b[36m"), "{coloured:?}");
    let dumb = written(
        &user,
        &[("TERM", "dumb"), ("WT_SESSION", "1")],
        &format!("{EXPORT} --new"),
    );
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
    assert!(dumb.contains("[0s] outscale/snap-export-"), "{dumb:?}");
}

#[test]
fn a_resize_in_the_middle_of_bars_leaves_no_debris() {
    let clouds = Clouds::start(Duration::from_secs(5));
    let user = User::of(&clouds);
    let ids = [start(&user), start(&user)];
    let script = format!(
        "echo before; snapexport wait {} -o id & sleep 1.5; \
         stty cols 40 </dev/tty; printf '\\033]777;40\\007'; sleep 1.5; \
         printf '\\033]777;100\\007'; stty cols 100 </dev/tty; wait",
        ids.join(" ")
    );
    let output = written(&user, &[], &script);
    let screens = screens(&output);
    let [wide, narrow, last] = &screens[..] else {
        panic!("{screens:#?}")
    };
    for screen in [wide, narrow] {
        let lines: Vec<&str> = screen.trim_end().lines().collect();
        assert_eq!(lines.len(), 3, "{screen}");
        assert_eq!(lines[0], "before");
        assert!(
            lines[1..].iter().all(|line| line.contains(" % ")),
            "{screen}"
        );
    }
    assert_eq!(last.matches('✓').count(), 2, "{last}");
    assert_eq!(last.matches(" % ").count(), 2, "{last}");
    assert!(last.starts_with("before"), "{last}");
    // The two ids that were printed stand on lines of their own.
    for id in &ids {
        assert!(last.lines().any(|line| line == id), "{last}");
    }
}

#[test]
fn progress_in_the_taskbar_is_cleared_on_every_exit() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    let slow = Clouds::start(Duration::from_secs(3600));
    let waiting = User::of(&slow);
    let id = start(&waiting);
    let wait = format!("snapexport wait {id}");
    let known = [("WT_SESSION", "1")];
    for (user, script) in [
        (&user, format!("{EXPORT} --new")),
        (&waiting, format!("{wait} --timeout 1s")),
        (&waiting, format!("{wait} & sleep 1; kill -INT $!; wait")),
        (&waiting, format!("{wait} & sleep 1; kill -TERM $!; wait")),
        (&waiting, format!("{wait} & sleep 1; kill -QUIT $!; wait")),
        (
            &waiting,
            format!("{wait} & sleep 1; kill -INT $!; kill -INT $!; wait"),
        ),
        (
            &waiting,
            format!("{wait} --timeout 1s -o json --events | true"),
        ),
        (&waiting, format!("{wait} -v --timeout 1s")),
    ] {
        let output = written(user, &known, &script);
        let last = output.rfind("\x1b]9;4;").map(|at| &output[at..]);
        assert!(output.contains("\x1b]9;4;1;"), "{script}: {output:?}");
        assert!(
            last.is_some_and(|last| last.starts_with(CLEARED)),
            "{script}: {output:?}"
        );
    }
}

#[test]
fn progress_in_the_taskbar_is_indeterminate_without_percent_and_an_error_for_a_failure() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    let known = [("TERM_PROGRAM", "ghostty")];
    let flag = written(&user, &known, "snapexport export lightsail web-1 --wait");
    assert!(flag.contains("\x1b]9;4;3;\x1b\\"), "{flag:?}");
    assert!(!flag.contains("\x1b]9;4;1;5"), "{flag:?}");
    let ids = [start(&user), start_of(&user, FAILING)].join(" ");
    let wait = format!("snapexport wait {ids} --interval 300ms");
    let failed = written(&user, &known, &wait);
    let error = failed.find("\x1b]9;4;2;").expect("an error");
    assert!(
        failed.rfind(CLEARED).expect("cleared") > error,
        "{failed:?}"
    );
}

#[test]
fn nothing_is_said_to_a_taskbar_that_is_not_known_or_not_wanted() {
    let clouds = Clouds::start(Duration::from_secs(1));
    let user = User::of(&clouds);
    let known = ("WT_SESSION", "1");
    let again = format!("{EXPORT} --new");
    for (variables, script) in [
        (&[][..], again.clone()),
        (&[known, ("TMUX", "/tmp/tmux-0/default,1,0")], again.clone()),
        (&[known, ("STY", "1.pts-0")], again.clone()),
        (&[known, ("TERM", "dumb")], again.clone()),
        (&[known], format!("{again} --progress never")),
        (&[known], format!("{again} --quiet")),
        (&[known], format!("{again} 2>&1 | cat")),
    ] {
        let output = written(&user, variables, &script);
        assert!(
            !output.contains("\x1b]9;"),
            "{variables:?} {script}: {output:?}"
        );
    }
}

#[test]
fn ids_and_results_are_links_to_the_console_where_the_terminal_opens_them() {
    let clouds = Clouds::start(Duration::from_millis(600));
    let user = User::of(&clouds);
    let able = [("FORCE_HYPERLINK", "1")];
    let bars = written(&user, &able, "snapexport export lightsail web-1 --wait");
    let link = "\x1b]8;;https://eu-west-3.console.aws.amazon.com/ec2/home?region=eu-west-3#ImageDetails:imageId=ami-";
    assert!(
        bars.contains(link) && bars.contains("\x1b\\web-1\x1b]8;;\x1b\\"),
        "{bars:?}"
    );
    let linked = written(&user, &able, "snapexport status");
    assert_eq!(linked.matches(link).count(), 2, "{linked:?}");
    // A person sees the same table.
    let plain = written(&user, &[], "snapexport status");
    assert!(!plain.contains("\x1b]8;"), "{plain:?}");
    assert_eq!(screens(&linked), screens(&plain));
    for (variables, script) in [
        (
            &[("FORCE_HYPERLINK", "1"), ("TERM", "dumb")][..],
            "snapexport status",
        ),
        (
            &[("FORCE_HYPERLINK", "0"), ("WT_SESSION", "1")],
            "snapexport status",
        ),
        (&able, "snapexport status | cat"),
        (&able, "snapexport status -o json"),
        (&able, "snapexport --sandbox status"),
    ] {
        let output = written(&user, variables, script);
        assert!(
            !output.contains("\x1b]8;"),
            "{variables:?} {script}: {output:?}"
        );
    }
}

/// A command that keeps its input and its variables under the task's id.
fn keep(user: &User) -> String {
    let home = user.home.path().display().to_string();
    format!(
        "cat > {home}/$SNAPEXPORT_TASK_ID.json; env | grep ^SNAPEXPORT_ | sort > {home}/$SNAPEXPORT_TASK_ID.env; echo told of $SNAPEXPORT_TASK_ID"
    )
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
        "SNAPEXPORT_REGION=eu-west-2".into(),
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
}

#[test]
fn a_slow_on_done_command_delays_no_look_and_is_let_finish() {
    let clouds = Clouds::start(Duration::from_millis(500));
    let user = User::of(&clouds);
    let first = start(&user);
    std::thread::sleep(Duration::from_millis(800));
    let second = start(&user);
    let home = user.home.path().display().to_string();
    let command = format!("sleep 3; touch {home}/$SNAPEXPORT_TASK_ID.end");
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
    let begun = Instant::now();
    let stdout = child.stdout.take().expect("piped");
    let lines: Vec<String> = std::io::BufRead::lines(std::io::BufReader::new(stdout))
        .take(2)
        .map(|line| line.expect("text"))
        .collect();
    assert_eq!(lines.len(), 2);
    let both_known = begun.elapsed();
    assert!(
        !user.home.path().join(format!("{first}.end")).exists(),
        "{both_known:?}"
    );
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
    std::thread::sleep(Duration::from_millis(1200));
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

#[test]
fn sigusr1_tells_where_things_stand_also_with_quiet_and_ends_nothing() {
    let clouds = Clouds::start(Duration::from_secs(3600));
    let user = User::of(&clouds);
    let id = start(&user);
    for option in ["--quiet", "--progress=never", "--events"] {
        let child = spawn(&user, &["wait", &id, option]);
        std::thread::sleep(Duration::from_secs(1));
        for _ in 0..2 {
            signal(&child, "USR1");
            std::thread::sleep(Duration::from_millis(400));
        }
        signal(&child, "TERM");
        let ran = Ran::from(child.wait_with_output().expect("it ends"), &["wait"]);
        let told: Vec<&str> = ran
            .stderr
            .lines()
            .filter(|line| line.contains("; last answer "))
            .collect();
        assert_eq!(told.len(), 2, "{option}: {}", ran.all());
        let name = format!("s] outscale/{id}: ");
        assert!(
            told[0].starts_with('[') && told[0].contains(&name),
            "{}",
            ran.all()
        );
        assert!(
            told[0].contains(" %, ") || told[0].contains(" %; "),
            "{}",
            ran.all()
        );
        assert!(
            told[0].contains("ago, next look in ") || told[0].contains("asking now"),
            "{}",
            ran.all()
        );
        assert_eq!(ran.code, None, "{}", ran.all());
    }
}

#[test]
fn sigusr1_does_not_disturb_the_bars() {
    let clouds = Clouds::start(Duration::from_secs(3));
    let user = User::of(&clouds);
    let id = start(&user);
    let script = format!("snapexport wait {id} -o id & sleep 1; kill -USR1 $!; wait");
    let last = screens(&written(&user, &[], &script))
        .pop()
        .expect("a screen");
    assert_eq!(last.matches("last answer").count(), 1, "{last}");
    assert_eq!(last.matches('✓').count(), 1, "{last}");
    // The bar alone is drawn once; the line that was asked for has its percentage too.
    assert_eq!(
        last.lines().filter(|line| line.contains('━')).count(),
        1,
        "{last}"
    );
}
