//! Sealing orders anew: in batches, each secret → ledger → record → secret, while others put and open in between.

use std::{collections::HashMap, panic, sync::Arc, thread, time::Duration};

use super::{Vault, settle::n1_of};
use crate::{
    cores,
    error::{Error, ErrorKind, Result},
    ledger::{EntryKind, now},
    observe::Operation,
    opener::StoredOrder,
    record::Record,
    registry::Registry,
    reseal::{is_due, seal_all},
    sealer::{Plan, SealedOrder, no_randomness},
    store::RecordRow,
    suite::SealRng,
};

/// What resealing has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resealed {
    /// Orders that were sealed anew.
    pub orders: u64,
    /// Orders that could not be, and are as they were: `doctor` says why.
    pub failed: u64,
}

/// Orders of one batch: ids are random, so that a batch writes to pages all over the files, and the more of them it has the fewer
/// pages come to each.
const BATCH: usize = 8_000;
/// How long the write lock is free between batches: a waiting process looks every 2 ms.
const FREE: Duration = Duration::from_millis(4);

/// Orders read and sealed, ready to be written.
struct Batch {
    sealed: Vec<SealedOrder>,
    failed: u64,
    /// Place of the last one that was read; none if there are no more.
    last: Option<u128>,
}

impl Vault {
    /// Seals orders anew under the current epoch and the policy in force: those whose record is of epoch `from`, and not of both.
    /// They get the facets, fields and search tags of that policy; what they say, their revision, their aliases and what reaches
    /// them stay the same. What an order has in fields that the policy has retired is not in what is sealed anew, and is gone for
    /// good with the keys of the earlier epoch. An order that does not open is left as it is and counted.
    ///
    /// In batches of up to 8,000, each with an entry for each order; `progress` hears of each. Others put, open, update and search in
    /// between: the write lock is held for one batch at a time. Started again, after a kill too, it goes on with what is left. The
    /// earlier secrets are kept for a day.
    ///
    /// # Errors
    /// `NotFound` for an epoch that is not there, `Limit`, `Locked`, `Storage`.
    pub fn reseal(&self, from: u32, progress: impl FnMut(&Resealed)) -> Result<Resealed> {
        self.watch(Operation::Reseal, 0).one(self.reseal_epoch(from, progress))
    }

    /// While a batch is written, the next is read and sealed. It is taken if nothing that it rests on has changed when the lock is
    /// held again, and otherwise made anew.
    fn reseal_epoch(&self, from: u32, mut progress: impl FnMut(&Resealed)) -> Result<Resealed> {
        let mut done = Resealed::default();
        let mut writer = self.writer()?;
        let mut registry = self.registry()?;
        let mut ready = self.seal_batch(&registry, from, None)?;
        while let Some(last) = ready.last {
            let before = Arc::clone(&registry);
            let seal_next = || self.seal_batch(&before, from, Some(last));
            let Batch { sealed, failed, .. } = ready;
            let ((size, orders), next) = thread::scope(|scope| {
                // Where the system starts no more threads, it is done afterwards.
                let next = thread::Builder::new().spawn_scoped(scope, seal_next).ok();
                let written = self.write_resealed(sealed).and_then(|orders| {
                    let size = self.ledger().state()?.size;
                    drop(writer);
                    thread::sleep(FREE);
                    Ok((size, orders))
                });
                let next = next.map(|next| next.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
                written.map(|written| (written, next))
            })?;
            done.orders += orders;
            done.failed += failed;
            progress(&done);
            writer = self.writer()?;
            registry = self.registry()?;
            ready = match next {
                Some(next) if Arc::ptr_eq(&registry, &before) && !self.has_changes_since(size)? => next?,
                _ => self.seal_batch(&registry, from, Some(last))?,
            };
        }
        Ok(done)
    }

    /// Whether orders were changed or shredded since the ledger had this size, by whomever.
    fn has_changes_since(&self, size: u64) -> Result<bool> {
        let mut changed = false;
        self.ledger().scan(size, |_, entry| {
            changed |= matches!(
                entry.kind,
                EntryKind::Update | EntryKind::Reseal | EntryKind::Shred | EntryKind::Close
            );
        })?;
        Ok(changed)
    }

    fn seal_batch(&self, registry: &Registry, from: u32, after: Option<u128>) -> Result<Batch> {
        if registry.epoch(from).is_none() {
            return Err(Error::new(ErrorKind::NotFound, "the vault has no keys of this epoch")
                .with_hint("keys list shows the epochs"));
        }
        let records = self.inner().stores.orders.of_epoch(from, after, BATCH)?;
        let last = records.last().map(|(place, _)| *place);
        let due = |record: &RecordRow| match Record::parse(&record.sealed) {
            Ok(record) => is_due(registry, &record),
            // Counted as one that failed.
            Err(_) => Ok(true),
        };
        let mut chosen = Vec::with_capacity(records.len());
        for (_, record) in records {
            if due(&record)? {
                chosen.push(record);
            }
        }
        let (sealed, failed) = self.seal_records(registry, chosen)?;
        Ok(Batch { sealed, failed, last })
    }

    /// Seals these orders anew, and counts those that cannot be.
    fn seal_records(
        &self,
        registry: &Registry,
        mut records: Vec<RecordRow>,
    ) -> Result<(Vec<SealedOrder>, u64)> {
        if records.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let rows: HashMap<_, _> = ids.iter().zip(self.inner().stores.secrets.secrets(&ids)?).collect();
        self.count_sealings(registry, records.len() as u64)?;
        let plan = &Plan::of_policy(registry.policy()?);
        let sealed = cores::on_all(&mut records, |some| {
            let row = |record: &RecordRow| {
                let n1 = n1_of(&record.sealed)?;
                rows.get(&record.id)?.iter().find(|row| row.n1 == n1)
            };
            let orders: Vec<_> = some
                .iter()
                .filter_map(|record| Some(StoredOrder { record: &record.sealed, secret: row(record)? }))
                .collect();
            SealRng::with(|rng| seal_all(registry, plan, rng, &orders)).map_err(|_| no_randomness())?
        });
        let mut done = Vec::with_capacity(records.len());
        for sealed in sealed {
            done.extend(sealed?.into_iter().flatten());
        }
        let failed = records.len() - done.len();
        Ok((done, failed as u64))
    }

    /// Pending secrets → ledger → records → secrets, each durable before the next. Its caller holds the write lock. What a crash
    /// leaves is settled: undone without the entry, finished with the records, and done anew in between.
    fn write_resealed(&self, sealed: Vec<SealedOrder>) -> Result<u64> {
        let stores = &self.inner().stores;
        let (mut records, mut secrets, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for order in sealed {
            let (record, secret, entry) = order.into_rows();
            records.push(record);
            secrets.push(secret);
            entries.push(entry);
        }
        if records.is_empty() {
            return Ok(0);
        }
        stores.secrets.insert_secrets(&secrets)?;
        self.ledger().append(entries)?;
        let replaced = stores.orders.replace_records(&records)?;
        let keys: Vec<_> = secrets
            .iter()
            .zip(replaced)
            .filter(|(_, replaced)| *replaced)
            .map(|(row, _)| (row.record_id, row.n1))
            .collect();
        stores.secrets.make_current(&keys, now())?;
        Ok(keys.len() as u64)
    }

    /// Seals these orders anew at once, whatever they are sealed under.
    pub(super) fn reseal_now(&self, registry: &Registry, ids: &[[u8; 16]]) -> Result<()> {
        for ids in ids.chunks(1_000) {
            let records = self.inner().stores.orders.records(ids)?.into_iter().flatten().collect();
            let (sealed, _) = self.seal_records(registry, records)?;
            self.write_resealed(sealed)?;
        }
        Ok(())
    }
}
