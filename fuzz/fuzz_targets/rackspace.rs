//! Replies of this cloud, in the form of `fuzz/corpus/rackspace`.
#![no_main]

#[path = "../../tests/it/tape.rs"]
mod tape;

use tape::{RACKSPACE, Player};

thread_local! {
    static PLAYER: Player = Player::new(&RACKSPACE);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    PLAYER.with(|player| player.play(data));
});
