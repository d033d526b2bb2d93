//! Cost by the size of a field and by the number of fields. By size it is linear. By number nearly so: each part authenticates the
//! directory, which has five bytes for every part; and fields without a type are looked for by name, when they are sealed.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{fmt::Write, hint::black_box};

use consignee::{Fields, Setup, Value, Vault, bench::Steps};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};

const SIZES: [usize; 5] = [8, 64, 512, 4 * 1024, 64 * 1024];
const COUNTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Short enough for the least length that texts are padded to.
const SHORT: usize = 24;

fn sizes(c: &mut Criterion) {
    let mut group = c.benchmark_group("size of a field");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        seal_and_open(&mut group, size, &policy(1), &order(1, size));
    }
}

fn counts(c: &mut Criterion) {
    let mut group = c.benchmark_group("number of fields");
    for fields in COUNTS {
        group.throughput(Throughput::Elements(fields as u64));
        seal_and_open(&mut group, fields, &policy(fields), &order(fields, SHORT));
    }
}

/// Seals the order with its number, and opens it without.
fn seal_and_open(group: &mut BenchmarkGroup<'_, WallTime>, by: usize, policy: &str, order: &Fields) {
    let vault = Vault::in_memory(&Setup { policy: policy.into(), ..Setup::default() }).unwrap();
    let mut steps = Steps::of::<Fields>(&vault).unwrap();
    let sealed = [vault.sealer().seal(order).unwrap()];
    let names: Vec<&str> = order.iter().map(|(name, _)| name).filter(|name| *name != "order_no").collect();
    let mut opening = steps.opening(&sealed, &names).unwrap();
    assert_eq!(opening.open().unwrap(), names.len());
    let orders = [order.clone()];
    group
        .bench_function(BenchmarkId::new("seal", by), |b| b.iter(|| steps.seal(black_box(&orders)).unwrap()));
    group.bench_function(BenchmarkId::new("open", by), |b| b.iter(|| opening.open().unwrap()));
}

/// The order number and so many fields of text.
fn policy(fields: usize) -> String {
    let mut text = "version = 1\n[field.order_no]\nid = 1\ntype = \"text\"\n".to_owned();
    for n in 0..fields {
        writeln!(text, "[field.f{n}]\nid = {}\ntype = \"text\"", n + 2).unwrap();
    }
    text + "[role.platform.operation]\nopen = [\"order_no\"]\n"
}

/// Its order, in which each field has a text of `size` bytes.
fn order(fields: usize, size: usize) -> Fields {
    let number = Fields::new().with("order_no", Value::Text("2026111100018230".into()));
    (0..fields).fold(number, |order, n| order.with(format!("f{n}"), Value::Text("x".repeat(size))))
}

criterion_group!(benches, sizes, counts);
criterion_main!(benches);
