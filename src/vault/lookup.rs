//! Finding things for the flow: orders by number, alias or tag, the snapshot of the registry, serial numbers.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Put, Vault, not_found};
use crate::{
    alias::{self, Alias},
    error::{Error, ErrorKind, Result},
    keys::{HandleKey, RecordId},
    opener::{Asked, Meanwhile, StoredOrder, rolled_back, shredded, unlock},
    record,
    registry::Registry,
    sealer::{Plan, RowPlan, SealedOrder, Sealing},
    store::{RecordRow, SecretRow, SecretState, epoch_of},
    view::Record,
};

/// An order of a put that is not stored.
pub(super) struct New<'a> {
    /// Which of the call's orders it is.
    pub(super) at: usize,
    /// Its number, by which it was looked for and under which it is sealed.
    pub(super) number: &'a str,
    /// What that is in the stores.
    pub(super) id: RecordId,
    /// For its aliases, if it has none yet.
    pub(super) serial: u64,
    /// Secret rows without a record: of a put that crashed, or of a record that was lost.
    pub(super) abandoned: Vec<([u8; 16], [u8; 10])>,
    /// What those rows say and the handle key in them. The order goes on under them: so its entries and aliases stay its own, the
    /// entry of the put that crashed is one of an order that is there, and who removes a record, so that it is put again, has
    /// neither its time begun anew nor a later policy's grants for it.
    pub(super) kept: Option<(RowPlan, HandleKey)>,
}

impl New<'_> {
    pub(super) fn seal<R: Record>(&mut self, sealing: &mut Sealing<'_>, order: &R) -> Result<SealedOrder> {
        let fresh = RowPlan::new(sealing.registry, self.serial);
        let (row, handle_key) = self.kept.take().map_or((fresh, None), |(row, key)| (row, Some(key)));
        sealing.seal(order, (self.number, self.id), row, handle_key)
    }
}

/// The rows of one order.
pub(crate) struct Found {
    pub(crate) record: Option<RecordRow>,
    pub(crate) rows: Vec<SecretRow>,
    pub(crate) by_number: bool,
}

impl Found {
    /// The record and the secret row that belongs to it.
    pub(crate) fn newest(&self) -> Result<StoredOrder<'_>> {
        if self.rows.iter().any(|row| row.state == SecretState::Shredded) {
            return Err(shredded());
        }
        let record = self.record.as_ref().ok_or_else(not_found)?;
        let n1 = record::Record::parse(&record.sealed)?.header.n1;
        let secret = self.rows.iter().find(|row| row.n1 == n1).ok_or_else(rolled_back)?;
        Ok(StoredOrder { record: &record.sealed, secret })
    }

    /// Whether record and rows are of epochs and generations that this snapshot has.
    pub(super) fn is_known(&self, registry: &Registry) -> bool {
        let record = self.record.as_ref().and_then(|record| epoch_of(&record.sealed));
        let epoch = record.is_none_or(|epoch| registry.epoch(epoch).is_some());
        epoch && self.rows.iter().all(|row| registry.release(row.generation).is_some())
    }

    /// Whether the record is not the one that a current or pending row is for: rolled back, or changed while it was read.
    fn was_overtaken(&self) -> bool {
        self.newest().map_or_else(
            |e| *e.kind() == ErrorKind::RolledBack,
            |stored| stored.secret.state == SecretState::Superseded,
        )
    }
}

/// Whether these rows still let an order be opened by the row that was found for it: as it was, or moved to another release key,
/// or in place of it a row of the same revision, which was sealed anew and says the same. An order closed meanwhile does not.
fn still_opens(registry: &Registry, found: &SecretRow, rows: &[SecretRow]) -> bool {
    let opens = |row: &SecretRow| {
        let state = matches!(row.state, SecretState::Current | SecretState::Pending);
        let same = row.n1 == found.n1 && row.wrapped == found.wrapped;
        // Unwrapped only where it is another row: nearly always it is not.
        let anew =
            || row.revision == found.revision && registry.closed(row) == Some(registry.is_closed(found));
        state && (same || anew())
    };
    rows.iter().all(|row| row.state != SecretState::Shredded) && rows.iter().any(opens)
}

impl Vault {
    /// Tells new orders from those that are there, whose results it fills in. Holds back the second of two equal numbers.
    pub(super) fn triage<'a, R: Record>(
        &self,
        registry: &Registry,
        plan: &Plan,
        orders: &'a [R],
        results: &mut [Option<Result<Put>>],
    ) -> Result<Vec<New<'a>>> {
        let mut sought = Vec::new();
        let mut seen = HashSet::new();
        for (at, (order, result)) in
            orders.iter().zip(results.iter_mut()).enumerate().filter(|(_, (_, r))| r.is_none())
        {
            match plan.order_no(order) {
                Err(e) => *result = Some(Err(e)),
                Ok(number) => {
                    let id = registry.id_key.record_id(number);
                    if seen.insert(id) {
                        sought.push((at, number, id));
                    }
                }
            }
        }
        let ids: Vec<[u8; 16]> = sought.iter().map(|(.., id)| id.0).collect();
        let secrets = self.0.stores.secrets.secrets(&ids)?;
        let known: Vec<[u8; 16]> = secrets.iter().flatten().map(|row| row.record_id).collect();
        let records = self.0.stores.orders.records(&known)?;
        let mut records: HashMap<_, _> = records.into_iter().flatten().map(|row| (row.id, row)).collect();
        let mut new = Vec::new();
        for ((at, number, id), rows) in sought.into_iter().zip(secrets) {
            let found = Found { record: records.remove(&id.0), rows, by_number: true };
            if found.record.is_none() && found.rows.iter().all(|row| row.state != SecretState::Shredded) {
                // This call holds the writer's lock, so whoever wrote these rows is gone.
                let abandoned = found.rows.iter().map(|row| (row.record_id, row.n1)).collect();
                // The row before the last may be from before the closing.
                let closed = found.rows.iter().any(|row| registry.is_closed(row));
                let kept = |row: &SecretRow| Some((RowPlan::again(row, closed), registry.handle_key(row)?));
                let kept = found.rows.iter().find_map(kept);
                new.push(New { at, number, id, serial: u64::MAX, abandoned, kept });
            } else if let Some(result) = results.get_mut(at) {
                *result = Some(compare(registry, plan, (&orders[at], number), id, &found));
            }
        }
        Ok(new)
    }

    /// Hands orders that were looked up to `work`, with what tells whether they are as they were, once their entries are durable.
    pub(super) fn with_stored<T>(
        &self,
        orders: &[&str],
        found: &[Option<Found>],
        work: impl FnOnce(Vec<Result<Asked<'_>>>, &mut dyn FnMut() -> Result<Meanwhile>) -> Result<T>,
    ) -> Result<T> {
        let asked = found.iter().zip(orders).map(|(found, order)| {
            let found = found.as_ref().ok_or_else(not_found)?;
            let StoredOrder { record, secret } = found.newest()?;
            Ok(Asked { record, secret, called: found.by_number.then_some(*order) })
        });
        let rows: Vec<_> = found.iter().map(|found| Some(found.as_ref()?.newest().ok()?.secret)).collect();
        work(asked.collect(), &mut || self.meanwhile(&rows))
    }

    /// The rows of an order by its number or an alias.
    pub(crate) fn look_up(&self, registry: &Registry, order: &str) -> Result<Found> {
        self.look_up_many(registry, &[order])?.pop().flatten().ok_or_else(not_found)
    }

    /// The rows of orders by number or alias; `None` where there are none.
    pub(crate) fn look_up_many(&self, registry: &Registry, orders: &[&str]) -> Result<Vec<Option<Found>>> {
        let ids: Vec<_> = orders.iter().map(|order| registry.id_key.record_id(order).0).collect();
        let found = self.rows_of(&ids)?;
        let by_number_or_alias = |(found, order): (Found, &&str)| {
            if !found.rows.is_empty() {
                return Ok(Some(found));
            }
            let Some((_, serial)) = Alias::parse(order).and_then(|alias| registry.alias_key.resolve(&alias))
            else {
                return Ok(None);
            };
            self.of_serial(serial)
        };
        found.into_iter().zip(orders).map(by_number_or_alias).collect()
    }

    /// The rows of the order of an alias.
    pub(super) fn of_serial(&self, serial: u64) -> Result<Option<Found>> {
        let Some(row) = self.rows_of_serial(serial)?.pop() else { return Ok(None) };
        let found = self.rows_of(&[row.record_id])?.pop();
        // Of what is filed under this serial, only rows that have it: a row shows that its serial is its own when it opens, and
        // one that never opens, planted among another order's, must not lead the alias to that order.
        Ok(found.map(|mut found| {
            found.rows.retain(|row| row.serial == serial);
            Found { by_number: false, ..found }
        }))
    }

    /// Does the work with a snapshot that has the keys of what it finds; it gives nothing where some are unknown. Keys are made
    /// before anything needs them: those were made since the snapshot was taken, and one that is taken anew has them. What is
    /// unknown the last time, too, as it says, is so for another reason.
    pub(crate) fn with_keys<T>(
        &self,
        mut work: impl FnMut(&Arc<Registry>, bool) -> Result<Option<T>>,
    ) -> Result<(Arc<Registry>, T)> {
        for last in [false, false, true] {
            let registry = self.registry()?;
            if let Some(done) = work(&registry, last)? {
                return Ok((registry, done));
            }
        }
        Err(Error::new(ErrorKind::Conflict, "keys were exchanged meanwhile").with_hint("repeat"))
    }

    /// The rows of orders by number or alias, and a snapshot that has their keys.
    pub(crate) fn look_up_with_keys(&self, orders: &[&str]) -> Result<(Arc<Registry>, Vec<Option<Found>>)> {
        self.with_keys(|registry, last| {
            let found = self.look_up_many(registry, orders)?;
            let known = last || found.iter().flatten().all(|found| found.is_known(registry));
            Ok(known.then_some(found))
        })
    }

    /// The rows of these records, in their order.
    ///
    /// Records are read before secrets, and a record's secret is written before the record: so a record that was changed in
    /// between has its secret among the rows, superseded at worst. Then both are read again.
    pub(crate) fn rows_of(&self, ids: &[[u8; 16]]) -> Result<Vec<Found>> {
        let stores = &self.0.stores;
        let read = |ids: &[[u8; 16]]| {
            let records = stores.orders.records(ids)?;
            let rows = stores.secrets.secrets(ids)?;
            let found = |(record, rows)| Found { record, rows, by_number: true };
            Ok::<Vec<_>, Error>(records.into_iter().zip(rows).map(found).collect())
        };
        let mut all = read(ids)?;
        for (found, id) in all.iter_mut().zip(ids) {
            let mut tries = 0;
            while tries < 3 && found.was_overtaken() {
                tries += 1;
                if let Some(again) = read(&[*id])?.pop() {
                    *found = again;
                }
            }
        }
        Ok(all)
    }

    /// What has become of the registry, and of orders by their secret rows, since they were read.
    pub(super) fn meanwhile(&self, rows: &[Option<&SecretRow>]) -> Result<Meanwhile> {
        let ids: Vec<_> = rows.iter().map(|row| row.map_or([0; 16], |row| row.record_id)).collect();
        let now = self.0.stores.secrets.secrets(&ids)?;
        let registry = self.registry()?;
        let same = |(row, now): (&Option<&SecretRow>, Vec<SecretRow>)| {
            row.is_some_and(|row| still_opens(&registry, row, &now))
        };
        let unchanged = rows.iter().zip(now).map(same).collect();
        Ok(Meanwhile { registry, unchanged })
    }

    /// The rows of the one order with this serial.
    pub(crate) fn rows_of_serial(&self, serial: u64) -> Result<Vec<SecretRow>> {
        let rows = self.0.stores.secrets.secrets_by_serial(serial)?;
        if rows.windows(2).any(|pair| pair[0].record_id != pair[1].record_id) {
            return Err(Error::new(ErrorKind::Damaged, "two orders have one alias: keys.db was rolled back")
                .with_hint("ask by order number; restore the newest backup of keys.db"));
        }
        Ok(rows)
    }

    /// Leaves out the numbers that may have been given out since the vault was as it is, if that is an old state of it: otherwise
    /// an alias that a party was shown in that time would be another order's. As many sealings are counted. `ledgers` were lost: each
    /// after the first began with a restore that skipped numbers, too.
    #[cfg(feature = "sqlite")]
    pub(crate) fn skip_lost_numbers(&self, registry: &Registry, ledgers: u32) -> Result<()> {
        const MOST_LOST: u64 = 1 << 24;
        let skipped = MOST_LOST * u64::from(ledgers);
        self.0.stores.keys.allot(SERIALS, skipped)?;
        self.0.stores.keys.allot(SEALINGS + registry.current_epoch()?.epoch, skipped)?;
        Ok(())
    }

    /// The newest snapshot of keys, policies and parties, whatever process changed them.
    pub(crate) fn registry(&self) -> Result<Arc<Registry>> {
        if process::id() != self.0.process {
            // A forked child shares the parent's locks, connections and serial numbers without knowing it.
            return Err(Error::new(ErrorKind::Locked, "the vault was unlocked by another process")
                .with_hint("unlock it in the workers only, each after it was forked"));
        }
        let version = self.0.stores.keys.items_version()?;
        let mut snapshot = held(&self.0.registry);
        if snapshot.0 != version {
            let items = self.0.stores.keys.items()?;
            *snapshot = (version, Arc::new(self.newer_registry(items, &snapshot.1)?));
        }
        Ok(Arc::clone(&snapshot.1))
    }

    /// Counts sealings that are to come in the epoch that seals, which has a limit.
    pub(crate) fn count_sealings(&self, registry: &Registry, count: u64) -> Result<()> {
        let sealings = self.0.stores.keys.allot(SEALINGS + registry.current_epoch()?.epoch, count)?;
        if sealings + count > MOST_SEALINGS {
            return Err(Error::new(ErrorKind::Limit, "this epoch has sealed 2^32 orders")
                .with_hint("keys rotate begins another"));
        }
        Ok(())
    }

    /// `count` serial numbers, and as many sealings counted. Taken from the store in blocks of at least 256; those a process does
    /// not use are lost, and so are those that were counted in an earlier epoch.
    pub(crate) fn allot_serials(&self, registry: &Registry, count: u64) -> Result<Range<u64>> {
        const BLOCK: u64 = 256;
        let mut held = held(&self.0.serials);
        let epoch = registry.current_epoch()?.epoch;
        if held.0 != epoch {
            *held = (epoch, 0..0);
        }
        let left = &mut held.1;
        if left.end - left.start < count {
            let block = count.max(BLOCK);
            self.count_sealings(registry, block)?;
            let mut start = self.0.stores.keys.allot(SERIALS, block)?;
            // The counter has no tag: where it was set back, it goes on behind the greatest number in use.
            let used =
                self.0.stores.secrets.greatest_serial()?.map_or(0, |greatest| greatest.saturating_add(1));
            if start < used {
                start = self.0.stores.keys.allot(SERIALS, used - start)?.max(used);
                self.0.stores.keys.allot(SERIALS, block)?;
            }
            if start.saturating_add(block) > alias::MAX_SERIAL {
                return Err(Error::new(ErrorKind::Limit, "the vault's numbers for aliases are used up"));
            }
            *left = start..start + block;
        }
        let start = left.start;
        left.start += count;
        Ok(start..left.start)
    }
}

/// Counter of serial numbers.
const SERIALS: u32 = 1;
/// Counters of sealings begin here, one per epoch.
pub(crate) const SEALINGS: u32 = 1 << 16;
/// Beyond this, N1 (80 bits) may repeat within an epoch with a probability above 2^-17 (`docs/format.md`, "Bounds").
pub(crate) const MOST_SEALINGS: u64 = 1 << 32;

/// Whether what is stored is the same order, by its fingerprint; opens nothing.
fn compare<R: Record>(
    registry: &Registry,
    plan: &Plan,
    (order, number): (&R, &str),
    id: RecordId,
    found: &Found,
) -> Result<Put> {
    let StoredOrder { record, secret: row } = found.newest()?;
    let (secret, _) = unlock(registry, &record::Record::parse(record)?, row)?;
    if registry.id_key.is_fingerprint(&row.fingerprint, id, &secret, &plan.canonical(order, number)?) {
        Ok(Put::Unchanged(id))
    } else {
        Err(Error::new(ErrorKind::Exists, "another order is stored under this number")
            .with_hint("update changes a stored order"))
    }
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes guard is replaced whole, so a panicking holder leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{Order, OwnTables, Setup, policy::Policy};

    fn rows(vault: &Vault) -> Vec<SecretRow> {
        vault.0.stores.secrets.secrets_page(None, 100).unwrap()
    }

    fn still(vault: &Vault, found: &SecretRow) -> bool {
        still_opens(&vault.registry().unwrap(), found, &rows(vault))
    }

    /// What a call looked up before the order was closed, and asks for again when its entry is there.
    #[test]
    fn an_order_closed_while_it_is_opened_opens_no_more_and_one_moved_meanwhile_does() {
        let vault = Vault::in_memory(&Setup::default()).unwrap();
        let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00","consignee":{"name":"Wang Xiaoming",
            "phone":"13812345678","address":{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}},
            "items":[],"amount":{"value":"88.00","currency":"CNY"}}"#;
        vault.put(&Order::from_json(json, &Policy::built_in()).unwrap()).unwrap();
        let found = rows(&vault).pop().unwrap();
        vault.rotate(None).unwrap();
        assert_eq!(vault.reseal(1, |_| ()).unwrap().orders, 1);
        assert!(still(&vault, &found), "sealed anew");
        let found = rows(&vault).into_iter().find(|row| row.state == SecretState::Current).unwrap();
        vault.close("SO-1").unwrap();
        assert!(!still(&vault, &found));
        let closed = rows(&vault).into_iter().find(|row| row.state == SecretState::Current).unwrap();
        vault.rewrap(OwnTables::None, |_| ()).unwrap();
        assert!(!still(&vault, &found), "closed, and moved to another release key");
        // For whom it still opened when it was found closed.
        vault.rotate(None).unwrap();
        assert_eq!(vault.reseal(2, |_| ()).unwrap().orders, 1);
        let again = rows(&vault).into_iter().find(|row| row.state == SecretState::Current).unwrap();
        assert!(again.n1 != closed.n1 && still(&vault, &again));
    }
}
