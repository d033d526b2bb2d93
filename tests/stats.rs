//! The numbers of `Vault::stats`.
#![cfg(feature = "sqlite")] // for the fixtures
#![allow(clippy::unwrap_used)]

mod common;

use common::{Folder, in_memory, order};
use consignee::{Patch, ShredMode, Value, Vault};

fn on_each_store(test: impl Fn(&Vault)) {
    test(&in_memory());
    test(&Folder::new().unlock());
}

#[test]
fn what_a_vault_holds_is_counted() {
    on_each_store(|vault| {
        let before = vault.stats().unwrap();
        assert_eq!((before.orders, before.policies, before.epoch, before.epoch_sealings), (0, 1, 1, 0));
        vault.put_many(&[order("SO-1"), order("SO-2"), order("SO-3")]).unwrap();
        vault.shred("SO-3", "asked for", ShredMode::KeepEvidence).unwrap();
        vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
        vault.revoke_party("agent 17").unwrap();
        let stats = vault.stats().unwrap();
        assert_eq!((stats.orders, stats.active_parties, stats.revoked_parties), (2, 5, 1));
        assert_eq!(stats.ledger_entries, vault.ledger_state().unwrap().size);
        assert!((4..=1_024).contains(&stats.epoch_sealings), "{}", stats.epoch_sealings);
        assert_eq!((stats.epoch_sealings_warned, stats.epoch_sealings_most), (1 << 30, 1 << 32));
        assert_eq!((stats.unsettled_secrets, stats.superseded_secrets), (0, 1));
    });
}

#[test]
fn what_was_done_since_unlocking_is_counted_once_each() {
    on_each_store(|vault| {
        let mut other = order("SO-1");
        other.note = "another".into();
        vault.put_many(&[order("SO-1"), order("SO-1"), other, order("SO-2")]).unwrap();
        vault.put(&order("SO-2")).unwrap();
        vault.open("SF Express", "delivery", "SO-1").unwrap();
        vault.open_many("shop", "operation", &["SO-1", "SO-2", "SO-9"]).unwrap();
        assert!(vault.open("SF Express", "accounting", "SO-1").is_err());
        vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
        assert!(vault.find("SF Express", "delivery", "consignee.phone", "13812345678").is_err());
        vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
        vault.clone().shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
        vault.revoke_party("SF Express").unwrap();
        assert!(vault.open("SF Express", "delivery", "SO-1").is_err());
        let done = vault.stats().unwrap().since_unlock;
        assert_eq!((done.stored, done.unchanged, done.opened, done.searches), (2, 2, 3, 1));
        assert_eq!((done.updates, done.shreds, done.refused), (1, 1, 3));
        let errors: Vec<_> = done.errors.iter().map(|(kind, count)| (*kind, *count)).collect();
        assert_eq!(errors, [("exists", 1), ("not found", 1), ("not permitted", 2), ("revoked", 1)]);
    });
}

#[test]
fn they_serialise_and_begin_anew_with_each_unlocking() {
    let folder = Folder::new();
    folder.unlock().put(&order("SO-1")).unwrap();
    let json = serde_json::to_value(folder.unlock().stats().unwrap()).unwrap();
    assert_eq!((&json["orders"], &json["since_unlock"]["stored"]), (&1.into(), &0.into()));
}

/// A reader of the numbers waits for no writer, and writes nothing.
#[test]
fn they_are_read_while_others_write() {
    let folder = Folder::new();
    let vault = folder.unlock();
    let writers: Vec<_> = ["orders.db", "secrets.db", "keys.db", "ledger.db"]
        .into_iter()
        .map(|file| {
            let writer = rusqlite::Connection::open(folder.path().join(file)).unwrap();
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
            writer
        })
        .collect();
    vault.stats().unwrap();
    drop(writers);
}
