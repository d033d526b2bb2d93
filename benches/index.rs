//! Searching: a tag by each normaliser, `find` by the number of orders and of hits, and what an index adds to a put.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/common/orders.rs"]
mod orders;
#[path = "common/puts.rs"]
mod puts;
#[path = "common/unlimited.rs"]
mod unlimited;

use std::hint::black_box;

use consignee::{
    KeyFile, Order, Setup, Vault,
    bench::Steps,
    policy::{DEFAULT_POLICY, Policy},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use orders::{reference_json, reference_policy};
use puts::{Puts, time_put};
use unlimited::unlimited;

const TEXTS: [(&str, &str); 7] = [
    ("exact", "2026111100018230"),
    ("upper", "Obere Straße 17 b"),
    ("digits", "4000-1234-5678-9010"),
    ("last4", "4000-1234-5678-9010"),
    ("phone:CN", "138 0000 1234"),
    ("phone:DE", "+49 (30) 123456-78"),
    ("phone:US", "(212) 555-0123 ext. 7"),
];

fn tags(c: &mut Criterion) {
    for (normaliser, text) in TEXTS {
        let indexed = format!("index = {{ normalise = \"{normaliser}\", expect = 1_000_000 }}");
        let policy = format!(
            "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n{indexed}\n[role.platform.operation]\nopen = [\"order_no\"]\n"
        );
        let vault = Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() }).unwrap();
        let tag = Steps::of::<consignee::Fields>(&vault).unwrap().tagging("order_no");
        c.bench_function(&format!("tag/{normaliser}"), |b| b.iter(|| tag(black_box(text)).unwrap()));
    }
}

/// A customer's telephone number in the reference orders is their own; this one is that of 20 orders.
const SHARED: &str = "13900000000";
const FEW: usize = 20;

fn find(c: &mut Criterion) {
    for held in [1_000, 50_000] {
        let vault = Vault::begin(unlimited(), &KeyFile::from_bytes([7; 32]), &Setup::default()).unwrap();
        vault.add_party("agent 17", "support", None).unwrap();
        let policy = Policy::built_in();
        let mut orders: Vec<Order> =
            (0..held).map(|n| Order::from_json(&reference_json(n), &policy).unwrap()).collect();
        orders[..FEW].iter_mut().for_each(|order| order.consignee.phone = SHARED.into());
        time_put(&vault, &orders);
        for (hits, phone) in [(1, orders[FEW].consignee.phone.as_str()), (FEW, SHARED)] {
            c.bench_function(&format!("find/{hits} of {held} orders"), |b| {
                b.iter(|| {
                    let found = vault.find("agent 17", "after_sale", "consignee.phone", phone).unwrap();
                    assert_eq!(found.hits.len(), hits);
                });
            });
        }
    }
}

fn put(c: &mut Criterion) {
    const BATCH: usize = 1_000;
    let phone = "[field.\"consignee.phone\"]\n";
    let without = reference_policy(DEFAULT_POLICY);
    let index = "index = { normalise = \"phone:CN\", expect = 1_000_000_000 }\n";
    let with = without.replace(phone, &format!("{phone}{index}"));
    assert_ne!(with, without);
    let mut group = c.benchmark_group("put_many, memory");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, policy) in [("without an index", &without), ("with one", &with)] {
        let make = || Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() }).unwrap();
        let mut puts = Puts::new(make, policy);
        group.bench_function(BenchmarkId::new(name, BATCH), |b| {
            b.iter_custom(|batches| puts.time(BATCH, batches));
        });
    }
}

criterion_group!(benches, tags, find, put);
criterion_main!(benches);
