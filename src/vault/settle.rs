//! Settling: what a crash or a failure left half done is finished if the ledger has its entry, and undone if not.

use std::time::Duration;

use super::Vault;
use crate::{
    error::{Error, ErrorKind, Result},
    keys::Evidence,
    ledger::{Entry, EntryKind, now},
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
    /// The write lock, with what an earlier holder left half done settled.
    pub(crate) fn writer(&self) -> Result<Box<dyn Held + '_>> {
        let writer =
            Watch::uncounted(Operation::Wait, 0).one(self.0.stores.lock.hold().map_err(Error::from))?;
        self.settle_change()?;
        self.settle()?;
        self.forget_superseded()?;
        Ok(writer)
    }

    /// Finishes or undoes the shreds and updates that a failure cut short: finished if the ledger has the entry, undone if not. Its
    /// caller holds the write lock. A row that cannot be settled, whatever is wrong with it, stays as it is: it must not keep others
    /// from their work (nor whoever wrote it be safe from being revoked), and `doctor` reports it.
    pub(crate) fn settle(&self) -> Result<()> {
        for row in self.inner().stores.secrets.unsettled()? {
            let settle_row = match row.state {
                SecretState::Pending => Self::settle_update,
                _ => Self::settle_shred,
            };
            match self.registry().and_then(|registry| settle_row(self, &registry, &row)) {
                Err(e) if *e.kind() == ErrorKind::Storage => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    fn settle_shred(&self, registry: &Registry, row: &SecretRow) -> Result<()> {
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
        let entries = self.ledger().with_handles(&[handle_key.handle(&registry.own_key_id())])?;
        // The newest that changed the order: one that was brought back by old files may have been shredded before.
        let changes = [EntryKind::Put, EntryKind::Update, EntryKind::Reseal, EntryKind::Shred];
        let newest = entries.into_iter().rev().find(|(_, entry)| changes.contains(&entry.kind));
        let Some((_, entry)) = newest.filter(|(_, entry)| entry.kind == EntryKind::Shred) else {
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

    fn settle_update(&self, registry: &Registry, row: &SecretRow) -> Result<()> {
        let orders = &self.inner().stores.orders;
        // Without its record nothing is undone: orders.db may be lost, and come back.
        let record = self.record_of(row)?.ok_or_else(out_of_order)?;
        if n1_of(&record.sealed) == Some(row.n1) {
            unlock(registry, &Record::parse(&record.sealed)?, row)?;
            return self.make_current(row);
        }
        let staged = orders.staged(&row.record_id)?;
        let staged = staged.filter(|staged| n1_of(&staged.record.sealed) == Some(row.n1));
        if let Some(staged) = staged {
            if self.is_entered(&staged)? {
                self.check_order_of(registry, (&staged, row), &record.sealed)?;
                return self.finish_update(row);
            }
            orders.drop_staged(&row.record_id)?;
        }
        Ok(self.inner().stores.secrets.replace_secrets(&[(row.record_id, row.n1)], &[])?)
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
        self.make_current(pending)
    }

    fn make_current(&self, pending: &SecretRow) -> Result<()> {
        let secrets = &self.inner().stores.secrets;
        let rows = secrets.secrets(&[pending.record_id])?.concat();
        let is_pending = |row: &SecretRow| row.n1 == pending.n1;
        let changed: Vec<_> =
            rows.into_iter().filter(|row| is_pending(row) || row.state == SecretState::Current).collect();
        let keys: Vec<_> = changed.iter().map(|row| (row.record_id, row.n1)).collect();
        let next = |row: SecretRow| match is_pending(&row) {
            true => SecretRow { state: SecretState::Current, changed_at: now(), ..row },
            false => SecretRow {
                state: SecretState::Superseded,
                changed_at: now(),
                fingerprint: Vec::new(),
                ..row
            },
        };
        Ok(secrets.replace_secrets(&keys, &changed.into_iter().map(next).collect::<Vec<_>>())?)
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

fn n1_of(sealed: &[u8]) -> Option<[u8; 10]> {
    Record::parse(sealed).ok().map(|record| record.header.n1)
}

fn out_of_order() -> Error {
    Error::new(ErrorKind::CannotOpen, "an update was cut short and its records do not follow each other")
        .with_hint("doctor checks the vault")
}
