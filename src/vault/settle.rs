//! Settling: what a crash or a failure left half done is finished if the ledger has its entry, and undone if not.

use std::{collections::HashMap, time::Duration};

use super::Vault;
use crate::{
    error::{Error, ErrorKind, Result},
    keys::{Evidence, RecordId},
    ledger::{Entry, EntryKind, EntryPlace, now},
    observe::{Operation, Watch},
    opener::unlock,
    record::Record,
    registry::Registry,
    sealer::{no_randomness, record_commitment},
    store::{Held, RecordRow, SecretRow, SecretState, StagedRecord, StoreError},
    suite::SealRng,
};

/// How long superseded secrets are kept, in seconds: so that backups of two stores taken at slightly different moments fit.
pub(crate) const KEEP_SUPERSEDED: u64 = 86_400;

impl Vault {
    /// The write lock of whoever changes the vault: none where the ledger takes nothing more.
    pub(crate) fn writer(&self) -> Result<Box<dyn Held + '_>> {
        self.ledger().check_open()?;
        self.settled()
    }

    /// The write lock, with what an earlier holder left half done settled.
    pub(crate) fn settled(&self) -> Result<Box<dyn Held + '_>> {
        let writer =
            Watch::uncounted(Operation::Wait, 0).one(self.0.stores.lock.hold().map_err(Error::from))?;
        self.settle_change()?;
        self.settle_destroyed()?;
        self.settle()?;
        self.forget_superseded()?;
        Ok(writer)
    }

    /// Finishes or undoes the shreds and updates that a failure cut short: finished if the ledger has the entry, undone if not. Its
    /// caller holds the write lock. A row that cannot be settled, whatever is wrong with it, stays as it is: it must not keep others
    /// from their work (nor whoever wrote it be safe from being revoked), and `doctor` reports it.
    pub(crate) fn settle(&self) -> Result<()> {
        let (mut replaced, mut resealed) = (Vec::new(), Vec::new());
        let rows = self.inner().stores.secrets.unsettled()?;
        for row in &rows {
            let settled = self.registry().and_then(|registry| match row.state {
                SecretState::Pending => self.settle_pending(&registry, row),
                _ => self.settle_shred(&registry, row, &rows).map(|()| Settled::Done),
            });
            match settled {
                Ok(Settled::Replaced) => replaced.push((row.record_id, row.n1)),
                Ok(Settled::Resealed) => resealed.push(row.clone()),
                Err(e) if *e.kind() == ErrorKind::Storage => return Err(e),
                Ok(Settled::Done) | Err(_) => {}
            }
        }
        // Those of a batch together: thousands may be left.
        if !replaced.is_empty() {
            self.inner().stores.secrets.make_current(&replaced, now())?;
        }
        if resealed.is_empty() { Ok(()) } else { self.settle_reseals(resealed) }
    }

    /// Reads the ledger where its index has no entry of the shredding, for all `unsettled` rows together and once: a row that cannot be
    /// settled stays, and every writer comes here.
    fn settle_shred(&self, registry: &Registry, row: &SecretRow, unsettled: &[SecretRow]) -> Result<()> {
        let cannot_open =
            || Error::new(ErrorKind::CannotOpen, "a shred was cut short and its secret row does not open");
        let context = registry.row_context(row);
        let release = registry.release(row.generation).ok_or_else(cannot_open)?;
        // The handle key does not depend on the suite that the order secret is for.
        let Ok((_, handle_key)) = release.unwrap_secret(&context, release.suite, &row.wrapped) else {
            // The secret is destroyed; what comes after that is missing.
            if !row.wrapped.is_empty() {
                release.unwrap_evidence(&context, &row.wrapped).map_err(|_| cannot_open())?;
            }
            return self.destroy(row, row.wrapped.clone(), Duration::ZERO);
        };
        let handle = handle_key.handle(&registry.own_key_id());
        let mut newest = newest_shred(self.ledger().indexed(&handle)?, &handle);
        if newest.is_none() {
            let all = self.ledger().with_handles_again(&handles_of(registry, unsettled))?;
            newest = newest_shred(all, &handle);
        }
        let Some(entry) = newest else {
            // Only the row of the record: otherwise whoever writes the files would have a superseded one made current.
            let record = self.record_of(row)?.filter(|record| n1_of(&record.sealed) == Some(row.n1));
            record.ok_or_else(cannot_open)?;
            let undone = SecretRow { state: SecretState::Current, ..row.clone() };
            return self.replace_rows(std::slice::from_ref(row), &undone);
        };
        // The reason's text is lost; its commitment is in the entry.
        let evidence = Evidence { handle_key, reason: String::new() };
        let wrapped = match entry.detail.first() == Some(&1) {
            true => SealRng::with(|rng| release.wrap_evidence(rng, &context, &evidence)),
            false => Ok(Ok(Vec::new())),
        };
        self.destroy(row, wrapped.map_err(|_| no_randomness())?.map_err(|_| cannot_open())?, Duration::ZERO)
    }

    fn settle_pending(&self, registry: &Registry, row: &SecretRow) -> Result<Settled> {
        let orders = &self.inner().stores.orders;
        // Without its record nothing is undone: orders.db may be lost, and come back.
        let record = self.record_of(row)?.ok_or_else(out_of_order)?;
        if n1_of(&record.sealed) == Some(row.n1) {
            unlock(registry, &Record::parse(&record.sealed)?, row)?;
            return Ok(Settled::Replaced);
        }
        if Record::parse(&record.sealed)?.header.revision == row.revision {
            return Ok(Settled::Resealed);
        }
        let staged = orders.staged(&row.record_id)?;
        let staged = staged.filter(|staged| n1_of(&staged.record.sealed) == Some(row.n1));
        if let Some(staged) = staged {
            if self.is_entered(&staged)? {
                self.check_order_of(registry, (&staged, row), &record.sealed)?;
                self.finish_update(row)?;
                return Ok(Settled::Done);
            }
            orders.drop_staged(&row.record_id)?;
        }
        self.inner().stores.secrets.replace_secrets(&[(row.record_id, row.n1)], &[])?;
        Ok(Settled::Done)
    }

    /// Rows that a reseal left whose record did not come. Where the ledger names the record that is there, they are removed. Where
    /// its newest entry is of the sealing whose row it is, and the record is what stood before, the order is sealed anew at once: so
    /// that its newest entry names its record again. All else is left to `doctor`: a record that was put back.
    ///
    /// Reads the ledger, once for all of them, and where some are left again only what was appended since.
    fn settle_reseals(&self, rows: Vec<SecretRow>) -> Result<()> {
        let registry = self.registry()?;
        let mut sought = HashMap::new();
        for row in &rows {
            let Some(release) = registry.release(row.generation) else { continue };
            let unwrapped = release.unwrap_secret(&registry.row_context(row), release.suite, &row.wrapped);
            if let Ok((secret, handle_key)) = unwrapped {
                let os = secret.commitment(RecordId(row.record_id), &row.n1);
                sought.insert(handle_key.handle(&registry.own_key_id()), (row, os, Named::default()));
            }
        }
        let handles: Vec<_> = sought.keys().copied().collect();
        for (_, entry) in self.ledger().with_handles_again(&handles)? {
            if let Some((.., named)) = sought.get_mut(&entry.handle) {
                named.add(&entry);
            }
        }
        let (mut undone, mut again) = (Vec::new(), Vec::new());
        for (row, os, named) in sought.into_values() {
            let Some(record) = self.record_of(row)? else { continue };
            let digest = record_commitment(&record.sealed);
            match named.records.last() {
                Some((newest, _)) if *newest == digest => undone.push((row.record_id, row.n1)),
                Some((_, newest)) if *newest == os && named.has(&digest) => again.push(row.record_id),
                _ => {}
            }
        }
        if !undone.is_empty() {
            self.inner().stores.secrets.replace_secrets(&undone, &[])?;
        }
        self.reseal_now(&registry, &again)
    }

    fn record_of(&self, row: &SecretRow) -> Result<Option<RecordRow>> {
        Ok(self.inner().stores.orders.records(&[row.record_id])?.pop().flatten())
    }

    fn is_entered(&self, staged: &StagedRecord) -> Result<bool> {
        let (digest, mut entered) = (record_commitment(&staged.record.sealed), false);
        self.ledger().scan(staged.ledger_size, |_, entry| {
            entered |= entry.kind == EntryKind::Update && entry.commitments.first() == Some(&digest);
        })?;
        Ok(entered)
    }

    /// Refuses to "finish" by an old record, which whoever writes the files may have put where the next one is kept.
    fn check_order_of(
        &self,
        registry: &Registry,
        (staged, pending): (&StagedRecord, &SecretRow),
        sealed: &[u8],
    ) -> Result<()> {
        let (next, old) = (Record::parse(&staged.record.sealed)?, Record::parse(sealed)?);
        unlock(registry, &next, pending)?;
        let rows = self.inner().stores.secrets.secrets(&[pending.record_id])?.concat();
        let current = rows.iter().find(|row| row.n1 == old.header.n1).ok_or_else(out_of_order)?;
        unlock(registry, &old, current)?;
        let follows = old.header.revision.checked_add(1) == Some(next.header.revision);
        if follows { Ok(()) } else { Err(out_of_order()) }
    }

    /// The last steps of an update whose entry is in the ledger.
    pub(super) fn finish_update(&self, pending: &SecretRow) -> Result<()> {
        if !self.inner().stores.orders.swap_staged(&pending.record_id)? {
            return Err(out_of_order());
        }
        Ok(self.inner().stores.secrets.make_current(&[(pending.record_id, pending.n1)], now())?)
    }

    /// Destroys what was superseded a day ago, but for a row that its record still needs: states are not authentic. What is left
    /// of a row goes when its bytes are wiped from the files: until then it says, to whatever process, that they are not.
    fn forget_superseded(&self) -> Result<()> {
        const AT_ONCE: usize = 1000;
        let secrets = &self.inner().stores.secrets;
        loop {
            let old = secrets.superseded_before(now().saturating_sub(KEEP_SUPERSEDED), AT_ONCE)?;
            let ids: Vec<_> = old.iter().map(|row| row.record_id).collect();
            let records = self.inner().stores.orders.records(&ids)?;
            let needed = |(_, record): &(SecretRow, Option<RecordRow>), n1| {
                record.as_ref().is_some_and(|record| n1_of(&record.sealed) == Some(n1))
            };
            let due: Vec<SecretRow> = old
                .into_iter()
                .zip(records)
                .filter(|both| !needed(both, both.0.n1))
                .map(|(row, _)| SecretRow { wrapped: Vec::new(), fingerprint: Vec::new(), ..row })
                .collect();
            if due.is_empty() {
                return Ok(());
            }
            let keys: Vec<_> = due.iter().map(|row| (row.record_id, row.n1)).collect();
            secrets.replace_secrets(&keys, &due)?;
            match secrets.wipe_removed(Duration::ZERO) {
                // Somebody is reading: a later writer wipes.
                Err(StoreError::Locked) => return Ok(()),
                wiped => wiped?,
            }
            secrets.replace_secrets(&keys, &[])?;
        }
    }

    /// Destroys the secret of an order whose shredding is entered. The fingerprint goes last: a row that has it is not done.
    pub(crate) fn destroy(&self, marked: &SecretRow, evidence: Vec<u8>, wait: Duration) -> Result<()> {
        let stores = &self.0.stores;
        let destroyed = SecretRow { wrapped: evidence, ..marked.clone() };
        self.replace_rows(std::slice::from_ref(marked), &destroyed)?;
        stores.orders.delete_records(&[marked.record_id])?;
        stores.secrets.wipe_removed(wait)?;
        self.replace_rows(
            std::slice::from_ref(&destroyed),
            &SecretRow { fingerprint: Vec::new(), ..destroyed.clone() },
        )
    }

    pub(crate) fn replace_rows(&self, old: &[SecretRow], new: &SecretRow) -> Result<()> {
        let old: Vec<_> = old.iter().map(|row| (row.record_id, row.n1)).collect();
        Ok(self.0.stores.secrets.replace_secrets(&old, std::slice::from_ref(new))?)
    }

    /// Finishes the change that a failure left announced if the ledger has its entry, and drops it if not. Its caller holds the
    /// write lock.
    pub(crate) fn settle_change(&self) -> Result<()> {
        let inner = self.inner();
        let root = self.root();
        let Some(change) = self.registry()?.unfinished(&*root.key, &root.parameters)? else {
            return Ok(());
        };
        let mut from = change.ledger_size;
        loop {
            let entries = self.ledger().entries(from, 256)?;
            if entries.is_empty() {
                return Ok(inner.stores.keys.write_items(&change.drop)?);
            }
            from += entries.len() as u64;
            if entries.into_iter().any(|entry| Entry { time: 0, ..entry } == change.entry) {
                inner.stores.keys.write_items(&change.finish)?;
                // What it replaced may be wrapped keys. Somebody may be reading: then they stay in the file until a later change.
                return match inner.stores.keys.wipe_removed(Duration::ZERO) {
                    Err(StoreError::Locked) => Ok(()),
                    wiped => Ok(wiped?),
                };
            }
        }
    }
}

/// What became of a row that was found unsettled.
enum Settled {
    /// It is settled, or cannot be.
    Done,
    /// Its record is there: it is to be current.
    Replaced,
    /// It is of a reseal whose record is not there.
    Resealed,
}

/// What the ledger says of the sealings of an order's newest revision: digests of the records, and commitments of the secrets.
#[derive(Default)]
struct Named {
    revision: u32,
    records: Vec<([u8; 32], [u8; 32])>,
}

impl Named {
    fn add(&mut self, entry: &Entry) {
        match entry.kind {
            EntryKind::Reseal if entry.revision == self.revision => {}
            EntryKind::Put | EntryKind::Update | EntryKind::Reseal | EntryKind::Shred => self.records.clear(),
            _ => return,
        }
        self.revision = entry.revision;
        if let (EntryKind::Put | EntryKind::Update | EntryKind::Reseal, [record, os, ..]) =
            (entry.kind, entry.commitments.as_slice())
        {
            self.records.push((*record, *os));
        }
    }

    fn has(&self, digest: &[u8; 32]) -> bool {
        self.records.iter().any(|(record, _)| record == digest)
    }
}

/// The shredding of an order, if that is the newest that changed it: one that was brought back by old files may have been shredded
/// before.
fn newest_shred(entries: Vec<(EntryPlace, Entry)>, handle: &[u8; 16]) -> Option<Entry> {
    let changes = [EntryKind::Put, EntryKind::Update, EntryKind::Reseal, EntryKind::Shred];
    let mut entries = entries.into_iter().map(|(_, entry)| entry).rev();
    let newest = entries.find(|entry| entry.handle == *handle && changes.contains(&entry.kind))?;
    (newest.kind == EntryKind::Shred).then_some(newest)
}

/// Handles, for the vault, of the orders whose rows still have their secret.
fn handles_of(registry: &Registry, rows: &[SecretRow]) -> Vec<[u8; 16]> {
    let own = registry.own_key_id();
    let with_secret = |row: &SecretRow| SecretRow { state: SecretState::Current, ..row.clone() };
    rows.iter().filter_map(|row| Some(registry.handle_key(&with_secret(row))?.handle(&own))).collect()
}

pub(super) fn n1_of(sealed: &[u8]) -> Option<[u8; 10]> {
    Record::parse(sealed).ok().map(|record| record.header.n1)
}

fn out_of_order() -> Error {
    Error::new(ErrorKind::CannotOpen, "an update was cut short and its records do not follow each other")
        .with_hint("doctor checks the vault")
}
