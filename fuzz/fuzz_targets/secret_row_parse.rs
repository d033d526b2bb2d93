//! Secret rows from a table that nothing has authenticated: never a panic, and what parses is written back byte for byte.
#![no_main]

use consignee::store::SecretRow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(row) = SecretRow::from_bytes(bytes) {
        assert_eq!(row.to_bytes(), bytes);
    }
});
