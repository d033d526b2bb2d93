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
use tree::leaf_hash;

use crate::{
    error::{Error, ErrorKind, Result},
    observe::{Operation, Watch},
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
    pub(crate) fn append(&self, entries: Vec<Entry>) -> Result<Vec<Receipt>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        Watch::uncounted(Operation::Append, entries.len()).one(self.append_entries(entries))
    }

    fn append_entries(&self, mut entries: Vec<Entry>) -> Result<Vec<Receipt>> {
        let time = now();
        let mut rows = Vec::with_capacity(entries.len());
        let mut leaves = Vec::with_capacity(entries.len());
        for entry in &mut entries {
            entry.time = time;
            let bytes = entry.encode()?;
            leaves.push(leaf_hash(&bytes));
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
        self.store.entries(from, limit)?.iter().map(|row| Entry::decode(&row.bytes)).collect()
    }

    /// All entries from index `from` on, each with its index.
    pub(crate) fn scan(&self, from: u64, mut visit: impl FnMut(u64, Entry)) -> Result<()> {
        let mut index = from;
        loop {
            let page = self.entries(index, PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for entry in page {
                visit(index, entry);
                index += 1;
            }
        }
    }

    /// Indices and entries with one of these handles. Reads all entries: the store's index of handles is not hashed, and an entry that it
    /// leaves out would clear a leaker or bring back a shredded order.
    pub(crate) fn with_handles(&self, handles: &[[u8; 16]]) -> Result<Vec<(u64, Entry)>> {
        let mut found = Vec::new();
        self.scan(0, |index, entry| {
            if handles.contains(&entry.handle) {
                found.push((index, entry));
            }
        })?;
        Ok(found)
    }

    /// Index of the newest entry that put this policy in force.
    pub(crate) fn policy_index(&self, digest: &[u8; 32]) -> Result<Option<u64>> {
        self.newest_of_vault(|entry| entry.kind == EntryKind::Policy && entry.policy == *digest)
    }

    /// Index of the newest entry like this among those that are of no order.
    pub(crate) fn newest_of_vault(&self, is_it: impl Fn(&Entry) -> bool) -> Result<Option<u64>> {
        for index in self.store.find_handle(&[0; 16])?.into_iter().rev() {
            if self.entries(index, 1)?.pop().is_some_and(|entry| is_it(&entry)) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Hashes all entries again and compares with the head, and the handles they are found by with those they hold.
    pub(crate) fn verify(&self) -> Result<LedgerState> {
        let head = self.store.head()?;
        let (mut again, mut handles_fit) = (LedgerHead::default(), true);
        while again.size < head.size {
            let page = self.store.entries(again.size, PAGE)?;
            if page.is_empty() {
                break;
            }
            let left = usize::try_from(head.size - again.size).unwrap_or(usize::MAX);
            for row in page.iter().take(left) {
                handles_fit &= Entry::decode(&row.bytes).is_ok_and(|entry| entry.handle == row.handle);
                tree::push(&mut again, leaf_hash(&row.bytes));
            }
        }
        let damaged =
            |message| Error::new(ErrorKind::Damaged, message).with_hint("restore ledger.db from its backup");
        if again != head {
            return Err(damaged("the ledger's entries do not give its head"));
        }
        // Appended since, or there all the time and not counted. The head is read after them: it counts what was appended.
        if !self.store.entries(head.size, 1)?.is_empty() && self.store.head()?.size == head.size {
            return Err(damaged("the ledger has entries behind those that give its head"));
        }
        if !handles_fit {
            return Err(damaged("the ledger's entries are filed under other handles than they hold"));
        }
        Ok(LedgerState { size: head.size, root: tree::root(&head) })
    }
}

/// Entries read at a time.
const PAGE: usize = 4096;

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
