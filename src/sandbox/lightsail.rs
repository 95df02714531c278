//! placeholder
use super::{Moment, World, wire};
pub fn handle(_world: &mut World, _request: &wire::Request, _moment: &Moment) -> wire::Response {
    wire::Response::new(404)
}
pub const ACCESS_KEY: &str = "AKIASANDBOXLIGHTSAIL";
pub const SECRET_KEY: &str = "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";
pub const REGION: &str = "eu-west-3";
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {}
