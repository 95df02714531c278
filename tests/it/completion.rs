//! Completion: what the Tab key offers, asked as the shells ask, and once in a real bash.

use std::time::Duration;

use crate::program::{Clouds, User, program};

/// What is offered for the last of these words, one candidate a line with its help, as fish asks.
fn offered(user: &User, words: &[&str]) -> Vec<String> {
    let mut args = vec!["--", "snapexport"];
    args.extend(words);
    let output = user
        .command(&args)
        .env("_SNAPEXPORT_COMPLETE", "fish")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The candidates alone, without options.
fn words(user: &User, typed: &[&str]) -> Vec<String> {
    offered(user, typed)
        .into_iter()
        .filter_map(|line| line.split('\t').next().map(str::to_owned))
        .filter(|word| !word.starts_with('-'))
        .collect()
}

fn write(user: &User, path: &str, text: &str) {
    let path = user.home.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
    std::fs::write(path, text).expect("it is written");
}

/// A user with one task that ended, and a later one that has not.
fn exporter(clouds: &Clouds) -> (User, String, String) {
    let user = User::of(clouds);
    let ended = [
        "export",
        "outscale",
        "snap-0a1b2c3d",
        "--bucket",
        "demo",
        "--wait",
    ];
    let ended = user
        .run(&ended)
        .stdout
        .lines()
        .next()
        .expect("an id")
        .to_owned();
    let open = user.run(&["export", "outscale", "snap-deadbeef", "--bucket", "attic"]);
    (user, ended, open.id())
}

#[test]
fn tasks_are_offered_with_those_under_way_first() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let (user, ended, open) = exporter(&clouds);
    let lines = offered(&user, &["wait", "snap-export"]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    // What the journal saw last counts: nobody is asked.
    assert!(
        lines[0].starts_with(&format!("{open}\tsnap-deadbeef, pending")),
        "{lines:?}"
    );
    assert_eq!(lines[1], format!("{ended}\tsnap-0a1b2c3d, completed 100 %"));
    for command in ["status", "wait"] {
        assert!(words(&user, &[command, ""]).contains(&ended), "{command}");
    }
}

#[test]
fn a_qualified_task_is_completed_in_its_form_and_what_stands_there_is_not_offered_again() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let (user, ended, open) = exporter(&clouds);
    assert_eq!(
        words(&user, &["wait", "outscale/"]),
        [format!("outscale/{open}"), format!("outscale/{ended}")]
    );
    assert_eq!(words(&user, &["wait", "lightsail/"]), Vec::<String>::new());
    assert_eq!(words(&user, &["wait", &open, "snap-export"]), [ended]);
}

#[test]
fn snapshots_buckets_and_containers_seen_are_offered_for_their_own_cloud() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let (user, ..) = exporter(&clouds);
    user.run(&["export", "lightsail", "web-1"]).id();
    assert_eq!(
        words(&user, &["export", "outscale", ""]),
        ["snap-deadbeef", "snap-0a1b2c3d"]
    );
    assert_eq!(words(&user, &["export", "lightsail", ""]), ["web-1"]);
    assert_eq!(
        words(&user, &["export", "outscale", "x", "--bucket", ""]),
        ["attic", "demo"]
    );
    assert_eq!(
        words(&user, &["export", "outscale", "x", "--bucket", "d"]),
        ["demo"]
    );
    assert_eq!(
        words(&user, &["export", "rackspace", "x", "--container", ""]),
        Vec::<String>::new()
    );
}

#[test]
fn what_was_listed_and_can_be_exported_is_offered() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let user = User::of(&clouds);
    assert_eq!(
        words(&user, &["export", "outscale", "snap-"]),
        Vec::<String>::new()
    );
    user.run(&["list", "outscale"]);
    user.run(&["list", "lightsail", "--name", "db*"]);
    let lines = offered(&user, &["export", "outscale", "snap-"]);
    assert!(
        lines.contains(&"snap-1b2c3d4e\tdatabase".to_owned()),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("snap-3d4e5f60")),
        "{lines:?}"
    );
    // What a filter left out was seen as well.
    let names = words(&user, &["export", "lightsail", ""]);
    assert!(names.contains(&"web-1".to_owned()), "{names:?}");
}

#[test]
fn profiles_come_from_every_configuration_and_are_those_of_the_cloud_that_is_named() {
    let user = User::new();
    write(
        &user,
        "config/config.toml",
        "[profile.work.outscale]\nregion = \"eu-west-2\"\n[profile.away.lightsail]\nregion = \"eu-west-9\"\n",
    );
    write(
        &user,
        ".osc/config.json",
        r#"{"osc-main": {"access_key": "AK"}}"#,
    );
    write(
        &user,
        ".aws/config",
        "[default]\nregion = x\n[profile backup]\n[sso-session corp]\n",
    );
    write(
        &user,
        ".aws/credentials",
        "[keys-only]\naws_access_key_id = AK\n",
    );
    write(
        &user,
        ".config/openstack/clouds.yaml",
        "clouds:\n  rax:\n    region_name: DFW\n",
    );
    assert_eq!(
        words(&user, &["--profile", ""]),
        [
            "away",
            "backup",
            "default",
            "keys-only",
            "osc-main",
            "rax",
            "work"
        ]
    );
    assert_eq!(
        words(&user, &["list", "rackspace", "--profile", ""]),
        ["away", "rax", "work"]
    );
    assert_eq!(
        words(&user, &["export", "outscale", "x", "--bucket-profile", "o"]),
        ["osc-main"]
    );
}

#[test]
fn regions_are_those_seen_configured_and_known() {
    let user = User::new();
    write(
        &user,
        "config/config.toml",
        "[profile.work.lightsail]\nregion = \"xx-own-1\"\n",
    );
    let regions = words(&user, &["list", "lightsail", "--region", ""]);
    assert_eq!(regions[0], "xx-own-1");
    assert!(regions.contains(&"eu-west-3".to_owned()), "{regions:?}");
    assert!(
        !regions.contains(&"us-west-1".to_owned()),
        "there is no Lightsail there"
    );
    assert_eq!(
        words(&user, &["list", "rackspace", "--region", "D"]),
        ["DFW"]
    );
    assert_eq!(
        offered(&user, &["list", "outscale", "--region=eu"]),
        ["--region=eu-west-2\toutscale"]
    );
}

#[test]
fn providers_commands_and_options_are_offered() {
    let user = User::new();
    assert_eq!(
        words(&user, &["list", ""]),
        ["outscale", "lightsail", "rackspace"]
    );
    assert_eq!(words(&user, &["completions", "p"]), ["powershell"]);
    assert!(words(&user, &["w"]).contains(&"wait".to_owned()));
    assert!(offered(&user, &["wait", "--time"])[0].starts_with("--timeout"));
}

#[test]
fn completion_makes_no_file_and_asks_nobody() {
    // An endpoint that would be asked does not exist, and no file is there afterwards.
    let user = User::new()
        .with("OSC_ENDPOINT_API", "http://127.0.0.1:1")
        .with("OSC_ACCESS_KEY", "AK")
        .with("OSC_SECRET_KEY", "SK");
    assert_eq!(words(&user, &["wait", ""]), Vec::<String>::new());
    assert!(!user.state().exists());
    let clouds = Clouds::start(Duration::from_millis(300));
    let (user, ended, _) = exporter(&clouds);
    let files = || {
        let mut names: Vec<_> = std::fs::read_dir(user.state())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let before = files();
    drop(clouds);
    assert!(words(&user, &["wait", ""]).contains(&ended));
    assert_eq!(files(), before);
}

#[test]
fn while_another_process_writes_completion_still_answers() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let (user, ended, _) = exporter(&clouds);
    let path = user.state().join("journal.db");
    let connection = rusqlite::Connection::open(&path).expect("it opens");
    connection
        .execute_batch("BEGIN IMMEDIATE; UPDATE task SET seen_at = seen_at;")
        .expect("a lock");
    assert!(words(&user, &["wait", ""]).contains(&ended));
}

#[test]
fn whatever_is_broken_completion_is_silent_and_empty() {
    let user = User::new();
    write(&user, "state/journal.db", "this is no journal");
    write(&user, "config/config.toml", "no = configuration");
    write(&user, ".osc/config.json", "[");
    write(&user, ".config/openstack/clouds.yaml", "clouds: [");
    assert_eq!(words(&user, &["wait", ""]), Vec::<String>::new());
    assert_eq!(words(&user, &["--profile", ""]), Vec::<String>::new());
    let text = std::fs::read_to_string(user.state().join("journal.db")).expect("still there");
    assert_eq!(text, "this is no journal");
    for (shell, args) in [
        ("tcsh", &["--", "snapexport", ""][..]),
        ("bash", &[]),
        ("bash", &["--"]),
    ] {
        let output = user
            .command(args)
            .env("_SNAPEXPORT_COMPLETE", shell)
            .output()
            .expect("it runs");
        assert_eq!(
            (
                output.status.code(),
                output.stdout.len(),
                output.stderr.len()
            ),
            (Some(0), 0, 0),
            "{shell} {args:?}"
        );
    }
}

#[test]
fn a_name_that_a_shell_would_run_is_not_offered() {
    let user = User::new();
    write(
        &user,
        "config/config.toml",
        "[profile.'$(reboot)'.outscale]\n[profile.'a b'.outscale]\n[profile.good.outscale]\n",
    );
    assert_eq!(words(&user, &["--profile", ""]), ["good"]);
}

#[test]
fn simulated_tasks_are_offered_with_sandbox_only() {
    let user = User::new().with("SNAPEXPORT_SANDBOX_DURATION", "1s");
    let id = user
        .run(&["--sandbox", "export", "lightsail", "web-1"])
        .id();
    assert_eq!(words(&user, &["--sandbox", "wait", ""]), [id.as_str()]);
    assert_eq!(words(&user, &["wait", ""]), Vec::<String>::new());
    let mut user = user;
    for (value, is_on) in [
        ("True", true),
        ("on", true),
        ("False", false),
        ("NO", false),
    ] {
        user = user.with("SNAPEXPORT_SANDBOX", value);
        let offered = words(&user, &["wait", ""]);
        assert_eq!(offered.contains(&id), is_on, "{value}: {offered:?}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_a_task_with_the_printed_script() {
    let clouds = Clouds::start(Duration::from_millis(300));
    let (user, ended, open) = exporter(&clouds);
    let script = r#"
        source <(snapexport completions bash)
        complete -p snapexport >/dev/null || exit 9
        offer() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9 COMPREPLY=()
            _clap_complete_snapexport snapexport "${@: -1}" "${@: -2:1}" 2>/dev/null
            printf '%s\n' "${COMPREPLY[@]}"
        }
        offer snapexport wait snap-export
        echo --
        offer snapexport list out
        echo --
        offer snapexport export outscale --format = q
    "#;
    let bin = program().parent().expect("a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = std::process::Command::new("bash")
        .args(["--norc", "-c", script])
        .env_clear()
        .envs(
            user.command(&[])
                .get_envs()
                .filter_map(|(k, v)| Some((k, v?))),
        )
        .env("PATH", format!("{bin}:{path}"))
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        lines,
        [&open, &ended, "--", "outscale", "--", "qcow2"],
        "{said}"
    );
}

#[test]
fn every_shells_script_is_printed_as_it_stands_in_the_repository_and_calls_the_program() {
    use snapexport::commands::completions::SHELLS;
    let user = User::new().with("SNAPEXPORT_CONFIG", "/does/not/exist");
    let files: [&str; SHELLS.len()] = [
        "snapexport.bash",
        "_snapexport",
        "snapexport.fish",
        "snapexport.ps1",
        "snapexport.elv",
    ];
    for ((shell, _), file) in SHELLS.into_iter().zip(files) {
        let ran = user.run(&["completions", shell]);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("completions")
            .join(file);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert_eq!(
            ran.stdout,
            std::fs::read_to_string(path).expect("the file"),
            "{shell}"
        );
        let asks = ran.stdout.contains("_SNAPEXPORT_COMPLETE") && ran.stdout.contains(shell);
        assert!(
            asks && ran.stdout.contains("snapexport"),
            "{shell}: {}",
            ran.stdout
        );
    }
    assert_eq!(user.run(&["completions", "tcsh"]).code, Some(2));
}
