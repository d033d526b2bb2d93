//! Epochs, generations of the release key, orders sealed anew: what opens, what is found, what is refused, what is gone.
//!
//! What a failure at each write leaves is in `crash_points.rs`, what a kill leaves in `crash.rs`.
#![cfg(feature = "sqlite")] // for the fixtures
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashSet;

use common::{ROOT, in_memory, order, staffed};
use consignee::{
    EntryKind, Error, ErrorKind, ExistingOrders, Inspection, KeyFile, OwnTables, Patch, Put, Setup, Severity,
    ShredMode, Suite, Value, Vault, inspect,
    policy::DEFAULT_POLICY,
    store::{Item, Memory, SecretState, Stores},
};

fn key() -> KeyFile {
    KeyFile::from_bytes(ROOT)
}

/// A vault whose stores the test can look into.
fn open_vault() -> (Vault, Stores) {
    let stores = Memory::stores();
    let vault = Vault::begin(stores.clone(), &key(), &Setup::default()).unwrap();
    staffed(&vault);
    (vault, stores)
}

fn fill(vault: &Vault, numbers: std::ops::Range<u32>) {
    let orders: Vec<_> = numbers.map(|n| order(&format!("SO-{n}"))).collect();
    assert!(vault.put_many(&orders).unwrap().iter().all(|put| matches!(put, Ok(Put::Stored(_)))));
}

fn header(vault: &Vault, order_no: &str) -> Inspection {
    inspect(&vault.sealed(order_no).unwrap()).unwrap()
}

/// The order opens whole for the shop, as it was put, and its courier is found its telephone.
fn check_whole(vault: &Vault, order_no: &str) {
    let view = vault.open("shop", "operation", order_no).unwrap().to_json();
    let given = order(order_no).to_json();
    for field in ["order_no", "placed_at", "items", "amount", "note"] {
        assert_eq!(view["fields"][field], given[field], "{order_no}");
    }
    for field in ["name", "phone", "address"] {
        assert_eq!(view["fields"][format!("consignee.{field}")], given["consignee"][field], "{order_no}");
    }
}

fn found(vault: &Vault) -> usize {
    let hits = vault.find("agent 17", "after_sale", "consignee.phone", "138 1234 5678").unwrap();
    assert_eq!(hits.unreadable, 0);
    hits.hits.len()
}

fn check_sound(vault: &Vault) {
    for finding in vault.doctor().unwrap() {
        assert!(finding.severity != Severity::Fault, "{}: {}", finding.check, finding.message);
    }
}

fn kind_of<T>(result: Result<T, Error>) -> ErrorKind {
    result.map(drop).unwrap_err().kind().clone()
}

fn entries(vault: &Vault, kind: EntryKind) -> Vec<consignee::Entry> {
    let all = vault.ledger_entries(0, 100_000).unwrap();
    all.into_iter().filter(|entry| entry.kind == kind).collect()
}

fn detail(kind: u8, old: u32, new: u32) -> Vec<u8> {
    [&[kind], old.to_le_bytes().as_slice(), &new.to_le_bytes()].concat()
}

#[test]
fn after_a_rotation_new_orders_are_sealed_anew_and_old_ones_open_as_before() {
    let vault = in_memory();
    fill(&vault, 0..3);
    assert_eq!(vault.rotate(Some(Suite::ChaCha20Poly1305)).unwrap(), 2);
    fill(&vault, 3..5);
    assert_eq!(vault.rotate(None).unwrap(), 3);
    fill(&vault, 5..6);
    let epochs = ["SO-0", "SO-3", "SO-5"].map(|order_no| header(&vault, order_no));
    assert_eq!(epochs.each_ref().map(|header| header.epoch), [1, 2, 3]);
    let suites = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305, Suite::ChaCha20Poly1305];
    assert_eq!(epochs.map(|header| header.suite), suites);
    (0..6).for_each(|n| check_whole(&vault, &format!("SO-{n}")));
    assert_eq!(found(&vault), 6, "search looks in all epochs");
    // What is changed moves to the epoch that seals.
    vault.update("SO-0", 1, Patch::new().set("note", Value::Text("ring twice".into()))).unwrap();
    assert_eq!((header(&vault, "SO-0").epoch, found(&vault)), (3, 6));
    let rotations: Vec<_> = entries(&vault, EntryKind::Rotation).into_iter().map(|e| e.detail).collect();
    assert_eq!(rotations, [detail(1, 1, 2), detail(1, 2, 3)]);
    let epochs = entries(&vault, EntryKind::Epoch);
    assert_eq!(epochs.len(), 3, "each with the commitments of its keys");
    assert!(epochs[1].parts == epochs[0].parts && epochs[1].commitments != epochs[0].commitments);
    assert_eq!(epochs[1].detail, [2, 0, 0, 0, 2]);
    check_sound(&vault);
}

#[test]
fn resealed_orders_are_the_same_under_new_keys() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..30);
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("ring twice".into()))).unwrap();
    let alias = vault.open("SF Express", "delivery", "SO-2").unwrap().alias().to_string();
    vault.rotate(None).unwrap();
    fill(&vault, 30..32);
    let before = stores.secrets.secrets_page(None, 1_000).unwrap();
    let mut told = Vec::new();
    let done = vault.reseal(1, |done| told.push(done.orders)).unwrap();
    assert_eq!((done.orders, done.failed, told.last().copied()), (30, 0, Some(30)));
    assert_eq!(stores.orders.count_epochs().unwrap(), [(2, 32)]);
    for n in (0..32).filter(|n| *n != 1) {
        check_whole(&vault, &format!("SO-{n}"));
    }
    let changed = vault.open("shop", "operation", "SO-1").unwrap();
    assert_eq!((changed.revision(), changed.text("note").unwrap()), (2, "ring twice"));
    assert_eq!(found(&vault), 32);
    let again = vault.open("SF Express", "delivery", "SO-2").unwrap();
    assert_eq!(again.alias().to_string(), alias);
    assert!(matches!(vault.put(&order("SO-2")).unwrap(), Put::Unchanged(_)), "its fingerprint is made anew");
    let rows = stores.secrets.secrets_page(None, 1_000).unwrap();
    let current = |n1: &[u8; 10]| rows.iter().find(|row| row.n1 == *n1).unwrap();
    for old in before.iter().filter(|row| row.state == SecretState::Current) {
        let new: Vec<_> = rows.iter().filter(|row| row.record_id == old.record_id).collect();
        if new.len() == 1 {
            continue; // put after the rotation
        }
        let superseded = current(&old.n1);
        assert!(superseded.state == SecretState::Superseded && superseded.fingerprint.is_empty());
        let new = new.into_iter().find(|row| row.state == SecretState::Current).unwrap();
        assert!(new.n1 != old.n1 && new.wrapped != old.wrapped);
        let kept = |row: &consignee::store::SecretRow| (row.revision, row.put_at, row.serial, row.policy);
        assert_eq!(kept(new), kept(old));
    }
    let entries = entries(&vault, EntryKind::Reseal);
    assert_eq!(entries.len(), 30);
    assert!(entries.iter().all(|entry| entry.commitments.len() == 3 && entry.purpose.is_empty()));
    let handles: HashSet<_> = entries.iter().map(|entry| entry.handle).collect();
    assert_eq!(handles.len(), 30);
    assert_eq!(vault.reseal(1, |_| ()).unwrap().orders, 0, "nothing is left");
    check_sound(&vault);
}

/// The default policy, with an index of the name and without the facet of the telephone.
fn other_policy() -> String {
    let policy = DEFAULT_POLICY.replace(
        "[field.\"consignee.name\"]\n",
        "[field.\"consignee.name\"]\nindex = { normalise = \"upper\", expect = 1_000_000 }\n",
    );
    assert_ne!(policy, DEFAULT_POLICY);
    policy
}

#[test]
fn resealing_gives_old_orders_the_parts_and_tags_of_the_policy_in_force() {
    let vault = in_memory();
    fill(&vault, 0..3);
    let policy = other_policy().replace("search = [\"consignee.phone\"]", "search = [\"consignee.name\"]");
    vault.apply_policy(&policy, ExistingOrders::Yes).unwrap();
    let hits = |vault: &Vault| {
        vault.find("agent 17", "after_sale", "consignee.name", "canary-name so-1").unwrap().hits.len()
    };
    assert_eq!(hits(&vault), 0);
    // Of the epoch that seals: those of an older policy are sealed anew.
    fill(&vault, 3..4);
    assert_eq!(vault.reseal(1, |_| ()).unwrap().orders, 3);
    assert_eq!(hits(&vault), 1);
    assert_eq!(vault.reseal(1, |_| ()).unwrap().orders, 0);
    (0..4).for_each(|n| check_whole(&vault, &format!("SO-{n}")));
    check_sound(&vault);
}

#[test]
fn an_order_that_does_not_open_is_left_as_it_is_and_counted() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..5);
    let mut row = stores.secrets.secrets_page(None, 1).unwrap().pop().unwrap();
    row.wrapped[40] ^= 1;
    stores.secrets.replace_secrets(&[(row.record_id, row.n1)], &[row.clone()]).unwrap();
    vault.rotate(None).unwrap();
    let done = vault.reseal(1, |_| ()).unwrap();
    assert_eq!((done.orders, done.failed), (4, 1));
    assert_eq!(stores.orders.count_epochs().unwrap(), [(1, 1), (2, 4)]);
    assert_eq!(stores.secrets.secrets(&[row.record_id]).unwrap(), [[row]]);
    assert_eq!(kind_of(vault.destroy_epoch(1, OwnTables::None)), ErrorKind::Conflict);
}

/// Whoever brings back the record from before a reseal, and the row that opened it, is found out.
#[test]
fn a_resealed_order_cannot_be_rolled_back_unnoticed() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..2);
    let id = *vault.list(None, 1).unwrap()[0].id.as_ref().first_chunk().unwrap();
    let (old_record, old_rows) = rows_of(&stores, id);
    vault.rotate(None).unwrap();
    vault.reseal(1, |_| ()).unwrap();
    let (record, rows) = rows_of(&stores, id);
    let put_back = |rows: &[consignee::store::SecretRow]| {
        let there = stores.secrets.secrets(&[id]).unwrap().concat();
        let keys: Vec<_> = there.iter().map(|row| (row.record_id, row.n1)).collect();
        stores.secrets.replace_secrets(&keys, rows).unwrap();
        stores.orders.delete_records(&[id]).unwrap();
        stores.orders.insert_records(std::slice::from_ref(&old_record)).unwrap();
    };
    let faults = || vault.doctor().unwrap().iter().filter(|f| f.severity == Severity::Fault).count();
    put_back(&old_rows);
    assert_eq!(faults(), 1, "the old record with its row");
    // With the new row as pending, it is the state of a reseal that was cut short: then the order is sealed anew, and what was put
    // back is gone again.
    let mut pending = rows.iter().find(|row| row.state == SecretState::Current).unwrap().clone();
    pending.state = SecretState::Pending;
    put_back(&[old_rows[0].clone(), pending]);
    assert_eq!(faults(), 0);
    let (after, _) = rows_of(&stores, id);
    assert!(after.sealed != old_record.sealed && after.sealed != record.sealed);
    assert_eq!(stores.orders.count_epochs().unwrap(), [(2, 2)]);
    assert_eq!(entries(&vault, EntryKind::Reseal).len(), 3);
}

fn rows_of(stores: &Stores, id: [u8; 16]) -> (consignee::store::RecordRow, Vec<consignee::store::SecretRow>) {
    let record = stores.orders.records(&[id]).unwrap().pop().unwrap().unwrap();
    (record, stores.secrets.secrets(&[id]).unwrap().concat())
}

/// A pending row of an older revision, which was resealed once, does not launder a rolled back order.
#[test]
fn an_older_revision_is_not_sealed_anew_in_place_of_the_newest() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..1);
    let id = vault.list(None, 1).unwrap()[0].id;
    let (first, first_rows) = rows_of(&stores, id);
    vault.rotate(None).unwrap();
    vault.reseal(1, |_| ()).unwrap();
    let (_, resealed_rows) = rows_of(&stores, id);
    vault.update("SO-0", 1, Patch::new().set("note", Value::Text("newer".into()))).unwrap();
    let mut pending = resealed_rows.iter().find(|row| row.state == SecretState::Current).unwrap().clone();
    pending.state = SecretState::Pending;
    let there = stores.secrets.secrets(&[id]).unwrap().concat();
    let keys: Vec<_> = there.iter().map(|row| (row.record_id, row.n1)).collect();
    stores.secrets.replace_secrets(&keys, &[first_rows[0].clone(), pending]).unwrap();
    stores.orders.delete_records(&[id]).unwrap();
    stores.orders.insert_records(&[first]).unwrap();
    let findings = vault.doctor().unwrap();
    assert!(findings.iter().any(|finding| finding.severity == Severity::Fault));
    assert_eq!(entries(&vault, EntryKind::Reseal).len(), 1);
}

#[test]
fn rewrapping_moves_every_row_and_destroys_the_old_key() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..6);
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("ring twice".into()))).unwrap();
    let kept = vault.shred("SO-2", "asked for", ShredMode::KeepEvidence).unwrap();
    let gone = vault.shred("SO-3", "asked for", ShredMode::WithEvidence).unwrap();
    let seen = vault.open("SF Express", "delivery", "SO-4").unwrap().alias().to_string();
    let old_rows = stores.secrets.secrets_page(None, 100).unwrap();
    let old_key = release_item(&stores, 1).unwrap();
    let mut told = Vec::new();
    let done = vault.rewrap(OwnTables::None, |moved| told.push(moved)).unwrap();
    assert_eq!((done.generation, done.moved, &done.destroyed[..]), (2, 7, &[1][..]));
    assert_eq!(told, [7]);
    let mut finals = done.final_shreds.clone();
    finals.sort_unstable();
    let mut shredded = vec![kept, gone];
    shredded.sort_unstable();
    assert_eq!(finals, shredded);
    let rows = stores.secrets.secrets_page(None, 100).unwrap();
    assert_eq!(rows.len(), old_rows.len());
    for (old, new) in old_rows.iter().zip(&rows) {
        assert_eq!(new.generation, 2);
        assert!(new.wrapped != old.wrapped || old.wrapped.is_empty());
        let same = consignee::store::SecretRow { generation: 1, wrapped: old.wrapped.clone(), ..new.clone() };
        assert!(same == *old, "nothing else of a row changes");
    }
    assert!(release_item(&stores, 1).is_none() && release_item(&stores, 2).is_some());
    ["SO-0", "SO-4", "SO-5"].iter().for_each(|order_no| check_whole(&vault, order_no));
    assert_eq!(vault.open("shop", "operation", "SO-1").unwrap().text("note").unwrap(), "ring twice");
    assert_eq!(found(&vault), 4);
    assert_eq!(kind_of(vault.open("shop", "operation", "SO-2")), ErrorKind::Shredded);
    assert_eq!(vault.resolve_alias(&seen).unwrap().seen.unwrap().len(), 1);
    check_sound(&vault);
    let rotations: Vec<_> = entries(&vault, EntryKind::Rotation).into_iter().map(|e| e.detail).collect();
    assert_eq!(rotations, [detail(3, 1, 2), detail(3, 1, 0)]);

    // An old copy of the rows opens nothing any more; with an old copy of the key, too, it would: that is what must not be kept.
    for old in &old_rows {
        stores.secrets.replace_secrets(&[(old.record_id, old.n1)], std::slice::from_ref(old)).unwrap();
    }
    assert_eq!(kind_of(vault.open("shop", "operation", "SO-0")), ErrorKind::CannotOpen);
    stores.keys.write_items(&[old_key]).unwrap();
    assert_eq!(
        kind_of(vault.open("shop", "operation", "SO-0")),
        ErrorKind::Damaged,
        "the seal is of the items"
    );

    // Each shredding is final once.
    let (vault, _) = open_vault();
    fill(&vault, 0..1);
    vault.shred("SO-0", "asked for", ShredMode::KeepEvidence).unwrap();
    assert_eq!(vault.rewrap(OwnTables::None, |_| ()).unwrap().final_shreds.len(), 1);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let again = vault.rewrap(OwnTables::None, |_| ()).unwrap();
    assert_eq!((again.generation, again.moved), (3, 1));
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(vault.rewrap(OwnTables::None, |_| ()).unwrap().final_shreds.is_empty());
}

#[test]
fn a_closed_order_stays_closed_through_a_reseal_and_a_rewrap() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..2);
    vault.close("SO-0").unwrap();
    let check = || {
        let courier = |order| vault.open("SF Express", "delivery", order);
        assert_eq!((kind_of(courier("SO-0")), courier("SO-1").is_ok()), (ErrorKind::Expired, true));
        check_whole(&vault, "SO-0");
    };
    vault.rewrap(OwnTables::None, |_| ()).unwrap();
    check();
    vault.rotate(None).unwrap();
    assert_eq!(vault.reseal(1, |_| ()).unwrap().orders, 2);
    check();
    let done = vault.rewrap(OwnTables::None, |_| ()).unwrap();
    assert_eq!((done.moved, release_item(&stores, 2)), (4, None), "superseded rows are moved, too");
    check();
    check_sound(&vault);
}

fn release_item(stores: &Stores, generation: u32) -> Option<Item> {
    stores.keys.items().unwrap().into_iter().find(|item| (item.kind, item.generation) == (3, generation))
}

#[test]
fn a_release_key_is_kept_while_a_row_of_it_does_not_open() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..3);
    let good = stores.secrets.secrets_page(None, 1).unwrap().pop().unwrap();
    let mut row = good.clone();
    row.wrapped[50] ^= 1;
    let put = |row: &consignee::store::SecretRow| {
        stores.secrets.replace_secrets(&[(row.record_id, row.n1)], std::slice::from_ref(row)).unwrap();
    };
    put(&row);
    let error = vault.rewrap(OwnTables::None, |_| ()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::CannotOpen);
    assert!(error.to_string().contains("1 secret rows do not open"), "{error}");
    assert!(release_item(&stores, 1).is_some());
    // The same generation goes on when the row is back.
    put(&good);
    let done = vault.rewrap(OwnTables::None, |_| ()).unwrap();
    assert_eq!((done.generation, done.moved, &done.destroyed[..]), (2, 1, &[1][..]));
}

#[test]
fn an_epoch_is_destroyed_when_nothing_needs_it() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..4);
    assert_eq!(kind_of(vault.destroy_epoch(1, OwnTables::None)), ErrorKind::Conflict, "it seals");
    assert_eq!(kind_of(vault.destroy_epoch(2, OwnTables::None)), ErrorKind::NotFound);
    assert_eq!(kind_of(vault.reseal(2, |_| ())), ErrorKind::NotFound);
    vault.rotate(None).unwrap();
    let error = vault.destroy_epoch(1, OwnTables::None).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("4 orders are sealed under this epoch"), "{error}");
    vault.reseal(1, |_| ()).unwrap();
    let of_epoch = |stores: &Stores, epoch| {
        let items = stores.keys.items().unwrap();
        items.iter().filter(|item| item.kind <= 2 && item.generation == epoch).count()
    };
    let keys = of_epoch(&stores, 1);
    assert!(keys > 10 && of_epoch(&stores, 2) == keys);
    vault.destroy_epoch(1, OwnTables::None).unwrap();
    assert_eq!((of_epoch(&stores, 1), of_epoch(&stores, 2)), (0, keys));
    assert_eq!(kind_of(vault.destroy_epoch(1, OwnTables::None)), ErrorKind::NotFound);
    (0..4).for_each(|n| check_whole(&vault, &format!("SO-{n}")));
    assert_eq!(found(&vault), 4);
    let rotations: Vec<_> = entries(&vault, EntryKind::Rotation).into_iter().map(|e| e.detail).collect();
    assert_eq!(rotations, [detail(1, 1, 2), detail(1, 1, 0)]);
    check_sound(&vault);
    // Numbers are not used twice.
    drop(vault);
    let vault = Vault::resume(stores, &key()).unwrap();
    assert_eq!(vault.rotate(None).unwrap(), 3);
    check_sound(&vault);
}

/// Records that were lost may come back, from a backup: their keys have to be there then.
#[test]
fn an_epoch_is_kept_while_a_record_is_lost() {
    let (vault, stores) = open_vault();
    fill(&vault, 0..3);
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.close("SO-2").unwrap();
    let ids: Vec<_> =
        stores.secrets.secrets_page(None, 10).unwrap().into_iter().map(|row| row.record_id).collect();
    let lost: Vec<_> = stores.orders.records(&ids).unwrap().into_iter().flatten().collect();
    stores.orders.delete_records(&ids).unwrap();
    vault.rotate(None).unwrap();
    let error = vault.destroy_epoch(1, OwnTables::None).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("2 orders were opened or changed and have no record"), "{error}");
    stores.orders.insert_records(&lost).unwrap();
    (0..3).for_each(|n| check_whole(&vault, &format!("SO-{n}")));
    // What stays lost is put again. Nobody can tell an order that was never opened from a put that a crash cut short.
    vault.reseal(1, |_| ()).unwrap();
    fill(&vault, 3..4);
    let ids: Vec<_> = stores
        .secrets
        .secrets_page(None, 10)
        .unwrap()
        .into_iter()
        .filter(|row| row.state == SecretState::Current)
        .map(|row| row.record_id)
        .collect();
    stores.orders.delete_records(&ids).unwrap();
    assert_eq!(kind_of(vault.destroy_epoch(1, OwnTables::None)), ErrorKind::Conflict);
    let orders: Vec<_> = (0..3).map(|n| order(&format!("SO-{n}"))).collect();
    assert!(vault.put_many(&orders).unwrap().iter().all(Result::is_ok));
    vault.destroy_epoch(1, OwnTables::None).unwrap();
    (0..3).for_each(|n| check_whole(&vault, &format!("SO-{n}")));
}

/// Half of the time the row before the last would be taken for what the order was.
#[test]
fn a_closed_order_whose_record_was_lost_is_closed_when_it_is_put_again() {
    let (vault, stores) = open_vault();
    let numbers: Vec<_> = (0..12).map(|n| format!("SO-{n}")).collect();
    fill(&vault, 0..12);
    vault.rotate(None).unwrap();
    assert_eq!(vault.reseal(1, |_| ()).unwrap().orders, 12, "a row before the last");
    for order in &numbers {
        vault.close(order).unwrap();
    }
    let ids: Vec<_> =
        stores.secrets.secrets_page(None, 100).unwrap().into_iter().map(|row| row.record_id).collect();
    stores.orders.delete_records(&ids).unwrap();
    fill(&vault, 0..12);
    for order in &numbers {
        assert_eq!(kind_of(vault.open("SF Express", "delivery", order)), ErrorKind::Expired, "{order}");
        check_whole(&vault, order);
    }
}

/// What is kept in tables of the shop's own would be lost with the keys.
#[test]
fn keys_are_kept_while_the_ledger_knows_orders_that_the_stores_have_not() {
    let (vault, _) = open_vault();
    fill(&vault, 0..2);
    let sealer = vault.sealer();
    let sealed = sealer.seal(&order("OWN-1")).unwrap();
    sealer.log(std::slice::from_ref(&sealed)).unwrap();
    vault.rotate(None).unwrap();
    vault.reseal(1, |_| ()).unwrap();
    for error in [
        vault.destroy_epoch(1, OwnTables::None).unwrap_err(),
        vault.rewrap(OwnTables::None, |_| ()).map(drop).unwrap_err(),
    ] {
        assert_eq!(*error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains("knows 1 orders"), "{error}");
    }
    vault.rewrap(OwnTables::Moved, |_| ()).unwrap();
    vault.destroy_epoch(1, OwnTables::Moved).unwrap();
    // Orders shredded with their evidence have no rows, and are missed by nobody.
    let (vault, _) = open_vault();
    fill(&vault, 0..1);
    vault.shred("SO-0", "asked for", ShredMode::WithEvidence).unwrap();
    vault.rewrap(OwnTables::None, |_| ()).unwrap();
}

/// A vault that uses none of it stays at layout 1, which older programs read.
#[test]
fn the_layout_is_raised_by_the_first_rotation_only() {
    let (vault, stores) = open_vault();
    let layout = || stores.keys.items().unwrap().iter().find(|item| item.kind == 100).unwrap().body[0];
    fill(&vault, 0..1);
    vault.apply_policy(&other_policy(), ExistingOrders::No).unwrap();
    assert_eq!(layout(), 1);
    vault.rotate(None).unwrap();
    assert_eq!(layout(), 2);
    drop(vault);
    let vault = Vault::resume(stores.clone(), &key()).unwrap();
    check_whole(&vault, "SO-0");
    let mut item = stores.keys.items().unwrap().into_iter().find(|item| item.kind == 100).unwrap();
    item.body[0] = 3;
    stores.keys.write_items(&[item]).unwrap();
    assert_eq!(kind_of(Vault::resume(stores, &key())), ErrorKind::NewerFormat);
}
