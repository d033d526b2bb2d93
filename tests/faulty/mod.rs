//! Stores that fail at a chosen write: refused once, or as the last thing before the power goes.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use consignee::store::{
    Held, Item, KeyStore, LedgerHead, LedgerRow, LedgerStore, OrderStore, RecordIdBytes, RecordRow,
    RecordSummary, SecretRow, SecretStore, StagedRecord, StoreError, StoreResult, Stores, Tag, WriteLock,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The write does nothing and reports a full disk; all others work.
    Refused,
    /// The write does nothing, and from here on every call fails.
    CutBefore,
    /// The write is done, but its answer and every later call fail.
    CutAfter,
}

/// Says which write fails. Clones share it.
#[derive(Clone, Default)]
pub struct Switch(Arc<(Mutex<State>, AtomicBool)>);

#[derive(Default)]
struct State {
    armed: Option<(Fault, u32)>,
    cut: bool,
    fired: Option<&'static str>,
}

impl Switch {
    /// The `at`-th write from now on, counted from 1, fails.
    pub fn arm(&self, fault: Fault, at: u32) {
        *self.state() = State { armed: Some((fault, at)), cut: false, fired: None };
    }

    /// Nothing fails any more; returns the write that did.
    pub fn mend(&self) -> Option<&'static str> {
        std::mem::take(&mut *self.state()).fired
    }

    /// Whether rows were removed and not wiped since.
    pub fn unwiped(&self) -> bool {
        self.0.1.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> StoreResult<()> {
        if self.state().cut { Err(StoreError::Failed) } else { Ok(()) }
    }

    fn write<T>(&self, name: &'static str, work: impl FnOnce() -> StoreResult<T>) -> StoreResult<T> {
        self.read()?;
        let fault = {
            let mut state = self.state();
            match state.armed {
                Some((fault, 1)) => {
                    *state = State { armed: None, cut: fault != Fault::Refused, fired: Some(name) };
                    Some(fault)
                }
                Some((fault, at)) => {
                    state.armed = Some((fault, at - 1));
                    None
                }
                None => None,
            }
        };
        match fault {
            None => work(),
            Some(Fault::Refused) => Err(StoreError::Full),
            Some(Fault::CutBefore) => Err(StoreError::Failed),
            Some(Fault::CutAfter) => work().and(Err(StoreError::Failed)),
        }
    }
}

/// The stores, with a switch in front of each call.
pub fn stores(inner: &Stores, switch: &Switch) -> Stores {
    let faulty = Arc::new(Faulty { inner: inner.clone(), switch: switch.clone() });
    Stores {
        orders: faulty.clone(),
        secrets: faulty.clone(),
        keys: faulty.clone(),
        ledger: faulty.clone(),
        former: inner.former.clone(),
        lock: faulty,
    }
}

struct Faulty {
    inner: Stores,
    switch: Switch,
}

impl OrderStore for Faulty {
    fn records(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Option<RecordRow>>> {
        self.switch.read()?;
        self.inner.orders.records(ids)
    }

    fn insert_records(&self, rows: &[RecordRow]) -> StoreResult<()> {
        self.switch.write("insert_records", || self.inner.orders.insert_records(rows))
    }

    fn tagged(&self, tags: &[Tag], limit: usize) -> StoreResult<Vec<RecordIdBytes>> {
        self.switch.read()?;
        self.inner.orders.tagged(tags, limit)
    }

    fn stage_record(&self, staged: &StagedRecord) -> StoreResult<()> {
        self.switch.write("stage_record", || self.inner.orders.stage_record(staged))
    }

    fn staged(&self, id: &RecordIdBytes) -> StoreResult<Option<StagedRecord>> {
        self.switch.read()?;
        self.inner.orders.staged(id)
    }

    fn swap_staged(&self, id: &RecordIdBytes) -> StoreResult<bool> {
        self.switch.write("swap_staged", || self.inner.orders.swap_staged(id))
    }

    fn of_epoch(&self, epoch: u32, after: Option<u128>, limit: usize) -> StoreResult<Vec<(u128, RecordRow)>> {
        self.switch.read()?;
        self.inner.orders.of_epoch(epoch, after, limit)
    }

    fn count_epochs(&self) -> StoreResult<Vec<(u32, u64)>> {
        self.switch.read()?;
        self.inner.orders.count_epochs()
    }

    fn replace_records(&self, rows: &[RecordRow]) -> StoreResult<Vec<bool>> {
        self.switch.write("replace_records", || self.inner.orders.replace_records(rows))
    }

    fn drop_staged(&self, id: &RecordIdBytes) -> StoreResult<()> {
        self.switch.write("drop_staged", || self.inner.orders.drop_staged(id))
    }

    fn delete_records(&self, ids: &[RecordIdBytes]) -> StoreResult<()> {
        self.switch.write("delete_records", || self.inner.orders.delete_records(ids))
    }

    fn page(&self, after: Option<&RecordIdBytes>, limit: usize) -> StoreResult<Vec<RecordSummary>> {
        self.switch.read()?;
        self.inner.orders.page(after, limit)
    }

    fn count_records(&self) -> StoreResult<u64> {
        self.switch.read()?;
        self.inner.orders.count_records()
    }
}

impl SecretStore for Faulty {
    fn secrets(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Vec<SecretRow>>> {
        self.switch.read()?;
        self.inner.secrets.secrets(ids)
    }

    fn insert_secrets(&self, rows: &[SecretRow]) -> StoreResult<()> {
        self.switch.write("insert_secrets", || self.inner.secrets.insert_secrets(rows))
    }

    fn replace_secrets(&self, remove: &[(RecordIdBytes, [u8; 10])], add: &[SecretRow]) -> StoreResult<()> {
        self.switch.write("replace_secrets", || {
            let destroys = |key: &(RecordIdBytes, [u8; 10])| {
                let rows = self.inner.secrets.secrets(&[key.0])?.concat();
                let kept = |row: &SecretRow| add.iter().any(|added| added.wrapped == row.wrapped);
                Ok(rows.iter().any(|row| row.n1 == key.1 && !kept(row)))
            };
            let destroyed: Vec<bool> = remove.iter().map(destroys).collect::<StoreResult<_>>()?;
            self.inner.secrets.replace_secrets(remove, add)?;
            if destroyed.contains(&true) {
                self.switch.0.1.store(true, Ordering::Release);
            }
            Ok(())
        })
    }

    fn make_current(&self, keys: &[(RecordIdBytes, [u8; 10])], at: u64) -> StoreResult<()> {
        self.switch.write("make_current", || self.inner.secrets.make_current(keys, at))
    }

    fn count_generations(&self) -> StoreResult<Vec<(u32, u64)>> {
        self.switch.read()?;
        self.inner.secrets.count_generations()
    }

    fn greatest_serial(&self) -> StoreResult<Option<u64>> {
        self.switch.read()?;
        self.inner.secrets.greatest_serial()
    }

    fn wipe_removed(&self, wait: std::time::Duration) -> StoreResult<()> {
        self.switch.write("wipe_removed", || {
            self.inner.secrets.wipe_removed(wait)?;
            self.switch.0.1.store(false, Ordering::Release);
            Ok(())
        })
    }

    fn secrets_by_serial(&self, serial: u64) -> StoreResult<Vec<SecretRow>> {
        self.switch.read()?;
        self.inner.secrets.secrets_by_serial(serial)
    }

    fn unsettled(&self) -> StoreResult<Vec<SecretRow>> {
        self.switch.read()?;
        self.inner.secrets.unsettled()
    }

    fn superseded_before(&self, time: u64, limit: usize) -> StoreResult<Vec<SecretRow>> {
        self.switch.read()?;
        self.inner.secrets.superseded_before(time, limit)
    }

    fn secrets_page(
        &self,
        after: Option<&(RecordIdBytes, [u8; 10])>,
        limit: usize,
    ) -> StoreResult<Vec<SecretRow>> {
        self.switch.read()?;
        self.inner.secrets.secrets_page(after, limit)
    }
}

impl KeyStore for Faulty {
    fn items(&self) -> StoreResult<Vec<Item>> {
        self.switch.read()?;
        self.inner.keys.items()
    }

    fn write_items(&self, items: &[Item]) -> StoreResult<()> {
        self.switch.write("write_items", || self.inner.keys.write_items(items))
    }

    fn wipe_removed(&self, wait: std::time::Duration) -> StoreResult<()> {
        self.switch.write("wipe_removed", || self.inner.keys.wipe_removed(wait))
    }

    fn items_version(&self) -> StoreResult<u64> {
        self.switch.read()?;
        self.inner.keys.items_version()
    }

    fn allot(&self, counter: u32, count: u64) -> StoreResult<u64> {
        self.switch.write("allot", || self.inner.keys.allot(counter, count))
    }

    fn spend(&self, account: u64, at: u64, windows: &[(u64, u64)]) -> StoreResult<bool> {
        self.switch.write("spend", || self.inner.keys.spend(account, at, windows))
    }
}

impl LedgerStore for Faulty {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        self.switch.write("append", || self.inner.ledger.append(build))
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.switch.read()?;
        self.inner.ledger.head()
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        self.switch.read()?;
        self.inner.ledger.entries(from, limit)
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        self.switch.read()?;
        self.inner.ledger.find_handle(handle)
    }
}

impl WriteLock for Faulty {
    fn hold(&self) -> StoreResult<Box<dyn Held + '_>> {
        self.switch.read()?;
        self.inner.lock.hold()
    }
}
