//! Ledger entries from a file that nothing has authenticated: never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _entry_or_error = consignee::Entry::decode(bytes);
});
