//! What a vault takes for a signed request, and a checker for what a party revealed, from anybody: never a panic, and one form of each.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    consignee::fuzzing::request(bytes);
    if let Ok(text) = str::from_utf8(bytes) {
        consignee::fuzzing::revealed(text);
    }
});
