//! The integration tests, in one binary so that they link once.

mod architecture;
mod canned;
mod cli;
mod conformance;
mod crash;
mod docs;
mod fake;
mod faults;
mod lightsail;
mod outscale;
mod poller;
mod program;
mod rackspace;
mod real_clients;
#[cfg(unix)]
mod terminal;
