//! The bars as a person sees them: the program in a pseudo-terminal, its output fed to a terminal emulator.

use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::session::{Options, spawn_with_options};

use crate::program::{Clouds, User, program};
use crate::stage::side_by_side;

const ROWS: u16 = 30;
/// Nothing is drawn before.
const QUIET_START: Duration = Duration::from_millis(250);

/// What happened on a screen.
struct Seen {
    /// Each different screen, in order, trailing blanks removed.
    frames: Vec<String>,
}

impl Seen {
    fn last(&self) -> &str {
        self.frames.last().expect("a frame")
    }

    fn any(&self, words: &str) -> bool {
        self.frames.iter().any(|frame| frame.contains(words))
    }
}

/// Runs the program in a terminal of this width. The output is cut where the cursor starts to move up: at redraws.
fn show(user: &User, columns: u16, script: &str) -> Seen {
    let mut command = Command::new("sh");
    let script = format!(
        "stty cols {columns} rows {ROWS}; {}",
        script.replace("snapexport", &program().display().to_string())
    );
    let plain = user.command(&[]);
    command
        .args(["-c", &script])
        .env_clear()
        .envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))));
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
    let options = Options::new().timeout_ms(Some(30_000));
    let mut session = spawn_with_options(command, options).expect("a terminal");
    // It hands out each byte as a character of its own.
    let output: Vec<u8> = session
        .exp_eof()
        .expect("it ends")
        .chars()
        .map(|byte| byte as u8)
        .collect();
    let mut parser = vt100::Parser::new(ROWS, columns, 0);
    let mut frames: Vec<String> = Vec::new();
    for part in output.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
        parser.process(part);
        let frame = parser.screen().contents().trim_end().to_owned();
        if frames.last() != Some(&frame) {
            frames.push(frame);
        }
    }
    Seen { frames }
}

const OUTSCALE: &str = "snapexport export outscale snap-0a1b2c3d --bucket demo --wait";
const LIGHTSAIL: &str = "snapexport export lightsail web-1 --wait";
const RACKSPACE: &str =
    "snapexport export rackspace 7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21 --container exports --wait";

#[test]
fn the_bar_shows_percent_and_an_estimate_where_the_cloud_gives_percent() {
    side_by_side(2, vec![80, 40], |columns| {
        let clouds = Clouds::start(Duration::from_secs(3));
        let user = User::of(&clouds);
        let seen = show(&user, columns, OUTSCALE);
        let uploading = if columns == 80 {
            " % uploading "
        } else {
            "s uploading"
        };
        assert!(seen.any(uploading), "{columns}: {:#?}", seen.frames);
        assert_eq!(
            seen.any("left"),
            columns == 80,
            "{columns}: {:#?}",
            seen.frames
        );
        assert!(
            seen.last().contains("100 % ") && seen.last().contains("completed"),
            "{columns}: {}",
            seen.last()
        );
        assert!(
            seen.last().contains("✓ snap-0a1b"),
            "{columns}: {}",
            seen.last()
        );
    });
}

#[test]
fn the_spinner_shows_the_flag_where_the_cloud_gives_a_flag() {
    side_by_side(2, vec![80, 40], |columns| {
        let clouds = Clouds::start(Duration::from_secs(2));
        let user = User::of(&clouds);
        let seen = show(&user, columns, LIGHTSAIL);
        if columns == 40 {
            assert!(seen.any("Started  false"), "{:#?}", seen.frames);
            return;
        }
        assert!(seen.any("Started  isTerminal: false"), "{:#?}", seen.frames);
        // The operation has ended, its record has not: the export goes on.
        assert!(seen.any("Started  isTerminal: true"), "{:#?}", seen.frames);
        assert!(seen.last().contains("✓ web-1"), "{}", seen.last());
    });
}

#[test]
fn the_steps_are_shown_where_the_cloud_gives_a_word() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    let wide = show(&user, 80, RACKSPACE);
    assert!(
        wide.any("pending → [processing] → success"),
        "{:#?}",
        wide.frames
    );
    assert!(
        wide.last().contains("pending → processing → [success]"),
        "{}",
        wide.last()
    );
}

#[test]
fn a_narrow_terminal_shows_one_line_a_task_and_no_debris() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    side_by_side(3, vec![OUTSCALE, LIGHTSAIL, RACKSPACE], |script| {
        let seen = show(&user, 40, script);
        let bars = seen.last().matches('✓').count();
        assert_eq!(bars, 1, "{}", seen.last());
        for frame in &seen.frames {
            assert!(!frame.contains("[1A") && !frame.contains("[2K"), "{frame}");
        }
    });
}

#[test]
fn past_ten_tasks_one_bar_counts_them() {
    let clouds = Clouds::start(Duration::from_secs(2));
    let user = User::of(&clouds);
    let starts: Vec<String> = (0..12)
        .map(|_| {
            user.run(&[
                "export",
                "outscale",
                "snap-0a1b2c3d",
                "--bucket",
                "demo",
                "--new",
            ])
            .id()
        })
        .collect();
    let seen = show(
        &user,
        80,
        &format!("snapexport wait {} -o id", starts.join(" ")),
    );
    assert!(seen.any("0 of 12 ended"), "{:#?}", seen.frames.first());
    assert!(seen.any("12 of 12 ended"), "{}", seen.last());
}

#[test]
fn nothing_is_drawn_for_what_is_over_at_once() {
    let clouds = Clouds::start(Duration::from_millis(100));
    let user = User::of(&clouds);
    let id = user
        .run(&["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"])
        .id();
    std::thread::sleep(Duration::from_millis(150));
    let script = format!("snapexport wait {id} -o id");
    let tries: Vec<(Duration, bool)> = (0..8)
        .map(|_| {
            let began = Instant::now();
            let is_drawn = show(&user, 80, &script).any("━");
            (began.elapsed(), is_drawn)
        })
        .collect();
    // On a busy machine one may last long enough to be drawn, but no shorter one is, and not all are.
    let is_right = |(took, is_drawn): &(Duration, bool)| !is_drawn || *took >= QUIET_START;
    assert!(tries.iter().all(is_right), "{tries:?}");
    assert!(tries.iter().any(|(_, is_drawn)| !is_drawn), "{tries:?}");
}

#[test]
fn an_interrupt_says_how_to_resume_and_dies_by_the_signal() {
    let clouds = Clouds::start(Duration::from_secs(3600));
    let user = User::of(&clouds);
    let id = user
        .run(&["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"])
        .id();
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let child = user
            .command(&["wait", &id])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("it runs");
        std::thread::sleep(Duration::from_millis(700));
        let kill = format!("kill -{signal} {}", child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .expect("a shell")
                .success()
        );
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            stderr.contains(&format!("Resume with: snapexport wait {id}")),
            "{stderr}"
        );
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&output.status),
            Some(number),
            "{stderr}"
        );
    }
}
