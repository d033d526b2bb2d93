//! What a party takes for a bundle, from anybody and from a shop that runs other code: never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| consignee::fuzzing::bundle(bytes));
