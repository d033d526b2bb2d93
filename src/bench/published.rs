//! A ledger of any length that takes no space, for benches of what is published of it.

use std::{path::Path, sync::Mutex};

use consignee_policy::PartId;

use crate::{
    error::Result,
    ledger::{Entry, EntryKind, push_leaf},
    publish::{Published, publish},
    store::{LedgerHead, LedgerRow, LedgerStore, StoreError, StoreResult},
    suite::Secret,
    tlog::{NoteKey, VerifierKey, leaf_hash},
};

/// A ledger of disclosures that differ in their handles alone, made when they are read.
pub struct LongLedger {
    head: Mutex<LedgerHead>,
    like: Entry,
    key: NoteKey,
}

impl LongLedger {
    /// Without entries.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn new() -> Result<Self> {
        let mut like = Entry::new(EntryKind::Disclosure, [1; 16], [2; 32]);
        like.time = 1_700_000_000;
        like.purpose = "delivery".into();
        like.revision = 1;
        like.parts = [3, 4, 5].into_iter().filter_map(PartId::new).collect();
        like.commitments = vec![[3; 32]];
        let key = NoteKey::of_log("consignee/00/1", &Secret::new([1; 32]))?;
        Ok(Self { head: Mutex::default(), like, key })
    }

    /// Adds entries until there are this many.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn grow(&self, size: u64) -> Result<()> {
        let mut head = self.head.lock().map_err(|_| StoreError::Damaged)?;
        while head.size < size {
            let leaf = leaf_hash(&self.entry(head.size).encode()?);
            push_leaf(&mut head, leaf);
        }
        Ok(())
    }

    /// Bytes of an entry.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn entry_len(&self) -> Result<usize> {
        Ok(self.like.encode()?.len())
    }

    /// Publishes what there is.
    ///
    /// # Errors
    /// As for [`crate::Vault::publish`].
    pub fn publish(&self, folder: &Path) -> Result<()> {
        publish(self, &self.key, &Published::at(folder), true).map(drop)
    }

    /// The key that signs it.
    pub fn key(&self) -> &VerifierKey {
        self.key.public()
    }

    fn entry(&self, number: u64) -> Entry {
        let mut entry = self.like.clone();
        entry.handle[..8].copy_from_slice(&number.to_le_bytes());
        entry
    }
}

impl LedgerStore for LongLedger {
    fn append(&self, _build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        Err(StoreError::Damaged)
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.head.lock().map(|head| head.clone()).map_err(|_| StoreError::Damaged)
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        let end = self.head()?.size.min(from.saturating_add(limit as u64));
        let row = |number| {
            let entry = self.entry(number);
            let bytes = entry.encode().map_err(|_| StoreError::Damaged)?;
            Ok(LedgerRow { handle: entry.handle, bytes })
        };
        (from..end).map(row).collect()
    }

    fn find_handle(&self, _handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        Ok(Vec::new())
    }
}
