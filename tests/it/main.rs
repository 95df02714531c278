//! The integration tests, in one binary so that they link once.
#![allow(unreachable_pub)]

mod answers;
mod architecture;
mod arrival;
mod batch;
mod blocks;
mod cancel;
mod canned;
mod cli;
mod completion;
mod conformance;
mod contract;
mod corpus;
mod crash;
mod credentials;
#[cfg(unix)]
mod deadline;
mod depot;
mod docs;
mod doctor;
mod fake;
mod faults;
mod fetch;
mod filters;
mod fourth;
mod generated;
mod hostile;
#[cfg(unix)]
mod inherited;
#[cfg(unix)]
mod inside;
mod journal;
mod leaks;
mod lightsail;
mod lost;
#[cfg(unix)]
mod manners;
mod near_misses;
#[cfg(unix)]
mod neighbours;
#[cfg(unix)]
mod on_done;
mod outscale;
#[cfg(unix)]
mod pages;
mod poller;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod powercut;
mod program;
mod properties;
mod rackspace;
mod real_clients;
#[cfg(unix)]
mod recording;
mod single;
mod stage;
mod starts;
mod tape;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod text;
mod truth;
mod verify;
mod words;
