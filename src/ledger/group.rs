//! Group commit: callers that append at the same time share one write of the store, and its one sync.
//!
//! Who finds nobody writing writes at once. Who comes meanwhile joins the batch that waits behind, or begins it; when the writer is
//! done, the one who began the batch writes it, with all who have joined by then. Nobody writes twice for others, no thread stands
//! behind it, and a caller that is alone waits for nothing but the store.

use std::{
    collections::VecDeque,
    mem, process,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{entry::set_time, now, tree};
use crate::{
    store::{LedgerHead, LedgerRow, LedgerStore, StoreError, StoreResult},
    tlog::leaf_hash,
};

/// Most entries, and bytes of entries, that are written for several callers at once. A caller that has more is written by itself, so
/// that nobody else waits for its entries in the same batch.
const MOST_ENTRIES: usize = 4096;
const MOST_BYTES: usize = 1 << 20;

/// Callers of one ledger in one process.
pub(super) struct Group {
    process: u32,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Whether somebody writes, or was told to.
    writing: bool,
    /// Batches in the order in which they are written. The last one may be joined.
    waiting: VecDeque<Batch>,
    /// The time that entries were given last.
    time: u64,
}

/// Entries that are written together.
struct Batch {
    rows: Vec<LedgerRow>,
    bytes: usize,
    told: Arc<Told>,
}

/// What callers wait for.
#[derive(Default)]
struct Told {
    /// To write, for the one who began the batch.
    turn: OnceLock<()>,
    /// What became of it, for all of them: one result wakes them together, and none in vain.
    written: OnceLock<StoreResult<Written>>,
}

/// What was written: the entries stand one after the other from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) first: u64,
    /// Seconds since 1970.
    pub(super) time: u64,
}

/// What a caller has to do.
enum Part {
    Write(Batch),
    /// When it is this batch's turn.
    WriteInTurn,
    Wait,
}

impl Group {
    /// Of the process that this is called in.
    pub(super) fn new() -> Self {
        Self { process: process::id(), queue: Mutex::default() }
    }

    /// Whether this is the process that it was made in. In a forked child, its lock may be held by a thread that is not there.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// Sets the time of the rows and has them written together, once: durable when this returns. Where that fails, it fails for all
    /// whose rows are in the batch.
    pub(super) fn append(&self, store: &dyn LedgerStore, rows: Vec<LedgerRow>) -> StoreResult<Written> {
        // Before any lock is waited for.
        if !self.is_of_this_process() {
            return Err(StoreError::Forked);
        }
        let (told, before, part) = held(&self.queue).join(rows);
        match part {
            Part::Write(batch) => self.write(store, batch),
            Part::WriteInTurn => {
                told.turn.wait();
                // It is the first that waits: nobody else was told to take one.
                let batch = held(&self.queue).waiting.pop_front();
                if let Some(batch) = batch {
                    self.write(store, batch);
                }
            }
            Part::Wait => {}
        }
        let Written { first, time } = (*told.written.wait())?;
        Ok(Written { first: first + before, time })
    }

    fn write(&self, store: &dyn LedgerStore, batch: Batch) {
        let Batch { mut rows, told, .. } = batch;
        let writing = Writing { group: self, told: &told };
        let time = held(&self.queue).next_time();
        rows.iter_mut().for_each(|row| set_time(&mut row.bytes, time));
        let written = write(store, rows).map(|first| Written { first, time });
        let _nobody_else_sets_it = writing.told.written.set(written);
    }
}

impl Queue {
    /// Where a caller's result will be, how many rows stand before its own, and what it has to do for it.
    fn join(&mut self, mut rows: Vec<LedgerRow>) -> (Arc<Told>, u64, Part) {
        let bytes = rows.iter().map(|row| row.bytes.len()).sum::<usize>();
        if let Some(last) = self.waiting.back_mut()
            && last.rows.len() + rows.len() <= MOST_ENTRIES
            && last.bytes + bytes <= MOST_BYTES
        {
            let before = last.rows.len() as u64;
            last.rows.append(&mut rows);
            last.bytes += bytes;
            return (Arc::clone(&last.told), before, Part::Wait);
        }
        let told = Arc::new(Told::default());
        let batch = Batch { rows, bytes, told: Arc::clone(&told) };
        if mem::replace(&mut self.writing, true) {
            self.waiting.push_back(batch);
            (told, 0, Part::WriteInTurn)
        } else {
            (told, 0, Part::Write(batch))
        }
    }

    /// The machine's time, or the last that was given where that was later.
    fn next_time(&mut self) -> u64 {
        self.time = self.time.max(now());
        self.time
    }
}

/// Dropped, also where the store panics, it tells the batch's callers and whose turn it is next.
struct Writing<'a> {
    group: &'a Group,
    told: &'a Told,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let _already_set_if_the_store_returned = self.told.written.set(Err(StoreError::Failed));
        let mut queue = held(&self.group.queue);
        match queue.waiting.front() {
            Some(next) => {
                let told = Arc::clone(&next.told);
                drop(queue);
                let _set_once = told.turn.set(());
            }
            None => queue.writing = false,
        }
    }
}

/// Returns the index of the first.
fn write(store: &dyn LedgerStore, mut rows: Vec<LedgerRow>) -> StoreResult<u64> {
    let leaves: Vec<_> = rows.iter().map(|row| leaf_hash(&row.bytes)).collect();
    let mut first = None;
    store.append(&mut |head: &LedgerHead| {
        first = Some(head.size);
        let mut next = head.clone();
        leaves.iter().for_each(|leaf| tree::push(&mut next, *leaf));
        (mem::take(&mut rows), next)
    })?;
    // A store that says it is done and asked for no rows has none.
    first.ok_or(StoreError::Failed)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is done under this lock that panics half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl Group {
    /// As a process finds it that is forked while another thread holds its lock.
    pub(super) fn of_process_and_held(process: u32) -> Self {
        let group = Self { process, ..Self::new() };
        mem::forget(held(&group.queue));
        group
    }

    /// Entries that wait.
    pub(super) fn waiting(&self) -> usize {
        held(&self.queue).waiting.iter().map(|batch| batch.rows.len()).sum()
    }

    /// As if entries had been given this time.
    pub(super) fn set_time(&self, time: u64) {
        held(&self.queue).time = time;
    }
}
