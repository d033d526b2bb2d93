//! What a vault needs of a store, as contracts. A store knows bytes, ids and numbers: no key, no plaintext, no policy, so it
//! cannot leak what it cannot name.
//!
//! Four parts, because they live apart: a backup of the orders must not contain their secrets. Writes are durable when a
//! method returns, and a batch is written whole or not at all. Methods block; each may wait for one disk sync. Every
//! method may fail with what [`StoreError`] lists.

#![expect(clippy::missing_errors_doc, reason = "the same for all, said above")]

#[cfg(test)]
mod contract;
mod memory;
mod row_bytes;
#[cfg(test)]
mod shared_tests;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

pub use memory::Memory;

use std::sync::Arc;

/// 16 bytes that a record goes by in the store; not the order number.
pub type RecordIdBytes = [u8; 16];

/// One sealed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// What the store knows it by.
    pub id: RecordIdBytes,
    /// Counter of its changes, from 1.
    pub revision: u32,
    /// Day it was put, counted from 1970-01-01 (UTC). Not authenticated: for listings.
    pub put_day: u32,
    /// The sealed record (`docs/format.md`, section 3).
    pub sealed: Vec<u8>,
    /// What it is found by.
    pub tags: Vec<Tag>,
}

/// A search tag of a record (`docs/format.md`, section 4): says to whoever lacks the index key only that records with one tag
/// may have one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Number of the field.
    pub field: u16,
    /// Its bits, below 2^63: [`u64::cast_signed`] makes it an integer of SQL.
    pub value: u64,
}

/// The next revision of a record, kept beside it until the ledger has its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRecord {
    /// What the record will be.
    pub record: RecordRow,
    /// Revision of the record in whose place it comes, as the store has it.
    pub replaces: u32,
    /// Size of the ledger before its entry.
    pub ledger_size: u64,
}

/// What a listing shows of a record, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSummary {
    /// What the store knows it by.
    pub id: RecordIdBytes,
    /// Counter of its changes, from 1.
    pub revision: u32,
    /// Day it was put, counted from 1970-01-01 (UTC). Not authenticated.
    pub put_day: u32,
    /// Size of the sealed record in bytes.
    pub size: u64,
}

impl RecordRow {
    pub(crate) fn summary(&self) -> RecordSummary {
        RecordSummary {
            id: self.id,
            revision: self.revision,
            put_day: self.put_day,
            size: self.sealed.len() as u64,
        }
    }
}

/// State of a secret row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretState {
    /// The one that opens the order's record.
    Current = 1,
    /// Written for a revision that is not yet in the store of records.
    Pending = 2,
    /// Of an earlier revision.
    Superseded = 3,
    /// Shredded. The row that is left holds what proves who saw the order, or nothing.
    Shredded = 4,
}

impl SecretState {
    /// The state of a number, `None` for a number no state has.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Current, Self::Pending, Self::Superseded, Self::Shredded]
            .into_iter()
            .find(|s| *s as u8 == number)
    }
}

/// The secret of one sealing (`docs/format.md`, section 4), keyed by (record id, N1).
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Record it belongs to.
    pub record_id: RecordIdBytes,
    /// N1 of the sealing it belongs to.
    pub n1: [u8; 10],
    /// Revision of that sealing.
    pub revision: u32,
    /// Generation of the release key that wraps it.
    pub generation: u32,
    /// Its state.
    pub state: SecretState,
    /// When the order was put, seconds since 1970.
    pub put_at: u64,
    /// Number of the order within the vault, for aliases; below 2^36.
    pub serial: u64,
    /// Which of the vault's accepted policies was in force when the order was put, counted from 0.
    pub policy: u32,
    /// When the row came into its state, seconds since 1970. Not authenticated.
    pub changed_at: u64,
    /// Tells the same order put again from another; empty once the secret is destroyed.
    pub fingerprint: Vec<u8>,
    /// The wrapped secret; after shredding the wrapped evidence or nothing.
    pub wrapped: Vec<u8>,
}

// Without its bytes: in a log, the wrapped secret would outlive the shredding of the order.
impl std::fmt::Debug for SecretRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretRow")
            .field("revision", &self.revision)
            .field("generation", &self.generation)
            .field("state", &self.state)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// Something the vault keeps about itself: a wrapped key, a policy, a party. The vault knows what the numbers mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: u8,
    /// Which of its kind.
    pub id: u32,
    /// Epoch, generation or 0.
    pub generation: u32,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Size of the ledger and the roots of the complete subtrees it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerHead {
    /// Number of entries.
    pub size: u64,
    /// Hash of each complete subtree, largest first: one for each bit set in `size`.
    pub frontier: Vec<[u8; 32]>,
}

/// An entry as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Handle, to find it by.
    pub handle: [u8; 16],
    /// Entry bytes (`docs/format.md`, section 8).
    pub bytes: Vec<u8>,
}

/// Why a store failed. Carries a fixed text only: what engines say can repeat the values they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or the file-size limit is reached.
    #[error("no space left for the store")]
    Full,
    /// The folder or its files cannot be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// The process, or the machine, may not open another file.
    #[error("too many files are open")]
    TooManyFiles,
    /// Another process held a lock longer than the stated wait.
    #[error("the store is locked by another process")]
    Locked,
    /// The files are damaged, or are not a store at all.
    #[error("the store is damaged or is not a vault's")]
    Damaged,
    /// The store was written by a later version.
    #[error("the store is of a newer version")]
    Newer,
    /// A row with this key is there already.
    #[error("a row with this key exists")]
    Exists,
    /// The folder or a file is a link or no plain one, belongs to another user, or can be reached by others.
    #[error("the vault's folder or files are links or no plain files, another user's, or open to others")]
    Exposed,
    /// The process that this one was forked from had the store open.
    #[error("the store was open when this process was forked")]
    Forked,
    /// Anything else the engine reports.
    #[error("the store failed")]
    Failed,
}

/// Result of a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// Sealed records.
pub trait OrderStore: Send + Sync {
    /// The records of these ids, in their order; `None` where there is none. What cannot be read of a row (its tags, its listed
    /// numbers) is empty or 0: one altered row must not keep others from theirs.
    fn records(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Option<RecordRow>>>;
    /// Adds records; `Exists`, and nothing added, if one of the ids is there already or twice among them.
    fn insert_records(&self, rows: &[RecordRow]) -> StoreResult<()>;
    /// The ids of records that have one of these tags, each once, ascending, at most `limit`.
    fn tagged(&self, tags: &[Tag], limit: usize) -> StoreResult<Vec<RecordIdBytes>>;
    /// Keeps the next revision of a record, in place of what may be kept for it already.
    fn stage_record(&self, staged: &StagedRecord) -> StoreResult<()>;
    /// What is kept for this record.
    fn staged(&self, id: &RecordIdBytes) -> StoreResult<Option<StagedRecord>>;
    /// In one transaction: replaces the record by what is kept for it, tags too, if it has the revision that this replaces.
    /// `false`, and nothing changed, if nothing is kept or the record is of another revision.
    fn swap_staged(&self, id: &RecordIdBytes) -> StoreResult<bool>;
    /// Forgets what is kept for a record, if anything.
    fn drop_staged(&self, id: &RecordIdBytes) -> StoreResult<()>;
    /// Removes records, with their tags and what is kept for them; ids that are not there are passed over.
    fn delete_records(&self, ids: &[RecordIdBytes]) -> StoreResult<()>;
    /// At most `limit` records with an id above `after`, ascending by id.
    fn page(&self, after: Option<&RecordIdBytes>, limit: usize) -> StoreResult<Vec<RecordSummary>>;
    /// Number of records.
    fn count_records(&self) -> StoreResult<u64>;
    /// At most `limit` ids of records for which a next revision is kept. A store that does not tell them says none.
    fn staged_ids(&self, _limit: usize) -> StoreResult<Vec<RecordIdBytes>> {
        Ok(Vec::new())
    }
    /// At most `limit` records whose header names this epoch ([`epoch_of`]), in places above `after`, ascending by place, each with
    /// its place; fewer where that many have more than [`MOST_AT_ONCE`] bytes together, but one at least if there is one. Places are the store's own: a record has one until it is removed, and keeps it where it is replaced.
    fn of_epoch(&self, epoch: u32, after: Option<u128>, limit: usize) -> StoreResult<Vec<(u128, RecordRow)>> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        let mut last = after.map(u128::to_be_bytes);
        while found.len() < limit {
            let Some(next) = self.page(last.as_ref(), 1)?.pop() else { break };
            last = Some(next.id);
            let record = self.records(&[next.id])?.pop().flatten();
            let Some(record) = record.filter(|record| epoch_of(&record.sealed) == Some(epoch)) else {
                continue;
            };
            bytes += record.sealed.len();
            found.push((u128::from_be_bytes(record.id), record));
            if bytes > MOST_AT_ONCE {
                break;
            }
        }
        Ok(found)
    }
    /// How many records, and kept next revisions, name each epoch; ascending by epoch. Reads all of them. What has no header of a
    /// record counts for epoch 0.
    fn count_epochs(&self) -> StoreResult<Vec<(u32, u64)>> {
        let mut counts = std::collections::BTreeMap::new();
        let mut count = |sealed: &[u8]| *counts.entry(epoch_of(sealed).unwrap_or(0)).or_insert(0) += 1;
        let mut last = None;
        loop {
            let ids: Vec<_> = self.page(last.as_ref(), 64)?.iter().map(|row| row.id).collect();
            let Some(end) = ids.last() else { break };
            last = Some(*end);
            self.records(&ids)?.iter().flatten().for_each(|record| count(&record.sealed));
        }
        for id in self.staged_ids(usize::MAX)? {
            self.staged(&id)?.iter().for_each(|staged| count(&staged.record.sealed));
        }
        Ok(counts.into_iter().collect())
    }
    /// Replaces records, tags too, each where the one that is there has its revision: `false` for the others, which stay as they
    /// are. A store that can do all in one transaction does.
    fn replace_records(&self, rows: &[RecordRow]) -> StoreResult<Vec<bool>> {
        let replace = |record: &RecordRow| {
            let (replaces, ledger_size) = (record.revision, u64::MAX);
            self.stage_record(&StagedRecord { record: record.clone(), replaces, ledger_size })?;
            let done = self.swap_staged(&record.id)?;
            if !done {
                self.drop_staged(&record.id)?;
            }
            Ok(done)
        };
        rows.iter().map(replace).collect()
    }
    /// Whether what lies below the store finds its data sound, as an engine's own check tells. `Damaged` if not.
    fn check(&self) -> StoreResult<()> {
        Ok(())
    }
}

/// Bytes of records that a store hands out at once: a record can have 16 MiB.
pub const MOST_AT_ONCE: usize = 16 << 20;

/// The epoch that a sealed record names in its header (`docs/format.md`, section 3); `None` for what is too short for one.
pub fn epoch_of(sealed: &[u8]) -> Option<u32> {
    sealed.get(42..46)?.try_into().ok().map(u32::from_le_bytes)
}

/// Secret rows. What is removed or replaced here must not be recoverable from the store's files after `wipe_removed`.
pub trait SecretStore: Send + Sync {
    /// All rows of these records, in the order of the ids; an empty list where there is none. A row whose bytes cannot be read
    /// has none.
    fn secrets(&self, ids: &[RecordIdBytes]) -> StoreResult<Vec<Vec<SecretRow>>>;
    /// Adds rows; `Exists`, and nothing added, if one of the keys is there already or twice among them.
    fn insert_secrets(&self, rows: &[SecretRow]) -> StoreResult<()>;
    /// In one transaction: removes the rows of these keys (those that are not there are passed over), then adds `add`.
    /// `Exists`, and nothing changed, if one of the keys to add is still there.
    fn replace_secrets(&self, remove: &[(RecordIdBytes, [u8; 10])], add: &[SecretRow]) -> StoreResult<()>;
    /// Wipes what was removed from the store's files. Waits for other processes at most for `wait`, then `Locked`: what was
    /// replaced stays replaced, only the old bytes are still in the files until a later call.
    fn wipe_removed(&self, wait: std::time::Duration) -> StoreResult<()>;
    /// The greatest serial number of all rows; none without rows.
    fn greatest_serial(&self) -> StoreResult<Option<u64>>;
    /// The rows of an order by its serial number.
    fn secrets_by_serial(&self, serial: u64) -> StoreResult<Vec<SecretRow>>;
    /// Rows that a crash left: pending, or marked shredded and still with a fingerprint. Cheap, whatever the number of rows.
    fn unsettled(&self) -> StoreResult<Vec<SecretRow>>;
    /// At most `limit` superseded rows that came into this state before `time`. Cheap, whatever the number of rows.
    fn superseded_before(&self, time: u64, limit: usize) -> StoreResult<Vec<SecretRow>>;
    /// How many rows [`superseded_before`](Self::superseded_before) has without a limit.
    fn count_superseded(&self, before: u64) -> StoreResult<u64> {
        Ok(self.superseded_before(before, usize::MAX)?.len() as u64)
    }
    /// At most `limit` rows with a key above `after`, ascending by (record id, N1).
    fn secrets_page(
        &self,
        after: Option<&(RecordIdBytes, [u8; 10])>,
        limit: usize,
    ) -> StoreResult<Vec<SecretRow>>;
    /// In one transaction, for each key whose row is there: makes it current at this time, and of the record's other rows each
    /// current one superseded, without its fingerprint; other pending ones are removed.
    fn make_current(&self, keys: &[(RecordIdBytes, [u8; 10])], at: u64) -> StoreResult<()> {
        let ids: Vec<_> = keys.iter().map(|(id, _)| *id).collect();
        let (mut remove, mut add) = (Vec::new(), Vec::new());
        for ((_, n1), rows) in keys.iter().zip(self.secrets(&ids)?) {
            if rows.iter().all(|row| row.n1 != *n1) {
                continue;
            }
            for row in rows {
                let key = (row.record_id, row.n1);
                match row.state {
                    _ if row.n1 == *n1 => {
                        add.push(SecretRow { state: SecretState::Current, changed_at: at, ..row });
                    }
                    SecretState::Current => {
                        let (state, fingerprint) = (SecretState::Superseded, Vec::new());
                        add.push(SecretRow { state, changed_at: at, fingerprint, ..row });
                    }
                    SecretState::Pending => {}
                    SecretState::Superseded | SecretState::Shredded => continue,
                }
                remove.push(key);
            }
        }
        self.replace_secrets(&remove, &add)
    }
    /// How many rows each generation has, rows that hold nothing left out; ascending by generation. Reads all of them.
    fn count_generations(&self) -> StoreResult<Vec<(u32, u64)>> {
        let (mut counts, mut last) = (std::collections::BTreeMap::new(), None);
        loop {
            let rows = self.secrets_page(last.as_ref(), 1_000)?;
            let Some(end) = rows.last() else { return Ok(counts.into_iter().collect()) };
            last = Some((end.record_id, end.n1));
            let full = rows.iter().filter(|row| !row.wrapped.is_empty());
            full.for_each(|row| *counts.entry(row.generation).or_insert(0) += 1);
        }
    }
    /// As [`OrderStore::check`].
    fn check(&self) -> StoreResult<()> {
        Ok(())
    }
}

/// What the vault keeps about itself.
pub trait KeyStore: Send + Sync {
    /// All items.
    fn items(&self) -> StoreResult<Vec<Item>>;
    /// Adds or replaces items, all or none; an item with an empty body is removed, whether it is there or not.
    fn write_items(&self, items: &[Item]) -> StoreResult<()>;
    /// Wipes what was removed or replaced from the store's files. Waits for others at most for `wait`, then `Locked`: it stays
    /// removed, only its bytes are still in the files until a later call.
    fn wipe_removed(&self, wait: std::time::Duration) -> StoreResult<()>;
    /// A number that differs whenever the items may have changed, by whatever process. Cheap.
    fn items_version(&self) -> StoreResult<u64>;
    /// Takes `count` numbers from the counter of this name, from 0 on, and returns the first; no number is given twice.
    fn allot(&self, counter: u32, count: u64) -> StoreResult<u64>;
    /// How many numbers were taken from a counter. A store that can read that without writing does.
    fn allotted(&self, counter: u32) -> StoreResult<u64> {
        self.allot(counter, 0)
    }
    /// Takes one from the budget of an account at a time in seconds since 1970, whatever process asks: `false`, and nothing
    /// taken, where one of the windows (length in seconds, most within it) is full. What lies before all windows is forgotten.
    fn spend(&self, account: u64, at: u64, windows: &[(u64, u64)]) -> StoreResult<bool>;
    /// Forgets what these accounts have spent up to a time. A store that does not has rows that nobody asks for any more.
    fn forget_spent(&self, _accounts: std::ops::RangeInclusive<u64>, _until: u64) -> StoreResult<()> {
        Ok(())
    }
    /// As [`OrderStore::check`].
    fn check(&self) -> StoreResult<()> {
        Ok(())
    }
}

/// The ledger's entries.
pub trait LedgerStore: Send + Sync {
    /// Under the ledger's write lock: hands the head to `build`, stores the rows and the head it returns, durably.
    ///
    /// The lock orders several processes: an entry's index is its place in this order. `build` is called at most once.
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()>;
    /// The head.
    fn head(&self) -> StoreResult<LedgerHead>;
    /// At most `limit` entries from index `from` on.
    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>>;
    /// Indices of the entries with this handle, ascending. A hint: whoever may write the files may have altered what it is
    /// found by, so nothing that counts rests on an index that is missing here.
    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>>;
    /// As [`OrderStore::check`].
    fn check(&self) -> StoreResult<()> {
        Ok(())
    }
}

/// The stores of one vault and its write lock.
#[derive(Clone)]
pub struct Stores {
    /// Sealed records.
    pub orders: Arc<dyn OrderStore>,
    /// Secret rows.
    pub secrets: Arc<dyn SecretStore>,
    /// What the vault keeps about itself.
    pub keys: Arc<dyn KeyStore>,
    /// The ledger's entries.
    pub ledger: Arc<dyn LedgerStore>,
    /// Ledgers before this one, oldest first: each was lost and succeeded when the vault was restored. Only read.
    pub former: Vec<Arc<dyn LedgerStore>>,
    /// The write lock.
    pub lock: Arc<dyn WriteLock>,
}

/// One writer at a time changes a vault (put, shred, policy, parties), whatever its process. Openings do not take it.
///
/// A writer that died leaves the lock free, so whoever holds it may take any half-done change it finds for abandoned.
pub trait WriteLock: Send + Sync {
    /// Waits for the lock, at most [`LOCK_WAIT`], and holds it until the guard is dropped. `Locked` after that.
    fn hold(&self) -> StoreResult<Box<dyn Held + '_>>;
}

/// The write lock, held until this is dropped.
pub trait Held {}

/// How long a writer waits for another one.
pub const LOCK_WAIT: std::time::Duration = std::time::Duration::from_secs(10);
