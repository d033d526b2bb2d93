//! The ledger: an append-only Merkle log of everything that was done with orders, keys and parties.
//!
//! It proves that a disclosure was recorded. It does not prove that nobody copied the database, and it names no order to
//! whoever lacks that order's handle key.

mod denials;
mod entry;
mod group;
#[cfg(test)]
mod group_tests;
mod keeper;
mod kept;
mod place;
mod requests;
mod sought;
mod tree;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use denials::Denials;
pub use entry::{Entry, EntryKind};
use group::{Group, Written};
use keeper::Kept;
pub(crate) use keeper::{Signs, create_kept};
pub use kept::KeptCheckpoint;
pub use place::{EntryPlace, LedgerNote};
use sought::Sought;
pub(crate) use tree::push as push_leaf;

use crate::{
    error::{Error, ErrorKind, Result},
    observe::{Operation, Watch},
    store::{LedgerHead, LedgerRow, LedgerStore, Stores},
    tlog::{Checkpoint, NoteKey, leaf_hash},
};

/// The vault's ledger, and those before it.
///
/// Entries of an order, party or policy are sought in all of them. What is appended, or waited for, is in the present one alone.
pub(crate) struct Ledger {
    former: Vec<Arc<dyn LedgerStore>>,
    store: Arc<dyn LedgerStore>,
    group: Group,
    sought: Sought,
    denials: Denials,
    kept: Kept,
}

/// Proof to this program that an entry is in the ledger, durably.
///
/// Made by [`Ledger::append`] alone, consumed by whoever needs the entry to exist; not `Clone`, so one entry gives out one
/// ticket.
pub(crate) struct Receipt {
    place: EntryPlace,
    entry: Entry,
}

impl Receipt {
    pub(crate) fn place(&self) -> EntryPlace {
        self.place
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
    pub(crate) fn new(stores: &Stores) -> Self {
        let (former, store) = (stores.former.clone(), Arc::clone(&stores.ledger));
        let (sought, denials, kept) = (Sought::default(), Denials::default(), Kept::default());
        Self { former, store, group: Group::new(), sought, denials, kept }
    }

    /// Number of the present ledger, from 1.
    pub(crate) fn number(&self) -> u32 {
        u32::try_from(self.former.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Appends the entries in their order, one after the other, and sets their time, which does not run backwards within this
    /// ledger and process. When this returns, they are on disk: one sync for all, and for what others append meanwhile.
    ///
    /// In a process that did not make this ledger it fails before it waits for anything: `Locked`.
    pub(crate) fn append(&self, entries: Vec<Entry>) -> Result<Vec<Receipt>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let watch = Watch::uncounted(Operation::Append, entries.len());
        let before = watch.one(self.admit())?;
        let receipts = watch.one(self.append_entries(entries))?;
        self.appended(before, &receipts)?;
        Ok(receipts)
    }

    fn append_entries(&self, mut entries: Vec<Entry>) -> Result<Vec<Receipt>> {
        let row = |entry: &mut Entry| {
            entry.time = 0;
            Ok(LedgerRow { handle: entry.handle, bytes: entry.encode()? })
        };
        let rows = entries.iter_mut().map(row).collect::<Result<_>>()?;
        let Written { first, time } = self.group.append(&*self.store, rows)?;
        let ledger = self.number();
        let receipt = |(entry, index)| {
            let entry = Entry { time, ..entry };
            Receipt { place: EntryPlace { ledger, index }, entry }
        };
        Ok(entries.into_iter().zip(first..).map(receipt).collect())
    }

    /// Enters a denial, or counts it into a later entry if one of its kind was entered within the last minute. One of a signed
    /// request is always entered: its hash says what was asked for, and a request is taken once.
    pub(crate) fn deny(&self, denial: &Entry) -> Result<()> {
        if denial.request != [0; 32] {
            return self.append(vec![denial.clone()]).map(drop);
        }
        let Some(entry) = self.denials.count(denial) else { return Ok(()) };
        let appended = self.append(vec![entry.clone()]);
        if appended.is_err() {
            self.denials.give_back(&entry);
        }
        appended.map(drop)
    }

    pub(crate) fn state(&self) -> Result<LedgerState> {
        state_of(&*self.store)
    }

    /// Size and root of each former ledger.
    pub(crate) fn former_states(&self) -> Result<Vec<LedgerState>> {
        self.former.iter().map(|store| state_of(&**store)).collect()
    }

    /// Entries from index `from` on, at most `limit`.
    pub(crate) fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        entries_of(&*self.store, from, limit)
    }

    /// All entries from index `from` on, each with its index.
    pub(crate) fn scan(&self, from: u64, visit: impl FnMut(u64, Entry)) -> Result<()> {
        scan_of(&*self.store, from, visit)
    }

    /// All entries of all ledgers, the oldest first, each with its place.
    pub(crate) fn scan_all(&self, mut visit: impl FnMut(EntryPlace, Entry)) -> Result<()> {
        for (ledger, store) in self.numbered() {
            scan_of(store, 0, |index, entry| visit(EntryPlace { ledger, index }, entry))?;
        }
        Ok(())
    }

    /// Places and entries with this handle by the store's index, which is quick and may hide entries (it is not hashed): for what is
    /// checked against something else, never for whether there is an entry.
    pub(crate) fn indexed(&self, handle: &[u8; 16]) -> Result<Vec<(EntryPlace, Entry)>> {
        let mut found = Vec::new();
        for (ledger, store) in self.numbered() {
            for index in store.find_handle(handle)? {
                let entry = entries_of(store, index, 1)?.pop().filter(|entry| entry.handle == *handle);
                found.extend(entry.map(|entry| (EntryPlace { ledger, index }, entry)));
            }
        }
        Ok(found)
    }

    /// Size and root of every ledger by its head, oldest first.
    pub(crate) fn heads(&self) -> Result<Vec<LedgerNote>> {
        self.numbered().map(|(ledger, store)| Ok(LedgerNote { ledger, state: state_of(store)? })).collect()
    }

    /// Places and entries with one of these handles. Reads all entries: the store's index of handles is not hashed, and an entry that it
    /// leaves out would clear a leaker or bring back a shredded order.
    pub(crate) fn with_handles(&self, handles: &[[u8; 16]]) -> Result<Vec<(EntryPlace, Entry)>> {
        let mut found = Vec::new();
        self.scan_all(|place, entry| {
            if handles.contains(&entry.handle) {
                found.push((place, entry));
            }
        })?;
        Ok(found)
    }

    /// Place of the newest entry that put this policy in force.
    pub(crate) fn policy_place(&self, digest: &[u8; 32]) -> Result<Option<EntryPlace>> {
        self.newest_of_vault(|entry| entry.kind == EntryKind::Policy && entry.policy == *digest)
    }

    /// Place of the newest entry like this among those that are of no order.
    pub(crate) fn newest_of_vault(&self, is_it: impl Fn(&Entry) -> bool) -> Result<Option<EntryPlace>> {
        for (ledger, store) in self.numbered().rev() {
            for index in store.find_handle(&[0; 16])?.into_iter().rev() {
                if entries_of(store, index, 1)?.pop().is_some_and(|entry| is_it(&entry)) {
                    return Ok(Some(EntryPlace { ledger, index }));
                }
            }
        }
        Ok(None)
    }

    /// The entry with which the ledger of this number begins.
    pub(crate) fn first_of(&self, number: u32) -> Result<Option<Entry>> {
        let store = self.numbered().find(|(ledger, _)| *ledger == number);
        store.map_or(Ok(None), |(_, store)| Ok(entries_of(store, 0, 1)?.pop()))
    }

    /// All ledgers with their numbers, oldest first.
    pub(crate) fn numbered(&self) -> impl DoubleEndedIterator<Item = (u32, &dyn LedgerStore)> {
        let former = self
            .former
            .iter()
            .enumerate()
            .map(|(at, store)| (u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1), &**store));
        former.chain([(self.number(), &*self.store)])
    }

    /// Hashes all entries again and compares with the head, and the handles they are found by with those they hold.
    pub(crate) fn verify(&self) -> Result<LedgerState> {
        verify(&*self.store)
    }

    /// Whether what was noted of one of the ledgers contradicts it. Of entries that it does not have nothing can be said.
    #[cfg(feature = "sqlite")]
    pub(crate) fn contradicts(&self, note: &LedgerNote) -> Result<bool> {
        let Some((_, store)) = self.numbered().find(|(number, _)| *number == note.ledger) else {
            return Ok(false);
        };
        let head = extended(store, LedgerHead::default(), note.state.size)?;
        Ok(head.is_some_and(|head| LedgerState::from(&head) != note.state))
    }

    /// The same of each former ledger.
    pub(crate) fn verify_former(&self) -> impl Iterator<Item = Result<LedgerState>> {
        self.former.iter().map(|store| verify(&**store))
    }
}

impl LedgerState {
    /// Of a ledger without entries.
    #[cfg(feature = "sqlite")]
    pub(crate) fn empty() -> Self {
        (&LedgerHead::default()).into()
    }
}

impl LedgerState {
    /// As a checkpoint of the ledger with this key.
    pub(crate) fn checkpoint(&self, key: &NoteKey) -> Checkpoint {
        Checkpoint { origin: key.public().name().to_owned(), size: self.size, root: self.root }
    }
}

impl From<&LedgerHead> for LedgerState {
    fn from(head: &LedgerHead) -> Self {
        Self { size: head.size, root: tree::root(head) }
    }
}

fn state_of(store: &dyn LedgerStore) -> Result<LedgerState> {
    Ok((&store.head()?).into())
}

fn entries_of(store: &dyn LedgerStore, from: u64, limit: usize) -> Result<Vec<Entry>> {
    store.entries(from, limit)?.iter().map(|row| Entry::decode(&row.bytes)).collect()
}

fn scan_of(store: &dyn LedgerStore, from: u64, mut visit: impl FnMut(u64, Entry)) -> Result<()> {
    let mut index = from;
    loop {
        let page = entries_of(store, index, PAGE)?;
        if page.is_empty() {
            return Ok(());
        }
        for entry in page {
            visit(index, entry);
            index += 1;
        }
    }
}

/// The head with the entries behind it, up to this size; none where some of them are missing.
fn extended(store: &dyn LedgerStore, mut head: LedgerHead, size: u64) -> Result<Option<LedgerHead>> {
    while head.size < size {
        let limit = PAGE.min(usize::try_from(size - head.size).unwrap_or(PAGE));
        let page = store.entries(head.size, limit)?;
        if page.is_empty() {
            return Ok(None);
        }
        page.iter().for_each(|row| tree::push(&mut head, leaf_hash(&row.bytes)));
    }
    Ok(Some(head))
}

fn verify(store: &dyn LedgerStore) -> Result<LedgerState> {
    let head = store.head()?;
    let (mut again, mut handles_fit) = (LedgerHead::default(), true);
    while again.size < head.size {
        let page = store.entries(again.size, PAGE)?;
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
    if !store.entries(head.size, 1)?.is_empty() && store.head()?.size == head.size {
        return Err(damaged("the ledger has entries behind those that give its head"));
    }
    if !handles_fit {
        return Err(damaged("the ledger's entries are filed under other handles than they hold"));
    }
    Ok((&head).into())
}

/// Entries read at a time.
const PAGE: usize = 4096;

impl Drop for Ledger {
    fn drop(&mut self) {
        // A forked child has what its parent counted, and perhaps the lock of a thread that it has not.
        if !self.group.is_of_this_process() {
            return;
        }
        // A crash loses the count of the last minute's repeated denials; their first is in the ledger.
        let _unwritten = self.append(self.denials.take());
        self.keep_last();
    }
}

/// Seconds since 1970, by the machine's clock: the time of entries and of puts.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
