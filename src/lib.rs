//! snapexport as a library.
pub mod context;
pub mod error;
pub mod provider;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod secret;
pub mod task;
