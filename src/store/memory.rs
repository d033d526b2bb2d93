//! Stores in memory: for tests and examples, and the plainest reading of the contracts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::{
        Bound::{Excluded, Unbounded},
        RangeInclusive,
    },
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{
    Held, Item, KeyStore, LOCK_WAIT, LedgerHead, LedgerRow, LedgerStore, OrderStore, RecordIdBytes,
    RecordRow, RecordSummary, SecretRow, SecretState, SecretStore, StagedRecord, StoreError, StoreResult,
    Stores, Tag, WriteLock,
};

/// All four stores of one vault in memory.
#[derive(Default)]
pub struct Memory {
    orders: Mutex<Orders>,
    secrets: Mutex<BTreeMap<SecretKey, SecretRow>>,
    keys: Mutex<Keys>,
    ledger: Mutex<(LedgerHead, Vec<LedgerRow>)>,
    writing: Mutex<bool>,
    written: Condvar,
}

type SecretKey = (RecordIdBytes, [u8; 10]);

#[derive(Default)]
struct Orders {
    records: BTreeMap<RecordIdBytes, RecordRow>,
    tags: BTreeSet<(Tag, RecordIdBytes)>,
    staged: BTreeMap<RecordIdBytes, StagedRecord>,
}

impl Orders {
    fn add_tags(&mut self, row: &RecordRow) {
        self.tags.extend(row.tags.iter().map(|tag| (*tag, row.id)));
    }

    fn remove(&mut self, id: &RecordIdBytes) {
        if let Some(row) = self.records.remove(id) {
            for tag in &row.tags {
                self.tags.remove(&(*tag, row.id));
            }
        }
    }
}

#[derive(Default)]
struct Keys {
    items: BTreeMap<(u8, u32, u32), Vec<u8>>,
    version: u64,
    counters: HashMap<u32, u64>,
    spent: HashMap<u64, Vec<u64>>,
}

impl Memory {
    /// Empty stores.
    pub fn stores() -> Stores {
        let memory = Arc::new(Self::default());
        Stores {
            orders: memory.clone(),
            secrets: memory.clone(),
            keys: memory.clone(),
            ledger: memory.clone(),
            former: Vec::new(),
            lock: memory,
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No method below leaves a map half changed where it could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds all rows, or none if a key is there already or twice among them.
fn insert_new<K: Copy + Ord, R: Clone>(
    map: &mut BTreeMap<K, R>,
    rows: &[R],
    key: impl Fn(&R) -> K,
) -> StoreResult<()> {
    let mut new = BTreeSet::new();
    if rows.iter().any(|row| map.contains_key(&key(row)) || !new.insert(key(row))) {
        return Err(StoreError::Exists);
    }
    map.extend(rows.iter().map(|row| (key(row), row.clone())));
    Ok(())
}

impl OrderStore for Memory {
    fn records(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Option<RecordRow>>> {
        let orders = held(&self.orders);
        Ok(ids.iter().map(|id| orders.records.get(id).cloned()).collect())
    }

    fn insert_records(&self, rows: &[RecordRow]) -> StoreResult<()> {
        let mut orders = held(&self.orders);
        insert_new(&mut orders.records, rows, |row| row.id)?;
        rows.iter().for_each(|row| orders.add_tags(row));
        Ok(())
    }

    fn tagged(&self, tags: &[Tag], limit: usize) -> StoreResult<Vec<RecordIdBytes>> {
        let orders = held(&self.orders);
        let of = |tag: &Tag| orders.tags.range((*tag, [0; 16])..=(*tag, [255; 16])).map(|(_, id)| *id);
        let found: BTreeSet<_> = tags.iter().flat_map(of).collect();
        Ok(found.into_iter().take(limit).collect())
    }

    fn stage_record(&self, staged: &StagedRecord) -> StoreResult<()> {
        held(&self.orders).staged.insert(staged.record.id, staged.clone());
        Ok(())
    }

    fn staged(&self, id: &RecordIdBytes) -> StoreResult<Option<StagedRecord>> {
        Ok(held(&self.orders).staged.get(id).cloned())
    }

    fn swap_staged(&self, id: &RecordIdBytes) -> StoreResult<bool> {
        let mut orders = held(&self.orders);
        let (Some(record), Some(staged)) = (orders.records.get(id), orders.staged.get(id)) else {
            return Ok(false);
        };
        if record.revision != staged.replaces {
            return Ok(false);
        }
        let next = staged.record.clone();
        orders.remove(id);
        orders.staged.remove(id);
        orders.add_tags(&next);
        orders.records.insert(*id, next);
        Ok(true)
    }

    fn drop_staged(&self, id: &RecordIdBytes) -> StoreResult<()> {
        held(&self.orders).staged.remove(id);
        Ok(())
    }

    fn delete_records(&self, ids: &[RecordIdBytes]) -> StoreResult<()> {
        let mut orders = held(&self.orders);
        for id in ids {
            orders.remove(id);
            orders.staged.remove(id);
        }
        Ok(())
    }

    fn page(&self, after: Option<&RecordIdBytes>, limit: usize) -> StoreResult<Vec<RecordSummary>> {
        let orders = held(&self.orders);
        let page =
            orders.records.range((after.map_or(Unbounded, |after| Excluded(*after)), Unbounded)).take(limit);
        Ok(page.map(|(_, row)| row.summary()).collect())
    }

    fn count_records(&self) -> StoreResult<u64> {
        Ok(held(&self.orders).records.len() as u64)
    }

    fn replace_records(&self, rows: &[RecordRow]) -> StoreResult<Vec<bool>> {
        let mut orders = held(&self.orders);
        let replace = |row: &RecordRow| {
            let fits = orders.records.get(&row.id).is_some_and(|record| record.revision == row.revision);
            if fits {
                orders.remove(&row.id);
                orders.add_tags(row);
                orders.records.insert(row.id, row.clone());
            }
            fits
        };
        Ok(rows.iter().map(replace).collect())
    }

    fn staged_ids(&self, limit: usize) -> StoreResult<Vec<RecordIdBytes>> {
        Ok(held(&self.orders).staged.keys().take(limit).copied().collect())
    }
}

impl SecretStore for Memory {
    fn secrets(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Vec<SecretRow>>> {
        let secrets = held(&self.secrets);
        let rows =
            |id: &RecordIdBytes| secrets.range((*id, [0; 10])..=(*id, [255; 10])).map(|(_, row)| row.clone());
        Ok(ids.iter().map(|id| rows(id).collect()).collect())
    }

    fn insert_secrets(&self, rows: &[SecretRow]) -> StoreResult<()> {
        insert_new(&mut held(&self.secrets), rows, |row| (row.record_id, row.n1))
    }

    fn replace_secrets(&self, remove: &[SecretKey], add: &[SecretRow]) -> StoreResult<()> {
        let mut secrets = held(&self.secrets);
        let removed: Vec<_> = remove.iter().filter_map(|key| secrets.remove_entry(key)).collect();
        let added = insert_new(&mut secrets, add, |row| (row.record_id, row.n1));
        if added.is_err() {
            secrets.extend(removed);
        }
        added
    }

    fn wipe_removed(&self, _wait: std::time::Duration) -> StoreResult<()> {
        Ok(())
    }

    fn greatest_serial(&self) -> StoreResult<Option<u64>> {
        Ok(held(&self.secrets).values().map(|row| row.serial).max())
    }

    fn secrets_by_serial(&self, serial: u64) -> StoreResult<Vec<SecretRow>> {
        Ok(held(&self.secrets).values().filter(|row| row.serial == serial).cloned().collect())
    }

    fn unsettled(&self) -> StoreResult<Vec<SecretRow>> {
        let unsettled = |row: &&SecretRow| match row.state {
            SecretState::Pending => true,
            SecretState::Shredded => !row.fingerprint.is_empty(),
            SecretState::Current | SecretState::Superseded => false,
        };
        Ok(held(&self.secrets).values().filter(unsettled).cloned().collect())
    }

    fn superseded_before(&self, time: u64, limit: usize) -> StoreResult<Vec<SecretRow>> {
        let old = |row: &&SecretRow| row.state == SecretState::Superseded && row.changed_at < time;
        Ok(held(&self.secrets).values().filter(old).take(limit).cloned().collect())
    }

    fn secrets_page(&self, after: Option<&SecretKey>, limit: usize) -> StoreResult<Vec<SecretRow>> {
        let secrets = held(&self.secrets);
        let page = secrets.range((after.map_or(Unbounded, |after| Excluded(*after)), Unbounded)).take(limit);
        Ok(page.map(|(_, row)| row.clone()).collect())
    }
}

impl KeyStore for Memory {
    fn items(&self) -> StoreResult<Vec<Item>> {
        let keys = held(&self.keys);
        let item = |(&(kind, id, generation), body): (&(u8, u32, u32), &Vec<u8>)| Item {
            kind,
            id,
            generation,
            body: body.clone(),
        };
        Ok(keys.items.iter().map(item).collect())
    }

    fn write_items(&self, items: &[Item]) -> StoreResult<()> {
        let mut keys = held(&self.keys);
        for item in items {
            let place = (item.kind, item.id, item.generation);
            if item.body.is_empty() {
                keys.items.remove(&place);
            } else {
                keys.items.insert(place, item.body.clone());
            }
        }
        keys.version += 1;
        Ok(())
    }

    fn wipe_removed(&self, _wait: std::time::Duration) -> StoreResult<()> {
        Ok(())
    }

    fn items_version(&self) -> StoreResult<u64> {
        Ok(held(&self.keys).version)
    }

    fn allot(&self, counter: u32, count: u64) -> StoreResult<u64> {
        let mut keys = held(&self.keys);
        let next = keys.counters.entry(counter).or_default();
        let first = *next;
        *next = first.checked_add(count).ok_or(StoreError::Failed)?;
        Ok(first)
    }

    fn spend(&self, account: u64, at: u64, windows: &[(u64, u64)]) -> StoreResult<bool> {
        let mut keys = held(&self.keys);
        let spent = keys.spent.entry(account).or_default();
        let longest = windows.iter().map(|(length, _)| *length).max().unwrap_or_default();
        spent.retain(|time| *time > at.saturating_sub(longest));
        let within =
            |length: u64| spent.iter().filter(|time| **time > at.saturating_sub(length)).count() as u64;
        let fits = windows.iter().all(|(length, most)| within(*length) < *most);
        if fits {
            spent.push(at);
        }
        Ok(fits)
    }

    fn forget_spent(&self, accounts: RangeInclusive<u64>, until: u64) -> StoreResult<()> {
        let mut keys = held(&self.keys);
        for (account, spent) in &mut keys.spent {
            spent.retain(|time| !accounts.contains(account) || *time > until);
        }
        keys.spent.retain(|_, spent| !spent.is_empty());
        Ok(())
    }
}

impl LedgerStore for Memory {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        let mut ledger = held(&self.ledger);
        let (rows, head) = build(&ledger.0);
        ledger.1.extend(rows);
        ledger.0 = head;
        Ok(())
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        Ok(held(&self.ledger).0.clone())
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        Ok(held(&self.ledger).1.iter().skip(from).take(limit).cloned().collect())
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        let ledger = held(&self.ledger);
        Ok((0..).zip(&ledger.1).filter(|(_, row)| row.handle == *handle).map(|(index, _)| index).collect())
    }
}

struct Writing<'a>(&'a Memory);

impl Held for Writing<'_> {}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        *held(&self.0.writing) = false;
        self.0.written.notify_one();
    }
}

impl WriteLock for Memory {
    fn hold(&self) -> StoreResult<Box<dyn Held + '_>> {
        let free = self.written.wait_timeout_while(held(&self.writing), LOCK_WAIT, |writing| *writing);
        let (mut writing, waited) = free.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(StoreError::Locked);
        }
        *writing = true;
        Ok(Box::new(Writing(self)))
    }
}
