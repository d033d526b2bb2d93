//! JSON of orders, with and without a type, and of patches: never a panic, and what parses comes back from its own JSON.
#![no_main]

use std::sync::LazyLock;

use consignee::{Fields, Order, Patch, policy::Policy};
use libfuzzer_sys::fuzz_target;

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::built_in);

fuzz_target!(|text: &str| {
    if let Ok(order) = Order::from_json(text, &POLICY) {
        let again =
            Order::from_json(&order.to_json().to_string(), &POLICY).expect("an order's own JSON parses");
        assert!(again == order);
    }
    if let Ok(fields) = Fields::from_json(text, &POLICY) {
        let again =
            Fields::from_json(&fields.to_json().to_string(), &POLICY).expect("an order's own JSON parses");
        assert!(again == fields);
        assert!(Patch::from_json(text, &POLICY).is_ok(), "what sets fields is a patch");
    }
});
