//! The value decoder as a hostile holder of keys would feed it: what decodes encodes to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| consignee::fuzzing::value(bytes));
