//! What a shopper takes for a slip, from anybody: never a panic, and what parses is of one form.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| consignee::fuzzing::slip(bytes));
