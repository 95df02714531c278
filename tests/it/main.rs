//! The integration tests, in one binary so that they link once.

mod architecture;
mod canned;
mod cli;
mod conformance;
mod corpus;
mod crash;
mod credentials;
mod docs;
mod fake;
mod faults;
mod hostile;
mod journal;
mod leaks;
mod lightsail;
mod outscale;
mod poller;
mod program;
mod properties;
mod rackspace;
mod real_clients;
#[cfg(unix)]
mod terminal;
