//! Slips over an order's whole life: restores, shredding, keys of parties, copies.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "sqlite")]

mod common;

use common::{Folder, Link, ROOT, bundle, contains, order};
use consignee::{BackupSets, Disclosures, ErrorKind, Kem, KeyFile, ShredMode, Slip, SlipAnswer, Vault};

fn places(found: &SlipAnswer) -> Vec<String> {
    found.entries.iter().map(|told| format!("{} {}", told.place, told.way.name())).collect()
}

fn told(told: &Disclosures) -> Vec<String> {
    told.entries.iter().map(|told| format!("{} {}", told.place, told.way.name())).collect()
}

#[test]
fn a_slip_from_before_a_restore_lists_what_both_ledgers_have() {
    let folder = Folder::new();
    let (vault, log) = (folder.unlock(), folder.dir.path().join("log"));
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    vault.publish(&log).unwrap();
    let slip = vault.slip("SO-1", Some(&log), None).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.backup(&folder.dir.path().join("backup")).unwrap();
    vault.publish(&log).unwrap();
    drop(vault);
    let sets = BackupSets::below(&folder.dir.path().join("backup"));
    let to = folder.dir.path().join("restored");
    let vault = Vault::restore(&sets, &to, &KeyFile::from_bytes(ROOT), None).unwrap().vault;
    let _link = Link::of(&vault, "SF Express", Kem::X25519);
    drop(bundle(&vault, "SF Express", "delivery", &["SO-1", "SO-2"]));
    vault.open("agent 17", "after_sale", "SO-1").unwrap();
    vault.put(&order("SO-3")).unwrap();
    vault.publish(&log).unwrap();
    let found = slip.who_saw(&log, None).unwrap();
    assert_eq!(places(&found), told(&vault.who_saw("SO-1").unwrap()));
    assert!(places(&found).iter().any(|place| place.starts_with("2/")) && found.is_complete);
    assert_eq!(found.ledgers.iter().map(|read| read.ledger).collect::<Vec<_>>(), [1, 2]);
    // An order of the second ledger, and one of the first whose slip is made now.
    for number in ["SO-2", "SO-3"] {
        let slip = vault.slip(number, Some(&log), None).unwrap();
        assert_eq!(slip.place().ledger, if number == "SO-2" { 1 } else { 2 });
        assert_eq!(*slip.to_text(), *vault.slip(number, None, None).unwrap().to_text());
        assert_eq!(places(&slip.who_saw(&log, None).unwrap()), told(&vault.who_saw(number).unwrap()));
    }
    // The answer, from both ledgers.
    vault
        .answer("SO-1", &log, false, Some(slip.size()))
        .unwrap()
        .write(&folder.dir.path().join("answer"))
        .unwrap();
    let answered = slip.who_saw(&folder.dir.path().join("answer"), None).unwrap();
    assert_eq!(
        (places(&answered), answered.continues_slip, answered.is_complete),
        (places(&found), true, false)
    );
    // Without the ledger that the slip is of, nothing is told.
    std::fs::rename(log.join("public"), log.join("elsewhere")).unwrap();
    assert_eq!(slip.who_saw(&log, None).unwrap_err().kind(), &ErrorKind::NotFound);
}

#[test]
fn a_slip_outlives_its_order_and_holds_nothing_of_what_it_says() {
    let folder = Folder::new();
    let (vault, log) = (folder.unlock(), folder.dir.path().join("log"));
    vault.put_many(&[order("SO-1"), order("SO-2")]).unwrap();
    vault.publish(&log).unwrap();
    let other = vault.slip("SO-2", Some(&log), None).unwrap();
    let text = vault.slip("SO-1", Some(&log), None).unwrap().to_text();
    let line = text.strip_prefix("consignee-slip-v1:").unwrap().rsplit_once('-').unwrap().0;
    let bytes = base64_bytes(line);
    assert!(contains(&bytes, b"SO-1"));
    for value in ["Canary", "13812345678", "210000", "C-1", "courier", "SF Express"] {
        assert!(!contains(&bytes, value.as_bytes()) && !text.contains(value), "{value}");
    }
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.shred("SO-1", "asked for", ShredMode::KeepEvidence).unwrap();
    vault.publish(&log).unwrap();
    let found = Slip::parse(&text).unwrap().who_saw(&log, None).unwrap();
    assert_eq!(
        found.entries.iter().map(|told| told.way.name()).collect::<Vec<_>>(),
        ["put", "opened", "shred"]
    );
    assert!(vault.slip("SO-1", Some(&log), None).is_ok(), "the evidence is there");
    vault.shred("SO-2", "asked for", ShredMode::WithEvidence).unwrap();
    assert_eq!(vault.slip("SO-2", Some(&log), None).map(drop).unwrap_err().kind(), &ErrorKind::Shredded);
    vault.publish(&log).unwrap();
    // The shopper's own copy of the handle key is not the shop's to destroy.
    let found = other.who_saw(&log, None).unwrap();
    assert_eq!(found.entries.iter().map(|told| told.way.name()).collect::<Vec<_>>(), ["put", "shred"]);
}

fn base64_bytes(text: &str) -> Vec<u8> {
    let digit = |c: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|d| *d == c)
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_usize, 0);
    for value in text.bytes().filter_map(digit) {
        (bits, count) = ((bits << 6 | value) & 0xffff, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
