//! The recording at the top of the README: made by running the program in a terminal (`docs/recording/make`), and held against it.

mod svg;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::session::{Options, spawn_with_options};

use crate::program::{User, program};

const COLUMNS: u16 = 80;
const ROWS: u16 = 16;
/// Time between two looks at the screen.
const TICK: Duration = Duration::from_millis(125);

/// What is typed, as one line and as it stands on the screen.
const TYPED: &str =
    "snapexport --sandbox export outscale snap-0a1b2c3d snap-deadbeef --bucket demo --wait";
const SHOWN: &str = r#"$ snapexport --sandbox export outscale snap-0a1b2c3d snap-deadbeef \\\n>     --bucket demo --wait\n"#;

/// A screen, and how long it stood.
pub struct Frame {
    screen: vt100::Screen,
    stood: Duration,
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/recording/export.svg")
}

/// Runs the export of the recording, which takes this long in the cloud.
fn run(duration: &str) -> Vec<Frame> {
    let user = User::new().with("SNAPEXPORT_SANDBOX_DURATION", duration);
    let typed = TYPED.replace("snapexport", &program().display().to_string());
    let script = format!(
        "stty cols {COLUMNS} rows {ROWS}; printf '{SHOWN}'; {typed}; code=$?; printf '$ echo $?\\n%s\\n' $code"
    );
    let own = user.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .envs(own.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8");
    let options = Options::new().timeout_ms(Some(60_000));
    let mut session = spawn_with_options(command, options).expect("a terminal");
    let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
    let mut frames: Vec<Frame> = Vec::new();
    let mut changed = Instant::now();
    loop {
        let is_over = session.process().status() != Some(rexpect::process::WaitStatus::StillAlive);
        std::thread::sleep(TICK);
        // It hands out each byte as a character of its own.
        let output: Vec<u8> = std::iter::from_fn(|| session.try_read())
            .map(|byte| byte as u8)
            .collect();
        parser.process(&output);
        let screen = parser.screen().clone();
        let is_new = frames
            .last()
            .is_none_or(|last| last.screen.contents_formatted() != screen.contents_formatted());
        if is_new {
            if let Some(last) = frames.last_mut() {
                last.stood = changed.elapsed();
            }
            changed = Instant::now();
            let stood = Duration::ZERO;
            frames.push(Frame { screen, stood });
        }
        if is_over {
            return frames;
        }
    }
}

/// The words of a screen; what differs from run to run holds a digit.
fn words(text: &str) -> Vec<String> {
    let word = |word: &str| {
        if word.contains(|c: char| c.is_ascii_digit()) {
            "#".to_owned()
        } else {
            word.to_owned()
        }
    };
    text.split_whitespace().map(word).collect()
}

#[test]
fn the_recording_in_the_readme_ends_as_the_program_does_today() {
    let is_made = std::env::var_os("SNAPEXPORT_RECORD").is_some();
    let frames = run(if is_made { "6s" } else { "1s" });
    let last = svg::text(&frames.last().expect("a frame").screen);
    if is_made {
        std::fs::write(file(), svg::draw(&frames)).expect("written");
    }
    let drawn = std::fs::read_to_string(file()).expect("the recording");
    assert_eq!(
        words(&svg::description(&drawn)),
        words(&last),
        "docs/recording/make records it anew"
    );
    // What is drawn is what is described.
    assert_eq!(words(&svg::last_frame(&drawn)), words(&last));
    assert!(drawn.len() < 60_000, "{} bytes", drawn.len());
    let readme = include_str!("../../README.md");
    assert!(readme.contains("(docs/recording/export.svg)"));
}

#[test]
fn the_recording_shows_a_bar_on_its_way_and_names_no_path_of_a_machine() {
    let drawn = std::fs::read_to_string(file()).expect("the recording");
    for words in ["uploading", "completed", "failed", "left"] {
        assert!(drawn.contains(words), "{words}");
    }
    for path in [
        "/tmp/",
        "/home/",
        env!("CARGO_MANIFEST_DIR"),
        "/target/",
        "127.0.0.1",
    ] {
        assert!(!drawn.contains(path), "{path}");
    }
}
