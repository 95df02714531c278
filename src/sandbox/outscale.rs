//! placeholder
use super::{Moment, World, wire};
pub fn handle(_world: &mut World, _request: &wire::Request, _moment: &Moment) -> wire::Response {
    wire::Response::new(404)
}
pub const ACCESS_KEY: &str = "AKSANDBOX0000OUTSCAL";
pub const SECRET_KEY: &str = "SKSANDBOX00000000000000000000000OUTSCALE";
pub const REGION: &str = "eu-west-2";
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {}
