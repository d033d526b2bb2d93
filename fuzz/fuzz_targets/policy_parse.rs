//! Policy text and canonical bytes: never a panic, and a policy that parses comes back from its canonical bytes.
#![no_main]

use consignee::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(policy) = Policy::from_canonical(bytes) {
        assert_eq!(policy.canonical(), bytes);
    }
    if let Ok(Ok(policy)) = std::str::from_utf8(bytes).map(Policy::parse) {
        assert!(Policy::from_canonical(policy.canonical()) == Ok(policy));
    }
});
