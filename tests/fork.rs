//! Two forked workers of one pool: real processes, of which the parent unlocked a vault and sealed before the fork.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    cell::RefCell,
    fs,
    path::Path,
    process::exit,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use common::{Folder, ROOT, contains, in_memory, order};
use consignee::{ErrorKind, KeyFile, Order, Record, RecordField, ValueRef, Vault};
use fork::{Fork, fork, waitpid};

fn main() {
    forked_workers_that_seal_at_once_share_no_bytes();
    a_vault_that_the_parent_unlocked_is_locked_in_the_child();
    a_child_does_not_free_the_lock_under_which_its_parent_writes();
    a_child_that_drops_its_parents_vault_closes_nothing_of_it();
    a_child_that_drops_its_parents_vault_late_removes_no_log();
    a_folder_that_the_parent_has_open_is_not_opened_again_by_the_child();
    a_child_that_drops_its_parents_vault_leaves_the_checkpoint_alone();
}

/// Runs `work` in a forked child; a panic in it is its exit status.
fn in_child(work: impl FnOnce()) -> i32 {
    match fork().unwrap() {
        Fork::Child => {
            work();
            exit(0)
        }
        Fork::Parent(child) => child,
    }
}

fn has_passed(child: i32) -> bool {
    waitpid(child).unwrap() == 0
}

/// What a process makes of an order: its fresh numbers, and the nonce of its wrap.
fn seal(vault: &Vault) -> Vec<u8> {
    let sealed = vault.sealer().seal(&order("SO-1")).unwrap();
    let directory = 73..73 + 5 * usize::from(sealed.record[72]);
    [&sealed.record[62..72], &sealed.record[directory.end..], &sealed.secret.wrapped[..24]].concat()
}

/// A pool preloads the library, warms it up, and forks: the generator of the parent is in every worker.
fn forked_workers_that_seal_at_once_share_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let warm = seal(&in_memory());
    assert!(warm.windows(10).all(|window| contains(&warm, window)));
    let workers: Vec<i32> = (0..3)
        .map(|number| {
            let path = folder.path().join(number.to_string());
            in_child(move || fs::write(path, seal(&in_memory())).unwrap())
        })
        .collect();
    let parent = seal(&in_memory());
    assert!(workers.into_iter().all(has_passed));
    let mut all = vec![warm, parent];
    all.extend((0..3).map(|number| fs::read(folder.path().join(number.to_string())).unwrap()));
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            assert!(!one.windows(10).any(|window| contains(other, window)), "no ten bytes in common");
        }
    }
}

/// A worker goes on with the vault of its parent: it would share locks, connections and serial numbers with it unknowingly.
fn a_vault_that_the_parent_unlocked_is_locked_in_the_child() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let child = in_child(|| {
        for refused in [
            vault.put(&order("SO-2")).map(drop),
            vault.open("shop", "operation", "SO-1").map(drop),
            vault.sealer().seal(&order("SO-3")).map(drop),
            vault.list(None, 10).map(drop),
            vault.ledger_state().map(drop),
            vault.ledger_entries(0, 10).map(drop),
            vault.doctor().map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), &ErrorKind::Locked);
        }
    });
    assert!(has_passed(child));
    assert!(vault.open("shop", "operation", "SO-1").is_ok(), "the parent goes on");
}

/// An order that interrupts its reader, in the middle of a put.
struct Interrupted<'a> {
    order: Order,
    by: &'a (dyn Fn() + Sync),
}

impl Record for Interrupted<'_> {
    const FIELDS: &'static [RecordField] = Order::FIELDS;

    fn field(&self, index: usize) -> Option<ValueRef<'_>> {
        (self.by)();
        self.order.field(index)
    }
}

fn wait_for(path: &Path) {
    while !path.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The write lock belongs to an open file, which parent and child share: a child that asks for it would be given it, and free it for
/// whoever waits, who takes the rows of the parent's unfinished put for a dead writer's.
fn a_child_does_not_free_the_lock_under_which_its_parent_writes() {
    let folder = Folder::new();
    let (vault, go) = (folder.unlock(), folder.dir.path().join("go"));
    let lock = fs::File::options().write(true).open(folder.path().join("lock")).unwrap();
    let child = in_child(|| {
        wait_for(&go);
        assert_eq!(vault.put(&order("SO-2")).unwrap_err().kind(), &ErrorKind::Locked);
    });
    let times = AtomicU32::new(0);
    let in_the_middle = || {
        if times.fetch_add(1, Ordering::SeqCst) == 0 {
            fs::write(&go, "").unwrap();
            assert!(has_passed(child));
            assert!(matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)), "the parent has it still");
        }
    };
    vault.put(&Interrupted { order: order("SO-1"), by: &in_the_middle }).unwrap();
    assert!(times.load(Ordering::SeqCst) > 0 && lock.try_lock().is_ok());
}

/// A worker drops what it inherited: its parent's connections and log stay, nothing is entered a second time, and the worker is not
/// let into the folder for that.
fn a_child_that_drops_its_parents_vault_closes_nothing_of_it() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    // The second refusal is counted, and entered when the vault is dropped.
    (0..2).for_each(|_| drop(vault.open("SF Express", "operation", "SO-1").unwrap_err()));
    let entries = vault.ledger_state().unwrap().size;
    let slot = RefCell::new(Some(vault));
    let child = in_child(|| {
        drop(slot.take());
        let again = Vault::unlock(&folder.path(), &KeyFile::from_bytes(ROOT));
        assert_eq!(again.err().unwrap().kind(), &ErrorKind::Locked);
    });
    assert!(has_passed(child));
    assert!(folder.path().join("orders.db-wal").exists(), "the log is there");
    let vault = slot.take().unwrap();
    assert_eq!(vault.ledger_state().unwrap().size, entries);
    vault.put(&order("SO-2")).unwrap();
    drop(vault);
    let vault = folder.unlock();
    assert_eq!(vault.ledger_state().unwrap().size, entries + 2, "the put, and the refusals of the parent");
    assert!(["SO-1", "SO-2"].into_iter().all(|number| vault.open("shop", "operation", number).is_ok()));
}

/// A worker keeps what it inherited until its parent has closed the folder and another process has died in it. SQLite would close the
/// file as the last one there, and remove the log that the dead process left: what it had acknowledged.
fn a_child_that_drops_its_parents_vault_late_removes_no_log() {
    let folder = Folder::new();
    let (go, slot) = (folder.dir.path().join("go"), RefCell::new(Some(folder.unlock())));
    let child = in_child(|| {
        wait_for(&go);
        drop(slot.take());
    });
    drop(slot.take());
    let dead = in_child(|| {
        let vault = folder.unlock();
        vault.put(&order("SO-1")).unwrap();
        exit(0); // Without closing it.
    });
    assert!(has_passed(dead));
    assert!(folder.path().join("orders.db-wal").metadata().unwrap().len() > 0, "the order is in the log");
    fs::write(go, "").unwrap();
    assert!(has_passed(child));
    assert!(folder.unlock().open("shop", "operation", "SO-1").is_ok());
}

/// A worker unlocks the folder that its parent has open. SQLite in it would take the parent's locks for its own, so that the parent,
/// when it closes the folder, removes the log into which the worker writes: orders and openings that were acknowledged would be lost.
fn a_folder_that_the_parent_has_open_is_not_opened_again_by_the_child() {
    let folder = Folder::new();
    let unlock = || Vault::unlock(&folder.path(), &KeyFile::from_bytes(ROOT));
    let vault = folder.unlock();
    let child = in_child(|| {
        assert_eq!(unlock().err().unwrap().kind(), &ErrorKind::Locked);
        Folder::new().unlock().put(&order("SO-1")).unwrap();
    });
    assert!(has_passed(child));
    drop(vault);
    // Forked while nobody has it open, worker and parent write side by side, whoever closes it first.
    let (closed, path) = (folder.dir.path().join("closed"), folder.path());
    let child = in_child(|| {
        let own = unlock().unwrap();
        own.put(&order("SO-1")).unwrap();
        wait_for(&closed);
        own.put(&order("SO-2")).unwrap();
        // Without closing it.
        exit(0);
    });
    let vault = unlock().unwrap();
    vault.put(&order("SO-3")).unwrap();
    drop(vault);
    fs::write(closed, "").unwrap();
    assert!(has_passed(child));
    let vault = Vault::unlock(&path, &KeyFile::from_bytes(ROOT)).unwrap();
    for number in ["SO-1", "SO-2", "SO-3"] {
        assert!(vault.open("shop", "operation", number).is_ok(), "{number}");
    }
}

/// The checkpoint outside is moved on by the process that keeps it.
fn a_child_that_drops_its_parents_vault_leaves_the_checkpoint_alone() {
    let (folder, outside) = (Folder::new(), tempfile::tempdir().unwrap());
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    let file = outside.path().join("checkpoint");
    vault.write_checkpoint(&file).unwrap();
    vault.keep_checkpoint(&file).unwrap();
    vault.open("shop", "operation", "SO-1").unwrap();
    let before = fs::read(&file).unwrap();
    let vault = RefCell::new(Some(vault));
    let child = in_child(|| {
        let vault = vault.take().unwrap();
        assert_eq!(vault.keep_checkpoint(&file).unwrap_err().kind(), &ErrorKind::Locked);
        drop(vault);
    });
    assert!(has_passed(child));
    assert_eq!(fs::read(&file).unwrap(), before);
    drop(vault.take());
    assert_ne!(fs::read(&file).unwrap(), before, "the parent's is written when it is dropped");
}
