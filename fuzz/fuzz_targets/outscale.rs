//! Replies of this cloud, in the form of `fuzz/corpus/outscale`.
#![no_main]

#[path = "../../tests/it/tape.rs"]
mod tape;

use tape::{OUTSCALE, Player};

thread_local! {
    static PLAYER: Player = Player::new(&OUTSCALE);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    PLAYER.with(|player| player.play(data));
});
