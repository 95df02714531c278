//! Replies of this cloud, in the form of `fuzz/corpus/lightsail`.
#![no_main]

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    RUNTIME.block_on(snapexport::provider::lightsail::fuzz_replies(data));
});
