//! Bytes that nothing has authenticated: never a panic, and what parses says the truth about its size.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(seen) = consignee::inspect(bytes) {
        let body: usize = seen.parts.iter().map(|(_, length)| length).sum();
        assert_eq!(85 + 5 * seen.parts.len() + body, bytes.len());
        assert!(seen.parts.is_sorted_by(|a, b| a.0 < b.0));
    }
});
