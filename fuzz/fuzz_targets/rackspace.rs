//! Replies of this cloud, in the form of `fuzz/corpus/rackspace`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    snapexport::provider::rackspace::fuzz_replies(data);
});
