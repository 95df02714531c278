//! placeholder
use super::{Moment, World, wire};
pub fn handle(_world: &mut World, _request: &wire::Request, _moment: &Moment) -> wire::Response {
    wire::Response::new(404)
}
