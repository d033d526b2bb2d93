//! The keys of single orders, which never leave the library: none of them is in a file of the vault.
#![cfg(feature = "sqlite")]

use std::{collections::HashSet, fs, path::Path};

use super::Vault;
use crate::{
    admin::Setup,
    keys::{KeyFile, RecordId},
    opener::unlock,
    order::Order,
    record::Record,
    shred::ShredMode,
    value::Value,
    view::Patch,
};

/// How many of these secrets are in files of the folder: half of one is enough, raw or in hexadecimal.
fn number_there(folder: &Path, secrets: &[Vec<u8>]) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let bytes: Vec<u8> = files.flatten().collect();
    let windows: HashSet<&[u8]> = bytes.windows(16).collect();
    let hex = |half: &[u8]| half[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let is_there = |half: &[u8]| windows.contains(half) || windows.contains(hex(half).as_bytes());
    secrets.iter().filter(|secret| secret.chunks(16).any(is_there)).count()
}

/// The secret of an order, its handle key, and the ticket parts made of them.
fn secrets_of(vault: &Vault, order_no: &str) -> Vec<Vec<u8>> {
    let registry = vault.registry().unwrap();
    let found = vault.look_up(&registry, order_no).unwrap();
    let stored = found.newest().unwrap();
    let record = Record::parse(stored.record).unwrap();
    let (secret, handle_key) = unlock(&registry, &record, stored.secret).unwrap();
    let ticket = |(part, _)| secret.ticket_part(RecordId(stored.secret.record_id), part).expose().to_vec();
    let tickets = record.parts().map(ticket);
    [secret.bytes().to_vec(), handle_key.bytes().to_vec()].into_iter().chain(tickets).collect()
}

#[test]
fn a_thief_of_the_files_finds_no_secret_handle_key_or_ticket_of_an_order() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("vault");
    let vault = Vault::create(&path, &KeyFile::from_bytes([42; 32]), &Setup::default()).unwrap();
    vault.add_party("shop", "platform", None).unwrap();
    let json = r#"{"order_no":"SO-1","placed_at":"2026-11-11T20:14:05+08:00",
        "consignee":{"name":"a","phone":"1","address":{"lines":[],"city":"b","country":"c"}},
        "items":[],"amount":{"value":"1","currency":"CNY"}}"#;
    vault.put(&Order::from_json(json, &vault.policy().unwrap()).unwrap()).unwrap();
    let mut secrets = secrets_of(&vault, "SO-1");
    vault.open("shop", "operation", "SO-1").unwrap();
    vault.update("SO-1", 1, Patch::new().set("note", Value::Text("new".into()))).unwrap();
    secrets.extend(secrets_of(&vault, "SO-1"));
    assert!(secrets.len() > 16);
    assert_eq!(number_there(&path, &secrets), 0, "at work");
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    drop(vault);
    assert_eq!(number_there(&path, &secrets), 0, "closed after a shred");
    fs::write(path.join("found"), [b"x", secrets[3].as_slice()].concat()).unwrap();
    assert_eq!(number_there(&path, &secrets), 1, "a secret is found if it is there");
}
