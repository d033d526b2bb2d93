//! What a party takes for a keyring, from anybody and from a shop that runs other code: never a panic, and one form of each.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| consignee::fuzzing::keyring(bytes));
