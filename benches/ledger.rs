//! Entering: in memory, durably by many callers at once beside the syncs of the same disk, and at the end of a long ledger.
//!
//! `CONSIGNEE_LONG_LEDGER` sets the number of entries of the long one (260 bytes each on disk).
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "common/long.rs"]
mod long;
#[path = "../tests/common/orders.rs"]
mod orders;
#[allow(dead_code, reason = "for other benches")]
#[path = "common/puts.rs"]
mod puts;

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use consignee::{KeyFile, Setup, Vault, bench, policy::DEFAULT_POLICY};
use criterion::{Criterion, Throughput, criterion_group};
use tempfile::TempDir;

use orders::order_no;
use puts::{NewOrders, time_put};

/// Callers at once.
const THREADS: u64 = 64;
/// Entries after which a ledger in memory is begun anew.
const MOST_ENTRIES: u64 = 1 << 20;

/// A folder on the disk that the project is built on; where temporary files lie may be memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn sqlite(folder: &Path) -> Vault {
    Vault::create(&folder.join("vault"), &KeyFile::from_bytes([7; 32]), &Setup::default()).unwrap()
}

fn memory(c: &mut Criterion) {
    let mut group = c.benchmark_group("append/memory");
    for batch in [1, 1_000] {
        group.throughput(Throughput::Elements(batch));
        let mut ledger = (0, Vault::in_memory(&Setup::default()).unwrap());
        group.bench_function(batch.to_string(), |b| {
            b.iter_custom(|batches| {
                let mut time = Duration::ZERO;
                for _ in 0..batches {
                    if ledger.0 >= MOST_ENTRIES {
                        ledger = (0, Vault::in_memory(&Setup::default()).unwrap());
                    }
                    let start = Instant::now();
                    bench::append(&ledger.1, (ledger.0, MOST_ENTRIES), batch).unwrap();
                    time += start.elapsed();
                    ledger.0 += batch;
                }
                time
            });
        });
    }
}

/// What so many rounds take, in each of which every thread does `work` once, for its number.
fn by_all(rounds: u64, work: impl Fn(u64) + Sync) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let work = &work;
            scope.spawn(move || (0..rounds).for_each(|round| work(round * THREADS + thread)));
        }
    });
    start.elapsed()
}

/// A file whose blocks are there, as those of SQLite's log are after its first round.
struct Raw(File);

impl Raw {
    const BLOCKS: u64 = 1024;

    fn new(folder: &Path) -> Self {
        let raw = Self(File::create(folder.join("raw")).unwrap());
        (0..Self::BLOCKS).for_each(|at| raw.0.write_all_at(&[1; 4096], at * 4096).unwrap());
        raw.0.sync_all().unwrap();
        raw
    }

    /// What it takes to write blocks of 4 KiB, and sync, one after the other.
    fn sync(&self, count: u64, sync: fn(&File) -> io::Result<()>) -> Duration {
        let start = Instant::now();
        for at in 0..count {
            self.0.write_all_at(&[2; 4096], at % Self::BLOCKS * 4096).unwrap();
            sync(&self.0).unwrap();
        }
        start.elapsed()
    }
}

/// Entries, `fsync` and `fdatasync`, taken in turns, often: a disk is not the same from one second to the next.
#[derive(Default)]
struct Beside {
    /// Of each: how many, and how long they took.
    done: [(u64, Duration); 3],
}

/// Rounds after which the syncs have their turn.
const IN_TURN: usize = 50;

impl Beside {
    fn time(&mut self, raw: &Raw, rounds: u64, work: impl Fn(u64) + Sync) -> Duration {
        let mut time = Duration::ZERO;
        for first in (0..rounds).step_by(IN_TURN) {
            let rounds = (IN_TURN as u64).min(rounds - first);
            let worked = by_all(rounds, |n| work(first * THREADS + n));
            time += worked;
            let syncs = [File::sync_all, File::sync_data].map(|sync| (rounds, raw.sync(rounds, sync)));
            for (sum, (count, time)) in
                self.done.iter_mut().zip([(rounds * THREADS, worked), syncs[0], syncs[1]])
            {
                *sum = (sum.0 + count, sum.1 + time);
            }
        }
        time
    }

    fn print(&self, what: &str) {
        let [rate, fsync, fdatasync] = self.done.map(|(count, time)| count as f64 / time.as_secs_f64());
        if self.done[0].0 > 0 {
            println!(
                "{what}, {THREADS} threads: {rate:.0}/s, {:.1} times fsync ({fsync:.0}/s), {:.1} times fdatasync ({fdatasync:.0}/s)",
                rate / fsync,
                rate / fdatasync,
            );
        }
    }
}

fn durable(c: &mut Criterion) {
    let mut group = c.benchmark_group("durable");
    group.sample_size(10).throughput(Throughput::Elements(THREADS));
    let folder = folder();
    let (vault, raw) = (sqlite(folder.path()), Raw::new(folder.path()));
    let mut beside = Beside::default();
    let mut first = 0;
    group.bench_function("append one entry", |b| {
        b.iter_custom(|rounds| {
            let before = first;
            first += rounds * THREADS;
            // Handles in no order, as those of orders are.
            let order = |n| (before + n) * 7919 % 1_000_003;
            beside.time(&raw, rounds, |n| bench::append(&vault, (order(n), 1_000_003), 1).unwrap())
        });
    });
    beside.print("append");
    let held = 10_000;
    vault.add_party("SF Express", "courier", None).unwrap();
    time_put(&vault, &NewOrders::under(DEFAULT_POLICY).take(held));
    let numbers: Vec<String> = (0..held as u64).map(order_no).collect();
    let mut beside = Beside::default();
    group.bench_function("open one order", |b| {
        b.iter_custom(|rounds| {
            beside.time(&raw, rounds, |n| {
                let number = &numbers[usize::try_from(n).unwrap() % held];
                vault.open("SF Express", "delivery", number).unwrap();
            })
        });
    });
    beside.print("open");
}

criterion_group!(benches, memory, durable, long::compare);

fn main() {
    if long::is_child() {
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
