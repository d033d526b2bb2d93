//! The contracts of `store/mod.rs` among threads, and among several stores of one place, as other processes have them.
//!
//! Rules: a write is seen whole, and by all; no number and no index is given twice; the items' version moves with every write,
//! whoever wrote; one writer holds the lock at a time, the others wait for [`LOCK_WAIT`], and a lock whose holder is gone is
//! free. Where stores cannot be opened twice (memory), clones stand in for other processes.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::{
    Item, LOCK_WAIT, LedgerHead, LedgerRow, LedgerStore, Memory, SecretRow, SecretState, StoreError, Stores,
};

/// Where stores are made.
trait Place: Sync {
    /// Stores of this place. Those that can be opened twice are.
    fn stores(&self) -> Stores;
}

struct InMemory(Stores);

impl Place for InMemory {
    fn stores(&self) -> Stores {
        self.0.clone()
    }
}

#[cfg(feature = "sqlite")]
struct InFolder(tempfile::TempDir);

#[cfg(feature = "sqlite")]
impl Place for InFolder {
    fn stores(&self) -> Stores {
        super::sqlite::open(&self.0.path().join("vault")).unwrap()
    }
}

/// Runs a contract on each kind of stores, side by side.
fn on_each(contract: impl Fn(&dyn Place) + Sync) {
    thread::scope(|scope| {
        scope.spawn(|| contract(&InMemory(Memory::stores())));
        #[cfg(feature = "sqlite")]
        scope.spawn(|| {
            let folder = InFolder(tempfile::tempdir().unwrap());
            drop(super::sqlite::create(&folder.0.path().join("vault")).unwrap());
            contract(&folder);
        });
    });
}

fn secret(id: u8, n1: u8) -> SecretRow {
    SecretRow {
        record_id: [id; 16],
        n1: [n1; 10],
        revision: u32::from(n1),
        generation: 7,
        state: SecretState::Current,
        put_at: u64::MAX >> 1,
        serial: u64::from(id),
        policy: 0,
        changed_at: 1_700_000_000,
        fingerprint: vec![1; 16],
        wrapped: vec![n1; 60],
    }
}

fn item(kind: u8, id: u32, body: &[u8]) -> Item {
    Item { kind, id, generation: 1, body: body.to_vec() }
}

#[test]
fn replacing_removes_and_adds_as_one() {
    on_each(|place| {
        let secrets = place.stores().secrets;
        secrets.insert_secrets(&[secret(1, 1), secret(1, 2), secret(2, 1)]).unwrap();
        let shredded = SecretRow { state: SecretState::Shredded, wrapped: Vec::new(), ..secret(1, 2) };
        let remove = [([1; 16], [1; 10]), ([1; 16], [2; 10]), ([99; 16], [1; 10])];
        secrets.replace_secrets(&remove, std::slice::from_ref(&shredded)).unwrap();
        assert_eq!(place.stores().secrets.secrets_page(None, 9).unwrap(), [shredded.clone(), secret(2, 1)]);
        // What cannot be added leaves what was to be removed.
        let removed = [([1; 16], [2; 10])];
        assert_eq!(secrets.replace_secrets(&removed, &[secret(2, 1)]), Err(StoreError::Exists));
        assert_eq!(secrets.secrets_page(None, 9).unwrap(), [shredded, secret(2, 1)]);
        secrets.wipe_removed(LOCK_WAIT).unwrap();
        assert_eq!(secrets.secrets_page(None, 9).unwrap().len(), 2);
    });
}

#[test]
fn the_version_of_the_items_differs_after_every_write_whoever_wrote() {
    on_each(|place| {
        let (one, two) = (place.stores().keys, place.stores().keys);
        let mut seen = (BTreeSet::new(), BTreeSet::new());
        for (round, writer) in [&one, &one, &two, &one, &two, &two].into_iter().enumerate() {
            for _ in 0..2 {
                assert_eq!(one.items_version().unwrap(), one.items_version().unwrap(), "no write, no change");
            }
            assert!(seen.0.insert(one.items_version().unwrap()), "round {round}: not seen by the first");
            assert!(seen.1.insert(two.items_version().unwrap()), "round {round}: not seen by the second");
            writer.write_items(&[item(1, 1, &[u8::try_from(round).unwrap()])]).unwrap();
        }
    });
}

#[test]
fn whoever_sees_a_version_sees_its_items() {
    on_each(|place| {
        let (writer, reader) = (place.stores().keys, place.stores().keys);
        for n in 0..50 {
            writer.write_items(&[item(1, 1, &[n]), item(1, 2, &[n])]).unwrap();
            let version = reader.items_version().unwrap();
            let items = reader.items().unwrap();
            assert!(items.iter().all(|item| item.body == [n]), "all of a write or none");
            assert_eq!(reader.items_version().unwrap(), version);
        }
    });
}

#[test]
fn numbers_are_never_given_twice() {
    on_each(|place| {
        let shared = place.stores().keys;
        let keys = [shared.clone(), shared, place.stores().keys, place.stores().keys];
        let mut given: Vec<u64> = thread::scope(|scope| {
            let threads = keys.iter().zip(1..).map(|(keys, count)| {
                scope.spawn(move || {
                    let blocks = (0..25).map(|_| keys.allot(3, count).unwrap());
                    blocks.flat_map(|first| first..first + count).collect::<Vec<_>>()
                })
            });
            threads.collect::<Vec<_>>().into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        given.sort_unstable();
        assert_eq!(given, (0..25 * (1 + 2 + 3 + 4)).collect::<Vec<_>>());
        let keys = place.stores().keys;
        assert_eq!(keys.allot(3, 0).unwrap(), 250, "taking none tells the next");
        assert_eq!(keys.allot(4, 1).unwrap(), 0, "each counter is its own");
        assert!(keys.allot(4, u64::MAX).is_err());
        assert_eq!(keys.allot(4, 1).unwrap(), 1, "a refused call takes nothing");
    });
}

/// Rows that say which index they were built for, and a head that counts them.
fn append(ledger: &dyn LedgerStore, handle: u8, count: u64) {
    ledger
        .append(&mut |head| {
            let rows = (head.size..head.size + count)
                .map(|index| LedgerRow { handle: [handle; 16], bytes: index.to_le_bytes().to_vec() });
            let size = head.size + count;
            let frontier = vec![[handle; 32]; size.count_ones() as usize];
            (rows.collect(), LedgerHead { size, frontier })
        })
        .unwrap();
}

#[test]
fn appending_from_threads_and_stores_leaves_no_gap_and_no_index_twice() {
    on_each(|place| {
        assert_eq!(place.stores().ledger.head().unwrap(), LedgerHead::default());
        let shared = place.stores().ledger;
        let ledgers = [shared.clone(), shared, place.stores().ledger, place.stores().ledger];
        thread::scope(|scope| {
            for (ledger, handle) in ledgers.iter().zip(1..) {
                scope.spawn(move || (0..20).for_each(|_| append(&**ledger, handle, u64::from(handle))));
            }
        });
        let ledger = place.stores().ledger;
        assert_eq!(ledger.head().unwrap().size, 20 * (1 + 2 + 3 + 4));
        let wanted: Vec<_> = (0..200_u64).map(|index| index.to_le_bytes().to_vec()).collect();
        let found = ledger.entries(0, usize::MAX).unwrap();
        assert_eq!(found.into_iter().map(|row| row.bytes).collect::<Vec<_>>(), wanted);
        let mut found: Vec<u64> = Vec::new();
        for handle in 1..=4 {
            let indices = ledger.find_handle(&[handle; 16]).unwrap();
            assert!(indices.len() == 20 * usize::from(handle) && indices.is_sorted_by(|a, b| a < b));
            found.extend(indices);
        }
        found.sort_unstable();
        assert_eq!(found, (0..200).collect::<Vec<_>>());
    });
}

#[test]
fn the_write_lock_lets_one_in_at_a_time_whatever_stores_it_came_by() {
    on_each(|place| {
        let shared = place.stores();
        let stores = [shared.clone(), shared, place.stores()];
        let inside = AtomicBool::new(false);
        thread::scope(|scope| {
            for stores in &stores {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _held = stores.lock.hold().unwrap();
                        assert!(!inside.swap(true, Ordering::SeqCst), "two writers at a time");
                        thread::sleep(Duration::from_micros(200));
                        inside.store(false, Ordering::SeqCst);
                    }
                });
            }
        });
    });
}

#[test]
fn the_write_lock_is_free_again_after_a_drop_and_after_a_panic() {
    on_each(|place| {
        let (one, two) = (place.stores(), place.stores());
        drop(one.lock.hold().unwrap());
        drop(two.lock.hold().unwrap());
        let died = thread::scope(|scope| {
            let holder = || {
                let _held = one.lock.hold().unwrap();
                std::panic::resume_unwind(Box::new("a writer dies"));
            };
            scope.spawn(holder).join().is_err()
        });
        assert!(died);
        drop(two.lock.hold().unwrap());
        drop(one.lock.hold().unwrap());
    });
}

#[test]
fn a_writer_waits_as_long_as_it_says_and_no_longer() {
    on_each(|place| {
        let (one, two) = (place.stores(), place.stores());
        let _held = one.lock.hold().unwrap();
        thread::scope(|scope| {
            for stores in [&one, &two] {
                scope.spawn(|| {
                    let began = std::time::Instant::now();
                    assert_eq!(stores.lock.hold().err(), Some(StoreError::Locked));
                    let waited = began.elapsed();
                    assert!(waited >= LOCK_WAIT && waited < LOCK_WAIT + Duration::from_secs(3), "{waited:?}");
                });
            }
        });
    });
}

#[test]
fn readers_and_the_ledger_do_not_wait_for_the_write_lock() {
    on_each(|place| {
        let (one, two) = (place.stores(), place.stores());
        let _held = one.lock.hold().unwrap();
        append(&*two.ledger, 1, 1);
        assert_eq!(two.orders.records(&[[99; 16]]).unwrap(), [None]);
        assert_eq!(two.ledger.head().unwrap().size, 1);
    });
}
