//! The clouds: the contract that each keeps, and the registry.

mod absence;
mod belief;
pub mod check;
mod contract;
mod entry;
mod export;
mod forms;
pub(crate) mod object;
mod place;
mod realm;
mod registry;
mod rules;
mod sigv4;

pub mod lightsail;
pub mod outscale;
pub mod rackspace;

pub use crate::settings::Setting;
pub use belief::{look_again, stays_complete};
pub use contract::{Batch, Capabilities, Naming, Preview, Provider, TaskFilter};
pub use entry::{Configured, Connect, Entry, NoCancel, PlaceOption, Shape};
pub use export::{ExportArguments, Typed};
pub use forms::{Destination, Forms, Goal, Schematic};
#[doc(hidden)]
pub use object::{Answer, Block, Hash, Image, Multipart, Object, Reader, RequestIds, Sum, Sums};
pub use realm::Realm;
pub use registry::register;
pub use registry::{by_name, clouds, names, read_sections};
pub(crate) use registry::{console_url, goal};
pub use rules::{is_uuid, name_problem};
