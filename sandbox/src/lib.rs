//! The three clouds' APIs on loopback: their state, their clock, and what goes wrong.
//!
//! Each cloud is a function from a request, the [`World`] and a moment to a response: no sockets, no background work.
//! What a task is at a moment follows from when it was started and how long an export takes, so a world that was written
//! down goes on by itself. Nothing here is shared with the program that is tried on it: signatures, dates and ids are
//! checked by rules of its own.

mod blob;
mod clock;
mod disk;
mod error;
mod faults;
mod ids;
mod lightsail;
mod oos;
mod outscale;
mod rackspace;
mod shape;
mod signature;
mod size;
mod store;
mod swift;
mod vhd;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

pub use self::error::{Error, Failure};
pub use self::faults::Fault;
pub use self::size::parse_size;

use self::clock::{Clock, Moment};
use self::shape::Shape;
use self::store::Store;

/// How long an export takes unless it is said otherwise.
const DEFAULT_DURATION: Duration = Duration::from_secs(20);

/// How the sandbox behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long an export takes.
    pub duration: Duration,
    /// Where the state is kept between runs; `None`: in memory.
    pub state_file: Option<PathBuf>,
    /// The first of four ports in a row; 0: any free ones.
    pub port: u16,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// About how many bytes an export leaves behind, made as they are read; `None`: a small sample.
    pub object_size: Option<u64>,
    /// Whether Cloud Files joins large exports by a static manifest (SLO), not by a dynamic one (DLO).
    pub has_static_manifests: bool,
    /// Whether Rackspace has export tasks, as its own cloud has, and Flex and any other OpenStack have not.
    pub has_export_tasks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            duration: DEFAULT_DURATION,
            state_file: None,
            port: 0,
            faults: Vec::new(),
            object_size: None,
            has_static_manifests: false,
            has_export_tasks: true,
        }
    }
}

/// Everything the three clouds know. A new one holds the sample snapshots and images.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct World {
    /// Volume snapshots, export tasks, buckets.
    pub outscale: outscale::State,
    /// Instance and disk snapshots, operations, export records.
    pub lightsail: lightsail::State,
    /// Images, image tasks, containers.
    pub rackspace: rackspace::State,
    /// How far the faults in force have come.
    #[serde(default)]
    pub rehearsal: faults::Rehearsal,
}

/// A cloud's front door.
type Handler = fn(&mut World, &wire::Request, &Moment) -> wire::Response;

/// What listens on one port.
struct Service {
    /// The name by which faults know it.
    name: &'static str,
    handler: Handler,
}

/// The services, in the order of their ports.
static SERVICES: [Service; 4] = [
    Service {
        name: "outscale",
        handler: outscale::handle,
    },
    Service {
        name: "oos",
        handler: oos::handle,
    },
    Service {
        name: "lightsail",
        handler: lightsail::handle,
    },
    Service {
        name: "rackspace",
        handler: rackspace::handle,
    },
];

/// The running sandbox. Dropping it ends it.
pub struct Sandbox {
    addresses: [SocketAddr; 4],
    options: Options,
    store: Arc<Store>,
    rules: Arc<wire::Rules>,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

impl Sandbox {
    /// Starts the services on loopback.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let store = Arc::new(Store::open(options.state_file.clone())?);
        let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); 4];
        let mut servers = Vec::new();
        let rules = Arc::new(wire::Rules {
            duration: options.duration,
            shape: Shape {
                object_size: options.object_size,
                is_static: options.has_static_manifests,
                is_without_tasks: !options.has_export_tasks,
                ..Shape::default()
            },
            clock: Clock::default(),
            faults: Mutex::new(options.faults.clone().into()),
        });
        for (index, service) in SERVICES.iter().enumerate() {
            let port = if options.port == 0 {
                0
            } else {
                options.port.saturating_add(index as u16)
            };
            let failed = |error: std::io::Error| Failure::Port(port).because(error);
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .await
                .map_err(failed)?;
            addresses[index] = listener.local_addr().map_err(failed)?;
            let (store, rules) = (store.clone(), rules.clone());
            servers.push(tokio::spawn(wire::serve(listener, store, rules, service)));
        }
        Ok(Sandbox {
            addresses,
            options,
            store,
            rules,
            servers,
        })
    }

    /// The variables that lead any client of these clouds here.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let [outscale, oos, lightsail, rackspace] = self.addresses;
        vec![
            ("OSC_ACCESS_KEY", outscale::ACCESS_KEY.into()),
            ("OSC_SECRET_KEY", outscale::SECRET_KEY.into()),
            ("OSC_REGION", outscale::REGION.into()),
            ("OSC_ENDPOINT_API", format!("http://{outscale}/api/v1")),
            ("OSC_ENDPOINT_OOS", format!("http://{oos}")),
            ("AWS_ACCESS_KEY_ID", lightsail::ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", lightsail::SECRET_KEY.into()),
            ("AWS_REGION", lightsail::REGION.into()),
            ("AWS_DEFAULT_REGION", lightsail::REGION.into()),
            ("AWS_ENDPOINT_URL_LIGHTSAIL", format!("http://{lightsail}")),
            ("AWS_ENDPOINT_URL_EC2", format!("http://{lightsail}")),
            ("AWS_ENDPOINT_URL_EBS", format!("http://{lightsail}")),
            ("OS_AUTH_URL", format!("http://{rackspace}/v2.0")),
            ("RAX_USERNAME", rackspace::USERNAME.into()),
            ("RAX_API_KEY", rackspace::API_KEY.into()),
            ("RAX_REGION", rackspace::REGION.into()),
            // Simulated tasks are listed at once.
            ("SNAPEXPORT_VISIBILITY", "1s".into()),
            (
                "SNAPEXPORT_INTERVAL",
                format!("{}ms", self.interval().as_millis()),
            ),
        ]
    }

    /// A pace at which an export shows about twenty steps.
    fn interval(&self) -> Duration {
        (self.options.duration / 20).clamp(Duration::from_millis(50), Duration::from_secs(5))
    }

    /// Lets other things go wrong from now on; attempts are counted anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        let mut current = self
            .rules
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *current = faults.into();
    }

    /// Lets this much time pass at once: exports go on, tokens expire, and each response bears it as its `Date`. Clients keep their clocks.
    pub fn advance(&self, by: Duration) {
        self.rules.clock.advance(by);
    }

    /// Looks at or changes the state directly, for tests.
    pub fn with_world<T>(&self, f: impl FnOnce(&mut World) -> T) -> Result<T, Error> {
        self.store.with(f)
    }
}
