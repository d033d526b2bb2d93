//! What is published of a ledger: publishing, verifying, and proofs from its tiles. See docs/benchmarks.md.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{hint::black_box, time::Duration};

use consignee::{
    Published,
    bench::LongLedger,
    tlog::{TrustPolicy, is_included, leaf_hash},
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Entries of the log that proofs are made from; 10,000 in a run that only shows that it runs.
fn long() -> u64 {
    if std::env::args().any(|arg| arg == "--test") { 10_000 } else { 1_000_000 }
}

fn published(size: u64) -> (LongLedger, tempfile::TempDir) {
    let (ledger, folder) = (LongLedger::new().unwrap(), tempfile::tempdir().unwrap());
    ledger.grow(size).unwrap();
    ledger.publish(folder.path()).unwrap();
    (ledger, folder)
}

fn verifying(c: &mut Criterion) {
    const SIZE: u64 = 100_000;
    let (ledger, folder) = published(SIZE);
    let (log, trust) = (Published::at(folder.path()), TrustPolicy::log_only(ledger.key().clone()));
    let mut group = c.benchmark_group("published");
    group.sample_size(10).throughput(Throughput::Elements(SIZE));
    group.bench_function("verify, 100,000 entries", |b| {
        b.iter(|| log.verify(&trust, |_, _, _| Ok(())).unwrap());
    });
    std::fs::remove_dir_all(folder.path().join("audit")).unwrap();
    group.bench_function("verify, 100,000 hashes alone", |b| {
        b.iter(|| log.verify(&trust, |_, _, _| Ok(())).unwrap());
    });
}

fn proving(c: &mut Criterion) {
    let size = long();
    let (_ledger, folder) = published(size);
    let log = Published::at(folder.path());
    let mut group = c.benchmark_group("proof");
    let mut index = 0;
    let mut next = || {
        index = (index + 611_953) % size;
        index
    };
    group.bench_function("inclusion, from the tiles' files", |b| {
        b.iter(|| log.prove(black_box(next())).unwrap())
    });
    let prover = log.prover().unwrap();
    group.bench_function("inclusion, one after the other", |b| {
        b.iter(|| prover.prove(black_box(next())).unwrap())
    });
    group.bench_function("inclusion, checked with its entry", |b| {
        b.iter(|| {
            let index = next();
            let proof = log.prove(index).unwrap();
            let (checkpoint, entry) = (proof.checkpoint.checkpoint(), log.entry(index, size).unwrap());
            assert!(is_included(&proof.hashes, leaf_hash(&entry), index, (size, &checkpoint.root)));
        });
    });
    group.bench_function("consistency, from the tiles' files", |b| {
        b.iter(|| log.proof_between(black_box(next()), size).unwrap());
    });
}

fn publishing(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("10,000 entries at once", |b| {
        let ledger = LongLedger::new().unwrap();
        ledger.grow(10_000).unwrap();
        b.iter_batched(
            || tempfile::tempdir().unwrap(),
            |folder| {
                ledger.publish(folder.path()).unwrap();
                folder
            },
            BatchSize::PerIteration,
        );
    });
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1,000 more", |b| {
        let (ledger, folder) = published(10_000);
        let mut size = 10_000;
        b.iter_batched(
            || {
                size += 1_000;
                ledger.grow(size).unwrap();
            },
            |()| ledger.publish(folder.path()).unwrap(),
            BatchSize::PerIteration,
        );
    });
}

criterion_group!(benches, verifying, proving, publishing);
criterion_main!(benches);
