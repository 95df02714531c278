//! Replies of this cloud, in the form of `fuzz/corpus/lightsail`.
#![no_main]

#[path = "../../tests/it/tape.rs"]
mod tape;

use tape::{LIGHTSAIL, Player};

thread_local! {
    static PLAYER: Player = Player::new(&LIGHTSAIL);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    PLAYER.with(|player| player.play(data));
});
