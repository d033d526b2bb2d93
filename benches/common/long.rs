//! What a vault does with a long ledger beside one with a short ledger: each step in a process of its own, which tells how long it
//! took and how much memory it had at most.

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use consignee::{
    Kem, KeyFile, PartyKey, Patch, Setup, ShredMode, Value, Vault, bench, policy::DEFAULT_POLICY,
};
use criterion::Criterion;

use crate::{
    orders::order_no,
    puts::{NewOrders, time_put},
};

const CHILD: &str = "LONG_LEDGER_CHILD";
const SHORT: u64 = 10_000;
/// Entries appended at a time.
const AT_ONCE: u64 = 100_000;
/// Orders in the vault, and how many of them each step is done with.
const ORDERS: usize = 1_000;
const EACH: usize = 20;

fn key() -> KeyFile {
    KeyFile::from_bytes([7; 32])
}

/// A vault with orders, parties and a ledger of about this many entries.
fn make(folder: &Path, entries: u64) {
    let vault = Vault::create(folder, &key(), &Setup::default()).unwrap();
    vault.add_party("SF Express", "courier", None).unwrap();
    vault.add_party("agent", "support", None).unwrap();
    vault.set_party_key("SF Express", PartyKey::generate(Kem::X25519).unwrap().public()).unwrap();
    vault.card().unwrap();
    time_put(&vault, &NewOrders::under(DEFAULT_POLICY).take(ORDERS));
    for first in (0..entries).step_by(usize::try_from(AT_ONCE).unwrap()) {
        bench::append(&vault, (first, entries), AT_ONCE.min(entries - first)).unwrap();
    }
}

/// What is done with a vault, each step with some of its orders.
type Step = (&'static str, fn(&Vault, usize));

const STEPS: [Step; 8] = [
    ("put", |vault, n| {
        let order = NewOrders::under(DEFAULT_POLICY).take(ORDERS + n + 1).pop().unwrap();
        vault.put(&order).unwrap();
    }),
    ("open", |vault, n| drop(vault.open("SF Express", "delivery", &order_no(n as u64)).unwrap())),
    ("update", |vault, n| {
        let patch = Patch::new().set("note", Value::Text("new".into()));
        vault.update(&order_no(n as u64), 1, patch).unwrap();
    }),
    ("find", |vault, n| {
        drop(vault.find("agent", "after_sale", "consignee.phone", &format!("1381234{n:04}")).unwrap());
    }),
    ("share", |vault, n| {
        let shared = vault.share("SF Express", "delivery", &[&order_no(n as u64)], None).unwrap();
        assert!(shared.orders[0].is_ok());
    }),
    ("close", |vault, n| {
        vault.close(&order_no((100 + n) as u64)).unwrap();
    }),
    ("shred", |vault, n| {
        vault.shred(&order_no((200 + n) as u64), "asked for", ShredMode::KeepEvidence).unwrap();
    }),
    ("rotate", |vault, _| {
        vault.rotate(None).unwrap();
    }),
];

/// Whether this process was started for one step, which is done then.
pub(crate) fn is_child() -> bool {
    let Ok(task) = env::var(CHILD) else { return false };
    let (step, folder) = task.split_once(' ').unwrap();
    let start = Instant::now();
    let vault = Vault::unlock(Path::new(folder), &key()).unwrap();
    let unlocked = start.elapsed();
    let mut times = vec![unlocked];
    if let Some((_, step)) = STEPS.iter().find(|(name, _)| *name == step) {
        times = (0..EACH)
            .map(|n| {
                let start = Instant::now();
                step(&vault, n);
                start.elapsed()
            })
            .collect();
    }
    times.sort();
    println!("{} {}", times[times.len() / 2].as_micros(), most_memory());
    true
}

/// The most memory that this process has had, in KiB; 0 where the system does not tell.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

fn run(step: &str, folder: &Path) -> (Duration, u64) {
    let task = format!("{step} {}", folder.display());
    let output = Command::new(env::current_exe().unwrap()).env(CHILD, task).output().unwrap();
    assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (micros, memory) = text.trim().split_once(' ').unwrap();
    (Duration::from_micros(micros.parse().unwrap()), memory.parse().unwrap())
}

pub(crate) fn compare(_: &mut Criterion) {
    let long = env::var("CONSIGNEE_LONG_LEDGER").ok().map(|entries| entries.parse().unwrap());
    let once = env::args().any(|argument| argument == "--test").then_some(20_000);
    let Some(long) = long.or(once) else { return };
    let folder = crate::folder();
    let vaults = [("short", SHORT), ("long", long)].map(|(name, entries)| {
        let path = folder.path().join(name);
        make(&path, entries);
        path
    });
    println!(
        "median of {EACH} in ms, and most memory of the process in MB, with {SHORT} and {long} entries:"
    );
    for step in ["unlock"].into_iter().chain(STEPS.map(|(name, _)| name)) {
        let [short, long] = [0, 1].map(|of| {
            // The first time reads the files from the disk.
            let (time, memory) = run(step, &vaults[of]);
            format!("{:.2} {:.1}", time.as_secs_f64() * 1e3, memory as f64 / 1024.0)
        });
        println!("{step}: {short} | {long}");
    }
}
