//! What opens a shredded order again: every combination of old and new files, with the root key.

use std::fs;

use consignee::{
    BackupSets, ErrorKind, KeyFile, Order, OwnTables, ShredMode, StoredOrder, Vault, store::SecretRow,
};

use crate::{
    FILES, Shop,
    common::{self, Folder, order},
    copy, faults,
};

fn key() -> KeyFile {
    KeyFile::from_bytes(common::ROOT)
}

/// Which of the four files are those from before the shredding.
type Old = [bool; 4];

/// The combinations of old and new files of a vault in which the shredded order opens, and those in which its record and its row
/// from before, brought by themselves, do.
fn combinations_that_open(after_shredding: impl FnOnce(&Vault)) -> Vec<Old> {
    let folder = Folder::new();
    let of = |name: &str| folder.dir.path().join(name);
    folder.unlock().put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    copy(&folder.path(), &of("old"));
    let vault = folder.unlock();
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    after_shredding(&vault);
    drop(vault);
    copy(&folder.path(), &of("new"));
    let all = (0..16).map(|bits| std::array::from_fn(|at| bits >> at & 1 == 1));
    let opens = |old: &Old| {
        for (file, old) in FILES.iter().zip(old) {
            for suffix in ["-wal", "-shm"] {
                let _none = fs::remove_file(folder.path().join(format!("{file}{suffix}")));
            }
            fs::copy(of(if *old { "old" } else { "new" }).join(file), folder.path().join(file)).unwrap();
        }
        let Ok(vault) = Vault::unlock(&folder.path(), &key()) else { return false };
        let found = vault.get::<Order>("shop", "operation", "SO-1").is_ok();
        let hits = vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap().hits;
        // What is found opens, too: one of the two orders is always there, unless their files do not fit each other.
        assert!(hits.len() <= 1 || found, "{old:?}");
        found
    };
    all.filter(opens).collect()
}

/// Until the release key of that time is destroyed: an old record and an old row, whatever the other files are.
#[test]
fn before_a_rewrap_a_shredded_order_opens_by_its_old_record_and_its_old_secret_together_only() {
    let opening = combinations_that_open(|_| {});
    let [orders, secrets] = [0, 1];
    assert!(opening.iter().all(|old| old[orders] && old[secrets]), "{opening:?}");
    assert_eq!(opening.len(), 4, "with either of the keys and either of the ledgers: {opening:?}");
}

/// With the release key gone from the vault, its old row opens nothing any more: not with the old record, the root key and whatever
/// else there is now. What is left is an old copy of all three: record, row and keys.
#[test]
fn after_a_rewrap_a_shredded_order_opens_by_a_copy_of_the_old_keys_only() {
    let rewrap = |vault: &Vault| {
        let rewrapped = vault.rewrap(OwnTables::None, |_| {}).unwrap();
        assert_eq!((rewrapped.destroyed, rewrapped.final_shreds.len()), (vec![1], 1));
    };
    let opening = combinations_that_open(rewrap);
    let [orders, secrets, keys] = [0, 1, 2];
    assert!(opening.iter().all(|old| old[orders] && old[secrets] && old[keys]), "{opening:?}");
    assert_eq!(opening.len(), 2, "with either of the ledgers: {opening:?}");
}

/// Record and row by themselves, as a table of one's own has them.
#[test]
fn a_row_from_before_a_shred_opens_its_record_until_the_rewrap() {
    let shop = Shop::new(&[order("SO-1")]);
    let (record, row) = (shop.record("SO-1"), shop.rows("SO-1").remove(0));
    shop.vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    let opens = |row: &SecretRow| {
        let stored = StoredOrder { record: &record.sealed, secret: row };
        let opened = shop.vault.opener().get_many::<Order>("shop", "operation", &[stored]).unwrap().remove(0);
        opened.map(drop).map_err(|e| e.kind().clone())
    };
    assert_eq!((opens(&row), opens(&shop.rows("SO-1")[0])), (Ok(()), Err(ErrorKind::Shredded)));
    // Whatever generation the old row says that it is of.
    shop.vault.rewrap(OwnTables::None, |_| {}).unwrap();
    for generation in 0..4 {
        let row = SecretRow { generation, ..row.clone() };
        assert_eq!(opens(&row), Err(ErrorKind::CannotOpen), "{generation}");
    }
}

/// The three sets of a backup from before it, with the root key: that is why they are kept apart.
#[test]
fn a_backup_from_before_a_shred_brings_the_order_back_whole() {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put(&order("SO-1")).unwrap();
    vault.backup(&folder.dir.path().join("backup")).unwrap();
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    vault.backup(&folder.dir.path().join("after")).unwrap();
    let restore = |from: &str, to: &str| {
        let sets = BackupSets::below(&folder.dir.path().join(from));
        Vault::restore(&sets, &folder.dir.path().join(to), &key(), None).unwrap().vault
    };
    let [before, after] = [restore("backup", "one"), restore("after", "two")];
    assert_eq!(before.get::<Order>("shop", "operation", "SO-1").unwrap().value, order("SO-1"));
    let shredded = after.get::<Order>("shop", "operation", "SO-1").map(drop).unwrap_err();
    assert_eq!(shredded.kind(), &ErrorKind::Shredded);
    // Nothing inside can tell: it is for the shop to shred again.
    assert_eq!(faults(&before), Vec::<&str>::new());
    before.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    assert!(before.open("shop", "operation", "SO-1").is_err());
}

/// The set of records with the root key, and a new vault's secrets and keys, or only one of the two of its own.
#[test]
fn a_record_without_its_secret_or_without_the_keys_opens_nothing_with_the_root_key() {
    let (folder, other) = (Folder::new(), Folder::new());
    folder.unlock().put(&order("SO-1")).unwrap();
    other.unlock().put(&order("SO-1")).unwrap();
    copy(&folder.path(), &folder.dir.path().join("own"));
    let opens = |foreign: &[&str]| {
        for file in FILES {
            let from = if foreign.contains(&file) { other.path() } else { folder.dir.path().join("own") };
            fs::copy(from.join(file), folder.path().join(file)).unwrap();
        }
        let vault = Vault::unlock(&folder.path(), &key());
        vault.is_ok_and(|vault| vault.open("shop", "operation", "SO-1").is_ok())
    };
    assert!(opens(&[]));
    for foreign in [["secrets.db", ""], ["keys.db", ""], ["secrets.db", "keys.db"]] {
        assert!(!opens(&foreign), "{foreign:?}");
    }
}
