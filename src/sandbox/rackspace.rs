//! placeholder
use super::{Moment, World, wire};
pub fn handle(_world: &mut World, _request: &wire::Request, _moment: &Moment) -> wire::Response {
    wire::Response::new(404)
}
pub const USERNAME: &str = "sandbox";
pub const API_KEY: &str = "5a4d0b0c5a4d0b0c5a4d0b0c5a4d0b0c";
pub const REGION: &str = "DFW";
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    pub starts: u64,
}
