//! What a vault reads of its ledger does not grow with it, but for what must read all of it.
#![cfg(feature = "sqlite")] // for the fixtures
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    iter::repeat_n,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use common::{ROOT, order, staffed};
use consignee::{
    Kem, KeyFile, PartyKey, Patch, Setup, ShredMode, Value, Vault,
    store::{
        LedgerHead, LedgerRow, LedgerStore, Memory, RecordIdBytes, SecretRow, SecretState, StoreResult,
        Stores,
    },
};

/// A ledger that counts the entries and indices that it hands out.
struct Counting {
    memory: Arc<dyn LedgerStore>,
    read: AtomicU64,
}

impl Counting {
    fn take(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }

    fn count<T>(&self, read: StoreResult<Vec<T>>) -> StoreResult<Vec<T>> {
        let read = read?;
        self.read.fetch_add(read.len() as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl LedgerStore for Counting {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        self.memory.append(build)
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.memory.head()
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        self.count(self.memory.entries(from, limit))
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        self.count(self.memory.find_handle(handle))
    }
}

const ORDERS: usize = 10;

fn number(n: usize) -> String {
    format!("SO-{n}")
}

/// A vault with orders whose ledger has this many entries more than it must.
fn vault(more: usize) -> (Vault, Arc<Counting>, Stores) {
    let stores = Memory::stores();
    let counting = Arc::new(Counting { memory: stores.ledger.clone(), read: AtomicU64::new(0) });
    let stores = Stores { ledger: counting.clone(), ..stores };
    let vault = Vault::begin(stores.clone(), &KeyFile::from_bytes(ROOT), &Setup::default()).unwrap();
    staffed(&vault);
    let key = PartyKey::generate(Kem::X25519).unwrap();
    vault.set_party_key("SF Express", key.public()).unwrap();
    vault.card().unwrap();
    let orders: Vec<_> = (0..ORDERS).map(|n| order(&number(n))).collect();
    assert!(vault.put_many(&orders).unwrap().iter().all(Result::is_ok));
    let last = number(ORDERS - 1);
    let opened = vault.open_many("shop", "operation", &repeat_n(last.as_str(), more).collect::<Vec<_>>());
    assert!(opened.unwrap().iter().all(Result::is_ok));
    (vault, counting, stores)
}

/// Entries read by each step of a vault's daily work.
fn daily_work(more: usize) -> Vec<(&'static str, u64)> {
    let (vault, counting, stores) = vault(more);
    drop(vault);
    counting.take();
    let vault = Vault::resume(stores, &KeyFile::from_bytes(ROOT)).unwrap();
    let mut read = vec![("unlock", counting.take())];
    let mut step = |name, work: &dyn Fn(&Vault)| {
        work(&vault);
        read.push((name, counting.take()));
    };
    step("put", &|vault| assert!(vault.put(&order("SO-new")).is_ok()));
    step("open", &|vault| drop(vault.open("SF Express", "delivery", &number(0)).unwrap()));
    step("refused", &|vault| drop(vault.open("SF Express", "operation", &number(0)).unwrap_err()));
    step("update", &|vault| {
        let patch = Patch::new().set("note", Value::Text("new".into()));
        assert_eq!(vault.update(&number(1), 1, patch).unwrap(), 2);
    });
    step("find", &|vault| {
        let hits = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
        assert!(!hits.hits.is_empty());
    });
    step("share", &|vault| {
        let shared = vault.share("SF Express", "delivery", &[&number(2)], None).unwrap();
        assert!(shared.orders[0].is_ok());
    });
    step("close", &|vault| assert!(vault.close(&number(3)).is_ok()));
    step("shred", &|vault| assert!(vault.shred(&number(4), "asked for", ShredMode::KeepEvidence).is_ok()));
    step("rotate", &|vault| assert!(vault.rotate(None).is_ok()));
    read
}

#[test]
fn daily_work_reads_no_more_of_a_long_ledger_than_of_a_short_one() {
    let (short, long) = (daily_work(0), daily_work(3_000));
    assert_eq!(short, long);
    assert!(short.iter().all(|(_, read)| *read < 100), "{short:?}");
}

/// A row that says "shredded", whose secret is there and whose record is not, cannot be finished nor undone.
#[test]
fn a_row_that_cannot_be_settled_has_the_ledger_read_once() {
    let (vault, counting, stores) = vault(3_000);
    let row: SecretRow = stores.secrets.secrets_page(None, 1).unwrap().remove(0);
    let id: RecordIdBytes = row.record_id;
    let marked = SecretRow { state: SecretState::Shredded, ..row.clone() };
    stores.secrets.replace_secrets(&[(id, row.n1)], std::slice::from_ref(&marked)).unwrap();
    let record = stores.orders.records(&[id]).unwrap().remove(0).unwrap();
    stores.orders.delete_records(&[id]).unwrap();
    counting.take();
    let mut read = Vec::new();
    for n in 0..4 {
        vault.put(&order(&format!("SO-new-{n}"))).unwrap();
        read.push(counting.take());
    }
    assert!(read[0] > 3_000, "the index alone undoes nothing: {read:?}");
    assert!(read[1..].iter().all(|read| *read < 10), "{read:?}");
    assert_eq!(stores.secrets.unsettled().unwrap(), [marked]);
    // What was remembered is no verdict: the record comes back, and the shredding that was never entered is undone.
    stores.orders.insert_records(&[record]).unwrap();
    vault.put(&order("SO-last")).unwrap();
    assert!(stores.secrets.unsettled().unwrap().is_empty());
    assert_eq!(stores.secrets.secrets(&[id]).unwrap().concat()[0].state, SecretState::Current);
    assert!(counting.take() < 10);
}
