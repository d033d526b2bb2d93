#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use super::*;
use crate::{
    Kem, Order, PartyKey, Patch, Setup, ShredMode, Value,
    handles::{Handles, KnownOrder},
    keys::party_key_id,
};

fn order(number: &str, phone: &str) -> Order {
    let json = format!(
        r#"{{"order_no":"{number}","placed_at":"2026-11-11T20:14:05+08:00","consignee":{{"name":"Wang Xiaoming",
            "phone":"{phone}","address":{{"lines":["1 Zhongshan Road"],"city":"Nanjing","country":"CN"}}}},
            "items":[],"amount":{{"value":"88.00","currency":"CNY"}}}}"#
    );
    Order::from_json(&json, &Policy::built_in()).unwrap()
}

fn vault() -> Vault {
    let vault = Vault::in_memory(&Setup::default()).unwrap();
    vault.add_party("SF Express", "courier", None).unwrap();
    vault.add_party("agent 17", "support", None).unwrap();
    vault.add_party("agent 18", "support", None).unwrap();
    vault
}

/// Every entry that carries a handle is of exactly one of the orders, and each order's own answer has just those: the handles were
/// computed here from the orders' keys by the formula, not by what is tested.
#[test]
fn every_entry_with_a_handle_is_of_one_order_and_no_other() {
    let vault = vault();
    let orders = [order("SO-1", "13812345678"), order("SO-2", "13812345678"), order("SO-3", "13900000000")];
    vault.put_many(&orders).unwrap();
    for number in ["SO-1", "SO-2", "SO-3"] {
        vault.open("SF Express", "delivery", number).unwrap();
        vault.open("agent 17", "after_sale", number).unwrap();
    }
    for agent in ["agent 17", "agent 18"] {
        assert_eq!(vault.find(agent, "after_sale", "consignee.phone", "13812345678").unwrap().hits.len(), 2);
    }
    // More queries than are looked for in one reading.
    for value in ["13900000000", "13812345678", "13900000001", "13812345678"] {
        vault.find("agent 17", "after_sale", "consignee.phone", value).unwrap();
    }
    vault.update("SO-2", 1, Patch::new().set("note", Value::Text("ring twice".into()))).unwrap();
    vault.shred("SO-3", "asked for", ShredMode::KeepEvidence).unwrap();
    let mut owners = HashSet::new();
    for number in ["SO-1", "SO-2", "SO-3"] {
        let told = vault.who_saw(number).unwrap();
        assert!(told.entries.windows(2).all(|pair| pair[0].place < pair[1].place));
        for entry in told.entries {
            assert!(owners.insert(entry.place), "{number}: {} is another's", entry.place);
        }
    }
    let entries = vault.ledger_entries(0, 1_000).unwrap();
    let of_orders = entries.iter().filter(|entry| entry.handle != [0; 16]).count();
    assert_eq!(owners.len(), of_orders);
}

/// Two parties' entries of one order share no handle, the candidates of one party's search none with its own or the vault's.
#[test]
fn no_two_ids_share_a_handle_of_one_order() {
    let vault = vault();
    vault.put(&order("SO-1", "13812345678")).unwrap();
    for agent in ["agent 17", "agent 18"] {
        vault.open(agent, "after_sale", "SO-1").unwrap();
        vault.find(agent, "after_sale", "consignee.phone", "13812345678").unwrap();
    }
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    let told = vault.who_saw("SO-1").unwrap();
    let mut whose = HashMap::new();
    for OrderEntry { entry, way, .. } in &told.entries {
        let by = (entry.party, matches!(way, Way::Compared { .. }).then(|| entry.handle));
        let before = whose.insert(entry.handle, by);
        assert!(before.is_none_or(|before| before == by), "a handle of two");
    }
    // The vault, three parties, and one for each agent's query.
    assert_eq!(whose.len(), 6);
    // Of the handle key alone, that a reader of the ledger lacks, the handles follow: another order's key gives none of them.
    let (registry, one) = vault.known_order("SO-1").unwrap();
    vault.put(&order("SO-2", "13812345678")).unwrap();
    let (_, other) = vault.known_order("SO-2").unwrap();
    let of = |known: &KnownOrder| {
        let handles = Handles::new(&registry, &known.handle_key);
        told.entries.iter().filter(|told| handles.whose(&told.entry).is_some()).count()
    };
    assert_eq!((of(&one), of(&other)), (told.entries.len() - 2, 0), "but for two candidates of searches");
}

#[test]
fn a_partys_entries_open_with_each_of_its_keys() {
    let vault = vault();
    let keys = [Kem::X25519, Kem::X25519].map(|kem| PartyKey::generate(kem).unwrap());
    keys.iter().for_each(|key| drop(vault.set_party_key("agent 17", key.public()).unwrap()));
    vault.revoke_party("agent 18").unwrap();
    let registry = vault.registry().unwrap();
    let openings: Vec<_> = registry.party_openings().collect();
    let publics: Vec<_> = openings.iter().filter(|o| o.party.name == "agent 17").map(|o| o.public).collect();
    assert_eq!(publics, [&[], keys[0].public().as_bytes(), keys[1].public().as_bytes()]);
    let entries = vault.ledger_entries(0, 100).unwrap();
    let entries: Vec<_> = entries.iter().filter(|entry| entry.kind == EntryKind::Party).collect();
    assert_eq!((entries.len(), openings.len()), (5, 5));
    for entry in entries {
        assert_eq!(openings.iter().filter(|opening| opening.opens(entry)).count(), 1);
        let forged = Entry { commitments: vec![[7; 32]], ..entry.clone() };
        assert!(!openings.iter().any(|opening| opening.opens(&forged)));
    }
}

#[test]
fn the_put_of_an_order_is_found_and_commits_to_its_number() {
    let vault = vault();
    vault.put_many(&[order("SO-1", "13812345678"), order("SO-2", "13900000000")]).unwrap();
    vault.open("SF Express", "delivery", "SO-2").unwrap();
    let (registry, known) = vault.known_order("SO-2").unwrap();
    assert!(known.found.by_number && known.found.record.is_some());
    let (place, entry) = vault.put_entry(&registry, &known.handle_key).unwrap().unwrap();
    assert_eq!((&vault.ledger_entries(place.index, 1).unwrap()[0], entry.kind), (&entry, EntryKind::Put));
    assert_eq!(entry.commitments[2], known.handle_key.order_commitment(known.record_id, "SO-2"));
    assert_ne!(entry.commitments[2], known.handle_key.order_commitment(known.record_id, "SO-1"));
    assert_eq!(*known.handle_key.expose(), known.handle_key.bytes());
}

/// As after a restore of an older keys.db: the ledger alone knows the party.
#[test]
fn a_party_that_only_the_ledger_knows_is_told_by_its_key_id_and_role() {
    let vault = vault();
    vault.put(&order("SO-1", "13812345678")).unwrap();
    let (registry, known) = vault.known_order("SO-1").unwrap();
    let (former, present) =
        (party_key_id(registry.vault, 900, &[]), party_key_id(registry.vault, 900, b"key"));
    let digest = registry.policy().unwrap().digest();
    let mut added = Entry::new(EntryKind::Party, present, digest);
    added.detail = [&[7], b"courier".as_slice(), &[2], &former, &present].concat();
    let seen = |id: [u8; 16]| Entry {
        handle: known.handle_key.handle(&id),
        ..Entry::new(EntryKind::Disclosure, id, digest)
    };
    // Behind what is seen, too: whatever the order of the entries.
    vault.ledger().append(vec![seen(former), added, seen(present)]).unwrap();
    let told = vault.who_saw("SO-1").unwrap().entries;
    let who: Vec<_> = told.iter().map(|entry| entry.who.clone()).collect();
    let party = |key_id| Who::Party { key_id, name: None, role: Some("courier".to_owned()) };
    assert_eq!(who, [Who::Vault, party(former), party(present)]);
}

/// Whoever writes the ledger's file has handles to copy, and none for whom he would accuse.
#[test]
fn a_copied_handle_accuses_nobody() {
    let vault = vault();
    vault.put(&order("SO-1", "13812345678")).unwrap();
    vault.open("SF Express", "delivery", "SO-1").unwrap();
    vault.find("agent 17", "after_sale", "consignee.phone", "13812345678").unwrap();
    let before = vault.who_saw("SO-1").unwrap().entries;
    let registry = vault.registry().unwrap();
    let innocent = registry.party("agent 18").unwrap().key_id(registry.vault);
    let copies = before.iter().map(|told| Entry { party: innocent, ..told.entry.clone() });
    vault.ledger().append(copies.collect()).unwrap();
    let told = vault.who_saw("SO-1").unwrap().entries;
    assert_eq!(told.len(), 2 * before.len());
    for (told, copied) in told.iter().zip(before.iter().chain(&before)) {
        assert_eq!(told.who, copied.who);
    }
    assert!(told[before.len()..].iter().all(|told| told.way == Way::Unknown));
    let accused = format!("{:?}", told.iter().map(|told| (&told.who, &told.way)).collect::<Vec<_>>());
    assert!(accused.contains("agent 17") && !accused.contains("agent 18"), "{accused}");
}
