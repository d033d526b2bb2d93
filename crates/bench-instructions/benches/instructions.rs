//! Instructions of a hundred orders, counted by Callgrind, and the bounds that fail a slower change on any machine.
//!
//! A count says nothing of how long an instruction takes, and Valgrind is no newest CPU: it has AES-NI and CLMUL, but neither VAES nor
//! AVX-512, so the ciphers take the path of a CPU of about 2013. It is for telling that *our* part has grown.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/orders.rs"]
mod orders;

use std::hint::black_box;

use consignee::{
    Order, Setup, Suite, Vault,
    bench::{Opening, Steps},
    policy::{DEFAULT_POLICY, Policy},
};
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use orders::{COURIERS_PARTS, REFERENCE_PARTS, reference_json, reference_policy};

/// Orders in a call.
const ORDERS: usize = 100;

#[library_benchmark(setup = ready)]
#[bench::suite_1(args = (Suite::Aes256Gcm,), config = at_most(25_900))]
#[bench::suite_2(args = (Suite::ChaCha20Poly1305,), config = at_most(44_700))]
fn seal((mut steps, orders): (Steps, Vec<Order>)) -> (Steps, Vec<Order>) {
    black_box(steps.seal(&orders).unwrap());
    (steps, orders)
}

#[library_benchmark(setup = opening)]
#[bench::suite_1(args = (Suite::Aes256Gcm, &COURIERS_PARTS), config = at_most(9_100))]
#[bench::suite_2(args = (Suite::ChaCha20Poly1305, &COURIERS_PARTS), config = at_most(12_600))]
fn open_courier(mut opening: Opening<'static>) -> Opening<'static> {
    black_box(opening.open().unwrap());
    opening
}

#[library_benchmark(setup = opening)]
#[bench::suite_1(args = (Suite::Aes256Gcm, &REFERENCE_PARTS), config = at_most(23_200))]
#[bench::suite_2(args = (Suite::ChaCha20Poly1305, &REFERENCE_PARTS), config = at_most(32_600))]
fn open_all(mut opening: Opening<'static>) -> Opening<'static> {
    black_box(opening.open().unwrap());
    opening
}

#[library_benchmark(setup = opening)]
#[bench::suite_1(args = (Suite::Aes256Gcm, &COURIERS_PARTS), config = at_most(12_900))]
#[bench::suite_2(args = (Suite::ChaCha20Poly1305, &COURIERS_PARTS), config = at_most(20_300))]
fn disclose(mut opening: Opening<'static>) -> Opening<'static> {
    black_box(opening.disclose().unwrap());
    opening
}

library_benchmark_group!(name = instructions, benchmarks = [seal, open_courier, open_all, disclose]);
main!(library_benchmark_groups = instructions);

/// So many instructions for each order. (Nearly half of suite 2's are the wiping of the stack, which Callgrind counts by the byte.) What was counted, and about a twentieth more: compilers differ.
fn at_most(each: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, each * ORDERS as u64)]));
    config
}

/// Orders, and the steps with buffers that were used before.
fn ready(suite: Suite) -> (Steps, Vec<Order>) {
    let mut steps = Steps::of::<Order>(&vault(suite)).unwrap();
    let orders = orders();
    steps.seal(&orders).unwrap();
    (steps, orders)
}

/// The same of opening. The sealed orders stay for as long as the process lives.
fn opening(suite: Suite, parts: &[&str]) -> Opening<'static> {
    let vault = vault(suite);
    let (sealer, steps) = (vault.sealer(), Steps::of::<Order>(&vault).unwrap());
    let sealed: Vec<_> = orders().iter().map(|order| sealer.seal(order).unwrap()).collect();
    let mut opening = steps.opening(sealed.leak(), parts).unwrap();
    opening.open().unwrap();
    opening
}

fn orders() -> Vec<Order> {
    vec![Order::from_json(&reference_json(18_230), &Policy::built_in()).unwrap(); ORDERS]
}

fn vault(suite: Suite) -> Vault {
    Vault::in_memory(&Setup { suite, policy: reference_policy(DEFAULT_POLICY).into() }).unwrap()
}
