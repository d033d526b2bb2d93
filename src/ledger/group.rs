//! Group commit: callers that append at the same time share one write of the store, and its one sync.
//!
//! Who finds nobody writing writes at once. Who comes meanwhile queues its entries and waits; the writer that is done names the
//! first of them the next one, which takes all that have queued. Nobody writes twice for others, no thread of its own stands behind
//! it, and a caller that is alone waits for nothing but the store. Each waits in a place of its own: a result wakes whom it is for.

use std::{
    collections::VecDeque,
    mem, process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{
    entry::set_time,
    now,
    tree::{self, leaf_hash},
};
use crate::store::{LedgerHead, LedgerRow, LedgerStore, StoreError, StoreResult};

/// Most entries, and bytes of entries, that are written for several callers at once. A caller that has more is written by itself:
/// nobody else waits for its entries in the same batch, and what is copied at a time is bounded by this or by what one call holds anyway.
const MOST_ENTRIES: usize = 4096;
const MOST_BYTES: usize = 1 << 20;

/// Callers of one ledger in one process.
pub(super) struct Group {
    process: u32,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Whether somebody writes, or was named to.
    writing: bool,
    waiting: VecDeque<Arc<Call>>,
    /// The time that entries were given last.
    time: u64,
}

/// Entries of one caller that waits.
struct Call {
    size: Size,
    place: Mutex<Place>,
    woken: Condvar,
}

struct Place {
    rows: Vec<LedgerRow>,
    told: Option<Told>,
}

/// What a waiting caller is told.
#[derive(Clone, Copy)]
enum Told {
    /// To write, for itself and for whoever waits behind it.
    Write,
    /// What became of its entries.
    Done(StoreResult<Written>),
}

/// What was written for a caller: its entries stand one after the other from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) first: u64,
    /// Seconds since 1970.
    pub(super) time: u64,
}

#[derive(Clone, Copy)]
struct Size {
    entries: usize,
    bytes: usize,
}

impl Size {
    fn of(rows: &[LedgerRow]) -> Self {
        Self { entries: rows.len(), bytes: rows.iter().map(|row| row.bytes.len()).sum() }
    }

    /// With another, if both fit into one batch.
    fn with(self, other: Self) -> Option<Self> {
        let both = Self { entries: self.entries + other.entries, bytes: self.bytes + other.bytes };
        (both.entries <= MOST_ENTRIES && both.bytes <= MOST_BYTES).then_some(both)
    }
}

impl Group {
    /// Of the process that this is called in.
    pub(super) fn new() -> Self {
        Self { process: process::id(), queue: Mutex::default() }
    }

    /// Whether this is the process that it was made in. In a forked child, its locks may be held by threads that are not there.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// Sets the time of the rows, which is 0, and has them written together: durable when this returns. They are written once; if that
    /// fails, so does the call, for all whose rows were in that batch.
    pub(super) fn append(&self, store: &dyn LedgerStore, rows: Vec<LedgerRow>) -> StoreResult<Written> {
        // Before any lock is waited for.
        if !self.is_of_this_process() {
            return Err(StoreError::Forked);
        }
        let call = {
            let mut queue = held(&self.queue);
            if !mem::replace(&mut queue.writing, true) {
                drop(queue);
                return Batch::begun_by(self, rows).write(store);
            }
            let call = Arc::new(Call::of(rows));
            queue.waiting.push_back(Arc::clone(&call));
            call
        };
        match call.wait() {
            (Told::Done(written), _) => written,
            (Told::Write, rows) => Batch::begun_by(self, rows).write(store),
        }
    }

    /// Those who wait and fit behind a batch of this size, and the time of all.
    fn take_batch(&self, mut size: Size) -> (Vec<Arc<Call>>, u64) {
        let mut queue = held(&self.queue);
        queue.time = queue.time.max(now());
        let mut taken = Vec::with_capacity(queue.waiting.len());
        // In turn: nobody is passed over for being larger than what comes after it.
        while let Some(both) = queue.waiting.front().and_then(|call| size.with(call.size)) {
            size = both;
            taken.extend(queue.waiting.pop_front());
        }
        (taken, queue.time)
    }

    /// Names the next writer, if anybody waits.
    fn hand_over(&self) {
        let next = {
            let mut queue = held(&self.queue);
            let next = queue.waiting.pop_front();
            queue.writing = next.is_some();
            next
        };
        if let Some(next) = next {
            next.tell(Told::Write);
        }
    }
}

impl Call {
    fn of(rows: Vec<LedgerRow>) -> Self {
        let size = Size::of(&rows);
        Self { size, place: Mutex::new(Place { rows, told: None }), woken: Condvar::new() }
    }

    fn take_rows(&self) -> Vec<LedgerRow> {
        mem::take(&mut held(&self.place).rows)
    }

    fn tell(&self, told: Told) {
        held(&self.place).told = Some(told);
        self.woken.notify_one();
    }

    /// What it is told, and its rows if nobody took them.
    fn wait(&self) -> (Told, Vec<LedgerRow>) {
        let mut place = held(&self.place);
        loop {
            if let Some(told) = place.told {
                return (told, mem::take(&mut place.rows));
            }
            place = self.woken.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What one caller writes, for itself and others. Dropped, also by a panic of the store, it hands over and tells the others.
struct Batch<'a> {
    group: &'a Group,
    own: Vec<LedgerRow>,
    others: Vec<(Arc<Call>, usize)>,
    /// Where the first of the others' entries is.
    written: StoreResult<Written>,
}

impl<'a> Batch<'a> {
    fn begun_by(group: &'a Group, own: Vec<LedgerRow>) -> Self {
        Self { group, own, others: Vec::new(), written: Err(StoreError::Failed) }
    }

    fn write(mut self, store: &dyn LedgerStore) -> StoreResult<Written> {
        let (calls, time) = self.group.take_batch(Size::of(&self.own));
        self.others = calls.into_iter().map(|call| (call, 0)).collect();
        let mut rows = mem::take(&mut self.own);
        let own = rows.len() as u64;
        for (call, count) in &mut self.others {
            let mut more = call.take_rows();
            *count = more.len();
            rows.append(&mut more);
        }
        rows.iter_mut().for_each(|row| set_time(&mut row.bytes, time));
        let first = write(store, rows)?;
        self.written = Ok(Written { first: first + own, time });
        Ok(Written { first, time })
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        // First, so that the disk has work while those who waited for it go on.
        self.group.hand_over();
        let mut written = self.written;
        for (call, count) in &self.others {
            call.tell(Told::Done(written));
            if let Ok(written) = &mut written {
                written.first += *count as u64;
            }
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
    // Nothing is done under these locks that panics half-way.
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

    /// Callers that wait.
    pub(super) fn waiting(&self) -> usize {
        held(&self.queue).waiting.len()
    }

    /// As if entries had been given this time.
    pub(super) fn set_time(&self, time: u64) {
        held(&self.queue).time = time;
    }
}
