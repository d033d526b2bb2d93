//! Order JSON: never a panic, and an order that parses comes back from its own JSON.
#![no_main]

use std::sync::LazyLock;

use consignee::{Order, policy::Policy};
use libfuzzer_sys::fuzz_target;

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::built_in);

fuzz_target!(|text: &str| {
    if let Ok(order) = Order::from_json(text, &POLICY) {
        let again = Order::from_json(&order.to_json().to_string(), &POLICY).expect("an order's own JSON parses");
        assert!(again == order);
    }
});
