//! What a vault says when its files come back from an older backup: the table in `docs/operations.md`.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Folder, order};
use consignee::{ErrorKind, Order, Patch, Severity, ShredMode, Value};

/// A vault of which these files are older than the rest. Since their backup SO-1 was changed, SO-2 shredded, SO-3 put and seen, and a
/// party revoked.
fn with_older(files: &[&str]) -> Folder {
    let folder = Folder::new();
    let vault = folder.unlock();
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    drop(vault);
    for file in files {
        fs::copy(folder.path().join(file), folder.dir.path().join(file)).unwrap();
    }
    let vault = folder.unlock();
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
    vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
    vault.put(&order("SO-3")).unwrap();
    vault.open("Dehua Ltd", "fulfilment", "SO-3").unwrap();
    vault.revoke_party("Dehua Ltd").unwrap();
    drop(vault);
    for file in files {
        fs::copy(folder.dir.path().join(file), folder.path().join(file)).unwrap();
    }
    folder
}

type Said = Result<String, ErrorKind>;

/// The notes of the three orders, and whether the revoked party opens.
fn says(folder: &Folder) -> ([Said; 3], bool) {
    let vault = folder.unlock();
    let note = |number| {
        let opened = vault.get::<Order>("shop", "operation", number);
        opened.map(|order| order.value.note).map_err(|e| e.kind().clone())
    };
    let revoked = vault.open("Dehua Ltd", "fulfilment", "SO-1");
    (["SO-1", "SO-2", "SO-3"].map(note), revoked.is_ok())
}

fn finds_a_fault(folder: &Folder) -> bool {
    folder.unlock().doctor().unwrap().iter().any(|finding| finding.severity > Severity::Fine)
}

#[test]
fn older_orders_do_not_open_and_shredded_ones_stay_shredded() {
    let folder = with_older(&["orders.db"]);
    let (orders, revoked_opens) = says(&folder);
    assert_eq!(orders, [Err(ErrorKind::RolledBack), Err(ErrorKind::Shredded), Err(ErrorKind::NotFound)]);
    assert!(!revoked_opens && finds_a_fault(&folder));
}

#[test]
fn older_secrets_open_no_newer_record() {
    let folder = with_older(&["secrets.db"]);
    let (orders, revoked_opens) = says(&folder);
    assert_eq!(orders, [Err(ErrorKind::RolledBack), Err(ErrorKind::NotFound), Err(ErrorKind::NotFound)]);
    assert!(!revoked_opens && finds_a_fault(&folder));
}

#[test]
fn older_keys_undo_a_revocation_and_doctor_says_so() {
    let folder = with_older(&["keys.db"]);
    let (orders, revoked_opens) = says(&folder);
    assert_eq!(orders, [Ok("new".into()), Err(ErrorKind::Shredded), Ok("Canary-Note".into())]);
    assert!(revoked_opens && finds_a_fault(&folder));
}

#[test]
fn an_older_ledger_opens_all_and_doctor_misses_entries() {
    let folder = with_older(&["ledger.db"]);
    let (orders, revoked_opens) = says(&folder);
    assert_eq!(orders, [Ok("new".into()), Err(ErrorKind::Shredded), Ok("Canary-Note".into())]);
    assert!(!revoked_opens && finds_a_fault(&folder));
}

#[test]
fn all_four_files_from_one_backup_are_the_vault_as_it_was() {
    let folder = with_older(&["orders.db", "secrets.db", "keys.db", "ledger.db"]);
    let (orders, revoked_opens) = says(&folder);
    assert_eq!(orders, [Ok("Canary-Note".into()), Ok("Canary-Note".into()), Err(ErrorKind::NotFound)]);
    assert!(revoked_opens && !finds_a_fault(&folder), "nothing inside of the vault can tell");
}
