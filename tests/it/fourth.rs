//! A fourth cloud, which nothing but this test names: the whole program knows it once it is registered.

use std::process::Command;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use snapexport::commands::Ending;
use snapexport::provider::{
    self, Configured, Entry, ExportArguments, Forms, PlaceOption, Provider, Shape, Typed,
};
use snapexport::settings::Env;
use snapexport::task::{State, Target};

use crate::fake::{self, Destination, Fake, Made, Sight};
use crate::program::{Ran, User};

/// Its value are the arguments of a process that is to be the program.
const ARGUMENTS: &str = "FOURTH_ARGUMENTS";
/// The ids of exports that have ended in that cloud, which lives no longer than a process.
const ENDED: &str = "FOURTH_ENDED";

/// Disks to a shelf
#[derive(clap::Args)]
struct Arguments {
    /// The disks
    #[arg(required = true, value_name = "SNAPSHOT")]
    disks: Vec<String>,
    /// The shelf
    #[arg(long, value_name = "NAME")]
    shelf: String,
}

impl From<Arguments> for Typed {
    fn from(args: Arguments) -> Self {
        let shelf = args.shelf;
        Typed::new(args.disks, Target::new(&Destination::Shelf { shelf }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    region: Option<String>,
}

fn entry() -> Entry {
    Entry {
        id: fake::ID,
        title: "A cloud in memory",
        export: ExportArguments::of::<Arguments>(),
        forms: Forms::of::<Destination, Made>(),
        place: Some(PlaceOption {
            word: "shelf",
            help: "Look whether this shelf is there",
        }),
        is_source: |word| word.starts_with("disk-"),
        shape: |id| match id.starts_with("fake-") {
            true => Shape::Sure,
            false => Shape::No,
        },
        connect: |sources, _| {
            let ended = sources
                .var(ENDED)
                .map(|id| (id, &[Sight::Ended(State::Completed)][..]));
            let cloud = Fake::with(ended.as_slice());
            Box::pin(async { Ok(Arc::new(cloud) as Arc<dyn Provider>) })
        },
        console: |_| None,
        regions: || vec!["nowhere"],
        section: |section| {
            let own: Profile = section.read()?;
            Ok(Configured {
                region: own.region,
                has_secret: false,
            })
        },
        variables: &[ENDED],
        files: &[],
        profiles: |_| Vec::new(),
        rivals: |_| None,
        secret_files: |_| Vec::new(),
        no_cancel: None,
    }
}

/// Is the program, with the fourth cloud, if this process was started for that.
fn be_the_program() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    provider::register(entry());
    let arguments: Vec<String> = serde_json::from_str(&arguments).expect("words");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match runtime.block_on(snapexport::run(arguments, Env::from_process())) {
        Ending::Code(code) => std::process::exit(code.into()),
        Ending::Signal(number) => panic!("signal {number}"),
    }
}

/// Runs this very test again, as the program.
fn run(user: &User, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let words: Vec<&str> = std::iter::once("snapexport")
        .chain(args.iter().copied())
        .collect();
    let as_user = user.command(&[]);
    let of_user = as_user
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME, "--nocapture"])
        .env_clear()
        .envs(of_user)
        .envs(variables.iter().copied())
        .env("SNAPEXPORT_INTERVAL", "10ms")
        .env(ARGUMENTS, json!(words).to_string())
        .output()
        .expect("it runs");
    // What the test harness says first.
    let said = output.stdout.strip_prefix(b"\nrunning 1 test\n");
    output.stdout = said.expect("the test ran").to_vec();
    Ran::unchecked(output, args)
}

const NAME: &str = "fourth::a_cloud_that_is_registered_is_known_everywhere";

#[test]
fn a_cloud_that_is_registered_is_known_everywhere() {
    be_the_program();
    let user = User::new();
    let ended = [(ENDED, "fake-0")];
    exports(&user);
    stays_known(&user, &ended);
    is_offered(&user);
    is_examined(&user);
    reads_its_section(&user);
}

fn json_of(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let line = ran.stdout.lines().next().expect("a line");
    serde_json::from_str(line).expect("JSON")
}

fn exports(user: &User) {
    let asked = ["export", "fake", "disk-1", "--shelf", "a-1"];
    let dry = run(
        user,
        &[&asked[..], &["--dry-run", "-o", "json"]].concat(),
        &[],
    );
    assert_eq!(json_of(&dry)["body"], "disk-1");
    let task = json_of(&run(
        user,
        &[&asked[..], &["--wait", "-o", "json"]].concat(),
        &[],
    ));
    assert_eq!(task["provider"], "fake");
    assert_eq!(task["state"], "completed");
    assert_eq!(task["target"], json!({"kind": "shelf", "shelf": "a-1"}));
    assert_eq!(task["artifact"]["kind"], "box");
    assert_eq!(task["artifact"]["exact"], true);
    let started = run(user, &asked, &[]);
    assert!(
        started.stderr.contains("disk-1 → shelf a-1"),
        "{}",
        started.all()
    );
    let unsure = run(user, &["export", "disk-1"], &[]);
    assert_eq!(unsure.code, Some(2), "{}", unsure.all());
    assert!(
        unsure.stderr.contains("snapexport export fake disk-1"),
        "{}",
        unsure.all()
    );
}

fn stays_known(user: &User, ended: &[(&str, &str)]) {
    let listed = json_of(&run(user, &["list", "fake", "-o", "json"], ended));
    assert_eq!(listed["id"], "disk-1");
    for command in ["status", "wait"] {
        let task = json_of(&run(user, &[command, "fake-0", "-o", "json"], ended));
        assert_eq!(task["state"], "completed", "{command}");
    }
    let by_place = run(user, &["status", "--all", "--name", "a-1"], ended);
    assert!(by_place.stdout.contains("fake-0"), "{}", by_place.all());
    let remote = run(user, &["status", "--remote", "--provider", "fake"], ended);
    assert!(remote.stdout.contains("fake-0"), "{}", remote.all());
}

fn is_offered(user: &User) {
    for (typed, expected) in [
        (&["export", ""][..], "fake\tDisks to a shelf"),
        (&["list", ""], "fake"),
        (&["export", "fake", "--shelf", ""], "a-1"),
        (&["export", "fake", ""], "disk-1\tfake, completed"),
        (&["wait", "fake"], "fake-0\tdisk-1, completed"),
        (
            &["doctor", "--sh"],
            "--shelf\tLook whether this shelf is there",
        ),
        (&["export", "fake", "--region", ""], "nowhere\tfake"),
    ] {
        let words = [&["--", "snapexport"], typed].concat();
        let ran = run(user, &words, &[("_SNAPEXPORT_COMPLETE", "fish")]);
        let is_there = ran.stdout.lines().any(|line| line.starts_with(expected));
        assert!(is_there, "{typed:?}: {}", ran.all());
    }
}

fn is_examined(user: &User) {
    let sheet = json_of(&run(
        user,
        &["doctor", "fake", "--shelf", "a-1", "-o", "json"],
        &[],
    ));
    assert_eq!(sheet["provider"], "fake");
    let check = &sheet["checks"][0];
    assert_eq!(
        (&check["name"], &check["result"]),
        (&json!("shelf"), &json!("ok"))
    );
    let nobody = run(user, &["doctor", "outscale", "--shelf", "a-1"], &[]);
    assert!(
        nobody.stderr.contains("--shelf is of no use"),
        "{}",
        nobody.all()
    );
}

fn reads_its_section(user: &User) {
    let folder = user.home.path().join("config");
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |text: &str| {
        std::fs::write(folder.join("config.toml"), text).expect("it is written");
        run(user, &["list", "fake"], &[])
    };
    let good = write("[profile.home.fake]\nregion = \"attic\"\n");
    assert_eq!(good.code, Some(0), "{}", good.all());
    let bad = write("[profile.home.fake]\ncolour = \"red\"\n");
    assert_eq!(bad.code, Some(2), "{}", bad.all());
    assert!(bad.stderr.contains("line 2"), "{}", bad.all());
}
