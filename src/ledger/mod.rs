//! The ledger: an append-only Merkle log of everything that was done with orders, keys and parties.
//!
//! It proves that a disclosure was recorded. It does not prove that nobody copied the database, and it names no order to
//! whoever lacks that order's handle key.

mod denials;
mod entry;
mod tree;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use denials::Denials;
pub use entry::{Entry, EntryKind};

use crate::{
    error::{Error, ErrorKind, Result},
    store::{LedgerHead, LedgerRow, LedgerStore},
};

/// The vault's one ledger.
pub(crate) struct Ledger {
    store: Arc<dyn LedgerStore>,
    denials: Denials,
}

/// Proof to this program that an entry is in the ledger, durably.
///
/// Made by [`Ledger::append`] alone, consumed by whoever needs the entry to exist; not `Clone`, so one entry gives out one
/// ticket.
pub(crate) struct Receipt {
    index: u64,
    entry: Entry,
}

impl Receipt {
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// Size and root of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerState {
    /// Number of entries.
    pub size: u64,
    /// Root hash of RFC 6962.
    pub root: [u8; 32],
}

impl Ledger {
    pub(crate) fn new(store: Arc<dyn LedgerStore>) -> Self {
        Self { store, denials: Denials::default() }
    }

    /// Appends the entries in their order and sets their time. When this returns, they are on disk: one sync for all.
    pub(crate) fn append(&self, mut entries: Vec<Entry>) -> Result<Vec<Receipt>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let time = now();
        let mut rows = Vec::with_capacity(entries.len());
        let mut leaves = Vec::with_capacity(entries.len());
        for entry in &mut entries {
            entry.time = time;
            let bytes = entry.encode()?;
            leaves.push(tree::leaf_hash(&bytes));
            rows.push(LedgerRow { handle: entry.handle, bytes });
        }
        let mut first = 0;
        self.store.append(&mut |head: &LedgerHead| {
            first = head.size;
            let mut next = head.clone();
            leaves.iter().for_each(|leaf| tree::push(&mut next, *leaf));
            (std::mem::take(&mut rows), next)
        })?;
        Ok(entries.into_iter().zip(first..).map(|(entry, index)| Receipt { index, entry }).collect())
    }

    /// Enters a denial, or counts it into a later entry if one of its kind was entered within the last minute.
    pub(crate) fn deny(&self, denial: &Entry) -> Result<()> {
        let Some(entry) = self.denials.count(denial) else { return Ok(()) };
        let appended = self.append(vec![entry.clone()]);
        if appended.is_err() {
            self.denials.give_back(&entry);
        }
        appended.map(drop)
    }

    pub(crate) fn state(&self) -> Result<LedgerState> {
        let head = self.store.head()?;
        Ok(LedgerState { size: head.size, root: tree::root(&head) })
    }

    /// Entries from index `from` on, at most `limit`.
    pub(crate) fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.store.entries(from, limit)?.iter().map(|bytes| Entry::decode(bytes)).collect()
    }

    /// Indices and entries with this handle.
    pub(crate) fn with_handle(&self, handle: &[u8; 16]) -> Result<Vec<(u64, Entry)>> {
        let mut found = Vec::new();
        for index in self.store.find_handle(handle)? {
            let entries = self.entries(index, 1)?;
            // The handle column only finds entries; what counts is what the hashed bytes say.
            found.extend(entries.into_iter().filter(|e| e.handle == *handle).map(|entry| (index, entry)));
        }
        Ok(found)
    }

    /// Index of the newest entry that put this policy in force.
    pub(crate) fn policy_index(&self, digest: &[u8; 32]) -> Result<Option<u64>> {
        for index in self.store.find_handle(&[0; 16])?.into_iter().rev() {
            let entry = self.entries(index, 1)?.pop();
            if entry.is_some_and(|entry| entry.kind == EntryKind::Policy && entry.policy == *digest) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Hashes all entries again and compares with the head.
    pub(crate) fn verify(&self) -> Result<LedgerState> {
        const PAGE: usize = 4096;
        let head = self.store.head()?;
        let mut again = LedgerHead::default();
        while again.size < head.size {
            let page = self.store.entries(again.size, PAGE)?;
            if page.is_empty() {
                break;
            }
            let left = usize::try_from(head.size - again.size).unwrap_or(usize::MAX);
            page.iter().take(left).for_each(|entry| tree::push(&mut again, tree::leaf_hash(entry)));
        }
        if again != head {
            let hint = "restore it from a backup; the entries that are there stay readable";
            return Err(
                Error::new(ErrorKind::Damaged, "the ledger's entries do not give its head").with_hint(hint)
            );
        }
        Ok(LedgerState { size: head.size, root: tree::root(&head) })
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // A crash loses the count of the last minute's repeated denials; their first is in the ledger.
        let _unwritten = self.append(self.denials.take());
    }
}

/// Seconds since 1970, by the machine's clock: the time of entries and of puts.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
