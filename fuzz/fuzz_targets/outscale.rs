//! Replies of this cloud, in the form of `fuzz/corpus/outscale`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    snapexport::provider::outscale::fuzz_replies(data);
});
