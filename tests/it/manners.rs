//! How the program behaves in a terminal, and towards whoever asks or wants to be told.

use std::process::{Command, Stdio};
use std::time::Duration;

use rexpect::session::{Options, spawn_with_options};

use crate::program::{Clouds, Ran, User, program};
use crate::stage::side_by_side;

const ROWS: u16 = 30;
const EXPORT: &str = "snapexport export outscale snap-0a1b2c3d --bucket demo --wait";
/// What a script prints where it changes the width of its terminal: `ESC ] 777 ; COLUMNS BEL`.
const RESIZED: &str = "\x1b]777;";
const CLEARED: &str = "\x1b]9;4;0;\x1b\\";

/// What a script writes to a terminal of 80 columns, as characters and escapes.
pub(crate) fn written(user: &User, variables: &[(&str, &str)], script: &str) -> String {
    let script = format!(
        "stty cols 80 rows {ROWS}; {}",
        script.replace("snapexport ", &format!("{} ", program().display()))
    );
    let plain = user.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        // nohup writes where it is.
        .current_dir(user.home.path())
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
pub(crate) fn screens(output: &str) -> Vec<String> {
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

pub(crate) fn start(user: &User) -> String {
    start_of(user, "snap-0a1b2c3d")
}

/// An export of this snapshot fails half way.
pub(crate) const FAILING: &str = "snap-deadbeef";

pub(crate) fn start_of(user: &User, snapshot: &str) -> String {
    user.run(&["export", "outscale", snapshot, "--bucket", "demo", "--new"])
        .id()
}

pub(crate) fn spawn(user: &User, args: &[&str]) -> std::process::Child {
    user.command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs")
}

pub(crate) fn signal(child: &std::process::Child, name: &str) {
    let kill = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(kill.expect("kill runs").success());
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
    let clouds = Clouds::start(Duration::from_secs(9));
    let user = User::of(&clouds);
    let ids = [start(&user), start(&user)];
    let script = format!(
        "echo before; snapexport wait {} -o id & sleep 3; \
         stty cols 40 </dev/tty; printf '\\033]777;40\\007'; sleep 3; \
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

/// Runs this in the foreground, as a shell ignores Ctrl-C in the background, and that after two seconds, with its process
/// id as `child`.
fn signalled(foreground: &str, then: &str) -> String {
    format!(
        "file=child-$$; export file; (sleep 2; child=$(cat $file); {then}) & sh -c 'echo $$ >$file; exec {foreground}'; wait"
    )
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
    let scenes = [
        (&user, format!("{EXPORT} --new")),
        (&waiting, format!("{wait} --timeout 2s")),
        (&waiting, signalled(&wait, "kill -INT $child")),
        (&waiting, format!("{wait} & sleep 2; kill -TERM $!; wait")),
        (&waiting, signalled(&wait, "kill -QUIT $child")),
        (&waiting, format!("{wait} & sleep 2; kill -HUP $!; wait")),
        (
            &waiting,
            signalled(&wait, "kill -INT $child; kill -INT $child"),
        ),
        (
            &waiting,
            format!("{wait} --timeout 2s -o json --events | true"),
        ),
        (&waiting, format!("{wait} -v --timeout 2s")),
    ];
    side_by_side(3, scenes.into(), |(user, script)| {
        let output = written(user, &known, &script);
        let last = output.rfind("\x1b]9;4;").map(|at| &output[at..]);
        assert!(output.contains("\x1b]9;4;1;"), "{script}: {output:?}");
        assert!(
            last.is_some_and(|last| last.starts_with(CLEARED)),
            "{script}: {output:?}"
        );
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_wait_under_nohup_outlives_its_terminal() {
    let clouds = Clouds::start(Duration::from_secs(3));
    let user = User::of(&clouds);
    let id = start(&user);
    let script = format!(
        "nohup snapexport wait {id} -q 2>/dev/null & sleep 1; kill -HUP $!; wait $!; echo ended with $?"
    );
    let output = written(&user, &[], &script);
    assert!(output.contains("ended with 0"), "{output:?}");
}

#[test]
fn progress_in_the_taskbar_is_indeterminate_without_percent_and_an_error_for_a_failure() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    let known = [("TERM_PROGRAM", "ghostty")];
    let flag = written(&user, &known, "snapexport export lightsail web-1 --wait");
    // Percent come only at the end, from EC2.
    let unknown = flag.find("\x1b]9;4;3;\x1b\\").expect("indeterminate");
    let percent = flag.find("\x1b]9;4;1;").expect("percent");
    let ended = flag.find("isTerminal: true").expect("Lightsail is done");
    assert!(unknown < ended && ended < percent, "{flag:?}");
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
    let scenes = [
        (&[][..], again.clone()),
        (&[known, ("TMUX", "/tmp/tmux-0/default,1,0")], again.clone()),
        (&[known, ("STY", "1.pts-0")], again.clone()),
        (&[known, ("TERM", "dumb")], again.clone()),
        (&[known], format!("{again} --progress never")),
        (&[known], format!("{again} --quiet")),
        (&[known], format!("{again} 2>&1 | cat")),
    ];
    side_by_side(4, scenes.into(), |(variables, script)| {
        let output = written(&user, variables, &script);
        assert!(
            !output.contains("\x1b]9;"),
            "{variables:?} {script}: {output:?}"
        );
    });
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
    // A person sees the same table; the second in which it was seen to end may be the next.
    let shown = |output: &str| screens(output).join("").replace(", 1s", ", 0s");
    let plain = written(&user, &[], "snapexport status");
    assert!(!plain.contains("\x1b]8;"), "{plain:?}");
    assert_eq!(shown(&linked), shown(&plain));
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

#[test]
fn sigusr1_tells_where_things_stand_also_with_quiet_and_ends_nothing() {
    let clouds = Clouds::start(Duration::from_secs(3600));
    let user = User::of(&clouds);
    let id = start(&user);
    let options = [
        &["--quiet"][..],
        &["--progress=never"],
        &["--events", "-o", "json"],
    ];
    side_by_side(options.len(), options.into(), |options| {
        let child = spawn(&user, &[&["wait", &id], options].concat());
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
        assert_eq!(told.len(), 2, "{options:?}: {}", ran.all());
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
    });
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

#[test]
fn sigusr1_in_the_middle_of_a_start_ends_nothing() {
    let clouds = Clouds::start(Duration::from_secs(3600));
    let slow = "outscale:CreateSnapshotExportTask:1:delay=2s";
    clouds.set_faults(vec![slow.parse().expect("a fault")]);
    let user = User::of(&clouds);
    let args = ["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"];
    let child = spawn(&user, &args);
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "USR1");
    let ran = Ran::from(child.wait_with_output().expect("it ends"), &args);
    assert!(ran.id().starts_with("snap-export-"), "{}", ran.all());
}

#[cfg(unix)]
#[test]
fn where_too_few_files_may_be_open_that_is_an_error_and_no_defect() {
    let user = User::new();
    let limited = |limit: &str, args: &[&str]| {
        let usual = user.command(args);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
        command.stdin(std::process::Stdio::null());
        command
            .arg(usual.get_program())
            .args(usual.get_args())
            .env_clear();
        command.envs(
            usual
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Ran::from(command.output().expect("it runs"), args)
    };
    // With fewer still, the system does not get as far as the program.
    for files in 6..=20 {
        let ran = limited(&format!("-n {files}"), &["status", "-o", "json"]);
        assert_eq!(ran.code, Some(1), "{files}: {}", ran.all());
        assert_eq!(ran.json_error()["kind"], "internal", "{}", ran.all());
        assert!(ran.stderr.contains("ulimit -n 1024"), "{}", ran.all());
        assert!(!ran.stderr.contains("defect"), "{}", ran.all());
    }
    for files in 3..6 {
        let ran = limited(&format!("-n {files}"), &["status"]);
        assert_ne!(ran.code, Some(0), "{files}: {}", ran.all());
        assert!(!ran.all().contains("defect"), "{files}: {}", ran.all());
    }
    // What this process may change itself, it does.
    let ran = limited("-S -n 8", &["status"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    // A limit that would do, of which others have used up almost all.
    for held in [20, 26, 32, 33, 34, 35] {
        let open: String = (3..held + 3)
            .map(|file| format!(" && exec {file}<&0"))
            .collect();
        let ran = limited(&format!("-n 40{open}"), &["status", "-o", "json"]);
        assert_eq!(ran.code, Some(1), "{held}: {}", ran.all());
        assert!(ran.stderr.contains("ulimit -n 1024"), "{}", ran.all());
        assert!(!ran.stderr.contains("defect"), "{}", ran.all());
    }
}
