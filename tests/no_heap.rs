//! Sealing into a buffer that was used before, and opening into one, takes nothing from the heap.
#![allow(clippy::unwrap_used)]

#[path = "common/orders.rs"]
mod orders;

use std::hint::black_box;

use allocation_counter::measure;
use consignee::{
    Order, Setup, Suite, Vault,
    bench::Steps,
    policy::{DEFAULT_POLICY, Policy},
};
use orders::{COURIERS_PARTS, REFERENCE_PARTS, reference_json, reference_policy};

#[test]
fn seal_and_open_with_a_used_buffer_allocate_nothing() {
    let order = Order::from_json(&reference_json(18_230), &Policy::built_in()).unwrap();
    for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        for policy in [reference_policy(DEFAULT_POLICY), DEFAULT_POLICY.to_owned()] {
            let vault = Vault::in_memory(&Setup { suite, policy: policy.into() }).unwrap();
            let mut steps = Steps::of::<Order>(&vault).unwrap();
            let orders = vec![order.clone(); 100];
            let first = measure(|| {
                black_box(steps.seal(&orders).unwrap());
            });
            assert!(first.count_total > 0, "the count counts");
            // More orders than are derived for at once, and more bytes than the generator gives for one seed.
            for _ in 0..20 {
                assert_eq!(
                    measure(|| {
                        black_box(steps.seal(&orders).unwrap());
                    })
                    .count_total,
                    0,
                    "sealing, {suite:?}"
                );
            }
            let sealed: Vec<_> = orders.iter().map(|order| vault.sealer().seal(order).unwrap()).collect();
            for parts in [&COURIERS_PARTS[..], &REFERENCE_PARTS] {
                let mut opening = steps.opening(&sealed, parts).unwrap();
                opening.open().unwrap();
                assert_eq!(
                    measure(|| {
                        black_box(opening.open().unwrap());
                    })
                    .count_total,
                    0,
                    "opening, {suite:?}"
                );
            }
        }
    }
}
