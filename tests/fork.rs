//! Two forked workers of one pool: real processes, of which the parent unlocked a vault and sealed before the fork.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, process::exit};

use common::{Folder, ROOT, contains, in_memory, order};
use consignee::{ErrorKind, KeyFile, Vault};
use fork::{Fork, fork, waitpid};

fn main() {
    forked_workers_that_seal_at_once_share_no_bytes();
    a_vault_that_the_parent_unlocked_is_locked_in_the_child();
    a_folder_that_the_parent_has_open_is_not_opened_again_by_the_child();
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
    [&sealed.record[78..100], &sealed.record[162..], &sealed.secret.wrapped[..24]].concat()
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
        ] {
            assert_eq!(refused.unwrap_err().kind(), &ErrorKind::Locked);
        }
    });
    assert!(has_passed(child));
    assert!(vault.open("shop", "operation", "SO-1").is_ok(), "the parent goes on");
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
        while !closed.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
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
