//! Callers that append at the same time, before a store that waits, fails or panics when it is told to.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Entry, EntryKind, Ledger, LedgerState, Receipt, group::Group, now};
use crate::{
    error::{ErrorKind, Result},
    store::{LedgerHead, LedgerRow, LedgerStore, Memory, StoreError, StoreResult, Stores},
};

/// What the next append does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Works,
    /// Waits until it is told something else.
    Waits,
    Fails,
    Panics,
    /// Says that it is done, and did nothing.
    Lies,
}

struct Odd {
    memory: Arc<dyn LedgerStore>,
    next: Mutex<Next>,
    told: Condvar,
    /// Whether an append has come and waits.
    waits: AtomicBool,
    /// Entries of each append that was tried.
    batches: Mutex<Vec<usize>>,
}

impl Odd {
    fn tell(&self, next: Next) {
        *self.next.lock().unwrap() = next;
        self.told.notify_all();
    }
}

impl LedgerStore for Odd {
    fn append(&self, build: &mut dyn FnMut(&LedgerHead) -> (Vec<LedgerRow>, LedgerHead)) -> StoreResult<()> {
        self.waits.store(*self.next.lock().unwrap() == Next::Waits, Ordering::Release);
        let waits = self.told.wait_while(self.next.lock().unwrap(), |next| *next == Next::Waits);
        let next = *waits.unwrap();
        let mut counted = |head: &LedgerHead| {
            let (rows, next) = build(head);
            self.batches.lock().unwrap().push(rows.len());
            (rows, next)
        };
        match next {
            Next::Works | Next::Waits => self.memory.append(&mut counted),
            Next::Fails => {
                counted(&LedgerHead::default());
                Err(StoreError::Full)
            }
            Next::Panics => panic!("a store of somebody's own"),
            Next::Lies => Ok(()),
        }
    }

    fn head(&self) -> StoreResult<LedgerHead> {
        self.memory.head()
    }

    fn entries(&self, from: u64, limit: usize) -> StoreResult<Vec<LedgerRow>> {
        self.memory.entries(from, limit)
    }

    fn find_handle(&self, handle: &[u8; 16]) -> StoreResult<Vec<u64>> {
        self.memory.find_handle(handle)
    }
}

fn odd() -> (Arc<Odd>, Ledger) {
    let stores = Memory::stores();
    let (next, told) = (Mutex::new(Next::Works), Condvar::new());
    let odd = Arc::new(Odd {
        memory: stores.ledger.clone(),
        next,
        told,
        waits: AtomicBool::new(false),
        batches: Mutex::default(),
    });
    (odd.clone(), Ledger::new(&Stores { ledger: odd, ..stores }))
}

/// Entry number `n` of a caller.
fn entry(caller: u8, n: u32) -> Entry {
    Entry { handle: [caller; 16], revision: n, ..Entry::new(EntryKind::Disclosure, [caller; 16], [0; 32]) }
}

fn entries(caller: u8, count: u32) -> Vec<Entry> {
    (0..count).map(|n| entry(caller, n)).collect()
}

/// Callers 1 to `callers` queue behind caller 0, who is writing; `next` is what then becomes of its write. The results of all.
fn behind_one(
    (odd, ledger): (&Odd, &Ledger),
    callers: u8,
    of: impl Fn(u8) -> Vec<Entry> + Sync,
    next: Next,
) -> Vec<thread::Result<Result<Vec<Receipt>>>> {
    odd.tell(Next::Waits);
    thread::scope(|scope| {
        let append = |caller: u8| {
            let of = &of;
            move || catch_unwind(AssertUnwindSafe(|| ledger.append(of(caller))))
        };
        let mut threads = vec![scope.spawn(append(0))];
        while !odd.waits.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let mut waiting = 0;
        for caller in 1..=callers {
            // One after the other, so that the order in which they queue is known.
            threads.push(scope.spawn(append(caller)));
            waiting += of(caller).len();
            let until = Instant::now() + Duration::from_secs(20);
            while ledger.group.waiting() < waiting {
                assert!(Instant::now() < until, "caller {caller} never queued");
                thread::yield_now();
            }
        }
        odd.tell(next);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The receipts name the entries that are in the ledger, each caller's one after the other.
fn check(ledger: &Ledger, receipts: &[Receipt]) {
    for (receipt, next) in receipts.iter().zip(receipts.iter().skip(1)) {
        assert_eq!(receipt.place.index + 1, next.place.index);
    }
    for receipt in receipts {
        assert_eq!(ledger.entries(receipt.place.index, 1).unwrap(), std::slice::from_ref(&receipt.entry));
    }
}

#[test]
fn who_comes_while_one_writes_is_written_together() {
    let (odd, ledger) = odd();
    let count = |caller: u8| u32::from(caller % 5 + 1);
    let results = behind_one((&odd, &ledger), 40, |caller| entries(caller, count(caller)), Next::Works);
    let mut next = 0;
    for (caller, result) in (0..).zip(results) {
        let receipts = result.unwrap().unwrap();
        assert_eq!(receipts.len(), count(caller) as usize);
        assert_eq!(receipts[0].place.index, next, "in the order in which they came");
        next += receipts.len() as u64;
        check(&ledger, &receipts);
        assert!(
            receipts
                .iter()
                .zip(0..)
                .all(|(receipt, n)| { Entry { time: 0, ..receipt.entry.clone() } == entry(caller, n) })
        );
    }
    assert_eq!(
        *odd.batches.lock().unwrap(),
        [1, usize::try_from(next).unwrap() - 1],
        "two writes for 41 callers"
    );
    assert_eq!(ledger.verify().unwrap().size, next);
}

#[test]
fn a_write_that_fails_fails_for_all_in_it_and_is_not_tried_again() {
    let (odd, ledger) = odd();
    for next in [Next::Fails, Next::Lies] {
        odd.batches.lock().unwrap().clear();
        for result in behind_one((&odd, &ledger), 9, |caller| entries(caller, 2), next) {
            assert_eq!(result.unwrap().err().unwrap().kind(), &ErrorKind::Storage);
        }
        let tried = if next == Next::Fails { vec![2, 18] } else { Vec::new() };
        assert_eq!(*odd.batches.lock().unwrap(), tried);
        assert_eq!(ledger.state().unwrap(), LedgerState::from(&LedgerHead::default()));
    }
    odd.tell(Next::Works);
    check(&ledger, &ledger.append(entries(7, 3)).unwrap());
    assert_eq!(ledger.state().unwrap().size, 3, "and nothing of what failed");
}

#[test]
fn a_store_that_panics_leaves_nobody_waiting() {
    let (odd, ledger) = odd();
    let results = behind_one((&odd, &ledger), 9, |caller| entries(caller, 2), Next::Panics);
    let (panicked, told): (Vec<_>, Vec<_>) = results.into_iter().partition(thread::Result::is_err);
    assert_eq!((panicked.len(), told.len()), (2, 8), "the first, and the one that wrote for all others");
    for result in told {
        assert_eq!(result.unwrap().err().unwrap().kind(), &ErrorKind::Storage);
    }
    odd.tell(Next::Works);
    check(&ledger, &ledger.append(entries(7, 3)).unwrap());
    assert_eq!(ledger.state().unwrap().size, 3);
}

#[test]
fn a_batch_has_a_bound_and_who_is_larger_is_written_alone() {
    let (odd, ledger) = odd();
    let count = |caller: u8| if caller == 5 { 5_000 } else { 1_000 };
    let results = behind_one((&odd, &ledger), 10, |caller| entries(caller, count(caller)), Next::Works);
    for result in results {
        check(&ledger, &result.unwrap().unwrap());
    }
    assert_eq!(*odd.batches.lock().unwrap(), [1_000, 4_000, 5_000, 4_000, 1_000]);
    // By their bytes: entries of 4 KB, of which 256 are 1 MiB.
    let (odd, ledger) = self::odd();
    let large = |caller| {
        let mut entries = entries(caller, 100);
        entries.iter_mut().for_each(|entry| entry.detail = vec![0; 3_900]);
        entries
    };
    for result in behind_one((&odd, &ledger), 6, large, Next::Works) {
        check(&ledger, &result.unwrap().unwrap());
    }
    assert_eq!(*odd.batches.lock().unwrap(), [100, 200, 200, 200]);
}

#[test]
fn times_do_not_run_backwards_and_receipts_have_the_time_that_was_written() {
    let (odd, ledger) = odd();
    let before = now();
    let first = ledger.append(entries(1, 2)).unwrap();
    assert!((before..=now()).contains(&first[0].entry.time) && first[1].entry.time == first[0].entry.time);
    // As if the machine's clock had been set back by an hour since.
    let ahead = now() + 3600;
    ledger.group.set_time(ahead);
    let later = ledger.append(vec![Entry { time: 1, ..entry(1, 0) }]).unwrap();
    assert_eq!(later[0].entry.time, ahead);
    // Another process, by its own clock: the order is that of the indices.
    let other = Ledger::new(&Stores { ledger: odd.clone(), ..Memory::stores() });
    let others = other.append(entries(2, 1)).unwrap();
    assert!(others[0].entry.time < ahead);
    assert_eq!(ledger.verify().unwrap().size, 4);
    for receipts in [first, later, others] {
        check(&ledger, &receipts);
    }
}

#[test]
fn a_forked_child_waits_for_no_thread_of_its_parent() {
    let (odd, mut ledger) = odd();
    ledger.group = Group::of_process_and_held(process::id() ^ 1);
    assert_eq!(ledger.append(entries(1, 1)).err().unwrap().kind(), &ErrorKind::Locked);
    // The second is counted, and would be entered now.
    let (first, again) = (ledger.denials.count(&entry(1, 0)), ledger.denials.count(&entry(1, 0)));
    assert!(first.is_some() && again.is_none());
    drop(ledger);
    assert_eq!(odd.head().unwrap().size, 0);
}
