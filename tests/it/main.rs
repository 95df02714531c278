//! The integration tests, in one binary so that they link once.

mod canned;
mod lightsail;
mod outscale;
mod rackspace;
