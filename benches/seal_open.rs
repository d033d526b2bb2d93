//! Sealing and opening of the reference order beside the floor (`common/floor.rs`).
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "common/floor.rs"]
mod floor;
#[path = "../tests/common/orders.rs"]
mod orders;

use std::hint::black_box;

use consignee::{
    Order, Setup, StoredOrder, Suite, Vault,
    bench::Steps,
    policy::{DEFAULT_POLICY, Policy},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use floor::Floor;
use orders::{COURIERS_PARTS, REFERENCE_LENGTHS, REFERENCE_PARTS, reference_json, reference_policy};

fn floor(c: &mut Criterion, name: &str, lengths: &[usize]) {
    let mut floor = Floor::of(lengths).unwrap();
    c.bench_function(&format!("floor/seal {name}"), |b| b.iter(|| floor.seal().unwrap()));
    c.bench_function(&format!("floor/open {name}"), |b| b.iter(|| floor.open().unwrap()));
}

fn floors(c: &mut Criterion) {
    floor(c, "all 8", &REFERENCE_LENGTHS);
    floor(c, "courier's 3", &REFERENCE_LENGTHS[2..5]);
}

fn order() -> Order {
    Order::from_json(&reference_json(18_230), &Policy::built_in()).unwrap()
}

fn vault(suite: Suite, policy: String) -> Vault {
    let vault = Vault::in_memory(&Setup { suite, policy: policy.into() }).unwrap();
    vault.add_party("courier", "courier", None).unwrap();
    vault
}

fn steps(c: &mut Criterion) {
    let order = order();
    let policies =
        [("reference", reference_policy(DEFAULT_POLICY)), ("default policy", DEFAULT_POLICY.into())];
    for (policy, text) in &policies {
        for suite in [Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
            let vault = vault(suite, text.clone());
            let mut steps = Steps::of::<Order>(&vault).unwrap();
            let name = |what: &str| format!("{}, {policy}/{what}", suite.name());
            let orders = vec![order.clone(); 100];
            c.bench_function(&name("seal 100"), |b| b.iter(|| steps.seal(black_box(&orders)).unwrap()));
            let sealed: Vec<_> = orders.iter().map(|order| vault.sealer().seal(order).unwrap()).collect();
            for (what, parts) in [("courier's 3", &COURIERS_PARTS[..]), ("all 8", &REFERENCE_PARTS)] {
                let mut opening = steps.opening(&sealed, parts).unwrap();
                c.bench_function(&name(&format!("open {what} of 100")), |b| {
                    b.iter(|| opening.open().unwrap())
                });
                c.bench_function(&name(&format!("unwrap and open {what} of 100")), |b| {
                    b.iter(|| opening.disclose().unwrap());
                });
            }
        }
    }
}

/// The same through the public steps: with fingerprint and commitments, and an entry in a ledger in memory.
fn public(c: &mut Criterion) {
    let order = order();
    let vault = vault(Suite::Aes256Gcm, reference_policy(DEFAULT_POLICY));
    let sealer = vault.sealer();
    c.bench_function("Sealer::seal", |b| b.iter(|| sealer.seal(black_box(&order)).unwrap()));
    let sealed = sealer.seal(&order).unwrap();
    let stored = vec![StoredOrder { record: &sealed.record, secret: &sealed.secret }; 100];
    c.bench_function("Opener::open_many, 100 as courier", |b| {
        b.iter(|| vault.opener().open_many("courier", "delivery", black_box(&stored)).unwrap());
    });
}

/// `record::seal` on one thread and on two, each with buffers of its own.
fn threads(c: &mut Criterion) {
    let (order, vault) = (order(), vault(Suite::Aes256Gcm, reference_policy(DEFAULT_POLICY)));
    let mut group = c.benchmark_group("seal 1000 on each of");
    for threads in [1, 2] {
        let mut all: Vec<_> = (0..threads).map(|_| Steps::of::<Order>(&vault).unwrap()).collect();
        let orders = vec![order.clone(); 1_000];
        group.throughput(Throughput::Elements(1_000 * threads));
        group.bench_function(format!("{threads} threads"), |b| {
            b.iter(|| {
                std::thread::scope(|scope| {
                    for steps in &mut all {
                        scope.spawn(|| steps.seal(black_box(&orders)).unwrap());
                    }
                });
            });
        });
    }
}

criterion_group!(benches, floors, steps, public, threads);
criterion_main!(benches);
