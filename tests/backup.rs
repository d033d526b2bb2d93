//! Backups, and vaults that are made from them.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{Folder, ROOT, order, staffed};
use consignee::{
    BackupSets, EntryKind, EntryPlace, Error, ErrorKind, KeyFile, LedgerNote, Order, Patch, Peek, Restored,
    Setup, Severity, ShredMode, Value, Vault,
};

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// A vault with orders, one that was changed and one that was shredded, and a backup of it.
struct Shop {
    folder: Folder,
    noted: LedgerNote,
}

impl Shop {
    fn new() -> Self {
        let folder = Folder::new();
        let vault = folder.unlock();
        let orders: Vec<_> = (1..=5).map(|number| order(&format!("SO-{number}"))).collect();
        vault.put_many(&orders).unwrap();
        vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
        vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
        vault.open("SF Express", "delivery", "SO-3").unwrap();
        let noted = vault.backup(&folder.dir.path().join("backup")).unwrap();
        assert_eq!((noted.ledger, noted.state), (1, vault.ledger_state().unwrap()));
        Self { folder, noted }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.dir.path().join(name)
    }

    fn sets(&self) -> BackupSets {
        BackupSets::below(&self.path("backup"))
    }

    fn restore(&self, to: &str) -> Result<Restored, Error> {
        Vault::restore(&self.sets(), &self.path(to), &key(), None)
    }

    #[track_caller]
    fn refused(&self, sets: &BackupSets, last_known: Option<LedgerNote>) -> (ErrorKind, String) {
        let before = self.names();
        let refused = Vault::restore(sets, &self.path("restored"), &key(), last_known).unwrap_err();
        assert_eq!(self.names(), before, "something was left behind");
        (refused.kind().clone(), refused.to_string())
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.dir.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The whole order, or why it does not open.
fn said(vault: &Vault, number: &str) -> Result<Order, ErrorKind> {
    let order = vault.get::<Order>("shop", "operation", number);
    order.map(|order| order.value).map_err(|e| e.kind().clone())
}

#[track_caller]
fn sound(vault: &Vault) {
    let findings = vault.doctor().unwrap();
    assert!(findings.iter().all(|finding| finding.severity == Severity::Fine), "{findings:?}");
}

#[test]
fn a_restored_vault_is_the_vault_as_it_was_and_its_ledger_goes_on_as_another() {
    let shop = Shop::new();
    let old = shop.folder.unlock();
    let Restored { vault, closed, known, .. } = shop.restore("restored").unwrap();
    assert_eq!((closed, known), (shop.noted, shop.noted));
    for number in ["SO-1", "SO-2", "SO-3", "SO-4", "SO-5", "SO-6"] {
        assert_eq!(said(&vault, number), said(&old, number), "{number}");
    }
    assert_eq!(vault.policy().unwrap().digest(), old.policy().unwrap().digest());
    assert_eq!(vault.parties().unwrap(), old.parties().unwrap());
    assert_eq!((old.ledger_number().unwrap(), vault.ledger_number().unwrap()), (1, 2));
    let lost = vault.ledger_entries(0, 1).unwrap().remove(0);
    let detail = [closed.state.size.to_le_bytes().as_slice(), &closed.state.root].concat();
    assert_eq!((lost.kind, lost.detail), (EntryKind::Lost, detail));
    vault.put(&order("SO-6")).unwrap();
    vault.update("SO-3", 1, Patch::new().set("note", Value::Text("later".into()))).unwrap();
    vault.shred("SO-4", "asked for", ShredMode::KeepEvidence).unwrap();
    vault.revoke_party("SF Express").unwrap();
    sound(&vault);
    drop(vault);
    let vault = Vault::unlock(&shop.path("restored"), &key()).unwrap();
    sound(&vault);
    assert_eq!(said(&vault, "SO-6"), Ok(order("SO-6")));
    assert_eq!(said(&vault, "SO-4"), Err(ErrorKind::Shredded));
    let folder = Vault::check_folder(&shop.path("restored"), &key());
    assert!(folder.iter().all(|finding| finding.severity == Severity::Fine), "{folder:?}");
}
