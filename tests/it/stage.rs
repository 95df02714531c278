//! A cloud of a test's own that misbehaves as it is told, and the user who meets it: for the fault tests.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use snapexport_sandbox::{Fault, Options, World};

use crate::program::{Clouds, Ran, User};

/// An export that ends within a test.
pub const QUICK: Duration = Duration::from_millis(800);
/// An export that does not end within a test.
pub const LONG: Duration = Duration::from_secs(1000);

/// Ten times the delay of the tests' clouds: then a start that is not listed never was.
pub const CLOSING: Duration = Duration::from_secs(10);

/// An export of each cloud that succeeds.
pub const GOOD: [&[&str]; 3] = [
    &["export", "outscale", "snap-0a1b2c3d", "--bucket", "demo"],
    &["export", "lightsail", "web-1"],
    &[
        "export",
        "rackspace",
        "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
        "--container",
        "exports",
    ],
];

/// An export of each cloud that the cloud accepts and fails later.
pub const FAILING: [&[&str]; 3] = [
    &["export", "outscale", "snap-deadbeef", "--bucket", "demo"],
    &["export", "lightsail", "broken-1"],
    &[
        "export",
        "rackspace",
        "deadbeef-0bad-4dad-8bad-c0ffee000bad",
        "--container",
        "exports",
    ],
];

/// A cloud, as the tests speak to it.
pub struct Cloud {
    pub name: &'static str,
    pub export: &'static [&'static str],
    /// An export that fails.
    pub failing: &'static [&'static str],
    /// The call that starts an export,
    pub start: &'static str,
    /// the one that lists exports,
    pub list: &'static str,
    /// and the one that looks at a task.
    pub look: &'static str,
    pub starts: fn(&World) -> u64,
}

pub static CLOUDS: [Cloud; 3] = [
    Cloud {
        name: "outscale",
        export: GOOD[0],
        failing: FAILING[0],
        start: "CreateSnapshotExportTask",
        list: "ReadSnapshotExportTasks",
        look: "ReadSnapshotExportTasks",
        starts: |world| world.outscale.starts,
    },
    Cloud {
        name: "lightsail",
        export: GOOD[1],
        failing: FAILING[1],
        start: "ExportSnapshot",
        list: "GetExportSnapshotRecords",
        look: "GetOperation",
        starts: |world| world.lightsail.starts,
    },
    Cloud {
        name: "rackspace",
        export: GOOD[2],
        failing: FAILING[2],
        start: "create task",
        list: "list tasks",
        look: "show task",
        starts: |world| world.rackspace.starts,
    },
];

/// A cloud of a test's own, with faults, and its user.
pub struct Stage {
    pub cloud: &'static Cloud,
    pub clouds: Clouds,
    pub user: User,
}

impl Stage {
    /// `faults` are of the form `CALL:ATTEMPT:WHAT`, where `start`, `list` and `look` stand for the cloud's own calls.
    pub fn of(cloud: &'static Cloud, duration: Duration, faults: &[&str]) -> Self {
        let faults = faults.iter().map(|fault| parse(cloud, fault)).collect();
        let clouds = Clouds::start_with(Options {
            duration,
            faults,
            ..Options::default()
        });
        let user = User::of(&clouds);
        Stage {
            cloud,
            clouds,
            user,
        }
    }

    /// From now on every limit of the program is ten times shorter.
    pub fn in_haste(mut self) -> Self {
        self.user = self.user.in_haste();
        self
    }

    /// From now on this goes wrong, and only this.
    pub fn now_with(self, fault: &str) -> Self {
        self.clouds.set_faults(vec![parse(self.cloud, fault)]);
        self
    }

    pub fn export(&self, more: &[&str]) -> Ran {
        self.user.run(&[self.cloud.export, more].concat())
    }

    /// Lets this much time pass at once.
    pub fn later(&self, by: Duration) {
        self.clouds.later(&self.user, by);
    }

    /// Waits until so many starts have arrived.
    pub fn wait_for_starts(&self, count: u32) {
        let began = Instant::now();
        while self.count("start") < count {
            let is_patient = began.elapsed() < Duration::from_secs(30);
            assert!(is_patient, "{}: it never came to that", self.cloud.name);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn starts(&self) -> u64 {
        self.clouds.world(|world| (self.cloud.starts)(world))
    }

    pub fn count(&self, call: &str) -> u32 {
        let call = own(self.cloud, call);
        self.clouds
            .world(|world| world.rehearsal.count(self.cloud.name, call))
    }

    /// The export was adopted or started: exit code 0, one id, one start.
    #[track_caller]
    pub fn is_started_once(&self, ran: &Ran) -> String {
        let id = ran.id();
        assert_eq!(self.starts(), 1, "{}", self.told(ran));
        id
    }

    /// It ended with this exit code and said these words.
    #[track_caller]
    pub fn says(&self, ran: &Ran, code: i32, words: &str) {
        assert_eq!(ran.code, Some(code), "{}", self.told(ran));
        assert!(
            ran.stderr.contains(words),
            "no '{words}': {}",
            self.told(ran)
        );
    }

    pub fn told(&self, ran: &Ran) -> String {
        format!("{}: {}", self.cloud.name, ran.all())
    }
}

pub fn own<'a>(cloud: &Cloud, call: &'a str) -> &'a str {
    match call {
        "start" => cloud.start,
        "list" => cloud.list,
        "look" => cloud.look,
        other => other,
    }
}

pub fn parse(cloud: &Cloud, text: &str) -> Fault {
    if text.starts_with("oos:") {
        return text.parse().expect(text);
    }
    let (call, rest) = text.split_once(':').expect("a call");
    let text = format!("{}:{}:{rest}", cloud.name, own(cloud, call));
    text.parse().expect(&text)
}

/// Runs a scene on every cloud, side by side: most of it is waiting.
pub fn on_every_cloud(scene: impl Fn(&'static Cloud) + Sync) {
    std::thread::scope(|scope| {
        for cloud in &CLOUDS {
            let scene = &scene;
            std::thread::Builder::new()
                .name(cloud.name.into())
                .spawn_scoped(scope, move || scene(cloud))
                .expect("a thread");
        }
    });
}

/// Every fault of a table on every cloud, side by side too.
pub fn each(faults: &[&str], scene: impl Fn(&'static Cloud, &str) + Sync) {
    each_of(&CLOUDS, faults, scene);
}

/// Every fault of a table on these clouds.
pub fn each_of(
    clouds: &'static [Cloud],
    faults: &[&str],
    scene: impl Fn(&'static Cloud, &str) + Sync,
) {
    std::thread::scope(|scope| {
        for cloud in clouds {
            for fault in faults {
                let scene = &scene;
                std::thread::Builder::new()
                    .name(format!("{} {fault}", cloud.name))
                    .spawn_scoped(scope, move || scene(cloud, fault))
                    .expect("a thread");
            }
        }
    });
}

/// Runs scenes that have nothing to do with each other, so many at once.
pub fn side_by_side<T: Send>(at_once: usize, scenes: Vec<T>, play: impl Fn(T) + Sync) {
    let rest = Mutex::new(scenes.into_iter());
    let next = || rest.lock().expect("not poisoned").next();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(scene) = next() {
                    play(scene);
                }
            });
        }
    });
}
