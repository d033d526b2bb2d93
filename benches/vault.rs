//! Putting and opening in batches, in SQLite and in memory. Puts into SQLite stand beside bare `rusqlite`, which writes the same rows
//! to the same tables with the same durability; the two alternate, since a disk is not the same from one second to the next.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "common/bare.rs"]
mod bare;
#[path = "../tests/common/orders.rs"]
mod orders;
#[path = "common/puts.rs"]
mod puts;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use consignee::{KeyFile, OwnTables, Setup, Vault, policy::DEFAULT_POLICY};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use tempfile::TempDir;

use bare::Bare;
use orders::order_no;
use puts::{MOST_ORDERS, NewOrders, Puts, time_put};

const BATCHES: [usize; 3] = [1, 100, 10_000];

fn group<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    group
}

/// A folder on the disk that the project is built on; where temporary files lie may be memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn sqlite(folder: &Path) -> Vault {
    Vault::create(&folder.join("vault"), &KeyFile::from_bytes([7; 32]), &Setup::default()).unwrap()
}

fn memory() -> Vault {
    Vault::in_memory(&Setup::default()).unwrap()
}

fn put(c: &mut Criterion) {
    let mut group = group(c, "put_many");
    for batch in BATCHES {
        group.throughput(Throughput::Elements(batch as u64));
        let mut pairs = Pairs::default();
        group.bench_function(BenchmarkId::new("SQLite", batch), |b| {
            b.iter_custom(|batches| (0..batches).map(|_| pairs.put(batch)).sum());
        });
        pairs.print(batch);
        let mut puts = Puts::new(memory, DEFAULT_POLICY);
        group.bench_function(BenchmarkId::new("memory", batch), |b| {
            b.iter_custom(|batches| puts.time(batch, batches));
        });
    }
}

/// Puts, each followed by the same rows in bare SQLite.
struct Pairs {
    /// With the number of orders they hold. The folder goes last.
    stores: Option<(usize, Bare, Vault, TempDir)>,
    orders: NewOrders,
    times: Vec<[Duration; 2]>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { stores: None, orders: NewOrders::under(DEFAULT_POLICY), times: Vec::new() }
    }
}

impl Pairs {
    /// Returns what the put took.
    fn put(&mut self, batch: usize) -> Duration {
        self.stores.take_if(|(held, ..)| *held >= MOST_ORDERS);
        let (held, bare, vault, _) = self.stores.get_or_insert_with(|| {
            let folder = folder();
            let vault = sqlite(folder.path());
            (0, Bare::create(folder.path(), &folder.path().join("vault")), vault, folder)
        });
        let put = time_put(vault, &self.orders.take(batch));
        bare.read(batch);
        let start = Instant::now();
        bare.write();
        self.times.push([put, start.elapsed()]);
        *held += batch;
        put
    }

    fn print(&self, batch: usize) {
        if self.times.is_empty() {
            return;
        }
        let [put, bare] = [0, 1].map(|of| {
            let mut times: Vec<_> = self.times.iter().map(|pair| pair[of].as_secs_f64()).collect();
            times.sort_by(f64::total_cmp);
            batch as f64 / times[times.len() / 2]
        });
        println!(
            "put_many/SQLite/{batch} beside bare rusqlite, medians of {}: {put:.0} and {bare:.0} orders/s, ratio {:.2}",
            self.times.len(),
            put / bare
        );
    }
}

fn open(c: &mut Criterion) {
    let mut group = group(c, "open_many");
    let folder = folder();
    let held = BATCHES[2];
    let orders = NewOrders::under(DEFAULT_POLICY).take(held);
    let numbers: Vec<String> = (0..held as u64).map(order_no).collect();
    for (store, vault) in [("SQLite", sqlite(folder.path())), ("memory", memory())] {
        vault.add_party("SF Express", "courier", None).unwrap();
        time_put(&vault, &orders);
        for batch in BATCHES {
            group.throughput(Throughput::Elements(batch as u64));
            let mut batches = numbers.chunks(batch).cycle();
            group.bench_function(BenchmarkId::new(store, batch), |b| {
                b.iter(|| {
                    let numbers: Vec<&str> = batches.next().unwrap().iter().map(String::as_str).collect();
                    let opened = vault.open_many("SF Express", "delivery", &numbers).unwrap();
                    assert!(opened.iter().all(Result::is_ok));
                });
            });
        }
    }
}

/// Orders that one reseal, or one rewrap, is measured with.
const MOVED: usize = 100_000;

/// Every order of a vault sealed anew under an epoch that has just begun, and every secret moved to a new release key; each time in
/// a vault that was filled for it.
fn move_all(c: &mut Criterion) {
    let mut group = group(c, "move_all");
    group.throughput(Throughput::Elements(MOVED as u64));
    let time = |moves: fn(&Vault) -> u64| {
        let folder = folder();
        let vault = sqlite(folder.path());
        let mut orders = NewOrders::under(DEFAULT_POLICY);
        for _ in 0..MOVED / BATCHES[2] {
            time_put(&vault, &orders.take(BATCHES[2]));
        }
        let start = Instant::now();
        assert_eq!(moves(&vault), MOVED as u64);
        start.elapsed()
    };
    group.bench_function("reseal/SQLite", |b| {
        b.iter_custom(|times| {
            let reseal = |vault: &Vault| {
                vault.rotate(None).unwrap();
                vault.reseal(1, |_| ()).unwrap().orders
            };
            (0..times).map(|_| time(reseal)).sum()
        });
    });
    group.bench_function("rewrap/SQLite", |b| {
        b.iter_custom(|times| {
            let rewrap = |vault: &Vault| vault.rewrap(OwnTables::None, |_| ()).unwrap().moved;
            (0..times).map(|_| time(rewrap)).sum()
        });
    });
}

criterion_group!(benches, put, open, move_all);
criterion_main!(benches);
